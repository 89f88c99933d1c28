//! The disk of a node: a page cache against a platter.
//!
//! What a process writes is in the page cache at once and survives the process; a sync brings it to the platter, and only
//! then does it survive the power. One sync runs at a time and covers what was written when it began (group commit). The
//! disk holds one copy of its content, as written, and for every write that is not on the platter yet how to undo it.

mod files;
mod habits;
mod recovery;

use std::collections::VecDeque;

use super::ledger::digest_of;
use super::{DiskMode, DiskWrite, Loss};
use crate::zab::{Conduct, Epoch, Habit, Payload, Ratio, ReadId, Txn, Write, WriteError, WriteId, Zxid, mutant};
use crate::zk::store::JournalWrite;
use files::Files;
use habits::UnsyncedCut;

pub(super) use recovery::Recovery;

/// How many durable snapshots are kept (`autopurge.snapRetainCount`).
const KEPT_SNAPSHOTS: usize = 3;

/// Writes that a lying disk holds back at most; the oldest reach the platter in the end.
const HELD_BACK: usize = 4096;

/// How safe a snapshot file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Safety {
    /// Being written.
    Queued,
    /// Written, and the process knows; the next sync that begins after this will take it along.
    Written,
    Durable,
    /// In pieces: recovery ignores it.
    Torn,
}

#[derive(Clone, Debug)]
struct Snapshot {
    zxid: Zxid,
    chunks: Vec<Payload>,
    safety: Safety,
    /// Whether what it holds was this server's history when it was written.
    is_own: bool,
}

impl Snapshot {
    /// Whether a log that begins after `base` continues it.
    fn is_usable(&self, base: Zxid) -> bool {
        self.safety != Safety::Torn && self.zxid >= base
    }
}

/// What was there before a write.
#[derive(Clone, Debug)]
enum Undo {
    Epoch(Option<Epoch>),
    Append,
    Truncate(Box<Cut>),
    /// The file of the same name.
    Snapshot(Option<Box<Snapshot>>),
    /// Nothing was written, since it was there already.
    Nothing,
    Install(Box<Before>),
}

/// What a truncation cut off.
#[derive(Clone, Debug)]
struct Cut {
    log: Vec<Txn>,
    snapshots: Vec<Snapshot>,
}

/// What an installed snapshot replaced.
#[derive(Clone, Debug)]
struct Before {
    log: VecDeque<Txn>,
    base: Zxid,
    purged: u64,
    snapshots: Vec<Snapshot>,
}

/// A write that is not on the platter.
#[derive(Clone, Debug)]
struct Queued {
    id: WriteId,
    write: DiskWrite,
    undo: Undo,
}

/// What a process asked to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    Log { read: ReadId, from: Zxid, size_factor: Ratio },
    Reload,
}

/// Whether a write of this process has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    None,
    /// The end of a sync will tell.
    Untold(WriteId, WriteError),
    /// The process knows and can only end.
    Told,
}

/// How a sync ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SyncEnd {
    /// The last write that is durable now.
    pub(super) through: Option<WriteId>,
    /// The first write that failed.
    pub(super) failed: Option<(WriteId, WriteError)>,
}

/// A disk.
#[derive(Clone, Debug)]
pub struct Disk {
    /// How its host behaves.
    conduct: Conduct,
    mode: DiskMode,
    accepted_epoch: Option<Epoch>,
    current_epoch: Option<Epoch>,
    /// The log above `base`.
    log: VecDeque<Txn>,
    base: Zxid,
    /// Records purged from the front: says in which simulated file a record is.
    purged: u64,
    /// Ascending.
    snapshots: Vec<Snapshot>,
    wiped: bool,
    /// Writes not on the platter, oldest first: `said` of them the disk lied about, then `syncing`, then those that wait.
    queue: VecDeque<Queued>,
    said: usize,
    syncing: usize,
    is_syncing: bool,
    /// Nothing is written after a failure.
    failure: Failure,
    reads: VecDeque<Read>,
    /// Cuts that a power failure can still undo, though they were said to be durable ([`Habit::CutUnsynced`]).
    cuts: Vec<UnsyncedCut>,
    /// Whether the last thing done to the log was a cut.
    ends_in_cut: bool,
    /// The same in files.
    files: Option<Box<Files>>,
}

impl Disk {
    /// The promise, as written.
    pub fn accepted_epoch(&self) -> Option<Epoch> {
        self.accepted_epoch
    }

