//! The data tree (`DataTree`): znodes, sessions, ACLs, what clients read of them, and the changes that txns make.
//!
//! | part | holds |
//! |---|---|
//! | `nodes` | the nodes, by place and by path |
//! | `acls` | each ACL once |
//! | `owner` | who a node goes with |
//! | `digest` | the digest of a node |
//! | `apply` | txns: what they change, what came of them, whom it concerns |
//! | `change` | the changes that txns are made of |
//! | `image` | a frozen tree as the bytes of a snapshot, and back |
//! | `due` | the containers and nodes with a time to live that are to be deleted |

mod acls;
pub mod apply;
pub(super) mod change;
pub(super) mod digest;
pub mod due;
pub mod image;
pub(super) mod nodes;
pub mod owner;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::zab::Zxid;
use crate::zk::model::{Acl, SessionId, Stat, StatPersisted};

use super::{acl, path};
use acls::{AclKey, AclTable};
use nodes::{Body, Node, Nodes, Pages, Slot};
use owner::Owner;

/// The replicated state: znodes and sessions, as of the last txn applied.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: Nodes,
    acls: AclTable,
    /// Timeouts in milliseconds.
    sessions: BTreeMap<SessionId, i32>,
    /// Those with at least one node.
    ephemerals: BTreeMap<SessionId, BTreeSet<Slot>>,
    containers: BTreeSet<Slot>,
    ttls: BTreeSet<Slot>,
    /// The subtrees that have limits.
    quotas: BTreeSet<String>,
    digest: u64,
    /// Bytes of paths and data.
    data_size: usize,
    last_processed: Zxid,
    /// How the tree came from a snapshot that was written while it changed: from which txn on digests can be compared,
    /// and what the digest is then.
    fuzzy: Option<(Zxid, u64)>,
    digest_mismatches: u64,
}

/// A node as clients read it.
#[derive(Clone, Copy, Debug)]
pub struct Znode<'a> {
    tree: &'a Tree,
    slot: Slot,
}

impl Tree {
    /// What every server begins with.
    pub fn new() -> Tree {
        let mut tree = Tree::bare();
        let system = tree.insert(Pages::ROOT, path::SYSTEM, StatPersisted::default());
        let config = tree.insert(system, path::CONFIG, StatPersisted { aversion: -1, ..StatPersisted::default() });
        tree.insert(system, path::QUOTA, StatPersisted::default());
        let readable = tree.acls.acquire(&[Acl { perms: acl::READ, ..Acl::open() }]);
        tree.nodes.node_mut(config).acl = readable;
        tree
    }

    /// The root alone: what the bytes of a snapshot are put into.
    fn bare() -> Tree {
        let root = Node::new(StatPersisted::default(), AclKey::OPEN, Body::new(path::ROOT, Some(&[])));
        let digest = digest::of_node(&root.body, &root.stat);
        Tree {
            nodes: Nodes::new(root),
            acls: AclTable::new(),
            sessions: BTreeMap::new(),
            ephemerals: BTreeMap::new(),
            containers: BTreeSet::new(),
            ttls: BTreeSet::new(),
            quotas: BTreeSet::new(),
            digest,
            data_size: path::ROOT.len(),
            last_processed: Zxid::ZERO,
            fuzzy: None,
            digest_mismatches: 0,
        }
    }

    fn insert(&mut self, parent: Slot, path: &str, stat: StatPersisted) -> Slot {
        self.add(parent, Node::new(stat, AclKey::OPEN, Body::new(path, Some(&[]))))
    }

