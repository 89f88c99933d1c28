//! What clients send.

use super::records::{read_acl, read_data, read_texts, write_acl, write_data, write_texts};
use super::{Reader, WireError, Writer};
use crate::zk::model::{
    Acl, ConnectRequest, Create, CreateKind, MultiOp, MultiReadOp, OpCode, Request, RequestHeader, SessionId,
    SetWatches,
};

/// Reads the first frame of a connection.
pub fn decode_connect_request(bytes: &[u8]) -> Result<ConnectRequest, WireError> {
    let mut reader = Reader::whole(bytes);
    Ok(ConnectRequest {
        protocol_version: reader.i32("protocolVersion")?,
        last_zxid_seen: reader.i64("lastZxidSeen")?,
        timeout: reader.i32("timeOut")?,
        session: SessionId(reader.i64("sessionId")?),
        password: reader.buffer("passwd")?.unwrap_or_default().to_vec(),
        read_only: if reader.remaining() > 0 { Some(reader.boolean("readOnly")?) } else { None },
    })
}

/// Writes the first frame of a connection.
pub fn encode_connect_request(request: &ConnectRequest, bytes: &mut Vec<u8>) {
    let mut writer = Writer::new(bytes);
    writer.i32(request.protocol_version);
    writer.i64(request.last_zxid_seen);
    writer.i32(request.timeout);
    writer.i64(request.session.0);
    writer.buffer(&request.password);
    request.read_only.into_iter().for_each(|read_only| writer.boolean(read_only));
}

/// Reads the head of a frame; the record follows.
pub fn decode_header(bytes: &[u8]) -> Result<(RequestHeader, &[u8]), WireError> {
    let mut reader = Reader::whole(bytes);
    let header = RequestHeader { xid: reader.i32("xid")?, op: reader.i32("type")? };
    Ok((header, reader.rest()))
}

/// Reads the record of an operation. What follows it is ignored, as ZooKeeper does.
pub fn decode_request(op: OpCode, bytes: &[u8]) -> Result<Request, WireError> {
    let mut reader = Reader::whole(bytes);
    let r = &mut reader;
    Ok(match op {
        OpCode::Create => Request::Create(read_create(r, CreateKind::Create)?),
        OpCode::Create2 => Request::Create(read_create(r, CreateKind::Create2)?),
        OpCode::CreateContainer => Request::Create(read_create(r, CreateKind::Container)?),
        OpCode::CreateTtl => Request::Create(read_create(r, CreateKind::Ttl)?),
        OpCode::Delete => Request::Delete { path: path(r)?, version: r.i32("version")? },
        OpCode::Exists => Request::Exists { path: path(r)?, watch: r.boolean("watch")? },
        OpCode::GetData => Request::GetData { path: path(r)?, watch: r.boolean("watch")? },
        OpCode::SetData => Request::SetData { path: path(r)?, data: read_data(r)?, version: r.i32("version")? },
        OpCode::GetAcl => Request::GetAcl { path: path(r)? },
        OpCode::SetAcl => Request::SetAcl { path: path(r)?, acl: read_acl(r)?, version: r.i32("version")? },
        OpCode::GetChildren => Request::GetChildren { path: path(r)?, watch: r.boolean("watch")? },
        OpCode::GetChildren2 => Request::GetChildren2 { path: path(r)?, watch: r.boolean("watch")? },
        OpCode::GetAllChildrenNumber => Request::GetAllChildrenNumber { path: path(r)? },
        OpCode::GetEphemerals => Request::GetEphemerals { prefix: r.text_or_null("prefixPath")?.unwrap_or_default() },
        OpCode::Sync => Request::Sync { path: path(r)? },
        OpCode::Ping => Request::Ping,
        OpCode::Check => Request::Check { path: path(r)?, version: r.i32("version")? },
        OpCode::Multi => Request::Multi(read_list(r, read_multi_op)?),
        OpCode::MultiRead => Request::MultiRead(read_list(r, read_multi_read_op)?),
        OpCode::Reconfig => Request::Reconfig {
            joining: r.text_or_null("joiningServers")?,
            leaving: r.text_or_null("leavingServers")?,
            members: r.text_or_null("newMembers")?,
            config_id: r.i64("curConfigId")?,
        },
        OpCode::Auth => Request::Auth {
            kind: r.i32("type")?,
            scheme: r.text_or_null("scheme")?.unwrap_or_default(),
            auth: r.buffer("auth")?.unwrap_or_default().to_vec(),
        },
        OpCode::Sasl => Request::Sasl { token: r.buffer("token")?.unwrap_or_default().to_vec() },
        OpCode::SetWatches => Request::SetWatches(read_set_watches(r, false)?),
        OpCode::SetWatches2 => Request::SetWatches(read_set_watches(r, true)?),
        OpCode::AddWatch => Request::AddWatch { path: path(r)?, mode: r.i32("mode")? },
        OpCode::CheckWatches => Request::CheckWatches { path: path(r)?, kind: r.i32("type")? },
        OpCode::RemoveWatches => Request::RemoveWatches { path: path(r)?, kind: r.i32("type")? },
        OpCode::WhoAmI => Request::WhoAmI,
        OpCode::CloseSession => Request::CloseSession,
        OpCode::CreateSession => Request::CreateSession { timeout: r.i32("timeOut")? },
        OpCode::DeleteContainer => Request::DeleteContainer { path: path(r)? },
        OpCode::Notification | OpCode::Error => {
            return Err(WireError::Unknown { what: "request", value: op.code().into() });
        }
    })
}

