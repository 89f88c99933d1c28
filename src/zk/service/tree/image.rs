//! A frozen tree, as the bytes of a snapshot and back (`SerializeUtils.serializeSnapshot`, `DataTree.deserialize`):
//! sessions, ACLs, nodes with parents before children, and `/` for the end. What a SNAP carries is this and nothing
//! else; a file has a head before it and seals behind.
//!
//! ```text
//!  Tree ──freeze──▶ Image ──Chunks──▶ bytes        the tree goes on changing; pages that it changes are copied first
//!  bytes ──restore──▶ Tree                         whatever the bytes
//! ```

use std::collections::BTreeMap;

use crate::zab::{Payload, Zxid};
use crate::zk::model::{Acl, SessionId, StatPersisted};
use crate::zk::service::{path, quota};
use crate::zk::wire::{Reader, WireError, Writer, read_acl, write_acl};

use super::Tree;
use super::acls::{AclKey, AclTable};
use super::nodes::{Body, Node, Pages, Slot};

/// How many bytes a chunk has at least, but the last.
const CHUNK: usize = 64 * 1024;

/// A tree as it was at one moment. Taking one costs some thousand steps for a million nodes, and it can be written
/// elsewhere.
#[derive(Clone, Debug)]
pub struct Image {
    pages: Pages,
    sessions: BTreeMap<SessionId, i32>,
    acls: AclTable,
    last_processed: Zxid,
    digest: u64,
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
    pub fn restore(bytes: &[u8]) -> Result<(Tree, usize), WireError> {
        // What was within the limit when it came in is written whatever the limit is by now.
        let mut read = Reader::new(bytes, usize::MAX);
        let mut tree = Tree::bare();
        let sessions =
            read.vector("sessions", 12, |read| Ok((SessionId(read.i64("a session")?), read.i32("a timeout")?)))?;
        tree.sessions.extend(sessions.unwrap_or_default());
        let acls =
            read.vector("ACLs", 12, |read| Ok((read.i64("the key of an ACL")?, read_acl(read)?.unwrap_or_default())))?;
        let acls: BTreeMap<i64, Vec<Acl>> = acls.unwrap_or_default().into_iter().collect();
        loop {
            let path = read.text("a path")?;
            if path == path::ROOT {
                break;
            }
            let data = read.buffer("data")?;
            let key = read.i64("the key of a node's ACL")?;
            let stat = read_stat_persisted(&mut read)?;
            let acl = match acls.get(&key) {
                _ if key == AclKey::OPEN.written() => AclKey::OPEN,
                Some(acl) => tree.acls.acquire(acl),
                // ZooKeeper writes its ACLs before its nodes, while both change: the txn that brings this one is still
                // to come.
                None => tree.acls.acquire(&[nobody()]),
            };
            tree.restore_node(&path, data, acl, stat)?;
        }
        tree.recount_quotas();
        Ok((tree, read.position()))
    }

    fn restore_node(
        &mut self,
        path: &str,
        data: Option<&[u8]>,
        acl: AclKey,
        stat: StatPersisted,
    ) -> Result<(), WireError> {
        if path.is_empty() {
            self.set_body(Pages::ROOT, data);
            self.change_stat(Pages::ROOT, |root| *root = stat);
            let before = std::mem::replace(&mut self.nodes.node_mut(Pages::ROOT).acl, acl);
            self.acls.release(before);
            return Ok(());
        }
        let parent = path::parent(path).filter(|_| path.starts_with('/')).and_then(|parent| self.nodes.find(parent));
        let parent = parent.ok_or(WireError::Unsupported("a node without its parent"))?;
        if self.nodes.find(path).is_some() {
            return Err(WireError::Unsupported("a node that is there twice"));
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

    pub(super) fn write_tables(&self, write: &mut Writer<'_>) {
        write.length(self.sessions.len());
        for (session, timeout) in &self.sessions {
            write.i64(session.0);
            write.i32(*timeout);
        }
        write.length(self.acls.iter().len());
        for (key, acl) in self.acls.iter() {
            write.i64(key.written());
            write_acl(write, acl);
        }
    }

    fn write_node(&self, write: &mut Writer<'_>, slot: Slot) {
        let node = self.pages.node(slot);
        write.text(if slot == Pages::ROOT { "" } else { node.body.path() });
        write.buffer_or_null(node.body.data());
        write.i64(node.acl.written());
        write_stat_persisted(write, &node.stat);
    }
}

impl IntoIterator for Image {
    type Item = Payload;
    type IntoIter = Chunks;

    fn into_iter(self) -> Chunks {
        Chunks { image: self, next: Some(Pages::ROOT), bytes: Vec::with_capacity(CHUNK + CHUNK / 8) }
    }
}

/// The bytes of an [`Image`], in chunks of 64 KiB and a little more; a node is never cut.
#[derive(Clone, Debug)]
pub struct Chunks {
    image: Image,
    /// The next node to be written, until the last one is.
    next: Option<Slot>,
    bytes: Vec<u8>,
}

impl Iterator for Chunks {
    type Item = Payload;

    fn next(&mut self) -> Option<Payload> {
        let mut slot = self.next?;
        let (image, bytes) = (&self.image, &mut self.bytes);
        bytes.clear();
        if slot == Pages::ROOT {
            image.write_tables(&mut Writer::new(bytes));
        }
        while bytes.len() < CHUNK {
            image.write_node(&mut Writer::new(bytes), slot);
            self.next = image.pages.after(Pages::ROOT, slot);
            let Some(after) = self.next else {
                Writer::new(bytes).text(path::ROOT);
                break;
            };
            slot = after;
        }
        Some(Payload::new(bytes))
    }
}

/// What a node has whose ACL is not known: only the superuser gets through.
fn nobody() -> Acl {
    Acl { perms: 0, ..Acl::open() }
}

fn read_stat_persisted(read: &mut Reader<'_>) -> Result<StatPersisted, WireError> {
    Ok(StatPersisted {
        czxid: read.i64("czxid")?,
        mzxid: read.i64("mzxid")?,
        ctime: read.i64("ctime")?,
        mtime: read.i64("mtime")?,
        version: read.i32("a version")?,
        cversion: read.i32("cversion")?,
        aversion: read.i32("aversion")?,
        ephemeral_owner: read.i64("ephemeralOwner")?,
        pzxid: read.i64("pzxid")?,
    })
}

pub(super) fn write_stat_persisted(write: &mut Writer<'_>, stat: &StatPersisted) {
    let StatPersisted { czxid, mzxid, ctime, mtime, version, cversion, aversion, ephemeral_owner, pzxid } = *stat;
    [czxid, mzxid, ctime, mtime].into_iter().for_each(|long| write.i64(long));
    [version, cversion, aversion].into_iter().for_each(|int| write.i32(int));
    [ephemeral_owner, pzxid].into_iter().for_each(|long| write.i64(long));
}
