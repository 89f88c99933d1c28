//! The snapshot file: a header, the service's bytes, and seals (`FileSnap`).

use simd_adler32::Adler32;

use super::names::aside_name;
use super::{Dir, FileOp, StoreError, snapshot_name};
use crate::zab::{Payload, Zxid};
use crate::zk::wire::SnapshotScan;

/// Magic, version 2, dbid −1.
const HEADER: [u8; 16] = *b"ZKSN\0\0\0\x02\xff\xff\xff\xff\xff\xff\xff\xff";
/// The text `/` that ends every seal, and every whole file.
pub const SEAL_END: &[u8; 5] = b"\0\0\0\x01/";
const SEAL: usize = 8 + SEAL_END.len();
const DIGEST_VERSION: i32 = 2;

/// What stands behind the service's bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trailers {
    /// The digest of the state: since 3.6.
    pub digest: Option<u64>,
    /// The last txn of the state: since 3.9.
    pub last_zxid: bool,
}

/// What a snapshot file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFile<'a> {
    /// The service's bytes.
    pub body: &'a [u8],
    /// The digest of the state, and of which txn it is.
    pub digest: Option<(Zxid, u64)>,
}

/// What comes before the service's bytes.
pub fn encode_snapshot_head() -> Vec<u8> {
    HEADER.to_vec()
}

/// Writes the state `chunks` as a snapshot of `zxid`, so that a crash leaves all of it or nothing. Nobody else may write one of that
/// name meanwhile; the log that leads up to it is durable, if logs are synced at all.
pub fn write_snapshot(
    zxid: Zxid,
    chunks: impl IntoIterator<Item = Payload>,
    trailers: Trailers,
    mut execute: impl FnMut(FileOp) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    write_aside(zxid, chunks, trailers, &mut execute)?;
    let to = snapshot_name(zxid);
    execute(FileOp::Rename { dir: Dir::Data, from: aside_name(&to), to })?;
    execute(FileOp::SyncDir(Dir::Data))
}

/// Writes it beside its place. The pieces are asked for one by one: there is never more than one of them.
pub(super) fn write_aside(
    zxid: Zxid,
    chunks: impl IntoIterator<Item = Payload>,
    trailers: Trailers,
    execute: &mut impl FnMut(FileOp) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let name = aside_name(&snapshot_name(zxid));
    execute(FileOp::SetLength { dir: Dir::Data, name: name.clone(), length: 0 })?;
    let mut sum = Adler32::new();
    let mut at = 0;
    let mut write = |bytes: Vec<u8>| {
        let from = at;
        at += bytes.len() as u64;
        execute(FileOp::Write { dir: Dir::Data, name: name.clone(), at: from, bytes })
    };
    sum.write(&HEADER);
    write(encode_snapshot_head())?;
    for chunk in chunks {
        sum.write(chunk.as_bytes());
        write(chunk.as_bytes().to_vec())?;
    }
    write(encode_tail(sum, zxid, trailers))?;
    execute(FileOp::Sync { dir: Dir::Data, name })
}

/// What comes behind the service's bytes; `sum` is that of everything before.
fn encode_tail(mut sum: Adler32, zxid: Zxid, trailers: Trailers) -> Vec<u8> {
    let mut tail = Vec::new();
    let mut summed = 0;
    let mut seal = |tail: &mut Vec<u8>| {
        sum.write(&tail[summed..]);
        tail.extend_from_slice(&i64::from(sum.finish()).to_be_bytes());
        tail.extend_from_slice(SEAL_END);
        sum.write(&tail[tail.len() - SEAL..]);
        summed = tail.len();
    };
    seal(&mut tail);
    if let Some(digest) = trailers.digest {
        tail.extend_from_slice(&zxid.0.to_be_bytes());
        tail.extend_from_slice(&DIGEST_VERSION.to_be_bytes());
        tail.extend_from_slice(&digest.to_be_bytes());
        seal(&mut tail);
        if trailers.last_zxid {
            tail.extend_from_slice(&zxid.0.to_be_bytes());
            seal(&mut tail);
        }
    }
    tail
}

/// Reads a snapshot file of that name.
pub fn read_snapshot<'a>(name: &str, bytes: &'a [u8]) -> Result<SnapshotFile<'a>, StoreError> {
    let malformed = |reason: &str| StoreError::Malformed { name: name.into(), reason: reason.into() };
    if bytes.len() < HEADER.len() || bytes[..8] != HEADER[..8] {
        return Err(malformed("this is no snapshot: it does not begin with ZKSN, version 2"));
    }
    // Whatever the limit was when it came in: the file is there whole.
    let mut scan = SnapshotScan::with_limit(bytes.len());
    let length = scan.feed(&bytes[HEADER.len()..]).map_err(|error| malformed(&error.to_string()))?;
    if !scan.is_done() {
        return Err(malformed("it ends in the middle"));
    }
    let body_end = HEADER.len() + length;
    let seal_at = |at: usize| -> Result<usize, StoreError> {
        let seal = bytes.get(at..at + SEAL).ok_or_else(|| malformed("a seal is missing"))?;
        let mut sum = Adler32::new();
        sum.write(&bytes[..at]);
        let good = seal[..8] == i64::from(sum.finish()).to_be_bytes() && seal[8..] == *SEAL_END;
        if good { Ok(at + SEAL) } else { Err(malformed("its checksum does not match")) }
    };
    let at = seal_at(body_end)?;
    let body = &bytes[HEADER.len()..body_end];
    let Some(trailer) = bytes.get(at..at + 20) else { return Ok(SnapshotFile { body, digest: None }) };
    let long = |bytes: &[u8]| i64::from_be_bytes(bytes.try_into().expect("8 bytes"));
    let digest = (trailer[8..12] == DIGEST_VERSION.to_be_bytes())
        .then(|| (Zxid(long(&trailer[..8])), long(&trailer[12..20]) as u64));
    // Older digests are longer; what follows the first seal adds nothing that recovery needs.
    if digest.is_some() {
        let at = seal_at(at + 20)?;
        if bytes.len() >= at + 8 + SEAL {
            seal_at(at + 8)?;
        }
    }
    Ok(SnapshotFile { body, digest })
}
