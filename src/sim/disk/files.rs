//! The same disk in ZooKeeper's files, written and read by the code of the real server (`zk::store`).
//!
//! ```text
//!  Write ─▶ waiting ──Journal::batch──▶ operations ─┬▶ cache      what a process reads, and what survives its end
//!           (until a sync begins)                   └▶ parts ──settled──▶ platter     what a power failure leaves
//! ```
//!
//! The model beside it says which writes survive a power failure; here their operations do, and as much of the next write's as
//! does not decide it. What is recovered comes from the files, and is compared with what the model holds.

mod part;
mod volume;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::mem::take;

use super::{KEPT_SNAPSHOTS, Recovery};
use crate::replica::Service;
use crate::zab::{Conduct, Habit, Instant, LogSlice, Ratio, Recovered, Txn, Write, WriteId, Zxid};
use crate::zk::store::{
    self, Dir, FileName, FileOp, Files as _, Journal, JournalSettings, JournalWrite, SnapshotFile, StoreError,
};
use part::{Kind, Part, Share, split};
use volume::{Cache, Open, Platter};

/// Habits under which a disk holds what [`Journal`] never writes, or a log has gaps and repetitions.
const OTHERWISE: [Habit; 9] = [
    Habit::SyncInMemory,
    Habit::CutUnsynced,
    Habit::SnapshotsSurviveACut,
    Habit::SnapshotOverwritten,
    Habit::CutKeepsTheNext,
    Habit::GapsOnlyWarn,
    Habit::GapsBetweenEpochs,
    Habit::BroadcastGapsOnlyWarn,
    Habit::MemoryLags,
];

/// Whether the history of a peer of this conduct can be kept in files. That of a mutant cannot: its bug may be the disk's.
pub(super) fn can_keep(conduct: Conduct) -> bool {
    let hardened = Conduct::default().with(conduct.habits);
    conduct == hardened && !OTHERWISE.iter().any(|habit| conduct.has(*habit))
}

/// What a step of a process came to before it wrote the last of its writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Whole,
    /// It may have ended between a snapshot and its install.
    CutOff,
}

/// The files of a disk.
#[derive(Clone, Debug)]
pub(super) struct Files {
    settings: JournalSettings,
    journal: Journal,
    cache: Cache,
    platter: Platter,
    /// Writes that no operation was made of.
    waiting: Vec<JournalWrite>,
    /// Those whose operations the platter does not have, oldest first: together with `waiting` the model's queue.
    parts: VecDeque<Part>,
    /// Power failures so far: no two tear the same.
    losses: u64,
    /// The first thing that the journal could not do.
    failure: Option<String>,
}

impl Files {
    /// Empty directories, whose logs are extended by `preallocate` bytes at a time.
    pub(super) fn new(preallocate: u64) -> Files {
        let settings = JournalSettings { preallocate, last_zxid_trailer: true };
        Files {
            settings,
            journal: Journal::new(settings),
            cache: Cache::default(),
            platter: Platter::default(),
            waiting: Vec::new(),
            parts: VecDeque::new(),
            losses: 0,
            failure: None,
        }
    }

    /// Empty ones of the same kind.
    pub(super) fn emptied(&self) -> Files {
        Files { losses: self.losses, ..Files::new(self.settings.preallocate) }
    }

    pub(super) fn write(&mut self, write: JournalWrite) {
        self.waiting.push(write);
    }

    /// Makes operations of every write that waits: a sync begins, or somebody reads.
    pub(super) fn write_waiting(&mut self) {
        self.write_out(Step::Whole);
    }

    fn write_out(&mut self, step: Step) {
        let mut writes = take(&mut self.waiting);
        let is_cut = |write: &JournalWrite| matches!(write, JournalWrite::Plain(_, Write::Truncate { .. }));
        while !writes.is_empty() {
            // What a cut consists of is told by nothing but its batch.
            let end = if is_cut(&writes[0]) { 1 } else { writes.iter().position(is_cut).unwrap_or(writes.len()) };
            let rest = writes.split_off(end);
            let step = if rest.is_empty() { step } else { Step::Whole };
            self.batch(writes, step);
            writes = rest;
        }
    }