    /// The epoch of the history, as written.
    pub fn current_epoch(&self) -> Option<Epoch> {
        self.current_epoch
    }

    /// The log above its base, as written.
    pub fn log(&self) -> &VecDeque<Txn> {
        &self.log
    }

    /// The txn after which the log begins.
    pub fn base(&self) -> Zxid {
        self.base
    }

    /// The last txns of the snapshots that recovery would accept, ascending.
    pub fn snapshots(&self) -> impl Iterator<Item = Zxid> {
        self.snapshots.iter().filter(|snapshot| snapshot.safety != Safety::Torn).map(|snapshot| snapshot.zxid)
    }

    /// How it behaves.
    pub fn mode(&self) -> DiskMode {
        self.mode
    }

    /// How many writes are not on the platter.
    pub fn unsynced(&self) -> u16 {
        u16::try_from(self.queue.len()).unwrap_or(u16::MAX)
    }

    /// Whether a sync is under way.
    pub fn is_syncing(&self) -> bool {
        self.is_syncing
    }

    /// Whether its content was lost and no history was written since, or its log lacks the snapshot it begins after.
    pub fn is_dataless(&self) -> bool {
        let has_snapshot = self.snapshots.iter().any(|snapshot| snapshot.is_usable(self.base));
        !has_snapshot && (self.base > Zxid::ZERO || (self.wiped && self.log.is_empty()))
    }

    /// Whether it is without data, or would be after a power failure now, or once the process that starts next drops the snapshot that
    /// was never adopted.
    pub fn may_be_dataless(&self) -> bool {
        let has_nothing_adopted = self.log.is_empty() && self.base == Zxid::ZERO;
        self.is_dataless() || (self.wiped && (has_nothing_adopted || self.is_installing()))
    }

    /// Whether a received snapshot is not durable yet.
    pub fn is_installing(&self) -> bool {
        self.queue.iter().any(|queued| matches!(queued.write, DiskWrite::InstallSnapshot { .. }))
    }

    pub(super) fn set_conduct(&mut self, conduct: Conduct) {
        self.conduct = conduct;
    }

    pub(super) fn set_mode(&mut self, mode: DiskMode) {
        self.mode = mode;
    }

    pub(super) fn wipe(&mut self) {
        let files = self.files.take().map(|files| Box::new(files.emptied()));
        *self = Disk { conduct: self.conduct, mode: self.mode, wiped: true, files, ..Disk::empty() };
    }

    /// Writes into the page cache. `None` if that failed, as the end of the next sync will tell.
    pub(super) fn write(&mut self, id: WriteId, write: Write) -> Option<DiskWrite> {
        if let Write::Truncate { to } = write
            && mutant!(self, Zk3701)
            && self.mode == DiskMode::Full
            && self.failure == Failure::None
        {
            let write = DiskWrite::Truncate { to };
            self.queue.push_back(Queued { id, write, undo: Undo::Nothing });
            return Some(write);
        }
        if self.is_refused(id) {
            return None;
        }
        if let Some(files) = &mut self.files {
            files.write(JournalWrite::Plain(id, write.clone()));
        }
        let (write, undo) = match write {
            Write::AcceptedEpoch(epoch) => {
                (DiskWrite::AcceptedEpoch(epoch), Undo::Epoch(self.accepted_epoch.replace(epoch)))
            }
            Write::CurrentEpoch(epoch) => {
                (DiskWrite::CurrentEpoch(epoch), Undo::Epoch(self.current_epoch.replace(epoch)))
            }
            Write::Append(txn) => {
                let write = DiskWrite::Append { zxid: txn.zxid, digest: digest_of(&txn.payload) };
                self.log.push_back(txn);
                self.ends_in_cut = false;
                (write, Undo::Append)
            }
            Write::Truncate { to } => (DiskWrite::Truncate { to }, self.truncate(to)),
            Write::InstallSnapshot { zxid } => (DiskWrite::InstallSnapshot { zxid }, self.install(zxid)),
            Write::WriteSnapshot { .. } => unreachable!("a replica hands over the state with its snapshot"),
        };
        self.queue.push_back(Queued { id, write, undo });
        Some(write)
    }

