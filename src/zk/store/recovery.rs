//! Reading a data directory: at boot, to reload, and for a lagging learner (`FileTxnSnapLog.restore`).

use std::collections::VecDeque;

use super::journal::{finish_install, logs};
use super::log::{LogEnd, LogReader};
use super::{Dir, FileName, FileOp, Files, SnapshotFile, StoreError, read_snapshot, snapshot_name};
use crate::zab::{Epoch, LogSlice, Ratio, Recovered, Txn, Zxid};

/// What a data directory holds.
#[derive(Debug)]
pub struct Found {
    /// For the core.
    pub recovered: Recovered,
    /// The snapshot that it began with; `None` for a new server and for one without data.
    pub snapshot: Option<Zxid>,
    /// A record that is whole and wrong, in which file: whatever follows it is lost, and may have been acknowledged, so this
    /// server counts as one without data until somebody gives it theirs.
    pub corrupt: Option<String>,
    /// What is worth telling an operator.
    pub notes: Vec<String>,
}

/// What a folder without a snapshot is taken for. A server writes one before anything else, so a folder without any has lost them, or
/// is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// An empty folder is that of a new server, and not of one that lost its data (`zookeeper.db.autocreate`; the file `initialize`
    /// says so for once).
    pub new_if_empty: bool,
    /// A log without a snapshot is a whole history (`zookeeper.snapshot.trust.empty`).
    pub trust_log: bool,
}

impl Beginning {
    /// Whatever is there is everything there ever was.
    pub const TRUSTED: Beginning = Beginning { new_if_empty: true, trust_log: true };
    /// ZooKeeper's default.
    pub const DEFAULT: Beginning = Beginning { new_if_empty: true, trust_log: false };
}

/// The same as [`recover_from`], with whatever is there taken for everything there ever was.
pub fn recover(
    files: &impl Files,
    window: usize,
    restore: impl FnMut(Zxid, SnapshotFile) -> Result<(), String>,
    apply: impl FnMut(&Txn) -> Result<(), String>,
    execute: impl FnMut(FileOp) -> Result<(), StoreError>,
) -> Result<Found, StoreError> {
    recover_from(Beginning::TRUSTED, files, window, restore, apply, execute)
}

