//! What releases do with a disk that the hardened protocol does not: cuts that are not synced, cuts that keep the next txn, and
//! snapshots that hold what no log does.

use super::{Cut, Disk, Undo};
use crate::sim::DiskWrite;
use crate::zab::{Habit, Zxid};

/// After so many syncs the operating system has written out what nobody synced.
const WRITTEN_BACK: u8 = 8;

/// A cut that was written, and that a power failure undoes.
#[derive(Clone, Debug)]
pub(super) struct UnsyncedCut {
    to: Zxid,
    cut: Box<Cut>,
    /// How many syncs it has seen.
    age: u8,
}

impl Disk {
    /// How many records a cut after `to` leaves. `FileTxnLog.truncate` stops behind the first record that is not below `to`: where
    /// `to` itself is missing, it keeps the next one. The record of the txn that the log begins after is purged here, and still
    /// there in ZooKeeper.
    pub(super) fn kept_by_cut(&self, to: Zxid) -> usize {
        let kept = self.log.partition_point(|txn| txn.zxid <= to);
        let is_there = kept > 0 && self.log[kept - 1].zxid == to || to == self.base && to > Zxid::ZERO;
        kept + usize::from(!is_there && self.conduct.has(Habit::CutKeepsTheNext))
    }

    /// Whether a snapshot of what was this server's history stays though its log does not reach that far.
    pub(super) fn snapshots_outlive_their_log(&self) -> bool {
        self.conduct.has(Habit::SnapshotsSurviveACut) || self.conduct.has(Habit::SyncInMemory)
    }

    /// Whether a snapshot up to `zxid`, written now, holds this server's own history: what the log holds, or what memory alone
    /// took on top of a log that was just cut.
    pub(super) fn is_own(&self, zxid: Zxid) -> bool {
        let in_log = self.log.binary_search_by_key(&zxid, |txn| txn.zxid).is_ok();
        let is_base = zxid == self.base && !self.is_dataless();
        in_log || is_base || (self.ends_in_cut && self.conduct.has(Habit::SyncInMemory))
    }

    /// A write is said to be durable. Of a cut that is not true yet.
    pub(super) fn keep_cut(&mut self, write: DiskWrite, undo: Undo) {
        if let (DiskWrite::Truncate { to }, Undo::Truncate(cut)) = (write, undo)
            && self.conduct.has(Habit::CutUnsynced)
        {
            self.cuts.push(UnsyncedCut { to, cut, age: 0 });
        }
    }

    /// Another sync is done.
    pub(super) fn age_cuts(&mut self) {
        self.cuts.iter_mut().for_each(|cut| cut.age += 1);
        self.cuts.retain(|cut| cut.age < WRITTEN_BACK);
    }

    /// The operating system has written out everything, as it has by the time a process is started again.
    pub(in crate::sim) fn write_back(&mut self) {
        self.cuts.clear();
    }

    /// The power failed: what was cut off is back, in its old place among what came since.
    pub(super) fn undo_cuts(&mut self, mut lost: impl FnMut(DiskWrite)) {
        for UnsyncedCut { to, cut, .. } in std::mem::take(&mut self.cuts).into_iter().rev() {
            let Cut { log, snapshots } = *cut;
            for txn in log.into_iter().filter(|txn| txn.zxid > self.base) {
                let at = self.log.partition_point(|other| other.zxid < txn.zxid);
                if self.log.get(at).is_none_or(|other| other.zxid != txn.zxid) {
                    self.log.insert(at, txn);
                }
            }
            for snapshot in snapshots {
                let at = self.snapshots.partition_point(|other| other.zxid < snapshot.zxid);
                if self.snapshots.get(at).is_none_or(|other| other.zxid != snapshot.zxid) {
                    self.snapshots.insert(at, snapshot);
                }
            }
            lost(DiskWrite::Truncate { to });
        }
    }
}
