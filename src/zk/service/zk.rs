//! [`Zk`]: the service that a ZooKeeper server replicates, put together of its parts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::replica::{Ask, Asks, Service};
use crate::zab::{Epoch, Instant, Payload, PeerState, Rejected, Sid, Txn, Zxid};
use crate::zk::model::{CreateKind, ErrorCode, MultiOp, OpCode, Request, SessionId, TxnRecord};
use crate::zk::wire::{self, Dialect, Forwarded};

use super::config::ServiceConfig;
use super::front::connection::Latency;
use super::front::frames;
use super::front::{Around, ConnectionView, Delivered, Front, FrontFigures, Joined};
use super::prepare::{Context, Prepare};
use super::sessions::{self, Sessions, Tracker};
use super::tree::Tree;
use super::tree::apply::Outcome;
use super::tree::image::Image;
use super::watches::Watches;
use super::{Answer, Call};

/// The service of one server.
#[derive(Clone, Debug)]
pub struct Zk {
    config: ServiceConfig,
    tree: Tree,
    prepare: Prepare,
    sessions: Sessions,
    front: Front,
    /// Whose each txn is that this server proposed and did not apply: a leader knows for certain which are its own clients'.
    origins: VecDeque<(Zxid, Sid)>,
    /// The newest txn under way of each session that asked for it at another server: a client may come here before its txn does.
    under_way: BTreeMap<SessionId, Zxid>,
    /// When a leader looks for containers next.
    sweep_at: Instant,
    /// Txns and requests that a peer sent and that are none.
    undecodable: u64,
    /// Where txns are written: to use again.
    scratch: Vec<u8>,
}

/// What a txn did, for the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// This.
    Applied(Outcome),
    /// Its bytes are no txn of ZooKeeper: it changed nothing. A history has none unless a peer is broken.
    Undecodable,
}

/// The numbers that operations ask for (`srvr`, `mntr`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerFigures {
    /// Frames from clients.
    pub received: u64,
    /// Frames to clients.
    pub sent: u64,
    /// How long requests took.
    pub latency: Latency,
    /// Connections of clients.
    pub connections: usize,
    /// Requests without an answer.
    pub outstanding: usize,
    /// The last txn applied.
    pub last_zxid: Zxid,
    /// Nodes, the root counted twice as ZooKeeper does.
    pub nodes: usize,
    /// Nodes that go with a session.
    pub ephemerals: usize,
    /// Bytes of paths and data.
    pub data_size: usize,
    /// Sessions.
    pub sessions: usize,
    /// Watches.
    pub watches: usize,
    /// Txns after which the tree was not what their leader had reckoned.
    pub digest_mismatches: u64,
    /// Txns and requests of peers that were none.
    pub undecodable: u64,
}

impl Zk {
    /// A server's service without any history.
    pub fn new(config: ServiceConfig, now: Instant) -> Zk {
        let mut tree = Tree::new();
        write_config(&mut tree, &config, now);
        Zk::with_tree(config, tree, now)
    }

    /// A server's service in a state that was recovered.
    pub fn with_tree(config: ServiceConfig, tree: Tree, now: Instant) -> Zk {
        let first = sessions::first_session_id(config.sid, config.wall_clock(now));
        Zk {
            prepare: Prepare::new(config.rules.clone()),
            front: Front::new(first),
            sessions: Sessions::Off,
            origins: VecDeque::new(),
            under_way: BTreeMap::new(),
            sweep_at: Instant::NEVER,
            undecodable: 0,
            scratch: Vec::new(),
            config,
            tree,
        }
    }

    /// The applied state.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The options.
    pub fn config(&self) -> &ServiceConfig {
        &self.config
    }

    /// The numbers.
    pub fn figures(&self) -> ServerFigures {
        let FrontFigures { received, sent, latency } = self.front.figures();
        ServerFigures {
            received,
            sent,
            latency,
            connections: self.front.connections().count(),
            outstanding: self.front.outstanding(),
            last_zxid: self.tree.last_processed(),
            nodes: self.tree.node_count() + 1,
            ephemerals: self.tree.ephemeral_count(),
            data_size: self.tree.data_size(),
            sessions: self.tree.sessions().len(),
            watches: self.front.watches().count(),
            digest_mismatches: self.tree.digest_mismatches(),
            undecodable: self.undecodable,
        }
    }

