//! `World::apply(Action)`: the only mutator.

mod clients;
mod enabled;
mod execute;
mod nodes;
mod sessions;
mod wires;

use std::fmt::Write as _;
use std::mem::take;

use super::client::Client;
use super::clock::Clock;
use super::codec::Codecs;
use super::disk::Disk;
use super::hash::Chain;
use super::machine::Machine;
use super::network::{LinkState, Network};
use super::node::NodeState;
use super::session::Session;
use super::{Action, Chance, Event, Fault, Node, ServiceKind, Setup, Stage};
use crate::replica::Effect;
use crate::zab::{Config, Duration, Input, Instant};

/// By how many bytes a simulated log is extended: small, so that logs often end in zeros.
const PREALLOCATED: u64 = 4096;

/// Chances that nobody collects, as in a replay, are forgotten beyond this many.
const UNCOLLECTED: usize = 1 << 16;

/// The simulated world: servers, disks, clocks, the network between them, and clients.
///
/// How to drive it: collect [`World::chances`], give each a time, [`World::apply`] the action that is due, hand
/// [`World::events`] to whoever watches, collect again. Everything that happens follows from the setup and the sequence of
/// `(time, action)`; the [`World::hash`] says so.
#[derive(Clone, Debug)]
pub struct World {
    setup: Setup,
    nodes: Vec<NodeState>,
    net: Network,
    clients: Vec<Client>,
    /// Of the clients, where servers replicate ZooKeeper's tree.
    sessions: Vec<Session>,
    /// The same: what stands on links is bytes.
    codecs: Option<Codecs>,
    stage: Stage,
    now: Instant,
    step: u64,
    chain: Chain,
    events: Vec<Event>,
    chances: Vec<Chance>,
    /// Reused by every step of a process.
    effects: Vec<Effect<Machine>>,
}

impl World {
    /// A world in which nothing runs yet. A setup whose limits a peer cannot work with is a bug of the caller.
    pub fn new(setup: &Setup) -> World {
        assert_eq!(setup.nodes.len(), setup.ensemble.members().len(), "every member of the ensemble is one node");
        let members = setup.ensemble.members().iter().zip(&setup.nodes).enumerate();
        let nodes = members.map(|(index, (&(sid, _), node))| {
            assert_eq!(sid, Node::at(index).sid(), "the sids of a simulated ensemble are 1 to n");
            let config = Config::new(sid, setup.ensemble.clone(), node.limits.clone());
            let config = config.expect("whoever makes a setup validates its limits");
            let config = Config { conduct: setup.conduct, ..config };
            let mut disk = Disk::with_history(&node.history, Machine::new(setup, &config, Instant::ZERO));
            disk.set_conduct(setup.conduct);
            if setup.service == ServiceKind::ZooKeeper {
                disk.keep_files(PREALLOCATED);
            }
            NodeState::new(config, disk, Clock::new(node.drift))
        });
        let started = setup.nodes.iter().enumerate().filter(|(_, node)| node.starts);
        let down = started.map(|(index, _)| Chance::Down { node: Node::at(index) });
        let free = (0..setup.clients).map(|client| Chance::ClientFree { client });
        let is_zookeeper = setup.service == ServiceKind::ZooKeeper;
        let with_sessions = if is_zookeeper { setup.clients } else { 0 };
        World {
            nodes: nodes.collect(),
            net: Network::new(setup.nodes.len()),
            clients: vec![Client::default(); setup.clients.into()],
            sessions: (0..with_sessions).map(Session::new).collect(),
            codecs: is_zookeeper.then(|| Codecs::new(&setup.ensemble)),
            stage: Stage::Chaos,
            now: Instant::ZERO,
            step: 0,
            chain: Chain::default(),
            events: Vec::new(),
            chances: down.chain(free).collect(),
            effects: Vec::new(),
            setup: setup.clone(),
        }
    }

