//! Frames to clients, and what a server says about its clients' sessions to its leader and back (zab.md 5.8, 6.4).

use std::collections::BTreeMap;

use crate::zab::Payload;
use crate::zk::model::{ConnectResponse, Id, OpCode, Reply, Request, SessionId, WatchEvent};
use crate::zk::wire::{self, Dialect, Forwarded};

/// A reply.
pub fn reply(reply: &Reply) -> Vec<u8> {
    written(|bytes| wire::encode_reply(reply, bytes))
}

/// An event.
pub fn event(event: &WatchEvent, zxid: i64, dialect: Dialect) -> Vec<u8> {
    written(|bytes| wire::encode_watch_event(event, zxid, dialect, bytes))
}

/// The answer to a first frame.
pub fn connect_response(response: &ConnectResponse) -> Vec<u8> {
    written(|bytes| wire::encode_connect_response(response, bytes))
}

/// A client's write, for the leader.
pub fn forwarded(session: SessionId, cxid: i32, op: OpCode, record: &[u8], auth: &[Id]) -> Payload {
    Forwarded { session, cxid, op: op.code(), record, auth: auth.to_vec() }.to_payload()
}

/// A write that a server asks for by itself.
pub fn internal(session: SessionId, request: &Request) -> Payload {
    forwarded(session, 0, request.op(), &written(|bytes| wire::encode_request_body(request, bytes)), &[])
}

/// REVALIDATE, learner to leader: is this session alive?
pub fn revalidate(session: SessionId, timeout: i32) -> Payload {
    Payload::new(&written(|bytes| wire::encode_sessions([(session, timeout)], bytes)))
}

/// REVALIDATE, leader to learner: whether it is.
pub fn revalidated(session: SessionId, is_alive: bool) -> Payload {
    Payload::new(&written(|bytes| wire::encode_revalidated(session, is_alive, bytes)))
}

/// The sessions that a learner heard of, for its answer to a PING.
pub fn touched(sessions: BTreeMap<SessionId, i32>) -> Payload {
    Payload::new(&written(|bytes| wire::encode_sessions(sessions, bytes)))
}

/// As long as most of what is written: a reply with a stat takes less.
const USUAL: usize = 128;

/// The bytes of what is written.
pub fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(USUAL);
    write(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: SessionId = SessionId(0x0100_0028_e171_0000);

    fn hex(payload: &Payload) -> String {
        format!("{payload:?}")
    }

    #[test]
    fn servers_speak_of_sessions_as_apaches_do() {
        let create = internal(SESSION, &Request::CreateSession { timeout: 10_000 });
        assert_eq!(hex(&create), "0000001401000028e171000000000000fffffff600002710ffffffff", "appendix F.3");
        assert_eq!(hex(&revalidate(SESSION, 10_000)), "01000028e171000000002710");
        assert_eq!(hex(&revalidated(SESSION, true)), "01000028e171000001");
        assert_eq!(hex(&touched([(SESSION, 10_000)].into())), "01000028e171000000002710");
    }
}
