//! From a fault to the actions it consists of, now and later.

use super::{Injection, Selector};
use crate::sim::rng::Rng;
use crate::sim::text::Time;
use crate::sim::{Action, DiskMode, Loss, Node, World};
use crate::zab::{Duration, MemberRole, PeerState};

/// One thing a fault does: an action, or a change in how the schedule draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// An action of the world.
    Act(Action),
    /// Syncs and reads of this disk take `factor` times as long; 1 ends it.
    Slow {
        /// Whose disk.
        node: Node,
        /// How many times.
        factor: u16,
    },
    /// The next sync of this disk fails.
    FailSync {
        /// Whose disk.
        node: Node,
    },
    /// Everything between two servers, in this direction, is late; a delay of 0 ends it.
    Clog {
        /// The sending side.
        from: Node,
        /// The receiving side.
        to: Node,
        /// In milliseconds.
        millis: u32,
    },
    /// If this process is killed between two outputs, it starts again so long afterwards.
    Revive {
        /// Whose.
        node: Node,
        /// In milliseconds; never if absent.
        millis: Option<u32>,
    },
}

/// Who had a part in the situation that triggered a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cast {
    /// To whom it happened.
    pub trigger: Option<Node>,
    /// Who was on the other side.
    pub peer: Option<Node>,
}

/// Expands faults against a world. What it yields is (how long from now, what).
#[derive(Debug)]
pub struct Injector<'a> {
    world: &'a World,
    rng: &'a mut Rng,
    cast: Cast,
    out: &'a mut Vec<(Duration, Consequence)>,
}

