//! Reading a disk: at boot, to reload, and for a lagging learner.

use std::collections::VecDeque;

use super::files::{self, Files};
use super::{Disk, Failure, Safety, Snapshot};
use crate::replica::Service;
use crate::sim::machine::Machine;
use crate::sim::{DiskMode, History};
use crate::zab::{Conduct, Epoch, Instant, LogSlice, Payload, Ratio, Recovered, Txn, Write, WriteId, Zxid, mutant};
use crate::zk::store::JournalWrite;

/// The size of a log record, in simulated bytes.
const RECORD_BYTES: u64 = 64;
/// The size of a snapshot file.
const SNAPSHOT_BYTES: u64 = 8192;
/// Records in one log file.
const RECORDS_PER_FILE: u64 = 32;

/// What reading the whole disk gave.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Recovery<S> {
    pub(in crate::sim) recovered: Recovered,
    pub(in crate::sim) service: S,
    /// The snapshot it began with.
    pub(in crate::sim) snapshot: Zxid,
    /// Where there are files, in what they differ from what was written into them.
    pub(in crate::sim) differs: Option<String>,
}

impl Disk {
    pub(super) fn empty() -> Disk {
        Disk {
            conduct: Conduct::default(),
            mode: DiskMode::Healthy,
            accepted_epoch: None,
            current_epoch: None,
            log: VecDeque::new(),
            base: Zxid::ZERO,
            purged: 0,
            snapshots: Vec::new(),
            wiped: false,
            queue: VecDeque::new(),
            said: 0,
            syncing: 0,
            is_syncing: false,
            failure: Failure::None,
            reads: VecDeque::new(),
            cuts: Vec::new(),
            ends_in_cut: false,
            files: None,
        }
    }

    /// From now on everything is in files as well, as far as its host's conduct allows it; logs are extended by `preallocate` bytes at a
    /// time. Nothing was written by a process yet.
    pub(in crate::sim) fn keep_files(&mut self, preallocate: u64) {
        if !files::can_keep(self.conduct) {
            return;
        }
        let mut files = Files::new(preallocate);
        let plain = |write| JournalWrite::Plain(WriteId(0), write);
        let epochs = [self.accepted_epoch.map(Write::AcceptedEpoch), self.current_epoch.map(Write::CurrentEpoch)];
        epochs.into_iter().flatten().for_each(|write| files.write(plain(write)));
        let mut snapshots = self.snapshots.iter().peekable();
        for txn in self.log.iter().map(Some).chain([None]) {
            while let Some(Snapshot { zxid, chunks, .. }) =
                snapshots.next_if(|snapshot| txn.is_none_or(|txn| snapshot.zxid < txn.zxid))
            {
                files.write(JournalWrite::Snapshot {
                    id: WriteId(0),
                    zxid: *zxid,
                    chunks: chunks.clone(),
                    digest: None,
                });
            }
            txn.into_iter().for_each(|txn| files.write(plain(Write::Append(txn.clone()))));
        }
        files.write_waiting();
        files.settle(usize::MAX);
        self.files = Some(Box::new(files));
    }

    /// A disk with a history on it; `service` is without one.
    pub(in crate::sim) fn with_history(history: &History, mut service: Machine) -> Disk {
        let mut disk = Disk::empty();
        if *history == History::default() {
            return disk;
        }
        disk.accepted_epoch = Some(history.accepted_epoch);
        disk.current_epoch = Some(history.current_epoch);
        let keep = |disk: &mut Disk, service: &Machine, zxid: Zxid| {
            if history.snapshot_at == Some(zxid) {
                let chunks = service.freeze();
                disk.snapshots.push(Snapshot { zxid, chunks, safety: Safety::Durable, is_own: true });
            }
        };
        keep(&mut disk, &service, Zxid::ZERO);
        for &(epoch, count) in &history.txns {
            for counter in 1..=count {
                let zxid = Zxid::new(epoch, counter);
                let txn = Txn { zxid, payload: service.prepare_history(zxid) };
                service.replay(&txn);
                disk.log.push_back(txn);
                keep(&mut disk, &service, zxid);
            }
        }
        if let Some(snapshot) = disk.snapshots.first().map(|snapshot| snapshot.zxid).filter(|_| history.purged) {
            disk.base = snapshot;
            disk.log.retain(|txn| txn.zxid > snapshot);
        }
        disk
    }