    /// The connections.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionView> {
        self.front.connections()
    }

    /// Which connections are closed for their silence when, in milliseconds since the host started.
    pub fn silences(&self) -> impl Iterator<Item = (u64, &BTreeSet<super::ConnId>)> {
        self.front.silences()
    }

    /// The watches.
    pub fn watches(&self) -> &Watches {
        self.front.watches()
    }

    /// What the leader knows of the sessions.
    pub fn tracker(&self) -> Option<&Tracker> {
        match &self.sessions {
            Sessions::Leader(tracker) => Some(tracker),
            Sessions::Off | Sessions::Learner { .. } => None,
        }
    }

    /// Whether the host should read from a connection now: back-pressure. `voters` is the number of those who vote.
    pub fn may_read(&self, conn: super::ConnId, voters: usize) -> bool {
        self.front.may_read(conn, self.config.outstanding_limit(voters))
    }

    /// The connections, and what they need of the rest.
    fn parts<'a>(&'a mut self, now: Instant, asks: &'a mut Asks<Zk>) -> (&'a mut Front, Around<'a>) {
        let Zk { front, config, tree, sessions, under_way, .. } = self;
        (front, Around { now, config, tree, sessions, under_way, asks })
    }

    fn is_leading(&self) -> bool {
        matches!(self.sessions, Sessions::Leader(_))
    }

    /// What the tracker says of a request, and what it learns from it.
    fn check(&mut self, now: Instant, from: Sid, session: SessionId, request: &Request) -> Result<(), ErrorCode> {
        let Some(tracker) = self.sessions.tracker() else { return Err(ErrorCode::SessionExpired) };
        match request {
            Request::CreateSession { timeout } => {
                tracker.track(now, session, *timeout);
                tracker.moved(session, from);
                Ok(())
            }
            // Not checked: expiry asks for it too, and nothing comes after it.
            Request::CloseSession => {
                tracker.closing(session);
                Ok(())
            }
            Request::DeleteContainer { .. } => Ok(()),
            _ => tracker.check(session, from),
        }
    }

    fn encode(&mut self, record: &TxnRecord) -> Payload {
        self.scratch.clear();
        wire::encode_txn(record, &mut self.scratch);
        Payload::new(&self.scratch)
    }
}

fn decode(txn: &Txn) -> Result<TxnRecord, String> {
    let record = wire::decode_txn(txn.payload.as_bytes()).map_err(|error| error.to_string())?;
    let zxid = record.header.zxid;
    if zxid == txn.zxid { Ok(record) } else { Err(format!("inside it is called {zxid}")) }
}

/// Before 3.9 a create2 in a multi is a create (ZOOKEEPER-4026).
fn without_stat(op: &mut MultiOp) {
    if let MultiOp::Create(create) = op
        && create.kind == CreateKind::Create2
    {
        create.kind = CreateKind::Create;
    }
}

fn write_config(tree: &mut Tree, config: &ServiceConfig, now: Instant) {
    if config.standalone {
        return;
    }
    tree.set_config(config.config_text.as_bytes(), Zxid::ZERO, config.wall_clock(now));
}

impl Service for Zk {
    type Effect = Told;
    type Call = Call;
    type Answer = Answer;
    type Image = Image;

    /// A request that cannot be read becomes a txn that says so: it has its place in the history already.
    fn prepare(&mut self, now: Instant, zxid: Zxid, from: Sid, request: &Payload) -> Payload {
        self.origins.push_back((zxid, from));
        let time = self.config.wall_clock(now);
        let forwarded = Forwarded::read(request.as_bytes());
        let Ok(forwarded) = forwarded else {
            self.undecodable += 1;
            let context = Context { zxid, time, session: SessionId(0), cxid: 0, ids: &[], checked: Ok(()) };
            return self.encode(&context.refuse(ErrorCode::MarshallingError));
        };
        let Forwarded { session, cxid, op, record, auth } = forwarded;
        if from != self.config.sid {
            self.under_way.insert(session, zxid);
        }
        let request = OpCode::from_code(op).ok_or(ErrorCode::Unimplemented);
        let mut request =
            request.and_then(|op| wire::decode_request(op, record).map_err(|_| ErrorCode::MarshallingError));
        if let (Ok(Request::Multi(ops)), Dialect::V38) = (&mut request, self.config.dialect) {
            ops.iter_mut().for_each(without_stat);
        }
        let context = Context { zxid, time, session, cxid, ids: &auth, checked: Ok(()) };
        let record = match request {
            Ok(request) => {
                let checked = self.check(now, from, session, &request);
                self.prepare.prepare(&self.tree, &Context { checked, ..context }, &request)
            }
            Err(error) => context.refuse(error),
        };
        self.encode(&record)
    }

