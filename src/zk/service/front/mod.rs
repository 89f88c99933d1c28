//! The client connections of a server (`NIOServerCnxn`, `CommitProcessor`, `FinalRequestProcessor`).
//!
//! | stage | a frame is | leaves by |
//! |---|---|---|
//! | `Greeting` | the ConnectRequest | the session being asked for, or refused |
//! | `Joining` | held | the createSession txn; the leader's word on a session that is resumed |
//! | `Open` | a request | closeSession, an error of the connection, the end of its session, of its host or of serving |
//!
//! Replies leave in the order of the requests. A write goes to the leader at once and waits for its txn; what was asked after it
//! waits behind it, so that a client reads what it wrote, on this connection or on one before it. A txn finds its request by session and number: first what connections of
//! the session that are gone have left under way, then the oldest write of the present one. Anything else was asked at
//! another server, and is answered there.

pub mod connection;
mod events;
pub(super) mod frames;
mod greeting;
mod ids;
pub use greeting::Joined;
mod outcome;
mod reads;
mod requests;

use std::collections::BTreeSet;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use crate::replica::Ask;
use crate::zab::{Duration, Instant, Zxid};
use crate::zk::model::{ErrorCode, OpCode, Reply, Response, SessionId};

use super::config::ServiceConfig;
use super::expiry::ExpiryQueue;
use super::sessions::Sessions;
use super::tree::Tree;
use super::watches::Watches;
use super::{Answer, ConnId};
use connection::{Connection, Figures, Latency, Pending, Read, Stage, Work};

pub use outcome::Delivered;

/// How long a connection may be without a session, and how exactly silence is measured
/// (`zookeeper.nio.sessionlessCnxnTimeout`).
const SESSIONLESS: Duration = Duration::from_secs(10);

/// The connections.
#[derive(Clone, Debug)]
pub struct Front {
    conns: BTreeMap<ConnId, Connection>,
    /// The connection of each session that has one here.
    by_session: BTreeMap<SessionId, ConnId>,
    /// Which connection is closed when, if it stays silent.
    silence: ExpiryQueue<ConnId>,
    /// Writes under way of connections that are gone, in their order: their txns are nobody's here any more.
    abandoned: BTreeMap<SessionId, VecDeque<i32>>,
    /// Whose `sync` each token is.
    syncs: BTreeMap<u64, ConnId>,
    last_sync: u64,
    /// The next session of this server.
    next_session: SessionId,
    watches: Watches,
    outstanding: usize,
    figures: FrontFigures,
}

/// What a front has counted (`ServerStats`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrontFigures {
    /// Frames from clients.
    pub received: u64,
    /// Frames to clients.
    pub sent: u64,
    /// How long requests took.
    pub latency: Latency,
}

/// A connection, for whoever asks about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionView {
    /// Which.
    pub conn: ConnId,
    /// From where.
    pub from: IpAddr,
    /// Its session; 0 before it has one.
    pub session: SessionId,
    /// The session's time-out in milliseconds.
    pub timeout: i32,
    /// Requests without an answer.
    pub queued: usize,
    /// What it has seen.
    pub figures: Figures,
}

/// What the connections need of the rest of the service in one step.
pub struct Around<'a> {
    /// The present time.
    pub now: Instant,
    /// The options.
    pub config: &'a ServiceConfig,
    /// The applied state.
    pub tree: &'a Tree,
    /// What the role says of sessions.
    pub sessions: &'a mut Sessions,
    /// At a leader, the sessions with writes under way that were asked for at other servers.
    pub under_way: &'a BTreeMap<SessionId, Zxid>,
    /// What is wanted of peer and host.
    pub asks: &'a mut Vec<Ask<Answer>>,
}

impl Front {
    /// Without a connection. `first` is the id of its first session.
    pub fn new(first: SessionId) -> Front {
        Front {
            conns: BTreeMap::new(),
            by_session: BTreeMap::new(),
            silence: ExpiryQueue::new(SESSIONLESS),
            abandoned: BTreeMap::new(),
            syncs: BTreeMap::new(),
            last_sync: 0,
            next_session: first,
            watches: Watches::default(),
            outstanding: 0,
            figures: FrontFigures::default(),
        }
    }

    /// One connected.
    pub fn on_connected(&mut self, conn: ConnId, from: IpAddr, around: &Around<'_>) {
        self.conns.insert(conn, Connection::new(around.now, from));
        self.silence.put_off(around.now, conn, SESSIONLESS.as_millis() as i32);
    }

