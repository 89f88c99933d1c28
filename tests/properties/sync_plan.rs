//! How a learner is brought up to date: the decision is applied to a model of the learner's log and must make it the
//! leader's.

use std::collections::VecDeque;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, RngSeed};
use zabsim::zab::sync::{SyncPlan, SyncView};
use zabsim::zab::{Conduct, Epoch, LogSlice, Message, Payload, SyncMode, Txn, Zxid};

fn z(epoch: u32, counter: u32) -> Zxid {
    Zxid::new(Epoch(epoch), counter)
}

/// A txn whose payload tells who made it, so that two txns of one zxid can be told apart.
fn txn(zxid: Zxid, maker: u8) -> Txn {
    Txn { zxid, payload: Payload::new(&[maker]) }
}

/// The txns of epochs `(epoch, how many)`.
fn history(epochs: &[(u32, u32)]) -> Vec<Txn> {
    epochs.iter().flat_map(|&(epoch, count)| (1..=count).map(move |c| txn(z(epoch, c), 0))).collect()
}

/// A leader: its whole history, of which the last `window` txns are in memory and the first `purged` are not on disk.
#[derive(Clone, Debug)]
struct LeaderModel {
    history: Vec<Txn>,
    /// The epoch it serves, once it does.
    serves: Option<u32>,
    window: usize,
    purged: usize,
    use_disk: bool,
}

impl LeaderModel {
    fn window(&self) -> VecDeque<Txn> {
        self.history[self.history.len().saturating_sub(self.window)..].iter().cloned().collect()
    }

    fn last(&self) -> Zxid {
        let served = self.serves.filter(|epoch| self.history.last().is_none_or(|txn| txn.zxid.epoch().0 < *epoch));
        served.map_or(self.history.last().map_or(Zxid::ZERO, |txn| txn.zxid), |epoch| z(epoch, 0))
    }

    /// What the host answers when it is asked to read the log.
    fn disk(&self, from: Zxid) -> LogSlice {
        let kept = &self.history[self.purged.min(self.history.len())..];
        match kept.iter().rposition(|txn| txn.zxid <= from) {
            Some(start) => LogSlice::Txns(kept[start..].to_vec()),
            None => LogSlice::Purged,
        }
    }

    fn plan(&self, learner_last: Zxid) -> SyncPlan {
        let window = self.window();
        let mut view = SyncView {
            learner_last,
            leader_last: self.last(),
            is_fresh: false,
            conduct: Conduct::default(),
            window: &window,
            use_disk: self.use_disk,
            disk: None,
            force_snapshot: false,
        };
        match SyncPlan::choose(view) {
            SyncPlan::ReadLog => {
                assert!(self.use_disk, "the disk is read only if that is allowed");
                let slice = self.disk(learner_last);
                view.disk = Some(&slice);
                SyncPlan::choose(view)
            }
            plan => plan,
        }
    }

    /// The decision table, told from the whole history instead of from windows: what the leader can see of it is the
    /// suffix from `visible` on.
    fn expected(&self, p: Zxid) -> Expected {
        let txns = self.window();
        let min = txns.front().map_or(self.last(), |txn| txn.zxid);
        let max = txns.back().map_or(self.last(), |txn| txn.zxid);
        if p == self.last() {
            return Expected::Send { cut: None, from: self.history.len() };
        }
        if p > max {
            return if p.is_marker() { Expected::Snap } else { Expected::Cut { to: max } };
        }
        let in_window = p >= min;
        if !in_window && !self.use_disk {
            return Expected::Snap;
        }
        let visible = if in_window { self.history.len() - txns.len() } else { self.purged.min(self.history.len()) };
        if !in_window && self.history[visible..].first().is_none_or(|txn| txn.zxid > p) {
            return Expected::Snap;
        }
        let next = self.history.iter().position(|txn| txn.zxid > p).unwrap_or(self.history.len());
        let known = next > visible && self.history[next - 1].zxid == p;
        if !in_window && txns.is_empty() {
            // The window starts at the marker, and no log reaches a marker.
            return Expected::Snap;
        }
        if known || p.is_marker() {
            Expected::Send { cut: None, from: next }
        } else if next < self.history.len() && self.history[next].zxid.epoch() == p.epoch() && next > visible {
            Expected::Send { cut: Some(self.history[next - 1].zxid), from: next }
        } else {
            Expected::Snap
        }
    }
}

#[derive(Debug, PartialEq)]
enum Expected {
    /// DIFF, or TRUNC to `cut`, then the history from this index on.
    Send {
        cut: Option<Zxid>,
        from: usize,
    },
    /// TRUNC to the end of what the leader has.
    Cut {
        to: Zxid,
    },
    Snap,
}

/// A learner that does as it is told.
#[derive(Clone, Debug)]
struct LearnerModel {
    log: Vec<Txn>,
    last: Zxid,
}

