//! `Mutant`: real bugs of ZooKeeper and of the Zab paper, switched back on. A checker that never failed proves nothing.
//!
//! Each is a small deviation at the place where the bug was, found by searching for `mutant!`. Only builds with the feature
//! `mutants` contain them.

use std::fmt;

use super::{Config, Duration, Recovered, mutant};

/// A bug that can be switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mutant {
    /// ZOOKEEPER-335: the new epoch follows from the last txn and no promise is kept, so an epoch is used twice.
    Zk335,
    /// ZOOKEEPER-1343: the choice of an epoch compares with > instead of >=, and keeps one that was promised before.
    Zk1343,
    /// ZOOKEEPER-1192: a leader goes on when its wait for ACKEPOCH ends, with no quorum.
    Zk1192,
    /// ZOOKEEPER-1653: a crash between a synchronised history and its epoch leaves a server that refuses to start.
    Zk1653,
    /// ZOOKEEPER-2959: the FOLLOWERINFO and ACKEPOCH of an observer count towards the quorum.
    Zk2959,
    /// ZOOKEEPER-1277: the counter overflows into the epoch and no election takes place.
    Zk1277,
    /// ZOOKEEPER-1419: the last clause of the comparison of votes forgets the epoch: votes can go in a circle.
    Zk1419,
    /// ZOOKEEPER-975: a joiner counts settled votes though the leader they name does not say that it leads.
    Zk975,
    /// ZOOKEEPER-1732: settled votes must agree in every field, and are never refreshed: a server cannot join.
    Zk1732,
    /// ZOOKEEPER-769: the leader counts observers as members of its quorum.
    Zk769,
    /// ZOOKEEPER-3109: a leader does not notice that its voters look again, and waits out its whole time.
    Zk3109,
    /// ZOOKEEPER-790: a would-be leader takes the zxid of its epoch before a quorum accepted it.
    Zk790,
    /// ZOOKEEPER-1154: DIFF for whoever is within the window, though its last txn is not in the leader's history.
    Zk1154,
    /// ZOOKEEPER-1319: a leader that has proposed nothing takes an empty newcomer for one that is in sync.
    Zk1319,
    /// ZOOKEEPER-1264: what is committed between NEWLEADER and UPTODATE is applied to memory and not logged.
    Zk1264,
    /// ZOOKEEPER-2418: the log on disk and the window in memory are joined without a look whether they meet.
    Zk2418,
    /// ZOOKEEPER-2832: a log entry beyond a received snapshot survives it and is replayed at a later start.
    Zk2832,
    /// ZOOKEEPER-3642: the state of a snapshot that was not installed stays in memory when the link breaks.
    Zk3642,
    /// ZOOKEEPER-2845: a role ends and memory does not catch up with the log: the next vote claims too little.
    Zk2845,
    /// ZOOKEEPER-3911: NEWLEADER is acknowledged while the txns before it are only queued.
    Zk3911,
    /// ZOOKEEPER-4646: NEWLEADER is acknowledged before the log is flushed.
    Zk4646,
    /// ZOOKEEPER-4685: the ACK of a proposal overtakes the ACK of NEWLEADER.
    Zk4685,
    /// ZOOKEEPER-4394: a COMMIT between NEWLEADER and UPTODATE, when leaders still send it, does not find the proposal, which was
    /// logged already.
    Zk4394,
    /// ZOOKEEPER-1156: TRUNC cuts one txn too many.
    Zk1156,
    /// ZOOKEEPER-2325: a server without a snapshot starts from nothing although it has a log.
    Zk2325,
    /// ZOOKEEPER-3701: a cut that failed is reported as done.
    Zk3701,
    /// ZOOKEEPER-1294: observers count as heard of, so a leader without a quorum does not step down.
    Zk1294,
    /// ZOOKEEPER-1697: the time for acknowledgements runs while the snapshot is still being sent.
    Zk1697,
    /// DSN 2011: proposals go only to those who acknowledged NEWLEADER: one that is committed before that is lost to a joiner.
    PaperP1,
    /// DSN 2011: a proposal may arrive twice, in the history and again, and is taken twice.
    PaperP2,
    /// ZOOKEEPER-1552: observers do not log: no property may notice.
    Zk1552Equivalent,
}

