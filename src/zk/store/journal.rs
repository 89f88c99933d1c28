//! The journal: writes in, file operations out.

use super::log::{self, LogEnd, LogReader, encode_record};
use super::names::{aside_name, installing_name, starting_name};
use super::recovery::snapshots;
use super::snapshot::{read_snapshot, write_aside, write_snapshot};
use super::{Dir, FileName, FileOp, Files, StoreError, Trailers, log_name, snapshot_name};
use crate::zab::{Epoch, Payload, Write, WriteId, Zxid};

/// The room that is left before a log is extended.
const ROOM: u64 = 4096;

/// How a journal writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalSettings {
    /// By how many bytes a log is extended at a time (`preAllocSize`, there in KiB); 0 for never.
    pub preallocate: u64,
    /// What stands behind a snapshot.
    pub last_zxid_trailer: bool,
}

impl Default for JournalSettings {
    fn default() -> JournalSettings {
        JournalSettings { preallocate: 64 << 20, last_zxid_trailer: true }
    }
}

impl JournalSettings {
    /// What stands behind a snapshot of that digest.
    pub fn trailers(&self, digest: Option<u64>) -> Trailers {
        Trailers { digest, last_zxid: self.last_zxid_trailer }
    }
}

/// A write of the core, with the state where it is a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalWrite {
    /// Anything but a snapshot.
    Plain(WriteId, Write),
    /// The state of the service.
    Snapshot {
        /// The write's number.
        id: WriteId,
        /// The last txn in it.
        zxid: Zxid,
        /// The state.
        chunks: Vec<Payload>,
        /// Its digest.
        digest: Option<u64>,
    },
    /// A snapshot that somebody else writes, by [`write_snapshot`], while this journal goes on: the next txn begins a
    /// new log. Until it is written nothing may be cut or installed.
    SnapshotBeside(WriteId),
}

impl JournalWrite {
    /// Its number.
    pub fn id(&self) -> WriteId {
        match self {
            JournalWrite::Plain(id, _) | JournalWrite::Snapshot { id, .. } | JournalWrite::SnapshotBeside(id) => *id,
        }
    }
}

/// A log that is being written.
#[derive(Clone, Debug)]
struct Open {
    name: String,
    /// Behind the last record.
    at: u64,
    /// The length of the file.
    size: u64,
    /// Records that no operation carries yet; they end at `at`.
    records: Vec<u8>,
}

/// What is being written, and what must be synced.
#[derive(Clone, Debug)]
pub struct Journal {
    settings: JournalSettings,
    open: Option<Open>,
    /// Logs with operations that no sync covers.
    unsynced: Vec<String>,
    /// Whether a log was created since the directory was synced.
    created: bool,
}

impl Journal {
    /// After a recovery: the next txn begins a new log.
    pub fn new(settings: JournalSettings) -> Journal {
        Journal { settings, open: None, unsynced: Vec::new(), created: false }
    }

    /// Turns a batch of writes into operations; when all of them are executed, all of the writes are durable. With `sync` off
    /// appends are only written (`forceSync=no`), also those before a snapshot of our own.
    pub fn batch(
        &mut self,
        writes: Vec<JournalWrite>,
        files: &impl Files,
        sync: bool,
        mut execute: impl FnMut(FileOp) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut ops = Vec::new();
        let mut writes = writes.into_iter().peekable();
        while let Some(write) = writes.next() {
            match write {
                JournalWrite::Plain(_, Write::Append(txn)) => self.append(txn.zxid, txn.payload.as_bytes(), &mut ops),
                JournalWrite::Plain(_, Write::AcceptedEpoch(epoch)) => self.epoch("acceptedEpoch", epoch, &mut ops),
                JournalWrite::Plain(_, Write::CurrentEpoch(epoch)) => self.epoch("currentEpoch", epoch, &mut ops),
                JournalWrite::Snapshot { zxid, chunks, digest, .. } => {
                    let install = |next: &JournalWrite| matches!(next, JournalWrite::Plain(_, Write::InstallSnapshot { zxid: own }) if *own == zxid);
                    let received = writes.peek().is_some_and(install);
                    self.roll(sync || received, &mut ops);
                    run(&mut ops, &mut execute)?;
                    let trailers = self.settings.trailers(digest);
                    if received {
                        write_aside(zxid, chunks, trailers, &mut execute)?;
                    } else {
                        write_snapshot(zxid, chunks, trailers, &mut execute)?;
                    }
                }
                JournalWrite::SnapshotBeside(_) => self.roll(sync, &mut ops),
                JournalWrite::Plain(_, write) => {
                    // These look at the files, so what was asked for before must be there.
                    self.flush(&mut ops);
                    run(&mut ops, &mut execute)?;
                    match write {
                        Write::Truncate { to } => self.truncate(to, files, &mut ops)?,
                        Write::InstallSnapshot { zxid } => self.install(zxid, files, &mut ops)?,
                        _ => {}
                    }
                }
            }
            run(&mut ops, &mut execute)?;
        }
        self.flush(&mut ops);
        if sync {
            ops.extend(self.unsynced.drain(..).map(|name| FileOp::Sync { dir: Dir::Log, name }));
            if std::mem::take(&mut self.created) {
                ops.push(FileOp::SyncDir(Dir::Log));
            }
        } else {
            self.unsynced.clear();
        }
        run(&mut ops, &mut execute)
    }

