//! What is read from disk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use simd_adler32::adler32;
use zabsim::server::config::{ServerConfig, Source};
use zabsim::zab::{Payload, Ratio, WriteId, Zxid};
use zabsim::zk::service::tree::Tree;
use zabsim::zk::store::*;
use zabsim::zk::wire::{decode_txn, encode_txn};

use crate::generate::{self, samples, written};
use crate::wire::hex;
use crate::{Decoder, kind_of, measured};

fn captured_log() -> Vec<u8> {
    hex(include_str!("../captures/log.txt"))
}

fn captured_snapshot() -> Vec<u8> {
    hex(include_str!("../captures/snapshot.txt"))
}

/// A tree comes back from its own bytes, and as many of the given ones are taken as belong to it.
pub const TREE: Decoder = Decoder {
    name: "tree",
    seeds: || {
        let captured = captured_snapshot();
        let body = read_snapshot("snapshot.0", &captured).expect("the captured snapshot is whole").body.to_vec();
        samples(generate::snapshots(), 60).into_iter().chain([body]).collect()
    },
    check: |bytes| match measured(bytes, || Tree::restore(bytes)) {
        Ok((tree, length)) => {
            let again: Vec<u8> = tree.freeze().into_iter().flat_map(|piece| piece.as_bytes().to_vec()).collect();
            let (same, whole) = Tree::restore(&again).expect("what was written is read");
            assert_eq!((whole, same.freeze().digest()), (again.len(), tree.freeze().digest()));
            format!("ok {}", length == bytes.len())
        }
        Err(error) => kind_of(error),
    },
};

/// The file that a journal writes of a state.
fn snapshot_file(body: &[u8], digest: Option<u64>, last_zxid_trailer: bool) -> Vec<u8> {
    let (id, zxid, chunks) = (WriteId(1), Zxid(5), vec![Payload::new(body)]);
    let write = JournalWrite::Snapshot { id, zxid, chunks, digest };
    let disk = RefCell::new(Disk::default());
    let settings = JournalSettings { last_zxid_trailer, ..JournalSettings::default() };
    let execute = |op| {
        disk.borrow_mut().execute(op);
        Ok(())
    };
    Journal::new(settings).batch(vec![write], &Disk::default(), true, execute).expect("this disk never fails");
    disk.take().0.remove(&(Dir::Data, snapshot_name(zxid))).expect("the journal wrote it")
}

/// How the file is made of the bytes (as it is; sealed, with none, one or both trailers), and the bytes.
pub const SNAPSHOT: Decoder = Decoder {
    name: "snapshot file",
    seeds: || {
        let bodies = samples(generate::snapshots(), 40);
        let sealed = bodies.iter().enumerate().map(|(how, body)| [vec![how as u8 % 3 + 1], body.clone()].concat());
        let files = bodies.iter().map(|body| [vec![0], snapshot_file(body, Some(9), true)].concat());
        sealed.chain(files).chain([[vec![0], captured_snapshot()].concat()]).collect()
    },
    check: |bytes| {
        let Some((&how, bytes)) = bytes.split_first() else { return "too short".into() };
        let file = match how % 4 {
            0 => bytes.to_vec(),
            1 => snapshot_file(bytes, None, false),
            2 => snapshot_file(bytes, Some(7), false),
            _ => snapshot_file(bytes, Some(7), true),
        };
        match measured(&file, || read_snapshot("snapshot.5", &file)) {
            Ok(found) => {
                // What was given for a body may be a whole one and its seal already.
                if how % 4 > 0 && found.body.len() == bytes.len() {
                    assert_eq!(found.digest.is_some(), how % 4 > 1);
                }
                assert!(how % 4 == 0 || bytes.starts_with(found.body));
                let again = snapshot_file(found.body, found.digest.map(|(_, digest)| digest), true);
                assert_eq!(read_snapshot("snapshot.5", &again).map(|again| again.body), Ok(found.body));
                format!("ok {} {}", how % 4, found.digest.is_some())
            }
            Err(error) => format!("{} {}", kind_of(error), how % 4),
        }
    },
};

/// A log of these txns.
fn log_of(txns: &[Vec<u8>]) -> Vec<u8> {
    let mut file = captured_log()[..16].to_vec();
    txns.iter().for_each(|txn| encode_record(txn, &mut file));
    file
}

/// Puts the checksums right wherever a record can be made out.
fn reseal(file: &mut [u8]) {
    let mut at = 16;
    while let Some(length) = file.get(at + 8..at + 12) {
        let length = i32::from_be_bytes(length.try_into().expect("4 bytes"));
        let Some(end) = usize::try_from(length).ok().and_then(|length| (at + 12).checked_add(length)) else { return };
        let Some(txn) = file.get(at + 12..end) else { return };
        let sum = i64::from(adler32(&txn));
        file[at..at + 8].copy_from_slice(&sum.to_be_bytes());
        at = end + 1;
    }
}

