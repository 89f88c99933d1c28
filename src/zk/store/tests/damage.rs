//! Holes, torn ends and damaged records.

use std::collections::BTreeMap;

use crate::zab::{Epoch, LogSlice, Payload, Ratio, Txn, Write, WriteId, Zxid};
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
        recover(self, 100, |_, _| Ok(()), |_| Ok(()), |_| Ok(())).unwrap()
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

/// A bad block where a record begins: its length is lost with its checksum, and what follows was acknowledged.
#[test]
fn a_record_whose_head_is_gone_is_damaged_while_whole_ones_follow_it() {
    let (whole, record) = (log(&[1, 2, 3, 4]), log(&[1]).len() - 16);
    for preallocated in [0, 100_000] {
        for length in [5u32, 300, 50_000, 5_000_000, 0x8000_0000] {
            let mut bytes = [whole.clone(), vec![0; preallocated]].concat();
            let at = 16 + record;
            bytes[at..at + 20].fill(0xee);
            bytes[at + 8..at + 12].copy_from_slice(&length.to_be_bytes());
            let found = with_logs(&[(1, bytes)]).recover();
            assert_eq!(found.recovered.last_zxid, Zxid::MISSING, "{preallocated} {length}");
        }
    }
}

/// A snapshot of the txns up to there, whatever it holds.
fn snapshot(counter: u32) -> ((Dir, String), Vec<u8>) {
    let mut files = Written::default();
    let body = [&[0; 12][..], &0u32.to_be_bytes(), &[0; 68], b"\0\0\0\x01/"].concat();
    write_snapshot(zxid(counter), [Payload::new(&body)], Trailers::default(), |op| {
        files.execute(op);
        Ok(())
    })
    .unwrap();
    files.0.pop_first().expect("it is written")
}

#[test]
fn damage_in_a_log_that_nobody_needs_costs_how_far_the_history_goes_back_and_nothing_else() {
    let mut files = with_logs(&[(1, log(&[1, 2, 3])), (4, log(&[4, 5])), (6, log(&[6]))]);
    files.0.extend([snapshot(2), snapshot(4), snapshot(5)]);
    assert_eq!((files.recover().recovered.last_zxid, files.recover().recovered.base), (zxid(6), zxid(2)));
    let whole = files.clone();
    let oldest = |files: &mut Written| files.0.get_mut(&(Dir::Log, log_name(zxid(1)))).unwrap().clone();
    let mut flipped = oldest(&mut files);
    flipped[16 + 12] ^= 1;
    for damaged in [flipped, b"this is a text file".to_vec()] {
        files.0.insert((Dir::Log, log_name(zxid(1))), damaged);
        let found = files.recover();
        assert_eq!(found.corrupt, None);
        assert_eq!((found.recovered.last_zxid, found.recovered.base), (zxid(6), zxid(4)));
        assert_eq!(found.recovered.recent.first().map(|txn| txn.zxid), Some(zxid(4)));
        assert!(found.notes.iter().any(|note| note.contains("log.100000001")), "{:?}", found.notes);
    }
    files = whole;
    files.0.get_mut(&(Dir::Log, log_name(zxid(6)))).unwrap()[16 + 12] ^= 1;
    assert_eq!(files.recover().recovered.last_zxid, Zxid::MISSING, "this one is needed");
}

/// A crash can leave a log without a whole record in it, while an older one goes on beyond its name.
#[test]
fn a_log_with_nothing_in_it_hides_no_older_one() {
    let mut files = with_logs(&[(1, log(&[1, 2, 3, 4])), (3, log(&[]))]);
    files.0.extend([snapshot(2), snapshot(3)]);
    let all = Ratio { numerator: 0, denominator: 1 };
    let Ok(LogSlice::Txns(txns)) = read_log(&files, zxid(3), all) else { panic!("it is there") };
    assert_eq!(txns.iter().map(|txn| txn.zxid).collect::<Vec<_>>(), [zxid(3), zxid(4)]);
    files.0.get_mut(&(Dir::Log, log_name(zxid(1)))).unwrap()[16 + 12] ^= 1;
    assert_eq!(files.recover().recovered.last_zxid, Zxid::MISSING, "the damaged one has the last txn");
}

#[test]
fn a_cut_that_would_leave_nothing_to_go_on_from_is_refused() {
    let mut files = with_logs(&[(3, log(&[3, 4, 5, 6]))]);
    files.0.extend([snapshot(2), snapshot(5)]);
    assert!(truncate(&files, zxid(4)).is_ok());
    files.0.get_mut(&(Dir::Data, snapshot_name(zxid(2)))).unwrap()[20] ^= 1;
    assert!(truncate(&files, zxid(4)).is_err(), "it cannot be read");
    assert!(truncate(&files, zxid(5)).is_ok(), "it is not needed");
    files.0.remove(&(Dir::Data, snapshot_name(zxid(2))));
    assert!(truncate(&files, zxid(4)).is_err(), "it was purged");
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
    recover(&files, 1, |_, _| Ok(()), |_| Ok(()), execute).unwrap();
    let (sync, removal) = (FileOp::SyncDir(Dir::Data), FileOp::Remove { dir: Dir::Log, name: log_name(zxid(1)) });
    assert_eq!(ops[..2], [sync, removal]);
}

/// A log of txns that are not zeros, the last of this many bytes, with zeros behind it.
fn log_with(length: usize, zeros: usize) -> (Vec<u8>, usize) {
    let mut bytes = log(&[1]);
    let record = bytes.len();
    let mut txn: Vec<u8> = (0..length).map(|at| (at * 7 % 255) as u8 + 1).collect();
    txn[12..20].copy_from_slice(&zxid(2).0.to_be_bytes());
    encode_record(&txn, &mut bytes);
    bytes.resize(bytes.len() + zeros, 0);
    (bytes, record)
}

