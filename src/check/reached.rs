//! `Situation`: what a run should come to *sometimes*. A checker proves nothing about a situation that no run ever reached.

use std::fmt;

/// An interesting situation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Situation {
    /// A learner needed nothing.
    SyncEmptyDiff,
    /// A learner got the missing txns from the window.
    SyncDiff,
    /// A learner got the missing txns from the log on disk.
    SyncDiskDiff,
    /// A learner had to cut its tail.
    SyncTrunc,
    /// A learner had to cut its tail and got missing txns.
    SyncTruncDiff,
    /// A learner got the whole state.
    SyncSnap,
    /// A peer died during an election.
    CandidateLost,
    /// A leader was lost before any learner reached it.
    LeaderLostInElection,
    /// A leader was lost in discovery.
    LeaderLostInDiscovery,
    /// A leader was lost in synchronisation.
    LeaderLostInSynchronization,
    /// A leader was lost in broadcast.
    LeaderLostInBroadcast,
    /// Two peers led at the same time.
    TwoLeaders,
    /// An epoch was established although the one before never was.
    EpochSkipped,
    /// A peer joined a leader that was already established.
    OutOfRoundJoin,
    /// An old notification was delivered again.
    ReplayedNotification,
    /// A learner refused an epoch below its promise.
    StaleEpochRefused,
    /// A leader refused a learner with a more recent history.
    LearnerAheadRefused,
    /// A leader gave up since a voter of its own looked again.
    DisloyalVoter,
    /// Too few told their epochs in time.
    EpochTimeout,
    /// Too few acknowledged the epoch in time.
    EpochAckTimeout,
    /// Too few acknowledged NEWLEADER in time.
    NewLeaderTimeout,
    /// A leader lost its quorum.
    QuorumLost,
    /// The counter of an epoch was used up.
    CounterExhausted,
    /// A proposal stayed unacknowledged too long.
    SyncLimitMissed,
    /// Txns that only one peer had logged were cut off.
    LoneTailTruncated,
    /// Txns that only one peer had logged made room for a snapshot.
    LoneTailReplaced,
    /// An uncommitted tail was applied when a role ended.
    TailFastForwarded,
    /// Writes flowed while an observer was receiving a snapshot.
    ObserverSnapUnderLoad,
    /// Writes flowed while a learner was cutting its tail.
    TruncUnderLoad,
    /// A learner's process or role ended while it was cutting its tail.
    TruncInterrupted,
    /// A write failed while a learner was cutting its tail.
    TruncFailed,
    /// A link broke while a snapshot was on it.
    SnapInterrupted,
    /// A write failed with a snapshot written but not adopted.
    SnapshotFailed,
    /// A peer delivered a txn before its own disk had synced it.
    CommitBeforeLocalSync,
    /// A process died between two outputs of a step.
    CrashInsideStep,
    /// A process died with a snapshot written but not adopted.
    CrashBetweenSnapshotAndSync,
    /// No process ran.
    EverybodyDown,
    /// A peer started with a history above its currentEpoch.
    EpochWindowRestart,
    /// Recovery ignored a newer snapshot.
    SnapshotIgnored,
    /// A power failure lost unsynced writes.
    UnsyncedWritesLost,
    /// A power failure tore a write.
    TornWrite,
    /// A disk failed to sync.
    SyncFailed,
    /// A disk was full.
    DiskFull,
    /// A disk called a write synced that was not.
    DiskLied,
    /// A disk lost its content.
    DiskWiped,
    /// A node that had lost its data was synchronised again.
    DatalessRejoined,
    /// A direction between two nodes was cut while the other was not.
    OneWayCut,
    /// A link broke and lost packets.
    LinkReset,
    /// Only one end noticed that a link was gone.
    HalfOpen,
    /// A machine stood still.
    Paused,
    /// A clock jumped.
    ClockJumped,
    /// A packet overtook another.
    Overtaken,
    /// A client does not know what became of its operation.
    UnknownOutcome,
    /// A client moved to another server.
    SessionMoved,
    /// A server refused a client.
    ClientRefused,
    /// A deposed leader's server answered a sync.
    StaleSyncRead,
}

