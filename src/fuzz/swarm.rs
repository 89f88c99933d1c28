//! `swarm`: a whole scenario drawn from a seed.
//!
//! No single profile reaches everything: a short window hides what a long one shows, a lost notification hides a lost packet. So
//! every seed draws its own cluster, limits, network, disks, clocks, clients, initial history and kinds of fault, each from a
//! small set of values that differ in what they make likely (swarm testing, Groce et al., ISSTA 2012). Nothing here looks at
//! which bugs are known; the report of `zabsim fuzz` shows what a batch came to.

use std::collections::BTreeMap;

use crate::scenario::{ClusterOptions, Count, HistoryOptions, Scenario};
use crate::sim::clocks::ClockOptions;
use crate::sim::fault::RandomOptions;
use crate::sim::latency::{DiskOptions, Latency, NetworkOptions};
use crate::sim::schedule::RunOptions;
use crate::sim::text::{Share, Time};
use crate::sim::workload::{Mix, WorkloadOptions};
use crate::sim::{Node, Rng, ServiceKind, Stream};
use crate::zab::{Duration, Limits};

/// The name of such scenarios.
pub const NAME: &str = "swarm";

/// The scenario of `seed`.
pub fn draw(seed: u64) -> Scenario {
    let mut draw = Draw(Rng::new(seed, Stream::Scenario, 1));
    let mut scenario = Scenario { moral: format!("Drawn from seed {seed}."), ..Scenario::default() };
    let participants = draw.of(&[(3, 10), (4, 2), (5, 6), (6, 1), (7, 2), (1, 1), (2, 1)]);
    scenario.cluster = draw.cluster(participants);
    scenario.limits = draw.limits();
    scenario.history = draw.histories(&scenario.cluster);
    scenario.network = draw.network();
    scenario.disk = draw.disk(&scenario.limits);
    scenario.clocks = draw.clocks();
    scenario.run = RunOptions {
        chaos: Time::millis(draw.of(&[(1_000, 2), (2_000, 4), (4_000, 4), (8_000, 1)])),
        boot: draw.of(&[
            (Latency::Uniform(Time::ZERO, Time::millis(10)), 3),
            (Latency::Uniform(Time::ZERO, Time::millis(500)), 1),
        ]),
        // Who waits in vain for something of before the heal does so for initLimit, and may do so more than once.
        converge: Time(Duration::from_secs(30) + scenario.limits.init_time() * 5),
        recovery: Time(Duration::from_secs(10) + scenario.limits.init_time() * 5),
        ..RunOptions::default()
    };
    scenario.workload = draw.workload(&scenario.limits);
    scenario.random = Some(draw.faults());
    scenario.service = draw.of(&[(ServiceKind::Ledger, 9), (ServiceKind::ZooKeeper, 1)]);
    scenario
}

/// The draws of one scenario, in one order for ever: appending is fine, inserting changes every seed.
struct Draw(Rng);

impl Draw {
    /// One of `choices`, by weight.
    fn of<T: Clone>(&mut self, choices: &[(T, u64)]) -> T {
        let mut at = self.0.below(choices.iter().map(|choice| choice.1).sum());
        for (value, weight) in choices {
            match at.checked_sub(*weight) {
                None => return value.clone(),
                Some(rest) => at = rest,
            }
        }
        choices[0].0.clone()
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.0.below(n) == 0
    }

    fn cluster(&mut self, participants: u8) -> ClusterOptions {
        let observers = self.of(&[(0, 4), (1, 4), (2, 2), (3, 1)]);
        let (weighted, grouped) = (self.one_in(8), self.one_in(12));
        let mut cluster = ClusterOptions {
            participants: Count { low: participants, high: participants },
            observers,
            ..ClusterOptions::default()
        };
        let weights: Vec<u32> = (0..participants).map(|_| self.of(&[(1, 3), (0, 1), (2, 1), (3, 1)])).collect();
        if weighted && participants >= 3 && weights.iter().sum::<u32>() > 0 {
            cluster.weights = (0..).map(Node::at).zip(weights).collect();
        }
        if grouped && participants >= 6 && cluster.weights.is_empty() {
            let nodes: Vec<Node> = (0..usize::from(participants)).map(Node::at).collect();
            let third = usize::from(participants) / 3;
            cluster.groups = vec![nodes[..third].into(), nodes[third..2 * third].into(), nodes[2 * third..].into()];
        }
        cluster
    }

