//! `zoo.cfg`: what a server is told, read as ZooKeeper reads it (`QuorumPeerConfig`), the same keys and the same defaults.
//!
//! A key that ZooKeeper takes as a system property may be written with its `zookeeper.` or without. Everything wrong in a file
//! is found at once, each with its place. A key that would be ignored is named; one whose silence would be dangerous is refused.

mod complaint;
mod keys;
mod members;
mod properties;
mod read;
mod reader;
mod service;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use crate::zab::{Config, Duration};
use crate::zk::service::tree::due::Sweep;
use crate::zk::store::Beginning;
use crate::zk::wire::Dialect;

pub use complaint::{Complaint, Source};
pub use members::{Address, Member};
pub use read::Read;

/// One server, as its `zoo.cfg` and its `myid` describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// Who it is, with whom, and the limits of the protocol. A standalone server is an ensemble of its own.
    pub peer: Config,
    /// Whether it is alone: no elections, no quorum port.
    pub standalone: bool,
    /// Everybody with their addresses, ascending by sid; empty for a standalone server.
    pub members: Vec<Member>,
    /// The list of servers as they send it to each other and show it in `/zookeeper/config`; empty for a standalone server.
    pub text: String,
    /// Between servers.
    pub quorum: QuorumOptions,
    /// Towards clients.
    pub clients: ClientOptions,
    /// What the tree allows.
    pub tree: TreeOptions,
    /// On disk.
    pub store: StoreOptions,
    /// For operators.
    pub admin: AdminOptions,
}

/// Between servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuorumOptions {
    /// Listen on every address of the host instead of the one in the list (`quorumListenOnAllIPs`).
    pub listen_on_all_ips: bool,
    /// Whether a leader of others takes clients (`leaderServes`).
    pub leader_serves: bool,
}

/// Towards clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// Where it listens (`clientPort`, `clientPortAddress`); nowhere if there is none. Port 0 is any free one.
    pub address: Option<Address>,
    /// Connections from one address (`maxClientCnxns`); 0 for no limit.
    pub max_connections: usize,
    /// Connections from everywhere (`maxCnxns`); 0 for no limit.
    pub max_connections_in_all: usize,
    /// The shortest session (`minSessionTimeout`).
    pub min_session_timeout: Duration,
    /// The longest session (`maxSessionTimeout`).
    pub max_session_timeout: Duration,
    /// The longest frame taken, in bytes (`jute.maxbuffer`).
    pub max_buffer: usize,
    /// Requests under way beyond which clients wait (`globalOutstandingLimit`).
    pub outstanding_limit: usize,
}

/// What the tree allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeOptions {
    /// Check no ACL at all (`skipACL`).
    pub skip_acl: bool,
    /// `user:base64(sha1(user:password))` of the superuser (`DigestAuthenticationProvider.superDigest`).
    pub super_digest: Option<Secret>,
    /// Allow nodes with a time to live (`extendedTypesEnabled`).
    pub extended_types: bool,
    /// Refuse what is beyond a quota instead of warning (`enforceQuota`).
    pub enforce_quota: bool,
    /// Keep and send the digest of the tree (`digest.enabled`).
    pub digest: bool,
    /// How often a leader looks for nodes that nobody needs (`znode.container.checkIntervalMs`).
    pub sweep_interval: Duration,
    /// Which of them go (`znode.container.maxPerMinute`, `znode.container.maxNeverUsedIntervalMs`).
    pub sweep: Sweep,
    /// Which version of ZooKeeper clients see (`zabsim.dialect`).
    pub dialect: Dialect,
}

/// What must not appear in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
}

/// On disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// Snapshots, epochs and `myid` (`dataDir`).
    pub data_dir: PathBuf,
    /// Txn logs (`dataLogDir`).
    pub log_dir: PathBuf,
    /// By how many bytes a log file grows at a time (`preAllocSize`).
    pub preallocate: u64,
    /// Whether a txn is synced to disk before it is acknowledged (`forceSync`).
    pub force_sync: bool,
    /// A sync that takes longer is told (`fsync.warningthresholdms`).
    pub slow_sync: Duration,
    /// What is deleted by itself (`autopurge`), if anything.
    pub purge: Option<Purge>,
    /// What a folder without a snapshot is taken for (`db.autocreate`, `snapshot.trust.empty`).
    pub beginning: Beginning,
}

/// What is deleted by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purge {
    /// How many snapshots are kept, with the logs they need (`autopurge.snapRetainCount`).
    pub retain: usize,
    /// How often (`autopurge.purgeInterval`).
    pub interval: Duration,
}

/// For operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminOptions {
    /// Where HTTP commands are answered (`admin.enableServer`, `admin.serverAddress`, `admin.serverPort`), if at all.
    pub address: Option<Address>,
    /// Where Prometheus finds `/metrics` besides (`metricsProvider.httpHost`, `metricsProvider.httpPort`), if asked for.
    pub metrics: Option<Address>,
    /// Which four-letter words are answered (`4lw.commands.whitelist`).
    pub words: Whitelist,
}

/// Which four-letter words are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whitelist {
    /// All (`*`).
    All,
    /// These.
    Only(BTreeSet<String>),
}

impl Whitelist {
    /// Whether this one is.
    pub fn allows(&self, word: &str) -> bool {
        match self {
            Whitelist::All => true,
            Whitelist::Only(words) => words.contains(word),
        }
    }
}
