//! What a peer knows of its own history. Three things are kept apart, since real bugs lived where they were taken for
//! one: the durable log (with the host; here only what of it is not applied or not durable yet), the applied state
//! (with the service; here its last zxid), and the window in memory that DIFF is served from (`committedLog`).

use std::collections::VecDeque;

use super::storage::WriteId;
use super::{Recovered, Txn, Zxid};

/// The history of one peer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Log {
    /// The last zxid of the applied state (`lastProcessedZxid`): a txn, the base of a snapshot, or the marker of the epoch
    /// that this peer serves as leader.
    applied: Zxid,
    /// The lowest zxid that the durable history can be cut back to, as far as is known.
    base: Zxid,
    /// The last txns applied, contiguous, ending at or before `applied`.
    window: VecDeque<Txn>,
    /// How many the window holds at most (`commitLogCount`).
    window_size: usize,
    /// Appended, not applied: the proposals under way, contiguous, following `applied`.
    pending: VecDeque<Txn>,
    /// Appends that are not durable yet, ascending.
    unsynced: VecDeque<(WriteId, Zxid)>,
}

/// Whether a txn that is applied can be served by DIFF later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// It can.
    Entered,
    /// It cannot.
    Passed,
}

impl Log {
    /// The history that was found on disk: all of it is applied (`ZKDatabase.loadDataBase`).
    pub fn recovered(recovered: Recovered, window_size: usize) -> Log {
        let mut window: VecDeque<Txn> = recovered.recent.into();
        while window.len() > window_size {
            window.pop_front();
        }
        let applied = recovered.last_zxid;
        // Behind the marker of an epoch the window may end with an older txn; behind a snapshot it would leave a gap.
        if window.back().is_some_and(|txn| txn.zxid != applied) && !applied.is_marker() {
            window.clear();
        }
        Log { applied, base: recovered.base, window, window_size, pending: VecDeque::new(), unsynced: VecDeque::new() }
    }

    /// The last zxid of the applied state.
    pub fn applied(&self) -> Zxid {
        self.applied
    }

    /// The lowest zxid that the durable history can be cut back to. A host that purges more tells with the next recovery.
    pub fn base(&self) -> Zxid {
        self.base
    }

    /// The last zxid of all, applied or not.
    pub fn last(&self) -> Zxid {
        self.pending.back().map_or(self.applied, |txn| txn.zxid)
    }

    /// What DIFF can be served from.
    pub fn window(&self) -> &VecDeque<Txn> {
        &self.window
    }

    /// The proposals under way.
    pub fn pending(&self) -> &VecDeque<Txn> {
        &self.pending
    }

    /// Adds a txn that `write` makes durable. It follows the last one, except where a release takes gaps.
    pub fn append(&mut self, txn: Txn, write: WriteId) {
        self.unsynced.push_back((write, txn.zxid));
        self.pending.push_back(txn);
    }

    /// The next txn that became durable by `through`.
    pub fn next_synced(&mut self, through: WriteId) -> Option<Zxid> {
        self.unsynced.pop_front_if(|(write, _)| *write <= through).map(|(_, zxid)| zxid)
    }

    /// Whether every append is durable.
    pub fn is_synced(&self) -> bool {
        self.unsynced.is_empty()
    }

    /// Applies the oldest pending txn.
    pub fn apply(&mut self) -> Option<Txn> {
        let txn = self.pending.pop_front()?;
        self.take(&txn, Window::Entered);
        Some(txn)
    }

    /// Applies the oldest pending txn past the window ([`Habit::SettledNotInWindow`](super::Habit)).
    pub fn apply_past_window(&mut self) -> Option<Txn> {
        let txn = self.pending.pop_front()?;
        self.take(&txn, Window::Passed);
        Some(txn)
    }

    /// Applies a txn that is in no log ([`Habit::SyncInMemory`](super::Habit)).
    pub fn take(&mut self, txn: &Txn, window: Window) {
        self.applied = txn.zxid;
        if window == Window::Entered {
            if self.window.len() == self.window_size {
                self.window.pop_front();
            }
            self.window.push_back(txn.clone());
        }
    }

    /// Whether the oldest pending txn is durable.
    pub fn is_head_synced(&self) -> bool {
        let head = self.pending.front().map(|txn| txn.zxid);
        head.is_some() && self.unsynced.iter().all(|(_, zxid)| Some(*zxid) != head)
    }

    /// Forgets what is logged and not applied.
    pub fn forget_pending(&mut self) {
        self.pending.clear();
    }

    /// The state gets another label, whatever it holds ([`Habit::SnapshotsSurviveACut`](super::Habit)).
    pub fn relabel(&mut self, zxid: Zxid) {
        self.applied = zxid;
    }

    /// The leader of an epoch starts to serve: its state is that of the epoch's marker
    /// (`ZKDatabase.setlastProcessedZxid`).
    pub fn mark(&mut self, marker: Zxid) {
        debug_assert!(self.pending.is_empty() && marker > self.applied, "an epoch starts after everything before it");
        self.applied = marker;
    }

    /// The disk holds nothing before `base` any more.
    pub fn purged(&mut self, base: Zxid) {
        self.base = self.base.max(base);
    }

    /// The disk holds the state, and nothing before it.
    pub fn rebase(&mut self) {
        self.base = self.applied;
    }

    /// The state was replaced by a snapshot.
    pub fn restart_at(&mut self, zxid: Zxid) {
        debug_assert!(self.unsynced.is_empty(), "a role starts with a drained log");
        self.applied = zxid;
        self.base = zxid;
        self.window.clear();
        self.pending.clear();
    }
}