fn path(reader: &mut Reader<'_>) -> Result<String, WireError> {
    reader.text("a path")
}

fn read_create(r: &mut Reader<'_>, kind: CreateKind) -> Result<Create, WireError> {
    let (path, data, acl, flags) = (path(r)?, read_data(r)?, read_acl(r)?, r.i32("flags")?);
    let ttl = if kind == CreateKind::Ttl { r.i64("ttl")? } else { -1 };
    Ok(Create { kind, path, data, acl, flags, ttl })
}

fn read_set_watches(r: &mut Reader<'_>, persistent: bool) -> Result<SetWatches, WireError> {
    let mut set = SetWatches { relative_zxid: r.i64("relativeZxid")?, ..SetWatches::default() };
    set.data = read_texts(r, "dataWatches")?;
    set.exist = read_texts(r, "existWatches")?;
    set.child = read_texts(r, "childWatches")?;
    if persistent {
        set.persistent = read_texts(r, "persistentWatches")?;
        set.persistent_recursive = read_texts(r, "persistentRecursiveWatches")?;
    }
    Ok(set)
}

/// Heads and records, until the head that says it is done.
pub(super) fn read_list<T>(
    r: &mut Reader<'_>,
    mut entry: impl FnMut(i32, i32, &mut Reader<'_>) -> Result<T, WireError>,
) -> Result<Vec<T>, WireError> {
    let mut list = Vec::new();
    loop {
        let (kind, done, error) = (r.i32("type")?, r.boolean("done")?, r.i32("err")?);
        if done {
            return Ok(list);
        }
        list.push(entry(kind, error, r)?);
    }
}

/// Writes heads and records, and the head that says it is done.
pub(super) fn write_list<T>(w: &mut Writer<'_>, list: &[T], mut entry: impl FnMut(&mut Writer<'_>, &T)) {
    list.iter().for_each(|one| entry(w, one));
    write_head(w, -1, true, -1);
}

pub(super) fn write_head(w: &mut Writer<'_>, kind: i32, done: bool, error: i32) {
    w.i32(kind);
    w.boolean(done);
    w.i32(error);
}

fn read_multi_op(kind: i32, _: i32, r: &mut Reader<'_>) -> Result<MultiOp, WireError> {
    Ok(match OpCode::from_code(kind) {
        Some(OpCode::Create) => MultiOp::Create(read_create(r, CreateKind::Create)?),
        Some(OpCode::Create2) => MultiOp::Create(read_create(r, CreateKind::Create2)?),
        Some(OpCode::CreateContainer) => MultiOp::Create(read_create(r, CreateKind::Container)?),
        Some(OpCode::CreateTtl) => MultiOp::Create(read_create(r, CreateKind::Ttl)?),
        Some(OpCode::Delete) => MultiOp::Delete { path: path(r)?, version: r.i32("version")? },
        Some(OpCode::SetData) => MultiOp::SetData { path: path(r)?, data: read_data(r)?, version: r.i32("version")? },
        Some(OpCode::Check) => MultiOp::Check { path: path(r)?, version: r.i32("version")? },
        _ => return Err(WireError::Unknown { what: "operation of a multi", value: kind.into() }),
    })
}

