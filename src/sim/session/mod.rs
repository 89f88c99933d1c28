//! A client of ZooKeeper as its library would be: one session that survives its connections, requests that are answered in order,
//! watches that it sets again.
//!
//! ```text
//! Invoke ─▶ ask ──▶ connect, if it is elsewhere ──▶ ConnectRequest … ConnectResponse
//!                     └▶ once the session stands: SetWatches, then the requests of the operation ─▶ … answers, events
//! ```

mod script;

use std::collections::{BTreeSet, VecDeque};

use super::{Found, Node, Op, Sight, TreeEvent, Znode, item_mark};
use crate::zab::{Payload, Zxid};
use crate::zk::model::{
    ConnectRequest, ErrorCode, EventType, MultiResult, OpCode, Reply, Request, Response, SessionId, SetWatches, Stat,
};
use crate::zk::service::ConnId;
use crate::zk::wire;
use script::{Asked, Purpose, Script};

/// The time-out that it asks for, in milliseconds: servers give what their ticks allow.
const TIMEOUT: i32 = 4000;
/// The number of a request to set watches again.
const SET_WATCHES: i32 = -8;
/// The number of an event.
const EVENT: i32 = -1;

/// A client.
#[derive(Clone, Debug)]
pub(super) struct Session {
    client: u8,
    id: SessionId,
    password: Vec<u8>,
    link: Option<Link>,
    /// How many connections there were.
    connections: u32,
    xid: i32,
    /// The last zxid in the head of an answer.
    seen: Zxid,
    watches: BTreeSet<Watch>,
    script: Script,
}

/// A connection.
#[derive(Clone, Debug)]
struct Link {
    conn: ConnId,
    server: Node,
    stage: Stage,
    /// Requests that are not answered, in order.
    sent: VecDeque<Sent>,
}

#[derive(Clone, Debug)]
enum Stage {
    /// The session is asked for; the operation waits for it.
    Joining(Option<(Op, u32)>),
    Open,
    /// The session is being closed, or was: nothing more is asked.
    Closing,
}

#[derive(Clone, Debug)]
struct Sent {
    xid: i32,
    op: OpCode,
    asked: Asked,
}

/// A watch that the library remembers, and where it would set it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Watch {
    Data(Znode),
    Exist(Znode),
    Child(Znode),
}

/// What comes of something that a client heard or did.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Open this connection.
    Connect(ConnId),
    /// Send this frame on the connection.
    Send(Vec<u8>),
    /// Give the connection up.
    Close(ConnId),
    /// Something to see.
    Event(TreeEvent),
    /// The operation is answered.
    Answered { serial: u32, zxid: Zxid, seen: u32 },
    /// The operation was not done: it was never asked for, or a server said no.
    Refused { serial: u32 },
    /// Nobody knows whether the operation was done.
    Unknown { serial: u32 },
}

impl Session {
    pub(super) fn new(client: u8) -> Session {
        Session {
            client,
            id: SessionId(0),
            password: vec![0; 16],
            link: None,
            connections: 0,
            xid: 0,
            seen: Zxid::ZERO,
            watches: BTreeSet::new(),
            script: Script::new(client),
        }
    }

    /// Whose connection it is.
    pub(super) fn client_of(conn: ConnId) -> u8 {
        (conn.0 >> 32) as u8
    }

    /// The server that it is connected to.
    pub(super) fn server(&self) -> Option<Node> {
        self.link.as_ref().map(|link| link.server)
    }

    /// Its connection.
    pub(super) fn conn(&self) -> Option<ConnId> {
        self.link.as_ref().map(|link| link.conn)
    }

    pub(super) fn has(&self, conn: ConnId) -> bool {
        self.link.as_ref().is_some_and(|link| link.conn == conn)
    }

    /// Begins an operation at `server`.
    pub(super) fn ask(&mut self, server: Node, op: Op, serial: u32, steps: &mut Vec<Step>) {
        match &mut self.link {
            Some(Link { server: at, stage: Stage::Joining(waiting), .. }) if *at == server => {
                *waiting = Some((op, serial));
            }
            Some(Link { server: at, stage: Stage::Open, .. }) if *at == server => self.begin(op, serial, steps),
            _ => {
                steps.extend(self.link.take().map(|link| Step::Close(link.conn)));
                self.connect(server, op, serial, steps);
            }
        }
    }

