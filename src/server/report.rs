//! What operators are told: one picture of a server at one moment. Four-letter words, the admin endpoint and the metrics are
//! different ways to write it down.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

use super::config::ServerConfig;
use super::tally::Tally;
use crate::zab::{Duration, PeerState, Phase, Sid, Zxid};
use crate::zk::service::ConnId;
use crate::zk::service::watches::WatchSummary;
use crate::zk::wire::Dialect;

/// A server at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What it is in its ensemble.
    pub mode: Mode,
    /// How far that has come. Clients are served in broadcast.
    pub phase: Phase,
    /// Whom it follows; itself if it leads.
    pub leader: Option<Sid>,
    /// The last txn it applied.
    pub last_zxid: Zxid,
    /// Since when it runs.
    pub uptime: Duration,
    /// Frames from and to clients, and how long requests took.
    pub traffic: Traffic,
    /// Requests without an answer, of all connections.
    pub outstanding: u64,
    /// Its connections.
    pub connections: Vec<ConnectionReport>,
    /// Its tree.
    pub tree: TreeReport,
    /// What it knows as a leader.
    pub leading: Option<LeaderReport>,
    /// What else it counted.
    pub tally: Tally,
    /// Digests of the tree after txns of the past, oldest first.
    pub digests: Vec<(Zxid, u64)>,
    /// Its process and its disk, as far as they were asked for ([`Detail::Process`], [`Detail::Folders`]).
    pub host: HostReport,
    /// Who watches and owns what; empty unless it was asked for ([`Detail::Inventory`]).
    pub inventory: Inventory,
}

/// What a server is in its ensemble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It has none: it looks for a leader.
    Looking,
    /// It leads.
    Leader,
    /// It follows.
    Follower,
    /// It observes.
    Observer,
    /// It is alone.
    Standalone,
}

/// Frames, and how long requests took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Frames from clients.
    pub received: u64,
    /// Frames to clients.
    pub sent: u64,
    /// Requests that were answered.
    pub answered: u64,
    /// The shortest time that one took.
    pub min_latency: Duration,
    /// The longest.
    pub max_latency: Duration,
    /// All together.
    pub total_latency: Duration,
}

/// A connection of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionReport {
    /// From where.
    pub from: SocketAddr,
    /// Its requests without an answer.
    pub outstanding: u64,
    /// Its own traffic.
    pub traffic: Traffic,
    /// Its session, if it has one.
    pub session: Option<SessionReport>,
    /// Its last answer.
    pub last: LastReport,
    /// When it is closed if it stays silent, in milliseconds of the clock on the wall; known if it was asked for
    /// ([`Detail::Inventory`]).
    pub silent_until: Option<i64>,
}

/// The last answer of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastReport {
    /// To what: `CREA`, `PING` and the like; `NA` before the first.
    pub op: &'static str,
    /// When, since the server started.
    pub at: Duration,
    /// How long it took.
    pub took: Duration,
}

/// The session of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionReport {
    /// Its id.
    pub id: i64,
    /// Its time-out.
    pub timeout: Duration,
    /// Since when, in milliseconds of the clock on the wall.
    pub established: i64,
    /// The number of its last request.
    pub last_cxid: i32,
    /// The zxid of its last answer.
    pub last_zxid: i64,
}

/// A tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeReport {
    /// Nodes, the root counted twice as ZooKeeper does.
    pub nodes: u64,
    /// Nodes that go with a session.
    pub ephemerals: u64,
    /// Bytes of paths and data.
    pub data_size: u64,
    /// Sessions of the whole ensemble.
    pub sessions: u64,
    /// Watches of clients of this server.
    pub watches: u64,
    /// Those of nodes' data, more exactly.
    pub watched: WatchSummary,
    /// Txns after which the tree was not what their leader had reckoned.
    pub digest_mismatches: u64,
}

/// What only a leader knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaderReport {
    /// Who is connected to it.
    pub learners: u64,
    /// Participants among them that are up to date.
    pub synced_followers: u64,
    /// Observers among them that are.
    pub synced_observers: u64,
    /// Txns proposed.
    pub proposals: u64,
    /// `sync`s that wait for a commit.
    pub pending_syncs: u64,
    /// For how long it has led.
    pub uptime: Duration,
}

/// A process and its disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostReport {
    /// Open files and sockets.
    pub open_files: u64,
    /// How many there may be.
    pub max_files: u64,
    /// Bytes of memory in use.
    pub resident: u64,
    /// Bytes of snapshots.
    pub data_dir_size: u64,
    /// Bytes of logs.
    pub log_dir_size: u64,
    /// The newest snapshot, and when it was written, in seconds of the clock on the wall.
    pub last_snapshot: Option<(Zxid, u64)>,
}

