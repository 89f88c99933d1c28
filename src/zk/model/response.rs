//! What a client gets back.

use super::{Acl, SessionId, Stat};
use crate::zab::Payload;

/// The answer to the first frame.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectResponse {
    /// 0.
    pub protocol_version: i32,
    /// The time-out that was agreed on, in ms; 0 if the session is over.
    pub timeout: i32,
    /// The session; 0 if it is over.
    pub session: SessionId,
    /// Its password.
    pub password: [u8; 16],
    /// Whether this server only reads; left out for clients that did not say either.
    pub read_only: Option<bool>,
}

/// A reply: its head, and what the operation answers if it succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reply {
    /// The client's number of the request.
    pub xid: i32,
    /// The last txn the server had applied.
    pub zxid: i64,
    /// 0, or an [`ErrorCode`](super::ErrorCode).
    pub error: i32,
    /// What the operation answers.
    pub response: Option<Response>,
}

/// What an operation answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the fields are those of ZooKeeper's records")]
pub enum Response {
    /// create, sync.
    Path(String),
    /// create2, createContainer, createTTL.
    Created {
        path: String,
        stat: Stat,
    },
    /// exists, setData, setACL.
    Stat(Stat),
    Data {
        data: Option<Payload>,
        stat: Stat,
    },
    Acl {
        acl: Vec<Acl>,
        stat: Stat,
    },
    Children(Vec<String>),
    Children2 {
        children: Vec<String>,
        stat: Stat,
    },
    AllChildrenNumber(i32),
    Ephemerals(Vec<String>),
    Multi(Vec<MultiResult>),
    /// The token of SASL.
    Token(Vec<u8>),
    /// addWatch: an error that is always 0.
    AddWatch,
    WhoAmI(Vec<ClientInfo>),
}

/// One result of a multi or a multiRead.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the fields are those of ZooKeeper's records")]
pub enum MultiResult {
    /// create.
    Created(String),
    /// create2, createContainer, createTTL; with a stat from 3.9 on.
    Created2 {
        path: String,
        stat: Option<Stat>,
    },
    Deleted,
    Set(Stat),
    Checked,
    Children(Vec<String>),
    Data {
        data: Option<Payload>,
        stat: Stat,
    },
    /// The number: 0 for what was undone.
    Error(i32),
}

/// An id of a connection (whoAmI).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientInfo {
    /// The scheme.
    pub auth_scheme: String,
    /// Who, without secrets.
    pub user: String,
}
