//! What a client asks for.

use super::{Acl, OpCode, SessionId};
use crate::zab::Payload;

/// The first frame of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectRequest {
    /// 0.
    pub protocol_version: i32,
    /// The last txn the client saw; a server that is behind it refuses.
    pub last_zxid_seen: i64,
    /// The time-out it wants, in ms.
    pub timeout: i32,
    /// The session to resume; 0 for a new one.
    pub session: SessionId,
    /// Its password, 16 bytes; null counts as empty.
    pub password: Vec<u8>,
    /// Whether it is content with a server that only reads; old clients do not say.
    pub read_only: Option<bool>,
}

/// The head of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestHeader {
    /// The client's number for it; negative ones have a meaning.
    pub xid: i32,
    /// The operation; what is no [`OpCode`] is answered with Unimplemented.
    pub op: i32,
}

/// Which operation makes a node: they differ in the reply and in the txn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CreateKind {
    /// `create`: answers with the path.
    Create,
    /// `create2`: answers with path and stat.
    Create2,
    /// `createContainer`.
    Container,
    /// `createTTL`.
    Ttl,
}

impl CreateKind {
    /// Its operation.
    pub fn op(self) -> OpCode {
        match self {
            CreateKind::Create => OpCode::Create,
            CreateKind::Create2 => OpCode::Create2,
            CreateKind::Container => OpCode::CreateContainer,
            CreateKind::Ttl => OpCode::CreateTtl,
        }
    }
}

/// A request to make a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Create {
    /// By which operation.
    pub kind: CreateKind,
    /// Where; a sequential one gets a number appended.
    pub path: String,
    /// `None` is null, which is not the same as empty.
    pub data: Option<Payload>,
    /// `None` is null, which is refused.
    pub acl: Option<Vec<Acl>>,
    /// See [`CreateMode`].
    pub flags: i32,
    /// In ms, for `createTTL`.
    pub ttl: i64,
}

/// What the flags of a create mean (`CreateMode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are ZooKeeper's and say it")]
#[repr(i32)]
pub enum CreateMode {
    Persistent = 0,
    Ephemeral = 1,
    PersistentSequential = 2,
    EphemeralSequential = 3,
    Container = 4,
    PersistentWithTtl = 5,
    PersistentSequentialWithTtl = 6,
}

impl CreateMode {
    /// The mode of these flags.
    pub fn from_flags(flags: i32) -> Option<CreateMode> {
        use CreateMode::*;
        let all = [
            Persistent,
            Ephemeral,
            PersistentSequential,
            EphemeralSequential,
            Container,
            PersistentWithTtl,
            PersistentSequentialWithTtl,
        ];
        all.into_iter().find(|mode| *mode as i32 == flags)
    }

    /// Whether the node goes with its session.
    pub fn is_ephemeral(self) -> bool {
        matches!(self, CreateMode::Ephemeral | CreateMode::EphemeralSequential)
    }

    /// Whether its name gets a number.
    pub fn is_sequential(self) -> bool {
        use CreateMode::*;
        matches!(self, PersistentSequential | EphemeralSequential | PersistentSequentialWithTtl)
    }

    /// Whether it goes when nothing happened for a time.
    pub fn has_ttl(self) -> bool {
        matches!(self, CreateMode::PersistentWithTtl | CreateMode::PersistentSequentialWithTtl)
    }
}

/// An operation inside a multi.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MultiOp {
    /// Makes a node.
    Create(Create),
    /// Removes one.
    Delete {
        /// Which.
        path: String,
        /// Only if it has this version; −1 for any.
        version: i32,
    },
    /// Sets data.
    SetData {
        /// Of which node.
        path: String,
        /// `None` is null.
        data: Option<Payload>,
        /// Only if it has this version; −1 for any.
        version: i32,
    },
    /// Compares the version.
    Check {
        /// Of which node.
        path: String,
        /// −1 for any.
        version: i32,
    },
}

/// A read inside a multiRead.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MultiReadOp {
    /// Lists children.
    GetChildren(String),
    /// Reads data and stat.
    GetData(String),
}

