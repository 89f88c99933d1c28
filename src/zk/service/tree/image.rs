//! A frozen tree, as the bytes of a snapshot and back (`SerializeUtils.serializeSnapshot`, `DataTree.deserialize`): sessions,
//! ACLs, nodes with parents before children, and `/` for the end. What a SNAP carries is this and nothing else; a file has a head
//! before it and seals behind.
//!
//! ```text
//!  Tree ──freeze──▶ Image ──chunks──▶ bytes        the tree goes on changing; pages that it changes are copied first
//!  bytes ──restore──▶ Tree                         whatever the bytes
//! ```

use std::collections::BTreeMap;

use crate::zab::Zxid;
use crate::zk::model::{Acl, Id, SessionId, StatPersisted};
use crate::zk::service::{path, quota};

use super::Tree;
use super::acls::{AclKey, AclTable};
use super::nodes::{Body, Node, Pages, Slot};

/// How many bytes a chunk has at least, but the last.
const CHUNK: usize = 64 * 1024;

/// A tree as it was at one moment. Taking one costs some thousand steps for a million nodes, and it can be written elsewhere.
#[derive(Clone, Debug)]
pub struct Image {
    pages: Pages,
    sessions: BTreeMap<SessionId, i32>,
    acls: AclTable,
    last_processed: Zxid,
    digest: u64,
}

/// Bytes that are no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no tree: {what} at byte {at}")]
pub struct ImageError {
    /// Where.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}

impl Tree {
    /// The tree as it is now.
    pub fn freeze(&self) -> Image {
        Image {
            pages: self.nodes.pages().clone(),
            sessions: self.sessions.clone(),
            acls: self.acls.clone(),
            last_processed: self.last_processed,
            digest: self.digest,
        }
    }

    /// The tree that these bytes begin with, and how many they are: a file goes on behind it.
    pub fn restore(bytes: &[u8]) -> Result<(Tree, usize), ImageError> {
        let mut read = Reader { bytes, at: 0 };
        let mut tree = Tree::bare();
        for _ in 0..read.count("the number of sessions")? {
            let session = SessionId(read.long("a session")?);
            tree.sessions.insert(session, read.int("a timeout")?);
        }
        let mut acls = BTreeMap::new();
        for _ in 0..read.count("the number of ACLs")? {
            let key = read.long("the key of an ACL")?;
            acls.insert(key, read.acl()?);
        }
        loop {
            let at = read.at;
            let path = read.text("a path")?;
            if path == path::ROOT {
                break;
            }
            let data = read.buffer("data")?;
            let key = read.long("the key of a node's ACL")?;
            let stat = read.stat()?;
            let acl = match acls.get(&key) {
                _ if key == AclKey::OPEN.written() => AclKey::OPEN,
                Some(acl) => tree.acls.acquire(acl),
                // ZooKeeper writes its ACLs before its nodes, while both change: the txn that brings this one is still to come.
                None => tree.acls.acquire(&[nobody()]),
            };
            tree.restore_node(path, data, acl, stat).map_err(|what| ImageError { at, what })?;
        }
        tree.recount_quotas();
        Ok((tree, read.at))
    }

    fn restore_node(
        &mut self,
        path: &str,
        data: Option<&[u8]>,
        acl: AclKey,
        stat: StatPersisted,
    ) -> Result<(), &'static str> {
        if path.is_empty() {
            self.set_body(Pages::ROOT, data);
            self.change_stat(Pages::ROOT, |root| *root = stat);
            let before = std::mem::replace(&mut self.nodes.node_mut(Pages::ROOT).acl, acl);
            self.acls.release(before);
            return Ok(());
        }
        let parent = path::parent(path).filter(|_| path.starts_with('/')).and_then(|parent| self.nodes.find(parent));
        let parent = parent.ok_or("a node without its parent")?;
        if self.nodes.find(path).is_some() {
            return Err("a node twice");
        }
        self.add(parent, Node::new(stat, acl, Body::new(path, data)));
        Ok(())
    }

    /// Counters are each server's own: they start with what is there (`DataTree.setupQuota`).
    fn recount_quotas(&mut self) {
        let Some(top) = self.nodes.find(path::QUOTA) else { return };
        let limits = self
            .nodes
            .below(top)
            .filter_map(|slot| quota::subtree_of(self.nodes.node(slot).body.path(), quota::LIMITS).map(str::to_owned));
        self.quotas = limits.collect();
        for subtree in self.quotas.clone() {
            if let Some(slot) = self.nodes.find(&quota::stats_path(&subtree)) {
                let counted = self.count(&subtree).to_string();
                self.set_body(slot, Some(counted.as_bytes()));
            }
        }
    }
}

impl Image {
    /// The last txn in it.
    pub fn last_processed(&self) -> Zxid {
        self.last_processed
    }

