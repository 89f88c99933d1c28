//! What a load came to, for people and for programs.

use std::fmt::Write;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::BenchArgs;
use super::client::Measured;
use super::process::{TICKS_PER_SECOND, Usage};
use crate::cli::render::thousands;

/// The whole result.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    servers: Vec<String>,
    connections: u16,
    window: u16,
    payload: u32,
    reads_percent: u8,
    seconds: f64,
    operations: u64,
    per_second: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    writes: Option<Kind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reads: Option<Kind>,
    pub(super) errors: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    processes: Vec<ProcessReport>,
}

/// Reads or writes; latencies in microseconds.
#[derive(Debug, Serialize)]
struct Kind {
    count: u64,
    per_second: f64,
    mean_us: f64,
    p50_us: f64,
    p90_us: f64,
    p99_us: f64,
    max_us: f64,
}

#[derive(Debug, Serialize)]
struct ProcessReport {
    pid: u32,
    cpu_seconds: f64,
    cpu_us_per_operation: f64,
    resident_bytes: u64,
}

impl Report {
    /// What was measured in `time`, and what the processes of `args` had used before and after.
    pub(super) fn new(
        args: &BenchArgs,
        time: Duration,
        measured: &Measured,
        before: &[Usage],
        after: &[Usage],
    ) -> Report {
        let seconds = time.as_secs_f64();
        let operations = measured.writes.len() + measured.reads.len();
        Report {
            servers: args.servers.clone(),
            connections: args.connections,
            window: args.window,
            payload: args.payload,
            reads_percent: args.reads,
            seconds: rounded(seconds),
            operations,
            per_second: rounded(operations as f64 / seconds),
            writes: Kind::new(&measured.writes, seconds),
            reads: Kind::new(&measured.reads, seconds),
            errors: measured.errors,
            processes: args
                .pid
                .iter()
                .zip(before.iter().zip(after))
                .map(|(&pid, (before, after))| ProcessReport::new(pid, before, after, operations))
                .collect(),
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "{} connections × {} under way, {} bytes, {}% reads, {} s\n\n{:8}{:>12}{:>12}{:>10}{:>10}{:>10}{:>10}\n",
            self.connections,
            self.window,
            self.payload,
            self.reads_percent,
            self.seconds,
            "",
            "operations",
            "per second",
            "p50 ms",
            "p90 ms",
            "p99 ms",
            "max ms"
        );
        let mut line = |line: String| writeln!(text, "{line}").expect("a string takes everything");
        for (name, kind) in [("writes", &self.writes), ("reads", &self.reads)] {
            let Some(kind) = kind else { continue };
            let latencies =
                [kind.p50_us, kind.p90_us, kind.p99_us, kind.max_us].map(|us| format!("{:10.3}", us / 1000.0));
            let (count, rate) = (thousands(kind.count), thousands(kind.per_second as u64));
            line(format!("{name:8}{count:>12}{rate:>12}{}", latencies.concat()));
        }
        if self.operations == 0 {
            line("nothing was answered in that time".into());
        }
        for process in &self.processes {
            let (cpu, mebibytes) = (process.cpu_us_per_operation, process.resident_bytes >> 20);
            line(format!(
                "\nprocess {}: {cpu:.1} µs of processor time per operation, {mebibytes} MiB resident",
                process.pid
            ));
        }
        text
    }
}

impl Kind {
    fn new(histogram: &Histogram<u64>, seconds: f64) -> Option<Kind> {
        let us = |nanoseconds: u64| rounded(nanoseconds as f64 / 1000.0);
        let at = |quantile: f64| us(histogram.value_at_quantile(quantile));
        (!histogram.is_empty()).then(|| Kind {
            count: histogram.len(),
            per_second: rounded(histogram.len() as f64 / seconds),
            mean_us: rounded(histogram.mean() / 1000.0),
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            max_us: us(histogram.max()),
        })
    }
}

impl ProcessReport {
    fn new(pid: u32, before: &Usage, after: &Usage, operations: u64) -> ProcessReport {
        let ticks = after.ticks.saturating_sub(before.ticks);
        let cpu_seconds = ticks as f64 / TICKS_PER_SECOND as f64;
        let cpu_us_per_operation = rounded(cpu_seconds * 1e6 / operations.max(1) as f64);
        ProcessReport { pid, cpu_seconds, cpu_us_per_operation, resident_bytes: after.resident }
    }
}

/// To a tenth: what is behind is noise.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_reads_as_a_table() {
        let args = BenchArgs {
            servers: vec!["a:2181".into()],
            connections: 2,
            window: 8,
            payload: 100,
            reads: 50,
            time: crate::zab::Duration::from_secs(2),
            fill: None,
            pid: vec![7],
            json: false,
        };
        let mut measured = Measured::new().unwrap();
        (1..=2000).for_each(|n| measured.writes.record(n * 1000).unwrap());
        measured.reads.record(250_000).unwrap();
        let (before, after) = (Usage { ticks: 10, resident: 0 }, Usage { ticks: 12, resident: 40 << 20 });
        let report = Report::new(&args, Duration::from_secs(2), &measured, &[before], &[after]);
        insta::assert_snapshot!(report.text(), @r"
    2 connections × 8 under way, 100 bytes, 50% reads, 2 s

              operations  per second    p50 ms    p90 ms    p99 ms    max ms
    writes         2,000       1,000     1.000     1.800     1.980     2.001
    reads              1           0     0.250     0.250     0.250     0.250

    process 7: 10.0 µs of processor time per operation, 40 MiB resident
    ");
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!((&json["operations"], &json["writes"]["p99_us"]), (&2001.into(), &1980.4.into()));
        assert_eq!(json["processes"][0]["cpu_us_per_operation"], 10.0);
    }
}
