//! The two directories of a server: file operations executed, and files read, for [`store`](crate::zk::store).
//!
//! What a server makes only its own user can read: it holds what ACLs keep from others.

use std::cell::{Cell, RefCell};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::config::StoreOptions;
use crate::zab::{WriteError, Zxid};
use crate::zk::store::{self, Dir, FileName, FileOp, Files, SEAL_END, StoreError};

/// Both directories, with the file that is written to most.
pub(super) struct Folders {
    data: PathBuf,
    log: PathBuf,
    /// The file that was written last.
    open: RefCell<Option<(String, File)>>,
    /// Held for as long as the server runs: two servers that write into one folder leave nothing of either.
    _locks: Vec<File>,
    /// What the operating system said when something could not be done.
    refused: Cell<Option<io::ErrorKind>>,
}

impl Folders {
    /// Makes the directories if they are not there.
    pub(super) fn open(options: &StoreOptions) -> Result<Folders, StoreError> {
        let make = |dir: &Path| {
            let dir = dir.join("version-2");
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&dir);
            made.map_err(|error| refusal(&dir.display().to_string(), &error)).map(|()| dir)
        };
        let (data, mut log) = (make(&options.data_dir)?, make(&options.log_dir)?);
        if is_same(&data, &log) {
            log.clone_from(&data);
        }
        let mut locks = vec![lock(&data)?];
        if log != data {
            locks.push(lock(&log)?);
        }
        Ok(Folders { data, log, open: RefCell::new(None), _locks: locks, refused: Cell::new(None) })
    }

    /// The first file that is in the folder of the other kind, if the folders differ (`FileTxnSnapLog.checkLogDir`,
    /// `checkSnapDir`). Nobody would look for it there: with its logs left behind, a server is back at its last snapshot.
    pub(super) fn misplaced(&self) -> Result<Option<(Dir, String)>, StoreError> {
        if self.log == self.data {
            return Ok(None);
        }
        for (dir, foreign) in [(Dir::Data, "log."), (Dir::Log, "snapshot.")] {
            if let Some((name, _)) = self.list(dir)?.into_iter().find(|(name, _)| name.starts_with(foreign)) {
                return Ok(Some((dir, name)));
            }
        }
        Ok(None)
    }

    /// Executes an operation.
    pub(super) fn execute(&self, op: FileOp) -> Result<(), StoreError> {
        let name = match &op {
            FileOp::Write { name, .. } | FileOp::SetLength { name, .. } => name.clone(),
            FileOp::Sync { name, .. } | FileOp::Remove { name, .. } => name.clone(),
            FileOp::Rename { from, .. } => from.clone(),
            FileOp::SyncDir(dir) => self.folder(*dir).display().to_string(),
        };
        self.perform(op).map_err(|error| {
            self.refused.set(Some(error.kind()));
            refusal(&name, &error)
        })
    }

    /// The same directories, for another thread.
    pub(super) fn again(&self) -> Folders {
        let (data, log) = (self.data.clone(), self.log.clone());
        Folders { data, log, open: RefCell::new(None), _locks: Vec::new(), refused: Cell::new(None) }
    }

    /// What the last refusal means to the core.
    pub(super) fn write_error(&self) -> WriteError {
        match self.refused.get() {
            Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => WriteError::Full,
            _ => WriteError::Failed,
        }
    }

    /// Whether the operator left word, for this once, that an empty folder is that of a new server (`initialize`).
    pub(super) fn take_initialize(&self) -> Result<bool, StoreError> {
        let name = self.log.with_file_name("initialize");
        match fs::remove_file(&name) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(refusal(&name.display().to_string(), &error)),
        }
    }

    /// Makes what can be read durable: the process before may have ended between a write and its sync.
    pub(super) fn sync_all(&self) -> Result<(), StoreError> {
        for dir in [Dir::Log, Dir::Data] {
            for (name, _) in self.list(dir)? {
                if name.starts_with("log.") {
                    self.execute(FileOp::Sync { dir, name })?;
                }
            }
            self.execute(FileOp::SyncDir(dir))?;
        }
        Ok(())
    }

    /// Removes all but the newest `retain` snapshots, and the logs that nobody needs beside those; returns how many files, and the last
    /// txn of the oldest snapshot that is left.
    pub(super) fn purge(&self, retain: usize) -> Result<(usize, Option<Zxid>), StoreError> {
        let ops = store::purge(self, retain, |name| self.is_whole(name))?;
        let files = ops.iter().filter(|op| matches!(op, FileOp::Remove { .. })).count();
        ops.into_iter().try_for_each(|op| self.execute(op))?;
        Ok((files, self.oldest_snapshot()?))
    }

    /// The last txn of the oldest snapshot.
    pub(super) fn oldest_snapshot(&self) -> Result<Option<Zxid>, StoreError> {
        let snapshot = |name: &str| match FileName::of(name) {
            FileName::Snapshot(zxid) => Some(zxid),
            _ => None,
        };
        Ok(self.list(Dir::Data)?.iter().filter_map(|(name, _)| snapshot(name)).min())
    }

    /// Whether a snapshot ends as a whole one does: what is in it is another question, which only reading all of it answers.
    fn is_whole(&self, name: &str) -> bool {
        let ends_whole = || {
            let file = File::open(self.data.join(name))?;
            let mut end = [0; SEAL_END.len()];
            let at = file.metadata()?.len().checked_sub(end.len() as u64).ok_or(io::ErrorKind::UnexpectedEof)?;
            file.read_exact_at(&mut end, at)?;
            io::Result::Ok(&end == SEAL_END)
        };
        ends_whole().unwrap_or(false)
    }

    fn folder(&self, dir: Dir) -> &Path {
        match dir {
            Dir::Data => &self.data,
            Dir::Log => &self.log,
        }
    }

    fn perform(&self, op: FileOp) -> io::Result<()> {
        match op {
            FileOp::Write { dir, name, at, bytes } => self.with(dir, &name, |file| file.write_all_at(&bytes, at)),
            FileOp::SetLength { dir, name, length } => self.with(dir, &name, |file| file.set_len(length)),
            FileOp::Sync { dir, name } => self.with(dir, &name, File::sync_data),
            FileOp::SyncDir(dir) => File::open(self.folder(dir))?.sync_all(),
            FileOp::Rename { dir, from, to } => {
                self.forget(&from);
                self.forget(&to);
                fs::rename(self.folder(dir).join(from), self.folder(dir).join(to))
            }
            FileOp::Remove { dir, name } => {
                self.forget(&name);
                match fs::remove_file(self.folder(dir).join(name)) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                    done => done,
                }
            }
        }
    }

    fn with(&self, dir: Dir, name: &str, act: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
        let mut open = self.open.borrow_mut();
        if let Some((_, file)) = open.as_ref().filter(|(last, _)| last == name) {
            return act(file);
        }
        let path = self.folder(dir).join(name);
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        act(&file)?;
        *open = Some((name.to_owned(), file));
        Ok(())
    }

    fn forget(&self, name: &str) {
        self.open.borrow_mut().take_if(|(open, _)| open == name);
    }
}

