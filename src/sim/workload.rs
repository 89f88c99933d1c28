//! What clients do: operations with pauses, sessions that move between servers, patience that ends.
//!
//! A client has one operation under way. A refusal makes it try the next server; an answer that does not come in time, or
//! a connection that breaks, leaves the outcome unknown, and the client goes on elsewhere. One more client than the
//! scenario names, the last, is the *probe*: it is silent until the run wants to see a write succeed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::latency::Latency;
use super::rng::{Rng, Stream};
use super::text::{Share, Time};
use super::{Node, Op};
use crate::zab::{Duration, Instant};

/// The clients of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WorkloadOptions {
    /// How many clients.
    pub clients: u8,
    /// The pause between an answer and the next operation.
    pub think: Latency,
    /// How often each operation is chosen.
    pub mix: Mix,
    /// How often a client moves its session to another server before an operation.
    #[serde(rename = "move")]
    pub moves: Share,
    /// How long a client waits for an answer before it goes on elsewhere.
    pub patience: Time,
    /// When the first operations are sent.
    pub start: Time,
    /// When clients fall silent; at the end of chaos if absent.
    pub stop: Option<Time>,
    /// How many writes all clients send at most, before the probes.
    pub max_writes: Option<u64>,
}

impl Default for WorkloadOptions {
    fn default() -> WorkloadOptions {
        WorkloadOptions {
            clients: 3,
            think: Latency::Uniform(Time::millis(1), Time::millis(20)),
            mix: Mix::default(),
            moves: Share::new(1, 20),
            patience: Time::secs(1),
            start: Time::ZERO,
            stop: None,
            max_writes: None,
        }
    }
}

/// Weights of the operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mix {
    /// Writes.
    pub write: u16,
    /// Reads of the server's own state.
    pub read: u16,
    /// `sync`, then a read.
    pub sync: u16,
}

impl Default for Mix {
    fn default() -> Mix {
        Mix { write: 6, read: 3, sync: 1 }
    }
}

/// One client as the schedule drives it.
#[derive(Clone, Debug)]
struct Driver {
    rng: Rng,
    server: usize,
    /// Whether its next operation is on the queue already.
    thinking: bool,
    /// Whether its last operation came to nothing.
    unlucky: bool,
}

/// All clients.
#[derive(Clone, Debug)]
pub struct Workload {
    options: WorkloadOptions,
    drivers: Vec<Driver>,
    servers: usize,
    writes: u64,
    /// Nobody but the probe sends any more.
    quiet: bool,
}

impl Workload {
    /// The clients of a run, the probe among them.
    pub fn new(options: &WorkloadOptions, seed: u64, servers: usize) -> Workload {
        let driver = |client: u8| {
            let mut rng = Rng::new(seed, Stream::Workload, client.into());
            let server = rng.below(servers as u64) as usize;
            Driver { rng, server, thinking: false, unlucky: false }
        };
        Workload {
            options: options.clone(),
            drivers: (0..=options.clients).map(driver).collect(),
            servers,
            writes: 0,
            quiet: false,
        }
    }

    /// The client that is silent until [`Workload::probe`].
    pub fn probe_client(&self) -> u8 {
        self.options.clients
    }

    /// How long a client waits for an answer.
    pub fn patience(&self) -> Duration {
        self.options.patience.0
    }

    /// `client` has nothing to do at `now`: when it acts next, unless that is settled already.
    pub fn free(&mut self, client: u8, now: Instant) -> Option<Instant> {
        let quiet = self.quiet || client == self.probe_client();
        let driver = self.drivers.get_mut(usize::from(client)).filter(|driver| !driver.thinking && !quiet)?;
        driver.thinking = true;
        let start = Instant::ZERO + self.options.start.0;
        Some(now.max(start) + self.options.think.draw(&mut driver.rng))
    }

    /// `client` was refused, or does not know what became of its operation: it tries another server next.
    pub fn unlucky(&mut self, client: u8) {
        if let Some(driver) = self.drivers.get_mut(usize::from(client)) {
            driver.unlucky = true;
        }
    }

