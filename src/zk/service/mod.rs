//! The replicated state machine of ZooKeeper, and the part of a server that faces clients.
//!
//! ```text
//!  frames ─▶ front ──Ask::Submit──▶ (leader) prepare ──txn──▶ zab ──▶ apply on tree ─┬▶ watches ─▶ events ─▶ client
//!            │  ▲                        sessions                                     └▶ front: the reply that waits
//!            └──┴─ reads, in the order of their session
//! ```
//!
//! | module | what ZooKeeper calls it |
//! |---|---|
//! | `tree` | `DataTree`, `DataNode`, `DigestCalculator`, quotas |
//! | `prepare` | `PrepRequestProcessor`, against the changes that are proposed and not applied |
//! | `acl` | `PrepRequestProcessor.checkACL`, the authentication providers |
//! | `sessions`, `expiry` | `SessionTrackerImpl`, `LeaderSessionTracker`, `ExpiryQueue` |
//! | `watches` | `WatchManager` |
//! | `front` | `NIOServerCnxn`, `CommitProcessor`, `FinalRequestProcessor`: connections and the order of replies |
//!
//! One step is one input: a txn is applied, its events leave, its reply leaves, the reads that waited for it are answered,
//! and only then the next txn is applied. So no reply ever shows a change before its event.

pub mod acl;
pub mod config;
pub mod expiry;
pub mod front;
pub mod path;
pub mod prepare;
pub mod quota;
pub mod sessions;
pub mod tree;
pub mod watches;
pub mod zk;

use std::net::IpAddr;

/// A client connection as its host numbers it; never used twice by one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// What the clients of this server do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// One connected.
    Connected {
        /// The connection.
        conn: ConnId,
        /// From where: the ACL scheme `ip`.
        from: IpAddr,
    },
    /// A frame came in, without its length.
    Frame {
        /// On which connection.
        conn: ConnId,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A connection that is not being read is in use all the same, by what its host sees of it: as good as a ping.
    Alive {
        /// Which.
        conn: ConnId,
    },
    /// A connection ended.
    Closed {
        /// Which.
        conn: ConnId,
    },
}

/// What goes back to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A frame, without its length.
    Frame {
        /// On which connection.
        conn: ConnId,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Close the connection, after what was sent before.
    Close {
        /// Which.
        conn: ConnId,
    },
}