const TABLE: [(Situation, &str, &str); Situation::COUNT] = {
    use Situation::*;
    [
        (SyncEmptyDiff, "sync-empty-diff", "a learner needed nothing"),
        (SyncDiff, "sync-diff", "a learner got the missing txns from the window"),
        (SyncDiskDiff, "sync-disk-diff", "a learner got the missing txns from the log on disk"),
        (SyncTrunc, "sync-trunc", "a learner had to cut its tail"),
        (SyncTruncDiff, "sync-trunc-diff", "a learner had to cut its tail and got missing txns"),
        (SyncSnap, "sync-snap", "a learner got the whole state"),
        (CandidateLost, "candidate-lost", "a peer died during an election"),
        (LeaderLostInElection, "leader-lost-in-election", "a leader was lost before any learner reached it"),
        (LeaderLostInDiscovery, "leader-lost-in-discovery", "a leader was lost in discovery"),
        (LeaderLostInSynchronization, "leader-lost-in-synchronization", "a leader was lost in synchronisation"),
        (LeaderLostInBroadcast, "leader-lost-in-broadcast", "a leader was lost in broadcast"),
        (TwoLeaders, "two-leaders", "two peers led at the same time"),
        (EpochSkipped, "epoch-skipped", "an epoch was established although the one before never was"),
        (OutOfRoundJoin, "out-of-round-join", "a peer joined a leader that was already established"),
        (ReplayedNotification, "replayed-notification", "an old notification was delivered again"),
        (StaleEpochRefused, "stale-epoch-refused", "a learner refused an epoch below its promise"),
        (LearnerAheadRefused, "learner-ahead-refused", "a leader refused a learner with a more recent history"),
        (DisloyalVoter, "disloyal-voter", "a leader gave up since a voter of its own looked again"),
        (EpochTimeout, "epoch-timeout", "too few told their epochs in time"),
        (EpochAckTimeout, "epoch-ack-timeout", "too few acknowledged the epoch in time"),
        (NewLeaderTimeout, "new-leader-timeout", "too few acknowledged NEWLEADER in time"),
        (QuorumLost, "quorum-lost", "a leader lost its quorum"),
        (CounterExhausted, "counter-exhausted", "the counter of an epoch was used up"),
        (SyncLimitMissed, "sync-limit-missed", "a proposal stayed unacknowledged too long"),
        (LoneTailTruncated, "lone-tail-truncated", "txns that only one peer had logged were cut off"),
        (LoneTailReplaced, "lone-tail-replaced", "txns that only one peer had logged made room for a snapshot"),
        (TailFastForwarded, "tail-fast-forwarded", "an uncommitted tail was applied when a role ended"),
        (ObserverSnapUnderLoad, "observer-snap-under-load", "writes flowed while an observer was receiving a snapshot"),
        (TruncUnderLoad, "trunc-under-load", "writes flowed while a learner was cutting its tail"),
        (TruncInterrupted, "trunc-interrupted", "a learner's process or role ended while it was cutting its tail"),
        (TruncFailed, "trunc-failed", "a write failed while a learner was cutting its tail"),
        (SnapInterrupted, "snap-interrupted", "a link broke while a snapshot was on it"),
        (SnapshotFailed, "snapshot-failed", "a write failed with a snapshot written but not adopted"),
        (CommitBeforeLocalSync, "commit-before-local-sync", "a peer delivered a txn before its own disk had synced it"),
        (CrashInsideStep, "crash-inside-step", "a process died between two outputs of a step"),
        (
            CrashBetweenSnapshotAndSync,
            "crash-between-snapshot-and-sync",
            "a process died with a snapshot written but not adopted",
        ),
        (EverybodyDown, "everybody-down", "no process ran"),
        (EpochWindowRestart, "epoch-window-restart", "a peer started with a history above its currentEpoch"),
        (SnapshotIgnored, "snapshot-ignored", "recovery ignored a newer snapshot"),
        (UnsyncedWritesLost, "unsynced-writes-lost", "a power failure lost unsynced writes"),
        (TornWrite, "torn-write", "a power failure tore a write"),
        (SyncFailed, "sync-failed", "a disk failed to sync"),
        (DiskFull, "disk-full", "a disk was full"),
        (DiskLied, "disk-lied", "a disk called a write synced that was not"),
        (DiskWiped, "disk-wiped", "a disk lost its content"),
        (DatalessRejoined, "dataless-rejoined", "a node that had lost its data was synchronised again"),
        (OneWayCut, "one-way-cut", "a direction between two nodes was cut while the other was not"),
        (LinkReset, "link-reset", "a link broke and lost packets"),
        (HalfOpen, "half-open", "only one end noticed that a link was gone"),
        (Paused, "paused", "a machine stood still"),
        (ClockJumped, "clock-jumped", "a clock jumped"),
        (Overtaken, "overtaken", "a packet overtook another"),
        (UnknownOutcome, "unknown-outcome", "a client does not know what became of its operation"),
        (SessionMoved, "session-moved", "a client moved to another server"),
        (ClientRefused, "client-refused", "a server refused a client"),
        (StaleSyncRead, "stale-sync-read", "a deposed leader's server answered a sync"),
    ]
};

