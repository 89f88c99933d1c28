//! Names of files.

use crate::zab::Zxid;

/// What a file is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileName {
    /// A log that begins with this txn.
    Log(Zxid),
    /// A snapshot; the last txn it certainly contains.
    Snapshot(Zxid),
    /// A snapshot in a compressed form, which is not supported.
    Compressed(Zxid),
    /// A received snapshot that is decided to replace everything.
    Installing(Zxid),
    /// A leftover of a write that never ended, or of a log that never began.
    Leftover,
    /// Nothing of ours.
    Other,
}

impl FileName {
    /// What the file of that name is.
    pub fn of(name: &str) -> FileName {
        let zxid = |hex: &str| i64::from_str_radix(hex, 16).ok().map(Zxid);
        let mut parts = name.split('.');
        match (parts.next(), parts.next(), parts.next()) {
            (Some("snapshot"), Some(_), Some("tmp")) => FileName::Leftover,
            (Some("acceptedEpoch" | "currentEpoch"), Some("tmp"), None) => FileName::Leftover,
            (Some("log"), Some(hex), None) => zxid(hex).map_or(FileName::Other, FileName::Log),
            (Some("snapshot"), Some(hex), None) => zxid(hex).map_or(FileName::Other, FileName::Snapshot),
            (Some("snapshot"), Some(hex), Some("gz" | "snappy")) => {
                zxid(hex).map_or(FileName::Other, FileName::Compressed)
            }
            (Some("starting"), Some(_), None) => FileName::Leftover,
            (Some("installing"), Some(hex), None) => zxid(hex).map_or(FileName::Other, FileName::Installing),
            _ => FileName::Other,
        }
    }
}

/// The name of the log that begins with this txn.
pub fn log_name(zxid: Zxid) -> String {
    format!("log.{:x}", zxid.0)
}

/// The name of the snapshot that ends with this txn.
pub fn snapshot_name(zxid: Zxid) -> String {
    format!("snapshot.{:x}", zxid.0)
}

/// The name of a log that has no header yet. No name of ZooKeeper's begins like this.
pub(super) fn starting_name(zxid: Zxid) -> String {
    format!("starting.{:x}", zxid.0)
}

/// The name of what is written to take the place of the file `name`.
pub(super) fn aside_name(name: &str) -> String {
    format!("{name}.tmp")
}

/// The name of a received snapshot that is decided.
pub(super) fn installing_name(zxid: Zxid) -> String {
    format!("installing.{:x}", zxid.0)
}
