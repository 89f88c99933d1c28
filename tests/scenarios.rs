//! Every scenario keeps its promise, whatever the seed.
#![cfg(feature = "sim")]
#![allow(clippy::disallowed_methods, reason = "this test reads the scenarios")]

mod support;

use std::collections::BTreeSet;

use support::{files, scenario, stem};
use zabsim::check::Situation;
use zabsim::run::{Options, Outcome, run};

/// A few where a step is slow, more where it is not. The gate runs many more with the binary.
const SEEDS: std::ops::RangeInclusive<u64> = if cfg!(debug_assertions) { 1..=8 } else { 1..=40 };

/// Runs one scenario under all seeds, and complains about all that fail at once.
fn keeps_its_promise(name: &str) {
    let scenario = scenario(name);
    let complaints: Vec<String> = SEEDS
        .map(|seed| run(&scenario, seed, &Options::default(), &mut ()))
        .filter(|outcome| !outcome.verdict.is_good())
        .map(|outcome| complaint(name, &outcome))
        .collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn complaint(name: &str, outcome: &Outcome) -> String {
    let Outcome { seed, verdict, steps, violations, broken_promises, unconverged, .. } = outcome;
    let mut text = format!("{name} under seed {seed}: {verdict:?} after {steps} steps\n");
    if let Some(violation) = violations.first() {
        text += &format!("{violation}\n");
    }
    if let Some(stage) = unconverged {
        text += &format!("  no convergence in {stage:?}\n");
    }
    broken_promises.iter().for_each(|promise| text += &format!("  {promise}\n"));
    text + &format!("  to see it again: zabsim run scenarios/{name}.toml --seed {seed}\n")
}

macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        const TESTED: &[&str] = &[$(stringify!($name)),*];

        mod keeps_its_promise {
            $(
                #[test]
                fn $name() {
                    super::keeps_its_promise(&stringify!($name).replace('_', "-"));
                }
            )*
        }
    };
}

#[rustfmt::skip]
scenarios![
    asymmetric_partition, clock_drift, counter_exhaustion, crash_between_outputs, deaf_leader_in_discovery,
    deaf_leader_in_synchronization, disk_full, disloyal_voter, election_3, election_5, election_7, epoch_window,
    everybody_down, fifo_off, flapping_link, fsync_lost, groups, half_open, heavy_tail, late_joiner, leader_crash,
    leader_lost_in_broadcast, leader_lost_in_discovery, leader_lost_in_election, leader_lost_in_synchronization,
    leader_paused, learner_ahead, lone_proposal, lying_fsync, observer_snap, random_faults, random_faults_7,
    restart_storm, slow_disk, slow_snapshot, snap_broken_off, split_brain, stale_epoch_returns, stale_sync, sync_diff,
    sync_diff_disk, sync_empty_diff, sync_snap, sync_snap_fork, sync_trunc, sync_trunc_under_load, trunc_disk_full,
    weights, wiped_follower, zookeeper,
];

/// A promise that every seed keeps without the faults as well says nothing about them.
#[test]
fn what_a_scenario_promises_is_what_its_faults_bring_about() {
    let mut idle = Vec::new();
    for path in files("scenarios", "toml") {
        let mut calm = scenario(&stem(&path));
        if calm.faults.is_empty() {
            continue;
        }
        calm.faults.clear();
        let mut always = calm.promise.reaches.clone();
        for seed in 1..=8 {
            if !always.is_empty() {
                let reached = run(&calm, seed, &Options::default(), &mut ()).summary.reached;
                always.retain(|name| reached.contains_key(name));
            }
        }
        idle.extend(always.into_iter().map(|name| format!("{}: {name}", stem(&path))));
    }
    assert!(idle.is_empty(), "promised, and reached without any fault:\n{}", idle.join("\n"));
}

#[test]
fn every_scenario_has_its_test() {
    let there: BTreeSet<String> = files("scenarios", "toml").iter().map(|path| stem(path).replace('-', "_")).collect();
    let tested: BTreeSet<String> = TESTED.iter().map(|&name| name.to_owned()).collect();
    let missing: Vec<_> = there.difference(&tested).collect();
    assert!(missing.is_empty(), "add to scenarios![] in {}: {missing:?}", file!());
    let gone: Vec<_> = tested.difference(&there).collect();
    assert!(gone.is_empty(), "no such scenario any more, remove from scenarios![] in {}: {gone:?}", file!());
}

/// What no run comes to, no checker has been tried on.
#[test]
fn every_situation_is_reached_by_some_scenario() {
    const PATIENCE: u64 = 12;
    let scenarios: Vec<_> = files("scenarios", "toml").iter().map(|path| scenario(&stem(path))).collect();
    let excused = |name: &str| Situation::from_name(name).is_some_and(|situation| situation.unreachable().is_some());
    let mut missing: BTreeSet<&str> = Situation::all().map(Situation::name).collect();
    for seed in 1..=PATIENCE {
        for scenario in &scenarios {
            let reached = run(scenario, seed, &Options::default(), &mut ()).summary.reached;
            missing.retain(|&name| !reached.contains_key(name));
        }
        if missing.iter().all(|name| excused(name)) {
            break;
        }
    }
    let never: Vec<&&str> = missing.iter().filter(|name| !excused(name)).collect();
    assert!(never.is_empty(), "no scenario reaches {never:?} under seeds 1 to {PATIENCE}: write one");
    let reachable: Vec<_> =
        Situation::all().filter(|it| it.unreachable().is_some() && !missing.contains(it.name())).collect();
    assert!(reachable.is_empty(), "called unreachable, and reached: {reachable:?}");
}