    fn batch(&mut self, mut writes: Vec<JournalWrite>, step: Step) {
        let mut kinds = Vec::with_capacity(writes.len());
        let mut aside = None;
        if let (Step::CutOff, Some(JournalWrite::Snapshot { zxid, .. })) = (step, writes.last()) {
            // A process writes neither without the other.
            aside = Some(*zxid);
            writes.push(JournalWrite::Plain(WriteId(0), Write::InstallSnapshot { zxid: *zxid }));
        }
        for (index, write) in writes.iter().enumerate() {
            kinds.push((write.id(), Kind::of(write, writes.get(index + 1))));
        }
        kinds.truncate(writes.len() - usize::from(aside.is_some()));
        let cache = RefCell::new(take(&mut self.cache));
        let mut ops = Vec::new();
        let mut ends = false;
        let done = self.journal.batch(writes, &Open(&cache), true, |op| {
            let installs = matches!(&op, FileOp::Rename { to, .. } if matches!(FileName::of(to), FileName::Installing(zxid) if Some(zxid) == aside));
            ends |= installs;
            if !ends {
                cache.borrow_mut().execute(&op);
                ops.push(op);
            }
            Ok(())
        });
        self.cache = cache.into_inner();
        self.failure = self.failure.take().or(done.err().map(|error| error.to_string()));
        self.parts.extend(split(kinds, ops));
    }

    /// The oldest `count` writes are on the platter, as far as they were synced.
    pub(super) fn settle(&mut self, count: usize) {
        for part in self.parts.drain(..count.min(self.parts.len())) {
            part.ops.iter().for_each(|op| self.platter.execute(op));
        }
    }

    /// Old snapshots go, and the logs behind them (autopurge), together with what was written last.
    pub(super) fn purge(&mut self) {
        let is_whole = |name: &str| {
            let bytes = self.cache.read(Dir::Data, name).unwrap_or_default();
            store::read_snapshot(name, &bytes).is_ok()
        };
        let ops = store::purge(&self.cache, KEPT_SNAPSHOTS, is_whole).unwrap_or_default();
        ops.iter().for_each(|op| self.cache.execute(op));
        match self.parts.back_mut() {
            Some(last) => last.ops.extend(ops),
            None => ops.iter().for_each(|op| self.platter.execute(op)),
        }
    }

    /// The process ended, and its host goes on. `adopted` says whether a snapshot that was written last is of its own history.
    pub(super) fn end_process(&mut self, adopted: bool) {
        self.write_out(if adopted { Step::Whole } else { Step::CutOff });
        self.journal = Journal::new(self.settings);
    }

    /// The power failed after the process did: the first `kept` of the writes that are not on the platter survive.
    pub(super) fn lose_power(&mut self, kept: usize, torn: bool) {
        self.losses += 1;
        let losses = self.losses;
        let share = |part: &Part| Share::new(part.id, losses);
        let parts = Vec::from(take(&mut self.parts));
        let (survivors, gone) = parts.split_at(kept.min(parts.len()));
        let next = gone.first().filter(|_| torn);
        if let Some((last, others)) = survivors.split_last() {
            others.iter().flat_map(|part| &part.ops).for_each(|op| self.platter.execute(op));
            last.survive(&mut self.platter, share(last).is_lazy());
            if torn {
                last.end(&mut self.platter, if next.is_some() { Share::ALL } else { share(last) });
            }
        } else if kept > 0 {
            self.platter.write_back();
        }
        if let Some(next) = next {
            next.tear(&mut self.platter, share(next));
        }
        self.cache = self.platter.lose_power();
    }