    /// Which connections are closed for their silence when, in milliseconds since the host started.
    pub fn silences(&self) -> impl Iterator<Item = (u64, &BTreeSet<ConnId>)> {
        self.silence.buckets()
    }

    /// A frame came.
    pub fn on_frame(&mut self, conn: ConnId, bytes: Vec<u8>, around: &mut Around<'_>) {
        let Some(connection) = self.conns.get_mut(&conn) else { return };
        connection.figures.received += 1;
        self.figures.received += 1;
        let serves = match around.sessions {
            Sessions::Off => false,
            Sessions::Leader(_) => around.config.leader_serves || around.config.standalone,
            Sessions::Learner { .. } => true,
        };
        if !serves {
            return self.close(conn, around);
        }
        match connection.stage {
            Stage::Greeting => self.on_greeting(conn, &bytes, around),
            Stage::Joining => connection.held.push_back(bytes),
            Stage::Open => self.on_request(conn, &bytes, around),
        }
    }

    /// One is in use, though nothing was read from it: its session lives on. Before it has one, nothing is known of it.
    pub fn on_alive(&mut self, conn: ConnId, around: &mut Around<'_>) {
        let Some(connection) = self.conns.get(&conn).filter(|it| it.stage == Stage::Open) else { return };
        around.sessions.touch(around.now, connection.session, connection.timeout);
        self.silence.put_off(around.now, conn, connection.timeout);
    }

    /// One ended.
    pub fn on_closed(&mut self, conn: ConnId) {
        self.leave(conn);
    }

    /// Serving begins or ends: no connection outlives it.
    pub fn close_all(&mut self, around: &mut Around<'_>) {
        let conns: Vec<ConnId> = self.conns.keys().copied().collect();
        for conn in conns {
            self.close(conn, around);
        }
        self.abandoned.clear();
        self.syncs.clear();
    }

    /// Closes who was silent too long.
    pub fn close_silent(&mut self, around: &mut Around<'_>) {
        for conn in self.silence.poll(around.now) {
            self.close(conn, around);
        }
    }