/// Watches to be set again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SetWatches {
    /// The last txn the client saw: what changed since fires at once.
    pub relative_zxid: i64,
    /// Those of getData and of exists on nodes that were there.
    pub data: Vec<String>,
    /// Those of exists on nodes that were not there.
    pub exist: Vec<String>,
    /// Those of getChildren.
    pub child: Vec<String>,
    /// Persistent ones.
    pub persistent: Vec<String>,
    /// Persistent recursive ones.
    pub persistent_recursive: Vec<String>,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the fields are those of ZooKeeper's records: path, version (−1 for any), watch")]
pub enum Request {
    /// create, create2, createContainer, createTTL.
    Create(Create),
    Delete {
        path: String,
        version: i32,
    },
    Exists {
        path: String,
        watch: bool,
    },
    GetData {
        path: String,
        watch: bool,
    },
    SetData {
        path: String,
        data: Option<Payload>,
        version: i32,
    },
    GetAcl {
        path: String,
    },
    SetAcl {
        path: String,
        acl: Option<Vec<Acl>>,
        version: i32,
    },
    GetChildren {
        path: String,
        watch: bool,
    },
    GetChildren2 {
        path: String,
        watch: bool,
    },
    GetAllChildrenNumber {
        path: String,
    },
    GetEphemerals {
        prefix: String,
    },
    Sync {
        path: String,
    },
    Ping,
    /// `check` outside a multi.
    Check {
        path: String,
        version: i32,
    },
    Multi(Vec<MultiOp>),
    MultiRead(Vec<MultiReadOp>),
    Reconfig {
        joining: Option<String>,
        leaving: Option<String>,
        members: Option<String>,
        config_id: i64,
    },
    Auth {
        kind: i32,
        scheme: String,
        auth: Vec<u8>,
    },
    Sasl {
        token: Vec<u8>,
    },
    /// setWatches, whose persistent lists are empty, and setWatches2.
    SetWatches(SetWatches),
    /// The mode as sent: a number that is no [`WatchMode`](super::WatchMode) is refused.
    AddWatch {
        path: String,
        mode: i32,
    },
    /// The type as sent.
    CheckWatches {
        path: String,
        kind: i32,
    },
    RemoveWatches {
        path: String,
        kind: i32,
    },
    WhoAmI,
    CloseSession,
    /// Internal: what the server of a new client asks the leader for.
    CreateSession {
        timeout: i32,
    },
    /// Internal: what a leader asks of itself.
    DeleteContainer {
        path: String,
    },
}

impl Request {
    /// Its operation; of setWatches and setWatches2 the one that can carry it.
    pub fn op(&self) -> OpCode {
        match self {
            Request::Create(create) => create.kind.op(),
            Request::Delete { .. } => OpCode::Delete,
            Request::Exists { .. } => OpCode::Exists,
            Request::GetData { .. } => OpCode::GetData,
            Request::SetData { .. } => OpCode::SetData,
            Request::GetAcl { .. } => OpCode::GetAcl,
            Request::SetAcl { .. } => OpCode::SetAcl,
            Request::GetChildren { .. } => OpCode::GetChildren,
            Request::GetChildren2 { .. } => OpCode::GetChildren2,
            Request::GetAllChildrenNumber { .. } => OpCode::GetAllChildrenNumber,
            Request::GetEphemerals { .. } => OpCode::GetEphemerals,
            Request::Sync { .. } => OpCode::Sync,
            Request::Ping => OpCode::Ping,
            Request::Check { .. } => OpCode::Check,
            Request::Multi(_) => OpCode::Multi,
            Request::MultiRead(_) => OpCode::MultiRead,
            Request::Reconfig { .. } => OpCode::Reconfig,
            Request::Auth { .. } => OpCode::Auth,
            Request::Sasl { .. } => OpCode::Sasl,
            Request::SetWatches(set) if set.persistent.is_empty() && set.persistent_recursive.is_empty() => {
                OpCode::SetWatches
            }
            Request::SetWatches(_) => OpCode::SetWatches2,
            Request::AddWatch { .. } => OpCode::AddWatch,
            Request::CheckWatches { .. } => OpCode::CheckWatches,
            Request::RemoveWatches { .. } => OpCode::RemoveWatches,
            Request::WhoAmI => OpCode::WhoAmI,
            Request::CloseSession => OpCode::CloseSession,
            Request::CreateSession { .. } => OpCode::CreateSession,
            Request::DeleteContainer { .. } => OpCode::DeleteContainer,
        }
    }
}