    /// What a server finds that starts here or reads its disk again, beside what the model says that it does.
    pub(super) fn recover<S: Service>(
        &mut self,
        window: usize,
        empty: S,
        wiped: bool,
        modelled: Recovery<S>,
    ) -> Recovery<S> {
        let cache = RefCell::new(take(&mut self.cache));
        let service = RefCell::new(empty.clone());
        let mut ops = Vec::new();
        let restore = |zxid, file: SnapshotFile| service.borrow_mut().restore(zxid, &[file.body]);
        let apply = |txn: &Txn| {
            drop(service.borrow_mut().apply(Instant::ZERO, txn, false, &mut Vec::new()));
            Ok(())
        };
        let found = store::recover(&Open(&cache), window, restore, apply, |op| {
            cache.borrow_mut().execute(&op);
            ops.push(op);
            Ok(())
        });
        self.cache = cache.into_inner();
        self.sync_all(ops);
        self.journal = Journal::new(self.settings);
        let found = match (self.failure.take(), found) {
            (None, Ok(found)) => found,
            (Some(reason), _) => return Recovery { differs: Some(reason), ..modelled },
            (None, Err(error)) => return Recovery { differs: Some(error.to_string()), ..modelled },
        };
        let snapshot = found.snapshot.unwrap_or(Zxid::ZERO);
        let mut recovered = found.recovered;
        // Files alone cannot tell a server that lost them from a new one.
        if wiped && found.snapshot.is_none() && recovered.last_zxid == Zxid::ZERO {
            recovered.last_zxid = Zxid::MISSING;
        }
        let dataless = recovered.last_zxid == Zxid::MISSING;
        let service = if dataless { empty } else { service.into_inner() };
        let mut differs = found.corrupt;
        differs = differs.or_else(|| difference(&modelled.recovered, &recovered));
        let (digest, expected) = (service.digest(), modelled.service.digest());
        if differs.is_none() && digest != expected {
            differs = Some(format!("the state in the files is {digest:016x}, and not {expected:016x}"));
        }
        if differs.is_none() && !dataless {
            recovered.base = recovered.base.max(modelled.recovered.base);
        }
        Recovery { recovered, service, snapshot, differs }
    }

    /// Whoever reads a directory for the first time syncs what is there, behind what a disk that lies has said to be.
    fn sync_all(&mut self, mut ops: Vec<FileOp>) {
        let logs = self.cache.names().filter(|(dir, _)| *dir == Dir::Log);
        ops.extend(logs.map(|(dir, name)| FileOp::Sync { dir: *dir, name: name.clone() }));
        ops.extend([FileOp::SyncDir(Dir::Log), FileOp::SyncDir(Dir::Data)]);
        match self.parts.back_mut() {
            Some(last) => last.ops.extend(ops),
            None => ops.iter().for_each(|op| self.platter.execute(op)),
        }
    }

    /// The log for a lagging learner.
    pub(super) fn read_log(&mut self, from: Zxid, size_factor: Ratio) -> LogSlice {
        self.write_waiting();
        store::read_log(&self.cache, from, size_factor).unwrap_or_else(|error: StoreError| {
            self.failure.get_or_insert(error.to_string());
            LogSlice::Purged
        })
    }
}

/// In what the files differ from the model, in a sentence.
fn difference(model: &Recovered, found: &Recovered) -> Option<String> {
    if found.accepted_epoch != model.accepted_epoch {
        return Some(format!("acceptedEpoch is {:?}, and not {:?}", found.accepted_epoch, model.accepted_epoch));
    }
    if found.current_epoch != model.current_epoch {
        return Some(format!("currentEpoch is {:?}, and not {:?}", found.current_epoch, model.current_epoch));
    }
    let is_marked =
        found.last_zxid.is_marker() && model.last_zxid != Zxid::MISSING && found.last_zxid > model.last_zxid;
    if found.last_zxid != model.last_zxid && !is_marked {
        return Some(format!("the last txn is {}, and not {}", found.last_zxid, model.last_zxid));
    }
    if found.base > found.last_zxid && found.last_zxid != Zxid::MISSING {
        return Some(format!("the history begins at {}, behind its end at {}", found.base, found.last_zxid));
    }
    let pairs = found.recent.iter().rev().zip(model.recent.iter().rev());
    let mut others = pairs.filter(|(found, model)| found != model);
    others.next().map(|(found, model)| {
        format!("the log holds {}, and not {}, or another one of its zxid", found.zxid, model.zxid)
    })
}

#[cfg(test)]
mod tests;
