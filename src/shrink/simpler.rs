//! What is simpler than a scenario: everything that takes something away from it or puts a default in its place.

use std::collections::BTreeSet;

use super::oracle::Target;
use crate::scenario::{ClusterOptions, Count, HabitName, Scenario};
use crate::sim::clocks::ClockOptions;
use crate::sim::fault::{Kind, RandomOptions, Selector};
use crate::sim::latency::{DiskOptions, Latency, NetworkOptions};
use crate::sim::schedule::RunOptions;
use crate::sim::text::{Share, Time};
use crate::sim::workload::{Mix, WorkloadOptions};
use crate::sim::{Node, ServiceKind, Stage};
use crate::zab::{Duration, Instant};

/// What is known of the run that fails.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub seed: u64,
    /// When it failed.
    pub at: Instant,
    /// Which kinds of faults had struck by then; `None` if it cannot be told.
    pub struck: Option<BTreeSet<String>>,
}

/// Simpler scenarios, the greatest steps first. Some may make no sense: whoever reads their text back will tell.
pub(super) fn simpler(scenario: &Scenario, seen: &Seen, target: &Target) -> Vec<Scenario> {
    let mut offers = Offers { scenario, out: Vec::new() };
    offers.habits();
    offers.offer(|s| s.service = ServiceKind::Ledger);
    offers.course(seen, target);
    offers.faults(seen);
    offers.cluster(seen.seed);
    offers.clients();
    offers.defaults();
    offers.out
}

struct Offers<'s> {
    scenario: &'s Scenario,
    out: Vec<Scenario>,
}

