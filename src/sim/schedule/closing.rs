//! How every run ends.
//!
//! When chaos is over, a *core* is chosen: servers among which the participants with whole data are a quorum, mostly everybody.
//! The core is healed (cuts mended, processes started and resumed, disks healthy) and no fault begins any more; outside the core
//! servers stay down or cut off for good. The core must converge within the bound: one leader that all follow and serve under, a
//! probe write answered, and, once the clients are quiet, the same last committed txn everywhere. Then the *epilogue*: everybody
//! loses power and what was not synced, a quorum starts, and must converge in the same way.

use super::{Due, Plan, Seeded};
use crate::sim::fault::{Consequence, Injector, nodes};
use crate::sim::rng::{Rng, Stream};
use crate::sim::{Action, Loss, Node, Op, Stage, World};
use crate::zab::{Duration, Instant, MemberSet, PeerState};

/// How often the cluster is looked at.
const PERIOD: Duration = Duration::from_millis(10);
/// How long a probe may take before another one is sent.
const PROBE_PATIENCE: Duration = Duration::from_secs(1);

/// A write that shows that the cluster works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probe {
    Unsent,
    /// Given to the queue at this time.
    Sent {
        at: Instant,
        serial: Option<u32>,
    },
    Answered,
}

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageEnd {
    /// Which.
    pub stage: Stage,
    /// Whether the core converged.
    pub converged: bool,
    /// The positions of the healed servers.
    pub core: MemberSet,
    /// Within which time they had to.
    pub bound: Duration,
    /// Within which time a leader had to serve.
    pub recovery: Duration,
}

/// Where the run stands.
#[derive(Clone, Debug)]
pub struct Closing {
    stage: Stage,
    over: bool,
    end: Option<StageEnd>,
    core: Vec<Node>,
    deadline: Instant,
    probe: Probe,
    turn: u64,
    rng: Rng,
}

impl Closing {
    /// The start of a run.
    pub fn new(seed: u64) -> Closing {
        Closing {
            stage: Stage::Chaos,
            over: false,
            end: None,
            core: Vec::new(),
            deadline: Instant::NEVER,
            probe: Probe::Unsent,
            turn: 0,
            rng: Rng::new(seed, Stream::Closing, 0),
        }
    }

    /// Whether faults still strike.
    pub fn is_chaos(&self) -> bool {
        self.stage == Stage::Chaos
    }

    /// Whether the run is at its end.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Whether `node` must be up from now on.
    pub fn must_run(&self, node: Node) -> bool {
        !self.is_chaos() && self.core.contains(&node)
    }

    /// The stage that just ended.
    pub fn take_end(&mut self) -> Option<StageEnd> {
        self.end.take()
    }

    /// The probe is on its way under this serial.
    pub fn probe_sent(&mut self, sent: u32) {
        if let Probe::Sent { serial, .. } = &mut self.probe {
            *serial = Some(sent);
        }
    }

    /// The probe was answered, if it was this one.
    pub fn probe_answered(&mut self, answered: u32) {
        if matches!(self.probe, Probe::Sent { serial: Some(serial), .. } if serial == answered) {
            self.probe = Probe::Answered;
        }
    }

    /// The probe came to nothing, if it was this one.
    pub fn probe_failed(&mut self, failed: u32) {
        if matches!(self.probe, Probe::Sent { serial: Some(serial), .. } if serial == failed) {
            self.probe = Probe::Unsent;
        }
    }

    fn begin(&mut self, stage: Stage, core: Vec<Node>, deadline: Instant) {
        self.stage = stage;
        self.core = core;
        self.deadline = deadline;
        self.probe = Probe::Unsent;
    }

    /// Servers among which participants with whole data are a quorum; everybody, if no such set exists.
    fn choose(&mut self, world: &World, everybody: bool) -> Vec<Node> {
        let ensemble = &world.setup().ensemble;
        let mut order: Vec<Node> = nodes(world).collect();
        self.rng.shuffle(&mut order);
        if everybody {
            order.sort_unstable();
            return order;
        }
        let whole = |node: &Node| ensemble.is_participant(node.sid()) && !world.node(*node).may_be_dataless();
        let mut core: Vec<Node> = Vec::new();
        let mut counted = MemberSet::EMPTY;
        for &node in order.iter().filter(|node| whole(node)) {
            if ensemble.has_quorum(counted) {
                break;
            }
            counted.insert(node.index());
            core.push(node);
        }
        if !ensemble.has_quorum(counted) {
            core = order;
        } else {
            for &node in &order {
                if !core.contains(&node) && self.rng.below(2) == 0 {
                    core.push(node);
                }
            }
        }
        core.sort_unstable();
        core
    }
}

impl Seeded {
    /// The schedule that takes over a `world` in which somebody else has chosen so far. Chaos is over for it: it ends the run as every
    /// run ends, and what the plan says of faults does not concern it.
    pub fn adopt(plan: Plan, seed: u64, world: &mut World) -> Seeded {
        let mut seeded = Seeded::idle(Plan { faults: &[], random: None, ..plan }, seed, world.nodes());
        (seeded.now, seeded.booting) = (world.now(), false);
        seeded.queue.push(seeded.now, Due::EndOfChaos);
        for client in 0..seeded.workload.clients() {
            if world.client(client).pending().is_some() {
                seeded.expect_answer(client);
            }
        }
        world.raise_all();
        seeded
    }

