//! Tests of the disk.

use super::*;
use crate::replica::Service;
use crate::sim::History;
use crate::sim::ledger::Ledger;
use crate::sim::machine::Machine;
use crate::zab::{LogSlice, Recovered};

fn z(counter: u32) -> Zxid {
    Zxid::new(Epoch(1), counter)
}

fn txn(counter: u32) -> Txn {
    Txn { zxid: z(counter), payload: Payload::new(&[counter as u8]) }
}

fn ledger() -> Machine {
    Machine::Ledger(Ledger::new(1, 64))
}

/// Numbers writes, so that a test reads like what a process does.
struct Host {
    disk: Disk,
    last: u64,
}

impl Host {
    fn new() -> Host {
        Host { disk: Disk::empty(), last: 0 }
    }

    fn write(&mut self, write: Write) -> Option<DiskWrite> {
        self.last += 1;
        self.disk.write(WriteId(self.last), write)
    }

    fn append(&mut self, counters: impl IntoIterator<Item = u32>) {
        for counter in counters {
            self.write(Write::Append(txn(counter)));
        }
    }

    fn snapshot(&mut self, counter: u32) {
        self.last += 1;
        self.disk.write_snapshot(WriteId(self.last), z(counter), ledger().freeze(), 0);
    }

    /// One sync; returns what it covered.
    fn sync(&mut self) -> Vec<u64> {
        self.disk.begin_sync();
        let mut ids = Vec::new();
        let end = self.disk.sync_done(|id, _| ids.push(id.0));
        assert_eq!(end.through.map(|id| id.0), ids.last().copied());
        ids
    }

    fn lose_power(&mut self, kept: u16, torn: bool) -> usize {
        let mut lost = 0;
        self.disk.crash(Loss::Power { kept, torn }, |_| lost += 1);
        assert_eq!(self.disk.unsynced(), 0);
        lost
    }

    fn log(&self) -> Vec<u32> {
        self.disk.log.iter().map(|txn| txn.zxid.counter()).collect()
    }

    /// What the next process would find.
    fn recovered(&self) -> Zxid {
        let mut disk = self.disk.clone();
        disk.flush(|_, _| {});
        let found = disk.recover(10, ledger()).recovered;
        assert!(found.recent.last().is_none_or(|txn| txn.zxid == found.last_zxid));
        found.last_zxid
    }
}

#[test]
fn a_sync_covers_what_was_written_when_it_began() {
    let mut host = Host::new();
    host.append([1, 2]);
    assert_eq!(host.disk.begin_sync(), Some(2));
    host.append([3]);
    assert_eq!(host.disk.begin_sync(), None, "one at a time");
    assert_eq!(host.disk.sync_done(|_, _| {}), SyncEnd { through: Some(WriteId(2)), failed: None });
    assert_eq!((host.disk.begin_sync(), host.disk.unsynced()), (Some(1), 1));
    assert_eq!(host.sync(), [3]);
    assert_eq!(host.disk.begin_sync(), None, "nothing to do");
}

#[test]
fn a_killed_process_loses_nothing_and_a_power_failure_the_unsynced_tail() {
    let mut host = Host::new();
    host.append([1]);
    host.sync();
    host.append([2, 3, 4]);
    host.write(Write::AcceptedEpoch(Epoch(2)));
    let mut killed = host.disk.clone();
    killed.crash(Loss::Process, |_| unreachable!("the operating system goes on"));
    let mut flushed = Vec::new();
    killed.flush(|id, _| flushed.push(id.0));
    assert_eq!((flushed, killed.unsynced()), (vec![2, 3, 4, 5], 0));
    assert_eq!(host.lose_power(1, true), 3);
    assert_eq!((host.log(), host.disk.accepted_epoch()), (vec![1, 2], None));
}

#[test]
fn every_kind_of_write_is_undone_by_a_power_failure() {
    let mut host = Host::new();
    host.write(Write::CurrentEpoch(Epoch(1)));
    host.append(1..=5);
    host.snapshot(3);
    host.snapshot(5);
    host.sync();
    host.sync();
    host.disk.flush(|_, _| {});
    let before = format!("{:?}", host.disk);
    for kept in 0..7 {
        let mut host = Host { disk: host.disk.clone(), last: host.last };
        host.write(Write::AcceptedEpoch(Epoch(2)));
        host.write(Write::Truncate { to: z(4) });
        host.append([6]);
        host.snapshot(6);
        host.write(Write::InstallSnapshot { zxid: z(6) });
        host.append([7]);
        host.write(Write::CurrentEpoch(Epoch(2)));
        host.lose_power(kept, false);
        let expected = [z(5), z(5), z(4), z(6), z(6), z(6), z(7)][usize::from(kept)];
        assert_eq!((kept, host.recovered()), (kept, expected));
        if kept == 0 {
            assert_eq!(format!("{:?}", host.disk), before);
        }
    }
}

