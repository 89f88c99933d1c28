//! The txn log: a header, then records of checksum, length, txn and the byte `B`, then zeros (`FileTxnLog`).
//!
//! A record that is not whole was either never synced, and then nobody was told that it is there, or it was acknowledged and has been
//! damaged since. What never reached the platter is missing behind the end of the file, or zero up to the end of a sector:
//!
//! | what stands there | is |
//! |---|---|
//! | zeros up to the end of the file | the end |
//! | zeros from the record's beginning, from its length or from its end marker on, up to the end of that sector | torn |
//! | a record that goes beyond the end of the file | torn |
//! | one of the last two, and yet the checksum holds under another length | damaged: in its length |
//! | one of the last two, and yet whole records stand where its txn should | damaged: its length is none |
//! | anything else: a checksum that does not match before an end marker, another byte for the marker, … | damaged |
//!
//! ZooKeeper takes every record without its end marker for torn.

use simd_adler32::{Adler32, adler32};

use super::StoreError;
use crate::zab::{Payload, Txn, Zxid};

const MAGIC: &[u8; 4] = b"ZKLG";
const END_OF_RECORD: u8 = b'B';
/// Bytes of the header.
pub const HEADER: usize = 16;
/// Bytes of a record beside its txn.
pub const RECORD_OVERHEAD: usize = 8 + 4 + 1;
/// What reaches the platter does so by as many bytes at least.
const SECTOR: usize = 512;
/// So many bytes at the beginning of a record are always zero: a checksum has half the room it is given.
const ZEROS_AHEAD: usize = 4;
/// Checksum and length.
const HEAD: usize = 12;
/// Where the zxid stands in a txn.
const ZXID: std::ops::Range<usize> = 12..20;

/// The header of a log.
pub(super) fn header() -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(MAGIC);
    header[7] = 2;
    header
}

/// Appends the record of a txn.
pub fn encode_record(txn: &[u8], bytes: &mut Vec<u8>) {
    let length = i32::try_from(txn.len()).expect("no txn is longer than 2 GiB");
    bytes.extend_from_slice(&i64::from(adler32(&txn)).to_be_bytes());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(txn);
    bytes.push(END_OF_RECORD);
}

/// How a log ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEnd {
    /// At its end, or at the zeros behind it.
    Clean,
    /// In the middle of a record that was never whole: it was not synced.
    Torn,
    /// At a record that is not what was written.
    Corrupt {
        /// Its offset.
        at: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Reads the records of one log, in order.
#[derive(Debug)]
pub struct LogReader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: Option<LogEnd>,
}

