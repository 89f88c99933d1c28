//! The numbers of a server under ZooKeeper's names: `mntr` writes them with `zk_` before each, Prometheus without.
//!
//! What ZooKeeper measures of its threads, queues, caches and TLS has no counterpart here and is not told; nor are numbers by path.

use std::fmt::Write;

use super::report::{Average, Mode, Report};
use super::tally::{Quantiles, Summary};

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
    pub name: String,
    /// What it does over time.
    pub kind: Kind,
    /// Its value.
    pub value: String,
}

/// All numbers of a server, in the order of `mntr`. Those of a leader are there only while it leads.
pub fn metrics(report: &Report, participants: usize) -> Vec<Metric> {
    let mut metrics = Vec::new();
    let mut add = |name: &str, kind, value: &dyn ToString| {
        metrics.push(Metric { name: name.to_owned(), kind, value: value.to_string() })
    };
    use Kind::{Counter, Gauge};
    let Report { traffic, tree, host, tally, .. } = report;
    add("uptime", Gauge, &report.uptime.as_millis());
    add("avg_latency", Gauge, &traffic.average());
    add("max_latency", Gauge, &traffic.max_latency.as_millis());
    add("min_latency", Gauge, &traffic.min_latency.as_millis());
    add("packets_received", Counter, &traffic.received);
    add("packets_sent", Counter, &traffic.sent);
    add("bytes_received_count", Counter, &tally.bytes_received);
    add("response_bytes", Counter, &tally.response_bytes);
    add("last_client_response_size", Gauge, &tally.responses.last);
    add("max_client_response_size", Gauge, &tally.responses.max);
    add("min_client_response_size", Gauge, &tally.responses.min);
    add("num_alive_connections", Gauge, &report.connections.len());
    add("connection_request_count", Counter, &tally.connection_requests);
    add("connection_drop_count", Counter, &tally.connection_drops);
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
    add("looking_count", Counter, &tally.looked);
    add("learner_proposal_received_count", Counter, &tally.learner_proposals);
    add("learner_commit_received_count", Counter, &tally.learner_commits);
    add("proposal_count", Counter, &report.leading.map_or(0, |leading| leading.proposals));
    add("commit_count", Counter, &tally.commits);
    add("diff_count", Counter, &tally.diffs);
    add("snap_count", Counter, &tally.snaps);
    add("fsync_threshold_exceed_count", Counter, &tally.disk.slow_syncs);
    if report.mode != Mode::Standalone {
        add("quorum_size", Gauge, &participants);
    }
    if let Some(leading) = &report.leading {
        add("learners", Gauge, &leading.learners);
        add("synced_followers", Gauge, &leading.synced_followers);
        add("synced_non_voting_followers", Gauge, &0);
        add("synced_observers", Gauge, &leading.synced_observers);
        add("pending_syncs", Gauge, &leading.pending_syncs);
        add("leader_uptime", Gauge, &leading.uptime.as_millis());
        add("last_proposal_size", Gauge, &tally.proposals.last);
        add("max_proposal_size", Gauge, &tally.proposals.max);
        add("min_proposal_size", Gauge, &tally.proposals.min);
    }
    let loading = Summary { count: 1, total: tally.disk.loading, min: tally.disk.loading, max: tally.disk.loading };
    summary("dbinittime", &loading, &mut metrics);
    summary("fsynctime", &tally.disk.syncs, &mut metrics);
    summary("snapshottime", &tally.disk.snapshots, &mut metrics);
    summary("sync_processor_batch_size", &tally.disk.batches, &mut metrics);
    summary("election_time", &tally.elections, &mut metrics);
    quantiles("readlatency", &tally.reads, &mut metrics);
    quantiles("updatelatency", &tally.updates, &mut metrics);
    quantiles("quorum_ack_latency", &tally.quorum_acks, &mut metrics);
    metrics
}

/// `AvgMinMaxCounter.values`.
fn summary(name: &str, summary: &Summary, metrics: &mut Vec<Metric>) {
    let Summary { count, total, min, max } = *summary;
    let average = Average::of(total.saturating_mul(10_000), count).to_string();
    for (prefix, kind, value) in [
        ("avg", Kind::Gauge, average),
        ("min", Kind::Gauge, min.to_string()),
        ("max", Kind::Gauge, max.to_string()),
        ("cnt", Kind::Counter, count.to_string()),
        ("sum", Kind::Counter, total.to_string()),
    ] {
        metrics.push(Metric { name: format!("{prefix}_{name}"), kind, value });
    }
}

/// `AvgMinMaxPercentileCounter.values`.
fn quantiles(name: &str, quantiles: &Quantiles, metrics: &mut Vec<Metric>) {
    summary(name, &quantiles.summary, metrics);
    for (prefix, share) in [("p50", 500), ("p95", 950), ("p99", 990), ("p999", 999)] {
        let value = quantiles.per_mille(share).to_string();
        metrics.push(Metric { name: format!("{prefix}_{name}"), kind: Kind::Gauge, value });
    }
}

/// In the text format of Prometheus. What only it knows: whether the server serves, and how much memory it takes.
pub fn prometheus(report: &Report, participants: usize) -> String {
    let mut text = String::new();
    let gauge = |name: &str, value: String| Metric { name: name.to_owned(), kind: Kind::Gauge, value };
    let of_prometheus = [
        gauge("serving", u8::from(report.is_serving()).to_string()),
        gauge("process_resident_memory_bytes", report.host.resident.to_string()),
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
        let names = |report: &Report| metrics(report, 3).into_iter().map(|metric| metric.name).collect::<Vec<_>>();
        let has = |names: &[String], name: &str| names.iter().any(|own| own == name);
        let alone = Report { mode: Mode::Standalone, leading: None, ..leader.clone() };
        for name in ["synced_followers", "quorum_size", "leader_uptime"] {
            assert!(has(&names(&leader), name) && !has(&names(&alone), name), "{name}");
        }
    }
}