    /// Writes a snapshot file of a state with this digest.
    pub(super) fn write_snapshot(
        &mut self,
        id: WriteId,
        zxid: Zxid,
        chunks: Vec<Payload>,
        digest: u64,
    ) -> Option<DiskWrite> {
        if self.is_refused(id) {
            return None;
        }
        if let Some(files) = &mut self.files {
            files.write(JournalWrite::Snapshot { id, zxid, chunks: chunks.clone(), digest: Some(digest) });
        }
        let is_own = self.is_own(zxid);
        let overwrites = self.conduct.has(Habit::SnapshotOverwritten);
        let undo = match self.snapshots.iter_mut().find(|snapshot| snapshot.zxid == zxid) {
            Some(same) if same.safety != Safety::Torn && same.chunks == chunks && !overwrites => Undo::Nothing,
            Some(other) => {
                let new = Snapshot { zxid, chunks, safety: Safety::Queued, is_own };
                let old = std::mem::replace(other, new);
                Undo::Snapshot((!overwrites).then(|| Box::new(old)))
            }
            None => {
                let at = self.snapshots.partition_point(|snapshot| snapshot.zxid < zxid);
                self.snapshots.insert(at, Snapshot { zxid, chunks, safety: Safety::Queued, is_own });
                Undo::Snapshot(None)
            }
        };
        let write = DiskWrite::WriteSnapshot { zxid };
        self.queue.push_back(Queued { id, write, undo });
        Some(write)
    }

    /// After a failed write the process can only end; before that, a full disk refuses.
    fn is_refused(&mut self, id: WriteId) -> bool {
        if self.mode == DiskMode::Full && self.failure == Failure::None {
            self.failure = Failure::Untold(id, WriteError::Full);
        }
        self.failure != Failure::None
    }

    fn truncate(&mut self, to: Zxid) -> Undo {
        let kept = self.kept_by_cut(to).min(self.log.len());
        let log = self.log.drain(kept..).collect();
        let survive = self.conduct.has(Habit::SnapshotsSurviveACut);
        let newer = self.snapshots.partition_point(|snapshot| snapshot.zxid <= to || survive);
        self.ends_in_cut = true;
        Undo::Truncate(Box::new(Cut { log, snapshots: self.snapshots.drain(newer..).collect() }))
    }

    fn install(&mut self, zxid: Zxid) -> Undo {
        let mut installed = self
            .snapshots
            .iter()
            .find(|snapshot| snapshot.zxid == zxid && snapshot.safety != Safety::Torn)
            .cloned()
            .expect("a snapshot is written before it is installed");
        (installed.safety, installed.is_own) = (Safety::Durable, true);
        self.ends_in_cut = false;
        self.cuts.clear();
        let purged = self.purged + self.log.len() as u64;
        let mut beyond = VecDeque::new();
        if mutant!(self, Zk2832) {
            beyond.extend(self.log.iter().filter(|txn| txn.zxid > zxid).cloned());
        }
        let before = Before {
            log: std::mem::replace(&mut self.log, beyond),
            base: std::mem::replace(&mut self.base, zxid),
            purged: std::mem::replace(&mut self.purged, purged),
            snapshots: std::mem::replace(&mut self.snapshots, vec![installed]),
        };
        Undo::Install(Box::new(before))
    }

    fn undo(&mut self, queued: Queued) {
        match (queued.undo, queued.write) {
            (Undo::Epoch(before), DiskWrite::AcceptedEpoch(_)) => self.accepted_epoch = before,
            (Undo::Epoch(before), _) => self.current_epoch = before,
            (Undo::Append, _) => drop(self.log.pop_back()),
            (Undo::Truncate(cut), _) => {
                self.log.extend(cut.log);
                self.snapshots.extend(cut.snapshots);
            }
            (Undo::Snapshot(before), DiskWrite::WriteSnapshot { zxid }) => {
                self.snapshots.retain(|snapshot| snapshot.zxid != zxid);
                self.snapshots.extend(before.map(|snapshot| *snapshot));
                self.snapshots.sort_by_key(|snapshot| snapshot.zxid);
            }
            (Undo::Install(before), _) => {
                let Before { log, base, purged, snapshots } = *before;
                (self.log, self.base, self.purged, self.snapshots) = (log, base, purged, snapshots);
            }
            (Undo::Nothing | Undo::Snapshot(_), _) => {}
        }
    }

