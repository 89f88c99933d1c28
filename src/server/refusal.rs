//! Why a server cannot start: what it is about in the configuration, and how to mend it.

use std::fmt;
use std::io;

use super::config::{Address, StoreOptions};
use crate::zk::store::StoreError;

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

    /// What is in the folders cannot be understood.
    pub(super) fn of_history(options: &StoreOptions, error: &StoreError) -> io::Error {
        let message = format!("what is in {} cannot be used: {error}", options.data_dir.join("version-2").display());
        let help = "restore the folder from a copy; or empty it, and the other servers of an ensemble give this one their data";
        io::Error::other(Refusal { key: "dataDir".to_owned(), message, help: help.to_owned() })
    }
}
