//! Who chooses the next action.
//!
//! The world says what has become possible ([`Chance`]); a [`Schedule`] says what happens next, and when. [`Seeded`] gives every
//! chance a time drawn from its seed, lets faults strike, lets clients act, and ends the run as every run ends: *chaos*, then a
//! healed core that must converge, then the epilogue that must find everything that was committed.

mod alarm;
mod closing;
mod queue;
mod wire;

use alarm::{Alarm, Ring};
use closing::Closing;
pub use closing::StageEnd;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::clocks::ClockOptions;
use super::fault::{Consequence, FaultOptions, Injection, Injector, RandomFaults, RandomOptions, Selector, Sprung};
use super::latency::{DiskOptions, Latency, NetworkOptions};
use super::rng::{Rng, Stream};
use super::text::Time;
use super::workload::{Workload, WorkloadOptions};
use super::{Action, Chance, Event, Node, World};
use crate::zab::{Duration, HaltReason, Instant};
use queue::{Due, Queue};
use wire::Wire;

/// Chooses actions. One turn is: `next`, the world applies it, `observe`. Before the first turn, `observe` once.
pub trait Schedule {
    /// The next action and its time, which never goes back; `None` at the end of the run. It may have become impossible since
    /// it was planned: then the world makes no step of it.
    fn next(&mut self, world: &World) -> Option<(Instant, Action)>;

    /// Looks at what the last action did and made possible.
    fn observe(&mut self, world: &mut World);

    /// The stage that ended during the last `next`, before its action is applied.
    fn stage_end(&mut self) -> Option<StageEnd> {
        None
    }
}

/// How a run goes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunOptions {
    /// How long faults strike.
    pub chaos: Time,
    /// Within which time a healed core must converge.
    pub converge: Time,
    /// Within which time after the heal a leader must serve.
    pub recovery: Time,
    /// Whether the run ends with a restart of everybody.
    pub epilogue: bool,
    /// When the processes start at first.
    pub boot: Latency,
    /// When a process that ended itself starts again.
    pub restart: Time,
    /// The run ends after this many actions.
    pub max_steps: u64,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            chaos: Time::secs(5),
            converge: Time::secs(30),
            recovery: Time::secs(10),
            epilogue: true,
            boot: Latency::Uniform(Time::ZERO, Time::millis(10)),
            restart: Time::millis(500),
            max_steps: 5_000_000,
        }
    }
}

/// Everything a seeded schedule draws from.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The network.
    pub network: &'a NetworkOptions,
    /// The disks.
    pub disk: &'a DiskOptions,
    /// The clocks.
    pub clocks: &'a ClockOptions,
    /// The clients.
    pub workload: &'a WorkloadOptions,
    /// The course of the run.
    pub run: &'a RunOptions,
    /// Faults that strike as written.
    pub faults: &'a [FaultOptions],
    /// Faults that strike at random.
    pub random: Option<&'a RandomOptions>,
}

/// One server as the schedule sees it.
#[derive(Clone, Debug)]
struct Machine {
    alarm: Alarm,
    slack: Rng,
    disk: Rng,
    slow: u16,
    sync_fails: bool,
    /// When to start again after a crash between two outputs.
    revival: Option<Duration>,
}

/// A written fault and how often its situation came up.
#[derive(Clone, Debug)]
struct Scripted {
    options: FaultOptions,
    seen: u32,
    left: u32,
}

/// The seeded chooser: all of a run is a function of the plan and the seed.
#[derive(Clone, Debug)]
pub struct Seeded {
    now: Instant,
    queue: Queue,
    wire: Wire,
    network: NetworkOptions,
    disk: DiskOptions,
    slack: Duration,
    machines: Vec<Machine>,
    workload: Workload,
    patience: Vec<Alarm>,
    run: RunOptions,
    scripted: Vec<Scripted>,
    /// Whether some written fault still waits for a situation.
    waiting: bool,
    random: Option<RandomFaults>,
    fault_rng: Rng,
    closing: Closing,
    consequences: Vec<(Duration, Consequence)>,
    struck: BTreeMap<&'static str, u32>,
    /// Whether the world is just built: who is down then is meant to start.
    booting: bool,
}