impl LearnerModel {
    fn obey(&mut self, first: &Message, txns: &[Txn]) {
        match first {
            Message::Diff { .. } => {}
            Message::Trunc { zxid: to } => {
                assert!(*to < self.last, "a cut at {to} must cut something off {}", self.last);
                self.log.retain(|txn| txn.zxid <= *to);
                self.last = self.log.last().map_or(Zxid::ZERO, |txn| txn.zxid);
            }
            other => panic!("a plan starts with DIFF or TRUNC, not with {other}"),
        }
        for txn in txns {
            assert!(txn.zxid.follows(self.last), "{} cannot follow {}", txn.zxid, self.last);
            self.last = txn.zxid;
            self.log.push(txn.clone());
        }
    }
}

/// Checks one decision against the table and against its effect.
fn check(leader: &LeaderModel, learner: &LearnerModel) {
    let plan = leader.plan(learner.last);
    let shared = leader.history.iter().zip(&learner.log).take_while(|(a, b)| a == b).count();
    match (&plan, leader.expected(learner.last)) {
        (SyncPlan::Snap, Expected::Snap) => {}
        (SyncPlan::Send { mode, first, txns, through }, expected) => {
            let cut = if let Message::Trunc { zxid } = first { Some(*zxid) } else { None };
            match expected {
                Expected::Send { cut: expected_cut, from } => {
                    assert_eq!((cut, txns.as_slice()), (expected_cut, &leader.history[from..]));
                }
                Expected::Cut { to } => assert_eq!((cut, txns.as_slice()), (Some(to), &[][..])),
                Expected::Snap => panic!("SNAP expected, not {plan:?}"),
            }
            let expected_mode = match (cut.is_some(), txns.is_empty()) {
                (true, true) => &[SyncMode::Trunc][..],
                (true, false) => &[SyncMode::TruncDiff],
                (false, true) => &[SyncMode::EmptyDiff],
                (false, false) => &[SyncMode::Diff, SyncMode::DiskDiff],
            };
            assert!(expected_mode.contains(mode), "{mode} for {plan:?}");
            let mut after = learner.clone();
            after.obey(first, txns);
            let end = leader.history.iter().take_while(|txn| txn.zxid <= *through).count();
            assert_eq!(after.log, leader.history[..end], "the learner ends with the leader's history up to {through}");
            assert_eq!(end, leader.history.len(), "nothing is left out");
            if cut.is_some() {
                assert!(after.log.len() >= shared, "a cut takes nothing that both have");
            }
        }
        (plan, expected) => panic!("{expected:?} expected, not {plan:?}"),
    }
}

/// Epochs in order, some without txns.
fn epochs() -> impl Strategy<Value = Vec<(u32, u32)>> {
    proptest::collection::vec((1..3u32, 0..5u32), 0..4).prop_map(|steps| {
        let mut epoch = 0;
        steps
            .into_iter()
            .map(|(step, count)| {
                epoch += step;
                (epoch, count)
            })
            .collect()
    })
}

fn leader() -> impl Strategy<Value = LeaderModel> {
    (epochs(), any::<bool>(), 0..8usize, 0..8usize, prop::bool::weighted(0.8)).prop_map(
        |(epochs, serves, window, purged, use_disk)| {
            let history = history(&epochs);
            let window = window.max(1).min(history.len());
            // What is in memory was read from disk, so that the disk reaches back at least as far.
            let purged = purged.min(history.len() - window);
            let serves = serves.then_some(epochs.last().map_or(1, |(epoch, _)| epoch + 1));
            LeaderModel { history, serves, window, purged, use_disk }
        },
    )
}

/// A prefix of the leader's history, perhaps with a tail that the leader does not have: of the epoch in which the prefix
/// ends, or of one in between that the leader knows nothing of. Either way the tail follows the prefix directly, since
/// every epoch starts with a history that all later leaders have; and two leaders never share an epoch, hence the
/// leader's own history leaves the epoch of the tail where the tail begins.
fn learner(leader: &LeaderModel) -> impl Strategy<Value = LearnerModel> + use<> {
    let (history, newest) = (leader.history.clone(), leader.last().epoch().0);
    (0..=history.len(), 0..4u32, any::<bool>(), prop::bool::weighted(0.3)).prop_map(
        move |(prefix, tail, later, marker)| {
            let mut log = history[..prefix].to_vec();
            let last = log.last().map_or(Zxid::ZERO, |txn| txn.zxid);
            let next = history.get(prefix).map_or(newest + 2, |next| next.zxid.epoch().0);
            let epoch = last.epoch().0 + u32::from(later);
            if epoch == 0 || epoch >= next {
                return LearnerModel { log, last };
            }
            if marker && later {
                // A former leader of that epoch, which got nothing proposed.
                return LearnerModel { log, last: z(epoch, 0) };
            }
            let first = if later { 1 } else { last.counter() + 1 };
            log.extend((0..tail).map(|i| txn(z(epoch, first + i), 1)));
            let last = log.last().map_or(Zxid::ZERO, |txn| txn.zxid);
            LearnerModel { log, last }
        },
    )
}