    /// The node of this path.
    pub fn find(&self, path: &str) -> Option<Znode<'_>> {
        self.nodes.find(path).map(|slot| Znode { tree: self, slot })
    }

    /// How many nodes there are. ZooKeeper's own figure is one more: it counts the root twice.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Bytes of paths and data (`approximateDataSize`).
    pub fn data_size(&self) -> usize {
        self.data_size
    }

    /// How many ephemeral nodes there are.
    pub fn ephemeral_count(&self) -> usize {
        self.ephemerals.values().map(BTreeSet::len).sum()
    }

    /// The paths of a session's nodes that begin with `prefix`, in their order. All of them if it is blank or the root.
    pub fn ephemerals(&self, session: SessionId, prefix: &str) -> Vec<String> {
        let prefix = if matches!(prefix.trim(), "" | path::ROOT) { "" } else { prefix };
        let slots = self.ephemerals.get(&session).into_iter().flatten();
        let paths = slots.map(|slot| self.nodes.node(*slot).body.path());
        let mut paths: Vec<String> = paths.filter(|path| path.starts_with(prefix)).map(str::to_owned).collect();
        paths.sort_unstable();
        paths
    }

    /// The sessions that own nodes.
    pub fn owners(&self) -> impl Iterator<Item = SessionId> {
        self.ephemerals.keys().copied()
    }

    /// The sessions, with their timeouts in milliseconds.
    pub fn sessions(&self) -> &BTreeMap<SessionId, i32> {
        &self.sessions
    }

    /// The digest of the nodes, as a txn carries it.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// How often a txn's digest was not that of the tree: some server's state has gone its own way.
    pub fn digest_mismatches(&self) -> u64 {
        self.digest_mismatches
    }

    /// The last txn in this state.
    pub fn last_processed(&self) -> Zxid {
        self.last_processed
    }

    /// This state came from a snapshot of that name, and txns after it follow.
    pub fn set_last_processed(&mut self, zxid: Zxid) {
        self.last_processed = zxid;
    }

    /// This state came from a snapshot that was written while the tree changed. Until the txn `until` is applied again
    /// no digest says anything; then it is `digest`. One of no txn, which a new server writes, or of an earlier one than the
    /// snapshot's says nothing (`DataTree.deserializeZxidDigest`).
    pub fn expect_digest(&mut self, until: Zxid, digest: u64) {
        if until > Zxid::ZERO && until >= self.last_processed {
            self.fuzzy = Some((until, digest));
            self.compare_snapshot_digest();
        }
    }

    /// The text of the configuration, as a server writes it for itself when it starts. No client can delete its node.
    pub fn set_config(&mut self, text: &[u8], version: Zxid, time: i64) {
        let Some(slot) = self.nodes.find(path::CONFIG) else { return };
        self.set_body(slot, Some(text));
        let stat = &mut self.nodes.node_mut(slot).stat;
        (stat.version, stat.mzxid, stat.mtime) = (-1, version.0, time);
    }

    /// The longest prefix of this path that has a quota.
    pub fn quota_of(&self, path: &str) -> Option<&str> {
        if self.quotas.is_empty() {
            return None;
        }
        path::upwards(path).find_map(|prefix| self.quotas.get(prefix)).map(String::as_str)
    }

    fn compare_snapshot_digest(&mut self) {
        // One of a txn that never comes, since the log behind the snapshot was lost, says nothing of a later one.
        if let Some((until, digest)) = self.fuzzy.take_if(|(until, _)| *until <= self.last_processed)
            && until == self.last_processed
            && digest != self.digest
        {
            self.digest_mismatches += 1;
        }
    }
}

impl Default for Tree {
    fn default() -> Tree {
        Tree::new()
    }
}

impl<'a> Znode<'a> {
    fn node(self) -> &'a Node {
        self.tree.nodes.node(self.slot)
    }

    /// Its data.
    pub fn data(self) -> Option<&'a [u8]> {
        self.node().body.data()
    }

    /// Its path and data, to be kept while the tree changes.
    pub fn body(self) -> &'a Body {
        &self.node().body
    }

    /// Its ACL.
    pub fn acl(self) -> &'a Arc<[Acl]> {
        self.tree.acls.acl(self.node().acl)
    }

    /// Its stat, as the tree and snapshots have it.
    pub fn stat_persisted(self) -> &'a StatPersisted {
        &self.node().stat
    }

    /// Its stat, as clients see it.
    pub fn stat(self) -> Stat {
        stat_of(self.node())
    }

    /// How many children it has.
    pub fn child_count(self) -> u32 {
        self.node().children()
    }

    /// The names of its children, in their order.
    pub fn children(self) -> Vec<String> {
        let nodes = &self.tree.nodes;
        let mut names: Vec<&str> =
            nodes.children(self.slot).map(|child| path::name(nodes.node(child).body.path())).collect();
        names.sort_unstable();
        names.into_iter().map(str::to_owned).collect()
    }

    /// How many nodes are below it.
    pub fn all_children_number(self) -> usize {
        match self.slot {
            Pages::ROOT => self.tree.nodes.len() - 1,
            slot => self.tree.nodes.below(slot).count() - 1,
        }
    }
}

/// Stored versions of children count creations only; clients are shown deletions too.
fn stat_of(node: &Node) -> Stat {
    let StatPersisted { czxid, mzxid, ctime, mtime, version, cversion, aversion, ephemeral_owner, pzxid } = node.stat;
    let children = node.children() as i32;
    Stat {
        czxid,
        mzxid,
        ctime,
        mtime,
        version,
        cversion: cversion.wrapping_mul(2).wrapping_sub(children),
        aversion,
        ephemeral_owner: Owner::shown(ephemeral_owner),
        data_length: node.body.data_len() as i32,
        num_children: children,
        pzxid,
    }
}
