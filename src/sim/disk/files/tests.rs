//! The files hold what the model says, whatever happens when.

use std::collections::{BTreeSet, VecDeque};

use proptest::prelude::*;

use super::super::{Disk, KEPT_SNAPSHOTS, Safety, Snapshot};
use super::can_keep;
use crate::replica::Service;
use crate::sim::{DiskMode, Loss};
use crate::zab::{
    Conduct, Duration, Epoch, Habit, Habits, Instant, LogSlice, Payload, Ratio, Sid, Txn, Write, WriteId, Zxid,
};
use crate::zk::model::{Acl, CreateKind, CreateTxn, OpCode, SessionId, TxnBody, TxnHeader, TxnRecord};
use crate::zk::service::config::ServiceConfig;
use crate::zk::service::zk::Zk;
use crate::zk::store::FileName;
use crate::zk::wire;

fn fresh() -> Zk {
    Zk::new(ServiceConfig::new(Sid(1), Duration::from_millis(2000)), Instant::ZERO)
}

/// Creates a node of its own.
fn txn(zxid: Zxid, size: usize) -> Txn {
    let header = TxnHeader { session: SessionId(1), cxid: 0, zxid, time: 0, kind: OpCode::Create };
    let create = CreateTxn {
        kind: CreateKind::Create,
        path: format!("/{:x}-{size}", zxid.0),
        data: Some(Payload::new(&vec![7; size])),
        acl: vec![Acl::open()],
        ephemeral: false,
        parent_cversion: Some(-1),
        ttl: -1,
    };
    let mut bytes = Vec::new();
    wire::encode_txn(&TxnRecord { header, body: TxnBody::Create(create), digest: None }, &mut bytes);
    Txn { zxid, payload: Payload::new(&bytes) }
}

/// A process as far as its disk is concerned: everything that it appends it applies at once.
struct Host {
    disk: Disk,
    last_write: u64,
    /// The last states, each after a txn or under the marker of an epoch; none for a server without data.
    states: VecDeque<(Zxid, Zk)>,
    /// How far it believes that it can cut back.
    base: Zxid,
    epoch: u32,
    /// No txn of an earlier one can come any more: it was established.
    established: Epoch,
    /// The last one that anything was written of: each is another leader's.
    used: Epoch,
    /// A cut is not durable: nothing else is asked for.
    cutting: bool,
}

impl Host {
    fn new(preallocate: u64) -> Host {
        let mut disk = Disk::empty();
        disk.keep_files(preallocate);
        let states = VecDeque::from([(Zxid::ZERO, fresh())]);
        Host {
            disk,
            last_write: 0,
            states,
            base: Zxid::ZERO,
            epoch: 0,
            established: Epoch(0),
            used: Epoch(0),
            cutting: false,
        }
    }

    /// As it begins, or reads its disk again.
    fn read(&mut self) {
        self.disk.flush(|_, _| {});
        let recovery = self.disk.recover(5, fresh());
        assert_eq!(recovery.differs, None);
        self.states.clear();
        if recovery.recovered.last_zxid != Zxid::MISSING {
            self.states.push_back((recovery.recovered.last_zxid, recovery.service));
        }
        self.base = recovery.recovered.base;
        self.cutting = false;
    }

    fn crash(&mut self, loss: Loss) {
        self.disk.crash(loss, |_| {});
        self.disk.write_back();
        self.last_write = 0;
        self.read();
    }

    fn next_write(&mut self) -> WriteId {
        self.last_write += 1;
        WriteId(self.last_write)
    }

    /// A disk that is full ends the process.
    fn write(&mut self, write: Write) {
        let id = self.next_write();
        if self.disk.write(id, write).is_none() {
            self.crash(Loss::Process);
        }
    }

    fn snapshot(&mut self, zxid: Zxid, state: &Zk) -> bool {
        let id = self.next_write();
        self.disk.write_snapshot(id, zxid, state.freeze().into_iter().collect(), state.digest()).is_some()
    }

    fn append(&mut self, new_epoch: bool, size: usize) {
        let Some((last, mut state)) = self.states.back().cloned() else { return };
        let marker = Zxid::marker(self.established);
        let next = match last.max(marker) {
            last if new_epoch || last == Zxid::ZERO => self.new_epoch().next(),
            last => last.next(),
        };
        let txn = txn(next, size);
        state.apply(Instant::ZERO, &txn, false, &mut Vec::new());
        self.states.push_back((next, state));
        while self.states.len() > 6 {
            self.states.pop_front();
        }
        self.write(Write::Append(txn));
    }

    fn new_epoch(&mut self) -> Zxid {
        self.used = self.used.next();
        Zxid::marker(self.used)
    }

