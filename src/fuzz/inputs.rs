//! What went into a run, in a few aspects, so that a batch shows which shapes of input it produced and which it did
//! not.

use std::collections::BTreeMap;

use crate::scenario::Scenario;
use crate::sim::latency::Latency;

/// The aspects of the run of `scenario` under `seed`, in which `faults` struck, each with its value. An aspect may have
/// several.
pub fn of(scenario: &Scenario, seed: u64, faults: &BTreeMap<String, u64>) -> Vec<(&'static str, String)> {
    let Scenario { cluster, limits, network, disk, clocks, workload, run, random, .. } = scenario;
    let mut inputs = vec![
        ("participants", cluster.participants.draw(seed).to_string()),
        ("observers", cluster.observers.to_string()),
        ("quorum", quorum(scenario).to_owned()),
        ("start", start(scenario).to_owned()),
        ("commit window", limits.commit_log_count.to_string()),
        ("txns per snapshot", limits.snap_count.to_string()),
        (
            "txns per epoch",
            if limits.counter_limit == u32::MAX { "2^32".into() } else { limits.counter_limit.to_string() },
        ),
        ("network latency", latency(network.latency).to_owned()),
        ("notifications", notifications(scenario).to_owned()),
        ("sync latency", latency(disk.sync).to_owned()),
        ("clock drift", format!("{} ppm", clocks.drift)),
        ("clients", workload.clients.to_string()),
        ("chaos", run.chaos.0.to_string()),
        ("service", scenario.service.name().to_owned()),
    ];
    if let Some(random) = random {
        inputs.push(("a fault every", random.every.0.to_string()));
        inputs.push(("in ambush", String::from(random.ambush)));
    }
    inputs.extend(faults.keys().map(|fault| ("struck by", fault.clone())));
    inputs
}

fn quorum(scenario: &Scenario) -> &'static str {
    match (scenario.cluster.groups.is_empty(), scenario.cluster.weights.is_empty()) {
        (true, true) => "majority",
        (true, false) => "weights",
        (false, _) => "groups",
    }
}

fn start(scenario: &Scenario) -> &'static str {
    let histories = || scenario.history.values();
    if histories().all(|history| history.txns.is_empty()) {
        "cold"
    } else if histories().any(|history| history.purged) {
        "with purged logs"
    } else if histories().any(|history| history.snapshot.is_some()) {
        "with snapshots"
    } else {
        "with logs"
    }
}

fn latency(latency: Latency) -> &'static str {
    match latency {
        Latency::Constant(_) => "constant",
        Latency::Uniform(..) => "uniform",
        Latency::HeavyTailed { .. } => "heavy-tailed",
    }
}

fn notifications(scenario: &Scenario) -> &'static str {
    let network = &scenario.network;
    match (network.loss.is_none(), network.duplicate.is_none() && network.reorder.is_none()) {
        (true, true) => "reliable",
        (true, false) => "doubled or overtaken",
        (false, true) => "lost",
        (false, false) => "lost, doubled or overtaken",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_a_scenario_shows() {
        let value = |text: &str, aspect: &str| {
            let inputs = of(&Scenario::parse("", text).unwrap(), 1, &BTreeMap::from([("cut".into(), 3)]));
            assert!(inputs.contains(&("struck by", "cut".into())));
            inputs.into_iter().find(|(name, _)| *name == aspect).map(|(_, value)| value).unwrap()
        };
        assert_eq!(value("", "quorum"), "majority");
        assert_eq!(value("[cluster.weights]\np1 = 2\n", "quorum"), "weights");
        assert_eq!(value("[cluster]\ngroups = [[\"p1\", \"p2\", \"p3\"]]\n", "quorum"), "groups");
        assert_eq!(value("[cluster]\nparticipants = 5\n", "participants"), "5");
        assert_eq!(value("", "start"), "cold");
        assert_eq!(value("service = \"zookeeper\"\n", "service"), "zookeeper");
        assert_eq!(value("[history.p1]\ntxns = [[1, 5]]\n", "start"), "with logs");
        assert_eq!(value("[history.p1]\ntxns = [[1, 5]]\nsnapshot = [1, 3]\n", "start"), "with snapshots");
        let purged = "[history.p1]\ntxns = [[1, 5]]\nsnapshot = [1, 3]\npurged = true\n";
        assert_eq!(value(purged, "start"), "with purged logs");
        assert_eq!(
            value("[network]\nloss = \"1/9\"\nduplicate = \"0/1\"\nreorder = \"0/1\"\n", "notifications"),
            "lost"
        );
        assert_eq!(value("[random]\nevery = \"40ms\"\n", "a fault every"), "40ms");
    }
}
