//! `Chance`: what became possible and now needs a time.

use super::{LinkKey, Node, PacketKind};
use crate::zab::Instant;

/// Something that became possible, and that a schedule must give a time to. One per occurrence: per packet, per notification.
/// What was in the way when its time came (a cut, a pause) is raised again when the obstacle goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chance {
    /// A packet travels: `Deliver`.
    Packet {
        /// The link.
        link: LinkKey,
        /// The receiving end.
        to: Node,
        /// What it is.
        kind: PacketKind,
    },
    /// A notification travels: `Notify` or `LoseNotification`. To oneself it takes next to no time.
    Notification {
        /// Sender.
        from: Node,
        /// Receiver.
        to: Node,
    },
    /// A connection is asked for: `Connect` or, if that is not enabled when its time comes, later `ConnectTimeout`.
    Dial {
        /// The learner.
        dialer: Node,
        /// The leader.
        acceptor: Node,
    },
    /// Nothing more travels on a broken link: `NoticeClose`.
    Close {
        /// The link.
        link: LinkKey,
        /// Who will notice.
        at: Node,
    },
    /// A sync began: `SyncDone` or `SyncFails`.
    Sync {
        /// The node.
        node: Node,
        /// How many writes it covers.
        writes: u16,
        /// Whether a received snapshot is among them.
        installs: bool,
    },
    /// A read was queued: `ReadDone`.
    Read {
        /// The node.
        node: Node,
    },
    /// A timer is due: `Wake`. If it was put off meanwhile, the world ignores the `Wake` and raises the later one.
    Wake {
        /// The node.
        node: Node,
        /// When, in virtual time.
        at: Instant,
    },
    /// A client waits for nothing: `Invoke`.
    ClientFree {
        /// The client.
        client: u8,
    },
    /// A process began: faults may strike it.
    Up {
        /// The node.
        node: Node,
    },
    /// A process is down, and may be started. Raised as well at the beginning, for every node that is meant to run.
    Down {
        /// The node.
        node: Node,
    },
}