/// Whether checksums are put right, and the file.
pub const LOG: Decoder = Decoder {
    name: "log file",
    seeds: || {
        let txns: Vec<Vec<u8>> =
            samples(generate::txns(), 60).iter().map(|it| written(|out| encode_txn(it, out))).collect();
        let mut files: Vec<Vec<u8>> = txns.chunks(4).map(log_of).collect();
        files.iter_mut().step_by(2).for_each(|file| file.extend([0; 700]));
        files.push(captured_log());
        files.into_iter().flat_map(|file| [[vec![0], file.clone()].concat(), [vec![1], file].concat()]).collect()
    },
    check: |bytes| {
        let Some((&how, bytes)) = bytes.split_first() else { return "too short".into() };
        let mut file = bytes.to_vec();
        if how % 2 == 1 {
            reseal(&mut file);
        }
        let read = || -> Result<_, StoreError> {
            let mut reader = LogReader::new("log.1", &file)?;
            let txns: Vec<_> = std::iter::from_fn(|| reader.next_txn()).collect();
            Ok((txns, reader.position() as usize, reader.end().cloned().expect("it has ended")))
        };
        match measured(&file, read) {
            Ok((txns, end, how)) => {
                assert!(end <= file.len() && (end >= 16 || end == 0));
                let mut again = file[..end.min(16)].to_vec();
                txns.iter().for_each(|txn| encode_record(txn.payload.as_bytes(), &mut again));
                assert_eq!(again, file[..end]);
                assert!(how != LogEnd::Clean || file[end..].iter().take(12).all(|byte| *byte == 0));
                let how = if let LogEnd::Corrupt { reason, .. } = how { reason.into() } else { format!("{how:?}") };
                format!("ok {} {how}", txns.len().min(3))
            }
            Err(error) => kind_of(error),
        }
    },
};

/// Files in memory.
#[derive(Clone, Debug, Default)]
struct Disk(BTreeMap<(Dir, String), Vec<u8>>);

impl Files for Disk {
    fn list(&self, dir: Dir) -> Result<Vec<(String, u64)>, StoreError> {
        let here = self.0.iter().filter(|((at, _), _)| *at == dir);
        Ok(here.map(|((_, name), bytes)| (name.clone(), bytes.len() as u64)).collect())
    }

    fn read(&self, dir: Dir, name: &str) -> Result<Vec<u8>, StoreError> {
        let missing = || StoreError::Io { name: name.into(), reason: "no such file".into() };
        self.0.get(&(dir, name.to_owned())).cloned().ok_or_else(missing)
    }
}

impl Disk {
    fn execute(&mut self, op: FileOp) {
        match op {
            FileOp::Write { dir, name, at, bytes } => {
                let (file, at) = (self.0.entry((dir, name)).or_default(), at as usize);
                file.resize(file.len().max(at + bytes.len()), 0);
                file[at..at + bytes.len()].copy_from_slice(&bytes);
            }
            FileOp::SetLength { dir, name, length } => {
                self.0.entry((dir, name)).or_default().resize(length as usize, 0);
            }
            FileOp::Rename { dir, from, to } => {
                let file = self.0.remove(&(dir, from)).expect("what is renamed is there");
                self.0.insert((dir, to), file);
            }
            FileOp::Remove { dir, name } => drop(self.0.remove(&(dir, name))),
            FileOp::Sync { .. } | FileOp::SyncDir(_) => {}
        }
    }

    /// A history as servers leave it, with `bytes` for one of its files.
    fn with(which: u8, bytes: &[u8]) -> Disk {
        let captured = captured_log();
        let mut disk = Disk::default();
        let mut put = |dir, name: &str, bytes: &[u8]| disk.0.insert((dir, name.to_owned()), bytes.to_vec());
        put(Dir::Data, "snapshot.0", &captured_snapshot());
        put(Dir::Data, "acceptedEpoch", b"1");
        put(Dir::Data, "currentEpoch", b"1");
        put(Dir::Log, "log.100000001", &captured);
        let names =
            ["snapshot.100000002", "acceptedEpoch", "currentEpoch", "log.100000001", "log.100000005", "installing.1"];
        let name = names[usize::from(which) % names.len()];
        put(if name.starts_with("log") { Dir::Log } else { Dir::Data }, name, bytes);
        disk
    }

