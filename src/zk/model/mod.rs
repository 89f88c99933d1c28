//! The vocabulary: sessions, ACLs, stats, requests, replies, txns, errors. Names and numbers are ZooKeeper's (`ZooDefs`,
//! `KeeperException.Code`, the jute modules `data`, `proto` and `txn`).

mod acl;
mod code;
mod request;
mod response;
mod stat;
mod txn;
mod watch;

use std::fmt;

pub use acl::{Acl, Id};
pub use code::{ErrorCode, OpCode};
pub use request::{
    ConnectRequest, Create, CreateKind, CreateMode, MultiOp, MultiReadOp, Request, RequestHeader, SetWatches,
};
pub use response::{ClientInfo, ConnectResponse, MultiResult, Reply, Response};
pub use stat::{Stat, StatPersisted};
pub use txn::{CreateTxn, TxnBody, TxnDigest, TxnHeader, TxnRecord};
pub use watch::{EventType, WatchEvent, WatchMode, WatcherType};

/// A session; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub i64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:x}", self.0)
    }
}