    fn check(txn: &Txn) -> Result<(), String> {
        decode(txn).map(drop)
    }

    /// What is no txn changes nothing: the history is what a quorum agreed on.
    fn apply(&mut self, now: Instant, txn: &Txn, committed: bool, asks: &mut Asks<Zk>) -> Told {
        let own = self.origins.pop_front_if(|(zxid, _)| *zxid == txn.zxid).map(|(_, from)| from == self.config.sid);
        let delivered = if own == Some(false) { Delivered::Elsewhere } else { Delivered::Here };
        let Ok(record) = decode(txn) else {
            self.undecodable += 1;
            self.tree.set_last_processed(txn.zxid);
            return Told::Undecodable;
        };
        let applied = self.tree.apply(&record);
        self.prepare.applied(txn.zxid);
        let session = record.header.session;
        if self.under_way.get(&session).is_some_and(|newest| *newest <= txn.zxid) {
            self.under_way.remove(&session);
        }
        let told = Told::Applied(applied.outcome.clone());
        if let Some(tracker) = self.sessions.tracker()
            && record.header.kind == OpCode::CloseSession
        {
            tracker.remove(record.header.session);
        }
        if committed {
            let (front, mut around) = self.parts(now, asks);
            front.on_applied(&record.header, delivered, applied, &mut around);
        }
        told
    }

    fn serve(
        &mut self,
        now: Instant,
        serving: Option<PeerState>,
        epoch: Epoch,
        leader: Option<Sid>,
        asks: &mut Asks<Zk>,
    ) {
        self.sessions = Sessions::Off;
        self.prepare.forget();
        self.origins.clear();
        self.under_way.clear();
        self.sweep_at = Instant::NEVER;
        let (front, mut around) = self.parts(now, asks);
        front.close_all(&mut around);
        match (serving, leader) {
            (Some(PeerState::Leading), _) => {
                // Learners that get its state get it as that of the epoch's beginning: no client may have seen more than its leader.
                self.tree.set_last_processed(self.tree.last_processed().max(Zxid::marker(epoch)));
                // Nobody knows when the clients were heard of last: each gets its whole time.
                let mut tracker = Tracker::new(self.config.tick_time);
                for (session, timeout) in self.tree.sessions() {
                    tracker.track(now, *session, *timeout);
                }
                self.sessions = Sessions::Leader(tracker);
                // What a snapshot names an owner for and no session: nobody else would ever end it (`ZooKeeperServer.loadData`).
                for session in self.tree.owners().filter(|owner| !self.tree.sessions().contains_key(owner)) {
                    asks.push(Ask::Submit(frames::internal(session, &Request::CloseSession)));
                }
                self.sweep_at = now + self.config.sweep_interval;
            }
            (Some(_), Some(leader)) => self.sessions = Sessions::Learner { leader, touched: Default::default() },
            (Some(_), None) | (None, _) => {}
        }
    }

    fn freeze(&self) -> Image {
        self.tree.freeze()
    }

    fn restore(&mut self, zxid: Zxid, pieces: &[&[u8]]) -> Result<(), String> {
        let joined;
        let bytes = match pieces {
            [whole] => whole,
            pieces => {
                joined = pieces.concat();
                joined.as_slice()
            }
        };
        let (tree, _) = Tree::restore(bytes).map_err(|error| {
            self.undecodable += 1;
            error.to_string()
        })?;
        self.tree = tree;
        self.tree.set_last_processed(zxid);
        // Not replicated: each server tells of its own configuration (ZOOKEEPER-2819).
        write_config(&mut self.tree, &self.config, Instant::ZERO);
        Ok(())
    }