    fn recover(&mut self) -> Result<(Found, u64), StoreError> {
        let shared = Shared(RefCell::new(std::mem::take(self)));
        let state = RefCell::new((None, 0));
        let restore = |_, file: SnapshotFile| {
            state.borrow_mut().0 = Some(Tree::restore(file.body).map_err(|error| error.to_string())?.0);
            Ok(())
        };
        let apply = |txn: &zabsim::zab::Txn| {
            // What the service makes of a record that is no txn is its own affair.
            state.borrow_mut().1 += u64::from(decode_txn(txn.payload.as_bytes()).is_ok());
            Ok(())
        };
        let execute = |op| {
            shared.0.borrow_mut().execute(op);
            Ok(())
        };
        let found = recover(&shared, 3, restore, apply, execute);
        *self = shared.0.into_inner();
        let (tree, applied) = state.into_inner();
        Ok((found?, applied + tree.map_or(0, |tree| tree.freeze().digest())))
    }
}

/// The same files, read while they are written.
struct Shared(RefCell<Disk>);

impl Files for Shared {
    fn list(&self, dir: Dir) -> Result<Vec<(String, u64)>, StoreError> {
        self.0.borrow().list(dir)
    }

    fn read(&self, dir: Dir, name: &str) -> Result<Vec<u8>, StoreError> {
        self.0.borrow().read(dir, name)
    }
}

/// Which file of a data directory it is, and its content.
pub const DIRECTORY: Decoder = Decoder {
    name: "data directory",
    seeds: || {
        let next = samples(generate::txns(), 3).into_iter().enumerate().map(|(index, mut txn)| {
            txn.header.zxid = Zxid(0x1_0000_0005 + index as i64);
            written(|out| encode_txn(&txn, out))
        });
        let snapshot = snapshot_file(&samples(generate::snapshots(), 1)[0], Some(9), true);
        let files =
            [snapshot.clone(), b"1".into(), b"1\n".into(), captured_log(), log_of(&next.collect::<Vec<_>>()), snapshot];
        files.iter().enumerate().map(|(which, bytes)| [vec![which as u8], bytes.clone()].concat()).collect()
    },
    check: |bytes| {
        let Some((&which, bytes)) = bytes.split_first() else { return "too short".into() };
        let mut disk = Disk::with(which, bytes);
        let all: Vec<u8> = disk.0.values().flatten().copied().collect();
        match measured(&all, || disk.recover()) {
            Ok((found, state)) => {
                let recovered = &found.recovered;
                assert!(recovered.last_zxid == Zxid::MISSING || recovered.base <= recovered.last_zxid);
                assert!(recovered.recent.last().is_none_or(|txn| txn.zxid == recovered.last_zxid));
                let (again, same) = disk.recover().expect("what was recovered once is again");
                assert_eq!((&again.recovered, same), (recovered, state));
                for from in [Zxid(0), Zxid(0x1_0000_0002)] {
                    drop(measured(&all, || read_log(&disk, from, Ratio { numerator: 0, denominator: 1 })));
                }
                let notes: Vec<String> = found.notes.iter().map(kind_of).collect();
                format!("ok {} {notes:?} {:?}", which % 6, found.corrupt.map(kind_of))
            }
            Err(error) => format!("{} {}", kind_of(error), which % 6),
        }
    },
};

/// A `zoo.cfg`, and behind a zero byte the `myid` and every other file it names.
pub const CONFIGURATION: Decoder = Decoder {
    name: "configuration",
    seeds: || {
        let texts = [
            "tickTime=2000\ndataDir=/d\nclientPort=2181\n\x001\n",
            "tickTime=2000\ninitLimit=5\nsyncLimit=2\ndataDir=/d\nclientPort=2181\nserver.1=a:1:2\nserver.2=[::1]:3:4:observer;5\n\x002",
            "dataDir=/d\ninitLimit=5\nsyncLimit=2\ndynamicConfigFile=/x\n\x00server.1=a:1:2:participant;0.0.0.0:9\n",
            "dataDir=/d\\\n  /e\njute.maxbuffer=0xfffff\ngroup.1=1:2\nweight.1=3\nserver.1=a:1:2\nserver.2=b:1:2\n\x001",
            "dataDir : /d\u{e9}\\u00e9\n! a comment\nautopurge.purgeInterval=1\n4lw.commands.whitelist=stat, ruok\n\x00",
        ];
        texts.into_iter().map(|text| text.as_bytes().to_vec()).collect()
    },
    check: |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let (config, other) = text.split_once('\0').unwrap_or((&text, ""));
        let read = ServerConfig::parse(Source::new("zoo.cfg", config), &mut |_: &Path| Ok(other.to_owned()));
        let complaints = match &read {
            Ok((_, warnings)) => warnings,
            Err(errors) => errors,
        };
        for complaint in complaints {
            let _ = (complaint.to_string(), complaint.place());
            let on_characters = |span: &std::ops::Range<usize>| complaint.source.text.get(span.clone()).is_some();
            assert!(complaint.span.as_ref().is_none_or(on_characters), "{complaint:?}");
        }
        let kinds: Vec<String> = complaints.iter().map(|complaint| kind_of(&complaint.message)).take(2).collect();
        format!("ok {} {kinds:?}", read.is_ok())
    },
};
