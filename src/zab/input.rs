//! Everything that can happen to a peer.

use super::message::{LinkId, Message, Notification};
use super::storage::{LogSlice, ReadId, Recovered, SnapshotImage, WriteError, WriteId};
use super::{Payload, Sid, Zxid};

/// One thing that happened. Closed: both hosts produce every variant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Time passed: at or after [`Peer::next_timeout`](super::Peer::next_timeout). Early or late wake-ups do no harm.
    Wake,
    /// An election notification arrived.
    Notification {
        /// Who sent it: the sid of the connection it came on.
        from: Sid,
        /// What it says.
        notification: Notification,
    },
    /// Somebody connected to our quorum port.
    Accepted {
        /// The new link.
        link: LinkId,
    },
    /// The connection we asked for stands.
    Connected {
        /// To whom: not the leader of today if the answer was long in coming.
        to: Sid,
        /// The new link.
        link: LinkId,
    },
    /// The connection we asked for was refused or timed out.
    ConnectFailed {
        /// To whom.
        to: Sid,
    },
    /// A packet arrived.
    Received {
        /// On which link.
        link: LinkId,
        /// The packet.
        message: Message,
    },
    /// A link ended, by the other side or by the network. Nothing more will arrive on it.
    Closed {
        /// Which one.
        link: LinkId,
    },
    /// Every write up to this one is durable.
    Persisted {
        /// The last of them.
        through: WriteId,
    },
    /// A write failed, and with it every later one.
    WriteFailed {
        /// The first that failed.
        id: WriteId,
        /// Why.
        error: WriteError,
    },
    /// The disk let go of what lies before this zxid (`PurgeTxnLog`): the history can be cut back no further.
    Purged {
        /// The last txn of the oldest snapshot that is left.
        base: Zxid,
    },
    /// The answer to [`Output::Reload`](super::Output::Reload): the service's state is what this describes.
    Reloaded(Box<Recovered>),
    /// The answer to [`Output::ReadLog`](super::Output::ReadLog).
    LogRead {
        /// Which read.
        read: ReadId,
        /// What was found.
        slice: LogSlice,
    },
    /// The answer to [`Output::ReadSnapshot`](super::Output::ReadSnapshot).
    SnapshotRead {
        /// Which read.
        read: ReadId,
        /// The service's state.
        image: SnapshotImage,
    },
    /// A client of this server wants to write.
    Submit {
        /// The request, as the service understands it.
        request: Payload,
    },
    /// A client of this server asked for `sync`.
    Sync {
        /// Comes back in [`Output::Synced`](super::Output::Synced).
        token: u64,
    },
    /// The service has something to say to that of another server, beside the history: a learner to its leader, or the
    /// other way. It is lost where there is no such link.
    Tell {
        /// To whom.
        to: Sid,
        /// What.
        what: Payload,
    },
    /// The answer to [`Output::Prepare`](super::Output::Prepare), in the same step.
    Prepared {
        /// The zxid of the question.
        zxid: Zxid,
        /// The txn's payload.
        payload: Payload,
    },
    /// The answer to [`Output::Restore`](super::Output::Restore), in the same step, where the service cannot read what was
    /// received: its state is what it was.
    NotRestored,
    /// Stop cleanly: leave the role, drain the disk, then [`Output::Halt`](super::Output::Halt).
    Stop,
}
