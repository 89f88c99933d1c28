//! Captured files, and power failures at every operation.

mod damage;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::zab::{Epoch, LogSlice, Payload, Ratio, Txn, Write, WriteId, Zxid};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |byte: u8| (byte as char).to_digit(16).unwrap() as u8;
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// What happened to a file's content and no sync covers.
#[derive(Clone, Debug)]
enum Change {
    Write(u64, Vec<u8>),
    Length(u64),
}

#[derive(Clone, Debug, Default)]
struct Inode {
    durable: Vec<u8>,
    pending: Vec<Change>,
    now: Vec<u8>,
}

impl Inode {
    fn change(&mut self, change: Change) {
        apply_change(&mut self.now, &change, usize::MAX);
        self.pending.push(change);
    }
}

/// Makes a change, of a write only the first `limit` bytes.
fn apply_change(content: &mut Vec<u8>, change: &Change, limit: usize) {
    match change {
        Change::Length(length) => content.resize(*length as usize, 0),
        Change::Write(at, bytes) => {
            let (at, bytes) = (*at as usize, &bytes[..bytes.len().min(limit)]);
            if content.len() < at + bytes.len() {
                content.resize(at + bytes.len(), 0);
            }
            content[at..at + bytes.len()].copy_from_slice(bytes);
        }
    }
}

#[derive(Clone, Debug)]
enum NameChange {
    Create(String, usize),
    Rename(String, String),
    Remove(String),
}

fn rename(names: &mut BTreeMap<String, usize>, change: &NameChange) {
    match change {
        NameChange::Create(name, inode) => drop(names.insert(name.clone(), *inode)),
        NameChange::Rename(from, to) => {
            let inode = names.remove(from).expect("a file is there to be renamed");
            names.insert(to.clone(), inode);
        }
        NameChange::Remove(name) => drop(names.remove(name)),
    }
}

/// Two directories of which only what was synced survives for certain.
#[derive(Clone, Debug, Default)]
struct Folders {
    inodes: Vec<Inode>,
    now: BTreeMap<Dir, BTreeMap<String, usize>>,
    durable: BTreeMap<Dir, BTreeMap<String, usize>>,
    pending: BTreeMap<Dir, Vec<NameChange>>,
}

impl Folders {
    fn with(files: &[(Dir, &str, Vec<u8>)]) -> Folders {
        let mut folders = Folders::default();
        for (dir, name, bytes) in files {
            folders.run(FileOp::Write { dir: *dir, name: (*name).into(), at: 0, bytes: bytes.clone() });
        }
        folders
    }

    fn name(&mut self, dir: Dir, change: NameChange) {
        rename(self.now.entry(dir).or_default(), &change);
        self.pending.entry(dir).or_default().push(change);
    }

    fn inode(&mut self, dir: Dir, name: &str) -> &mut Inode {
        let known = self.now.entry(dir).or_default().get(name).copied();
        let index = known.unwrap_or_else(|| {
            self.inodes.push(Inode::default());
            let index = self.inodes.len() - 1;
            self.name(dir, NameChange::Create(name.into(), index));
            index
        });
        &mut self.inodes[index]
    }

    fn run(&mut self, op: FileOp) {
        match op {
            FileOp::Write { dir, name, at, bytes } => self.inode(dir, &name).change(Change::Write(at, bytes)),
            FileOp::SetLength { dir, name, length } => self.inode(dir, &name).change(Change::Length(length)),
            FileOp::Sync { dir, name } => {
                let inode = self.inode(dir, &name);
                inode.pending.clear();
                inode.durable = inode.now.clone();
            }
            FileOp::SyncDir(dir) => {
                self.pending.entry(dir).or_default().clear();
                let now = self.now.entry(dir).or_default().clone();
                self.durable.insert(dir, now);
            }
            FileOp::Rename { dir, from, to } => self.name(dir, NameChange::Rename(from, to)),
            FileOp::Remove { dir, name } => self.name(dir, NameChange::Remove(name)),
        }
    }

