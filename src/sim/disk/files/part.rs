//! Which operations of a batch belong to which of its writes.
//!
//! ```text
//!  batch of writes ──Journal──▶ operations in order ──split──▶ one part per write, its records cut out of what was joined
//!                                                              │ leftovers of the write before … deciding … done │ tail │
//! ```
//!
//! With a part and those before it, up to its `done`, a write is on the platter. Before its deciding operation it is not,
//! whatever else is.

use super::volume::Platter;
use crate::zab::{Write, WriteId, Zxid};
use crate::zk::store::{Dir, FileName, FileOp, JournalWrite, RECORD_OVERHEAD, snapshot_name};

/// What a write does to files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One record.
    Append {
        length: usize,
    },
    /// An epoch's file is replaced.
    Epoch {
        name: &'static str,
    },
    /// A snapshot of the own state: with it or without, the history is the same.
    Snapshot {
        zxid: Zxid,
    },
    /// One from a leader, which is nothing until it is installed.
    Received,
    Install {
        zxid: Zxid,
    },
    /// Alone in its batch.
    Truncate,
}

impl Kind {
    /// What `write` is, before `next`.
    pub(super) fn of(write: &JournalWrite, next: Option<&JournalWrite>) -> Kind {
        match write {
            JournalWrite::Plain(_, Write::Append(txn)) => {
                Kind::Append { length: txn.payload.as_bytes().len() + RECORD_OVERHEAD }
            }
            JournalWrite::Plain(_, Write::AcceptedEpoch(_)) => Kind::Epoch { name: "acceptedEpoch" },
            JournalWrite::Plain(_, Write::CurrentEpoch(_)) => Kind::Epoch { name: "currentEpoch" },
            JournalWrite::Plain(_, Write::Truncate { .. }) => Kind::Truncate,
            JournalWrite::Plain(_, Write::InstallSnapshot { zxid } | Write::WriteSnapshot { zxid }) => {
                Kind::Install { zxid: *zxid }
            }
            JournalWrite::Snapshot { zxid, .. } => {
                let installs = matches!(next, Some(JournalWrite::Plain(_, Write::InstallSnapshot { .. })));
                if installs { Kind::Received } else { Kind::Snapshot { zxid: *zxid } }
            }
            JournalWrite::SnapshotBeside(_) => unreachable!("simulated disks write their snapshots in turn"),
        }
    }

    /// Whether a write of this kind is on the platter from this operation on, as soon as everything was written out.
    fn is_decided_by(self, op: &FileOp) -> bool {
        match (self, op) {
            (Kind::Append { .. }, FileOp::Write { dir: Dir::Log, name, .. }) => is_log(name),
            (Kind::Epoch { name }, FileOp::Rename { to, .. }) => to == name,
            (Kind::Snapshot { zxid }, FileOp::Rename { from, to, .. }) => {
                FileName::of(from) == FileName::Leftover && *to == snapshot_name(zxid)
            }
            (Kind::Received, FileOp::Sync { dir: Dir::Data, name }) => FileName::of(name) == FileName::Leftover,
            (Kind::Install { zxid }, FileOp::Rename { to, .. }) => FileName::of(to) == FileName::Installing(zxid),
            // From here on it is a shorter history, and not yet the one that was asked for.
            (Kind::Truncate, FileOp::Remove { dir, .. } | FileOp::SetLength { dir, .. }) => *dir == Dir::Log,
            _ => false,
        }
    }

    /// Whether it takes the sync of a directory after that.
    fn is_renamed(self) -> bool {
        matches!(self, Kind::Epoch { .. } | Kind::Snapshot { .. } | Kind::Install { .. })
    }
}

/// The operations of one write.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) id: WriteId,
    kind: Kind,
    pub(super) ops: Vec<FileOp>,
    /// The operation that decides.
    decides: Option<usize>,
    /// How many of them it takes.
    done: usize,
}

/// Whether records are written there: not while a log gets its header.
fn is_log(name: &str) -> bool {
    matches!(FileName::of(name), FileName::Log(_))
}