    /// The state of a leader that has less than this server, and something else behind that.
    fn foreign(&mut self, extra: usize, marker: bool) -> (Zxid, Zk) {
        let (mut zxid, mut state) = self.states.front().cloned().unwrap_or_else(|| (Zxid::ZERO, fresh()));
        if extra > 0 {
            zxid = self.new_epoch();
        }
        for index in 0..extra {
            zxid = zxid.next();
            state.apply(Instant::ZERO, &txn(zxid, 100 + index), false, &mut Vec::new());
        }
        (if marker { self.new_epoch() } else { zxid }, state)
    }

    fn step(&mut self, step: &Step) {
        let size = |size: &u16| usize::from(*size);
        match step {
            Step::Mode(mode) => self.disk.set_mode(*mode),
            Step::Crash(loss) => return self.crash(*loss),
            Step::Wipe => {
                self.disk.crash(Loss::Process, |_| {});
                self.disk.wipe();
                return self.read();
            }
            Step::SyncDone => {
                self.disk.sync_done(|_, _| {});
                if self.cutting && self.disk.unsynced() == 0 {
                    return self.read();
                }
            }
            Step::SyncFails => {
                if self.disk.is_syncing() {
                    self.disk.sync_fails();
                    return self.crash(Loss::Process);
                }
            }
            Step::ReadLog { back } => self.read_log(*back),
            _ if self.cutting => {}
            Step::Reload => return self.read(),
            Step::Append { sizes, new_epoch } => sizes.iter().for_each(|own| self.append(*new_epoch, size(own))),
            Step::Epochs => {
                self.epoch += 1;
                self.write(Write::AcceptedEpoch(Epoch(self.epoch)));
                self.append(true, 10);
                self.write(Write::CurrentEpoch(Epoch(self.epoch)));
            }
            Step::Snapshot { back } => {
                let index = self.states.len().saturating_sub(back + 1);
                if let Some((zxid, state)) =
                    self.states.get(index).cloned().filter(|(zxid, _)| *zxid >= self.disk.base())
                    && !self.snapshot(zxid, &state)
                {
                    return self.crash(Loss::Process);
                }
            }
            Step::Lead => {
                if let Some((_, state)) = self.states.back().cloned() {
                    let marker = self.new_epoch();
                    self.established = marker.epoch();
                    self.states.push_back((marker, state.clone()));
                    if !self.snapshot(marker, &state) {
                        return self.crash(Loss::Process);
                    }
                }
            }
            Step::Truncate { back } => {
                let index = self.states.len().saturating_sub(back + 1);
                let to = self.states.get(index).map_or(Zxid::ZERO, |(zxid, _)| *zxid);
                if !self.states.is_empty() && to >= self.purged().max(self.base) {
                    self.cutting = true;
                    self.write(Write::Truncate { to });
                }
            }
            Step::Install { extra, marker, cut_off } => {
                let (zxid, state) = self.foreign(*extra, *marker);
                if !self.snapshot(zxid, &state) {
                    return self.crash(Loss::Process);
                }
                if let Some(loss) = cut_off {
                    return self.crash(*loss);
                }
                self.write(Write::InstallSnapshot { zxid });
                self.states = VecDeque::from([(zxid, state)]);
                self.base = zxid;
            }
        }
        self.disk.begin_sync();
    }

    /// What was purged: no leader wants a cut below three snapshots, all but the last of which hold only what is committed.
    fn purged(&mut self) -> Zxid {
        let files = self.disk.files.as_mut().expect("the host keeps files");
        files.write_waiting();
        let snapshots = files.cache.names().filter_map(|(_, name)| match FileName::of(name) {
            FileName::Snapshot(zxid) => Some(zxid),
            _ => None,
        });
        let snapshots: BTreeSet<Zxid> = snapshots.collect();
        let oldest = snapshots.first().filter(|_| snapshots.len() >= KEPT_SNAPSHOTS);
        self.disk.base().max(oldest.copied().unwrap_or(Zxid::ZERO))
    }

