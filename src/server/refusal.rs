//! Why a server cannot start: what it is about in the configuration, and how to mend it.

use std::fmt;
use std::io;
use std::path::Path;

use super::config::{Address, StoreOptions};
use crate::zk::store::{Dir, StoreError};

/// The inside of the [`io::Error`] of a server that cannot start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The key of the configuration that it is about.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.help)
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// Nobody can listen on `address`, which `key` says.
    pub(super) fn of_port(address: &Address, key: &str, error: &io::Error) -> io::Error {
        let help = match error.kind() {
            io::ErrorKind::AddrInUse => "another process listens there: stop it, or choose another port",
            io::ErrorKind::AddrNotAvailable => "this host has no such address: name one of its own, or 0.0.0.0 for all",
            io::ErrorKind::PermissionDenied => "only a privileged user may listen there: choose a port from 1024 on",
            _ => "name an address of this host and a free port",
        };
        let message = format!("cannot listen on {address}: {error}");
        io::Error::new(error.kind(), Refusal { key: key.to_owned(), message, help: help.to_owned() })
    }

    /// A folder cannot be used at all.
    pub(super) fn of_folder(options: &StoreOptions, error: &StoreError) -> io::Error {
        let is_log = matches!(error, StoreError::Io { name, .. } if options.log_dir != options.data_dir
            && name.starts_with(&options.log_dir.display().to_string()));
        let key = if is_log { "dataLogDir" } else { "dataDir" }.to_owned();
        let help = "it must be a folder of its own that the user of this process may write to".to_owned();
        io::Error::other(Refusal { key, message: format!("cannot use {error}"), help })
    }

    /// A file is where its kind would not be looked for, now that the folders differ.
    pub(super) fn of_misplaced(options: &StoreOptions, dir: Dir, name: &str) -> io::Error {
        let folder = |dir: &Path| dir.join("version-2");
        let (data, log) = (folder(&options.data_dir), folder(&options.log_dir));
        let (kind, is_in, belongs) = match dir {
            Dir::Data => ("log", &data, &log),
            Dir::Log => ("snapshot", &log, &data),
        };
        let message = format!(
            "{} is a {kind}, and {kind}s belong in {}: what is in it would be lost",
            is_in.join(name).display(),
            belongs.display()
        );
        let help = format!("move every {kind}.* there from {}, or take `dataLogDir` out if it is new", is_in.display());
        io::Error::other(Refusal { key: "dataLogDir".to_owned(), message, help })
    }

    /// What is in the folders cannot be understood.
    pub(super) fn of_history(options: &StoreOptions, error: &StoreError) -> io::Error {
        let message = format!("what is in {} cannot be used: {error}", options.data_dir.join("version-2").display());
        let help = match error {
            StoreError::Service { .. } => "start the release that wrote it, or a newer one",
            StoreError::Lost => "restore the folder from a copy; nothing in it was changed",
            _ => {
                "restore the folder from a copy; or empty it, and the other servers of an ensemble give this one their data"
            }
        };
        io::Error::other(Refusal { key: "dataDir".to_owned(), message, help: help.to_owned() })
    }
}
