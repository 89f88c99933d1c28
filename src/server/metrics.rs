//! The numbers of a server under ZooKeeper's names: `mntr` writes them with `zk_` before each, Prometheus without.

use std::fmt::Write;

use super::report::{Mode, Report};

/// What a number does over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It goes up and down.
    Gauge,
    /// It only goes up, until the server starts anew.
    Counter,
}

/// One number. Text, since averages have decimals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it does over time.
    pub kind: Kind,
    /// Its value.
    pub value: String,
}

/// All numbers of a server, in the order of `mntr`. Those of a leader are there only while it leads.
pub fn metrics(report: &Report, participants: usize) -> Vec<Metric> {
    let mut metrics = Vec::new();
    let mut add = |name, kind, value: &dyn ToString| metrics.push(Metric { name, kind, value: value.to_string() });
    use Kind::{Counter, Gauge};
    let Report { traffic, tree, host, .. } = report;
    add("uptime", Gauge, &report.uptime.as_millis());
    add("avg_latency", Gauge, &traffic.average());
    add("max_latency", Gauge, &traffic.max_latency.as_millis());
    add("min_latency", Gauge, &traffic.min_latency.as_millis());
    add("packets_received", Counter, &traffic.received);
    add("packets_sent", Counter, &traffic.sent);
    add("num_alive_connections", Gauge, &report.connections.len());
    add("outstanding_requests", Gauge, &report.outstanding);
    add("znode_count", Gauge, &tree.nodes);
    add("watch_count", Gauge, &tree.watches);
    add("ephemerals_count", Gauge, &tree.ephemerals);
    add("approximate_data_size", Gauge, &tree.data_size);
    add("global_sessions", Gauge, &tree.sessions);
    add("local_sessions", Gauge, &0);
    add("digest_mismatches_count", Counter, &tree.digest_mismatches);
    add("open_file_descriptor_count", Gauge, &host.open_files);
    add("max_file_descriptor_count", Gauge, &host.max_files);
    if report.mode != Mode::Standalone {
        add("quorum_size", Gauge, &participants);
    }
    if let Some(leading) = &report.leading {
        add("learners", Gauge, &leading.learners);
        add("synced_followers", Gauge, &leading.synced_followers);
        add("synced_non_voting_followers", Gauge, &0);
        add("synced_observers", Gauge, &leading.synced_observers);
        add("proposal_count", Counter, &leading.proposals);
    }
    metrics
}

/// In the text format of Prometheus. What only it knows: whether the server serves, and how much memory it takes.
pub fn prometheus(report: &Report, participants: usize) -> String {
    let mut text = String::new();
    let of_prometheus = [
        Metric { name: "serving", kind: Kind::Gauge, value: u8::from(report.is_serving()).to_string() },
        Metric { name: "process_resident_memory_bytes", kind: Kind::Gauge, value: report.host.resident.to_string() },
    ];
    for Metric { name, kind, value } in metrics(report, participants).into_iter().chain(of_prometheus) {
        let kind = if kind == Kind::Gauge { "gauge" } else { "counter" };
        write!(text, "# HELP {name} {name}\n# TYPE {name} {kind}\n{name} {value}\n")
            .expect("a string takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::fixture::Fixed;
    use crate::server::report::Mode;

    #[test]
    fn prometheus_gets_every_number_with_its_type() {
        let report = Fixed::leader().report.unwrap();
        let text = prometheus(&report, 3);
        for line in
            ["# TYPE znode_count gauge\nznode_count 8\n", "avg_latency 2.1765\n", "serving 1\n", "quorum_size 3\n"]
        {
            assert!(text.contains(line), "{line} in\n{text}");
        }
        assert_eq!(text.lines().count(), 3 * (metrics(&report, 3).len() + 2));
        assert!(prometheus(&Report { mode: Mode::Looking, ..report }, 3).contains("\nserving 0\n"));
    }

    #[test]
    fn what_only_a_leader_knows_nobody_else_tells() {
        let leader = Fixed::leader().report.unwrap();
        let names = |report: &Report| metrics(report, 3).iter().map(|metric| metric.name).collect::<Vec<_>>();
        let alone = Report { mode: Mode::Standalone, leading: None, ..leader.clone() };
        assert!(names(&leader).contains(&"synced_followers") && names(&leader).contains(&"quorum_size"));
        assert!(!names(&alone).contains(&"synced_followers") && !names(&alone).contains(&"quorum_size"));
    }
}
