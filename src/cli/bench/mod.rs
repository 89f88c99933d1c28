//! `zabsim bench`: load for any ZooKeeper, and what it makes of it.

mod client;
mod process;
mod report;
mod requests;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use tokio::runtime;
use tokio::task::JoinSet;

use super::Exit;
use super::render::Screen;
use crate::zab::{self, Payload};
use crate::zk::model::{ErrorCode, Request};
use client::{Client, Measured};
use process::Usage;
use report::Report;
use requests::{Fill, Steady};

pub(super) const EXAMPLES: &str = "\
Examples:
  zabsim bench 127.0.0.1:2181                                  writes of 1 KiB, 32 connections with 32 requests under way each
  zabsim bench 127.0.0.1:2181 --connections 1 --window 1       how long one write takes when there is no other
  zabsim bench 127.0.0.1:2181 127.0.0.1:2182 --reads 90        nine of ten requests read; connections take turns with servers
  zabsim bench 127.0.0.1:2181 --pid 4711 --json                with the processor time that process 4711 took per operation
  zabsim bench 127.0.0.1:2181 --fill 1000000 --payload 100     creates a million nodes under /zabsim-fill, which stay

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
    /// Create so many nodes, which stay, instead of writing and reading for a time.
    #[arg(long, value_name = "NODES", conflicts_with_all = ["reads", "time"])]
    pub fill: Option<u32>,
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
    let report = runtime.block_on(async {
        match args.fill {
            Some(count) => fill(args, count).await,
            None => steady(args).await,
        }
    })?;
    if args.json {
        screen.json(&report);
    } else {
        screen.text(&report.text());
    }
    if report.errors > 0 {
        bail!("{} requests were answered with an error", report.errors);
    }
    Ok(Exit::Good)
}

/// Writes and reads for a time.
async fn steady(args: &BenchArgs) -> Result<Report> {
    let payload = payload(args);
    let mut clients = connect(args).await?;
    let mut paths = Vec::new();
    for (number, client) in clients.iter_mut().enumerate() {
        let (path, nodes) = requests::enter(number, &payload);
        client.call(nodes, &[ErrorCode::NodeExists]).await?;
        paths.push(path);
    }
    let from = Instant::now() + WARM_UP;
    let until = from + Duration::from_nanos(args.time.as_nanos());
    let mut tasks = JoinSet::new();
    for (mut client, path) in clients.into_iter().zip(paths) {
        let (window, mut requests) = (args.window.into(), Steady::new(&path, &payload, args.reads, from, until));
        tasks.spawn(async move {
            let measured = client.work(window, &mut requests).await?;
            client.call(requests::leave(&path), &[ErrorCode::NoNode, ErrorCode::NotEmpty]).await?;
            client.call([Request::CloseSession], &[]).await?;
            anyhow::Ok(measured)
        });
    }
    tokio::time::sleep_until(from.into()).await;
    let before = usages(args)?;
    tokio::time::sleep_until(until.into()).await;
    let after = usages(args)?;
    Ok(Report::new(args, until - from, &sum(tasks).await?, &before, &after))
}

/// Creates nodes.
async fn fill(args: &BenchArgs, count: u32) -> Result<Report> {
    let payload = payload(args);
    let mut clients = connect(args).await?;
    clients[0].call(Fill::parents(count), &[ErrorCode::NodeExists]).await?;
    let (from, before) = (Instant::now(), usages(args)?);
    let mut tasks = JoinSet::new();
    let share = |number: u32| u32::try_from(u64::from(count) * u64::from(number) / u64::from(args.connections));
    for (number, mut client) in (0..).zip(clients) {
        let (window, mut requests) = (args.window.into(), Fill::new(share(number)?..share(number + 1)?, &payload));
        tasks.spawn(async move {
            let measured = client.work(window, &mut requests).await?;
            client.call([Request::CloseSession], &[]).await?;
            anyhow::Ok(measured)
        });
    }
    let measured = sum(tasks).await?;
    Ok(Report::new(args, from.elapsed(), &measured, &before, &usages(args)?))
}

/// Compressible or not makes no difference to ZooKeeper.
fn payload(args: &BenchArgs) -> Payload {
    Payload::new(&vec![b'z'; args.payload as usize])
}

async fn connect(args: &BenchArgs) -> Result<Vec<Client>> {
    let mut clients = Vec::new();
    for number in 0..usize::from(args.connections) {
        clients.push(Client::connect(&args.servers[number % args.servers.len()]).await?);
    }
    Ok(clients)
}

async fn sum(mut tasks: JoinSet<Result<Measured>>) -> Result<Measured> {
    let mut all = Measured::new()?;
    while let Some(measured) = tasks.join_next().await {
        all.add(&measured.context("a connection panicked")??)?;
    }
    Ok(all)
}

fn usages(args: &BenchArgs) -> Result<Vec<Usage>> {
    args.pid.iter().map(|&pid| Usage::of(pid)).collect()
}