#[test]
fn a_truncation_takes_newer_snapshots_with_it() {
    let mut host = Host::new();
    host.append(1..=4);
    host.snapshot(2);
    host.snapshot(4);
    host.write(Write::Truncate { to: z(3) });
    assert_eq!((host.log(), host.recovered()), (vec![1, 2, 3], z(3)));
    assert_eq!(host.disk.snapshots().collect::<Vec<_>>(), [z(2)]);
}

#[test]
fn an_installed_snapshot_starts_the_log_anew() {
    let mut host = Host::new();
    host.append(1..=9);
    host.snapshot(8);
    host.snapshot(5);
    host.write(Write::InstallSnapshot { zxid: z(5) });
    host.sync();
    assert_eq!((host.log(), host.recovered(), host.disk.base()), (vec![], z(5), z(5)));
    assert_eq!(host.disk.snapshots().collect::<Vec<_>>(), [z(5)], "a newer one held txns the leader does not have");
    host.append([6]);
    assert_eq!(host.recovered(), z(6));
}

#[test]
fn a_snapshot_from_a_leader_counts_only_once_it_is_installed() {
    let mut host = Host::new();
    host.append([1, 2, 9]);
    host.snapshot(5);
    assert_eq!(host.recovered(), z(9), "5 is not in this log, so 9 need not follow it");
    host.disk.crash(Loss::Process, |_| {});
    host.disk.flush(|_, _| {});
    assert_eq!(host.disk.snapshots().count(), 0, "nor may it ever cost log records");
    host.snapshot(5);
    host.write(Write::InstallSnapshot { zxid: z(5) });
    assert_eq!(host.recovered(), z(5));
}

#[test]
fn a_cut_below_the_base_leaves_no_history() {
    let mut host = Host::new();
    host.append(1..=9);
    host.snapshot(5);
    host.write(Write::InstallSnapshot { zxid: z(5) });
    host.append([6]);
    host.sync();
    host.write(Write::Truncate { to: z(3) });
    assert_eq!((host.recovered(), host.disk.is_dataless()), (Zxid::MISSING, true));
    host.lose_power(0, false);
    assert_eq!((host.recovered(), host.disk.base()), (z(6), z(5)));
}

#[test]
fn a_snapshot_that_was_only_written_may_be_missing_or_torn() {
    for torn in [false, true] {
        let mut host = Host::new();
        host.append([1, 2]);
        host.snapshot(2);
        host.sync();
        assert_eq!(host.lose_power(0, torn), 1, "the process was told that it is written, not that it is durable");
        assert_eq!((host.disk.snapshots().count(), host.recovered()), (0, z(2)));
        host.snapshot(2);
        assert_eq!(host.lose_power(0, torn), 1);
        assert_eq!((host.disk.snapshots().count(), host.recovered()), (0, z(2)));
        host.snapshot(2);
        host.sync();
        host.append([3]);
        host.sync();
        assert_eq!((host.lose_power(0, torn), host.disk.snapshots().count()), (0, 1), "a later sync took it along");
    }
}

#[test]
fn three_durable_snapshots_are_kept_and_the_log_above_them() {
    let mut host = Host::new();
    for round in 0..6 {
        host.append(round * 10 + 1..=round * 10 + 10);
        host.snapshot(round * 10 + 10);
        host.sync();
    }
    host.append([61]);
    host.sync();
    assert_eq!(host.disk.snapshots().collect::<Vec<_>>(), [z(40), z(50), z(60)]);
    assert_eq!((host.disk.base(), host.disk.log.front().unwrap().zxid, host.recovered()), (z(40), z(41), z(61)));
}

#[test]
fn a_lying_disk_forgets_back_to_the_last_honest_sync() {
    let mut host = Host::new();
    host.append([1]);
    host.sync();
    host.disk.set_mode(DiskMode::Lying);
    host.append([2]);
    assert_eq!(host.sync(), [2]);
    host.append([3]);
    assert_eq!(host.sync(), [3]);
    let mut honest = Host { disk: host.disk.clone(), last: host.last };
    assert_eq!((host.lose_power(0, false), host.log()), (2, vec![1]));
    honest.disk.set_mode(DiskMode::Healthy);
    honest.append([4]);
    assert_eq!(honest.sync(), [4], "nothing is told twice");
    assert_eq!((honest.lose_power(0, false), honest.log()), (0, vec![1, 2, 3, 4]));
}