    fn expect_digest(&mut self, until: Zxid, digest: u64) {
        self.tree.expect_digest(until, digest);
    }

    /// Connections, and whoever is behind them, know nothing of files.
    fn reload(&mut self, read: Zk) {
        self.tree = read.tree;
        self.undecodable += read.undecodable;
        self.prepare.forget();
        self.origins.clear();
        self.under_way.clear();
    }

    fn digest(&self) -> u64 {
        self.tree.digest()
    }

    fn call(&mut self, now: Instant, call: Call, asks: &mut Asks<Zk>) {
        let (front, mut around) = self.parts(now, asks);
        match call {
            Call::Connected { conn, from } => front.on_connected(conn, from, &around),
            Call::Frame { conn, bytes } => front.on_frame(conn, bytes, &mut around),
            Call::Alive { conn } => front.on_alive(conn, &mut around),
            Call::Closed { conn } => front.on_closed(conn),
        }
    }

    fn synced(&mut self, now: Instant, token: u64, asks: &mut Asks<Zk>) {
        let (front, mut around) = self.parts(now, asks);
        front.on_synced(token, &mut around);
    }

    /// No client is told a refusal: what it asked for may be tried again elsewhere, and its connection is closed.
    fn rejected(&mut self, now: Instant, rejected: &Rejected, asks: &mut Asks<Zk>) {
        let (front, mut around) = self.parts(now, asks);
        match rejected {
            Rejected::Sync(token) => front.on_sync_rejected(*token, &mut around),
            Rejected::Write(request) => {
                if let Ok(forwarded) = Forwarded::read(request.as_bytes()) {
                    front.on_write_rejected(forwarded.session, &mut around);
                }
            }
        }
    }

    fn heard(&mut self, now: Instant, from: Sid, what: &Payload, asks: &mut Asks<Zk>) {
        if let Some(tracker) = self.sessions.tracker() {
            let Ok((session, timeout)) = wire::decode_revalidate(what.as_bytes()) else {
                self.undecodable += 1;
                return;
            };
            let is_alive = tracker.touch(now, session, timeout);
            if is_alive {
                tracker.moved(session, from);
            }
            asks.push(Ask::Tell { to: from, what: frames::revalidated(session, is_alive) });
        } else if let Ok((session, is_alive)) = wire::decode_revalidated(what.as_bytes()) {
            let joined = if is_alive { Joined::Alive } else { Joined::Refused };
            let (front, mut around) = self.parts(now, asks);
            front.on_revalidated(session, joined, &mut around);
        } else {
            self.undecodable += 1;
        }
    }

    fn touched(&mut self, now: Instant, _from: Sid, sessions: &Payload) {
        let Ok(touched) = wire::decode_sessions(sessions.as_bytes()) else {
            self.undecodable += 1;
            return;
        };
        for (session, timeout) in touched {
            self.sessions.touch(now, session, timeout);
        }
    }

    fn take_touched(&mut self) -> Payload {
        match &mut self.sessions {
            Sessions::Learner { touched, .. } => frames::touched(std::mem::take(touched)),
            Sessions::Off | Sessions::Leader(_) => Payload::EMPTY,
        }
    }

    fn set_wall_clock(&mut self, base: i64) {
        self.config.wall_clock_base = base;
    }

    fn next_timeout(&self) -> Option<Instant> {
        let leader = self.tracker().and_then(Tracker::next_timeout);
        let sweep = self.is_leading().then_some(self.sweep_at);
        [leader, sweep, self.front.next_timeout()].into_iter().flatten().min()
    }

    fn wake(&mut self, now: Instant, asks: &mut Asks<Zk>) {
        for session in self.sessions.tracker().map(|tracker| tracker.expire(now)).unwrap_or_default() {
            asks.push(Ask::Submit(frames::internal(session, &Request::CloseSession)));
        }
        if self.is_leading() && now >= self.sweep_at {
            self.sweep_at = now + self.config.sweep_interval;
            for path in self.tree.due(self.config.sweep, self.config.wall_clock(now)) {
                asks.push(Ask::Submit(frames::internal(SessionId(0), &Request::DeleteContainer { path })));
            }
        }
        let (front, mut around) = self.parts(now, asks);
        front.close_silent(&mut around);
    }
}
