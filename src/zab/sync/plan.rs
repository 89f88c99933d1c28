//! The decision how to bring one learner up to date: pure (`LearnerHandler.syncFollower`, `queueCommittedProposals`).

use std::collections::VecDeque;

use crate::zab::{Conduct, Habit, LogSlice, Message, SyncMode, Txn, Zxid, mutant};

/// What the leader knows when it decides.
#[derive(Clone, Copy, Debug)]
pub struct SyncView<'a> {
    /// The learner's last zxid.
    pub learner_last: Zxid,
    /// The leader's last applied zxid; the marker of its epoch once it serves.
    pub leader_last: Zxid,
    /// Whether nothing was proposed in the leader's epoch yet.
    pub is_fresh: bool,
    /// How the leader behaves.
    pub conduct: Conduct,
    /// The window in memory.
    pub window: &'a VecDeque<Txn>,
    /// Whether the log on disk may be used (`snapshotSizeFactor` is not negative).
    pub use_disk: bool,
    /// What reading the log gave; `None` before it was read.
    pub disk: Option<&'a LogSlice>,
    /// Whether everybody gets a snapshot (`forceSnapshotSync`).
    pub force_snapshot: bool,
}

/// The decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncPlan {
    /// Send `first`, DIFF or TRUNC, then PROPOSAL and COMMIT of each txn.
    Send {
        /// What it amounts to.
        mode: SyncMode,
        /// DIFF or TRUNC.
        first: Message,
        /// What the learner lacks.
        txns: Vec<Txn>,
        /// The last zxid the learner then has.
        through: Zxid,
    },
    /// Read the log from the learner's last zxid, then choose again.
    ReadLog,
    /// Send the whole state.
    Snap,
}

impl SyncPlan {
    /// The decision table, first match wins.
    ///
    /// | learner's last P against the leader's window [min, max] | plan |
    /// |---|---|
    /// | P is the leader's last | empty DIFF |
    /// | P > max, and a txn | TRUNC to max |
    /// | min ≤ P ≤ max | DIFF, or TRUNC to P's predecessor then DIFF, or SNAP if P is of a foreign epoch |
    /// | P < min | the same from disk joined with the window, if they meet; else SNAP |
    /// | P > max, and the marker of an epoch | SNAP |
    pub fn choose(view: SyncView<'_>) -> SyncPlan {
        let p = view.learner_last;
        let bound = |txn: Option<&Txn>| txn.map_or(view.leader_last, |txn| txn.zxid);
        let (min, max) = (bound(view.window.front()), bound(view.window.back()));
        if view.force_snapshot {
            SyncPlan::Snap
        } else if p == view.leader_last || (mutant!(view, Zk1319) && view.is_fresh && p <= Zxid::ZERO) {
            SyncPlan::Send { mode: SyncMode::EmptyDiff, first: Message::Diff { zxid: p }, txns: Vec::new(), through: p }
        } else if p > max && !p.is_marker() {
            SyncPlan::Send {
                mode: SyncMode::Trunc,
                first: Message::Trunc { zxid: max },
                txns: Vec::new(),
                through: max,
            }
        } else if min <= p && p <= max {
            let mut walk = Walk::new(p, max, view.conduct);
            walk.over(view.window.iter(), p, None);
            walk.plan(SyncMode::Diff)
        } else if p < min && view.use_disk {
            match view.disk {
                None => SyncPlan::ReadLog,
                Some(LogSlice::Txns(txns)) => from_disk(txns, &view, min, max),
                Some(LogSlice::Purged | LogSlice::TooLarge) => SyncPlan::Snap,
            }
        } else {
            SyncPlan::Snap
        }
    }
}

/// The log on disk up to the window, then the window. They must meet: what lies in a gap would be skipped for ever
/// (ZOOKEEPER-2418).
fn from_disk(disk: &[Txn], view: &SyncView<'_>, min: Zxid, max: Zxid) -> SyncPlan {
    let p = view.learner_last;
    let reaches_back = disk.first().is_some_and(|txn| txn.zxid <= p) || mutant!(view, Zk2418);
    if !reaches_back || !(is_contiguous(disk) || view.conduct.has(Habit::SyncInMemory)) {
        return SyncPlan::Snap;
    }
    let mut walk = Walk::new(p, max, view.conduct);
    if mutant!(view, Zk2418) && disk.first().is_some_and(|txn| txn.zxid > p) {
        walk.first = Some(Message::Diff { zxid: max });
    }
    walk.over(disk.iter(), p, Some(min));
    if walk.through < min && !mutant!(view, Zk2418) {
        return SyncPlan::Snap;
    }
    let joint = walk.through;
    walk.over(view.window.iter(), joint, None);
    walk.plan(SyncMode::DiskDiff)
}

/// A hole inside the log (hazard D2) would be passed on: such a log serves nobody.
fn is_contiguous(txns: &[Txn]) -> bool {
    txns.windows(2).all(|pair| pair[1].zxid.follows(pair[0].zxid))
}

/// `queueCommittedProposals`, over the log and then over the window.
struct Walk {
    conduct: Conduct,
    p: Zxid,
    max: Zxid,
    /// DIFF or TRUNC, once it is known which.
    first: Option<Message>,
    txns: Vec<Txn>,
    through: Zxid,
}

impl Walk {
    fn new(p: Zxid, max: Zxid, conduct: Conduct) -> Walk {
        Walk { conduct, p, max, first: None, txns: Vec::new(), through: p }
    }

    fn over<'a>(&mut self, txns: impl Iterator<Item = &'a Txn>, from: Zxid, limit: Option<Zxid>) {
        let mut previous = Zxid::MISSING;
        for txn in txns {
            let z = txn.zxid;
            if limit.is_some_and(|limit| z > limit) {
                break;
            }
            if z < from {
                previous = z;
                continue;
            }
            if self.first.is_none() {
                if z == self.p {
                    self.first = Some(Message::Diff { zxid: self.max });
                    continue;
                } else if self.p.is_marker() || mutant!(self, Zk1154) {
                    self.first = Some(Message::Diff { zxid: self.max });
                } else if z.epoch() != self.p.epoch() {
                    // P is not in our history, and where it branched off is unknown.
                    return;
                } else {
                    self.first = Some(Message::Trunc { zxid: previous });
                }
            }
            if z > self.through {
                self.txns.push(txn.clone());
                self.through = z;
            }
        }
        if self.first.is_none() && self.p.is_marker() {
            self.first = Some(Message::Diff { zxid: self.max });
        }
    }

    fn plan(self, diff: SyncMode) -> SyncPlan {
        let Some(first) = self.first else { return SyncPlan::Snap };
        let mode = match first {
            Message::Trunc { .. } => SyncMode::TruncDiff,
            _ if self.txns.is_empty() => SyncMode::EmptyDiff,
            _ => diff,
        };
        SyncPlan::Send { mode, first, txns: self.txns, through: self.through }
    }
}