/// Reads the newest good snapshot and the log behind it. `restore` gets what the snapshot holds, `apply` each txn that follows; both
/// say in a sentence why they cannot. `execute` cleans up what a crash left behind.
pub fn recover_from(
    beginning: Beginning,
    files: &impl Files,
    window: usize,
    mut restore: impl FnMut(Zxid, SnapshotFile) -> Result<(), String>,
    mut apply: impl FnMut(&Txn) -> Result<(), String>,
    mut execute: impl FnMut(FileOp) -> Result<(), StoreError>,
) -> Result<Found, StoreError> {
    let mut notes = Vec::new();
    clean_up(files, &mut notes, &mut execute)?;
    let (accepted_epoch, current_epoch) = (read_epoch(files, "acceptedEpoch")?, read_epoch(files, "currentEpoch")?);
    let snapshots = snapshots(files)?;
    let mut newest = None;
    let mut first_error = None;
    for zxid in snapshots.iter().rev().copied() {
        let name = snapshot_name(zxid);
        let bytes = files.read(Dir::Data, &name)?;
        match read_snapshot(&name, &bytes) {
            Ok(snapshot) => {
                restore(zxid, snapshot).map_err(|reason| StoreError::Service { name, reason })?;
                newest = Some(zxid);
                break;
            }
            Err(error) => {
                notes.push(format!("skipped: {error}"));
                first_error.get_or_insert(error);
            }
        }
    }
    if let (None, Some(error)) = (newest, &first_error) {
        return Err(StoreError::NoSnapshot(error.to_string()));
    }
    let from = newest.unwrap_or(Zxid::ZERO);
    let (mut zxids, mut recent, mut last, mut corrupt) = (Vec::new(), VecDeque::<Txn>::new(), from, None);
    // A history with a hole is none: this server must not be counted as one that has what is before or behind it.
    let mut gap = false;
    let logs = logs(files)?;
    // Older ones only say how far back the history goes: what is damaged there is missed by nobody.
    let needed = first_needed(files, &logs, from)?;
    let mut whole_from = Zxid::ZERO;
    'logs: for (index, (_, name)) in logs.iter().enumerate() {
        let name = name.as_str();
        let bytes = files.read(Dir::Log, name)?;
        let mut reader = match LogReader::new(name, &bytes) {
            Err(error) if index < needed => {
                notes.push(format!("skipped, and not needed: {error}"));
                (whole_from, recent) = (logs[index + 1].0, VecDeque::new());
                continue;
            }
            reader => reader?,
        };
        while let Some(txn) = reader.next_txn() {
            if zxids.last().is_some_and(|last| txn.zxid <= *last) {
                notes.push(format!("{name}: {} is not greater than what came before it; skipped", txn.zxid));
                continue;
            }
            if newest.is_none() && !beginning.trust_log {
                return Err(StoreError::LogWithoutSnapshot(name.to_owned()));
            }
            zxids.push(txn.zxid);
            if txn.zxid > from {
                if !txn.zxid.follows(last) {
                    notes.push(format!("{name}: {} follows {last}; what was between them is lost", txn.zxid));
                    gap = true;
                    break 'logs;
                }
                apply(&txn).map_err(|reason| StoreError::Service { name: name.to_owned(), reason })?;
                last = txn.zxid;
            }
            if recent.back().is_some_and(|before| !txn.zxid.follows(before.zxid)) {
                recent.clear();
            }
            if recent.len() == window {
                recent.pop_front();
            }
            recent.push_back(txn);
        }
        match reader.end() {
            Some(LogEnd::Corrupt { at, reason }) if index < needed => {
                notes
                    .push(format!("{name}: the record at {at} is damaged ({reason}); no record of this log is needed"));
                (whole_from, recent) = (logs[index + 1].0, VecDeque::new());
            }
            Some(LogEnd::Corrupt { at, reason }) => {
                corrupt = Some(format!("{name}: the record at {at} is damaged ({reason}), behind {last}"));
                break;
            }
            Some(LogEnd::Torn) => notes.push(format!("{name}: ends in a torn record, which was never synced")),
            _ => {}
        }
    }
    let is_lost = newest.is_none() && last == Zxid::ZERO && !beginning.new_if_empty;
    let recovered = if corrupt.is_some() || gap || is_lost {
        let (last_zxid, base) = (Zxid::MISSING, Zxid::ZERO);
        Recovered { accepted_epoch, current_epoch, last_zxid, base, recent: Vec::new() }
    } else {
        let whole: Vec<Zxid> = snapshots.iter().copied().filter(|zxid| *zxid >= whole_from).collect();
        let base = newest.map_or(Zxid::ZERO, |newest| base(&whole, newest, &zxids));
        let recent = if recent.back().is_some_and(|txn| txn.zxid <= last) { recent.into() } else { Vec::new() };
        Recovered { accepted_epoch, current_epoch, last_zxid: last, base, recent }
    };
    let snapshot = newest.filter(|_| recovered.last_zxid != Zxid::MISSING);
    Ok(Found { recovered, snapshot, corrupt, notes })
}

/// The log that holds what comes behind `from`, or the last one before it. One that a crash left with nothing whole in it hides an
/// older one that goes on beyond its name.
fn first_needed(files: &impl Files, logs: &[(Zxid, String)], from: Zxid) -> Result<usize, StoreError> {
    let mut first = logs.partition_point(|(start, _)| *start <= from).saturating_sub(1);
    while first > 0 {
        let bytes = files.read(Dir::Log, &logs[first].1)?;
        if LogReader::new(&logs[first].1, &bytes).map_or(true, |mut reader| reader.next_txn().is_some()) {
            break;
        }
        first -= 1;
    }
    Ok(first)
}

/// How far the history can be cut back: the oldest snapshot from which the log goes on without a gap.
fn base(snapshots: &[Zxid], newest: Zxid, zxids: &[Zxid]) -> Zxid {
    let continues = |from: Zxid| {
        let behind = &zxids[zxids.partition_point(|zxid| *zxid <= from)..];
        let chain = std::iter::once(&from).chain(behind).zip(behind).take_while(|(_, next)| **next <= newest);
        // The marker of an epoch follows everything before it, and is in no log.
        let whole = chain.clone().all(|(before, next)| next.follows(*before));
        let end = chain.last().map_or(from, |(_, next)| *next);
        whole && (end == newest || newest.is_marker())
    };
    let older = snapshots.iter().rev().skip_while(|zxid| **zxid >= newest);
    older.copied().take_while(|zxid| continues(*zxid)).last().unwrap_or(newest)
}