    /// Begins a sync if there is something to sync and none is under way. Returns how many writes it covers.
    pub(super) fn begin_sync(&mut self) -> Option<u16> {
        let waiting = self.queue.len() - self.said;
        let untold = matches!(self.failure, Failure::Untold(..));
        if self.is_syncing || self.failure == Failure::Told || (waiting == 0 && !untold) {
            return None;
        }
        (self.is_syncing, self.syncing) = (true, waiting);
        if let Some(files) = &mut self.files {
            files.write_waiting();
        }
        Some(u16::try_from(waiting).unwrap_or(u16::MAX))
    }

    /// The sync under way ends well; calls `synced` with each of its writes.
    pub(super) fn sync_done(&mut self, synced: impl FnMut(WriteId, DiskWrite)) -> SyncEnd {
        let through = self.settle(self.syncing, synced);
        // What failed is reported by the sync that began after it, when everything before it is done.
        let failed = if self.queue.len() == self.said { self.report_failure() } else { None };
        SyncEnd { through, failed }
    }

    /// Undoes a cut whose sync fails and leaves it in the queue as if it were done: the mutant zk-3701.
    #[cfg(feature = "mutants")]
    pub(super) fn conceals_failed_cut(&mut self) -> bool {
        let is_cut = |queued: &Queued| matches!(queued.write, DiskWrite::Truncate { .. });
        if !mutant!(self, Zk3701) || self.queue.len() != self.said + 1 || !self.queue.back().is_some_and(is_cut) {
            return false;
        }
        if let Some(Queued { id, write, undo }) = self.queue.pop_back() {
            self.undo(Queued { id, write, undo });
            self.queue.push_back(Queued { id, write, undo: Undo::Nothing });
        }
        true
    }

    /// The sync under way fails. What it covered stays in the page cache; nothing more is written.
    pub(super) fn sync_fails(&mut self) -> Option<(WriteId, WriteError)> {
        let first = self.queue.get(self.said).map(|queued| (queued.id, WriteError::Failed));
        (self.is_syncing, self.syncing) = (false, 0);
        let unwritten = self.report_failure();
        self.failure = Failure::Told;
        first.or(unwritten)
    }

    /// Syncs everything, as a process does that is about to read its disk; calls `synced` with each write that was not.
    pub(super) fn flush(&mut self, synced: impl FnMut(WriteId, DiskWrite)) -> Option<WriteId> {
        if let Some(files) = &mut self.files {
            files.write_waiting();
        }
        let through = self.settle(self.queue.len() - self.said, synced);
        self.drop_unadopted();
        if self.mode != DiskMode::Lying {
            self.make_snapshots_durable();
        }
        through
    }

    /// Tells of a failure once.
    fn report_failure(&mut self) -> Option<(WriteId, WriteError)> {
        let Failure::Untold(id, error) = self.failure else { return None };
        self.failure = Failure::Told;
        Some((id, error))
    }

    /// The next `count` writes are durable, or said to be.
    fn settle(&mut self, count: usize, mut synced: impl FnMut(WriteId, DiskWrite)) -> Option<WriteId> {
        (self.is_syncing, self.syncing) = (false, 0);
        let mut through = None;
        let lies = self.mode == DiskMode::Lying;
        if !lies {
            self.queue.drain(..self.said);
            self.settle_files(self.said + count);
            self.said = 0;
            self.age_cuts();
            self.make_snapshots_durable();
        }
        for index in 0..count {
            let (id, write) = if lies {
                let queued = &self.queue[self.said + index];
                (queued.id, queued.write)
            } else {
                let Some(Queued { id, write, undo }) = self.queue.pop_front() else { break };
                self.keep_cut(write, undo);
                (id, write)
            };
            if let DiskWrite::WriteSnapshot { zxid } = write {
                let written = |s: &&mut Snapshot| s.zxid == zxid && s.safety == Safety::Queued;
                self.snapshots.iter_mut().filter(written).for_each(|s| s.safety = Safety::Written);
            }
            synced(id, write);
            through = Some(id);
        }
        if lies {
            self.said += count;
            let over = self.said.saturating_sub(HELD_BACK);
            self.queue.drain(..over);
            self.settle_files(over);
            self.said -= over;
        }
        through
    }

    fn settle_files(&mut self, count: usize) {
        if let Some(files) = &mut self.files {
            files.settle(count);
        }
    }

    /// The operating system has written out every snapshot that a process was told about. Then old ones can go, and the log
    /// below them.
    fn make_snapshots_durable(&mut self) {
        if !self.cuts.is_empty() {
            // Neither has it written out what came after such a cut.
            return;
        }
        let mut promoted = false;
        for snapshot in self.snapshots.iter_mut().filter(|snapshot| snapshot.safety == Safety::Written) {
            snapshot.safety = Safety::Durable;
            promoted = true;
        }
        if promoted {
            self.purge();
        }
    }