    fn connect(&mut self, server: Node, op: Op, serial: u32, steps: &mut Vec<Step>) {
        self.connections += 1;
        let conn = ConnId(u64::from(self.client) << 32 | u64::from(self.connections));
        let stage = Stage::Joining(Some((op, serial)));
        self.link = Some(Link { conn, server, stage, sent: VecDeque::new() });
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: self.seen.0,
            timeout: TIMEOUT,
            session: self.id,
            password: self.password.clone(),
            read_only: Some(false),
        };
        let mut bytes = Vec::new();
        wire::encode_connect_request(&request, &mut bytes);
        steps.extend([Step::Connect(conn), Step::Send(bytes)]);
    }

    fn begin(&mut self, op: Op, serial: u32, steps: &mut Vec<Step>) {
        for (request, asked) in self.script.begin(op, serial) {
            self.send(&request, asked, steps);
        }
    }

    fn send(&mut self, request: &Request, asked: Asked, steps: &mut Vec<Step>) {
        let Some(link) = &mut self.link else { return };
        let xid = if asked.purpose == Purpose::SetWatches {
            SET_WATCHES
        } else {
            self.xid += 1;
            self.xid
        };
        let op = request.op();
        if op == OpCode::CloseSession {
            link.stage = Stage::Closing;
        }
        link.sent.push_back(Sent { xid, op, asked });
        let mut bytes = Vec::new();
        wire::encode_request(xid, request, &mut bytes);
        steps.push(Step::Send(bytes));
    }

    /// The connection is gone: what was sent may have been done.
    pub(super) fn on_closed(&mut self, steps: &mut Vec<Step>) {
        let Some(link) = self.link.take() else { return };
        if let Stage::Joining(Some((_, serial))) = link.stage {
            steps.push(Step::Refused { serial });
        }
        let unknown = link.sent.iter().filter_map(|sent| sent.asked.answers);
        steps.extend(unknown.map(|serial| Step::Unknown { serial }));
        self.script.on_connection_lost();
    }

    /// A frame came on the connection.
    pub(super) fn on_frame(&mut self, bytes: &[u8], steps: &mut Vec<Step>) {
        match self.link.as_ref().map(|link| &link.stage) {
            None => {}
            Some(Stage::Joining(_)) => self.on_joined(bytes, steps),
            Some(Stage::Open | Stage::Closing) if bytes.starts_with(&EVENT.to_be_bytes()) => {
                self.on_event(bytes, steps);
            }
            Some(Stage::Open | Stage::Closing) => self.on_reply(bytes, steps),
        }
    }

    fn on_joined(&mut self, bytes: &[u8], steps: &mut Vec<Step>) {
        let response = wire::decode_connect_response(bytes).expect("servers answer a ConnectRequest");
        let Some(Link { server, stage, .. }) = &mut self.link else { return };
        let (client, server) = (self.client, *server);
        if response.session == SessionId(0) {
            // The server closes the connection.
            let session = self.id;
            self.forget_session();
            steps.push(Step::Event(TreeEvent::SessionOver { client, server, session }));
            return;
        }
        let waiting = if let Stage::Joining(waiting) = stage { waiting.take() } else { None };
        *stage = Stage::Open;
        (self.id, self.password) = (response.session, response.password.to_vec());
        steps.push(Step::Event(TreeEvent::Joined { client, server, session: self.id }));
        if !self.watches.is_empty() {
            let set = self.set_watches();
            self.send(&Request::SetWatches(set), Asked::side(Purpose::SetWatches), steps);
        }
        if let Some((op, serial)) = waiting {
            self.begin(op, serial, steps);
        }
    }

    fn set_watches(&self) -> SetWatches {
        let mut set = SetWatches { relative_zxid: self.seen.0, ..SetWatches::default() };
        for watch in &self.watches {
            match watch {
                Watch::Data(znode) => set.data.push(znode.to_string()),
                Watch::Exist(znode) => set.exist.push(znode.to_string()),
                Watch::Child(znode) => set.child.push(znode.to_string()),
            }
        }
        set
    }

    fn forget_session(&mut self) {
        (self.id, self.password) = (SessionId(0), vec![0; 16]);
        self.watches.clear();
        self.script.on_session_over();
    }

    fn on_event(&mut self, bytes: &[u8], steps: &mut Vec<Step>) {
        let event = wire::decode_watch_event(&bytes[16..]).expect("servers send whole events");
        let Some(server) = self.server() else { return };
        let Some(znode) = Znode::of(&event.path) else { return };
        self.watches.retain(|watch| {
            let fires = match (watch, event.kind) {
                (Watch::Data(of) | Watch::Exist(of), EventType::NodeCreated | EventType::NodeDataChanged) => of,
                (Watch::Data(of) | Watch::Exist(of) | Watch::Child(of), EventType::NodeDeleted) => of,
                (Watch::Child(of), EventType::NodeChildrenChanged) => of,
                _ => return true,
            };
            *fires != znode
        });
        let client = self.client;
        steps.push(Step::Event(TreeEvent::Fired { client, server, znode, kind: event.kind }));
    }

    fn on_reply(&mut self, bytes: &[u8], steps: &mut Vec<Step>) {
        let Some(link) = &mut self.link else { return };
        let server = link.server;
        let Sent { xid, op, asked } = link.sent.pop_front().expect("every answer answers a request");
        let reply = wire::decode_reply(op, bytes).expect("servers answer as the operation wants it");
        assert_eq!(reply.xid, xid, "answers come in the order of the requests");
        let (client, zxid) = (self.client, Zxid(reply.zxid));
        self.seen = self.seen.max(zxid);
        let sight = self.sight(&asked, &reply);
        steps.push(Step::Event(TreeEvent::Saw { client, server, zxid, sight }));
        if op == OpCode::CloseSession {
            let session = self.id;
            self.forget_session();
            steps.push(Step::Event(TreeEvent::SessionOver { client, server, session }));
            return;
        }
        let outcome = outcome(&reply);
        if let Some((request, asked)) = self.script.on_answer(&asked, outcome) {
            return self.send(&request, asked, steps);
        }
        let Some(serial) = asked.answers else { return };
        let seen = match (asked.purpose, sight, outcome) {
            (Purpose::Write(_), _, Ok(())) => serial,
            (_, Sight::Znode { found: Some(Found { value: Some(value), .. }), .. }, Ok(())) => value as u32,
            (Purpose::Data(_), _, Err(ErrorCode::NoNode)) => 0,
            // The session is over, or the like.
            _ => return steps.push(Step::Refused { serial }),
        };
        steps.push(Step::Answered { serial, zxid, seen });
        if let Some((request, asked)) = self.script.after(serial) {
            self.send(&request, asked, steps);
        }
    }

    /// What an answer shows; a watch that was asked for is remembered if it was left.
    fn sight(&mut self, asked: &Asked, reply: &Reply) -> Sight {
        let absent = reply.error == ErrorCode::NoNode.code();
        if !absent && reply.error != 0 {
            return Sight::Nothing;
        }
        let (sight, watch) = match (asked.purpose, &reply.response) {
            (Purpose::Exists(znode), None) if absent => {
                (Sight::Znode { znode, found: None, watches: asked.watches }, Some(Watch::Exist(znode)))
            }
            (Purpose::Exists(znode), Some(Response::Stat(stat))) => {
                let found = Some(found(stat, None));
                (Sight::Znode { znode, found, watches: asked.watches }, Some(Watch::Data(znode)))
            }
            (Purpose::Data(znode), None) if absent => (Sight::Znode { znode, found: None, watches: false }, None),
            (Purpose::Data(znode), Some(Response::Data { data, stat })) => {
                let found = Some(found(stat, data.as_ref()));
                (Sight::Znode { znode, found, watches: asked.watches }, Some(Watch::Data(znode)))
            }
            (Purpose::Items, None) if absent => (Sight::Items { found: None, watches: false }, None),
            (Purpose::Items, Some(Response::Children(children))) => {
                let items = children.iter().filter_map(|name| Znode::item(name));
                let (count, marks) = items
                    .fold((0, 0), |(count, marks): (u32, u64), item| (count + 1, marks.wrapping_add(item_mark(item))));
                self.script.on_items(children.iter().filter_map(|name| Znode::item(name)).min());
                (Sight::Items { found: Some((count, marks)), watches: asked.watches }, Some(Watch::Child(Znode::Queue)))
            }
            (Purpose::SetWatches, _) => (Sight::WatchesSet, None),
            _ => (Sight::Nothing, None),
        };
        self.watches.extend(watch.filter(|_| asked.watches));
        if let Sight::Znode { znode: Znode::Shared, found: Some(found), .. } = sight {
            self.script.on_shared(found.version);
        }
        sight
    }
}

fn found(stat: &Stat, data: Option<&Payload>) -> Found {
    Found {
        czxid: Zxid(stat.czxid),
        mzxid: Zxid(stat.mzxid),
        version: stat.version,
        owner: SessionId(stat.ephemeral_owner),
        value: data.map(value_of),
    }
}

/// What clients leave in nodes.
pub(super) fn value_of(data: &Payload) -> u64 {
    data.as_bytes().iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// Whether it was done; a multi says so in its parts.
fn outcome(reply: &Reply) -> Result<(), ErrorCode> {
    let failed = |result: &MultiResult| match result {
        // What was not tried, or was undone, says nothing of the cause.
        MultiResult::Error(0 | -2) => None,
        MultiResult::Error(code) => Some(*code),
        _ => None,
    };
    let code = match (&reply.response, reply.error) {
        (Some(Response::Multi(results)), 0) => results.iter().find_map(failed),
        (_, 0) => None,
        (_, code) => Some(code),
    };
    match code {
        None => Ok(()),
        Some(code) => Err(ErrorCode::from_code(code).unwrap_or(ErrorCode::SystemError)),
    }
}