    /// Disks as a real past could have left them: a committed history that a quorum of the participants holds whole, others that
    /// lag behind it anywhere, some with a tail of their own that was never committed.
    fn histories(&mut self, cluster: &ClusterOptions) -> BTreeMap<Node, HistoryOptions> {
        let participants = usize::from(cluster.participants.high);
        let mut histories = BTreeMap::new();
        if self.one_in(3) {
            return histories;
        }
        let epochs = self.of(&[(1, 3), (2, 3), (3, 1)]);
        let most = self.of(&[(4, 2), (20, 3), (150, 1)]);
        let whole: Vec<(u32, u32)> = (1..=epochs).map(|epoch| (epoch, 1 + self.0.below(most) as u32)).collect();
        let odd = self.odd(cluster);
        let (snapshots, purged) = (self.one_in(3), self.one_in(2));
        // The last leader may have proposed nothing.
        let last = epochs + self.0.below(2) as u32;
        for index in 0..participants + usize::from(cluster.observers) {
            let lags = odd.contains(&index) || index >= participants;
            let txns = if lags { self.lagging(&whole, index < participants) } else { whole.clone() };
            let snapshot =
                txns.last().filter(|_| snapshots).map(|&(epoch, count)| (epoch, 1 + self.0.below(count.into()) as u32));
            let current = if lags { None } else { Some(last) };
            let purged = purged && snapshot.is_some();
            let history = HistoryOptions { accepted: Some(last), current, txns, snapshot, purged };
            histories.insert(Node::at(index), history);
        }
        histories
    }

    /// Some participants whose absence leaves a quorum.
    fn odd(&mut self, cluster: &ClusterOptions) -> Vec<usize> {
        let participants = usize::from(cluster.participants.high);
        let Ok(ensemble) = cluster.ensemble(participants) else { return Vec::new() };
        let mut order: Vec<usize> = (0..participants).collect();
        self.0.shuffle(&mut order);
        let most = self.0.below(participants as u64) as usize;
        let is_quorum = |rest: &[usize]| ensemble.has_quorum(rest.iter().copied().collect());
        let count = (0..=most).rev().find(|&count| is_quorum(&order[count..])).unwrap_or(0);
        order.truncate(count);
        order
    }

    fn lagging(&mut self, whole: &[(u32, u32)], votes: bool) -> Vec<(u32, u32)> {
        // A tail beyond the last epoch is the one that can be cut.
        let (all, fewer) = (self.one_in(2), self.0.below(whole.len() as u64 + 1) as usize);
        let mut txns = whole[..if all { whole.len() } else { fewer }].to_vec();
        let (tail, extra) = (self.one_in(2), 1 + self.0.below(5) as u32);
        if let Some(last) = txns.last_mut() {
            if tail && votes {
                last.1 += extra;
            } else {
                last.1 = 1 + self.0.below(last.1.into()) as u32;
            }
        }
        txns
    }

    fn limits(&mut self) -> Limits {
        let simulated = Scenario::default().limits;
        Limits {
            init_limit: self.of(&[(10, 4), (5, 2), (30, 1)]),
            sync_limit: self.of(&[(5, 4), (2, 2), (10, 1)]),
            finalize_wait: Duration::from_millis(self.of(&[(20, 3), (5, 1), (60, 1)])),
            max_time_to_wait_for_epoch: self.of(&[(None, 3), (Some(Duration::from_millis(100)), 1)]),
            commit_log_count: self.of(&[(50, 2), (1, 1), (3, 2), (10, 2), (500, 1)]),
            snap_count: self.of(&[(100, 2), (7, 2), (30, 2), (100_000, 1)]),
            snapshot_size_factor: self.of(&[(simulated.snapshot_size_factor, 5), (None, 1)]),
            force_snapshot_sync: self.one_in(12),
            counter_limit: self.of(&[(u32::MAX, 8), (30, 2), (100, 1)]),
            ..simulated
        }
    }

    fn network(&mut self) -> NetworkOptions {
        let rare = [(Share::NONE, 3), (Share::new(1, 100), 2), (Share::new(1, 20), 2), (Share::new(1, 5), 1)];
        let heavy = Latency::HeavyTailed { base: Time::micros(200), scale: Time::micros(200), max: Time::millis(400) };
        let latencies = [
            (Latency::Uniform(Time::micros(200), Time::millis(2)), 4),
            (Latency::Constant(Time::millis(1)), 1),
            (Latency::Uniform(Time::micros(500), Time::millis(15)), 2),
            (heavy, 2),
        ];
        NetworkOptions {
            latency: self.of(&latencies),
            election_latency: self.of(&[(None, 2), (Some(Latency::Uniform(Time::micros(200), Time::millis(30))), 1)]),
            loss: self.of(&rare),
            duplicate: self.of(&rare),
            reorder: self.of(&rare),
            ..NetworkOptions::default()
        }
    }