    /// When somebody may have been silent too long.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.silence.next_timeout()
    }

    /// Everything before a `sync` is applied.
    pub fn on_synced(&mut self, token: u64, around: &mut Around<'_>) {
        let Some(conn) = self.syncs.remove(&token) else { return };
        let Some(connection) = self.conns.get_mut(&conn) else { return };
        // Those of one connection are complete in the order in which they were asked for.
        let oldest = connection.pending.iter_mut().find(|pending| matches!(pending.work, Work::Sync(_)));
        if let Some(pending) = oldest
            && let Work::Sync(path) = &mut pending.work
        {
            let path = std::mem::take(path);
            pending.work = Work::Known(around.tree.last_processed().0, Ok(Some(Response::Path(path))));
            self.answer_in_turn(conn, around);
        }
    }

    /// A `sync` is refused: a connection that waits for what never comes is of no use.
    pub fn on_sync_rejected(&mut self, token: u64, around: &mut Around<'_>) {
        if let Some(conn) = self.syncs.remove(&token) {
            self.close(conn, around);
        }
    }

    /// A write of this session is refused.
    pub fn on_write_rejected(&mut self, session: SessionId, around: &mut Around<'_>) {
        // Whatever its connections of before asked for is refused alike.
        self.abandoned.remove(&session);
        if let Some(conn) = self.by_session.get(&session) {
            self.close(*conn, around);
        }
    }

    /// Whether to read from this connection: not before its session is decided, and beyond the limit of requests under way only
    /// from those who have none.
    pub fn may_read(&self, conn: ConnId, limit: usize) -> bool {
        self.conns.get(&conn).is_some_and(|connection| match connection.stage {
            Stage::Greeting => true,
            Stage::Joining => connection.held.is_empty(),
            Stage::Open => self.outstanding < limit || connection.pending.is_empty(),
        })
    }

    /// The connections.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionView> {
        self.conns.iter().map(|(conn, connection)| {
            let &Connection { from, session, timeout, figures, .. } = connection;
            ConnectionView { conn: *conn, from, session, timeout, queued: connection.pending.len(), figures }
        })
    }

    /// Requests without an answer.
    pub fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// What was counted.
    pub fn figures(&self) -> FrontFigures {
        self.figures
    }

    /// The watches.
    pub fn watches(&self) -> &Watches {
        &self.watches
    }

    /// Answers what is at the head of the queue, as far as it can be answered. A read also waits for what its session asked for before it
    /// came here: on another connection, or at another server (`CommitProcessor.pendingRequests`, which knows sessions only).
    fn answer_in_turn(&mut self, conn: ConnId, around: &mut Around<'_>) {
        while let Some(connection) = self.conns.get_mut(&conn) {
            let session = connection.session;
            let abandoned = &self.abandoned;
            let ready = |pending: &mut Pending| match pending.work {
                Work::Write(_) | Work::Sync(_) => false,
                Work::Read(Read { after, .. }) => {
                    !abandoned.contains_key(&session) && after <= around.tree.last_processed()
                }
                Work::Known(..) | Work::Refuse(_) | Work::Dismiss(_) => true,
            };
            let Some(Pending { xid, since, work }) = connection.pending.pop_front_if(ready) else { break };
            self.outstanding -= 1;
            let (zxid, answer) = match &work {
                Work::Known(zxid, answer) => (*zxid, answer.clone()),
                Work::Refuse(error) => (around.tree.last_processed().0, Err(error.code())),
                // What never became a request has no place in the history.
                Work::Dismiss(error) => (-1, Err(error.code())),
                Work::Read(read) => {
                    (around.tree.last_processed().0, self.read(conn, read, around).map_err(ErrorCode::code))
                }
                Work::Write(_) | Work::Sync(_) => unreachable!("they are not ready"),
            };
            if answer == Err(ErrorCode::SessionMoved.code()) {
                // An error of the connection, never of a request (ZOOKEEPER-710).
                return self.close(conn, around);
            }
            self.reply(conn, since, Reply::of(xid, zxid, answer), around);
            if matches!(work, Work::Dismiss(_)) {
                return self.close(conn, around);
            }
        }
    }

    fn reply(&mut self, conn: ConnId, since: Instant, reply: Reply, around: &mut Around<'_>) {
        let took = around.now.since(since);
        self.figures.latency.add(took);
        if let Some(Connection { figures, .. }) = self.conns.get_mut(&conn) {
            figures.latency.add(took);
            (figures.last_xid, figures.last_zxid, figures.last_answer) = (reply.xid, reply.zxid, around.now);
        }
        self.send(conn, frames::reply(&reply), around);
    }

    fn send(&mut self, conn: ConnId, bytes: Vec<u8>, around: &mut Around<'_>) {
        self.figures.sent += 1;
        if let Some(connection) = self.conns.get_mut(&conn) {
            connection.figures.sent += 1;
        }
        around.asks.push(Ask::Answer(Answer::Frame { conn, bytes }));
    }

    /// Closes a connection from this side.
    fn close(&mut self, conn: ConnId, around: &mut Around<'_>) {
        if self.leave(conn) {
            around.asks.push(Ask::Answer(Answer::Close { conn }));
        }
    }

    /// A connection is gone, and its watches with it. Whether it was there: what a host says of one that was closed from this side
    /// comes too late.
    fn leave(&mut self, conn: ConnId) -> bool {
        let Some(Connection { session, pending, .. }) = self.conns.remove(&conn) else { return false };
        self.outstanding -= pending.len();
        let writes = pending.iter().filter(|pending| matches!(pending.work, Work::Write(_))).map(|pending| pending.xid);
        let mut writes = writes.peekable();
        if writes.peek().is_some() {
            self.abandoned.entry(session).or_default().extend(writes);
        }
        if self.by_session.get(&session) == Some(&conn) {
            self.by_session.remove(&session);
        }
        self.watches.forget(conn);
        self.silence.remove(conn);
        true
    }

    /// The connection that waits for this txn, if it is one of this server.
    fn claim(&mut self, session: SessionId, cxid: i32, kind: OpCode) -> Option<ConnId> {
        if let Some(abandoned) = self.abandoned.get_mut(&session)
            && abandoned.pop_front_if(|oldest| *oldest == cxid).is_some()
        {
            if abandoned.is_empty() {
                self.abandoned.remove(&session);
            }
            return None;
        }
        let conn = *self.by_session.get(&session)?;
        let waiting = self.conns.get_mut(&conn)?.next_write()?;
        let fits = matches!(waiting.work, Work::Write(op) if op == kind || kind == OpCode::Error);
        (waiting.xid == cxid && fits).then_some(conn)
    }
}

impl Reply {
    fn of(xid: i32, zxid: i64, answer: Result<Option<Response>, i32>) -> Reply {
        match answer {
            Ok(response) => Reply { xid, zxid, error: 0, response },
            Err(error) => Reply { xid, zxid, error, response: None },
        }
    }
}