    /// The tree's digest.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Its bytes, in chunks of 64 KiB and a little more; a node is never cut.
    pub fn chunks(&self) -> impl Iterator<Item = Vec<u8>> {
        let mut next = Some(Pages::ROOT);
        let mut first = true;
        std::iter::from_fn(move || {
            let mut bytes = Vec::with_capacity(CHUNK + CHUNK / 8);
            if std::mem::take(&mut first) {
                self.write_tables(&mut bytes);
            }
            while let Some(slot) = next {
                if bytes.len() >= CHUNK {
                    return Some(bytes);
                }
                self.write_node(&mut bytes, slot);
                next = self.pages.after(Pages::ROOT, slot);
                if next.is_none() {
                    write_buffer(&mut bytes, Some(path::ROOT.as_bytes()));
                }
            }
            (!bytes.is_empty()).then_some(bytes)
        })
    }

    fn write_tables(&self, bytes: &mut Vec<u8>) {
        write_int(bytes, self.sessions.len() as i32);
        for (session, timeout) in &self.sessions {
            bytes.extend(session.0.to_be_bytes());
            write_int(bytes, *timeout);
        }
        write_int(bytes, self.acls.iter().len() as i32);
        for (key, acl) in self.acls.iter() {
            bytes.extend(key.written().to_be_bytes());
            write_int(bytes, acl.len() as i32);
            for Acl { perms, id } in acl {
                write_int(bytes, *perms);
                write_buffer(bytes, Some(id.scheme.as_bytes()));
                write_buffer(bytes, Some(id.id.as_bytes()));
            }
        }
    }

    fn write_node(&self, bytes: &mut Vec<u8>, slot: Slot) {
        let node = self.pages.node(slot);
        let path = if slot == Pages::ROOT { "" } else { node.body.path() };
        write_buffer(bytes, Some(path.as_bytes()));
        write_buffer(bytes, node.body.data());
        bytes.extend(node.acl.written().to_be_bytes());
        let StatPersisted { czxid, mzxid, ctime, mtime, version, cversion, aversion, ephemeral_owner, pzxid } =
            node.stat;
        [czxid, mzxid, ctime, mtime].into_iter().for_each(|long| bytes.extend(long.to_be_bytes()));
        [version, cversion, aversion].into_iter().for_each(|int| write_int(bytes, int));
        [ephemeral_owner, pzxid].into_iter().for_each(|long| bytes.extend(long.to_be_bytes()));
    }
}

fn write_int(bytes: &mut Vec<u8>, int: i32) {
    bytes.extend(int.to_be_bytes());
}

fn write_buffer(bytes: &mut Vec<u8>, buffer: Option<&[u8]>) {
    write_int(bytes, buffer.map_or(-1, |buffer| buffer.len() as i32));
    bytes.extend(buffer.unwrap_or_default());
}

/// What a node has whose ACL is not known: only the superuser gets through.
fn nobody() -> Acl {
    Acl { perms: 0, ..Acl::open() }
}

/// Where the reader of a snapshot is.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], ImageError> {
        let taken = self.bytes[self.at..].get(..len).ok_or(ImageError { at: self.at, what })?;
        self.at += len;
        Ok(taken)
    }

    fn int(&mut self, what: &'static str) -> Result<i32, ImageError> {
        Ok(i32::from_be_bytes(self.take(4, what)?.try_into().expect("four bytes were taken")))
    }

    fn long(&mut self, what: &'static str) -> Result<i64, ImageError> {
        Ok(i64::from_be_bytes(self.take(8, what)?.try_into().expect("eight bytes were taken")))
    }

    /// Null counts as empty.
    fn count(&mut self, what: &'static str) -> Result<usize, ImageError> {
        match self.int(what)? {
            -1 => Ok(0),
            count => usize::try_from(count).map_err(|_| ImageError { at: self.at, what }),
        }
    }

    fn buffer(&mut self, what: &'static str) -> Result<Option<&'a [u8]>, ImageError> {
        match self.int(what)? {
            -1 => Ok(None),
            len => {
                let len = usize::try_from(len).map_err(|_| ImageError { at: self.at, what })?;
                self.take(len, what).map(Some)
            }
        }
    }

    fn text(&mut self, what: &'static str) -> Result<&'a str, ImageError> {
        let at = self.at;
        let bytes = self.buffer(what)?.unwrap_or_default();
        std::str::from_utf8(bytes).map_err(|_| ImageError { at, what })
    }

    fn acl(&mut self) -> Result<Vec<Acl>, ImageError> {
        let mut acl = Vec::new();
        for _ in 0..self.count("the number of entries")? {
            let perms = self.int("permissions")?;
            let (scheme, id) = (self.text("a scheme")?.to_owned(), self.text("an id")?.to_owned());
            acl.push(Acl { perms, id: Id { scheme, id } });
        }
        Ok(acl)
    }

    fn stat(&mut self) -> Result<StatPersisted, ImageError> {
        let what = "a stat";
        Ok(StatPersisted {
            czxid: self.long(what)?,
            mzxid: self.long(what)?,
            ctime: self.long(what)?,
            mtime: self.long(what)?,
            version: self.int(what)?,
            cversion: self.int(what)?,
            aversion: self.int(what)?,
            ephemeral_owner: self.long(what)?,
            pzxid: self.long(what)?,
        })
    }
}