impl Offers<'_> {
    fn offer(&mut self, change: impl FnOnce(&mut Scenario)) {
        let mut changed = self.scenario.clone();
        change(&mut changed);
        if changed != *self.scenario {
            self.out.push(changed);
        }
    }

    /// Exactly the deviations that it takes, by name.
    fn habits(&mut self) {
        let all: Vec<HabitName> = self.scenario.all_habits().iter().map(HabitName).collect();
        let mut only = |habits: Vec<HabitName>| self.offer(|s| (s.profile, s.habits) = (None, habits));
        only(Vec::new());
        only(all.clone());
        let (front, back) = all.split_at(all.len() / 2);
        only(front.to_vec());
        only(back.to_vec());
        for &one in &all {
            only(all.iter().copied().filter(|&habit| habit != one).collect());
        }
    }

    /// How soon a core must have converged is never changed: nothing would.
    fn course(&mut self, seen: &Seen, target: &Target) {
        if target.ends() != Some(Stage::Epilogue) {
            self.offer(|s| s.run.epilogue = false);
        }
        let chaos = self.scenario.run.chaos;
        let failed = Time::millis(seen.at.since(Instant::ZERO).as_millis() + 1);
        // What a step violates in chaos is not put off until it is over.
        let least = if target.ends().is_some() || failed > chaos { Time::ZERO } else { failed };
        for shorter in [Time::ZERO, failed, Time(Duration(chaos.0.0 / 2)), Time(Duration(chaos.0.0 / 4 * 3))] {
            let shorter = shorter.max(least);
            let whole = Time::millis(shorter.0.as_millis());
            if whole < chaos {
                self.offer(|s| s.run.chaos = whole);
            }
        }
        let RunOptions { boot, restart, .. } = RunOptions::default();
        self.offer(|s| s.run.boot = boot);
        self.offer(|s| s.run.restart = restart);
    }

    fn faults(&mut self, seen: &Seen) {
        self.offer(|s| s.random = None);
        self.offer(|s| s.faults.clear());
        let half = self.scenario.faults.len() / 2;
        self.offer(|s| drop(s.faults.drain(half..)));
        self.offer(|s| drop(s.faults.drain(..half)));
        for index in 0..self.scenario.faults.len() {
            self.offer(|s| drop(s.faults.remove(index)));
        }
        let Some(random) = &self.scenario.random else { return };
        let named = random.weights.is_some();
        let kinds: Vec<(Kind, u16)> = match &random.weights {
            Some(weights) => weights.iter().map(|(&kind, &weight)| (kind, weight)).filter(|kind| kind.1 > 0).collect(),
            None => Kind::WEIGHTS.to_vec(),
        };
        let mut only = |kept: Vec<(Kind, u16)>| {
            self.offer(|s| {
                s.random = Some(RandomOptions {
                    weights: Some(kept.into_iter().collect()),
                    swarm: false,
                    ..s.random.clone().unwrap_or_default()
                });
            });
        };
        let has_struck = |kind: &Kind| seen.struck.as_ref().is_none_or(|struck| struck.contains(&name(*kind)));
        only(kinds.iter().copied().filter(|(kind, _)| has_struck(kind)).collect());
        if named {
            for &alone in kinds.iter().filter(|_| kinds.len() > 1) {
                only(vec![alone]);
            }
            for &out in kinds.iter().filter(|_| kinds.len() > 2) {
                only(kinds.iter().copied().filter(|kind| *kind != out).collect());
            }
        }
        self.offer(|s| s.random.iter_mut().for_each(|random| random.ambush = Share::NONE));
        let RandomOptions { every, longest, .. } = RandomOptions::default();
        self.offer(|s| s.random.iter_mut().for_each(|random| (random.every, random.longest) = (every, longest)));
    }

    fn cluster(&mut self, seed: u64) {
        let drawn = self.scenario.cluster.participants.draw(seed) as u8;
        for fewer in 1..=drawn {
            self.offer(|s| {
                s.cluster.participants = Count { low: fewer, high: fewer };
                forget_beyond(s, usize::from(fewer));
            });
        }
        for fewer in 0..self.scenario.cluster.observers {
            self.offer(|s| {
                s.cluster.observers = fewer;
                let total = s.cluster.smallest();
                forget_beyond(s, total);
            });
        }
        let ClusterOptions { weights, groups, down, .. } = ClusterOptions::default();
        self.offer(|s| (s.cluster.weights, s.cluster.groups) = (weights, groups));
        self.offer(|s| s.cluster.down = down);
        self.offer(|s| s.history.clear());
        for &node in self.scenario.history.keys() {
            self.offer(|s| drop(s.history.remove(&node)));
        }
    }

    fn clients(&mut self) {
        let WorkloadOptions { clients, max_writes, .. } = self.scenario.workload;
        for fewer in [0, 1, clients / 2, clients.saturating_sub(1)] {
            if fewer < clients {
                self.offer(|s| s.workload.clients = fewer);
            }
        }
        for most in [0, 1, 2, 4, 8, 16] {
            if max_writes.is_none_or(|writes| most < writes) {
                self.offer(|s| s.workload.max_writes = Some(most));
            }
        }
        self.offer(|s| s.workload.mix = Mix { write: 1, read: 0, sync: 0 });
        self.offer(|s| s.workload.moves = Share::NONE);
        let WorkloadOptions { think, patience, start, stop, .. } = WorkloadOptions::default();
        self.offer(|s| (s.workload.think, s.workload.patience) = (think, patience));
        self.offer(|s| (s.workload.start, s.workload.stop) = (start, stop));
    }

    fn defaults(&mut self) {
        let usual = Scenario::parse("", "").expect("an empty scenario is one");
        self.offer(|s| s.limits = usual.limits);
        self.offer(|s| s.network = NetworkOptions { fifo: s.network.fifo, ..NetworkOptions::default() });
        self.offer(|s| s.network.fifo = true);
        self.offer(|s| s.network.loss = Share::NONE);
        self.offer(|s| s.network.duplicate = Share::NONE);
        self.offer(|s| s.network.reorder = Share::NONE);
        self.offer(|s| s.network.latency = usual.network.latency);
        self.offer(|s| s.network.election_latency = None);
        self.offer(|s| s.disk = DiskOptions::default());
        self.offer(|s| s.disk.sync = DiskOptions::default().sync);
        self.offer(|s| s.disk.install = DiskOptions::default().install);
        self.offer(|s| s.clocks = ClockOptions::default());
        // Exactness is what the defaults have not.
        self.offer(|s| s.clocks = ClockOptions { drift: 0, slack: Time::ZERO, ..ClockOptions::default() });
        self.offer(|s| s.network.latency = Latency::Constant(Time::millis(1)));
        self.offer(|s| s.disk.sync = Latency::Constant(Time::millis(1)));
    }
}

/// Takes out what names a server that there is not any more.
fn forget_beyond(scenario: &mut Scenario, total: usize) {
    let known = |node: &Node| node.index() < total;
    let is_known = |selector: &Selector| !matches!(selector, Selector::Node(node) if !known(node));
    scenario.history.retain(|node, _| known(node));
    scenario.clocks.ppm.retain(|node, _| known(node));
    scenario.cluster.down.retain(known);
    scenario.cluster.weights.clear();
    scenario.cluster.groups.clear();
    let selectors = |fault: &crate::sim::fault::FaultOptions| fault.what.selectors().into_iter().chain(fault.node);
    scenario.faults.retain(|fault| selectors(fault).chain(fault.peer).all(|selector| is_known(&selector)));
}

/// As scenarios write it, and as runs count it.
fn name(kind: Kind) -> String {
    serde_json::to_value(kind).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
