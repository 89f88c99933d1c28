//! What a write becomes.

use super::{Acl, CreateKind, OpCode, SessionId};
use crate::zab::{Payload, Zxid};

/// The head of every txn (`TxnHeader`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TxnHeader {
    /// Whose write.
    pub session: SessionId,
    /// The client's number of it.
    pub cxid: i32,
    /// Its place in the history.
    pub zxid: Zxid,
    /// The leader's clock, ms of unix time.
    pub time: i64,
    /// Its type, which is that of its body.
    pub kind: OpCode,
}

/// A txn as it stands in log records, PROPOSAL and INFORM.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TxnRecord {
    /// The head.
    pub header: TxnHeader,
    /// What it does.
    pub body: TxnBody,
    /// The tree's digest after it, as its leader reckoned; error txns have none.
    pub digest: Option<TxnDigest>,
}

/// A digest of the tree, with the version of how it is reckoned (2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TxnDigest {
    /// How it is reckoned.
    pub version: i32,
    /// The digest.
    pub tree: u64,
}

/// A node that is made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreateTxn {
    /// By which operation: says the type of the txn.
    pub kind: CreateKind,
    /// The whole path.
    pub path: String,
    /// `None` is null.
    pub data: Option<Payload>,
    /// The ACL, fixed up.
    pub acl: Vec<Acl>,
    /// Whether it goes with its session (create, create2).
    pub ephemeral: bool,
    /// The parent's cversion after it; −1 for one more than before. `None` in records of the oldest form (`CreateTxnV0`), which
    /// do not say and mean the same; nothing can stand behind these, a digest least of all.
    pub parent_cversion: Option<i32>,
    /// In ms (createTTL).
    pub ttl: i64,
}

/// What a txn does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the fields are those of ZooKeeper's records")]
pub enum TxnBody {
    Create(CreateTxn),
    Delete {
        path: String,
    },
    DeleteContainer {
        path: String,
    },
    /// `version` is the new one.
    SetData {
        path: String,
        data: Option<Payload>,
        version: i32,
    },
    /// The same bytes, of type reconfig.
    Reconfig {
        path: String,
        data: Option<Payload>,
        version: i32,
    },
    /// `version` is the new aversion.
    SetAcl {
        path: String,
        acl: Vec<Acl>,
        version: i32,
    },
    /// Only in a multi; nothing to apply. `version` is the checked one plus 1.
    Check {
        path: String,
        version: i32,
    },
    CreateSession {
        timeout: i32,
    },
    /// The ephemerals that go with it; `None` in old records: those of the session.
    CloseSession {
        paths: Option<Vec<String>>,
    },
    /// A refused write.
    Error(i32),
    /// No part is a multi. If one is an error, none is applied.
    Multi(Vec<TxnBody>),
}

impl TxnBody {
    /// Its type.
    pub fn kind(&self) -> OpCode {
        match self {
            TxnBody::Create(create) => create.kind.op(),
            TxnBody::Delete { .. } => OpCode::Delete,
            TxnBody::DeleteContainer { .. } => OpCode::DeleteContainer,
            TxnBody::SetData { .. } => OpCode::SetData,
            TxnBody::Reconfig { .. } => OpCode::Reconfig,
            TxnBody::SetAcl { .. } => OpCode::SetAcl,
            TxnBody::Check { .. } => OpCode::Check,
            TxnBody::CreateSession { .. } => OpCode::CreateSession,
            TxnBody::CloseSession { .. } => OpCode::CloseSession,
            TxnBody::Error(_) => OpCode::Error,
            TxnBody::Multi(_) => OpCode::Multi,
        }
    }
}
