//! What a disk executes, and how it is read.

use thiserror::Error;

/// One of the two directories; they may be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dir {
    /// Snapshots and epochs.
    Data,
    /// Logs.
    Log,
}

/// Something to do with a file. Only what a `Sync` or `SyncDir` covers survives a power failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileOp {
    /// Write bytes at an offset; the file is created if it is not there.
    Write {
        /// Where.
        dir: Dir,
        /// Which file.
        name: String,
        /// From which offset on.
        at: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// Make a file that long: cut it, or extend it by zeros.
    SetLength {
        /// Where.
        dir: Dir,
        /// Which file.
        name: String,
        /// The new length.
        length: u64,
    },
    /// Bring a file's content to the platter.
    Sync {
        /// Where.
        dir: Dir,
        /// Which file.
        name: String,
    },
    /// Bring a directory's names to the platter.
    SyncDir(Dir),
    /// Give a file another name, in place of one that has it.
    Rename {
        /// Where.
        dir: Dir,
        /// The old name.
        from: String,
        /// The new one.
        to: String,
    },
    /// Remove a file; one that is not there is fine.
    Remove {
        /// Where.
        dir: Dir,
        /// Which.
        name: String,
    },
}

/// Reads the two directories.
pub trait Files {
    /// The names and lengths of the files in one.
    fn list(&self, dir: Dir) -> Result<Vec<(String, u64)>, StoreError>;

    /// The whole content of a file.
    fn read(&self, dir: Dir, name: &str) -> Result<Vec<u8>, StoreError>;
}

/// Why a data directory cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The operating system says no.
    #[error("{name}: {reason}")]
    Io {
        /// Which file or directory.
        name: String,
        /// What it says.
        reason: String,
    },
    /// A file is not what its name says.
    #[error("{name}: {reason}")]
    Malformed {
        /// Which file.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// No snapshot can be read, though there are some.
    #[error("none of the snapshots can be read; the newest: {0}")]
    NoSnapshot(String),
    /// There are txns, and no snapshot that they could follow: what was before them is lost.
    #[error(
        "{0}: there is a log and no snapshot. Put the snapshots back; if this log begins with the first txn ever, start once with \
         snapshot.trust.empty=true"
    )]
    LogWithoutSnapshot(String),
    /// Txns that were acknowledged are gone, and there is no other server that has them.
    #[error("txns are missing or damaged, see above, and a standalone server has nobody to ask for them")]
    Lost,
    /// The service does not understand a snapshot.
    #[error("{name}: {reason}")]
    Service {
        /// Which file.
        name: String,
        /// What is wrong.
        reason: String,
    },
}