impl Situation {
    /// How many there are.
    pub const COUNT: usize = Situation::StaleSyncRead as usize + 1;

    /// All of them.
    pub fn all() -> impl Iterator<Item = Situation> {
        TABLE.iter().map(|row| row.0)
    }

    /// Its name, in kebab case.
    pub fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// What it is, in words.
    pub fn description(self) -> &'static str {
        TABLE[self as usize].2
    }

    /// Why no run can come to it, where that is so.
    pub fn unreachable(self) -> Option<&'static str> {
        match self {
            Situation::SyncTruncDiff => Some(
                "counters have no gaps within an epoch: a leader with a later txn of the epoch of the learner's last one has that \
                 one too, and needs to cut nothing; and where it went on in a later epoch, it cannot know where they parted and \
                 sends SNAP",
            ),
            Situation::StaleEpochRefused => Some(
                "a leader steps down as soon as a learner tells a promise above its epoch, before it tells the epoch, and a \
                 learner promises nothing more on the way",
            ),
            _ => None,
        }
    }

    /// The situation with that name.
    pub fn from_name(name: &str) -> Option<Situation> {
        TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How often each situation was reached, in one run or, merged, in many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    counts: [u64; Situation::COUNT],
}

impl Default for Reached {
    fn default() -> Reached {
        Reached { counts: [0; Situation::COUNT] }
    }
}

impl Reached {
    /// Counts one more.
    pub fn add(&mut self, situation: Situation) {
        self.counts[situation as usize] += 1;
    }

    /// How often it was reached.
    pub fn count(&self, situation: Situation) -> u64 {
        self.counts[situation as usize]
    }

    /// Whether it was reached.
    pub fn has(&self, situation: Situation) -> bool {
        self.count(situation) > 0
    }

    /// Adds what another run reached.
    pub fn merge(&mut self, other: &Reached) {
        self.counts.iter_mut().zip(other.counts).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// All situations with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Situation, u64)> {
        Situation::all().map(|situation| (situation, self.count(situation)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_counts_add_up() {
        for (i, situation) in Situation::all().enumerate() {
            assert_eq!((situation as usize, Situation::from_name(situation.name())), (i, Some(situation)));
        }
        let (mut a, mut b) = (Reached::default(), Reached::default());
        a.add(Situation::SyncSnap);
        b.add(Situation::SyncSnap);
        a.merge(&b);
        assert_eq!((a.count(Situation::SyncSnap), a.has(Situation::Paused)), (2, false));
    }
}
