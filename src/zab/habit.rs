//! `Habit`: the ways in which releases of Apache ZooKeeper deviate from the hardened protocol, one by one.
//!
//! Each is a small deviation at the place where the release has it, found by searching for `Habit::`. A [`Release`](super::Release)
//! is a set of them. They are statements about a model: no line of ZooKeeper runs here.

use std::fmt;

/// One way in which some release deviates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the table below tells each")]
pub enum Habit {
    SyncInMemory,
    SyncNotInWindow,
    SettledNotInWindow,
    CutUnsynced,
    DirtyMemoryKept,
    SnapshotsSurviveACut,
    SnapshotOverwritten,
    CutKeepsTheNext,
    ObserverAcksEarly,
    GapsOnlyWarn,
    GapsBetweenEpochs,
    BroadcastGapsOnlyWarn,
    CommitMismatchEndsTheProcess,
    EpochBeforeHistory,
    AcksBeforeSync,
    CommitFindsNothing,
    MemoryLags,
    RefusesToStart,
    ChatterRestartsTheWait,
    SettledVotesInterrupt,
    SilentUntilServing,
    StaleAcks,
    NewleaderUnordered,
    UncountedAck,
    NewleaderTrails,
    CommitsBeforeUptodate,
}

/// A habit, its name, where it is described, what goes on, in a sentence.
struct Row(Habit, &'static str, &'static str, &'static str);

const TABLE: [Row; Habit::COUNT] = {
    use Habit::*;
    [
        Row(
            SyncInMemory,
            "sync-in-memory",
            "ZOOKEEPER-2846, Learner.syncWithLeader",
            "after TRUNC or SNAP, what is committed before NEWLEADER is applied to memory, and only a snapshot keeps it: the log has a hole",
        ),
        Row(
            SyncNotInWindow,
            "sync-not-in-window",
            "ZOOKEEPER-4925, Learner.syncWithLeader",
            "what a synchronisation applies to memory does not enter the window that DIFF is served from",
        ),
        Row(
            SettledNotInWindow,
            "settled-not-in-window",
            "ZOOKEEPER-4925, Learner.syncWithLeader",
            "what a DIFF brought and NEWLEADER settled does not enter the window that DIFF is served from",
        ),
        Row(
            CutUnsynced,
            "cut-unsynced",
            "FileTxnLog.truncate, ZooKeeperServer.takeSnapshot",
            "NEWLEADER is acknowledged while the cut of a TRUNC, and the snapshot after it, are only written",
        ),
        Row(
            DirtyMemoryKept,
            "dirty-memory-kept",
            "Learner.shutdown",
            "a link lost in a TRUNC synchronisation leaves in memory what was applied, and the next vote claims it",
        ),
        Row(
            SnapshotsSurviveACut,
            "snapshots-survive-a-cut",
            "FileTxnSnapLog.truncateLog, ZKDatabase.truncateLog",
            "a snapshot newer than the cut of a TRUNC stays, is loaded, and what it holds gets the label of the cut",
        ),
        Row(
            SnapshotOverwritten,
            "snapshot-overwritten",
            "FileSnap.serialize",
            "a snapshot of a zxid that the disk has one of is written over it, unsynced: a power failure can leave neither",
        ),
        Row(
            CutKeepsTheNext,
            "cut-keeps-the-next",
            "FileTxnLog.truncate",
            "a cut after a txn that the log does not have keeps the next greater one",
        ),
        Row(
            ObserverAcksEarly,
            "observer-acks-early",
            "Learner.syncWithLeader",
            "an observer acknowledges NEWLEADER, with its epoch adopted, before what a DIFF brought is logged",
        ),
        Row(
            GapsOnlyWarn,
            "gaps-only-warn",
            "Learner.syncWithLeader",
            "a gap among the proposals of a synchronisation is taken with a warning",
        ),
        Row(
            GapsBetweenEpochs,
            "gaps-between-epochs",
            "Learner.enforceContinuousProposal",
            "a synchronisation may begin with any txn and go on with any of a later epoch",
        ),
        Row(
            BroadcastGapsOnlyWarn,
            "broadcast-gaps-only-warn",
            "Follower.processPacket",
            "a gap among the proposals of a broadcast is taken with a warning, and a COMMIT with nothing pending is ignored",
        ),
        Row(
            CommitMismatchEndsTheProcess,
            "commit-mismatch-ends-the-process",
            "FollowerZooKeeperServer.commit",
            "a COMMIT that is not for the oldest pending proposal ends the process",
        ),
        Row(
            EpochBeforeHistory,
            "epoch-before-history",
            "ZOOKEEPER-4643, Learner.syncWithLeader",
            "at NEWLEADER the epoch is adopted before anything that came before it is logged",
        ),
        Row(
            AcksBeforeSync,
            "acks-before-sync",
            "ZOOKEEPER-4646, Learner.syncWithLeader",
            "at NEWLEADER everything queued, committed or not, goes to the log writer, and the ACK does not wait for its sync",
        ),
        Row(
            CommitFindsNothing,
            "commit-finds-nothing",
            "ZOOKEEPER-4394, Learner.syncWithLeader",
            "a COMMIT between NEWLEADER and UPTODATE for a txn that was queued before NEWLEADER ends the link",
        ),
        Row(
            MemoryLags,
            "memory-lags",
            "ZOOKEEPER-4712 and 4541, ZooKeeperServer.shutdown",
            "when a learner's role ends, memory catches up with the log before the log writer is drained: the next vote claims too little",
        ),
        Row(
            RefusesToStart,
            "refuses-to-start",
            "ZOOKEEPER-1653, QuorumPeer.loadDataBase",
            "a history of a later epoch than currentEpoch is not adopted, and a server that finds one does not start",
        ),
        Row(
            ChatterRestartsTheWait,
            "chatter-restarts-the-wait",
            "FastLeaderElection.lookForLeader",
            "every notification restarts the wait after which a vote is repeated",
        ),
        Row(
            SettledVotesInterrupt,
            "settled-votes-interrupt",
            "FastLeaderElection.lookForLeader",
            "a better vote of one who has settled elsewhere, which nobody may adopt, stops a voter that is about to settle",
        ),
        Row(
            SilentUntilServing,
            "silent-until-serving",
            "Leader.lead",
            "a leader sends no ping before it serves, while those who acknowledged NEWLEADER measure its silence",
        ),
        Row(
            StaleAcks,
            "stale-acks",
            "Leader.processAck",
            "what a follower acknowledged counts on when it comes back and may be told to cut it off",
        ),
        Row(
            NewleaderUnordered,
            "newleader-unordered",
            "Leader.lead",
            "NEWLEADER leaves while the leader's own currentEpoch is still being written",
        ),
        Row(
            UncountedAck,
            "uncounted-ack",
            "Leader.waitForNewLeaderAck",
            "a learner whose first ACK is not that of NEWLEADER is served, and never counted",
        ),
        Row(
            NewleaderTrails,
            "newleader-trails",
            "LearnerHandler.run, Leader.startForwarding",
            "NEWLEADER leaves some time after what is forwarded: txns are proposed and committed before it",
        ),
        Row(
            CommitsBeforeUptodate,
            "commits-before-uptodate",
            "Leader.commit, LearnerHandler.run",
            "a COMMIT leaves at once, also for a follower that has NEWLEADER and still waits for UPTODATE",
        ),
    ]
};

impl Habit {
    /// How many there are.
    pub const COUNT: usize = Habit::CommitsBeforeUptodate as usize + 1;

    /// All of them.
    pub fn all() -> impl Iterator<Item = Habit> {
        TABLE.iter().map(|row| row.0)
    }

    /// Its name, such as `sync-in-memory`.
    pub fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// Issues and classes that show it.
    pub fn source(self) -> &'static str {
        TABLE[self as usize].2
    }

    /// What goes on, in a sentence.
    pub fn story(self) -> &'static str {
        TABLE[self as usize].3
    }

    /// The habit of that name.
    pub fn from_name(name: &str) -> Option<Habit> {
        Habit::all().find(|habit| habit.name() == name)
    }
}

