//! What a server counts beside its requests, under the names of `ServerMetrics`: sizes, times, quantiles, digests of the past.

use std::collections::VecDeque;

use hdrhistogram::Histogram;

use crate::zab::{Duration, Instant, Message, Milestone, PeerState, SyncMode, Zxid};
use crate::zk::model::OpCode;

/// The longest time that is told apart from longer ones, in milliseconds: an hour.
const LONGEST: u64 = 3_600_000;
/// A digest is kept of every so many txns (`DataTree.DIGEST_LOG_INTERVAL`), as a power of two.
const DIGEST_INTERVAL: i64 = 128;
/// So many are (`DataTree.DIGEST_LOG_LIMIT`).
const DIGESTS: usize = 1024;

/// Values of one kind, in short (`AvgMinMaxCounter`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many.
    pub count: u64,
    /// All added up.
    pub total: u64,
    /// The smallest; 0 if there is none.
    pub min: u64,
    /// The largest.
    pub max: u64,
}

impl Summary {
    /// One more.
    pub fn add(&mut self, value: u64) {
        self.min = if self.count == 0 { value } else { self.min.min(value) };
        self.max = self.max.max(value);
        self.total = self.total.saturating_add(value);
        self.count += 1;
    }
}

/// The same with quantiles (`AvgMinMaxPercentileCounter`).
#[derive(Clone, Debug, PartialEq)]
pub struct Quantiles {
    /// In short.
    pub summary: Summary,
    values: Histogram<u64>,
}

impl Default for Quantiles {
    fn default() -> Quantiles {
        let values = Histogram::new_with_bounds(1, LONGEST, 2).expect("these bounds are in order");
        Quantiles { summary: Summary::default(), values }
    }
}

impl Quantiles {
    /// One more.
    pub fn add(&mut self, value: u64) {
        self.summary.add(value);
        self.values.saturating_record(value);
    }

    /// The value that so many of a thousand do not exceed.
    pub fn per_mille(&self, share: u32) -> u64 {
        // The histogram's steps may lie beyond what there was.
        self.values.value_at_quantile(f64::from(share) / 1000.0).min(self.summary.max)
    }
}

/// Lengths of buffers (`BufferStats`); −1 where there was none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Of the last.
    pub last: i64,
    /// Of the smallest.
    pub min: i64,
    /// Of the largest.
    pub max: i64,
}

impl Default for Sizes {
    fn default() -> Sizes {
        Sizes { last: -1, min: -1, max: -1 }
    }
}

impl Sizes {
    /// One more.
    pub fn add(&mut self, length: usize) {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        self.min = if self.last < 0 { length } else { self.min.min(length) };
        self.max = self.max.max(length);
        self.last = length;
    }
}

/// What is counted. Times are in milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Bytes from clients.
    pub bytes_received: u64,
    /// Bytes of answers to clients' requests.
    pub response_bytes: u64,
    /// Answers to clients, and events.
    pub responses: Sizes,
    /// Proposals as a leader.
    pub proposals: Sizes,
    /// Requests that changed nothing.
    pub reads: Quantiles,
    /// Requests that became txns.
    pub updates: Quantiles,
    /// From a proposal until a quorum has it, at the leader.
    pub quorum_acks: Quantiles,
    /// Elections.
    pub elections: Summary,
    /// How often the server looked for a leader.
    pub looked: u64,
    /// Txns committed as a leader.
    pub commits: u64,
    /// Learners that got missing txns.
    pub diffs: u64,
    /// Learners that got the whole state.
    pub snaps: u64,
    /// Proposals received as a learner.
    pub learner_proposals: u64,
    /// Commits received as a learner.
    pub learner_commits: u64,
    /// Connections of clients that began.
    pub connection_requests: u64,
    /// And that ended.
    pub connection_drops: u64,
    /// The disk's part.
    pub disk: DiskTally,
}

/// What the disk counts. Times are in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskTally {
    /// Syncs of the log.
    pub syncs: Summary,
    /// Those that took longer than `fsync.warningthresholdms`.
    pub slow_syncs: u64,
    /// Snapshots written.
    pub snapshots: Summary,
    /// Writes that were synced together.
    pub batches: Summary,
    /// From the start until what was on disk was in memory.
    pub loading: u64,
}