impl<'a> Injector<'a> {
    /// An injector that appends to `out`.
    pub fn new(
        world: &'a World,
        rng: &'a mut Rng,
        cast: (Option<Node>, Option<Node>),
        out: &'a mut Vec<(Duration, Consequence)>,
    ) -> Injector<'a> {
        Injector { world, rng, cast: Cast { trigger: cast.0, peer: cast.1 }, out }
    }

    /// Expands `fault`. `None` if nobody is there whom it could strike, for example no leader.
    pub fn inject(&mut self, fault: &Injection) -> Option<()> {
        match *fault {
            Injection::Crash { node, down } => {
                let node = self.find(node)?;
                self.now(Action::Crash { node, loss: Loss::Process });
                self.restart(node, down);
            }
            Injection::CrashInside { node, outputs, power, down } => {
                let node = self.find(node)?;
                let loss = if power { Loss::Power { kept: 0, torn: false } } else { Loss::Process };
                self.out.push((Duration::ZERO, Consequence::Revive { node, millis: down.map(millis) }));
                self.now(Action::CrashInside { node, after: outputs, loss });
            }
            Injection::PowerLoss { node, kept, torn, down } => {
                let node = self.find(node)?;
                self.now(Action::Crash { node, loss: Loss::Power { kept, torn } });
                self.restart(node, down);
            }
            Injection::Stop { node, down } => {
                let node = self.find(node)?;
                self.now(Action::Stop { node });
                self.restart(node, down);
            }
            Injection::Start { node } => {
                let node = self.find(node)?;
                self.now(Action::Start { node });
            }
            Injection::RestartStorm { node, times, every } => {
                let node = self.find(node)?;
                for turn in 0..u64::from(times) {
                    self.later(every.0 * turn, Action::Crash { node, loss: Loss::Process });
                    self.later(every.0 * turn + every.0 / 2, Action::Start { node });
                }
            }
            Injection::Pause { node, lasts } => {
                let node = self.find(node)?;
                self.now(Action::Pause { node });
                self.until(lasts, Action::Resume { node });
            }
            Injection::Wipe { node, down } => {
                let node = self.find(node)?;
                self.now(Action::Crash { node, loss: Loss::Process });
                self.now(Action::Wipe { node });
                self.restart(node, down);
            }
            Injection::Cut { from, to, both, lasts } => {
                let (from, to) = (self.find(from)?, self.find(to)?);
                self.cut(from, to, Duration::ZERO, lasts);
                if both {
                    self.cut(to, from, Duration::ZERO, lasts);
                }
            }
            Injection::Isolate { node, lasts } => {
                let node = self.find(node)?;
                self.partition(&[vec![node]], lasts);
            }
            Injection::Partition { ref groups, lasts } => {
                let groups: Option<Vec<Vec<Node>>> =
                    groups.iter().map(|group| group.iter().map(|&node| self.find(node)).collect()).collect();
                self.partition(&groups?, lasts);
            }
            Injection::Flap { a, b, times, every } => {
                let (a, b) = (self.find(a)?, self.find(b)?);
                for turn in 0..u64::from(times) {
                    let start = every.0 * (2 * turn);
                    self.cut(a, b, start, Some(every));
                    self.cut(b, a, start, Some(every));
                }
            }
            Injection::Reset { node, peer, lose } => {
                let (node, peer) = (self.find(node)?, self.find_optional(peer)?);
                for link in self.links(node, peer) {
                    let lose_up = self.rng.below(u64::from(lose) + 1) as u16;
                    let lose_down = self.rng.below(u64::from(lose) + 1) as u16;
                    self.now(Action::Reset { link, lose_up, lose_down });
                }
            }
            Injection::HalfOpen { node, peer } => {
                let (node, peer) = (self.find(node)?, self.find_optional(peer)?);
                for link in self.links(node, peer) {
                    self.now(Action::HalfOpen { link, at: node });
                }
            }
            Injection::Clog { from, to, by, lasts } => {
                let (from, to) = (self.find(from)?, self.find(to)?);
                let millis = millis(by);
                self.out.push((Duration::ZERO, Consequence::Clog { from, to, millis }));
                if let Some(Time(lasts)) = lasts {
                    self.out.push((lasts, Consequence::Clog { from, to, millis: 0 }));
                }
            }
            Injection::DiskFull { node, lasts } => self.disk(node, DiskMode::Full, lasts)?,
            Injection::Lying { node, lasts } => self.disk(node, DiskMode::Lying, lasts)?,
            Injection::DiskSlow { node, factor, lasts } => {
                let node = self.find(node)?;
                self.out.push((Duration::ZERO, Consequence::Slow { node, factor }));
                if let Some(Time(lasts)) = lasts {
                    self.out.push((lasts, Consequence::Slow { node, factor: 1 }));
                }
            }
            Injection::SyncFails { node } => {
                let node = self.find(node)?;
                self.out.push((Duration::ZERO, Consequence::FailSync { node }));
            }
            Injection::ClockJump { node, by } => {
                let node = self.find(node)?;
                let millis = millis(by);
                self.now(Action::ClockJump { node, millis });
            }
            Injection::AllDown { kept, down, ref only } => {
                let only: Option<Vec<Node>> = only.iter().map(|&node| self.find(node)).collect();
                let only = only?;
                for node in nodes(self.world) {
                    self.now(Action::Crash { node, loss: Loss::Power { kept, torn: false } });
                    if only.is_empty() || only.contains(&node) {
                        self.restart(node, down);
                    }
                }
            }
            Injection::Heal {} => {
                let everybody: Vec<Node> = nodes(self.world).collect();
                self.heal(&everybody);
            }
            Injection::Invoke { node, op, client } => {
                let server = self.find(node)?;
                self.now(Action::Invoke { client, server, op });
            }
        }
        Some(())
    }

    /// Mends every cut among `core`, makes their disks healthy, resumes and starts them.
    pub fn heal(&mut self, core: &[Node]) {
        for &node in core {
            for &other in core {
                if self.world.is_cut(node, other) {
                    self.now(Action::Mend { from: node, to: other });
                }
                self.out.push((Duration::ZERO, Consequence::Clog { from: node, to: other, millis: 0 }));
            }
            self.now(Action::Disk { node, mode: DiskMode::Healthy });
            self.out.push((Duration::ZERO, Consequence::Slow { node, factor: 1 }));
            if self.world.node(node).is_paused() {
                self.now(Action::Resume { node });
            }
            if !self.world.node(node).is_up() {
                self.now(Action::Start { node });
            }
        }
    }

    /// Cuts each of `groups` off from everybody else.
    pub fn partition(&mut self, groups: &[Vec<Node>], lasts: Option<Time>) {
        let group_of = |node: Node| groups.iter().position(|group| group.contains(&node));
        for from in nodes(self.world) {
            for to in nodes(self.world) {
                if group_of(from) != group_of(to) {
                    self.cut(from, to, Duration::ZERO, lasts);
                }
            }
        }
    }

    fn cut(&mut self, from: Node, to: Node, start: Duration, lasts: Option<Time>) {
        self.later(start, Action::Cut { from, to });
        if let Some(Time(lasts)) = lasts {
            self.later(start + lasts, Action::Mend { from, to });
        }
    }

    fn disk(&mut self, node: Selector, mode: DiskMode, lasts: Option<Time>) -> Option<()> {
        let node = self.find(node)?;
        self.now(Action::Disk { node, mode });
        self.until(lasts, Action::Disk { node, mode: DiskMode::Healthy });
        Some(())
    }

    fn links(&self, node: Node, peer: Option<Node>) -> Vec<crate::sim::LinkKey> {
        let touches = |key: crate::sim::LinkKey, node: Node| key.dialer == node || key.acceptor == node;
        let links = self.world.links().map(|link| link.key());
        links.filter(|&key| touches(key, node) && peer.is_none_or(|peer| touches(key, peer))).collect()
    }

    fn now(&mut self, action: Action) {
        self.later(Duration::ZERO, action);
    }

    fn later(&mut self, after: Duration, action: Action) {
        self.out.push((after, Consequence::Act(action)));
    }

    fn until(&mut self, lasts: Option<Time>, action: Action) {
        if let Some(Time(lasts)) = lasts {
            self.later(lasts, action);
        }
    }

    fn restart(&mut self, node: Node, down: Option<Time>) {
        self.until(down, Action::Start { node });
    }

    fn find_optional(&mut self, selector: Option<Selector>) -> Option<Option<Node>> {
        match selector {
            None => Some(None),
            Some(selector) => self.find(selector).map(Some),
        }
    }

    fn find(&mut self, selector: Selector) -> Option<Node> {
        match selector {
            Selector::Node(node) => Some(node).filter(|node| node.index() < self.world.setup().nodes.len()),
            Selector::Leader => leader(self.world),
            Selector::Trigger => self.cast.trigger,
            Selector::Peer => self.cast.peer,
            Selector::Follower | Selector::Observer | Selector::Any => {
                let world = self.world;
                let able: Vec<Node> = nodes(world).filter(|&node| fits(world, selector, node)).collect();
                self.rng.pick(&able).copied()
            }
        }
    }
}

