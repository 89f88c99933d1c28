//! Two views of the same directories: what was written, and what a power failure leaves for certain.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::zk::store::{self, Dir, FileOp, StoreError};

type Name = (Dir, String);

/// The files as written.
#[derive(Clone, Debug, Default)]
pub(super) struct Cache(BTreeMap<Name, Vec<u8>>);

impl Cache {
    pub(super) fn execute(&mut self, op: &FileOp) {
        match op {
            FileOp::Write { dir, name, at, bytes } => write(self.file(*dir, name), *at, bytes),
            FileOp::SetLength { dir, name, length } => self.file(*dir, name).resize(*length as usize, 0),
            FileOp::Sync { .. } | FileOp::SyncDir(_) => {}
            FileOp::Rename { dir, from, to } => {
                if let Some(file) = self.0.remove(&(*dir, from.clone())) {
                    self.0.insert((*dir, to.clone()), file);
                }
            }
            FileOp::Remove { dir, name } => drop(self.0.remove(&(*dir, name.clone()))),
        }
    }

    /// The files.
    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        self.0.keys()
    }

    fn file(&mut self, dir: Dir, name: &str) -> &mut Vec<u8> {
        self.0.entry((dir, name.to_owned())).or_default()
    }
}

/// Files that are read while they are written.
pub(super) struct Open<'a>(pub(super) &'a RefCell<Cache>);

impl store::Files for Open<'_> {
    fn list(&self, dir: Dir) -> Result<Vec<(String, u64)>, StoreError> {
        self.0.borrow().list(dir)
    }

    fn read(&self, dir: Dir, name: &str) -> Result<Vec<u8>, StoreError> {
        self.0.borrow().read(dir, name)
    }
}

impl store::Files for Cache {
    fn list(&self, dir: Dir) -> Result<Vec<(String, u64)>, StoreError> {
        let own = self.0.iter().filter(|((at, _), _)| *at == dir);
        Ok(own.map(|((_, name), bytes)| (name.clone(), bytes.len() as u64)).collect())
    }

    fn read(&self, dir: Dir, name: &str) -> Result<Vec<u8>, StoreError> {
        let missing = || StoreError::Io { name: name.into(), reason: "no such file".into() };
        self.0.get(&(dir, name.to_owned())).cloned().ok_or_else(missing)
    }
}

/// What happened to the content of a file and no sync covers.
#[derive(Clone, Debug)]
enum Change {
    Write(u64, Vec<u8>),
    Length(u64),
}

/// The content of a file, whatever its name.
#[derive(Clone, Debug, Default)]
struct Inode {
    safe: Vec<u8>,
    unsynced: Vec<Change>,
}

impl Inode {
    fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            match change {
                Change::Write(at, bytes) => write(&mut self.safe, at, &bytes),
                Change::Length(length) => self.safe.resize(length as usize, 0),
            }
        }
    }
}

/// The files as they would be after a power failure, and what is still to become of them: contents and names are synced
/// apart from each other.
#[derive(Clone, Debug, Default)]
pub(super) struct Platter {
    inodes: BTreeMap<u64, Inode>,
    last_inode: u64,
    now: BTreeMap<Name, u64>,
    safe: BTreeMap<Name, u64>,
}

impl Platter {
    pub(super) fn execute(&mut self, op: &FileOp) {
        match op {
            FileOp::Write { dir, name, at, bytes } => {
                self.inode(*dir, name).unsynced.push(Change::Write(*at, bytes.clone()));
            }
            FileOp::SetLength { dir, name, length } => self.inode(*dir, name).unsynced.push(Change::Length(*length)),
            FileOp::Sync { dir, name } => self.inode(*dir, name).sync(),
            FileOp::SyncDir(dir) => {
                let synced = *dir;
                self.safe.retain(|(dir, _), _| *dir != synced);
                let names = self.now.iter().filter(|((dir, _), _)| *dir == synced);
                self.safe.extend(names.map(|(name, inode)| (name.clone(), *inode)));
                self.forget_nameless();
            }
            FileOp::Rename { dir, from, to } => {
                if let Some(inode) = self.now.remove(&(*dir, from.clone())) {
                    self.now.insert((*dir, to.clone()), inode);
                }
            }
            FileOp::Remove { dir, name } => drop(self.now.remove(&(*dir, name.clone()))),
        }
    }

    /// Everything was written out, though nobody asked.
    pub(super) fn write_back(&mut self) {
        self.inodes.values_mut().for_each(Inode::sync);
        self.write_back_names();
    }

    /// The directories were written out, and no file.
    pub(super) fn write_back_names(&mut self) {
        self.safe = self.now.clone();
    }

    /// The power fails. Returns what is left.
    pub(super) fn lose_power(&mut self) -> Cache {
        self.now = self.safe.clone();
        self.inodes.values_mut().for_each(|inode| inode.unsynced.clear());
        self.forget_nameless();
        let content = |inode: &u64| self.inodes.get(inode).map_or_else(Vec::new, |inode| inode.safe.clone());
        Cache(self.now.iter().map(|(name, inode)| (name.clone(), content(inode))).collect())
    }

    fn inode(&mut self, dir: Dir, name: &str) -> &mut Inode {
        let inode = *self.now.entry((dir, name.to_owned())).or_insert_with(|| {
            self.last_inode += 1;
            self.last_inode
        });
        self.inodes.entry(inode).or_default()
    }

    fn forget_nameless(&mut self) {
        let Platter { inodes, now, safe, .. } = self;
        inodes.retain(|inode, _| now.values().chain(safe.values()).any(|named| named == inode));
    }
}

fn write(file: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let (at, end) = (at as usize, at as usize + bytes.len());
    file.resize(file.len().max(end), 0);
    file[at..end].copy_from_slice(bytes);
}