    /// The power fails: of what was not synced some is there and some is not.
    fn lose_power(&mut self, mut draw: impl FnMut(usize) -> usize) {
        for (dir, pending) in std::mem::take(&mut self.pending) {
            let names = self.durable.entry(dir).or_default();
            let kept = draw(pending.len());
            pending.iter().take(kept).for_each(|change| rename(names, change));
        }
        self.now = self.durable.clone();
        for inode in &mut self.inodes {
            let pending = std::mem::take(&mut inode.pending);
            let kept = draw(pending.len());
            pending.iter().take(kept).for_each(|change| apply_change(&mut inode.durable, change, usize::MAX));
            if let Some(torn @ Change::Write(_, bytes)) = pending.get(kept) {
                apply_change(&mut inode.durable, torn, draw(bytes.len()));
            }
            inode.now = inode.durable.clone();
        }
    }
}

impl Files for Folders {
    fn list(&self, dir: Dir) -> Result<Vec<(String, u64)>, StoreError> {
        let names = self.now.get(&dir).into_iter().flatten();
        Ok(names.map(|(name, inode)| (name.clone(), self.inodes[*inode].now.len() as u64)).collect())
    }

    fn read(&self, dir: Dir, name: &str) -> Result<Vec<u8>, StoreError> {
        let missing = || StoreError::Io { name: name.into(), reason: "no such file".into() };
        let inode = self.now.get(&dir).and_then(|names| names.get(name)).ok_or_else(missing)?;
        Ok(self.inodes[*inode].now.clone())
    }
}

/// A service that remembers which txns it applied.
type History = Vec<i64>;

fn body(history: &History) -> Vec<Payload> {
    let mut bytes = vec![0; 12];
    bytes.extend(((history.len() * 8) as u32).to_be_bytes());
    history.iter().for_each(|zxid| bytes.extend(zxid.to_be_bytes()));
    bytes.extend([0; 68]);
    bytes.extend(b"\0\0\0\x01/");
    bytes.chunks(50).map(Payload::new).collect()
}

fn history_of(body: &[u8]) -> History {
    let length = u32::from_be_bytes(body[12..16].try_into().unwrap()) as usize;
    body[16..16 + length].chunks(8).map(|zxid| i64::from_be_bytes(zxid.try_into().unwrap())).collect()
}

fn txn(zxid: Zxid) -> Txn {
    let mut bytes = vec![7; 40 + zxid.counter() as usize % 90];
    bytes[12..20].copy_from_slice(&zxid.0.to_be_bytes());
    Txn { zxid, payload: Payload::new(&bytes) }
}

fn recovered(folders: &mut Folders) -> Result<(Found, History), StoreError> {
    let (mut history, mut behind) = (History::new(), History::new());
    let mut ops = Vec::new();
    let before = folders.clone();
    // What is cleaned up is done first; then it is read.
    recover(
        &before,
        5,
        |_, _| Ok(()),
        |_| Ok(()),
        |op| {
            ops.push(op);
            Ok(())
        },
    )
    .map(drop)
    .or_else(|error| if ops.is_empty() { Err(error) } else { Ok(()) })?;
    ops.into_iter().for_each(|op| folders.run(op));
    let restore = |_, file: SnapshotFile| {
        history = history_of(file.body);
        Ok(())
    };
    let apply = |txn: &Txn| {
        behind.push(txn.zxid.0);
        Ok(())
    };
    let found = recover(&*folders, 5, restore, apply, |op| panic!("{op:?} was done already"))?;
    history.extend(behind);
    Ok((found, history))
}

fn journal() -> Journal {
    Journal::new(settings())
}

fn settings() -> JournalSettings {
    JournalSettings { preallocate: 300, last_zxid_trailer: true }
}

#[test]
fn a_log_is_as_captured() {
    let captured = include_str!("../../../tests/captures/log.txt");
    let bytes = hex(captured);
    let mut reader = LogReader::new("log.100000001", &bytes).unwrap();
    let mut written = log::header().to_vec();
    let mut zxids = Vec::new();
    while let Some(txn) = reader.next_txn() {
        zxids.push(txn.zxid.0);
        encode_record(txn.payload.as_bytes(), &mut written);
    }
    assert_eq!(zxids, [0x1_0000_0001, 0x1_0000_0002, 0x1_0000_0003, 0x1_0000_0004]);
    assert_eq!(reader.end(), Some(&LogEnd::Clean));
    assert_eq!(written, bytes[..written.len()]);
    let mut damaged = bytes.clone();
    damaged[16 + 12 + 30] ^= 1;
    let mut reader = LogReader::new("log", &damaged).unwrap();
    assert_eq!(reader.next_txn(), None);
    assert!(matches!(reader.end(), Some(LogEnd::Corrupt { at: 16, .. })));
}