impl<'a> LogReader<'a> {
    /// Reads a log of that name.
    pub fn new(name: &str, bytes: &'a [u8]) -> Result<LogReader<'a>, StoreError> {
        let malformed = |reason: &str| StoreError::Malformed { name: name.into(), reason: reason.into() };
        if bytes.len() < HEADER {
            // A power failure between creating a file and writing its header.
            return Ok(LogReader { bytes, at: 0, end: Some(LogEnd::Torn) });
        }
        let own = header();
        let torn_at = |at: &usize| bytes[..*at] == own[..*at] && bytes[*at..HEADER].iter().all(|byte| *byte == 0);
        if bytes[..4] != *MAGIC && (0..4).any(|at| torn_at(&at)) {
            return Ok(LogReader { bytes, at: 0, end: Some(LogEnd::Torn) });
        }
        if bytes[..4] != *MAGIC {
            return Err(malformed("this is no transaction log: it does not begin with ZKLG"));
        }
        Ok(LogReader { bytes, at: HEADER, end: None })
    }

    /// How it ended, once there is no next record.
    pub fn end(&self) -> Option<&LogEnd> {
        self.end.as_ref()
    }

    /// The offset behind the last record.
    pub fn position(&self) -> u64 {
        self.at as u64
    }

    /// The next record.
    pub fn next_txn(&mut self) -> Option<Txn> {
        if self.end.is_some() {
            return None;
        }
        match self.read() {
            Ok(txn) => Some(txn),
            Err(end) => {
                self.end = Some(end);
                None
            }
        }
    }

    fn read(&mut self) -> Result<Txn, LogEnd> {
        let rest = &self.bytes[self.at..];
        let txn = whole(rest).map_err(|flaw| self.judge(rest, flaw))?;
        self.at += txn.len() + RECORD_OVERHEAD;
        let zxid = Zxid(i64::from_be_bytes(txn[ZXID].try_into().expect("8 bytes")));
        Ok(Txn { zxid, payload: Payload::new(txn) })
    }

    fn judge(&self, rest: &[u8], flaw: Flaw) -> LogEnd {
        let corrupt = |reason| LogEnd::Corrupt { at: self.at as u64, reason };
        if is_zero(rest) {
            return LogEnd::Clean;
        }
        if self.is_lost(self.at, ZEROS_AHEAD) {
            return LogEnd::Torn;
        }
        match flaw {
            Flaw::Wrong(reason) => corrupt(reason),
            _ if has_another_length(rest) => corrupt("its length is not that of its txn"),
            Flaw::BeyondTheEnd if holds_records(rest) => corrupt("whole records follow it"),
            Flaw::BeyondTheEnd => LogEnd::Torn,
            Flaw::NoLength if self.is_lost(self.at + 8, 0) => LogEnd::Torn,
            Flaw::NoLength => corrupt("its length is zero"),
            Flaw::NoEnd { length } if holds_records(&rest[..HEAD + length]) => corrupt("whole records follow it"),
            Flaw::NoEnd { length } if self.is_lost(self.at + HEAD + length, 0) => LogEnd::Torn,
            Flaw::NoEnd { .. } => corrupt("it does not end where it should"),
        }
    }

    /// Whether nothing but zeros, and more than `least` of them, stands from there up to the end of the sector.
    fn is_lost(&self, at: usize, least: usize) -> bool {
        let end = self.bytes.len().min((at / SECTOR + 1) * SECTOR);
        self.bytes.get(at..end).is_some_and(|part| part.len() > least && is_zero(part))
    }
}

/// Why a record is not whole.
#[derive(Clone, Copy, Debug)]
enum Flaw {
    /// The file ends before it.
    BeyondTheEnd,
    /// Its length is zero.
    NoLength,
    /// Behind its txn there is no end marker.
    NoEnd { length: usize },
    /// Something that no loss of sectors explains.
    Wrong(&'static str),
}

/// The txn of the record that `rest` begins with.
fn whole(rest: &[u8]) -> Result<&[u8], Flaw> {
    let (head, rest) = rest.split_at_checked(HEAD).ok_or(Flaw::BeyondTheEnd)?;
    let checksum = i64::from_be_bytes(head[..8].try_into().expect("8 bytes"));
    let length = i32::from_be_bytes(head[8..].try_into().expect("4 bytes"));
    match usize::try_from(length) {
        Err(_) => Err(Flaw::Wrong("its length is negative")),
        Ok(0) => Err(Flaw::NoLength),
        Ok(length) if length < ZXID.end => Err(Flaw::Wrong("it is too short for a txn")),
        Ok(length) => {
            let (txn, rest) = rest.split_at_checked(length).ok_or(Flaw::BeyondTheEnd)?;
            match rest.first() {
                None => Err(Flaw::BeyondTheEnd),
                Some(&END_OF_RECORD) if i64::from(adler32(&txn)) == checksum => Ok(txn),
                Some(&END_OF_RECORD) => Err(Flaw::Wrong("its checksum does not match")),
                Some(_) => Err(Flaw::NoEnd { length }),
            }
        }
    }
}

/// Whether the record that `rest` begins with is whole but for its length.
fn has_another_length(rest: &[u8]) -> bool {
    let Some((head, rest)) = rest.split_at_checked(HEAD) else { return false };
    let mut sum = Adler32::new();
    let mut summed = 0;
    let mut ends = rest.iter().enumerate().filter(|(_, byte)| **byte == END_OF_RECORD);
    ends.any(|(end, _)| {
        sum.write(&rest[summed..end]);
        summed = end;
        head[..8] == i64::from(sum.finish()).to_be_bytes()
    })
}

/// Whether a whole record stands anywhere behind the beginning. Where that is a record's txn, its length is a lie, or a client stored a log in
/// a node, and the power failed just then.
fn holds_records(bytes: &[u8]) -> bool {
    let is_head = |at: &usize| bytes[*at..*at + ZEROS_AHEAD] == [0; ZEROS_AHEAD];
    (1..bytes.len().saturating_sub(RECORD_OVERHEAD)).filter(is_head).any(|at| whole(&bytes[at..]).is_ok())
}

/// Whether all of them are zero; logs end in megabytes of these.
fn is_zero(bytes: &[u8]) -> bool {
    const ZEROS: [u8; 4096] = [0; 4096];
    bytes.chunks(ZEROS.len()).all(|chunk| *chunk == ZEROS[..chunk.len()])
}