/// How often a fault that found nobody to strike tries again.
const RETRY: Duration = Duration::from_millis(10);

/// A slow disk is no broken one, and what it began while it was slow must not outlast the fault by much.
fn slowed(takes: Duration, factor: u16) -> Duration {
    (takes * u64::from(factor)).min(takes.max(Duration::from_secs(2)))
}

impl Seeded {
    /// The schedule of `seed` for a cluster of `nodes` servers.
    pub fn new(plan: Plan, seed: u64, nodes: usize) -> Seeded {
        let mut seeded = Seeded::idle(plan, seed, nodes);
        seeded.plan_faults();
        seeded.queue.push(Instant::ZERO + plan.run.chaos.0, Due::EndOfChaos);
        for client in 0..seeded.workload.clients() {
            seeded.client_free(client);
        }
        seeded
    }

    /// One to which nothing is due yet.
    fn idle(plan: Plan, seed: u64, nodes: usize) -> Seeded {
        let machine = |node| Machine {
            alarm: Alarm::OFF,
            slack: Rng::new(seed, Stream::Timers, node),
            disk: Rng::new(seed, Stream::Disk, node),
            slow: 1,
            sync_fails: false,
            revival: None,
        };
        let workload = Workload::new(plan.workload, seed, nodes);
        let scripted = |options: &FaultOptions| {
            let left = options.times.unwrap_or(if options.every.is_some() { u32::MAX } else { 1 });
            Scripted { options: options.clone(), seen: 0, left }
        };
        Seeded {
            now: Instant::ZERO,
            queue: Queue::default(),
            wire: Wire::new(plan.network, seed, nodes),
            network: plan.network.clone(),
            disk: plan.disk.clone(),
            slack: plan.clocks.slack.0,
            machines: (0..nodes).map(machine).collect(),
            patience: vec![Alarm::OFF; usize::from(workload.clients()) + 1],
            workload,
            run: plan.run.clone(),
            scripted: plan.faults.iter().map(scripted).collect(),
            waiting: plan.faults.iter().any(|fault| fault.when.is_some()),
            random: plan.random.map(|options| RandomFaults::new(options, seed)),
            fault_rng: Rng::new(seed, Stream::Faults, 0),
            closing: Closing::new(seed),
            consequences: Vec::new(),
            struck: BTreeMap::new(),
            booting: true,
        }
    }

