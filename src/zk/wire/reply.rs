//! What clients get.

use super::records::{read_acl, read_data, read_stat, read_texts, write_acl, write_data, write_stat, write_texts};
use super::request::{read_list, write_head, write_list};
use super::{Reader, WireError, Writer};
use crate::zk::model::{
    ClientInfo, ConnectResponse, EventType, MultiResult, OpCode, Reply, Response, SessionId, Stat, WatchEvent,
};

/// The release whose clients are spoken to; they differ where a client can see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// 3.8: events carry no zxid.
    V38,
    /// 3.9: events carry the zxid of their txn (ZOOKEEPER-4655).
    #[default]
    V39,
}

/// Writes the answer to the first frame.
pub fn encode_connect_response(response: &ConnectResponse, bytes: &mut Vec<u8>) {
    let mut writer = Writer::new(bytes);
    writer.i32(response.protocol_version);
    writer.i32(response.timeout);
    writer.i64(response.session.0);
    writer.buffer(&response.password);
    response.read_only.into_iter().for_each(|read_only| writer.boolean(read_only));
}

/// Reads the answer to the first frame.
pub fn decode_connect_response(bytes: &[u8]) -> Result<ConnectResponse, WireError> {
    let mut reader = Reader::whole(bytes);
    let (protocol_version, timeout) = (reader.i32("protocolVersion")?, reader.i32("timeOut")?);
    let session = SessionId(reader.i64("sessionId")?);
    let at = reader.position();
    let found = reader.buffer("passwd")?.unwrap_or_default();
    let wrong = WireError::Length { at, what: "a password", length: found.len() as i64, limit: 16 };
    let password = found.try_into().map_err(|_| wrong)?;
    let read_only = if reader.remaining() > 0 { Some(reader.boolean("readOnly")?) } else { None };
    Ok(ConnectResponse { protocol_version, timeout, session, password, read_only })
}

/// Writes an event, head included; `zxid` is that of its txn, or −1.
pub fn encode_watch_event(event: &WatchEvent, zxid: i64, dialect: Dialect, bytes: &mut Vec<u8>) {
    const SYNC_CONNECTED: i32 = 3;
    let mut writer = Writer::new(bytes);
    writer.i32(-1);
    writer.i64(if dialect == Dialect::V38 { -1 } else { zxid });
    writer.i32(0);
    writer.i32(event.kind as i32);
    writer.i32(SYNC_CONNECTED);
    writer.text(&event.path);
}

/// Reads an event behind its head.
pub fn decode_watch_event(bytes: &[u8]) -> Result<WatchEvent, WireError> {
    let mut reader = Reader::whole(bytes);
    let code = reader.i32("type")?;
    let kind = EventType::from_code(code).ok_or(WireError::Unknown { what: "event", value: code.into() })?;
    reader.i32("state")?;
    Ok(WatchEvent { kind, path: reader.text("a path")? })
}

/// Writes a reply, head included.
pub fn encode_reply(reply: &Reply, bytes: &mut Vec<u8>) {
    let mut writer = Writer::new(bytes);
    let w = &mut writer;
    w.i32(reply.xid);
    w.i64(reply.zxid);
    w.i32(reply.error);
    match &reply.response {
        None => {}
        Some(Response::Path(path)) => w.text(path),
        Some(Response::Created { path, stat }) => {
            w.text(path);
            write_stat(w, stat);
        }
        Some(Response::Stat(stat)) => write_stat(w, stat),
        Some(Response::Data { data, stat }) => {
            write_data(w, data);
            write_stat(w, stat);
        }
        Some(Response::Acl { acl, stat }) => {
            write_acl(w, acl);
            write_stat(w, stat);
        }
        Some(Response::Children(children) | Response::Ephemerals(children)) => write_texts(w, children),
        Some(Response::Children2 { children, stat }) => {
            write_texts(w, children);
            write_stat(w, stat);
        }
        Some(Response::AllChildrenNumber(number)) => w.i32(*number),
        Some(Response::Multi(results)) => write_list(w, results, write_result),
        Some(Response::Token(token)) => w.buffer(token),
        Some(Response::AddWatch) => w.i32(0),
        Some(Response::WhoAmI(infos)) => w.vector(infos, |w, info| {
            w.text(&info.auth_scheme);
            w.text(&info.user);
        }),
    }
}