/// What is under way, so that it can be counted when it ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    pub(super) tally: Tally,
    /// Digests of the tree after txns of the past, oldest first: what `hash` shows.
    pub(super) digests: VecDeque<(Zxid, u64)>,
    looking_since: Option<Instant>,
    leading_since: Option<Instant>,
    /// Proposals that no quorum has, with when they were made.
    proposed: VecDeque<(Zxid, Instant)>,
}

impl Meter {
    /// Counts from zero again; what is true of the moment stays.
    pub(super) fn reset(&mut self) {
        self.tally = Tally::default();
    }

    pub(super) fn proposed(&mut self, now: Instant, zxid: Zxid, length: usize) {
        self.tally.proposals.add(length);
        self.proposed.push_back((zxid, now));
    }

    pub(super) fn applied(&mut self, zxid: Zxid, digest: u64) {
        if zxid.0 % DIGEST_INTERVAL == 0 {
            if self.digests.len() == DIGESTS {
                self.digests.pop_front();
            }
            self.digests.push_back((zxid, digest));
        }
    }

    pub(super) fn answered(&mut self, op: Option<OpCode>, took: Duration) {
        match op {
            Some(op) if op.is_write() => self.tally.updates.add(took.as_millis()),
            _ => self.tally.reads.add(took.as_millis()),
        }
    }

    /// A client was sent so many bytes: an event, or the answer to a request for this, if that is known. ZooKeeper counts the answer to a
    /// greeting nowhere, and those of events, pings and credentials only as sizes (`FinalRequestProcessor`, `ServerCnxn.serialize`).
    pub(super) fn sent(&mut self, answer: Option<Option<OpCode>>, length: usize) {
        if answer == Some(Some(OpCode::CreateSession)) {
            return;
        }
        self.tally.responses.add(length);
        if answer.is_some_and(|op| !matches!(op, Some(OpCode::Ping | OpCode::Auth))) {
            self.tally.response_bytes += length as u64;
        }
    }

    pub(super) fn received(&mut self, message: &Message) {
        match message {
            Message::Proposal { .. } => self.tally.learner_proposals += 1,
            Message::Commit { .. } => self.tally.learner_commits += 1,
            _ => {}
        }
    }

    pub(super) fn serving(&mut self, now: Instant, serving: Option<PeerState>) {
        self.leading_since = (serving == Some(PeerState::Leading)).then_some(now);
        self.proposed.clear();
    }

    /// For how long the server has led.
    pub(super) fn leader_uptime(&self, now: Instant) -> Duration {
        self.leading_since.map_or(Duration::ZERO, |since| now.since(since))
    }

    pub(super) fn milestone(&mut self, now: Instant, milestone: &Milestone) {
        match milestone {
            Milestone::Entered { state: PeerState::Looking, .. } => {
                self.tally.looked += 1;
                self.looking_since = Some(now);
            }
            Milestone::Elected { .. } => {
                if let Some(since) = self.looking_since.take() {
                    self.tally.elections.add(now.since(since).as_millis());
                }
            }
            Milestone::SyncPlanned { mode: SyncMode::Snap, .. } => self.tally.snaps += 1,
            Milestone::SyncPlanned { .. } => self.tally.diffs += 1,
            Milestone::Committed { zxid, .. } => {
                self.tally.commits += 1;
                while let Some((_, since)) = self.proposed.pop_front_if(|(proposed, _)| *proposed <= *zxid) {
                    self.tally.quorum_acks.add(now.since(since).as_millis());
                }
            }
            _ => {}
        }
    }
}

/// What a frame asks for: a number of the client's, then this.
pub(super) fn op(frame: &[u8]) -> Option<OpCode> {
    let code = frame.get(4..8).and_then(|code| code.try_into().ok()).map(i32::from_be_bytes);
    code.and_then(OpCode::from_code)
}