    /// How often each kind of fault struck, by its name in scenarios.
    pub fn struck(&self) -> &BTreeMap<&'static str, u32> {
        &self.struck
    }

    fn plan_faults(&mut self) {
        for index in 0..self.scripted.len() {
            let FaultOptions { at, every, from, after, .. } = self.scripted[index].options;
            if let Some(at) = at {
                self.queue.push(Instant::ZERO + at.0.max(from.0) + after.0, Due::Timed(index as u16));
            } else if every.is_some() {
                let pause = self.pause(index);
                self.queue.push(Instant::ZERO + from.0 + after.0 + pause, Due::Timed(index as u16));
            }
        }
        if let Some(random) = &mut self.random {
            let pause = random.pause();
            self.queue.push(Instant::ZERO + pause, Due::Random);
        }
    }

    fn pause(&mut self, fault: usize) -> Duration {
        let mean = self.scripted[fault].options.every.unwrap_or_default().0;
        Duration(self.fault_rng.range(mean.0 / 2, mean.0 / 2 + mean.0).max(1))
    }

    fn client_free(&mut self, client: u8) {
        if let Some(at) = self.workload.free(client, self.now) {
            self.queue.push(at, Due::Think(client));
        }
    }

    /// The action for what is due now, if there is one.
    fn turn(&mut self, due: Due, world: &World) -> Option<Action> {
        match due {
            Due::Act(action) => Some(action),
            Due::Packet { link, to } => {
                let skip = self.skip(link.other(to), to);
                let can_skip = skip > 0 && world.is_enabled(&Action::Deliver { link, to, skip });
                Some(Action::Deliver { link, to, skip: if can_skip { skip } else { 0 } })
            }
            Due::Dial { dialer, acceptor } => {
                let action = Action::Connect { dialer, acceptor };
                if !world.is_enabled(&action) {
                    let timeout = Action::ConnectTimeout { dialer, acceptor };
                    self.queue.push(self.now + self.network.connect_timeout.0, Due::Act(timeout));
                }
                Some(action)
            }
            Due::Sync(node) => {
                let fails = std::mem::take(&mut self.machines[node.index()].sync_fails);
                Some(if fails { Action::SyncFails { node } } else { Action::SyncDone { node } })
            }
            Due::Wake(node) => match self.machines[node.index()].alarm.due(self.now) {
                Ring::Now => Some(Action::Wake { node }),
                Ring::Later(at) => {
                    self.queue.push(at, Due::Wake(node));
                    None
                }
                Ring::Stale => None,
            },
            Due::Think(client) => self.invoke(client),
            Due::Patience(client) => match self.patience[usize::from(client)].due(self.now) {
                Ring::Now if world.client(client).pending().is_some() => {
                    self.workload.unlucky(client);
                    self.invoke(client)
                }
                Ring::Later(at) => {
                    self.queue.push(at, Due::Patience(client));
                    None
                }
                _ => None,
            },
            Due::Timed(fault) => {
                self.timed(fault, world);
                None
            }
            Due::Struck { fault, trigger, peer } => {
                self.strike(fault, (Some(trigger), peer), world);
                None
            }
            Due::Random => {
                self.strike_at_random(world);
                None
            }
            Due::Ambushed { trigger, peer } => {
                let drawn = self.random.as_mut().and_then(|random| random.draw_at(world, trigger, peer));
                self.inject_drawn(drawn, world);
                None
            }
            Due::Fault(consequence) if self.closing.is_chaos() => self.execute(consequence),
            Due::Fault(_) => None,
            Due::Closing(consequence) => self.execute(consequence),
            Due::EndOfChaos => {
                self.end_chaos(world);
                None
            }
            Due::Check => self.check(world),
        }
    }

    /// How many packets the next one overtakes: none, as long as links are FIFO.
    fn skip(&mut self, from: Node, to: Node) -> u16 {
        if self.network.fifo {
            return 0;
        }
        let overtake = self.network.overtake.0;
        let rng = self.wire.quorum_rng(from, to);
        if rng.chance(overtake) { rng.range(1, 3) as u16 } else { 0 }
    }

    fn invoke(&mut self, client: u8) -> Option<Action> {
        let (server, op) = self.workload.invoke(client, self.now)?;
        self.expect_answer(client);
        Some(Action::Invoke { client, server, op })
    }

    fn expect_answer(&mut self, client: u8) {
        let at = self.now + self.workload.patience();
        if self.patience[usize::from(client)].set(at) {
            self.queue.push(at, Due::Patience(client));
        }
    }

    fn timed(&mut self, fault: u16, world: &World) {
        self.strike(fault, (None, None), world);
        let index = usize::from(fault);
        if self.scripted[index].options.every.is_some() && self.scripted[index].left > 0 && self.closing.is_chaos() {
            let pause = self.pause(index);
            self.queue.push(self.now + pause, Due::Timed(fault));
        }
    }

    fn strike(&mut self, fault: u16, cast: (Option<Node>, Option<Node>), world: &World) {
        let scripted = &mut self.scripted[usize::from(fault)];
        if scripted.left == 0 || !self.closing.is_chaos() {
            return;
        }
        let what = scripted.options.what.clone();
        if self.inject(&what, cast, world).is_some() {
            self.scripted[usize::from(fault)].left -= 1;
            self.waiting = self.scripted.iter().any(|s| s.options.when.is_some() && s.left > 0);
        } else if self.scripted[usize::from(fault)].options.at.is_some() {
            self.queue.push(self.now + RETRY, Due::Timed(fault));
        } else if let (Some(trigger), peer) = cast {
            self.queue.push(self.now + RETRY, Due::Struck { fault, trigger, peer });
        }
    }

    fn strike_at_random(&mut self, world: &World) {
        if !self.closing.is_chaos() {
            return;
        }
        let Some(random) = &mut self.random else { return };
        let pause = random.pause();
        let drawn = random.draw(world);
        self.queue.push(self.now + pause, Due::Random);
        self.inject_drawn(drawn, world);
    }

    fn inject_drawn(&mut self, drawn: Option<Injection>, world: &World) {
        if let Some(injection) = drawn.filter(|_| self.closing.is_chaos()) {
            self.inject(&injection, (None, None), world);
        }
    }

    fn inject(&mut self, what: &Injection, cast: (Option<Node>, Option<Node>), world: &World) -> Option<()> {
        let mut injector = Injector::new(world, &mut self.fault_rng, cast, &mut self.consequences);
        let struck = injector.inject(what);
        if struck.is_some() {
            *self.struck.entry(what.name()).or_default() += 1;
            for (after, consequence) in self.consequences.drain(..) {
                self.queue.push(self.now + after, Due::Fault(consequence));
            }
        }
        self.consequences.clear();
        struck
    }

    fn execute(&mut self, consequence: Consequence) -> Option<Action> {
        match consequence {
            Consequence::Act(action) => return Some(action),
            Consequence::Slow { node, factor } => self.machines[node.index()].slow = factor.max(1),
            Consequence::FailSync { node } => self.machines[node.index()].sync_fails = true,
            Consequence::Clog { from, to, millis } => {
                self.wire.clog(from, to, Duration::from_millis(millis.into()));
            }
            Consequence::Revive { node, millis } => {
                self.machines[node.index()].revival = millis.map(|millis| Duration::from_millis(millis.into()));
            }
        }
        None
    }

    fn take_chance(&mut self, chance: Chance) {
        let now = self.now;
        match chance {
            Chance::Packet { link, to, .. } => {
                let at = self.wire.arrival(link, to, now);
                self.queue.push(at, Due::Packet { link, to });
            }
            Chance::Notification { from, to } => self.notification(from, to),
            Chance::Dial { dialer, acceptor } => {
                let at = self.wire.dial(dialer, acceptor, now);
                self.queue.push(at, Due::Dial { dialer, acceptor });
            }
            Chance::Close { link, at } => {
                let when = self.wire.close(link, at, now);
                self.queue.push(when, Due::Act(Action::NoticeClose { link, at }));
            }
            Chance::Sync { node, installs, .. } => {
                let machine = &mut self.machines[node.index()];
                let mut takes = slowed(self.disk.sync.draw(&mut machine.disk), machine.slow);
                if installs {
                    takes = takes + self.disk.install.draw(&mut machine.disk);
                }
                self.queue.push(now + takes, Due::Sync(node));
            }
            Chance::Read { node } => {
                let machine = &mut self.machines[node.index()];
                let takes = slowed(self.disk.read.draw(&mut machine.disk), machine.slow);
                self.queue.push(now + takes, Due::Act(Action::ReadDone { node }));
            }
            Chance::Wake { node, at } => {
                let machine = &mut self.machines[node.index()];
                let late = Duration(machine.slack.range(0, self.slack.0));
                let at = at.max(now) + late;
                if machine.alarm.set(at) {
                    self.queue.push(at, Due::Wake(node));
                }
            }
            Chance::ClientFree { client } => {
                self.patience[usize::from(client)].wanted = Instant::NEVER;
                self.client_free(client);
            }
            Chance::Down { node } if self.closing.must_run(node) => {
                self.queue.push(now + self.run.restart.0, Due::Closing(Consequence::Act(Action::Start { node })));
            }
            Chance::Down { node } if self.booting => {
                let machine = &mut self.machines[node.index()];
                let at = now + self.run.boot.draw(&mut machine.slack);
                self.queue.push(at, Due::Fault(Consequence::Act(Action::Start { node })));
            }
            Chance::Up { .. } | Chance::Down { .. } => {}
        }
    }

    fn notification(&mut self, from: Node, to: Node) {
        let at = self.wire.notification(from, to, self.now);
        let lossy = from != to && self.closing.is_chaos();
        let NetworkOptions { loss, duplicate, reorder, .. } = self.network;
        let mut happens =
            |share: super::text::Share| lossy && !share.is_none() && self.wire.election_rng(from, to).chance(share.0);
        let (lost, twice, late) = (happens(loss), happens(duplicate), happens(reorder));
        if lost {
            self.queue.push(at, Due::Act(Action::LoseNotification { from, to }));
            return;
        }
        self.queue.push(at, Due::Act(Action::Notify { from, to }));
        for (age, again) in [(0, twice), (1, late)] {
            if again {
                let at = self.wire.notification(from, to, at);
                self.queue.push(at, Due::Act(Action::ReplayNotification { from, to, age }));
            }
        }
    }

    fn look(&mut self, event: &Event, world: &World) {
        match *event {
            Event::Refused { client, serial, .. } | Event::Abandoned { client, serial, .. } => {
                self.workload.unlucky(client);
                if client == self.workload.probe_client() {
                    self.closing.probe_failed(serial);
                }
            }
            Event::Replied { client, serial, .. } if client == self.workload.probe_client() => {
                self.closing.probe_answered(serial);
            }
            Event::Invoked { client, serial, .. } if client == self.workload.probe_client() => {
                self.closing.probe_sent(serial);
            }
            Event::Halted { node, reason } if reason != HaltReason::Stopped && self.closing.is_chaos() => {
                self.queue.push(self.now + self.run.restart.0, Due::Fault(Consequence::Act(Action::Start { node })));
            }
            Event::Crashed { node, inside: true, .. } => {
                if let Some(after) = self.machines[node.index()].revival.take() {
                    self.queue.push(self.now + after, Due::Fault(Consequence::Act(Action::Start { node })));
                }
            }
            _ => {}
        }
        if self.waiting {
            self.trigger(event, world);
        }
        if let Some(Sprung { trigger, peer, after }) =
            self.random.as_mut().and_then(|random| random.spring(event, world))
        {
            self.queue.push(self.now + after, Due::Ambushed { trigger, peer });
        }
    }

    fn trigger(&mut self, event: &Event, world: &World) {
        for (index, scripted) in self.scripted.iter_mut().enumerate() {
            let Some(when) = scripted.options.when.filter(|_| scripted.left > 0) else { continue };
            let Some((trigger, peer)) = when.matches(event, world) else { continue };
            let fits = |selector: Option<Selector>, node: Option<Node>| match (selector, node) {
                (None, _) => true,
                (Some(selector), Some(node)) => super::fault::fits(world, selector, node),
                (Some(_), None) => false,
            };
            let FaultOptions { node, peer: other, nth, from, after, .. } = scripted.options;
            if !fits(node, Some(trigger)) || !fits(other, peer) || self.now < Instant::ZERO + from.0 {
                continue;
            }
            scripted.seen += 1;
            if scripted.seen >= nth {
                self.queue.push(self.now + after.0, Due::Struck { fault: index as u16, trigger, peer });
            }
        }
    }
}

impl Schedule for Seeded {
    fn next(&mut self, world: &World) -> Option<(Instant, Action)> {
        self.booting = false;
        while !self.closing.is_over() {
            let (at, due) = self.queue.pop()?;
            self.now = at.max(self.now);
            if let Some(action) = self.turn(due, world) {
                return Some((self.now, action));
            }
        }
        None
    }

    fn observe(&mut self, world: &mut World) {
        for chance in world.chances() {
            self.take_chance(chance);
        }
        for event in world.events() {
            self.look(event, world);
        }
    }

    fn stage_end(&mut self) -> Option<StageEnd> {
        self.closing.take_end()
    }
}