    fn append(&mut self, zxid: Zxid, txn: &[u8], ops: &mut Vec<FileOp>) {
        let open = self.open.get_or_insert_with(|| {
            let name = log_name(zxid);
            // ZooKeeper refuses a log without its header, so there never is one. A file of that name has nothing but a torn record.
            let (dir, from, bytes) = (Dir::Log, starting_name(zxid), log::header().to_vec());
            ops.push(FileOp::SetLength { dir, name: from.clone(), length: 0 });
            ops.push(FileOp::Write { dir, name: from.clone(), at: 0, bytes });
            ops.push(FileOp::Sync { dir, name: from.clone() });
            ops.push(FileOp::Rename { dir, from, to: name.clone() });
            self.created = true;
            Open { name, at: log::HEADER as u64, size: log::HEADER as u64, records: Vec::new() }
        });
        let before = open.records.len();
        encode_record(txn, &mut open.records);
        open.at += (open.records.len() - before) as u64;
        if self.settings.preallocate > 0 && open.at + ROOM >= open.size {
            let step = self.settings.preallocate;
            open.size = if open.at > open.size { (open.at + step) / step * step } else { open.size + step };
            ops.push(FileOp::SetLength { dir: Dir::Log, name: open.name.clone(), length: open.size });
        }
    }

    /// Writes the records that wait, in one operation.
    fn flush(&mut self, ops: &mut Vec<FileOp>) {
        let Some(open) = &mut self.open else { return };
        if open.records.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut open.records);
        let at = open.at - bytes.len() as u64;
        if !self.unsynced.contains(&open.name) {
            self.unsynced.push(open.name.clone());
        }
        ops.push(FileOp::Write { dir: Dir::Log, name: open.name.clone(), at, bytes });
    }

    fn epoch(&mut self, name: &str, epoch: Epoch, ops: &mut Vec<FileOp>) {
        // What was appended before is durable before.
        self.sync_log(ops);
        replace(name, epoch.0.to_string().into_bytes(), ops);
    }

    fn sync_log(&mut self, ops: &mut Vec<FileOp>) {
        self.flush(ops);
        ops.extend(self.unsynced.drain(..).map(|name| FileOp::Sync { dir: Dir::Log, name }));
        if std::mem::take(&mut self.created) {
            ops.push(FileOp::SyncDir(Dir::Log));
        }
    }

    /// The next txn begins a new log (`FileTxnLog.rollLog`). With `sync` the one that ends is durable.
    fn roll(&mut self, sync: bool, ops: &mut Vec<FileOp>) {
        self.flush(ops);
        if let Some(Open { name, at, size, .. }) = self.open.take()
            && size > at
        {
            // Nobody will have to read the zeros behind it.
            ops.push(FileOp::SetLength { dir: Dir::Log, name, length: at });
        }
        if sync {
            self.sync_log(ops);
        }
    }

    fn install(&mut self, zxid: Zxid, files: &impl Files, ops: &mut Vec<FileOp>) -> Result<(), StoreError> {
        self.roll(true, ops);
        let (from, to) = (aside_name(&snapshot_name(zxid)), installing_name(zxid));
        ops.push(FileOp::Rename { dir: Dir::Data, from, to });
        finish_install(zxid, files, ops)
    }

    fn truncate(&mut self, to: Zxid, files: &impl Files, ops: &mut Vec<FileOp>) -> Result<(), StoreError> {
        leaves_a_history(to, files)?;
        self.roll(true, ops);
        for (name, _) in files.list(Dir::Data)? {
            if matches!(FileName::of(&name), FileName::Snapshot(zxid) if zxid > to) {
                ops.push(FileOp::Remove { dir: Dir::Data, name });
            }
        }
        ops.push(FileOp::SyncDir(Dir::Data));
        let mut logs = logs(files)?;
        while let Some((start, name)) = logs.pop() {
            if start > to {
                ops.push(FileOp::Remove { dir: Dir::Log, name });
                ops.push(FileOp::SyncDir(Dir::Log));
                continue;
            }
            let bytes = files.read(Dir::Log, &name)?;
            let mut reader = LogReader::new(&name, &bytes)?;
            let (mut keep, mut keeps, mut beyond) = (reader.position(), false, false);
            while let Some(txn) = reader.next_txn() {
                if txn.zxid <= to {
                    (keep, keeps) = (reader.position(), true);
                } else {
                    beyond = true;
                }
            }
            // What is behind the damage may be something to keep; cut off, nobody would ever know that it was there.
            if let (false, Some(LogEnd::Corrupt { at, reason })) = (beyond, reader.end()) {
                let reason = format!("the record at {at} is damaged ({reason})");
                return Err(StoreError::Malformed { name, reason });
            }
            ops.push(FileOp::SetLength { dir: Dir::Log, name: name.clone(), length: keep });
            ops.push(FileOp::Sync { dir: Dir::Log, name });
            // A file that a crash left with nothing whole in it hides an older one that goes on beyond its name.
            if keeps {
                break;
            }
        }
        Ok(())
    }
}