fn clean_up(
    files: &impl Files,
    notes: &mut Vec<String>,
    execute: &mut impl FnMut(FileOp) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for (name, _) in files.list(Dir::Log)? {
        if FileName::of(&name) == FileName::Leftover {
            execute(FileOp::Remove { dir: Dir::Log, name })?;
        }
    }
    for (name, _) in files.list(Dir::Data)? {
        match FileName::of(&name) {
            FileName::Leftover => execute(FileOp::Remove { dir: Dir::Data, name })?,
            FileName::Installing(zxid) => {
                notes.push(format!("{name}: a received snapshot is installed to its end"));
                let mut ops = Vec::new();
                finish_install(zxid, files, &mut ops)?;
                ops.into_iter().try_for_each(&mut *execute)?;
            }
            FileName::Compressed(_) => {
                let reason = "compressed snapshots are not read: start ZooKeeper once with \
                              zookeeper.snapshot.compression.method=CHECKED, or remove it if an older one will do";
                return Err(StoreError::Malformed { name, reason: reason.into() });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The snapshots, oldest first.
pub(super) fn snapshots(files: &impl Files) -> Result<Vec<Zxid>, StoreError> {
    let names = files.list(Dir::Data)?;
    let mut snapshots: Vec<Zxid> = Vec::new();
    for (name, _) in names {
        if let FileName::Snapshot(zxid) = FileName::of(&name) {
            snapshots.push(zxid);
        }
    }
    snapshots.sort_unstable();
    Ok(snapshots)
}

fn read_epoch(files: &impl Files, name: &str) -> Result<Option<Epoch>, StoreError> {
    if !files.list(Dir::Data)?.iter().any(|(found, _)| found == name) {
        return Ok(None);
    }
    let bytes = files.read(Dir::Data, name)?;
    let text = String::from_utf8_lossy(&bytes);
    // ZooKeeper reads the first line.
    let text = text.lines().next().unwrap_or_default().trim();
    let malformed = || StoreError::Malformed {
        name: name.into(),
        reason: format!("expected a number, found {:?}", text.chars().take(20).collect::<String>()),
    };
    text.parse().map(|epoch| Some(Epoch(epoch))).map_err(|_| malformed())
}

/// The txns from the last one at or before `from` to the end, if the log reaches back that far and is worth sending.
pub fn read_log(files: &impl Files, from: Zxid, size_factor: Ratio) -> Result<LogSlice, StoreError> {
    let lengths = files.list(Dir::Log)?;
    let logs = logs(files)?;
    let first = first_needed(files, &logs, from)?;
    let length = |name: &str| lengths.iter().find(|(found, _)| found == name).map_or(0, |(_, length)| *length);
    let bytes: u64 = logs.iter().skip(first + 1).map(|(_, name)| length(name)).sum();
    let newest = snapshots(files)?.last().map_or(0, |newest| {
        let name = snapshot_name(*newest);
        let list = files.list(Dir::Data).unwrap_or_default();
        list.iter().find(|(found, _)| *found == name).map_or(0, |(_, length)| *length)
    });
    let limit = size_factor.of(newest);
    if limit > 0 && bytes > limit {
        return Ok(LogSlice::TooLarge);
    }
    let mut txns: Vec<Txn> = Vec::new();
    for (_, name) in &logs[first..] {
        let bytes = files.read(Dir::Log, name)?;
        let mut reader = LogReader::new(name, &bytes)?;
        while let Some(txn) = reader.next_txn() {
            if txn.zxid <= from {
                txns.clear();
            }
            match txns.last() {
                Some(last) if txn.zxid <= last.zxid => {}
                // A log between these two is gone, or a snapshot has what was never logged.
                Some(last) if !txn.zxid.follows(last.zxid) => return Ok(LogSlice::Purged),
                _ => txns.push(txn),
            }
        }
        if matches!(reader.end(), Some(LogEnd::Corrupt { .. })) {
            return Ok(LogSlice::Purged);
        }
    }
    let reaches_back = txns.first().is_some_and(|txn| txn.zxid <= from || txn.zxid.counter() == 1);
    Ok(if reaches_back { LogSlice::Txns(txns) } else { LogSlice::Purged })
}
