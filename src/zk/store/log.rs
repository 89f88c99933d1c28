//! The txn log: a header, then records of checksum, length, txn and the byte `B`, then zeros (`FileTxnLog`).

use simd_adler32::adler32;

use super::StoreError;
use crate::zab::{Payload, Txn, Zxid};

const MAGIC: &[u8; 4] = b"ZKLG";
const END_OF_RECORD: u8 = b'B';
/// Bytes of the header.
pub const HEADER: usize = 16;
/// Bytes of a record beside its txn.
pub const RECORD_OVERHEAD: usize = 8 + 4 + 1;
/// No txn is longer: twice `jute.maxbuffer`, as its readers allow.
const MOST: usize = 2 * 0xf_ffff;
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
    /// At a record that is whole and is not what was written.
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
        let corrupt = |reason| LogEnd::Corrupt { at: self.at as u64, reason };
        let rest = &self.bytes[self.at..];
        let Some((head, rest)) = rest.split_at_checked(12) else {
            return Err(if rest.iter().all(|byte| *byte == 0) { LogEnd::Clean } else { LogEnd::Torn });
        };
        let checksum = i64::from_be_bytes(head[..8].try_into().expect("8 bytes"));
        let length = i32::from_be_bytes(head[8..].try_into().expect("4 bytes"));
        if length == 0 {
            return Err(if checksum == 0 { LogEnd::Clean } else { LogEnd::Torn });
        }
        let length = usize::try_from(length).ok().filter(|length| *length <= MOST);
        let length = length.ok_or_else(|| corrupt("its length cannot be"))?;
        if length < ZXID.end {
            return Err(corrupt("it is too short for a txn"));
        }
        let Some((txn, rest)) = rest.split_at_checked(length) else { return Err(LogEnd::Torn) };
        if rest.first() != Some(&END_OF_RECORD) {
            return Err(LogEnd::Torn);
        }
        if i64::from(adler32(&txn)) != checksum {
            return Err(corrupt("its checksum does not match"));
        }
        self.at += length + RECORD_OVERHEAD;
        let zxid = Zxid(i64::from_be_bytes(txn[ZXID].try_into().expect("8 bytes")));
        Ok(Txn { zxid, payload: Payload::new(txn) })
    }
}