/// Who watches and owns what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// The paths whose data each session watches, on this server.
    pub watches: BTreeMap<i64, Vec<String>>,
    /// The ephemeral nodes of each session.
    pub ephemerals: BTreeMap<i64, Vec<String>>,
    /// When which connections of this server are closed if they stay silent.
    pub silences: BTreeMap<ConnId, i64>,
    /// Every session with its time-out.
    pub sessions: BTreeMap<i64, Duration>,
    /// When which sessions end, in milliseconds of the clock on the wall; only a leader knows.
    pub expiries: Option<BTreeMap<i64, Vec<i64>>>,
}

/// How much is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Numbers only: their cost does not depend on how much there is.
    Numbers,
    /// Numbers, and those that the host has of the process.
    Process,
    /// Numbers, and what is in the folders.
    Folders,
    /// Numbers, and who watches and owns what.
    Inventory,
}

/// What can be set back to zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// What each connection counted.
    Connections,
    /// What the server counted.
    Server,
}

/// What a service tells of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Census {
    /// Its tree.
    pub tree: TreeReport,
    /// What it knows of its connections.
    pub connections: BTreeMap<ConnId, Option<SessionReport>>,
    /// Who watches and owns what, if that was asked for.
    pub inventory: Inventory,
}

/// A service that tells of itself. One that has nothing to tell leaves the method as it is.
pub trait Surveyed {
    /// How it is.
    fn survey(&self, detail: Detail) -> Census {
        let _ = detail;
        Census::default()
    }
}

/// A server that can be asked.
pub trait Observed: Send + Sync + 'static {
    /// How it is configured.
    fn config(&self) -> &ServerConfig;
    /// How it is; `None` once it has ended.
    fn report(&self, detail: Detail) -> Eventual<'_, Option<Report>>;
    /// Sets counters back to zero.
    fn reset(&self, what: Reset) -> Eventual<'_, ()>;
}

/// A value that is there later.
pub type Eventual<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Report {
    /// Whether clients are served.
    pub fn is_serving(&self) -> bool {
        self.mode != Mode::Looking && self.phase == Phase::Broadcast
    }

    /// `leading - broadcast`, and the like (`zk_peer_state`).
    pub fn peer_state(&self) -> String {
        let state = match self.mode {
            Mode::Looking => PeerState::Looking,
            Mode::Leader | Mode::Standalone => PeerState::Leading,
            Mode::Follower => PeerState::Following,
            Mode::Observer => PeerState::Observing,
        };
        format!("{} - {}", state_word(state), self.phase_word())
    }

    /// The phase as ZooKeeper calls it (`ZabState`).
    pub fn phase_word(&self) -> &'static str {
        phase_word(self.phase)
    }
}

pub(super) fn state_word(state: PeerState) -> &'static str {
    match state {
        PeerState::Looking => "looking",
        PeerState::Leading => "leading",
        PeerState::Following => "following",
        PeerState::Observing => "observing",
    }
}

pub(super) fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Election => "election",
        Phase::Discovery => "discovery",
        Phase::Synchronization => "synchronization",
        Phase::Broadcast => "broadcast",
    }
}

impl Mode {
    /// As `srvr` says it.
    pub fn word(self) -> &'static str {
        match self {
            Mode::Looking => "looking",
            Mode::Leader => "leader",
            Mode::Follower => "follower",
            Mode::Observer => "observer",
            Mode::Standalone => "standalone",
        }
    }
}

impl Traffic {
    /// The average time of a request.
    pub fn average(&self) -> Average {
        Average::of(self.total_latency.as_nanos() / 100, self.answered)
    }
}

/// An average, written with one to four decimals as ZooKeeper does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Average {
    ten_thousandths: u64,
}

impl Average {
    /// Of `count` values that add up to so many ten thousandths.
    pub(super) fn of(total: u64, count: u64) -> Average {
        Average { ten_thousandths: (total.saturating_add(count / 2)).checked_div(count).unwrap_or(0) }
    }
}

impl fmt::Display for Average {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let average = self.ten_thousandths;
        let decimals = format!("{:04}", average % 10_000);
        let decimals = decimals.trim_end_matches('0');
        write!(f, "{}.{}", average / 10_000, if decimals.is_empty() { "0" } else { decimals })
    }
}

/// Which ZooKeeper this server is to its clients. They match it against patterns: digits first, and a date in this form.
pub fn version(dialect: Dialect) -> String {
    let like = match dialect {
        Dialect::V38 => "3.8.0",
        Dialect::V39 => "3.9.2",
    };
    format!("{like}-zabsim-{}, built on {RELEASED} 00:00 UTC", env!("CARGO_PKG_VERSION"))
}

/// The day of this release.
const RELEASED: &str = "11/21/2026";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_has_one_to_four_decimals() {
        let average = |micros: u64, count| Average::of(micros * 10, count).to_string();
        assert_eq!(
            [average(0, 0), average(37_000, 17), average(5000, 2), average(3000, 1)],
            ["0.0", "2.1765", "2.5", "3.0"]
        );
    }
}