    /// Deletes snapshots that came from a leader but were never installed. The log beside them is this server's own and may
    /// not continue them: together they would be a history that nobody ever had.
    fn drop_unadopted(&mut self) {
        let outlive_their_log = self.snapshots_outlive_their_log();
        let Disk { snapshots, log, base, .. } = self;
        snapshots.retain(|snapshot| {
            // That of an empty history is none for a server that lost its own.
            (snapshot.zxid == *base && (snapshot.is_own || *base > Zxid::ZERO))
                || log.binary_search_by_key(&snapshot.zxid, |txn| txn.zxid).is_ok()
                || (outlive_their_log && snapshot.is_own)
        });
    }

    fn purge(&mut self) {
        let durable = |snapshot: &&Snapshot| snapshot.safety == Safety::Durable;
        let Some(oldest) = self.snapshots.iter().rev().filter(durable).nth(KEPT_SNAPSHOTS - 1).map(|s| s.zxid) else {
            return;
        };
        self.snapshots.retain(|snapshot| snapshot.zxid >= oldest);
        let gone = self.log.partition_point(|txn| txn.zxid <= oldest);
        self.log.drain(..gone);
        self.purged += gone as u64;
        if let Some(files) = &mut self.files {
            files.purge();
        }
        self.base = self.base.max(oldest);
    }

    /// The process ended. Calls `lost` with every write that is gone, oldest first.
    pub(super) fn crash(&mut self, loss: Loss, mut lost: impl FnMut(DiskWrite)) {
        self.reads.clear();
        self.failure = Failure::None;
        (self.is_syncing, self.syncing) = (false, 0);
        let is_last = |snapshot: &&Snapshot| {
            let last = self.queue.back().map(|queued| queued.write);
            last == Some(DiskWrite::WriteSnapshot { zxid: snapshot.zxid })
        };
        let adopted = self.snapshots.iter().find(is_last).is_none_or(|snapshot| snapshot.is_own);
        if let Some(files) = &mut self.files {
            files.end_process(adopted);
        }
        let Loss::Power { kept, torn } = loss else { return };
        if let Some(files) = &mut self.files {
            files.lose_power(kept.into(), torn);
        }
        let mut gone = Vec::new();
        let mut torn_snapshot = None;
        while self.queue.len() > usize::from(kept) {
            let Some(queued) = self.queue.pop_back() else { break };
            gone.push(queued.write);
            // Only a snapshot file can be seen in pieces: a torn record is no record, and the small files are renamed.
            torn_snapshot = match queued.write {
                DiskWrite::WriteSnapshot { zxid } if matches!(queued.undo, Undo::Snapshot(None)) => Some(zxid),
                _ => None,
            };
            self.undo(queued);
        }
        self.queue.clear();
        self.said = 0;
        if let Some(zxid) = torn_snapshot.filter(|_| torn) {
            let at = self.snapshots.partition_point(|snapshot| snapshot.zxid < zxid);
            self.snapshots.insert(at, Snapshot { zxid, chunks: Vec::new(), safety: Safety::Torn, is_own: false });
        }
        // Snapshots that were written but never synced are older than everything in the queue.
        let survive = kept > 0;
        for snapshot in &mut self.snapshots {
            match snapshot.safety {
                Safety::Written | Safety::Queued if survive => snapshot.safety = Safety::Durable,
                Safety::Written | Safety::Queued => {
                    lost(DiskWrite::WriteSnapshot { zxid: snapshot.zxid });
                    snapshot.safety = Safety::Torn;
                }
                Safety::Durable | Safety::Torn => {}
            }
        }
        if !torn {
            self.snapshots.retain(|snapshot| snapshot.safety != Safety::Torn);
        }
        if !survive {
            self.undo_cuts(&mut lost);
        }
        gone.into_iter().rev().for_each(lost);
    }

    pub(super) fn queue_read(&mut self, read: Read) {
        self.reads.push_back(read);
    }

    pub(super) fn has_read(&self) -> bool {
        !self.reads.is_empty()
    }

    pub(super) fn reads(&self) -> usize {
        self.reads.len()
    }

    pub(super) fn next_read(&mut self) -> Option<Read> {
        self.reads.pop_front()
    }
}

#[cfg(test)]
mod tests;
