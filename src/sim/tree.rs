//! What happens where servers replicate ZooKeeper's tree: what txns do, and what clients see of it.

use super::action::Node;
use super::event::Digest;
use super::znode::Znode;
use crate::zab::Zxid;
use crate::zk::model::{EventType, SessionId};

/// One thing that happened to the tree, a session or a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TreeEvent {
    /// What a txn does, as its bytes say, when its leader proposes it: one event for each of its parts.
    Change {
        /// The leader.
        node: Node,
        /// The txn.
        zxid: Zxid,
        /// Its payload's digest.
        digest: Digest,
        /// What it does.
        change: Change,
    },
    /// A server applied the end of a session.
    SessionClosed {
        /// The server.
        node: Node,
        /// The txn.
        zxid: Zxid,
        /// The session.
        session: SessionId,
        /// How many ephemerals of it are in the server's tree.
        left: u32,
    },
    /// A client's session stands at a server: its first answer there.
    Joined {
        /// The client.
        client: u8,
        /// The server.
        server: Node,
        /// The session.
        session: SessionId,
    },
    /// A client learns that its session is over, by its own wish or by the servers'.
    SessionOver {
        /// The client.
        client: u8,
        /// The server that tells it.
        server: Node,
        /// The session.
        session: SessionId,
    },
    /// A client was answered.
    Saw {
        /// The client.
        client: u8,
        /// The server.
        server: Node,
        /// The zxid in the head of the answer.
        zxid: Zxid,
        /// What it shows.
        sight: Sight,
    },
    /// A client was told of a watch that fired.
    Fired {
        /// The client.
        client: u8,
        /// The server.
        server: Node,
        /// Which node.
        znode: Znode,
        /// What happened to it.
        kind: EventType,
    },
    /// What a server read from its files is not what was written to its disk.
    FilesDiffer {
        /// The server.
        node: Node,
    },
}

/// What a part of a txn does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// A node is made.
    Created {
        /// Which.
        znode: Znode,
        /// The session whose ephemeral it is; 0 for none.
        owner: SessionId,
        /// What it holds.
        value: u64,
    },
    /// A node's data are set.
    Set {
        /// Which.
        znode: Znode,
        /// What it holds.
        value: u64,
        /// Its new version.
        version: i32,
    },
    /// A node is deleted.
    Deleted {
        /// Which.
        znode: Znode,
    },
    /// A session begins.
    SessionCreated {
        /// Which.
        session: SessionId,
    },
    /// A session ends, and its ephemerals with it.
    SessionClosed {
        /// Which.
        session: SessionId,
    },
}

/// What an answer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sight {
    /// Nothing but its zxid: the answer to a write, or to `sync`.
    Nothing,
    /// A node, or that there is none.
    Znode {
        /// Which.
        znode: Znode,
        /// What of it.
        found: Option<Found>,
        /// Whether a watch was left.
        watches: bool,
    },
    /// The items of the queue, or that there is no queue.
    Items {
        /// How many, and the sum of [`item_mark`] over them.
        found: Option<(u32, u64)>,
        /// Whether a watch was left.
        watches: bool,
    },
    /// The watches that an earlier connection left are there again.
    WatchesSet,
}

/// What was seen of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Found {
    /// The txn that made it.
    pub czxid: Zxid,
    /// The txn that set its data last.
    pub mzxid: Zxid,
    /// How often they were set.
    pub version: i32,
    /// The session whose ephemeral it is; 0 for none.
    pub owner: SessionId,
    /// What it holds; `exists` does not tell.
    pub value: Option<u64>,
}

/// Makes sets of items comparable by sums.
pub fn item_mark(item: u32) -> u64 {
    (u64::from(item) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}