    /// Reads the disk, as written; a flush came before. `empty` is a service without any history.
    pub(in crate::sim) fn recover<S: Service>(&mut self, window: usize, empty: S) -> Recovery<S> {
        let Some(mut files) = self.files.take() else { return self.modelled(window, empty) };
        let recovery = files.recover(window, empty.clone(), self.wiped, self.modelled(window, empty));
        self.files = Some(files);
        recovery
    }

    /// The newest good snapshot and the log after it. A log that begins after something no snapshot contains is no history: its
    /// server is one without data.
    fn modelled<S: Service>(&self, window: usize, mut service: S) -> Recovery<S> {
        let newest = self.snapshots.iter().rev().find(|snapshot| snapshot.is_usable(self.base));
        let (accepted_epoch, current_epoch) = (self.accepted_epoch, self.current_epoch);
        if self.is_dataless() {
            let last_zxid = Zxid::MISSING;
            let recovered =
                Recovered { accepted_epoch, current_epoch, last_zxid, base: Zxid::ZERO, recent: Vec::new() };
            return Recovery { recovered, service, snapshot: Zxid::ZERO, differs: None };
        }
        let mut last_zxid = Zxid::ZERO;
        if mutant!(self, Zk2325) && newest.is_none() {
            let recovered =
                Recovered { accepted_epoch, current_epoch, last_zxid, base: Zxid::ZERO, recent: Vec::new() };
            return Recovery { recovered, service, snapshot: Zxid::ZERO, differs: None };
        }
        if let Some(snapshot) = newest {
            let pieces: Vec<&[u8]> = snapshot.chunks.iter().map(Payload::as_bytes).collect();
            service.restore(snapshot.zxid, &pieces).expect("what a server wrote is a state");
            last_zxid = snapshot.zxid;
        }
        let snapshot = last_zxid;
        let replay = self.log.partition_point(|txn| txn.zxid <= snapshot);
        for txn in self.log.range(replay..) {
            service.apply(Instant::ZERO, txn, false, &mut Vec::new());
            last_zxid = txn.zxid;
        }
        let first = if replay < self.log.len() || self.log.back().is_some_and(|txn| txn.zxid == snapshot) {
            self.log.len().saturating_sub(window)
        } else {
            self.log.len()
        };
        let recent = self.log.range(first..).cloned().collect();
        Recovery {
            recovered: Recovered { accepted_epoch, current_epoch, last_zxid, base: self.base, recent },
            service,
            snapshot,
            differs: None,
        }
    }

    /// Reads the log from the last record at or before `from`, if it reaches back that far and is worth sending.
    pub(in crate::sim) fn read_log(&mut self, from: Zxid, size_factor: Ratio) -> LogSlice {
        if let Some(files) = &mut self.files {
            return files.read_log(from, size_factor);
        }
        if from < self.base && !mutant!(self, Zk2418) {
            return LogSlice::Purged;
        }
        let start = self.log.partition_point(|txn| txn.zxid <= from).saturating_sub(1);
        let file = |index: usize| (self.purged + index as u64) / RECORDS_PER_FILE;
        let after_first = ((file(start) + 1) * RECORDS_PER_FILE).saturating_sub(self.purged);
        let bytes = (self.log.len() as u64).saturating_sub(after_first) * RECORD_BYTES;
        let newest = if self.snapshots().next().is_some() { SNAPSHOT_BYTES } else { 0 };
        let limit = size_factor.of(newest);
        if limit > 0 && bytes > limit {
            return LogSlice::TooLarge;
        }
        LogSlice::Txns(self.log.range(start..).cloned().collect())
    }

    /// The last txn on it, as written.
    pub fn last_zxid(&self) -> Zxid {
        let snapshot = self.snapshots().last().unwrap_or(Zxid::ZERO);
        self.log.back().map_or(snapshot, |txn| txn.zxid.max(snapshot))
    }

    /// One line for a person.
    pub(in crate::sim) fn summary(&self) -> String {
        let epoch = |epoch: Option<Epoch>| epoch.map_or("none".to_owned(), |epoch| epoch.to_string());
        let snapshots: Vec<String> = self.snapshots().map(|zxid| zxid.to_string()).collect();
        format!(
            "disk {:?}: accepted {}, current {}, log ({}, {}] of {} txns, snapshots [{}], {} unsynced",
            self.mode,
            epoch(self.accepted_epoch),
            epoch(self.current_epoch),
            self.base,
            self.last_zxid(),
            self.log.len(),
            snapshots.join(" "),
            self.queue.len(),
        )
    }
}
