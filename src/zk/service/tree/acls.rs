//! The ACLs of a tree, each once (`ReferenceCountedACLCache`): a million znodes have a handful of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::zk::model::Acl;

/// An ACL as nodes refer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AclKey(u32);

impl AclKey {
    /// Everybody may do everything: in no table, −1 in a snapshot.
    pub const OPEN: AclKey = AclKey(0);

    /// As a snapshot writes it.
    pub fn written(self) -> i64 {
        if self == AclKey::OPEN { -1 } else { i64::from(self.0) }
    }
}

/// The ACLs that some node has.
#[derive(Clone, Debug)]
pub struct AclTable {
    open: Arc<[Acl]>,
    keys: BTreeMap<Arc<[Acl]>, AclKey>,
    used: BTreeMap<AclKey, (Arc<[Acl]>, usize)>,
    next: AclKey,
}

impl AclTable {
    /// One that only knows the open ACL.
    pub fn new() -> AclTable {
        AclTable { open: Arc::from([Acl::open()]), keys: BTreeMap::new(), used: BTreeMap::new(), next: AclKey(1) }
    }

    /// The key of this ACL for one more node. No ACL at all is the open one.
    pub fn acquire(&mut self, acl: &[Acl]) -> AclKey {
        if acl.is_empty() || *acl == *self.open {
            return AclKey::OPEN;
        }
        if let Some(key) = self.keys.get(acl).copied() {
            self.used.get_mut(&key).expect("every key has its ACL").1 += 1;
            return key;
        }
        let (key, acl) = (self.next, Arc::from(acl));
        self.next = AclKey(key.0.checked_add(1).expect("fewer ACLs than keys"));
        self.keys.insert(Arc::clone(&acl), key);
        self.used.insert(key, (acl, 1));
        key
    }

    /// One node less has it.
    pub fn release(&mut self, key: AclKey) {
        if key == AclKey::OPEN {
            return;
        }
        let (acl, count) = self.used.get_mut(&key).expect("a node's ACL is in the table");
        *count -= 1;
        if *count == 0 {
            self.keys.remove(acl);
            self.used.remove(&key);
        }
    }

    /// The ACL of a node.
    pub fn acl(&self, key: AclKey) -> &Arc<[Acl]> {
        if key == AclKey::OPEN { &self.open } else { &self.used.get(&key).expect("a node's ACL is in the table").0 }
    }

    /// All but the open one, in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (AclKey, &[Acl])> {
        self.used.iter().map(|(key, (acl, _))| (*key, &**acl))
    }
}