/// The same cases on every machine, and no file is written on failure: the message tells the smallest case.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 4096,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x5a_4142),
        rng_algorithm: RngAlgorithm::ChaCha,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_learner_that_obeys_has_the_leaders_history(
        (leader, learner) in leader().prop_flat_map(|leader| {
            let learner = learner(&leader);
            (Just(leader), learner)
        })
    ) {
        check(&leader, &learner);
    }

    #[test]
    fn a_forced_snapshot_is_a_snapshot(leader in leader(), p in 0..5u32, c in 0..5u32) {
        let window = leader.window();
        let view = SyncView {
            learner_last: z(p, c),
            leader_last: leader.last(),
            is_fresh: false,
            conduct: Conduct::default(),
            window: &window,
            use_disk: leader.use_disk,
            disk: None,
            force_snapshot: true,
        };
        prop_assert_eq!(SyncPlan::choose(view), SyncPlan::Snap);
    }
}

/// What ZooKeeper 3.8.0 itself answered, observed on the wire: its log held epoch 1 with counters 1 to 0x11 and epoch 2 with
/// counters 1 and 2, and it served epoch 2.
#[test]
fn the_answers_of_a_real_leader() {
    let leader =
        LeaderModel { history: history(&[(1, 0x11), (2, 2)]), serves: Some(2), window: 500, purged: 0, use_disk: true };
    let said = |p: Zxid| describe(&leader.plan(p));
    assert_eq!(said(z(2, 0)), "DIFF 2:2, 2:1 2:2");
    assert_eq!(said(z(2, 2)), "DIFF 2:2,");
    assert_eq!(said(z(2, 9)), "TRUNC 2:2,");
    assert_eq!(said(z(1, 0x11)), "DIFF 2:2, 2:1 2:2");
    assert_eq!(said(z(1, 0xf)), "DIFF 2:2, 1:10 1:11 2:1 2:2");
    assert_eq!(said(z(1, 0x12)), "SNAP", "not in our history, and the next txn is of another epoch");
    assert_eq!((said(z(1, 0)), said(Zxid::ZERO)), ("SNAP".into(), "SNAP".into()), "older than anything on disk");
}

/// The same leader before it proposed anything in epoch 2.
#[test]
fn the_answers_of_a_real_leader_before_its_first_proposal() {
    let leader =
        LeaderModel { history: history(&[(1, 0x11)]), serves: Some(2), window: 500, purged: 0, use_disk: true };
    let said = |p: Zxid| describe(&leader.plan(p));
    assert_eq!(said(z(2, 0)), "DIFF 2:0,");
    assert_eq!(said(z(1, 0x11)), "DIFF 1:11,");
    assert_eq!(said(z(1, 0x12)), "TRUNC 1:11,");
    assert_eq!(said(z(2, 1)), "TRUNC 1:11,");
    assert_eq!(said(z(3, 0)), "SNAP");
}

#[test]
fn a_new_ensemble_has_nothing_to_send() {
    let leader = LeaderModel { history: Vec::new(), serves: None, window: 500, purged: 0, use_disk: true };
    assert_eq!(describe(&leader.plan(Zxid::ZERO)), "DIFF 0:0,");
}

/// A tail inside the leader's epoch is cut off first: TRUNC, then what is missing.
#[test]
fn a_foreign_txn_within_an_epoch_is_cut_before_the_rest_follows() {
    let mut history = history(&[(1, 5), (2, 1)]);
    history.remove(2);
    let leader = LeaderModel { history, serves: None, window: 500, purged: 0, use_disk: true };
    assert_eq!(describe(&leader.plan(z(1, 3))), "TRUNC 1:2, 1:4 1:5 2:1");
}

/// A hole in the log on disk is not handed on (hazard D2).
#[test]
fn a_log_with_a_hole_serves_nobody() {
    let window: VecDeque<Txn> = history(&[(1, 9)]).split_off(7).into();
    let slice = LogSlice::Txns([1, 2, 4, 5, 6, 7, 8, 9].map(|c| txn(z(1, c), 0)).to_vec());
    let view = SyncView {
        learner_last: z(1, 1),
        leader_last: z(1, 9),
        is_fresh: false,
        conduct: Conduct::default(),
        window: &window,
        use_disk: true,
        disk: Some(&slice),
        force_snapshot: false,
    };
    assert_eq!(SyncPlan::choose(view), SyncPlan::Snap);
    let short = LogSlice::Txns(history(&[(1, 5)]));
    assert_eq!(SyncPlan::choose(SyncView { disk: Some(&short), ..view }), SyncPlan::Snap, "it must reach the window");
}

fn describe(plan: &SyncPlan) -> String {
    match plan {
        SyncPlan::Send { first, txns, .. } => {
            txns.iter().fold(format!("{first},"), |said, txn| format!("{said} {}", txn.zxid))
        }
        SyncPlan::ReadLog => "read".into(),
        SyncPlan::Snap => "SNAP".into(),
    }
}
