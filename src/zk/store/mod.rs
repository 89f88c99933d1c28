//! The durable history in ZooKeeper's files. Nothing here does IO: a [`Journal`] turns writes into [`FileOp`]s, [`recover`] reads
//! through [`Files`].
//!
//! ```text
//! <dataDir>/version-2/     snapshot.<zxid>  acceptedEpoch  currentEpoch     (Dir::Data)
//! <dataLogDir>/version-2/  log.<zxid of its first txn>                      (Dir::Log)
//! ```
//!
//! **What makes each write atomic**
//!
//! | write | order; a crash between two steps leaves |
//! |---|---|
//! | append | record, sync; a torn record is no record |
//! | a new log | its header as `starting.<zxid>`, sync, rename; no log without a header |
//! | epoch | `.tmp`, sync, rename, sync of the directory; the old or the new one |
//! | snapshot | the same |
//! | truncate | snapshots beyond it go, then log files from the newest, then the rest of a file is cut off; a history that ends somewhere between `to` and its old end |
//! | install | the received snapshot is synced as `.tmp` and renamed to `installing.<zxid>`, which decides: from then on a recovery finishes what is left, which is to remove every log and every other snapshot, and to rename it to `snapshot.<zxid>` |
//!
//! ZooKeeper's own servers know nothing of `installing.<zxid>` and `starting.<zxid>` and skip them.

mod journal;
mod log;
mod names;
mod ops;
mod purge;
mod recovery;
mod snapshot;

pub use journal::{Journal, JournalSettings, JournalWrite};
pub use log::{LogEnd, LogReader, RECORD_OVERHEAD, encode_record};
pub use names::{FileName, log_name, snapshot_name};
pub use ops::{Dir, FileOp, Files, StoreError};
pub use purge::purge;
pub use recovery::{Beginning, Found, read_log, recover, recover_from};
pub use snapshot::{SEAL_END, SnapshotFile, Trailers, encode_snapshot_head, read_snapshot, write_snapshot};

#[cfg(test)]
mod tests;