/// Its short name (`Request.op2String`, as `cons` shows it).
pub(super) fn op_word(op: Option<OpCode>) -> &'static str {
    match op {
        Some(OpCode::Create | OpCode::Create2 | OpCode::CreateContainer | OpCode::CreateTtl) => "CREA",
        Some(OpCode::Delete | OpCode::DeleteContainer) => "DELE",
        Some(OpCode::Exists) => "EXIS",
        Some(OpCode::GetData) => "GETD",
        Some(OpCode::SetData) => "SETD",
        Some(OpCode::GetAcl) => "GETA",
        Some(OpCode::SetAcl) => "SETA",
        Some(OpCode::GetChildren | OpCode::GetChildren2) => "GETC",
        Some(OpCode::Sync) => "SYNC",
        Some(OpCode::Ping) => "PING",
        Some(OpCode::Multi) => "MULT",
        Some(OpCode::CreateSession) => "SESS",
        Some(OpCode::CloseSession) => "CLOS",
        Some(OpCode::SetWatches | OpCode::SetWatches2) => "SETW",
        Some(OpCode::AddWatch) => "ADDW",
        Some(OpCode::RemoveWatches | OpCode::CheckWatches) => "REMW",
        Some(_) => "OTHE",
        None => "NA",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zab::{Epoch, MemberSet};

    #[test]
    fn a_summary_and_its_quantiles() {
        let mut times = Quantiles::default();
        assert_eq!((times.per_mille(500), times.summary), (0, Summary::default()));
        (1..=100).for_each(|value| times.add(value));
        assert_eq!(times.summary, Summary { count: 100, total: 5050, min: 1, max: 100 });
        assert_eq!([500, 950, 990, 999].map(|share| times.per_mille(share)), [50, 95, 99, 100]);
        times.add(u64::MAX / 2);
        assert_eq!(times.per_mille(990), 100, "what is longer than an hour is the longest");
    }

    #[test]
    fn sizes_begin_with_none() {
        let mut sizes = Sizes::default();
        assert_eq!((sizes.last, sizes.min, sizes.max), (-1, -1, -1));
        [5, 9, 2].into_iter().for_each(|length| sizes.add(length));
        assert_eq!((sizes.last, sizes.min, sizes.max), (2, 2, 9));
    }

    #[test]
    fn a_proposal_is_timed_until_a_quorum_has_it() {
        let (mut meter, zxid) = (Meter::default(), |counter| Zxid::new(Epoch(1), counter));
        let at = |millis: u64| Instant(millis * 1_000_000);
        let elected = |now| {
            (at(now), Milestone::Entered { state: PeerState::Looking, phase: crate::zab::Phase::Election, epoch: None })
        };
        let (now, looking) = elected(3);
        meter.milestone(now, &looking);
        meter.serving(at(10), Some(PeerState::Leading));
        (1..=3).for_each(|counter| meter.proposed(at(20), zxid(counter), 100 * counter as usize));
        meter.milestone(at(27), &Milestone::Committed { zxid: zxid(2), acks: MemberSet::EMPTY });
        assert_eq!(meter.tally.quorum_acks.summary, Summary { count: 2, total: 14, min: 7, max: 7 });
        assert_eq!(meter.tally.proposals, Sizes { last: 300, min: 100, max: 300 });
        assert_eq!((meter.tally.looked, meter.leader_uptime(at(50))), (1, Duration::from_millis(40)));
        meter.serving(at(60), None);
        assert_eq!(meter.leader_uptime(at(70)), Duration::ZERO);
        (0..2000).for_each(|zxid| meter.applied(Zxid(zxid * 64), 7));
        assert_eq!((meter.digests.len(), meter.digests[1]), (1000, (Zxid(128), 7)));
    }

    #[test]
    fn a_frame_says_what_it_asks_for() {
        let frame = |op: i32| [[0; 4], op.to_be_bytes()].concat();
        assert_eq!([1, 4, 14, 11].map(|code| op_word(op(&frame(code)))), ["CREA", "GETD", "MULT", "PING"]);
        assert_eq!((op(b"short"), op_word(None)), (None, "NA"));
        let mut meter = Meter::default();
        meter.answered(op(&frame(1)), Duration::from_millis(3));
        meter.answered(op(&frame(4)), Duration::from_millis(1));
        assert_eq!((meter.tally.updates.summary.max, meter.tally.reads.summary.max), (3, 1));
    }
}
