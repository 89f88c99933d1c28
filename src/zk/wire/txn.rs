//! Txns as they stand in log records, PROPOSAL and INFORM: head, body, digest (`SerializeUtils`).

use super::records::{read_acl, read_data, read_texts, write_acl, write_data, write_texts};
use super::{Reader, WireError, Writer};
use crate::zab::Zxid;
use crate::zk::model::{CreateKind, CreateTxn, OpCode, SessionId, TxnBody, TxnDigest, TxnHeader, TxnRecord};

/// Bytes of a digest.
const DIGEST: usize = 12;

/// Reads the head of a txn.
pub fn header_of(bytes: &[u8]) -> Result<TxnHeader, WireError> {
    read_header(&mut Reader::whole(bytes))
}

fn read_header(r: &mut Reader<'_>) -> Result<TxnHeader, WireError> {
    let (session, cxid) = (SessionId(r.i64("clientId")?), r.i32("cxid")?);
    let (zxid, time, code) = (Zxid(r.i64("zxid")?), r.i64("time")?, r.i32("type")?);
    let kind = OpCode::from_code(code).ok_or(WireError::Unknown { what: "txn", value: code.into() })?;
    Ok(TxnHeader { session, cxid, zxid, time, kind })
}

/// Reads a txn.
pub fn decode_txn(bytes: &[u8]) -> Result<TxnRecord, WireError> {
    let mut reader = Reader::whole(bytes);
    let r = &mut reader;
    let header = read_header(r)?;
    let body = read_body(header.kind, r)?;
    let digest = if r.remaining() == 0 {
        None
    } else {
        Some(TxnDigest { version: r.i32("a digest version")?, tree: r.i64("a digest")? as u64 })
    };
    Ok(TxnRecord { header, body, digest })
}

fn read_body(kind: OpCode, r: &mut Reader<'_>) -> Result<TxnBody, WireError> {
    let path = |r: &mut Reader<'_>| r.text("a path");
    Ok(match kind {
        OpCode::Create => TxnBody::Create(read_create(r, CreateKind::Create)?),
        OpCode::Create2 => TxnBody::Create(read_create(r, CreateKind::Create2)?),
        OpCode::CreateContainer => TxnBody::Create(read_create(r, CreateKind::Container)?),
        OpCode::CreateTtl => TxnBody::Create(read_create(r, CreateKind::Ttl)?),
        OpCode::Delete => TxnBody::Delete { path: path(r)? },
        OpCode::DeleteContainer => TxnBody::DeleteContainer { path: path(r)? },
        OpCode::SetData => TxnBody::SetData { path: path(r)?, data: read_data(r)?, version: r.i32("version")? },
        OpCode::Reconfig => TxnBody::Reconfig { path: path(r)?, data: read_data(r)?, version: r.i32("version")? },
        OpCode::SetAcl => {
            TxnBody::SetAcl { path: path(r)?, acl: read_acl(r)?.unwrap_or_default(), version: r.i32("version")? }
        }
        OpCode::Check => TxnBody::Check { path: path(r)?, version: r.i32("version")? },
        OpCode::CreateSession => TxnBody::CreateSession { timeout: r.i32("timeOut")? },
        OpCode::CloseSession => TxnBody::CloseSession { paths: read_closed(r)? },
        OpCode::Error => TxnBody::Error(r.i32("err")?),
        OpCode::Multi => {
            let parts = r.vector("txns", 8, |r| {
                let code = r.i32("type")?;
                let bytes = r.buffer("a txn")?.unwrap_or_default();
                match OpCode::from_code(code) {
                    Some(OpCode::Multi) | None => {
                        Err(WireError::Unknown { what: "txn in a multi", value: code.into() })
                    }
                    Some(kind) => read_body(kind, &mut Reader::whole(bytes)),
                }
            })?;
            TxnBody::Multi(parts.unwrap_or_default())
        }
        kind => return Err(WireError::Unknown { what: "txn", value: kind.code().into() }),
    })
}

/// Old logs have no body here, and it may be switched off: then there is nothing, or only the digest. No mark tells them apart.
fn read_closed(r: &mut Reader<'_>) -> Result<Option<Vec<String>>, WireError> {
    let is_end = |r: &Reader<'_>| r.remaining() == 0 || r.remaining() == DIGEST;
    let before = *r;
    match read_texts(r, "paths2Delete") {
        Ok(paths) if is_end(r) => Ok(Some(paths)),
        _ if is_end(&before) => {
            *r = before;
            Ok(None)
        }
        Ok(_) => Err(WireError::End { at: r.position(), what: "a digest" }),
        Err(error) => Err(error),
    }
}

fn read_create(r: &mut Reader<'_>, kind: CreateKind) -> Result<CreateTxn, WireError> {
    let (path, data, acl) = (r.text("a path")?, read_data(r)?, read_acl(r)?.unwrap_or_default());
    let plain = matches!(kind, CreateKind::Create | CreateKind::Create2);
    let ephemeral = plain && r.boolean("ephemeral")?;
    let is_v0 = kind == CreateKind::Create && r.remaining() == 0;
    let parent_cversion = if is_v0 { None } else { Some(r.i32("parentCVersion")?) };
    let ttl = if kind == CreateKind::Ttl { r.i64("ttl")? } else { -1 };
    Ok(CreateTxn { kind, path, data, acl, ephemeral, parent_cversion, ttl })
}

/// Writes a txn.
pub fn encode_txn(txn: &TxnRecord, bytes: &mut Vec<u8>) {
    let mut writer = Writer::new(bytes);
    let (w, header) = (&mut writer, &txn.header);
    w.i64(header.session.0);
    w.i32(header.cxid);
    w.i64(header.zxid.0);
    w.i64(header.time);
    w.i32(header.kind.code());
    write_body(w, &txn.body, txn.digest.is_some());
    if let Some(digest) = txn.digest {
        w.i32(digest.version);
        w.i64(digest.tree as i64);
    }
}

fn write_body(w: &mut Writer<'_>, body: &TxnBody, has_digest: bool) {
    match body {
        TxnBody::Create(create) => {
            w.text(&create.path);
            write_data(w, &create.data);
            write_acl(w, &create.acl);
            if matches!(create.kind, CreateKind::Create | CreateKind::Create2) {
                w.boolean(create.ephemeral);
            }
            let is_v0 = create.parent_cversion.is_none() && create.kind == CreateKind::Create && !has_digest;
            if !is_v0 {
                // What a V0 record means, for readers that would take what follows for it.
                w.i32(create.parent_cversion.unwrap_or(-1));
            }
            if create.kind == CreateKind::Ttl {
                w.i64(create.ttl);
            }
        }
        TxnBody::Delete { path } | TxnBody::DeleteContainer { path } => w.text(path),
        TxnBody::SetData { path, data, version } | TxnBody::Reconfig { path, data, version } => {
            w.text(path);
            write_data(w, data);
            w.i32(*version);
        }
        TxnBody::SetAcl { path, acl, version } => {
            w.text(path);
            write_acl(w, acl);
            w.i32(*version);
        }
        TxnBody::Check { path, version } => {
            w.text(path);
            w.i32(*version);
        }
        TxnBody::CreateSession { timeout } => w.i32(*timeout),
        TxnBody::CloseSession { paths } => paths.iter().for_each(|paths| write_texts(w, paths)),
        TxnBody::Error(error) => w.i32(*error),
        TxnBody::Multi(parts) => w.vector(parts, |w, part| {
            w.i32(part.kind().code());
            w.nested(|w| write_body(w, part, false));
        }),
    }
}
