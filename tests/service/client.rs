//! A client as simple as can be: it sends frames and reads what came back, and complains about a reply out of turn.

use std::collections::VecDeque;

use zabsim::zab::Sid;
use zabsim::zk::model::{
    Acl, ConnectRequest, ConnectResponse, Create, CreateKind, ErrorCode, EventType, OpCode, Reply, Request, Response,
    SessionId,
};
use zabsim::zk::service::{Answer, Call, ConnId};
use zabsim::zk::wire;

use crate::cluster::Cluster;

/// What every client numbers its auth packets with (`ClientCnxn.AUTHPACKET_XID`).
const AUTH_XID: i32 = -4;

/// One connection of a client.
#[derive(Clone, Debug)]
pub struct Client {
    pub at: Sid,
    pub conn: ConnId,
    pub session: SessionId,
    pub password: Vec<u8>,
    pub timeout: i32,
    last_xid: i32,
    /// Requests without an answer.
    asked: VecDeque<(i32, OpCode)>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    Event(EventType, String),
    Reply(Reply),
    Closed,
}

impl Client {
    /// A new session of ten seconds.
    pub fn new(cluster: &mut Cluster, at: Sid) -> Client {
        Client::join(cluster, at, SessionId(0), &[0; 16], 0).expect("a new session is not refused")
    }

    /// A new connection of the same session; `None` if it is refused.
    pub fn resume(&self, cluster: &mut Cluster, at: Sid) -> Option<Client> {
        let client = Client::join(cluster, at, self.session, &self.password, 0)?;
        Some(Client { last_xid: self.last_xid, ..client })
    }

    /// A ConnectRequest and its answer.
    pub fn join(cluster: &mut Cluster, at: Sid, session: SessionId, password: &[u8], seen: i64) -> Option<Client> {
        let conn = cluster.connect(at);
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: seen,
            timeout: 10_000,
            session,
            password: password.to_vec(),
            read_only: Some(false),
        };
        let mut bytes = Vec::new();
        wire::encode_connect_request(&request, &mut bytes);
        cluster.call(at, Call::Frame { conn, bytes });
        let Some(Answer::Frame { bytes, .. }) = cluster.answer(conn) else { return None };
        let ConnectResponse { timeout, session, password, .. } = wire::decode_connect_response(&bytes).unwrap();
        if session == SessionId(0) {
            assert_eq!(cluster.answer(conn), Some(Answer::Close { conn }), "who is refused is closed");
            return None;
        }
        Some(Client { at, conn, session, password: password.to_vec(), timeout, last_xid: 0, asked: VecDeque::new() })
    }

    /// Sends a request; what follows at once happens.
    pub fn send(&mut self, cluster: &mut Cluster, request: &Request) -> i32 {
        let call = self.frame(request);
        cluster.call(self.at, call);
        self.last_xid
    }

    /// Sends a request; nothing else happens yet.
    pub fn post(&mut self, cluster: &mut Cluster, request: &Request) -> i32 {
        let call = self.frame(request);
        cluster.call_only(self.at, call);
        self.last_xid
    }

    /// Says who it is; nothing else happens yet. The answer overtakes all that are due.
    pub fn authenticate(&mut self, cluster: &mut Cluster, auth: &[u8]) {
        let request = Request::Auth { kind: 0, scheme: "digest".into(), auth: auth.to_vec() };
        let mut bytes = Vec::new();
        wire::encode_request(AUTH_XID, &request, &mut bytes);
        cluster.call_only(self.at, Call::Frame { conn: self.conn, bytes });
    }

    fn frame(&mut self, request: &Request) -> Call {
        self.last_xid += 1;
        self.asked.push_back((self.last_xid, request.op()));
        let mut bytes = Vec::new();
        wire::encode_request(self.last_xid, request, &mut bytes);
        Call::Frame { conn: self.conn, bytes }
    }

    /// The next thing that came back.
    pub fn got(&mut self, cluster: &mut Cluster) -> Option<Got> {
        let Answer::Frame { bytes, .. } = cluster.answer(self.conn)? else { return Some(Got::Closed) };
        let xid = i32::from_be_bytes(bytes[..4].try_into().unwrap());
        if xid == -1 {
            let event = wire::decode_watch_event(&bytes[16..]).unwrap();
            return Some(Got::Event(event.kind, event.path));
        }
        if xid == AUTH_XID {
            return Some(Got::Reply(wire::decode_reply(OpCode::Auth, &bytes).unwrap()));
        }
        let (asked, op) = self.asked.pop_front().expect("a reply answers something");
        assert_eq!(xid, asked, "replies come in the order of the requests");
        Some(Got::Reply(wire::decode_reply(op, &bytes).unwrap()))
    }

    /// Everything that came back.
    pub fn all(&mut self, cluster: &mut Cluster) -> Vec<Got> {
        std::iter::from_fn(|| self.got(cluster)).collect()
    }

    /// Sends a request and takes its reply, which must be the next thing that comes.
    pub fn ask(&mut self, cluster: &mut Cluster, request: &Request) -> Result<Option<Response>, ErrorCode> {
        self.send(cluster, request);
        match self.got(cluster) {
            Some(Got::Reply(reply)) if reply.error == 0 => Ok(reply.response),
            Some(Got::Reply(reply)) => Err(ErrorCode::from_code(reply.error).unwrap()),
            got => panic!("{request:?}: {got:?}"),
        }
    }

    /// The client's host goes away.
    pub fn drop_connection(&self, cluster: &mut Cluster) {
        cluster.call(self.at, Call::Closed { conn: self.conn });
    }
}

/// A node that everybody may do everything with.
pub fn create(path: &str, flags: i32) -> Request {
    Request::Create(new_node(path, flags))
}

/// The same, for a multi.
pub fn new_node(path: &str, flags: i32) -> Create {
    let (kind, path) = (CreateKind::Create, path.to_owned());
    Create { kind, path, data: Some(zabsim::zab::Payload::EMPTY), acl: Some(vec![Acl::open()]), flags, ttl: -1 }
}

/// `getData`, with or without a watch.
pub fn get(path: &str, watch: bool) -> Request {
    Request::GetData { path: path.to_owned(), watch }
}

/// `setData`, whatever the version.
pub fn set(path: &str, data: &str) -> Request {
    Request::SetData { path: path.to_owned(), data: Some(zabsim::zab::Payload::new(data.as_bytes())), version: -1 }
}

/// `exists`, with or without a watch.
pub fn exists(path: &str, watch: bool) -> Request {
    Request::Exists { path: path.to_owned(), watch }
}

/// `sync`.
pub fn sync(path: &str) -> Request {
    Request::Sync { path: path.to_owned() }
}