/// Whether `node` is one that `selector` means, of the selectors that ask for a role; a name means itself.
pub fn fits(world: &World, selector: Selector, node: Node) -> bool {
    let state = || world.node(node).peer().map(|peer| peer.state());
    match selector {
        Selector::Node(wanted) => wanted == node,
        Selector::Leader => state() == Some(PeerState::Leading),
        Selector::Follower => state() == Some(PeerState::Following),
        Selector::Observer => {
            world.node(node).is_up() && world.setup().ensemble.role(node.sid()) == Some(MemberRole::Observer)
        }
        Selector::Any => world.node(node).is_up(),
        Selector::Trigger | Selector::Peer => true,
    }
}

/// In whole milliseconds: no scenario can name a time that is longer than a day.
fn millis(time: Time) -> u32 {
    u32::try_from(time.0.as_millis()).unwrap_or(u32::MAX)
}

/// All nodes of a world.
pub fn nodes(world: &World) -> impl Iterator<Item = Node> + use<> {
    (0..world.setup().nodes.len()).map(Node::at)
}

/// Who leads, in the latest epoch if several believe it.
pub fn leader(world: &World) -> Option<Node> {
    let leading = nodes(world).filter(|&node| fits(world, Selector::Leader, node));
    leading.max_by_key(|&node| world.node(node).peer().map(|peer| (peer.phase(), peer.accepted_epoch())))
}