    /// What `client` sends now, and where to; `None` if it is done.
    pub fn invoke(&mut self, client: u8, now: Instant) -> Option<(Node, Op)> {
        let driver = &mut self.drivers[usize::from(client)];
        driver.thinking = false;
        let stopped = self.options.stop.is_some_and(|stop| now >= Instant::ZERO + stop.0);
        if stopped || self.quiet {
            return None;
        }
        let Mix { write, read, sync } = self.options.mix;
        let draw = driver.rng.below(u64::from(write) + u64::from(read) + u64::from(sync));
        let op = match draw {
            n if n < write.into() => Op::Write,
            n if n < u64::from(write) + u64::from(read) => Op::Read,
            _ => Op::Sync,
        };
        let op = match self.options.max_writes {
            Some(max) if op == Op::Write && self.writes >= max => Op::Read,
            _ => op,
        };
        self.writes += u64::from(op == Op::Write);
        let moves = driver.rng.chance(self.options.moves.0);
        if moves || driver.unlucky {
            driver.change_server(self.servers);
        }
        Some((Node::at(driver.server), op))
    }

    /// A write that must succeed if the cluster works: to the `turn`-th of `servers`.
    pub fn probe(&mut self, servers: &[Node], turn: u64) -> Option<(u8, Node)> {
        let server = servers.get((turn % servers.len().max(1) as u64) as usize)?;
        Some((self.probe_client(), *server))
    }

    /// From now on only the probe sends.
    pub fn quieten(&mut self) {
        self.quiet = true;
    }

    /// Everybody sends again.
    pub fn resume(&mut self) {
        self.quiet = false;
    }

    /// How many clients there are, without the probe.
    pub fn clients(&self) -> u8 {
        self.options.clients
    }
}

impl Driver {
    fn change_server(&mut self, servers: usize) {
        self.unlucky = false;
        let others = servers.saturating_sub(1).max(1) as u64;
        self.server = (self.server + 1 + self.rng.below(others) as usize) % servers.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(options: WorkloadOptions) -> Workload {
        Workload::new(&options, 1, 3)
    }

    #[test]
    fn a_refused_client_tries_another_server() {
        let mut workload = workload(WorkloadOptions { moves: Share::NONE, ..WorkloadOptions::default() });
        let (first, _) = workload.invoke(0, Instant::ZERO).unwrap();
        assert_eq!(workload.invoke(0, Instant::ZERO).unwrap().0, first, "a content client stays");
        workload.unlucky(0);
        assert_ne!(workload.invoke(0, Instant::ZERO).unwrap().0, first);
    }

    #[test]
    fn a_client_thinks_about_one_thing_at_a_time() {
        let mut workload = workload(WorkloadOptions::default());
        assert!(workload.free(0, Instant::ZERO).is_some());
        assert_eq!(workload.free(0, Instant::ZERO), None);
        workload.invoke(0, Instant::ZERO);
        assert!(workload.free(0, Instant::ZERO).is_some());
    }

    #[test]
    fn no_more_writes_than_allowed() {
        let mix = Mix { write: 1, read: 0, sync: 0 };
        let mut workload = workload(WorkloadOptions { max_writes: Some(5), mix, ..WorkloadOptions::default() });
        let ops: Vec<Op> = (0..20).map(|_| workload.invoke(0, Instant::ZERO).unwrap().1).collect();
        assert_eq!(ops.iter().filter(|&&op| op == Op::Write).count(), 5);
    }

    #[test]
    fn the_probe_is_silent_until_asked() {
        let mut workload = workload(WorkloadOptions { clients: 0, ..WorkloadOptions::default() });
        assert_eq!(workload.free(0, Instant::ZERO), None);
        assert_eq!(workload.probe(&[Node::at(2)], 7), Some((0, Node::at(2))));
        assert_eq!(workload.probe(&[], 7), None);
    }
}