    fn disk(&mut self, limits: &Limits) -> DiskOptions {
        let init = limits.init_time();
        let heavy = Latency::HeavyTailed { base: Time::micros(300), scale: Time::micros(500), max: Time::millis(300) };
        DiskOptions {
            sync: self.of(&[
                (Latency::Uniform(Time::micros(200), Time::millis(3)), 4),
                (Latency::Uniform(Time::millis(1), Time::millis(40)), 2),
                (heavy, 2),
            ]),
            read: self.of(&[
                (Latency::Uniform(Time::micros(500), Time::millis(5)), 3),
                (Latency::Uniform(Time::millis(5), Time::millis(60)), 1),
            ]),
            // Where epochs are short, nobody could be given a snapshot within one.
            install: self.of(&[
                (Latency::Constant(Time::ZERO), 3),
                (Latency::Uniform(Time(init / 3), Time(init / 2)), u64::from(limits.counter_limit == u32::MAX)),
            ]),
            snapshot_chunk: self.of(&[(16, 2), (4096, 1)]),
        }
    }

    fn clocks(&mut self) -> ClockOptions {
        ClockOptions { drift: self.of(&[(200, 3), (20_000, 1), (100_000, 1)]), ..ClockOptions::default() }
    }

    fn workload(&mut self, limits: &Limits) -> WorkloadOptions {
        let mut workload = WorkloadOptions {
            clients: self.of(&[(0, 1), (1, 2), (3, 4), (8, 1)]),
            think: self.of(&[
                (Latency::Uniform(Time::millis(1), Time::millis(20)), 3),
                (Latency::Uniform(Time::micros(100), Time::millis(3)), 1),
                (Latency::Uniform(Time::millis(20), Time::millis(200)), 2),
            ]),
            mix: self.of(&[
                (Mix::default(), 3),
                (Mix { write: 1, read: 0, sync: 0 }, 1),
                (Mix { write: 2, read: 6, sync: 3 }, 1),
            ]),
            moves: self.of(&[(Share::new(1, 20), 3), (Share::new(1, 3), 1), (Share::NONE, 1)]),
            ..WorkloadOptions::default()
        };
        if limits.counter_limit < u32::MAX {
            // An epoch must last longer than it takes to join it, and come to its end before the chaos does.
            workload.think = Latency::Uniform(Time::millis(40), Time::millis(120));
            workload.clients = workload.clients.clamp(1, 3);
            workload.mix = Mix { write: 1, read: 0, sync: 0 };
        }
        workload
    }

    fn faults(&mut self) -> RandomOptions {
        RandomOptions {
            every: Time::millis(self.of(&[(300, 3), (100, 3), (40, 1), (800, 1)])),
            longest: Time::millis(self.of(&[(3_000, 2), (800, 3), (200, 2)])),
            ambush: self.of(&[(Share::new(1, 3), 2), (Share::new(3, 4), 2), (Share::NONE, 1)]),
            ..RandomOptions::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_draws_a_scenario_that_can_be_written_down() {
        for seed in 0..400 {
            let scenario = draw(seed);
            let text = scenario.written("drawn").unwrap_or_else(|| panic!("seed {seed} cannot be written"));
            assert!(Scenario::parse(NAME, &text).is_ok(), "seed {seed}:\n{text}");
            assert_eq!(draw(seed), scenario);
        }
    }

    #[test]
    fn a_quorum_holds_the_whole_history() {
        for seed in 0..400 {
            let scenario = draw(seed);
            let participants = usize::from(scenario.cluster.participants.high);
            let voters: Vec<_> = scenario.history.iter().filter(|(node, _)| node.index() < participants).collect();
            let whole = voters.iter().filter(|(_, history)| history.current.is_some()).map(|(node, _)| node.index());
            let ensemble = scenario.cluster.ensemble(participants).unwrap();
            assert!(voters.is_empty() || ensemble.has_quorum(whole.collect()), "seed {seed}");
        }
    }
}