#[test]
fn a_full_disk_fails_the_first_write_and_takes_no_other() {
    let mut host = Host::new();
    host.append([1]);
    host.disk.begin_sync();
    host.disk.set_mode(DiskMode::Full);
    assert_eq!(host.write(Write::Append(txn(2))), None);
    host.disk.set_mode(DiskMode::Healthy);
    assert_eq!(host.write(Write::Append(txn(3))), None, "no hole in the log");
    let end = host.disk.sync_done(|_, _| {});
    assert_eq!(end, SyncEnd { through: Some(WriteId(1)), failed: Some((WriteId(2), WriteError::Full)) });
    assert_eq!((host.disk.begin_sync(), host.log()), (None, vec![1]));
    host.disk.crash(Loss::Process, |_| {});
    assert!(host.write(Write::Append(txn(2))).is_some(), "the next process may try again");
}

#[test]
fn a_failed_sync_makes_nothing_durable() {
    let mut host = Host::new();
    host.append([1, 2]);
    host.disk.begin_sync();
    host.append([3]);
    assert_eq!(host.disk.sync_fails(), Some((WriteId(1), WriteError::Failed)));
    assert_eq!((host.disk.begin_sync(), host.write(Write::Append(txn(4)))), (None, None));
    assert_eq!((host.lose_power(0, false), host.log()), (3, vec![]));
}

#[test]
fn a_wiped_disk_misses_its_data_until_it_has_a_history_again() {
    let mut host = Host::new();
    assert_eq!((host.recovered(), host.disk.is_dataless()), (Zxid::ZERO, false), "a new server misses nothing");
    host.append([1]);
    host.disk.wipe();
    host.write(Write::AcceptedEpoch(Epoch(3)));
    assert_eq!((host.recovered(), host.disk.is_dataless()), (Zxid::MISSING, true));
    host.append([1]);
    assert_eq!((host.recovered(), host.disk.is_dataless()), (z(1), false));
    host.lose_power(0, false);
    assert!(host.disk.is_dataless());
}

#[test]
fn a_wiped_disk_that_is_installing_may_be_without_data_again() {
    let mut host = Host::new();
    host.disk.wipe();
    host.snapshot(4);
    host.write(Write::InstallSnapshot { zxid: z(4) });
    assert_eq!((host.disk.is_dataless(), host.disk.may_be_dataless()), (false, true));
    let mut unadopted = Host::new();
    unadopted.disk.wipe();
    unadopted.snapshot(4);
    assert_eq!((unadopted.disk.is_dataless(), unadopted.disk.may_be_dataless()), (false, true));
    host.disk.begin_sync();
    host.disk.sync_done(|_, _| ());
    assert!(!host.disk.may_be_dataless());
}

#[test]
fn the_log_is_read_from_the_record_at_or_before() {
    let read = |disk: &mut Disk, from, factor| match disk.read_log(from, factor) {
        LogSlice::Txns(txns) => Ok((txns.first().map(|t| t.zxid.counter()), txns.len())),
        other => Err(other),
    };
    let half = Ratio::new(33, 100);
    let mut host = Host::new();
    assert_eq!(read(&mut host.disk, Zxid::ZERO, half), Ok((None, 0)));
    host.append(1..=200);
    assert_eq!(read(&mut host.disk, z(150), half), Ok((Some(150), 51)), "without a snapshot there is no limit");
    host.snapshot(120);
    assert_eq!(read(&mut host.disk, z(150), half), Ok((Some(150), 51)));
    assert_eq!(read(&mut host.disk, z(20), half), Err(LogSlice::TooLarge));
    assert_eq!(read(&mut host.disk, z(20), Ratio::new(0, 1)), Ok((Some(20), 181)), "a limit of 0 bytes is no limit");
    host.write(Write::InstallSnapshot { zxid: z(120) });
    host.append([201]);
    assert_eq!(read(&mut host.disk, z(100), half), Err(LogSlice::Purged));
    assert_eq!(read(&mut host.disk, z(120), half), Ok((Some(201), 1)));
}

#[test]
fn a_given_history_is_the_same_on_every_disk_that_shares_it() {
    let history = |txns: &[(u32, u32)]| History {
        accepted_epoch: Epoch(2),
        current_epoch: Epoch(2),
        txns: txns.iter().map(|&(epoch, count)| (Epoch(epoch), count)).collect(),
        ..History::default()
    };
    let mut long = Disk::with_history(&history(&[(1, 5), (2, 3)]), ledger());
    let short = Disk::with_history(&history(&[(1, 5), (2, 1)]), ledger());
    assert!(short.log.iter().eq(long.log.iter().take(6)));
    let purged = History { snapshot_at: Some(z(4)), purged: true, ..history(&[(1, 5), (2, 3)]) };
    let mut purged = Disk::with_history(&purged, ledger());
    let (a, b) = (long.recover(3, ledger()), purged.recover(3, ledger()));
    let same_base = Recovered { base: a.recovered.base, ..b.recovered.clone() };
    assert_eq!((a.service.digest(), &a.recovered), (b.service.digest(), &same_base));
    assert_eq!((a.recovered.base, b.recovered.base), (Zxid::ZERO, z(4)));
    assert_eq!((a.snapshot, b.snapshot, purged.log.len(), a.recovered.recent.len()), (Zxid::ZERO, z(4), 4, 3));
    assert_eq!(a.recovered.current_epoch, Some(Epoch(2)));
    let fresh = Disk::with_history(&History::default(), ledger()).recover(3, ledger());
    assert_eq!((fresh.recovered.last_zxid, fresh.recovered.accepted_epoch), (Zxid::ZERO, None));
}