fn read_multi_read_op(kind: i32, _: i32, r: &mut Reader<'_>) -> Result<MultiReadOp, WireError> {
    let read = match OpCode::from_code(kind) {
        Some(OpCode::GetChildren) => MultiReadOp::GetChildren(path(r)?),
        Some(OpCode::GetData) => MultiReadOp::GetData(path(r)?),
        _ => return Err(WireError::Unknown { what: "operation of a multiRead", value: kind.into() }),
    };
    r.boolean("watch")?;
    Ok(read)
}

/// Writes a whole frame: head and record.
pub fn encode_request(xid: i32, request: &Request, bytes: &mut Vec<u8>) {
    let mut writer = Writer::new(bytes);
    writer.i32(xid);
    writer.i32(request.op().code());
    encode_request_body(request, bytes);
}

/// Writes the record of a request.
pub fn encode_request_body(request: &Request, bytes: &mut Vec<u8>) {
    let mut writer = Writer::new(bytes);
    let w = &mut writer;
    match request {
        Request::Create(create) => write_create(w, create),
        Request::Delete { path, version } | Request::Check { path, version } => path_and(w, path, *version),
        Request::Exists { path, watch }
        | Request::GetData { path, watch }
        | Request::GetChildren { path, watch }
        | Request::GetChildren2 { path, watch } => {
            w.text(path);
            w.boolean(*watch);
        }
        Request::SetData { path, data, version } => {
            w.text(path);
            write_data(w, data);
            w.i32(*version);
        }
        Request::SetAcl { path, acl, version } => {
            w.text(path);
            write_acl_or_null(w, acl);
            w.i32(*version);
        }
        Request::GetAcl { path }
        | Request::GetAllChildrenNumber { path }
        | Request::GetEphemerals { prefix: path }
        | Request::Sync { path }
        | Request::DeleteContainer { path } => w.text(path),
        Request::Ping | Request::WhoAmI | Request::CloseSession => {}
        Request::Multi(ops) => write_list(w, ops, write_multi_op),
        Request::MultiRead(ops) => write_list(w, ops, |w, op| {
            let (code, path) = match op {
                MultiReadOp::GetChildren(path) => (OpCode::GetChildren, path),
                MultiReadOp::GetData(path) => (OpCode::GetData, path),
            };
            write_head(w, code.code(), false, -1);
            w.text(path);
            w.boolean(false);
        }),
        Request::Reconfig { joining, leaving, members, config_id } => {
            [joining, leaving, members].into_iter().for_each(|list| w.text_or_null(list.as_deref()));
            w.i64(*config_id);
        }
        Request::Auth { kind, scheme, auth } => {
            w.i32(*kind);
            w.text(scheme);
            w.buffer(auth);
        }
        Request::Sasl { token } => w.buffer(token),
        Request::SetWatches(set) => {
            w.i64(set.relative_zxid);
            [&set.data, &set.exist, &set.child].into_iter().for_each(|paths| write_texts(w, paths));
            if request.op() == OpCode::SetWatches2 {
                write_texts(w, &set.persistent);
                write_texts(w, &set.persistent_recursive);
            }
        }
        Request::AddWatch { path, mode: number }
        | Request::CheckWatches { path, kind: number }
        | Request::RemoveWatches { path, kind: number } => path_and(w, path, *number),
        Request::CreateSession { timeout } => w.i32(*timeout),
    }
}

fn path_and(w: &mut Writer<'_>, path: &str, number: i32) {
    w.text(path);
    w.i32(number);
}

fn write_acl_or_null(w: &mut Writer<'_>, acl: &Option<Vec<Acl>>) {
    match acl {
        Some(acl) => write_acl(w, acl),
        None => w.i32(-1),
    }
}

fn write_create(w: &mut Writer<'_>, create: &Create) {
    w.text(&create.path);
    write_data(w, &create.data);
    write_acl_or_null(w, &create.acl);
    w.i32(create.flags);
    if create.kind == CreateKind::Ttl {
        w.i64(create.ttl);
    }
}

fn write_multi_op(w: &mut Writer<'_>, op: &MultiOp) {
    let kind = match op {
        MultiOp::Create(create) => create.kind.op(),
        MultiOp::Delete { .. } => OpCode::Delete,
        MultiOp::SetData { .. } => OpCode::SetData,
        MultiOp::Check { .. } => OpCode::Check,
    };
    write_head(w, kind.code(), false, -1);
    match op {
        MultiOp::Create(create) => write_create(w, create),
        MultiOp::Delete { path, version } | MultiOp::Check { path, version } => path_and(w, path, *version),
        MultiOp::SetData { path, data, version } => {
            w.text(path);
            write_data(w, data);
            w.i32(*version);
        }
    }
}