impl fmt::Display for Habit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Some habits; none by default, which is the hardened protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Habits(u32);

const _: () = assert!(Habit::COUNT <= u32::BITS as usize, "every habit has its bit");

impl Habits {
    /// The hardened protocol.
    pub const NONE: Habits = Habits(0);

    /// Exactly these.
    pub const fn of(habits: &[Habit]) -> Habits {
        let (mut bits, mut index) = (0, 0);
        while index < habits.len() {
            bits |= 1 << habits[index] as u32;
            index += 1;
        }
        Habits(bits)
    }

    /// Whether `habit` is one of them.
    pub const fn has(self, habit: Habit) -> bool {
        self.0 & 1 << habit as u32 != 0
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// These and those.
    pub const fn with(self, others: Habits) -> Habits {
        Habits(self.0 | others.0)
    }

    /// These but not those.
    pub const fn without(self, others: Habits) -> Habits {
        Habits(self.0 & !others.0)
    }

    /// Each of them, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Habit> {
        Habit::all().filter(move |&habit| self.has(habit))
    }
}

impl FromIterator<Habit> for Habits {
    fn from_iter<I: IntoIterator<Item = Habit>>(habits: I) -> Habits {
        habits.into_iter().fold(Habits::NONE, |all, habit| all.with(Habits::of(&[habit])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_names() {
        assert!(Habit::all().enumerate().all(|(index, habit)| habit as usize == index));
        assert!(Habit::all().all(|habit| Habit::from_name(habit.name()) == Some(habit)));
    }

    #[test]
    fn a_set_holds_what_was_put_into_it() {
        let two = Habits::of(&[Habit::StaleAcks, Habit::SyncInMemory]);
        assert_eq!(two.iter().collect::<Vec<_>>(), [Habit::SyncInMemory, Habit::StaleAcks]);
        assert_eq!(two.without(Habits::of(&[Habit::StaleAcks])), Habits::of(&[Habit::SyncInMemory]));
        assert_eq!(Habit::all().collect::<Habits>().iter().count(), Habit::COUNT);
        assert!(Habits::default().is_empty() && !two.has(Habit::MemoryLags));
    }
}