impl Host {
    fn with(habits: &[Habit]) -> Host {
        let mut host = Host::new();
        host.disk.set_conduct(Conduct::default().with(crate::zab::Habits::of(habits)));
        host
    }

    /// 1 to 5 with a cut after 3, then 6: everything synced.
    fn cut(&mut self) {
        self.append(1..=5);
        self.sync();
        self.write(Write::Truncate { to: z(3) });
        self.sync();
        self.append([6]);
        self.sync();
    }
}

#[test]
fn an_unsynced_cut_is_undone_by_a_power_failure_until_it_is_written_back() {
    let mut hardened = Host::new();
    hardened.cut();
    assert_eq!((hardened.lose_power(0, false), hardened.log()), (0, vec![1, 2, 3, 6]));
    let mut host = Host::with(&[Habit::CutUnsynced]);
    host.cut();
    let mut process = Host { disk: host.disk.clone(), last: host.last };
    assert_eq!((host.lose_power(0, false), host.log()), (1, vec![1, 2, 3, 4, 5, 6]), "in their old place");
    process.disk.crash(Loss::Process, |_| {});
    assert_eq!(process.log(), [1, 2, 3, 6], "the page cache survives the process");
    process.disk.write_back();
    assert_eq!((process.lose_power(0, false), process.log()), (0, vec![1, 2, 3, 6]));
    let mut later = Host::with(&[Habit::CutUnsynced]);
    later.cut();
    for counter in 7..20 {
        later.append([counter]);
        later.sync();
    }
    assert_eq!(later.lose_power(0, false), 0, "in the end it is written out");
    assert!(!later.log().contains(&4));
}

#[test]
fn a_snapshot_after_an_unsynced_cut_is_as_unsafe() {
    for (habits, safe) in [(&[][..], 1), (&[Habit::CutUnsynced][..], 0)] {
        let mut host = Host::with(habits);
        host.append(1..=5);
        host.sync();
        host.write(Write::Truncate { to: z(3) });
        host.sync();
        host.snapshot(3);
        host.sync();
        host.append([6]);
        host.sync();
        host.lose_power(0, false);
        assert_eq!(host.disk.snapshots().count(), safe, "{habits:?}");
    }
}

#[test]
fn a_snapshot_newer_than_a_cut_survives_it() {
    for (habits, found) in [(&[][..], 3), (&[Habit::SnapshotsSurviveACut][..], 5)] {
        let mut host = Host::with(habits);
        host.append(1..=5);
        host.snapshot(5);
        host.sync();
        host.write(Write::Truncate { to: z(3) });
        assert_eq!((host.log(), host.recovered()), (vec![1, 2, 3], z(found)), "{habits:?}");
    }
}

#[test]
fn a_snapshot_of_what_went_to_memory_alone_is_kept() {
    for (habits, found) in [(&[][..], 3), (&[Habit::SyncInMemory][..], 4)] {
        let mut host = Host::with(habits);
        host.append(1..=3);
        host.append([9]);
        host.write(Write::Truncate { to: z(3) });
        host.snapshot(4);
        assert_eq!(host.recovered(), z(found), "{habits:?}");
    }
}

#[test]
fn a_snapshot_written_over_another_may_leave_neither() {
    for (habits, left) in [(&[][..], 1), (&[Habit::SnapshotOverwritten][..], 0)] {
        let mut host = Host::with(habits);
        host.append([1, 2]);
        host.snapshot(2);
        host.sync();
        host.append([3]);
        host.sync();
        host.snapshot(2);
        host.lose_power(0, true);
        assert_eq!(host.disk.snapshots().count(), left, "{habits:?}");
    }
}

#[test]
fn a_cut_after_a_missing_txn_keeps_the_next() {
    for (habits, log) in [(&[][..], vec![1, 2]), (&[Habit::CutKeepsTheNext][..], vec![1, 2, 5])] {
        let mut host = Host::with(habits);
        host.append([1, 2, 5, 6]);
        host.write(Write::Truncate { to: z(3) });
        assert_eq!(host.log(), log);
    }
    let mut host = Host::with(&[Habit::CutKeepsTheNext]);
    host.append([1, 2, 3]);
    host.write(Write::Truncate { to: z(2) });
    assert_eq!(host.log(), [1, 2], "what is there is the end");
}
