//! Records that many others contain.

use super::{Reader, WireError, Writer};
use crate::zab::Payload;
use crate::zk::model::{Acl, Id, Stat};

/// The shortest entry of a list of ids, of ACLs and of texts.
const LEAST_ID: usize = 8;
const LEAST_ACL: usize = 12;
const LEAST_TEXT: usize = 4;

pub(super) fn read_id(reader: &mut Reader<'_>) -> Result<Id, WireError> {
    let scheme = reader.text_or_null("a scheme")?.unwrap_or_default();
    Ok(Id { scheme, id: reader.text_or_null("an id")?.unwrap_or_default() })
}

pub(super) fn write_id(writer: &mut Writer<'_>, id: &Id) {
    writer.text(&id.scheme);
    writer.text(&id.id);
}

pub(super) fn read_ids(reader: &mut Reader<'_>) -> Result<Option<Vec<Id>>, WireError> {
    reader.vector("ids", LEAST_ID, read_id)
}

/// Steps over ids, whatever is in them.
pub(super) fn skip_ids(reader: &mut Reader<'_>) -> Result<(), WireError> {
    let skip = |reader: &mut Reader<'_>| reader.buffer("a scheme").and_then(|_| reader.buffer("an id")).map(drop);
    reader.vector("ids", LEAST_ID, skip).map(drop)
}

/// An ACL; `None` is null.
pub fn read_acl(reader: &mut Reader<'_>) -> Result<Option<Vec<Acl>>, WireError> {
    reader.vector("an ACL", LEAST_ACL, |reader| Ok(Acl { perms: reader.i32("permissions")?, id: read_id(reader)? }))
}

/// An ACL.
pub fn write_acl(writer: &mut Writer<'_>, acl: &[Acl]) {
    writer.vector(acl, |writer, entry| {
        writer.i32(entry.perms);
        write_id(writer, &entry.id);
    });
}

/// A null list is an empty one.
pub(super) fn read_texts(reader: &mut Reader<'_>, what: &'static str) -> Result<Vec<String>, WireError> {
    Ok(reader.vector(what, LEAST_TEXT, |reader| reader.text(what))?.unwrap_or_default())
}

pub(super) fn write_texts(writer: &mut Writer<'_>, texts: &[String]) {
    writer.vector(texts, |writer, text| writer.text(text));
}

pub(super) fn read_data(reader: &mut Reader<'_>) -> Result<Option<Payload>, WireError> {
    Ok(reader.buffer("data")?.map(Payload::new))
}

pub(super) fn write_data(writer: &mut Writer<'_>, data: &Option<Payload>) {
    writer.buffer_or_null(data.as_ref().map(Payload::as_bytes));
}

pub(super) fn read_stat(reader: &mut Reader<'_>) -> Result<Stat, WireError> {
    Ok(Stat {
        czxid: reader.i64("czxid")?,
        mzxid: reader.i64("mzxid")?,
        ctime: reader.i64("ctime")?,
        mtime: reader.i64("mtime")?,
        version: reader.i32("version")?,
        cversion: reader.i32("cversion")?,
        aversion: reader.i32("aversion")?,
        ephemeral_owner: reader.i64("ephemeralOwner")?,
        data_length: reader.i32("dataLength")?,
        num_children: reader.i32("numChildren")?,
        pzxid: reader.i64("pzxid")?,
    })
}

pub(super) fn write_stat(writer: &mut Writer<'_>, stat: &Stat) {
    for long in [stat.czxid, stat.mzxid, stat.ctime, stat.mtime] {
        writer.i64(long);
    }
    for int in [stat.version, stat.cversion, stat.aversion] {
        writer.i32(int);
    }
    writer.i64(stat.ephemeral_owner);
    writer.i32(stat.data_length);
    writer.i32(stat.num_children);
    writer.i64(stat.pzxid);
}