fn end_of(bytes: &[u8]) -> (usize, LogEnd) {
    let mut reader = LogReader::new("log.1", bytes).unwrap();
    let txns = std::iter::from_fn(|| reader.next_txn()).count();
    (txns, reader.end().unwrap().clone())
}

#[test]
fn a_changed_bit_is_never_taken_for_a_torn_end() {
    for (length, zeros) in [(40, 0), (40, 3000), (700, 0), (700, 3000)] {
        let (good, record) = log_with(length, zeros);
        for bit in 0..(length + RECORD_OVERHEAD) * 8 {
            let mut bytes = good.clone();
            bytes[record + bit / 8] ^= 1 << (bit % 8);
            let (txns, end) = end_of(&bytes);
            assert_eq!(txns, 1, "bit {bit} of {length} bytes");
            assert!(
                matches!(end, LogEnd::Corrupt { at, .. } if at == record as u64),
                "bit {bit} of {length} bytes: {end:?}"
            );
        }
    }
}

#[test]
fn damage_among_acknowledged_records_is_told_whatever_is_behind_it() {
    let good = log(&[1, 2, 3, 4]);
    let record = log(&[1]).len();
    // The end marker, and a length that leads into the records behind it, or beyond them all.
    for (at, value) in [(RECORD_OVERHEAD + 31, 0), (11, 33), (11, 90), (10, 1), (8, 1)] {
        let mut bytes = good.clone();
        bytes[record + at] = value;
        bytes.resize(8000, 0);
        let (txns, end) = end_of(&bytes);
        assert!(txns == 1 && matches!(end, LogEnd::Corrupt { .. }), "byte {at} is {value}: {end:?}");
    }
}

#[test]
fn what_never_reached_the_platter_is_torn_and_not_damaged() {
    let (good, record) = log_with(1200, 3000);
    let whole = record + 1200 + RECORD_OVERHEAD;
    // A write that stopped anywhere.
    for cut in record..whole {
        let mut bytes = good.clone();
        bytes[cut..].fill(0);
        let (txns, end) = end_of(&bytes);
        assert!(txns == 1 && end == if cut < record + 5 { LogEnd::Clean } else { LogEnd::Torn }, "{cut}: {end:?}");
        assert_eq!(end_of(&good[..cut]).0, 1);
        assert!(matches!(end_of(&good[..cut]).1, LogEnd::Torn | LogEnd::Clean), "the file ends at {cut}");
    }
    // Sectors that came later than those behind them: the first, and the last.
    for sector in [0, whole / 512] {
        let mut bytes = good.clone();
        bytes[(sector * 512).max(record)..(sector + 1) * 512].fill(0);
        assert_eq!(end_of(&bytes), (1, LogEnd::Torn), "sector {sector}");
    }
}

#[test]
fn there_is_no_log_without_its_header() {
    let payload = Payload::new(&log(&[1])[16 + 12..][..32]);
    let append = JournalWrite::Plain(WriteId(1), Write::Append(Txn { zxid: zxid(1), payload }));
    let mut files = Written::default();
    let mut synced = Vec::new();
    let mut ops = Vec::new();
    let execute = |op| {
        ops.push(op);
        Ok(())
    };
    Journal::new(JournalSettings::default()).batch(vec![append], &Written::default(), true, execute).unwrap();
    for op in ops {
        if let FileOp::Rename { from, .. } = &op {
            assert!(synced.contains(from), "its header is durable before it has its name");
        }
        if let FileOp::Sync { name, .. } = &op {
            synced.push(name.clone());
        }
        files.execute(op);
        let logs = files.0.iter().filter(|((_, name), _)| name.starts_with("log."));
        logs.for_each(|(_, bytes)| assert_eq!(bytes.get(..16), Some(&captured_log()[..16])));
    }
    assert_eq!(synced, ["starting.100000001", "log.100000001"]);
    // One that a power failure left is nobody's.
    files.0.insert((Dir::Log, "starting.100000002".into()), vec![0; 5]);
    let mut removed = Vec::new();
    let found = recover(
        &files,
        9,
        |_, _| Ok(()),
        |_| Ok(()),
        |op| {
            removed.push(op);
            Ok(())
        },
    );
    assert_eq!(found.unwrap().recovered.last_zxid, zxid(1));
    assert_eq!(removed, [FileOp::Remove { dir: Dir::Log, name: "starting.100000002".into() }]);
}

#[test]
fn a_folder_without_a_snapshot_is_what_the_operator_says() {
    let from = |beginning, files: &Written| {
        recover_from(beginning, files, 9, |_, _| Ok(()), |_| Ok(()), |_| Ok(())).map(|found| found.recovered.last_zxid)
    };
    let (empty, logged) = (Written::default(), with_logs(&[(1, log(&[1, 2]))]));
    let lost = Beginning { new_if_empty: false, trust_log: true };
    assert_eq!(from(Beginning::DEFAULT, &empty), Ok(Zxid::ZERO));
    assert_eq!(from(lost, &empty), Ok(Zxid::MISSING));
    assert_eq!(from(lost, &logged), Ok(zxid(2)));
    assert_eq!(from(Beginning::TRUSTED, &logged), Ok(zxid(2)));
    let refused = from(Beginning::DEFAULT, &logged).unwrap_err();
    assert_eq!(refused, StoreError::LogWithoutSnapshot("log.100000001".into()));
    assert!(refused.to_string().contains("snapshot.trust.empty"));
    // A log in which nothing is whole says nothing.
    assert_eq!(from(Beginning::DEFAULT, &with_logs(&[(1, log(&[]))])), Ok(Zxid::ZERO));
}
