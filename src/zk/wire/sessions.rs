//! What servers tell each other of sessions: in REVALIDATE, and in a learner's answer to a PING (`LearnerHandler`, `Learner.revalidateSession`,
//! `Learner.ping`).

use super::{Reader, WireError, Writer};
use crate::zk::model::SessionId;

/// Reads sessions with their timeouts in milliseconds, to the end of the bytes: those that a learner heard of.
pub fn decode_sessions(bytes: &[u8]) -> Result<Vec<(SessionId, i32)>, WireError> {
    let mut reader = Reader::whole(bytes);
    let mut sessions = Vec::new();
    while reader.remaining() > 0 {
        sessions.push(entry(&mut reader)?);
    }
    Ok(sessions)
}

/// Writes them.
pub fn encode_sessions(sessions: impl IntoIterator<Item = (SessionId, i32)>, bytes: &mut Vec<u8>) {
    let mut writer = Writer::new(bytes);
    for (session, timeout) in sessions {
        writer.i64(session.0);
        writer.i32(timeout);
    }
}

/// Reads a learner's question: is this session, of this timeout, alive? It is written as one of several.
pub fn decode_revalidate(bytes: &[u8]) -> Result<(SessionId, i32), WireError> {
    entry(&mut Reader::whole(bytes))
}

/// Reads the leader's answer: whether it is.
pub fn decode_revalidated(bytes: &[u8]) -> Result<(SessionId, bool), WireError> {
    let mut reader = Reader::whole(bytes);
    Ok((SessionId(reader.i64("sessionId")?), reader.boolean("valid")?))
}

/// Writes it.
pub fn encode_revalidated(session: SessionId, is_alive: bool, bytes: &mut Vec<u8>) {
    let mut writer = Writer::new(bytes);
    writer.i64(session.0);
    writer.boolean(is_alive);
}

fn entry(reader: &mut Reader<'_>) -> Result<(SessionId, i32), WireError> {
    Ok((SessionId(reader.i64("sessionId")?), reader.i32("timeOut")?))
}