    /// What the files say and the model does not contradict.
    fn read_log(&mut self, back: usize) {
        let index = self.states.len().saturating_sub(back + 1);
        let Some((from, _)) = self.states.get(index).cloned() else { return };
        let all = Ratio::new(0, 1);
        let slice = self.disk.read_log(from, all);
        let model = Disk { files: None, ..self.disk.clone() }.read_log(from, all);
        if let (LogSlice::Txns(files), LogSlice::Txns(model)) = (&slice, &model) {
            let shorter = files.len().min(model.len());
            assert_eq!(files[files.len() - shorter..], model[model.len() - shorter..]);
            assert!(files.len() >= model.len() || files.first().is_some_and(|txn| txn.zxid <= from));
        }
        let whole = matches!(&model, LogSlice::Txns(txns) if txns.first().is_some_and(|txn| txn.zxid <= from));
        assert!(!whole || slice != LogSlice::Purged, "the log from {from} on is there");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Append { sizes: Vec<u16>, new_epoch: bool },
    Epochs,
    Snapshot { back: usize },
    Lead,
    Truncate { back: usize },
    Install { extra: usize, marker: bool, cut_off: Option<Loss> },
    SyncDone,
    SyncFails,
    Crash(Loss),
    Mode(DiskMode),
    Wipe,
    Reload,
    ReadLog { back: usize },
}

fn losses() -> impl Strategy<Value = Loss> {
    let power = (prop_oneof![0u16..8, Just(u16::MAX)], any::<bool>());
    prop_oneof![1 => Just(Loss::Process), 4 => power.prop_map(|(kept, torn)| Loss::Power { kept, torn })]
}

fn steps() -> impl Strategy<Value = Step> {
    let sizes = proptest::collection::vec(prop_oneof![3 => 0u16..200, 1 => 0u16..6000], 1..4);
    prop_oneof![
        20 => (sizes, proptest::bool::weighted(0.1)).prop_map(|(sizes, new_epoch)| Step::Append { sizes, new_epoch }),
        3 => Just(Step::Epochs),
        6 => (0usize..4).prop_map(|back| Step::Snapshot { back }),
        2 => Just(Step::Lead),
        4 => (0usize..5).prop_map(|back| Step::Truncate { back }),
        4 => (0usize..4, any::<bool>(), proptest::option::weighted(0.2, losses()))
            .prop_map(|(extra, marker, cut_off)| Step::Install { extra, marker, cut_off }),
        20 => Just(Step::SyncDone),
        1 => Just(Step::SyncFails),
        10 => losses().prop_map(Step::Crash),
        3 => prop_oneof![Just(DiskMode::Healthy), Just(DiskMode::Healthy), Just(DiskMode::Lying), Just(DiskMode::Full)]
            .prop_map(Step::Mode),
        1 => Just(Step::Wipe),
        2 => Just(Step::Reload),
        4 => (0usize..6).prop_map(|back| Step::ReadLog { back }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn files_and_model_agree(steps in proptest::collection::vec(steps(), 1..60), preallocates in any::<bool>()) {
        let mut host = Host::new(if preallocates { 4096 } else { 0 });
        steps.iter().for_each(|step| host.step(step));
        host.crash(Loss::Power { kept: 0, torn: true });
    }
}

#[test]
fn a_history_from_before_the_run_is_in_files() {
    let txns: Vec<Txn> = (1..=6).map(|counter| txn(Zxid::new(Epoch(1), counter), 30)).collect();
    for (snapshot_at, purged) in [(None, false), (Some(0), false), (Some(4), false), (Some(4), true), (Some(6), true)] {
        let mut disk = Disk { accepted_epoch: Some(Epoch(2)), current_epoch: Some(Epoch(1)), ..Disk::empty() };
        let mut state = fresh();
        for (index, txn) in [None].into_iter().chain(txns.iter().map(Some)).enumerate() {
            txn.into_iter().for_each(|txn| drop(state.apply(Instant::ZERO, txn, false, &mut Vec::new())));
            if snapshot_at == Some(index) {
                let zxid = txn.map_or(Zxid::ZERO, |txn| txn.zxid);
                let chunks: Vec<Payload> = state.freeze().into_iter().collect();
                disk.snapshots.push(Snapshot { zxid, chunks, safety: Safety::Durable, is_own: true });
                disk.base = if purged { zxid } else { Zxid::ZERO };
            }
        }
        disk.log = txns.iter().filter(|txn| txn.zxid > disk.base).cloned().collect();
        disk.keep_files(4096);
        disk.crash(Loss::Power { kept: 0, torn: false }, |_| {});
        let found = disk.recover(10, fresh());
        assert_eq!((found.differs, found.recovered.last_zxid), (None, txns[5].zxid), "{snapshot_at:?}, {purged}");
        assert_eq!(found.service.digest(), state.digest());
    }
}

#[test]
fn what_a_bug_leaves_behind_is_told() {
    let mut host = Host::new(4096);
    host.append(false, 10);
    host.append(false, 10);
    host.disk.begin_sync();
    host.disk.sync_done(|_, _| {});
    host.disk.log.pop_back();
    let differs = host.disk.recover(5, fresh()).differs;
    assert_eq!(differs.as_deref(), Some("the last txn is 1:2, and not 1:1"));
    let mut other = Conduct::default().with(Habits::of(&[Habit::StaleAcks]));
    assert!(can_keep(other) && can_keep(Conduct::default()));
    other.habits = Habits::of(&[Habit::StaleAcks, Habit::CutUnsynced]);
    assert!(!can_keep(other));
}