#[test]
fn a_snapshot_is_as_captured() {
    let bytes = hex(include_str!("../../../tests/captures/snapshot.txt"));
    let snapshot = read_snapshot("snapshot.0", &bytes).unwrap();
    assert_eq!(snapshot.digest, Some((Zxid(0), 0)));
    let trailers = Trailers { digest: Some(0), last_zxid: false };
    let mut folders = Folders::default();
    let chunks = snapshot.body.chunks(99).map(Payload::new);
    let done = write_snapshot(Zxid(0), chunks, trailers, |op| {
        folders.run(op);
        Ok(())
    });
    assert_eq!((done, folders.read(Dir::Data, "snapshot.0").as_ref()), (Ok(()), Ok(&bytes)));
    for at in [5, 40, 300, bytes.len() - 30] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(read_snapshot("snapshot.0", &damaged).is_err(), "a changed byte at {at}");
    }
    for cut in 0..snapshot.body.len() + 16 + 13 {
        assert!(read_snapshot("snapshot.0", &bytes[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn a_damaged_record_makes_a_server_without_data_and_is_told() {
    let mut folders = Folders::default();
    let writes = (1..=3).map(|c| JournalWrite::Plain(WriteId(c), Write::Append(txn(Zxid::new(Epoch(1), c as u32)))));
    let before = folders.clone();
    journal()
        .batch(writes.collect(), &before, true, |op| {
            folders.run(op);
            Ok(())
        })
        .unwrap();
    assert_eq!(recovered(&mut folders).unwrap().0.recovered.last_zxid, Zxid::new(Epoch(1), 3));
    folders.inode(Dir::Log, "log.100000001").now[40] ^= 1;
    let (found, _) = recovered(&mut folders).unwrap();
    assert_eq!(found.recovered.last_zxid, Zxid::MISSING);
    assert!(found.corrupt.unwrap().contains("log.100000001: the record at 16"));
}

/// Who does without syncs (`forceSync=no`) does not wait for a whole log whenever a snapshot begins either.
#[test]
fn without_syncs_a_log_ends_without_one() {
    let z = |c| Zxid::new(Epoch(1), c);
    let synced = |sync| {
        let (mut folders, mut synced) = (Folders::default(), Vec::new());
        let mut journal = journal();
        for first in [1, 3] {
            let append = |c: u32| JournalWrite::Plain(WriteId(c.into()), Write::Append(txn(z(c))));
            let writes = vec![append(first), append(first + 1), JournalWrite::SnapshotBeside(WriteId(9))];
            let before = folders.clone();
            let execute = |op: FileOp| {
                if let FileOp::Sync { name, .. } = &op {
                    synced.push(name.clone());
                }
                folders.run(op);
                Ok(())
            };
            assert_eq!(journal.batch(writes, &before, sync, execute), Ok(()));
        }
        let last = recovered(&mut folders).unwrap().0.recovered.last_zxid;
        assert_eq!(last, z(4), "the process may end, and nothing is lost");
        synced
    };
    assert_eq!(synced(true), ["starting.100000001", "log.100000001", "starting.100000003", "log.100000003"]);
    assert_eq!(synced(false), ["starting.100000001", "starting.100000003"]);
}

#[test]
fn a_lagging_learner_gets_the_log_from_its_last_txn_on() {
    let z = |c| Zxid::new(Epoch(1), c);
    let mut folders = Folders::default();
    let writes = (1..=9).map(|c| JournalWrite::Plain(WriteId(c), Write::Append(txn(z(c as u32))))).collect();
    let before = folders.clone();
    let done = journal().batch(writes, &before, true, |op| {
        folders.run(op);
        Ok(())
    });
    assert_eq!(done, Ok(()));
    let Ok(LogSlice::Txns(txns)) = read_log(&folders, z(4), Ratio::new(1, 3)) else { panic!("it reaches back") };
    assert_eq!(txns, (4..=9).map(|c| txn(z(c))).collect::<Vec<_>>());
    let behind = Folders::with(&[(Dir::Log, "log.100000005", [log::header().to_vec(), record(z(5))].concat())]);
    assert_eq!(read_log(&behind, z(3), Ratio::new(1, 3)), Ok(LogSlice::Purged));
}

fn record(zxid: Zxid) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_record(txn(zxid).payload.as_bytes(), &mut bytes);
    bytes
}

#[test]
fn what_cannot_be_used_says_why() {
    let text = |folders: &mut Folders| recovered(folders).map(drop).unwrap_err().to_string();
    let mut compressed = Folders::with(&[(Dir::Data, "snapshot.5.gz", vec![0x1f])]);
    assert!(text(&mut compressed).contains("snapshot.compression.method"));
    let mut epoch = Folders::with(&[(Dir::Data, "currentEpoch", b"seven".to_vec())]);
    assert_eq!(text(&mut epoch), "currentEpoch: expected a number, found \"seven\"");
    let mut lines = Folders::with(&[(Dir::Data, "currentEpoch", b"7\nand more".to_vec())]);
    assert_eq!(recovered(&mut lines).unwrap().0.recovered.current_epoch, Some(Epoch(7)), "the first line counts");
    let mut broken = Folders::with(&[(Dir::Data, "snapshot.5", b"ZKSN".to_vec())]);
    assert!(text(&mut broken).starts_with("none of the snapshots can be read"));
    let mut other = Folders::with(&[(Dir::Log, "log.1", b"this is a text file".to_vec())]);
    assert!(text(&mut other).contains("does not begin with ZKLG"));
}

/// What a core could ask for.
#[derive(Clone, Debug)]
enum Step {
    Append { new_epoch: bool },
    Epoch,
    Snapshot { back: usize },
    Truncate { back: usize },
    Install { extra: usize },
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => proptest::bool::weighted(0.2).prop_map(|new_epoch| Step::Append { new_epoch }),
        1 => Just(Step::Epoch),
        2 => (0usize..3).prop_map(|back| Step::Snapshot { back }),
        1 => (0usize..4).prop_map(|back| Step::Truncate { back }),
        1 => (0usize..4).prop_map(|extra| Step::Install { extra }),
    ]
}

/// The model: every txn of the history, where its base is, and the epochs written.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    history: History,
    base: usize,
    epoch: u32,
    /// How much of the history each snapshot holds, ascending.
    snapshots: Vec<usize>,
}

impl Model {
    fn last(&self) -> Zxid {
        self.history.last().map_or(Zxid::ZERO, |zxid| Zxid(*zxid))
    }

    /// Two snapshots are kept, and nothing that ends before the older of them.
    fn purge(&mut self) {
        while self.snapshots.len() > 2 {
            self.snapshots.remove(0);
        }
        if let [older, _] = self.snapshots[..] {
            self.base = self.base.max(older);
        }
    }

    /// The writes of a step, and what they make of it.
    fn step(&mut self, step: &Step, writes: &mut Vec<JournalWrite>) {
        let plain = |write| JournalWrite::Plain(WriteId(0), write);
        let newer = |last: Zxid, new_epoch: bool| {
            if new_epoch || last == Zxid::ZERO { Zxid::new(Epoch(last.epoch().0 + 1), 1) } else { last.next() }
        };
        match step {
            Step::Append { new_epoch } => {
                let zxid = newer(self.last(), *new_epoch);
                self.history.push(zxid.0);
                writes.push(plain(Write::Append(txn(zxid))));
            }
            Step::Epoch => {
                self.epoch += 1;
                writes.push(plain(Write::CurrentEpoch(Epoch(self.epoch))));
            }
            Step::Snapshot { back } => {
                let length = self.history.len().saturating_sub(*back).max(self.base);
                if length > 0 {
                    let history = self.history[..length].to_vec();
                    let (zxid, chunks) = (Zxid(history[length - 1]), body(&history));
                    writes.push(JournalWrite::Snapshot { id: WriteId(0), zxid, chunks, digest: Some(9) });
                    self.snapshots.push(length);
                    self.snapshots.sort_unstable();
                    self.snapshots.dedup();
                }
            }
            Step::Truncate { back } => {
                let length = self.history.len().saturating_sub(*back).max(self.base);
                if length > 0 {
                    self.history.truncate(length);
                    self.snapshots.retain(|snapshot| *snapshot <= length);
                    writes.push(plain(Write::Truncate { to: self.last() }));
                }
            }
            Step::Install { extra } => {
                // Another history: some txns less, and others in their place.
                let keep = self.history.len().saturating_sub(2);
                self.history.truncate(keep);
                for index in 0..=*extra {
                    self.history.push(newer(self.last(), index == 0).0);
                }
                self.base = self.history.len();
                self.snapshots = vec![self.base];
                let (zxid, chunks) = (self.last(), body(&self.history));
                writes.push(JournalWrite::Snapshot { id: WriteId(0), zxid, chunks, digest: None });
                writes.push(plain(Write::InstallSnapshot { zxid }));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// Whatever is durable is there after a crash at any operation with any loss, and nothing else than what was asked for.
    #[test]
    fn what_is_durable_survives(
        lives in proptest::collection::vec((proptest::collection::vec(steps(), 1..14), 1usize..5, any::<u64>()), 1..4),
    ) {
        let mut folders = Folders::default();
        let mut model = Model::default();
        for (steps, batch, seed) in lives {
            let mut seed = seed | 1;
            let mut draw = |most: usize| {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                (seed % (most as u64 + 1)) as usize
            };
            let mut journal = journal();
            // A snapshot that is written beside the journal: some time later.
            let mut beside = None;
            // Every state that a crash may leave.
            let mut possible = vec![model.clone()];
            let mut left = draw(120);
            'life: for part in steps.chunks(batch) {
                let mut writes = Vec::new();
                for step in part {
                    let before = model.clone();
                    model.step(step, &mut writes);
                    if matches!(step, Step::Truncate { .. }) {
                        // It may have been cut anywhere between.
                        possible.extend((model.history.len()..before.history.len()).map(|length| {
                            Model { history: before.history[..length].to_vec(), ..before.clone() }
                        }));
                    }
                    possible.push(model.clone());
                }
                let next = writes.pop_if(|last| matches!(last, JournalWrite::Snapshot { .. }) && draw(1) == 0);
                if next.is_some() {
                    writes.push(JournalWrite::SnapshotBeside(WriteId(0)));
                }
                let goes_on = |write: &JournalWrite| {
                    matches!(write, JournalWrite::Plain(_, Write::Append(_) | Write::CurrentEpoch(_)))
                };
                let is_due = !writes.iter().all(goes_on) || draw(1) == 0;
                let shared = std::cell::RefCell::new(&mut folders);
                let mut execute = |op| {
                    left = left.checked_sub(1).ok_or(StoreError::NoSnapshot("power failure".into()))?;
                    shared.borrow_mut().run(op);
                    Ok(())
                };
                let mut done = Ok(());
                if let Some(JournalWrite::Snapshot { zxid, chunks, digest, .. }) = beside.take_if(|_| is_due) {
                    done = write_snapshot(zxid, chunks, settings().trailers(digest), &mut execute);
                }
                beside = beside.or(next);
                done = done.and_then(|()| journal.batch(writes, &Shared(&shared), true, &mut execute));
                if done.is_err() {
                    break 'life;
                }
                possible = vec![model.clone()];
                if purge(&Shared(&shared), 2, |_| true).unwrap().into_iter().try_for_each(execute).is_err() {
                    break 'life;
                }
                model.purge();
            }
            folders.lose_power(&mut draw);
            let (found, history) = recovered(&mut folders).unwrap();
            let epoch = found.recovered.current_epoch.map_or(0, |epoch| epoch.0);
            let same = |model: &&Model| model.history == history && model.epoch == epoch;
            let state = possible.iter().find(same);
            prop_assert!(state.is_some(), "found {history:x?} of epoch {epoch}, possible: {possible:x?}");
            prop_assert_eq!(found.corrupt, None);
            prop_assert!(found.recovered.base.0 <= history.last().copied().unwrap_or(0));
            let recent: History = found.recovered.recent.iter().map(|txn| txn.zxid.0).collect();
            prop_assert!(history.ends_with(&recent));
            model = state.unwrap().clone();
            let kept = folders.list(Dir::Data).unwrap();
            let kept = kept.iter().filter_map(|(name, _)| match FileName::of(name) {
                FileName::Snapshot(zxid) => history.iter().position(|own| *own == zxid.0).map(|index| index + 1),
                _ => None,
            });
            model.snapshots = kept.collect();
            model.snapshots.sort_unstable();
            model.base = history.iter().position(|zxid| *zxid == found.recovered.base.0).map_or(0, |index| index + 1);
        }
    }
}

/// The same folders, read while they are written.
struct Shared<'a, 'b>(&'a std::cell::RefCell<&'b mut Folders>);

impl Files for Shared<'_, '_> {
    fn list(&self, dir: Dir) -> Result<Vec<(String, u64)>, StoreError> {
        self.0.borrow().list(dir)
    }

    fn read(&self, dir: Dir, name: &str) -> Result<Vec<u8>, StoreError> {
        self.0.borrow().read(dir, name)
    }
}
