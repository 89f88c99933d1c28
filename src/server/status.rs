//! What a server says of itself. A copy, made by the driver between two batches: nothing is shared with who asks.

use super::clients::Connection;
use super::report::Census;
use super::tally::Tally;
use crate::zab::progress::Progress;
use crate::zab::{Duration, Epoch, PeerState, Phase, Sid, SyncMode, Zxid};
use crate::zk::service::ConnId;

/// How a server is.
#[derive(Clone, Debug)]
pub struct Status {
    /// Who it is.
    pub sid: Sid,
    /// Its role.
    pub state: PeerState,
    /// How far the role has come; clients are served in broadcast.
    pub phase: Phase,
    /// Whom it follows; itself if it leads.
    pub leader: Option<Sid>,
    /// The epoch of its history.
    pub current_epoch: Epoch,
    /// Its promise.
    pub accepted_epoch: Epoch,
    /// The last txn of its applied state.
    pub last_zxid: Zxid,
    /// Its learners, if it leads.
    pub learners: Vec<LearnerStatus>,
    /// What it counted.
    pub counters: Counters,
    /// What else it counted.
    pub tally: Tally,
    /// Digests of the tree after txns of the past, oldest first.
    pub digests: Vec<(Zxid, u64)>,
    /// For how long it has led.
    pub leader_uptime: Duration,
    /// `sync`s that wait for a commit at the leader.
    pub pending_syncs: usize,
    /// Its clients.
    pub connections: Vec<(ConnId, Connection)>,
    /// What its service tells of itself.
    pub census: Census,
    /// Since when it runs.
    pub uptime: Duration,
}

/// A learner as its leader sees it.
#[derive(Clone, Debug)]
pub struct LearnerStatus {
    /// Who.
    pub sid: Sid,
    /// How it was brought up to date, once that was decided.
    pub mode: Option<SyncMode>,
    /// Whether it is up to date.
    pub is_synced: bool,
    /// What the leader believes of it, for a person.
    pub stage: String,
}

impl LearnerStatus {
    pub(super) fn of(progress: &Progress) -> LearnerStatus {
        let stage = format!("{:?}", progress.stage);
        LearnerStatus { sid: progress.sid, mode: progress.mode, is_synced: progress.is_timed(), stage }
    }
}

/// What a server counts, since it started or since it was told to begin again (`srst`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames from clients.
    pub received: u64,
    /// Frames to clients.
    pub sent: u64,
    /// Txns proposed as a leader.
    pub proposed: u64,
    /// Committed txns applied.
    pub applied: u64,
    /// Requests answered.
    pub answered: u64,
    /// The shortest time from a request to its answer.
    pub min_latency: Duration,
    /// The longest.
    pub max_latency: Duration,
    /// All of them added up.
    pub total_latency: Duration,
}

impl Counters {
    pub(super) fn answered(&mut self, latency: Duration) {
        self.min_latency = if self.answered == 0 { latency } else { self.min_latency.min(latency) };
        self.max_latency = self.max_latency.max(latency);
        self.total_latency = self.total_latency + latency;
        self.answered += 1;
    }
}