/// Where in the protocol a bug lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Phase 0.
    Election,
    /// Phase 1.
    Discovery,
    /// Phase 2.
    Synchronization,
    /// Phase 3.
    Broadcast,
    /// What is acknowledged against what is durable.
    Durability,
    /// The log and the snapshots.
    Storage,
}

struct Row(Mutant, &'static str, Place, &'static str, &'static str);

const TABLE: [Row; Mutant::COUNT] = {
    use Mutant::*;
    use Place::*;
    [
        Row(
            Zk335,
            "zk-335",
            Discovery,
            "ZOOKEEPER-335",
            "the new epoch follows from the last txn and no promise is kept, so an epoch is used twice",
        ),
        Row(
            Zk1343,
            "zk-1343",
            Discovery,
            "ZOOKEEPER-1343",
            "the choice of an epoch compares with > instead of >=, and keeps one that was promised before",
        ),
        Row(
            Zk1192,
            "zk-1192",
            Discovery,
            "ZOOKEEPER-1192",
            "a leader goes on when its wait for ACKEPOCH ends, with no quorum",
        ),
        Row(
            Zk1653,
            "zk-1653",
            Discovery,
            "ZOOKEEPER-1653",
            "a crash between a synchronised history and its epoch leaves a server that refuses to start",
        ),
        Row(
            Zk2959,
            "zk-2959",
            Discovery,
            "ZOOKEEPER-2959",
            "the FOLLOWERINFO and ACKEPOCH of an observer count towards the quorum",
        ),
        Row(
            Zk1277,
            "zk-1277",
            Discovery,
            "ZOOKEEPER-1277",
            "the counter overflows into the epoch and no election takes place",
        ),
        Row(
            Zk1419,
            "zk-1419",
            Election,
            "ZOOKEEPER-1419",
            "the last clause of the comparison of votes forgets the epoch: votes can go in a circle",
        ),
        Row(
            Zk975,
            "zk-975",
            Election,
            "ZOOKEEPER-975",
            "a joiner counts settled votes though the leader they name does not say that it leads",
        ),
        Row(
            Zk1732,
            "zk-1732",
            Election,
            "ZOOKEEPER-1732",
            "settled votes must agree in every field, and are never refreshed: a server cannot join",
        ),
        Row(Zk769, "zk-769", Election, "ZOOKEEPER-769", "the leader counts observers as members of its quorum"),
        Row(
            Zk3109,
            "zk-3109",
            Election,
            "ZOOKEEPER-3109",
            "a leader does not notice that its voters look again, and waits out its whole time",
        ),
        Row(
            Zk790,
            "zk-790",
            Synchronization,
            "ZOOKEEPER-790",
            "a would-be leader takes the zxid of its epoch before a quorum accepted it",
        ),
        Row(
            Zk1154,
            "zk-1154",
            Synchronization,
            "ZOOKEEPER-1154",
            "DIFF for whoever is within the window, though its last txn is not in the leader's history",
        ),
        Row(
            Zk1319,
            "zk-1319",
            Synchronization,
            "ZOOKEEPER-1319",
            "a leader that has proposed nothing takes an empty newcomer for one that is in sync",
        ),
        Row(
            Zk1264,
            "zk-1264",
            Synchronization,
            "ZOOKEEPER-1264",
            "what is committed between NEWLEADER and UPTODATE is applied to memory and not logged",
        ),
        Row(
            Zk2418,
            "zk-2418",
            Synchronization,
            "ZOOKEEPER-2418",
            "the log on disk and the window in memory are joined without a look whether they meet",
        ),
        Row(
            Zk2832,
            "zk-2832",
            Synchronization,
            "ZOOKEEPER-2832",
            "a log entry beyond a received snapshot survives it and is replayed at a later start",
        ),
        Row(
            Zk3642,
            "zk-3642",
            Synchronization,
            "ZOOKEEPER-3642",
            "the state of a snapshot that was not installed stays in memory when the link breaks",
        ),
        Row(
            Zk2845,
            "zk-2845",
            Durability,
            "ZOOKEEPER-2845",
            "a role ends and memory does not catch up with the log: the next vote claims too little",
        ),
        Row(
            Zk3911,
            "zk-3911",
            Durability,
            "ZOOKEEPER-3911",
            "NEWLEADER is acknowledged while the txns before it are only queued",
        ),
        Row(Zk4646, "zk-4646", Durability, "ZOOKEEPER-4646", "NEWLEADER is acknowledged before the log is flushed"),
        Row(Zk4685, "zk-4685", Durability, "ZOOKEEPER-4685", "the ACK of a proposal overtakes the ACK of NEWLEADER"),
        Row(
            Zk4394,
            "zk-4394",
            Durability,
            "ZOOKEEPER-4394",
            "a COMMIT between NEWLEADER and UPTODATE does not find the proposal, which was logged already",
        ),
        Row(Zk1156, "zk-1156", Storage, "ZOOKEEPER-1156", "TRUNC cuts one txn too many"),
        Row(
            Zk2325,
            "zk-2325",
            Storage,
            "ZOOKEEPER-2325",
            "a server without a snapshot starts from nothing although it has a log",
        ),
        Row(Zk3701, "zk-3701", Storage, "ZOOKEEPER-3701", "a cut that failed is reported as done"),
        Row(
            Zk1294,
            "zk-1294",
            Broadcast,
            "ZOOKEEPER-1294",
            "observers count as heard of, so a leader without a quorum does not step down",
        ),
        Row(
            Zk1697,
            "zk-1697",
            Broadcast,
            "ZOOKEEPER-1697",
            "the time for acknowledgements runs while the snapshot is still being sent",
        ),
        Row(
            PaperP1,
            "paper-p1",
            Synchronization,
            "DSN 2011",
            "proposals go only to those who acknowledged NEWLEADER: one that is committed before that is lost to a joiner",
        ),
        Row(
            PaperP2,
            "paper-p2",
            Synchronization,
            "DSN 2011",
            "a proposal may arrive twice, in the history and again, and is taken twice",
        ),
        Row(
            Zk1552Equivalent,
            "zk-1552-equivalent",
            Storage,
            "ZOOKEEPER-1552",
            "observers do not log: no property may notice",
        ),
    ]
};

impl Mutant {
    /// How many there are.
    pub const COUNT: usize = Mutant::Zk1552Equivalent as usize + 1;

    /// All of them.
    pub fn all() -> impl Iterator<Item = Mutant> {
        TABLE.iter().map(|row| row.0)
    }

    /// Its name, such as `zk-1154`.
    pub fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// Where it lives.
    pub fn place(self) -> Place {
        TABLE[self as usize].2
    }

    /// The issue or the paper that describes it.
    pub fn source(self) -> &'static str {
        TABLE[self as usize].3
    }

    /// What goes wrong, in a sentence.
    pub fn story(self) -> &'static str {
        TABLE[self as usize].4
    }

    /// What a model checker needed to find it, where somebody published that: the TLA+ models of ZooKeeper, and of its
    /// elections alone (zk-1419).
    pub fn published(self) -> Option<Duration> {
        Some(Duration::from_secs(match self {
            Mutant::Zk1419 => 4 * 60,
            Mutant::Zk2845 => 12,
            Mutant::Zk3911 => 42,
            Mutant::Zk4646 => 109,
            Mutant::Zk4685 => 10,
            Mutant::Zk4394 => 9,
            _ => return None,
        }))
    }

    /// Whether nothing is wrong with it, so that no property may notice.
    pub fn is_equivalent(self) -> bool {
        self == Mutant::Zk1552Equivalent
    }

    /// The mutant of that name.
    pub fn from_name(name: &str) -> Option<Mutant> {
        Mutant::all().find(|mutant| mutant.name() == name)
    }
}

/// What a server finds on disk: under zk-335 no promise was ever kept there.
pub(super) fn recovered(config: &Config, recovered: Recovered) -> Recovered {
    if mutant!(config, Zk335) {
        return Recovered { accepted_epoch: None, current_epoch: None, ..recovered };
    }
    recovered
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Place::Election => "election",
            Place::Discovery => "discovery",
            Place::Synchronization => "synchronization",
            Place::Broadcast => "broadcast",
            Place::Durability => "durability",
            Place::Storage => "storage",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_names() {
        assert!(Mutant::all().enumerate().all(|(index, mutant)| mutant as usize == index));
        assert!(Mutant::all().all(|mutant| Mutant::from_name(mutant.name()) == Some(mutant)));
    }
}
