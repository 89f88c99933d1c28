//! One client connection (`ServerCnxn`): how far it has come, and what it waits for.

use std::collections::VecDeque;
use std::net::IpAddr;

use crate::zab::{Duration, Instant, Zxid};
use crate::zk::model::{ErrorCode, OpCode, Request, Response, SessionId};
use crate::zk::service::acl;

use super::ids::Ids;

/// A connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// How far it has come.
    pub stage: Stage,
    /// From where.
    pub from: IpAddr,
    /// Who it is, for ACLs: its address, and what it authenticated as.
    pub ids: Ids,
    /// Its session, once one is asked for.
    pub session: SessionId,
    /// The session's time-out in milliseconds.
    pub timeout: i32,
    /// Whether the client knows of servers that only read; its answer then says whether this is one.
    pub knows_read_only: bool,
    /// Frames that came before the session was decided.
    pub held: VecDeque<Vec<u8>>,
    /// Requests without an answer, in their order.
    pub pending: VecDeque<Pending>,
    /// What `cons` tells.
    pub figures: Figures,
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its first frame is to come.
    Greeting,
    /// Its session is being created, or looked for.
    Joining,
    /// It has a session.
    Open,
}

/// A request that waits.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The client's number of it.
    pub xid: i32,
    /// Since when.
    pub since: Instant,
    /// What is left to do.
    pub work: Work,
}

/// What is left to do for a request when those before it are answered.
#[derive(Clone, Debug)]
pub enum Work {
    /// Its txn is to be applied.
    Write(OpCode),
    /// The leader is to say that everything before it was.
    Sync(String),
    /// To be read now.
    Read(Read),
    /// To be answered so.
    Refuse(ErrorCode),
    /// To be answered so, and the connection closed.
    Dismiss(ErrorCode),
    /// To be answered so, or with this error: its turn had not come when it was known.
    Known(i64, Result<Option<Response>, i32>),
}

/// A read that waits.
#[derive(Clone, Debug)]
pub struct Read {
    /// What is asked.
    pub request: Request,
    /// How many ids the connection had when it asked (`Request.authInfo`): none is ever taken away, and later ones do not count.
    pub ids: usize,
    /// What its session had asked for at another server when it asked: to be applied first. What comes from there later is no
    /// earlier request, and a write that this connection asks for next may be answered before it.
    pub after: Zxid,
}

/// What a connection has seen (`ConnectionStats`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Frames from it.
    pub received: u64,
    /// Frames to it.
    pub sent: u64,
    /// Since when it is there.
    pub established: Instant,
    /// The number of its last answered request.
    pub last_xid: i32,
    /// The zxid of its last answer.
    pub last_zxid: i64,
    /// When it was answered last.
    pub last_answer: Instant,
    /// How long its requests took.
    pub latency: Latency,
}

/// How long requests took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// How many.
    pub count: u64,
    /// All together.
    pub total: Duration,
    /// The shortest.
    pub min: Duration,
    /// The longest.
    pub max: Duration,
}

impl Latency {
    /// One more.
    pub fn add(&mut self, took: Duration) {
        self.min = if self.count == 0 { took } else { self.min.min(took) };
        self.max = self.max.max(took);
        self.total = self.total + took;
        self.count += 1;
    }
}

impl Connection {
    /// One that says nothing yet.
    pub fn new(now: Instant, from: IpAddr) -> Connection {
        Connection {
            stage: Stage::Greeting,
            from,
            ids: Ids::new(acl::id_of(from)),
            session: SessionId(0),
            timeout: 0,
            knows_read_only: false,
            held: VecDeque::new(),
            pending: VecDeque::new(),
            figures: Figures { established: now, ..Figures::default() },
        }
    }

    /// The oldest write whose txn is not applied. Txns of a session come in the order of its requests, so that the next one
    /// that comes is this or somebody else's.
    pub fn next_write(&mut self) -> Option<&mut Pending> {
        self.pending.iter_mut().find(|pending| matches!(pending.work, Work::Write(_)))
    }
}
