//! `zabsim bench`: load for any ZooKeeper, and what it makes of it.

mod client;
mod process;
mod report;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use tokio::runtime;
use tokio::task::JoinSet;

use super::Exit;
use super::render::Screen;
use crate::zab::{self, Payload};
use client::{Client, Load, Measured};
use process::Usage;
use report::{Process, Report};

pub(super) const EXAMPLES: &str = "\
Examples:
  zabsim bench 127.0.0.1:2181                                  writes of 1 KiB, 32 connections with 32 requests under way each
  zabsim bench 127.0.0.1:2181 --connections 1 --window 1       how long one write takes when there is no other
  zabsim bench 127.0.0.1:2181 127.0.0.1:2182 --reads 90        nine of ten requests read; connections take turns with servers
  zabsim bench 127.0.0.1:2181 --pid 4711 --json                with the processor time that process 4711 took per operation

Each connection sets or reads one node of its own under /zabsim-bench, which is removed at the end.";

#[derive(Debug, Args)]
pub(in crate::cli) struct BenchArgs {
    /// Servers.
    #[arg(required = true, value_name = "HOST:PORT")]
    pub servers: Vec<String>,
    /// Connections, spread over the servers.
    #[arg(long, value_name = "N", default_value = "32", value_parser = clap::value_parser!(u16).range(1..))]
    pub connections: u16,
    /// Requests that each connection has under way at once.
    #[arg(long, value_name = "N", default_value = "32", value_parser = clap::value_parser!(u16).range(1..))]
    pub window: u16,
    /// Bytes of data per node.
    #[arg(long, value_name = "BYTES", default_value = "1024", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub payload: u32,
    /// How many of a hundred requests read; the others write.
    #[arg(long, value_name = "PERCENT", default_value = "0", value_parser = clap::value_parser!(u8).range(..=100))]
    pub reads: u8,
    /// How long is measured, after a second that is not.
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub time: zab::Duration,
    /// A process whose processor time and memory are measured as well (may be repeated).
    #[arg(long, value_name = "PID")]
    pub pid: Vec<u32>,
    /// JSON instead of text.
    #[arg(long)]
    pub json: bool,
}

/// What is not measured: connections get going, caches fill.
const WARM_UP: Duration = Duration::from_secs(1);

pub(super) fn bench(args: &BenchArgs, screen: &mut Screen) -> Result<Exit> {
    if args.time == zab::Duration(0) {
        bail!("--time 0s measures nothing");
    }
    if let Some(server) = args.servers.iter().find(|server| !server.contains(':')) {
        bail!("{server} has no port; ZooKeeper's is usually {server}:2181");
    }
    for &pid in &args.pid {
        Usage::of(pid)?;
    }
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let (measured, usage) = runtime.block_on(run(args))?;
    let report = Report::new(args, &measured, usage);
    if args.json {
        screen.json(&report);
    } else {
        screen.text(&report.text());
    }
    if measured.errors > 0 {
        bail!("{} requests were answered with an error", measured.errors);
    }
    Ok(Exit::Good)
}

async fn run(args: &BenchArgs) -> Result<(Measured, Vec<Process>)> {
    // Compressible or not makes no difference to ZooKeeper.
    let payload = Payload::new(&vec![b'z'; args.payload as usize]);
    let mut ready = Vec::new();
    for number in 0..usize::from(args.connections) {
        let mut client = Client::connect(&args.servers[number % args.servers.len()]).await?;
        let path = client.prepare(number, &payload).await?;
        ready.push((client, path));
    }
    let from = Instant::now() + WARM_UP;
    let until = from + Duration::from_nanos(args.time.as_nanos());
    let load = Load { window: args.window.into(), payload, reads: args.reads.into(), from, until };
    let mut tasks = JoinSet::new();
    for (mut client, path) in ready {
        let load = load.clone();
        tasks.spawn(async move {
            let measured = client.work(&path, &load).await?;
            client.leave(&path).await?;
            anyhow::Ok(measured)
        });
    }
    let usages = |pids: &[u32]| pids.iter().map(|&pid| Usage::of(pid)).collect::<Result<Vec<Usage>>>();
    tokio::time::sleep_until(from.into()).await;
    let before = usages(&args.pid)?;
    tokio::time::sleep_until(until.into()).await;
    let after = usages(&args.pid)?;
    let mut all = Measured::new()?;
    while let Some(measured) = tasks.join_next().await {
        all.add(&measured.context("a connection panicked")??)?;
    }
    let processes = args.pid.iter().zip(before.iter().zip(&after));
    Ok((all, processes.map(|(&pid, (before, after))| Process::new(pid, before, after)).collect()))
}
