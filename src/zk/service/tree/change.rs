//! The changes that txns are made of (`DataTree.createNode`, `deleteNode`, `setData`, `setACL`).
//!
//! They must also hold when a txn is applied that is already part of the state: a snapshot that was written while the
//! tree changed is older in one place than in another, and the txns of that time come again. So versions of a parent
//! only rise, a node that is there already is left, and what is missing is no reason to stop.

use crate::zab::Zxid;
use crate::zk::model::{Acl, ErrorCode, Stat, StatPersisted};
use crate::zk::service::path;
use crate::zk::service::quota::{self, StatsTrack};

use super::apply::{Change, ChangeKind};
use super::nodes::{Body, Node, Slot};
use super::owner::Owner;
use super::{Tree, digest, stat_of};

/// When a change happens: the same for all parts of a txn.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// Its txn.
    pub zxid: Zxid,
    /// The leader's clock, in milliseconds.
    pub time: i64,
}

/// A node to be created.
#[derive(Clone, Copy, Debug)]
pub struct NewNode<'a> {
    /// Its path.
    pub path: &'a str,
    /// Its data.
    pub data: Option<&'a [u8]>,
    /// Its ACL.
    pub acl: &'a [Acl],
    /// Who it goes with.
    pub owner: Owner,
    /// How many children were ever created in its parent, with this one; −1 in txns that are older than the field.
    pub parent_cversion: i32,
}

/// The stat of a node that was just created.
pub fn new_stat(at: At, owner: Owner) -> StatPersisted {
    let (zxid, time) = (at.zxid.0, at.time);
    StatPersisted {
        czxid: zxid,
        mzxid: zxid,
        pzxid: zxid,
        ctime: time,
        mtime: time,
        ephemeral_owner: owner.field(),
        ..StatPersisted::default()
    }
}

impl Tree {
    /// Creates a node. One that is there gets the ACL, which may be missing from a snapshot that has the node.
    pub(super) fn create(&mut self, new: NewNode<'_>, at: At, changes: &mut Vec<Change>) -> Result<Stat, ErrorCode> {
        let parent = path::parent(new.path).and_then(|path| self.nodes.find(path)).ok_or(ErrorCode::NoNode)?;
        if let Some(slot) = self.nodes.find(new.path) {
            self.replace_acl(slot, new.acl);
            return Err(ErrorCode::NodeExists);
        }
        self.raise_cversion(parent, new.parent_cversion, at.zxid);
        let acl = self.acls.acquire(new.acl);
        let slot = self.add(parent, Node::new(new_stat(at, new.owner), acl, Body::new(new.path, new.data)));
        self.quota_node_added(slot);
        self.count_for_quota(new.path, 1, new.data.map_or(0, <[u8]>::len) as i64);
        changes.push(self.change(ChangeKind::Created, slot));
        changes.push(self.change(ChangeKind::ChildrenChanged, parent));
        Ok(stat_of(self.nodes.node(slot)))
    }

    /// A create that is already part of the state, after a close of a session that is too: the parent may be older than
    /// both.
    pub(super) fn raise_parent(&mut self, path: &str, cversion: i32, zxid: Zxid) {
        if let Some(parent) = path::parent(path).and_then(|path| self.nodes.find(path)) {
            self.raise_cversion(parent, cversion, zxid);
        }
    }

    /// Deletes a node. What is below it can only be of a snapshot, from a later node of this path: its txns are still
    /// to come.
    pub(super) fn delete(&mut self, path: &str, at: At, changes: &mut Vec<Change>) -> Result<(), ErrorCode> {
        let parent = path::parent(path).and_then(|path| self.nodes.find(path)).ok_or(ErrorCode::NoNode)?;
        self.change_stat(parent, |stat| stat.pzxid = stat.pzxid.max(at.zxid.0));
        let slot = self.nodes.find(path).filter(|slot| *slot != parent).ok_or(ErrorCode::NoNode)?;
        let deleted = self.change(ChangeKind::Deleted, slot);
        let below: Vec<Slot> = self.nodes.below(slot).collect();
        for slot in below.into_iter().rev() {
            self.take(slot);
        }
        changes.push(deleted);
        changes.push(self.change(ChangeKind::ChildrenChanged, parent));
        Ok(())
    }

    /// Sets data. `version` is the new one.
    pub(super) fn set_data(
        &mut self,
        path: &str,
        data: Option<&[u8]>,
        version: i32,
        at: At,
        changes: &mut Vec<Change>,
    ) -> Result<Stat, ErrorCode> {
        let slot = self.nodes.find(path).ok_or(ErrorCode::NoNode)?;
        let before = self.nodes.node(slot).body.data_len();
        self.set_body(slot, data);
        self.change_stat(slot, |stat| {
            (stat.mtime, stat.mzxid, stat.version) = (at.time, at.zxid.0, version);
        });
        self.count_for_quota(path, 0, data.map_or(0, <[u8]>::len) as i64 - before as i64);
        changes.push(self.change(ChangeKind::DataChanged, slot));
        Ok(stat_of(self.nodes.node(slot)))
    }

    /// Sets an ACL. `version` is the new one.
    pub(super) fn set_acl(&mut self, path: &str, acl: &[Acl], version: i32) -> Result<Stat, ErrorCode> {
        let slot = self.nodes.find(path).ok_or(ErrorCode::NoNode)?;
        self.replace_acl(slot, acl);
        self.change_stat(slot, |stat| stat.aversion = version);
        Ok(stat_of(self.nodes.node(slot)))
    }