/// Whether a cut leaves something to go on from. Recovery vouches for one snapshot, the newest it could read: one that the cut
/// keeps may be damaged, or a purge that nobody has heard of yet has removed it.
fn leaves_a_history(to: Zxid, files: &impl Files) -> Result<(), StoreError> {
    let snapshots = snapshots(files)?;
    if to == Zxid::ZERO || snapshots.last().is_none_or(|newest| *newest <= to) {
        return Ok(());
    }
    let refused = |name: String, why: &str| {
        let reason = format!(
            "{why}, so nothing would be left of the history if it were cut to {to}. It is as it was; empty the folder, and the leader \
             gives this server its state"
        );
        Err(StoreError::Malformed { name, reason })
    };
    match snapshots.iter().rev().find(|zxid| **zxid <= to).map(|zxid| snapshot_name(*zxid)) {
        Some(name) => match read_snapshot(&name, &files.read(Dir::Data, &name)?) {
            Ok(_) => Ok(()),
            Err(error) => refused(name, &error.to_string()),
        },
        None if logs(files)?.first().is_some_and(|(start, _)| start.counter() == 1 && *start <= to) => Ok(()),
        None => refused(snapshot_name(snapshots[0]), "no snapshot is older"),
    }
}

fn run(ops: &mut Vec<FileOp>, execute: &mut impl FnMut(FileOp) -> Result<(), StoreError>) -> Result<(), StoreError> {
    ops.drain(..).try_for_each(execute)
}

/// Replaces a file, so that a crash leaves the old or the new one.
fn replace(name: &str, bytes: Vec<u8>, ops: &mut Vec<FileOp>) {
    let (dir, aside, to) = (Dir::Data, aside_name(name), name.to_owned());
    ops.push(FileOp::SetLength { dir, name: aside.clone(), length: 0 });
    ops.push(FileOp::Write { dir, name: aside.clone(), at: 0, bytes });
    ops.push(FileOp::Sync { dir, name: aside.clone() });
    ops.push(FileOp::Rename { dir, from: aside, to });
    ops.push(FileOp::SyncDir(dir));
}

/// The logs, oldest first.
pub(super) fn logs(files: &impl Files) -> Result<Vec<(Zxid, String)>, StoreError> {
    let mut logs: Vec<(Zxid, String)> = Vec::new();
    for (name, _) in files.list(Dir::Log)? {
        if let FileName::Log(start) = FileName::of(&name) {
            logs.push((start, name));
        }
    }
    logs.sort();
    Ok(logs)
}

/// What is left to do once a received snapshot is decided.
pub(super) fn finish_install(zxid: Zxid, files: &impl Files, ops: &mut Vec<FileOp>) -> Result<(), StoreError> {
    // A recovery that finds the decision may have it from the page cache only: no log goes before it is on the platter.
    ops.push(FileOp::SyncDir(Dir::Data));
    for (_, name) in logs(files)? {
        ops.push(FileOp::Remove { dir: Dir::Log, name });
    }
    ops.push(FileOp::SyncDir(Dir::Log));
    for (name, _) in files.list(Dir::Data)? {
        if matches!(FileName::of(&name), FileName::Snapshot(_)) {
            ops.push(FileOp::Remove { dir: Dir::Data, name });
        }
    }
    // Only when the others are gone for good: a newer one of the old history would be preferred to it.
    ops.push(FileOp::SyncDir(Dir::Data));
    ops.push(FileOp::Rename { dir: Dir::Data, from: installing_name(zxid), to: snapshot_name(zxid) });
    ops.push(FileOp::SyncDir(Dir::Data));
    Ok(())
}