impl Files for Folders {
    fn list(&self, dir: Dir) -> Result<Vec<(String, u64)>, StoreError> {
        let folder = self.folder(dir);
        let list = || {
            let mut found = Vec::new();
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                // Names that are no UTF-8 are none of ours.
                if let Ok(name) = entry.file_name().into_string() {
                    found.push((name, entry.metadata()?.len()));
                }
            }
            found.sort();
            io::Result::Ok(found)
        };
        list().map_err(|error| refusal(&folder.display().to_string(), &error))
    }

    fn read(&self, dir: Dir, name: &str) -> Result<Vec<u8>, StoreError> {
        fs::read(self.folder(dir).join(name)).map_err(|error| refusal(name, &error))
    }
}

/// Whether two names, of which one may be a link, are one folder.
fn is_same(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// A directory that nobody else has. The lock goes with the process, however that ends.
fn lock(folder: &Path) -> Result<File, StoreError> {
    let refused = |error: &io::Error| refusal(&folder.display().to_string(), error);
    let directory = File::open(folder).map_err(|error| refused(&error))?;
    match directory.try_lock() {
        Ok(()) => Ok(directory),
        Err(TryLockError::WouldBlock) => {
            let reason = "another server runs in this folder: stop it, or give each a dataDir of its own";
            Err(StoreError::Io { name: folder.display().to_string(), reason: reason.into() })
        }
        // Some network file systems have no locks.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(directory),
        Err(TryLockError::Error(error)) => Err(refused(&error)),
    }
}

fn refusal(name: &str, error: &io::Error) -> StoreError {
    StoreError::Io { name: name.to_owned(), reason: error.to_string() }
}
