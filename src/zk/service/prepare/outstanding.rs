//! The changes that are proposed and not applied (`outstandingChanges`): the tree as it will be when everything
//! proposed so far is applied.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::zab::Zxid;
use crate::zk::model::{Acl, SessionId, StatPersisted};
use crate::zk::service::tree::nodes::Body;
use crate::zk::service::tree::owner::Owner;
use crate::zk::service::tree::{Tree, digest};

/// A node as it will be (`ChangeRecord`).
#[derive(Clone, Debug)]
pub struct Record {
    /// Its stat.
    pub stat: StatPersisted,
    /// How many children it has.
    pub children: u32,
    /// Its ACL.
    pub acl: Arc<[Acl]>,
    /// Its path and data.
    pub body: Body,
}

/// The newest record of a path.
#[derive(Clone, Debug)]
struct Pending {
    zxid: Zxid,
    /// `None` once it is deleted.
    record: Option<Record>,
}

/// What changes over the tree.
#[derive(Clone, Debug, Default)]
pub struct Outstanding {
    newest: BTreeMap<Arc<str>, Pending>,
    /// Every change, in the order of their txns: which records an applied txn makes superfluous.
    order: VecDeque<(Zxid, Arc<str>)>,
    /// The ephemeral nodes among the records, by their session.
    owned: BTreeSet<(SessionId, Arc<str>)>,
    /// The digest of the tree with all of this, while there is any.
    digest: u64,
    undo: Option<Undo>,
}

/// How to take back what a multi changed.
#[derive(Clone, Debug)]
struct Undo {
    digest: u64,
    changed: Vec<(Arc<str>, Option<Pending>)>,
}

impl Outstanding {
    /// The node of this path as it will be.
    pub fn record(&self, tree: &Tree, path: &str) -> Option<Record> {
        match self.newest.get(path) {
            Some(pending) => pending.record.clone(),
            None => tree.find(path).map(|node| Record {
                stat: *node.stat_persisted(),
                children: node.child_count(),
                acl: Arc::clone(node.acl()),
                body: node.body().clone(),
            }),
        }
    }

    /// The digest of the tree as it will be.
    pub fn digest(&self, tree: &Tree) -> u64 {
        if self.order.is_empty() { tree.digest() } else { self.digest }
    }

    /// The node of this path will be so from txn `zxid` on, or no longer be.
    pub fn put(&mut self, tree: &Tree, zxid: Zxid, path: &str, record: Option<Record>) {
        let of = |record: Option<&Record>| record.map_or(0, |record| digest::of_node(&record.body, &record.stat));
        let before = of(self.record(tree, path).as_ref());
        self.digest = self.digest(tree).wrapping_sub(before).wrapping_add(of(record.as_ref()));
        let path: Arc<str> = Arc::from(path);
        self.order.push_back((zxid, Arc::clone(&path)));
        let earlier = self.replace(&path, Some(Pending { zxid, record }));
        if let Some(undo) = &mut self.undo {
            undo.changed.push((path, earlier));
        }
    }

    /// The paths of the nodes that a session will own, in their order.
    pub fn ephemerals(&self, tree: &Tree, session: SessionId) -> BTreeSet<String> {
        let of_tree = tree.ephemerals(session, "").into_iter().filter(|path| !self.newest.contains_key(path.as_str()));
        let from = (session, Arc::from(""));
        let pending = self.owned.range(from..).take_while(|(owner, _)| *owner == session);
        of_tree.chain(pending.map(|(_, path)| path.to_string())).collect()
    }

    /// Everything up to this txn is in the tree.
    pub fn applied(&mut self, zxid: Zxid) {
        while self.order.front().is_some_and(|(earliest, _)| *earliest <= zxid) {
            let (earliest, path) = self.order.pop_front().expect("it was just seen");
            if self.newest.get(&path).is_some_and(|pending| pending.zxid == earliest) {
                self.replace(&path, None);
            }
        }
    }

    /// What follows may be taken back by [`Outstanding::roll_back`], until [`Outstanding::keep`].
    pub fn begin(&mut self, tree: &Tree) {
        self.undo = Some(Undo { digest: self.digest(tree), changed: Vec::new() });
    }

    /// What happened since [`Outstanding::begin`] stays.
    pub fn keep(&mut self) {
        self.undo = None;
    }

    /// Nothing happened since [`Outstanding::begin`].
    pub fn roll_back(&mut self) {
        let undo = self.undo.take().expect("only what began is taken back");
        for (path, earlier) in undo.changed.into_iter().rev() {
            self.order.pop_back();
            self.replace(&path, earlier);
        }
        self.digest = undo.digest;
    }

    fn replace(&mut self, path: &Arc<str>, pending: Option<Pending>) -> Option<Pending> {
        let owner = |pending: Option<&Pending>| match pending.and_then(|pending| pending.record.as_ref()) {
            Some(record) => match Owner::of(record.stat.ephemeral_owner) {
                Owner::Session(session) => Some(session),
                _ => None,
            },
            None => None,
        };
        let new_owner = owner(pending.as_ref());
        let earlier = match pending {
            Some(pending) => self.newest.insert(Arc::clone(path), pending),
            None => self.newest.remove(path),
        };
        if let Some(session) = owner(earlier.as_ref()) {
            self.owned.remove(&(session, Arc::clone(path)));
        }
        if let Some(session) = new_owner {
            self.owned.insert((session, Arc::clone(path)));
        }
        earlier
    }
}
