//! One request against the tree as it will be: the checks, in ZooKeeper's order, for the first that fails is what the
//! client hears.

use std::sync::Arc;

use crate::zab::Payload;
use crate::zk::model::{Acl, Create, CreateKind, CreateMode, CreateTxn, ErrorCode, MultiOp, TxnBody};
use crate::zk::service::tree::Tree;
use crate::zk::service::tree::change::{At, new_stat};
use crate::zk::service::tree::nodes::Body;
use crate::zk::service::tree::owner::Owner;
use crate::zk::service::{acl, path};

use super::outstanding::{Outstanding, Record};
use super::{Context, Quotas, Rules, Ttl};

/// Bytes of a string beside its text.
const LENGTH: usize = 4;
/// Bytes of a txn of paths beside them: header, count and digest.
const OVERHEAD: usize = 32 + 4 + 12;

/// What a request is prepared with.
pub struct Step<'a> {
    pub rules: &'a Rules,
    pub outstanding: &'a mut Outstanding,
    pub tree: &'a Tree,
    pub context: &'a Context<'a>,
    /// By how many bytes ACLs may still grow in this txn.
    pub acl_room: usize,
}

impl Step<'_> {
    pub fn create(&mut self, create: &Create) -> Result<TxnBody, ErrorCode> {
        let mode = CreateMode::from_flags(create.flags).ok_or(ErrorCode::BadArguments)?;
        let owner = self.owner(create, mode)?;
        self.context.checked?;
        let parent_path = path::parent(&create.path).ok_or(ErrorCode::BadArguments)?;
        let acl = acl::fix_up(create.acl.as_deref().unwrap_or_default(), self.context.ids, &mut self.acl_room)?;
        let mut parent = self.record(parent_path)?;
        self.check_acl(&parent.acl, acl::CREATE)?;
        let number = parent.stat.cversion;
        let path = if mode.is_sequential() { format!("{}{number:010}", create.path) } else { create.path.clone() };
        if !path::is_valid(&path) {
            return Err(ErrorCode::BadArguments);
        }
        if self.record(&path).is_ok() {
            return Err(ErrorCode::NodeExists);
        }
        if matches!(Owner::of(parent.stat.ephemeral_owner), Owner::Session(_)) {
            return Err(ErrorCode::NoChildrenForEphemerals);
        }
        let data = create.data.as_ref().map(Payload::as_bytes);
        self.check_quota(&path, 1, data.map_or(0, <[u8]>::len) as i64)?;

        parent.children += 1;
        parent.stat.cversion = number.wrapping_add(1);
        parent.stat.pzxid = self.context.zxid.0;
        let parent_cversion = parent.stat.cversion;
        self.put(parent_path, Some(parent));
        let at = At { zxid: self.context.zxid, time: self.context.time };
        let body = Body::new(&path, data);
        let record = Record { stat: new_stat(at, owner), children: 0, acl: Arc::from(acl.as_slice()), body };
        self.put(&path, Some(record));
        Ok(TxnBody::Create(CreateTxn {
            kind: create.kind,
            path,
            data: create.data.clone(),
            acl,
            ephemeral: matches!(owner, Owner::Session(_)),
            parent_cversion: Some(parent_cversion),
            ttl: if create.kind == CreateKind::Ttl { create.ttl } else { -1 },
        }))
    }

    /// Who the node will go with: the operation says so, and the flags only of an ephemeral. ZooKeeper lets them contradict each
    /// other.
    fn owner(&self, create: &Create, mode: CreateMode) -> Result<Owner, ErrorCode> {
        if mode.has_ttl() && self.rules.ttl == Ttl::Unimplemented {
            return Err(ErrorCode::Unimplemented);
        }
        let owner = match (create.kind, mode) {
            (CreateKind::Ttl, _) if mode.has_ttl() && (1..=Owner::MAX_TTL).contains(&create.ttl) => {
                Owner::Ttl(create.ttl)
            }
            (CreateKind::Container, mode) if !mode.has_ttl() => Owner::Container,
            (CreateKind::Create | CreateKind::Create2, mode) if mode.is_ephemeral() => {
                Owner::Session(self.context.session)
            }
            (CreateKind::Create | CreateKind::Create2, mode) if !mode.has_ttl() => Owner::Persistent,
            _ => return Err(ErrorCode::BadArguments),
        };
        Ok(owner)
    }

    pub fn delete(&mut self, path: &str, version: i32) -> Result<TxnBody, ErrorCode> {
        self.context.checked?;
        let parent_path = deletable(path)?;
        let parent = self.record(parent_path)?;
        self.check_acl(&parent.acl, acl::DELETE)?;
        let node = self.record(path)?;
        next_version(node.stat.version, version)?;
        if node.children > 0 {
            return Err(ErrorCode::NotEmpty);
        }
        self.remove(parent_path, parent, path);
        Ok(TxnBody::Delete { path: path.to_owned() })
    }

    /// Nobody's request: what the sweep found a while ago. Whatever became of the path since is not to be deleted
    /// unless somebody still waits for that (ZooKeeper would delete a persistent node).
    pub fn delete_container(&mut self, path: &str) -> Result<TxnBody, ErrorCode> {
        let parent_path = deletable(path)?;
        let node = self.record(path)?;
        if node.children > 0 {
            return Err(ErrorCode::NotEmpty);
        }
        if !matches!(Owner::of(node.stat.ephemeral_owner), Owner::Container | Owner::Ttl(_)) {
            return Err(ErrorCode::BadVersion);
        }
        let parent = self.record(parent_path)?;
        self.remove(parent_path, parent, path);
        Ok(TxnBody::DeleteContainer { path: path.to_owned() })
    }

    pub fn set_data(&mut self, path: &str, data: Option<&Payload>, version: i32) -> Result<TxnBody, ErrorCode> {
        self.context.checked?;
        let mut node = self.valid_record(path)?;
        self.check_acl(&node.acl, acl::WRITE)?;
        let bytes = data.map(Payload::as_bytes);
        self.check_quota(path, 0, bytes.map_or(0, <[u8]>::len) as i64 - node.body.data_len() as i64)?;
        let version = next_version(node.stat.version, version)?;
        node.stat.version = version;
        node.stat.mtime = self.context.time;
        node.stat.mzxid = self.context.zxid.0;
        node.body = Body::new(path, bytes);
        self.put(path, Some(node));
        Ok(TxnBody::SetData { path: path.to_owned(), data: data.cloned(), version })
    }

    pub fn set_acl(&mut self, path: &str, acl: Option<&[Acl]>, version: i32) -> Result<TxnBody, ErrorCode> {
        self.context.checked?;
        if !path::is_valid(path) {
            return Err(ErrorCode::BadArguments);
        }
        let acl = acl::fix_up(acl.unwrap_or_default(), self.context.ids, &mut self.acl_room)?;
        let mut node = self.record(path)?;
        self.check_acl(&node.acl, acl::ADMIN)?;
        let version = next_version(node.stat.aversion, version)?;
        node.stat.aversion = version;
        node.acl = Arc::from(acl.as_slice());
        self.put(path, Some(node));
        Ok(TxnBody::SetAcl { path: path.to_owned(), acl, version })
    }

    /// Only in a multi.
    fn check(&mut self, path: &str, version: i32) -> Result<TxnBody, ErrorCode> {
        self.context.checked?;
        let node = self.valid_record(path)?;
        self.check_acl(&node.acl, acl::READ)?;
        let version = next_version(node.stat.version, version)?;
        Ok(TxnBody::Check { path: path.to_owned(), version })
    }

    /// All or nothing: when one fails, those before it are taken back, and those after it are not looked at.
    pub fn multi(&mut self, ops: &[MultiOp]) -> TxnBody {
        self.outstanding.begin(self.tree);
        let mut failed = false;
        let mut parts = Vec::with_capacity(ops.len());
        for op in ops {
            let part = match op {
                _ if failed => Err(ErrorCode::RuntimeInconsistency),
                MultiOp::Create(create) => self.create(create),
                MultiOp::Delete { path, version } => self.delete(path, *version),
                MultiOp::SetData { path, data, version } => self.set_data(path, data.as_ref(), *version),
                MultiOp::Check { path, version } => self.check(path, *version),
            };
            failed |= part.is_err();
            parts.push(part.unwrap_or_else(|error| TxnBody::Error(error.code())));
        }
        if failed {
            self.outstanding.roll_back();
        } else {
            self.outstanding.keep();
        }
        TxnBody::Multi(parts)
    }

    /// The session's own check is left out: whoever closes it may be the leader, after it expired.
    ///
    /// What it will own when this is applied is known here: what comes after is refused. So the txn need not name its nodes, and does
    /// not where it would become longer than a link takes (ZOOKEEPER-4306): then who applies it looks for them.
    pub fn close_session(&mut self) -> TxnBody {
        let paths = self.outstanding.ephemerals(self.tree, self.context.session);
        for path in &paths {
            let parent_path = path::parent(path).expect("a node has a parent");
            // One below an ephemeral node, which only a broken history has, goes with that.
            if let Ok(parent) = self.record(parent_path) {
                self.remove(parent_path, parent, path);
            }
        }
        let length: usize = paths.iter().map(|path| LENGTH + path.len()).sum();
        let named = (length + OVERHEAD <= self.rules.max_buffer).then(|| paths.into_iter().collect());
        TxnBody::CloseSession { paths: named }
    }

    fn record(&self, path: &str) -> Result<Record, ErrorCode> {
        self.outstanding.record(self.tree, path).ok_or(ErrorCode::NoNode)
    }

    fn valid_record(&self, path: &str) -> Result<Record, ErrorCode> {
        if path::is_valid(path) { self.record(path) } else { Err(ErrorCode::BadArguments) }
    }

    fn put(&mut self, path: &str, record: Option<Record>) {
        self.outstanding.put(self.tree, self.context.zxid, path, record);
    }

    fn remove(&mut self, parent_path: &str, mut parent: Record, path: &str) {
        // What went with such a parent is in the tree until that is applied, though a new parent does not have it.
        parent.children = parent.children.saturating_sub(1);
        parent.stat.pzxid = self.context.zxid.0;
        self.put(parent_path, Some(parent));
        self.put(path, None);
    }

    fn check_acl(&self, acl: &[Acl], perms: i32) -> Result<(), ErrorCode> {
        self.rules.access.check(acl, perms, self.context.ids)
    }

    /// Counters are those of the tree as it is: what is outstanding does not count yet, as with ZooKeeper.
    fn check_quota(&self, path: &str, count: i64, bytes: i64) -> Result<(), ErrorCode> {
        let exceeded = self.rules.quotas == Quotas::Enforced && self.tree.quota_forbids(path, count, bytes);
        if exceeded { Err(ErrorCode::QuotaExceeded) } else { Ok(()) }
    }
}

/// The parent of what clients may delete.
fn deletable(path: &str) -> Result<&str, ErrorCode> {
    path::parent(path).filter(|_| !path::is_special(path)).ok_or(ErrorCode::BadArguments)
}

/// The version after this one, if it is the expected one. It wraps through −1, as in every release of ZooKeeper so far.
fn next_version(version: i32, expected: i32) -> Result<i32, ErrorCode> {
    if expected == -1 || expected == version { Ok(version.wrapping_add(1)) } else { Err(ErrorCode::BadVersion) }
}