fn write_result(w: &mut Writer<'_>, result: &MultiResult) {
    let (kind, error) = match result {
        MultiResult::Created(_) => (OpCode::Create, 0),
        MultiResult::Created2 { .. } => (OpCode::Create2, 0),
        MultiResult::Deleted => (OpCode::Delete, 0),
        MultiResult::Set(_) => (OpCode::SetData, 0),
        MultiResult::Checked => (OpCode::Check, 0),
        MultiResult::Children(_) => (OpCode::GetChildren, 0),
        MultiResult::Data { .. } => (OpCode::GetData, 0),
        MultiResult::Error(error) => (OpCode::Error, *error),
    };
    write_head(w, kind.code(), false, error);
    match result {
        MultiResult::Created(path) => w.text(path),
        MultiResult::Created2 { path, stat } => {
            w.text(path);
            write_stat(w, &stat.unwrap_or_default());
        }
        MultiResult::Deleted | MultiResult::Checked => {}
        MultiResult::Set(stat) => write_stat(w, stat),
        MultiResult::Children(children) => write_texts(w, children),
        MultiResult::Data { data, stat } => {
            write_data(w, data);
            write_stat(w, stat);
        }
        MultiResult::Error(error) => w.i32(*error),
    }
}

/// Reads a reply to a request of that operation, head included.
pub fn decode_reply(op: OpCode, bytes: &[u8]) -> Result<Reply, WireError> {
    let mut reader = Reader::whole(bytes);
    let r = &mut reader;
    let (xid, zxid, error) = (r.i32("xid")?, r.i64("zxid")?, r.i32("err")?);
    let response = if error == 0 { read_response(op, r)? } else { None };
    Ok(Reply { xid, zxid, error, response })
}

fn read_response(op: OpCode, r: &mut Reader<'_>) -> Result<Option<Response>, WireError> {
    let path = |r: &mut Reader<'_>| r.text("a path");
    let stat = |r: &mut Reader<'_>| -> Result<Stat, WireError> { read_stat(r) };
    Ok(Some(match op {
        OpCode::Create | OpCode::Sync => Response::Path(path(r)?),
        OpCode::Create2 | OpCode::CreateContainer | OpCode::CreateTtl => {
            Response::Created { path: path(r)?, stat: stat(r)? }
        }
        OpCode::Exists | OpCode::SetData | OpCode::SetAcl => Response::Stat(stat(r)?),
        OpCode::GetData | OpCode::Reconfig => Response::Data { data: read_data(r)?, stat: stat(r)? },
        OpCode::GetAcl => Response::Acl { acl: read_acl(r)?.unwrap_or_default(), stat: stat(r)? },
        OpCode::GetChildren => Response::Children(read_texts(r, "children")?),
        OpCode::GetChildren2 => Response::Children2 { children: read_texts(r, "children")?, stat: stat(r)? },
        OpCode::GetAllChildrenNumber => Response::AllChildrenNumber(r.i32("totalNumber")?),
        OpCode::GetEphemerals => Response::Ephemerals(read_texts(r, "ephemerals")?),
        OpCode::Multi | OpCode::MultiRead => Response::Multi(read_list(r, read_result)?),
        OpCode::Sasl => Response::Token(r.buffer("token")?.unwrap_or_default().to_vec()),
        OpCode::AddWatch => {
            r.i32("err")?;
            Response::AddWatch
        }
        OpCode::WhoAmI => {
            let infos = r.vector("clientInfo", 8, |r| {
                Ok(ClientInfo { auth_scheme: r.text("authScheme")?, user: r.text("user")? })
            })?;
            Response::WhoAmI(infos.unwrap_or_default())
        }
        _ => return Ok(None),
    }))
}

fn read_result(kind: i32, _: i32, r: &mut Reader<'_>) -> Result<MultiResult, WireError> {
    Ok(match OpCode::from_code(kind) {
        Some(OpCode::Create) => MultiResult::Created(r.text("a path")?),
        Some(OpCode::Create2) => MultiResult::Created2 { path: r.text("a path")?, stat: Some(read_stat(r)?) },
        Some(OpCode::Delete) => MultiResult::Deleted,
        Some(OpCode::SetData) => MultiResult::Set(read_stat(r)?),
        Some(OpCode::Check) => MultiResult::Checked,
        Some(OpCode::GetChildren) => MultiResult::Children(read_texts(r, "children")?),
        Some(OpCode::GetData) => MultiResult::Data { data: read_data(r)?, stat: read_stat(r)? },
        Some(OpCode::Error) => MultiResult::Error(r.i32("err")?),
        _ => return Err(WireError::Unknown { what: "result of a multi", value: kind.into() }),
    })
}
