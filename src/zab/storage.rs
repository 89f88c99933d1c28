//! The vocabulary of persistence. There are no files here: the core asks for a [`Write`], the host answers when it is
//! durable.

use std::fmt;

use super::{Epoch, Payload, Txn, Zxid};

/// The number of a write, ascending from 1 within one process. Writes become durable in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId(pub u64);

/// The number of a read, ascending within one process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadId(pub u64);

/// Something to be made durable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Write {
    /// Replace the promise (`acceptedEpoch`): write aside, sync, rename.
    AcceptedEpoch(Epoch),
    /// Replace the epoch of the adopted history (`currentEpoch`): write aside, sync, rename.
    CurrentEpoch(Epoch),
    /// Append a txn to the log.
    Append(Txn),
    /// Cut the log after `to`, sync the cut, and delete every snapshot newer than `to` (hazard D6: a dropped txn must
    /// not come back from one).
    Truncate {
        /// The last txn to keep. If the log has no such txn, everything greater goes all the same (hazard D7).
        to: Zxid,
    },
    /// Write the service's state, as it is when the host executes this output, into a snapshot file. The answer only means
    /// *written*: a power failure may leave it missing or in pieces, and recovery must then ignore it.
    WriteSnapshot {
        /// The last txn it contains.
        zxid: Zxid,
    },
    /// Make that snapshot durable and adopt it: when this is answered, recovery starts from it. What the log held is
    /// obsolete and goes, since the snapshot came from a leader (a tail left behind would be replayed at a later
    /// restart, ZOOKEEPER-2832).
    InstallSnapshot {
        /// The last txn it contains.
        zxid: Zxid,
    },
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Write::AcceptedEpoch(epoch) => write!(f, "acceptedEpoch := {epoch}"),
            Write::CurrentEpoch(epoch) => write!(f, "currentEpoch := {epoch}"),
            Write::Append(txn) => write!(f, "append {}", txn.zxid),
            Write::Truncate { to } => write!(f, "truncate to {to}"),
            Write::WriteSnapshot { zxid } => write!(f, "write snapshot {zxid}"),
            Write::InstallSnapshot { zxid } => write!(f, "install snapshot {zxid}"),
        }
    }
}

/// Why a write failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteError {
    /// The device reported an error (EIO). What is on it is unknown.
    Failed,
    /// No space is left (ENOSPC).
    Full,
}

/// What a server finds on its disk, at boot and whenever it asks to reload. The host has synced what it reports: a
/// tail that was only written before the process died is durable now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Recovered {
    /// The promise; `None` if the file is missing.
    pub accepted_epoch: Option<Epoch>,
    /// The epoch of the adopted history; `None` if the file is missing.
    pub current_epoch: Option<Epoch>,
    /// The last txn of snapshot plus log; [`Zxid::ZERO`] for a new server, [`Zxid::MISSING`] for one whose data is gone.
    pub last_zxid: Zxid,
    /// The lowest zxid that the history can be cut back to: that of the oldest snapshot if the log begins behind one.
    pub base: Zxid,
    /// The last txns of the log, at most as many as the window holds, ascending: what DIFF can be served from at once.
    pub recent: Vec<Txn>,
}

/// What came of reading the log on behalf of a lagging learner.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LogSlice {
    /// The records, ascending, from the last one at or before the asked zxid (if there is one) to the end of the log.
    Txns(Vec<Txn>),
    /// The log no longer reaches back that far.
    Purged,
    /// Sending it would cost more than a snapshot (`zookeeper.snapshotSizeFactor`).
    TooLarge,
}

/// A service's state, cut into pieces for the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SnapshotImage {
    /// The last txn it contains.
    pub zxid: Zxid,
    /// The pieces, in order.
    pub chunks: Vec<Payload>,
}

impl SnapshotImage {
    /// The bytes of the pieces.
    pub fn pieces(&self) -> Vec<&[u8]> {
        self.chunks.iter().map(Payload::as_bytes).collect()
    }
}
