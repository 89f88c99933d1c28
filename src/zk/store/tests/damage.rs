//! Holes, torn ends and damaged records.

use std::collections::BTreeMap;

use crate::zab::{Epoch, LogSlice, Ratio, Txn, Write, WriteId, Zxid};
use crate::zk::store::*;

fn capture(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn captured_log() -> Vec<u8> {
    capture(include_str!("../../../../tests/captures/log.txt"))
}

/// Files that are always as written.
#[derive(Clone, Default)]
struct Written(BTreeMap<(Dir, String), Vec<u8>>);

impl Files for Written {
    fn list(&self, dir: Dir) -> Result<Vec<(String, u64)>, StoreError> {
        let of =
            |((at, name), bytes): (&(Dir, String), &Vec<u8>)| (*at == dir).then(|| (name.clone(), bytes.len() as u64));
        Ok(self.0.iter().filter_map(of).collect())
    }

    fn read(&self, dir: Dir, name: &str) -> Result<Vec<u8>, StoreError> {
        let missing = || StoreError::Io { name: name.into(), reason: "missing".into() };
        self.0.get(&(dir, name.to_owned())).cloned().ok_or_else(missing)
    }
}

impl Written {
    fn execute(&mut self, op: FileOp) {
        match op {
            FileOp::Write { dir, name, at, bytes } => {
                let file = self.0.entry((dir, name)).or_default();
                let end = at as usize + bytes.len();
                file.resize(file.len().max(end), 0);
                file[at as usize..end].copy_from_slice(&bytes);
            }
            FileOp::SetLength { dir, name, length } => {
                self.0.entry((dir, name)).or_default().resize(length as usize, 0)
            }
            FileOp::Rename { dir, from, to } => {
                let file = self.0.remove(&(dir, from)).expect("a file that is renamed is there");
                self.0.insert((dir, to), file);
            }
            FileOp::Remove { dir, name } => drop(self.0.remove(&(dir, name))),
            FileOp::Sync { .. } | FileOp::SyncDir(_) => {}
        }
    }

    fn recover(&self) -> Found {
        recover(self, 100, |_, _| Ok(()), |_| {}, |_| Ok(())).unwrap()
    }
}

fn zxid(counter: u32) -> Zxid {
    Zxid::new(Epoch(1), counter)
}

fn log(counters: &[u32]) -> Vec<u8> {
    let mut bytes = captured_log()[..16].to_vec();
    for counter in counters {
        let mut txn = [0; 32];
        txn[12..20].copy_from_slice(&zxid(*counter).0.to_be_bytes());
        encode_record(&txn, &mut bytes);
    }
    bytes
}

fn with_logs(logs: &[(u32, Vec<u8>)]) -> Written {
    let file = |(start, bytes): &(u32, Vec<u8>)| ((Dir::Log, log_name(zxid(*start))), bytes.clone());
    Written(logs.iter().map(file).collect())
}

fn truncate(files: &Written, to: Zxid) -> Result<Vec<FileOp>, StoreError> {
    let mut ops = Vec::new();
    let write = JournalWrite::Plain(WriteId(1), Write::Truncate { to });
    Journal::new(JournalSettings::default()).batch(vec![write], files, true, |op| {
        ops.push(op);
        Ok(())
    })?;
    Ok(ops)
}

#[test]
fn a_captured_log_is_read_and_written_again() {
    let bytes = captured_log();
    let mut reader = LogReader::new("log.100000001", &bytes).unwrap();
    let txns: Vec<Txn> = std::iter::from_fn(|| reader.next_txn()).collect();
    assert_eq!(txns.iter().map(|txn| txn.zxid).collect::<Vec<_>>(), [zxid(1), zxid(2), zxid(3), zxid(4)]);
    assert_eq!(reader.end(), Some(&LogEnd::Clean));
    let mut again = bytes[..16].to_vec();
    txns.iter().for_each(|txn| encode_record(txn.payload.as_bytes(), &mut again));
    assert_eq!(again, bytes[..again.len()]);
    assert!(bytes[again.len()..].iter().all(|byte| *byte == 0));
}

#[test]
fn a_hole_in_the_log_leaves_a_server_without_data() {
    assert_eq!(with_logs(&[(1, log(&[1, 2])), (3, log(&[3]))]).recover().recovered.last_zxid, zxid(3));
    let holed = with_logs(&[(1, log(&[1, 2])), (4, log(&[4]))]);
    assert_eq!(holed.recover().recovered.last_zxid, Zxid::MISSING);
    assert_eq!(read_log(&holed, zxid(1), Ratio { numerator: 0, denominator: 1 }), Ok(LogSlice::Purged));
}

#[test]
fn every_torn_end_leaves_what_was_whole() {
    let whole = log(&[1, 2]);
    let first = log(&[1]).len();
    for length in first..whole.len() {
        assert_eq!(with_logs(&[(1, whole[..length].to_vec())]).recover().recovered.last_zxid, zxid(1), "{length}");
    }
}

#[test]
fn a_cut_interrupted_anywhere_ends_between_its_target_and_the_old_end() {
    let mut files = with_logs(&[(1, log(&[1, 2])), (3, log(&[3, 4])), (5, log(&[5]))]);
    for op in truncate(&files, zxid(1)).unwrap() {
        files.execute(op);
        let last = files.recover().recovered.last_zxid;
        assert!((zxid(1)..=zxid(5)).contains(&last), "{last}");
    }
    assert_eq!(files.recover().recovered.last_zxid, zxid(1));
}

#[test]
fn a_cut_does_not_hide_damage() {
    let mut bytes = log(&[1, 2]);
    let record = log(&[1]).len();
    bytes[record + 12] ^= 1;
    let files = with_logs(&[(1, bytes)]);
    assert!(files.recover().corrupt.is_some());
    assert!(matches!(truncate(&files, zxid(2)), Err(StoreError::Malformed { .. })));
}

#[test]
fn a_decided_install_is_on_the_platter_before_a_log_goes() {
    let mut files = with_logs(&[(1, log(&[1]))]);
    files.0.insert((Dir::Data, "installing.100000009".into()), Vec::new());
    let mut ops = Vec::new();
    let execute = |op| {
        ops.push(op);
        Ok(())
    };
    recover(&files, 1, |_, _| Ok(()), |_| {}, execute).unwrap();
    let (sync, removal) = (FileOp::SyncDir(Dir::Data), FileOp::Remove { dir: Dir::Log, name: log_name(zxid(1)) });
    assert_eq!(ops[..2], [sync, removal]);
}
