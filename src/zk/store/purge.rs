//! What a server no longer needs (`PurgeTxnLog`): old snapshots, and logs that end before the oldest one kept.

use super::journal::logs;
use super::recovery::snapshots;
use super::{Dir, FileOp, Files, StoreError, snapshot_name};

/// What to remove so that the newest `retain` whole snapshots stay, with every log that may hold what follows the oldest of them. With
/// fewer whole ones everything stays.
pub fn purge(
    files: &impl Files,
    retain: usize,
    mut is_whole: impl FnMut(&str) -> bool,
) -> Result<Vec<FileOp>, StoreError> {
    let snapshots = snapshots(files)?;
    let mut whole = snapshots.iter().rev().filter(|zxid| is_whole(&snapshot_name(**zxid)));
    let Some(&oldest) = whole.nth(retain.max(1) - 1) else { return Ok(Vec::new()) };
    // Snapshots go first: one without the log behind it would be a history that ends too early.
    let old = snapshots.iter().filter(|zxid| **zxid < oldest);
    let mut ops: Vec<FileOp> = old.map(|zxid| FileOp::Remove { dir: Dir::Data, name: snapshot_name(*zxid) }).collect();
    if !ops.is_empty() {
        ops.push(FileOp::SyncDir(Dir::Data));
    }
    let logs = logs(files)?;
    let ended = logs.windows(2).filter(|pair| pair[1].0 <= oldest);
    ops.extend(ended.map(|pair| FileOp::Remove { dir: Dir::Log, name: pair[0].1.clone() }));
    Ok(ops)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Names(Vec<(Dir, &'static str)>);

    impl Files for Names {
        fn list(&self, dir: Dir) -> Result<Vec<(String, u64)>, StoreError> {
            Ok(self.0.iter().filter(|(own, _)| *own == dir).map(|(_, name)| ((*name).to_owned(), 1)).collect())
        }

        fn read(&self, _: Dir, name: &str) -> Result<Vec<u8>, StoreError> {
            unreachable!("{name} is not read")
        }
    }

    fn removed(files: &Names, retain: usize, torn: &str) -> Vec<String> {
        let ops = purge(files, retain, |name| name != torn).unwrap();
        let names = ops.into_iter().filter_map(|op| match op {
            FileOp::Remove { name, .. } => Some(name),
            _ => None,
        });
        names.collect()
    }

    #[test]
    fn the_newest_whole_snapshots_stay_and_every_log_behind_the_oldest_of_them() {
        let (data, log) = (Dir::Data, Dir::Log);
        let files = Names(vec![
            (data, "currentEpoch"),
            (data, "snapshot.0"),
            (data, "snapshot.9"),
            (data, "snapshot.14"),
            (data, "snapshot.1e"),
            (log, "log.1"),
            (log, "log.8"),
            (log, "log.a"),
            (log, "log.15"),
            (log, "log.1f"),
        ]);
        assert_eq!(
            removed(&files, 3, ""),
            ["snapshot.0", "log.1"],
            "the last txn of log.8 may be one behind snapshot.9"
        );
        assert_eq!(removed(&files, 2, ""), ["snapshot.0", "snapshot.9", "log.1", "log.8"]);
        assert_eq!(
            removed(&files, 3, "snapshot.1e"),
            [""; 0],
            "a torn one does not count, and nothing whole goes for it"
        );
        assert_eq!(removed(&files, 4, ""), [""; 0]);
        assert_eq!(removed(&files, 5, ""), [""; 0]);
    }
}