    /// Chaos is over.
    pub(super) fn end_chaos(&mut self, world: &World) {
        let everybody = self.closing.rng.below(4) > 0;
        let core = self.closing.choose(world, everybody);
        self.stage(Stage::Converge, &core);
        let outside: Vec<Node> = nodes(world).filter(|node| !core.contains(node)).collect();
        for &node in &outside {
            if self.closing.rng.below(2) == 0 {
                self.close(Action::Crash { node, loss: Loss::Process });
            } else {
                for &other in &core {
                    self.close(Action::Cut { from: node, to: other });
                    self.close(Action::Cut { from: other, to: node });
                }
            }
        }
        self.heal(world, &core);
    }

    fn begin_epilogue(&mut self, world: &World) {
        let everybody = self.closing.rng.below(2) == 0;
        let core = self.closing.choose(world, everybody);
        self.stage(Stage::Epilogue, &core);
        self.heal(world, &core);
        for node in nodes(world) {
            self.close(Action::Crash { node, loss: Loss::Power { kept: 0, torn: false } });
        }
        for &node in &core {
            self.close(Action::Start { node });
        }
        self.workload.resume();
        for client in 0..self.workload.clients() {
            self.client_free(client);
        }
    }

    fn stage(&mut self, stage: Stage, core: &[Node]) {
        self.close(Action::Enter { stage });
        self.closing.begin(stage, core.to_vec(), self.now + self.run.converge.0);
        self.queue.push(self.now + PERIOD, Due::Check);
    }

    fn close(&mut self, action: Action) {
        self.queue.push(self.now, Due::Closing(Consequence::Act(action)));
    }

    fn heal(&mut self, world: &World, core: &[Node]) {
        let mut out = Vec::new();
        Injector::new(world, &mut self.fault_rng, (None, None), &mut out).heal(core);
        for (after, consequence) in out {
            self.queue.push(self.now + after, Due::Closing(consequence));
        }
        for machine in &mut self.machines {
            machine.sync_fails = false;
            machine.revival = None;
        }
    }

    /// Looks whether the core has converged, and goes on if it has.
    pub(super) fn check(&mut self, world: &World) -> Option<Action> {
        let settled = is_settled(world, &self.closing.core);
        if self.now > self.closing.deadline {
            self.end_stage(false);
            self.closing.over = true;
            return None;
        }
        if settled && self.closing.probe == Probe::Answered {
            self.workload.quieten();
            if agrees(world, &self.closing.core) {
                self.end_stage(true);
                if self.closing.stage == Stage::Converge && self.run.epilogue {
                    self.begin_epilogue(world);
                } else {
                    self.closing.over = true;
                }
                return None;
            }
        }
        self.queue.push(self.now + PERIOD, Due::Check);
        if settled { self.probe() } else { None }
    }

    fn end_stage(&mut self, converged: bool) {
        let core = self.closing.core.iter().map(|node| node.index()).collect();
        let (bound, recovery) = (self.run.converge.0, self.run.recovery.0);
        self.closing.end = Some(StageEnd { stage: self.closing.stage, converged, core, bound, recovery });
    }

    fn probe(&mut self) -> Option<Action> {
        let send = match self.closing.probe {
            Probe::Unsent => true,
            Probe::Sent { at, .. } => self.now.since(at) > PROBE_PATIENCE,
            Probe::Answered => false,
        };
        if !send {
            return None;
        }
        let (client, server) = self.workload.probe(&self.closing.core, self.closing.turn)?;
        self.closing.turn += 1;
        self.closing.probe = Probe::Sent { at: self.now, serial: None };
        Some(Action::Invoke { client, server, op: Op::Write })
    }
}

/// Whether all of `core` serve under one leader among them.
fn is_settled(world: &World, core: &[Node]) -> bool {
    let mut leader = None;
    for &node in core {
        let state = world.node(node);
        let Some(peer) = state.peer().filter(|_| state.is_up() && !state.is_paused()) else { return false };
        if !state.is_serving() || peer.leader().is_none() {
            return false;
        }
        if peer.state() == PeerState::Leading && peer.leader() != Some(node.sid()) {
            return false;
        }
        if *leader.get_or_insert(peer.leader()) != peer.leader() {
            return false;
        }
    }
    leader.flatten().is_some_and(|sid| core.contains(&Node::of(sid)))
}

/// Whether all of `core` have delivered the same history. Their states tell, not their zxids: a leader that has proposed
/// nothing yet stands at the marker of its epoch, its followers at the last txn before.
fn agrees(world: &World, core: &[Node]) -> bool {
    let mut states = core.iter().map(|&node| world.node(node).digest());
    let Some(first) = states.next() else { return true };
    states.all(|other| other == first)
}