    /// Puts a node into the tree and into every table that knows nodes.
    pub(super) fn add(&mut self, parent: Slot, node: Node) -> Slot {
        self.digest = self.digest.wrapping_add(digest::of_node(&node.body, &node.stat));
        self.data_size += node.body.path().len() + node.body.data_len();
        let owner = Owner::of(node.stat.ephemeral_owner);
        let slot = self.nodes.insert(parent, node);
        match owner {
            Owner::Persistent => {}
            Owner::Session(session) => {
                self.ephemerals.entry(session).or_default().insert(slot);
            }
            Owner::Container => {
                self.containers.insert(slot);
            }
            Owner::Ttl(_) => {
                self.ttls.insert(slot);
            }
        }
        slot
    }

    /// Takes a node without children out of the tree and of every table.
    fn take(&mut self, slot: Slot) {
        let node = self.nodes.remove(slot);
        let path = node.body.path();
        self.digest = self.digest.wrapping_sub(digest::of_node(&node.body, &node.stat));
        self.data_size -= path.len() + node.body.data_len();
        self.acls.release(node.acl);
        match Owner::of(node.stat.ephemeral_owner) {
            Owner::Persistent => {}
            Owner::Session(session) => {
                let own = self.ephemerals.get_mut(&session).expect("an ephemeral node is among those of its session");
                own.remove(&slot);
                if own.is_empty() {
                    self.ephemerals.remove(&session);
                }
            }
            Owner::Container => {
                self.containers.remove(&slot);
            }
            Owner::Ttl(_) => {
                self.ttls.remove(&slot);
            }
        }
        if let Some(subtree) = quota::subtree_of(path, quota::LIMITS) {
            self.quotas.remove(subtree);
        }
        self.count_for_quota(path, -1, -(node.body.data_len() as i64));
    }

    fn change(&self, kind: ChangeKind, slot: Slot) -> Change {
        let node = self.nodes.node(slot);
        Change { kind, path: node.body.path().to_owned(), acl: self.acls.acl(node.acl).clone() }
    }

    pub(super) fn change_stat(&mut self, slot: Slot, change: impl FnOnce(&mut StatPersisted)) {
        let node = self.nodes.node_mut(slot);
        let before = digest::of_node(&node.body, &node.stat);
        change(&mut node.stat);
        self.digest = self.digest.wrapping_sub(before).wrapping_add(digest::of_node(&node.body, &node.stat));
    }

    pub(super) fn set_body(&mut self, slot: Slot, data: Option<&[u8]>) {
        let node = self.nodes.node_mut(slot);
        let before = (digest::of_node(&node.body, &node.stat), node.body.data_len());
        node.body = Body::new(node.body.path(), data);
        self.digest = self.digest.wrapping_sub(before.0).wrapping_add(digest::of_node(&node.body, &node.stat));
        self.data_size = self.data_size - before.1 + node.body.data_len();
    }

    fn replace_acl(&mut self, slot: Slot, acl: &[Acl]) {
        let key = self.acls.acquire(acl);
        let before = std::mem::replace(&mut self.nodes.node_mut(slot).acl, key);
        self.acls.release(before);
    }

    fn raise_cversion(&mut self, parent: Slot, cversion: i32, zxid: Zxid) {
        self.change_stat(parent, |stat| {
            let cversion = if cversion == -1 { stat.cversion.wrapping_add(1) } else { cversion };
            if cversion > stat.cversion {
                (stat.cversion, stat.pzxid) = (cversion, zxid.0);
            }
        });
    }

    /// A node below `/zookeeper/quota` gives its subtree limits, or counters that start with what is there.
    fn quota_node_added(&mut self, slot: Slot) {
        let path = self.nodes.node(slot).body.path();
        if let Some(subtree) = quota::subtree_of(path, quota::LIMITS) {
            self.quotas.insert(subtree.to_owned());
        } else if let Some(subtree) = quota::subtree_of(path, quota::STATS) {
            let counted = self.count(subtree);
            self.set_body(slot, Some(counted.to_string().as_bytes()));
        }
    }

    /// What is in a subtree, with its root.
    pub(super) fn count(&self, subtree: &str) -> StatsTrack {
        let slots = self.nodes.find(subtree).map(|top| self.nodes.below(top));
        let (count, bytes) = slots
            .into_iter()
            .flatten()
            .fold((0, 0), |(count, bytes), slot| (count + 1, bytes + self.nodes.node(slot).body.data_len() as i64));
        StatsTrack::of(count, bytes)
    }

    /// Whether the hard limits on this path allow no such growth.
    pub fn quota_forbids(&self, path: &str, count: i64, bytes: i64) -> bool {
        let Some(subtree) = self.quota_of(path) else { return false };
        let track =
            |path: String| self.nodes.get(&path).map(|node| StatsTrack::parse(node.body.data().unwrap_or_default()));
        let (limits, counted) = (track(quota::limits_path(subtree)), track(quota::stats_path(subtree)));
        limits.zip(counted).is_some_and(|(limits, counted)| limits.forbids(&counted, count, bytes))
    }

    fn count_for_quota(&mut self, path: &str, count: i64, bytes: i64) {
        let Some(stats) = self.quota_of(path).and_then(|subtree| self.nodes.find(&quota::stats_path(subtree))) else {
            return;
        };
        let counted = StatsTrack::parse(self.nodes.node(stats).body.data().unwrap_or_default()).plus(count, bytes);
        self.set_body(stats, Some(counted.to_string().as_bytes()));
    }
}
