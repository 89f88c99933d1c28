//! Txns are applied (`DataTree.processTxn`): what they change, what came of them, and whom it concerns.

use std::sync::Arc;

use crate::zk::model::{Acl, CreateKind, CreateTxn, ErrorCode, Stat, TxnBody, TxnRecord};

use super::Tree;
use super::change::{At, NewNode};
use super::digest;
use super::owner::Owner;

/// What applying a txn did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// What came of it: what its client is told.
    pub outcome: Outcome,
    /// What changed, in the order in which ZooKeeper triggers watches.
    pub changes: Vec<Change>,
}

/// What came of a txn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A node was created.
    Created {
        /// By which operation: says what the reply holds.
        kind: CreateKind,
        /// Its path, with the number if it is a sequential one.
        path: String,
        /// Its stat.
        stat: Stat,
    },
    /// A node was deleted.
    Deleted,
    /// Data or an ACL was set.
    Set(Stat),
    /// A version was as expected.
    Checked,
    /// A session began.
    SessionCreated,
    /// A session ended.
    SessionClosed,
    /// The parts of a multi. If it failed, all of them are errors: 0 before the one that failed.
    Multi(Vec<Outcome>),
    /// It was refused, or had no effect: the number of an [`ErrorCode`], or 0 in a failed multi.
    Error(i32),
}

/// A change that somebody may watch for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// To which node.
    pub path: String,
    /// Its ACL: who may not read it is told nothing.
    pub acl: Arc<[Acl]>,
}

/// What happened to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It is there.
    Created,
    /// It is gone: concerns those who watch its data and those who watch its children.
    Deleted,
    /// Its data was set.
    DataChanged,
    /// A child was created or deleted.
    ChildrenChanged,
}

impl Tree {
    /// Applies a txn. Whatever it says: a txn that does not fit the state has less effect, and an error as its outcome.
    pub fn apply(&mut self, txn: &TxnRecord) -> Applied {
        let mut changes = Vec::new();
        let outcome = self.apply_body(txn, &txn.body, &mut changes);
        self.last_processed = self.last_processed.max(txn.header.zxid);
        if self.fuzzy.is_some() {
            self.compare_snapshot_digest();
        } else if txn.digest.is_some_and(|own| own.version == digest::VERSION && own.tree != self.digest) {
            self.digest_mismatches += 1;
        }
        Applied { outcome, changes }
    }

    fn apply_body(&mut self, txn: &TxnRecord, body: &TxnBody, changes: &mut Vec<Change>) -> Outcome {
        let session = txn.header.session;
        let at = At { zxid: txn.header.zxid, time: txn.header.time };
        let outcome = match body {
            TxnBody::Create(create) => self.apply_create(txn, create, at, changes),
            TxnBody::Delete { path } | TxnBody::DeleteContainer { path } => {
                self.delete(path, at, changes).map(|()| Outcome::Deleted)
            }
            TxnBody::SetData { path, data, version } | TxnBody::Reconfig { path, data, version } => {
                let data = data.as_ref().map(|data| data.as_bytes());
                self.set_data(path, data, *version, at, changes).map(Outcome::Set)
            }
            TxnBody::SetAcl { path, acl, version } => self.set_acl(path, acl, *version).map(Outcome::Set),
            TxnBody::Check { .. } => Ok(Outcome::Checked),
            TxnBody::CreateSession { timeout } => {
                self.sessions.insert(session, *timeout);
                Ok(Outcome::SessionCreated)
            }
            TxnBody::CloseSession { paths } => {
                for path in paths.iter().flatten() {
                    // One that is not there was part of an older state, or the leader's list is wrong: nothing to undo.
                    let _ = self.delete(path, at, changes);
                }
                for path in self.ephemerals(session, "") {
                    // Nor one that went with its parent, where no leader would have let it be created.
                    let _ = self.delete(&path, at, changes);
                }
                self.sessions.remove(&session);
                Ok(Outcome::SessionClosed)
            }
            TxnBody::Error(error) => return Outcome::Error(*error),
            TxnBody::Multi(parts) => Ok(Outcome::Multi(self.apply_multi(txn, parts, changes))),
        };
        outcome.unwrap_or_else(|error| Outcome::Error(error.code()))
    }

    fn apply_create(
        &mut self,
        txn: &TxnRecord,
        create: &CreateTxn,
        at: At,
        changes: &mut Vec<Change>,
    ) -> Result<Outcome, ErrorCode> {
        let CreateTxn { kind, path, data, acl, ephemeral, parent_cversion, ttl } = create;
        let owner = match kind {
            CreateKind::Container => Owner::Container,
            CreateKind::Ttl => Owner::Ttl(*ttl),
            CreateKind::Create | CreateKind::Create2 if *ephemeral => Owner::Session(txn.header.session),
            CreateKind::Create | CreateKind::Create2 => Owner::Persistent,
        };
        let data = data.as_ref().map(|data| data.as_bytes());
        let parent_cversion = parent_cversion.unwrap_or(-1);
        let new = NewNode { path, data, acl, owner, parent_cversion };
        let created = self.create(new, at, changes);
        if *kind == CreateKind::Create && created == Err(ErrorCode::NodeExists) {
            self.raise_parent(path, parent_cversion, at.zxid);
        }
        created.map(|stat| Outcome::Created { kind: *kind, path: path.clone(), stat })
    }

    /// One part that failed undoes all of them: the leader wrote into the txn which it was.
    fn apply_multi(&mut self, txn: &TxnRecord, parts: &[TxnBody], changes: &mut Vec<Change>) -> Vec<Outcome> {
        let Some(failed) = parts.iter().position(|part| matches!(part, TxnBody::Error(_))) else {
            return parts.iter().map(|part| self.apply_body(txn, part, changes)).collect();
        };
        let outcome = |(i, part): (usize, &TxnBody)| match part {
            TxnBody::Error(error) => Outcome::Error(*error),
            _ if i < failed => Outcome::Error(0),
            _ => Outcome::Error(ErrorCode::RuntimeInconsistency.code()),
        };
        parts.iter().enumerate().map(outcome).collect()
    }
}