    /// Lets one action happen at `at`, which is never before an earlier step. An action that is not possible is no step and
    /// changes nothing, except that a [`Action::Wake`] which came too early raises its chance again.
    pub fn apply(&mut self, at: Instant, action: &Action) {
        self.events.clear();
        if self.chances.len() > UNCOLLECTED {
            self.chances.clear();
        }
        if !self.is_enabled(action) {
            return;
        }
        let at = at.max(self.now);
        if let Action::Wake { node } = *action
            && self.is_early(at, node)
        {
            self.rearm(at, node);
            return;
        }
        self.now = at;
        self.step += 1;
        self.perform(*action);
        self.take_calls();
        self.chain.step(at, action, &self.events);
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Deliver { link, to, skip } => self.deliver(link, to, skip),
            Action::Connect { dialer, acceptor } => self.connect(dialer, acceptor),
            Action::ConnectTimeout { dialer, acceptor } => self.refuse(dialer, acceptor),
            Action::NoticeClose { link, at } => self.notice_close(link, at),
            Action::Reset { link, lose_up, lose_down } => self.reset(link, lose_up, lose_down),
            Action::HalfOpen { link, at } => self.half_open(link, at),
            Action::Cut { from, to } => {
                self.net.set_cut(from, to, true);
                self.events.push(Event::Fault(Fault::Cut { from, to }));
            }
            Action::Mend { from, to } => {
                self.net.set_cut(from, to, false);
                self.events.push(Event::Fault(Fault::Mended { from, to }));
                self.raise_between(from, to);
            }
            Action::Notify { from, to } => self.notify(from, to),
            Action::LoseNotification { from, to } => self.lose_notification(from, to),
            Action::ReplayNotification { from, to, age } => self.replay_notification(from, to, age),
            Action::Wake { node } => {
                self.nodes[node.index()].armed = None;
                self.handle(node, Input::Wake);
            }
            Action::Crash { node, loss } => self.crash(node, loss, false),
            Action::CrashInside { node, after, loss } => self.nodes[node.index()].doom = Some((after, loss)),
            Action::Stop { node } => self.handle(node, Input::Stop),
            Action::Start { node } => self.start(node),
            Action::Pause { node } => {
                self.nodes[node.index()].paused = true;
                self.events.push(Event::Fault(Fault::Paused { node }));
            }
            Action::Resume { node } => self.resume(node),
            Action::Wipe { node } => {
                self.nodes[node.index()].disk.wipe();
                self.events.push(Event::Fault(Fault::Wiped { node }));
            }
            Action::SyncDone { node } => self.sync_done(node),
            Action::SyncFails { node } => self.sync_fails(node),
            Action::ReadDone { node } => self.read_done(node),
            Action::Disk { node, mode } => {
                self.nodes[node.index()].disk.set_mode(mode);
                self.events.push(Event::Fault(Fault::Disk { node, mode }));
            }
            Action::ClockJump { node, millis } => {
                self.nodes[node.index()].clock.jump(Duration::from_millis(millis.into()));
                self.events.push(Event::Fault(Fault::ClockJumped { node, millis }));
                self.rearm(self.now, node);
            }
            Action::Invoke { client, server, op } => self.invoke(client, server, op),
            Action::Enter { stage } => {
                self.stage = stage;
                self.events.push(Event::StageEntered { stage });
            }
        }
    }

    /// Gives an input to the process of `node` and executes what it asks for.
    fn handle(&mut self, node: Node, input: Input) {
        let state = &mut self.nodes[node.index()];
        let local = state.clock.to_local(self.now);
        let Some(replica) = &mut state.replica else { return };
        let mut effects = take(&mut self.effects);
        replica.handle(local, input, &mut effects);
        self.execute(node, &mut effects);
        self.effects = effects;
    }

    /// What happened in the last step, in order; nothing if its action was not possible.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Raises everything again that is possible, as if it had become so just now: for a schedule that takes over in mid-run. What
    /// processes that are down, paused or cut off wait for is raised when that ends, as always.
    pub fn raise_all(&mut self) {
        self.chances.clear();
        for node in (0..self.nodes.len()).map(Node::at) {
            if self.is_running(node) {
                self.raise_pending(node);
            }
        }
        // Both ends have raised it.
        let mut dials = Vec::new();
        self.chances.retain(|chance| {
            let again = dials.contains(chance);
            if matches!(chance, Chance::Dial { .. }) {
                dials.push(*chance);
            }
            !again
        });
        let free = (0..).zip(&self.clients).filter(|(_, session)| session.pending().is_none());
        self.chances.extend(free.map(|(client, _)| Chance::ClientFree { client }));
    }

    /// Takes what newly became possible and needs a time.
    pub fn chances(&mut self) -> std::vec::Drain<'_, Chance> {
        self.chances.drain(..)
    }

    /// The time of the last step.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// How many steps there were.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// The chained hash over every step.
    pub fn hash(&self) -> u64 {
        self.chain.hash()
    }

    /// The stage of the run.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// What the world was built from.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// A node.
    pub fn node(&self, node: Node) -> &NodeState {
        &self.nodes[node.index()]
    }

    /// Whether nothing gets from `from` to `to`.
    pub fn is_cut(&self, from: Node, to: Node) -> bool {
        self.net.is_cut(from, to)
    }

    /// Every link that some process holds.
    pub fn links(&self) -> impl Iterator<Item = &LinkState> {
        self.net.links()
    }

    /// A client.
    pub fn client(&self, client: u8) -> &Client {
        &self.clients[usize::from(client)]
    }

    /// Every node, for a person to read.
    pub fn peers_report(&self) -> String {
        let mut report = format!("step {} at {}, {:?}\n", self.step, self.now, self.stage);
        for (index, state) in self.nodes.iter().enumerate() {
            let node = Node::at(index);
            let standing = match (state.is_up(), state.paused, state.serving) {
                (false, ..) => "down",
                (true, true, _) => "paused",
                (true, false, true) => "serving",
                (true, false, false) => "up",
            };
            let _ = writeln!(report, "\n{node} {standing}, start {}", state.incarnation);
            if let Some(replica) = state.replica() {
                for line in replica.peer().to_string().lines() {
                    let _ = writeln!(report, "  {line}");
                }
                let _ = writeln!(report, "  applied through {}", replica.service().last_zxid());
            }
            let _ = writeln!(report, "  {}", state.disk.summary());
            if let Some(differs) = &state.differs {
                let _ = writeln!(report, "  its files differ: {differs}");
            }
        }
        for link in self.links() {
            let key = link.key();
            let (up, down) = (link.in_flight(key.acceptor), link.in_flight(key.dialer));
            let _ = writeln!(
                report,
                "\n{key}: {up} packets up, {down} down{}",
                if link.is_sound() { "" } else { ", broken" }
            );
        }
        report
    }
}

#[cfg(test)]
pub(in crate::sim) mod tests;