/// The operations of a batch, write by write.
pub(super) fn split(writes: Vec<(WriteId, Kind)>, ops: Vec<FileOp>) -> Vec<Part> {
    let part = |(id, kind)| Part { id, kind, ops: Vec::new(), decides: None, done: 0 };
    let mut parts: Vec<Part> = writes.into_iter().map(part).collect();
    let mut current = 0;
    for op in ops {
        match op {
            FileOp::Write { dir: Dir::Log, name, mut at, bytes } if is_log(&name) => {
                let mut rest = bytes.as_slice();
                while let Some(Kind::Append { length }) = parts.get(current).map(|part| part.kind)
                    && !rest.is_empty()
                {
                    let (record, others) = rest.split_at(length.min(rest.len()));
                    let op = FileOp::Write { dir: Dir::Log, name: name.clone(), at, bytes: record.to_vec() };
                    current += usize::from(parts[current].take(op));
                    (at, rest) = (at + record.len() as u64, others);
                }
                if !rest.is_empty() {
                    let last = parts.len() - 1;
                    parts[current.min(last)].take(FileOp::Write { dir: Dir::Log, name, at, bytes: rest.to_vec() });
                }
            }
            op => {
                // What comes behind the last write is its tail.
                let last = parts.len() - 1;
                let is_done = parts[current.min(last)].take(op);
                current += usize::from(is_done && current <= last);
            }
        }
    }
    for part in &mut parts {
        part.done = if part.done == 0 { part.ops.len() } else { part.done };
    }
    parts
}

impl Part {
    /// Takes an operation; whether the write is done with it.
    fn take(&mut self, op: FileOp) -> bool {
        if self.decides.is_none() && self.kind.is_decided_by(&op) {
            self.decides = Some(self.ops.len());
        }
        let is_last = match op {
            FileOp::SyncDir(Dir::Data) => self.kind.is_renamed(),
            _ => !self.kind.is_renamed() && self.kind != Kind::Truncate,
        };
        self.ops.push(op);
        if self.done == 0 && self.decides.is_some() && is_last {
            self.done = self.ops.len();
            return true;
        }
        false
    }

    /// The write is on the platter, and whatever was written before it. With `lazy` only what was synced is, if that has to be enough.
    pub(super) fn survive(&self, platter: &mut Platter, lazy: bool) {
        self.ops[..self.done].iter().for_each(|op| platter.execute(op));
        if !lazy || matches!(self.kind, Kind::Append { .. }) {
            platter.write_back();
        }
    }

    /// Some of what comes behind it was done as well.
    pub(super) fn end(&self, platter: &mut Platter, share: Share) {
        let tail = &self.ops[self.done..];
        tail[..share.of(tail.len())].iter().for_each(|op| platter.execute(op));
    }

    /// The write is not on the platter, but something of it is.
    pub(super) fn tear(&self, platter: &mut Platter, share: Share) {
        // A snapshot decides nothing.
        let decides = if matches!(self.kind, Kind::Snapshot { .. } | Kind::Received) { None } else { self.decides };
        let most = decides.unwrap_or(self.ops.len());
        let count = share.of(most);
        self.ops[..count].iter().for_each(|op| platter.execute(op));
        match share.kept() {
            Kept::Synced => {}
            Kept::Names => platter.write_back_names(),
            Kept::Everything => {
                if let Some(FileOp::Write { dir, name, at, bytes }) = self.ops.get(count) {
                    let torn = bytes[..share.of(bytes.len().saturating_sub(1))].to_vec();
                    platter.execute(&FileOp::Write { dir: *dir, name: name.clone(), at: *at, bytes: torn });
                }
                platter.write_back();
            }
        }
    }
}

/// What was written and not synced, and is there all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Synced,
    Names,
    Everything,
}

/// How much of something survives: differs from write to write, and is always the same for the same one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share(u64);

impl Share {
    /// All of it.
    pub(super) const ALL: Share = Share(0);

    /// That of a write, in the `loss`-th power failure.
    pub(super) fn new(id: WriteId, loss: u64) -> Share {
        let mixed = (id.0 ^ loss << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Share((mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16)
    }

    pub(super) fn is_lazy(self) -> bool {
        self.0 & 1 == 0
    }

    /// Of so many, all of them included half of the time.
    fn of(self, most: usize) -> usize {
        if self.0 & 2 == 0 { most } else { (self.0 >> 8) as usize % (most + 1) }
    }

    fn kept(self) -> Kept {
        match self.0 >> 2 & 3 {
            0 => Kept::Synced,
            1 => Kept::Names,
            _ => Kept::Everything,
        }
    }
}
