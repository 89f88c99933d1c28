//! Faults drawn at random, within the budget.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::inject::nodes;
use super::{Injection, Selector, When};
use crate::sim::rng::{Rng, Stream};
use crate::sim::text::{Share, Time};
use crate::sim::{Event, Node, World};
use crate::zab::{Duration, MemberRole, MemberSet};

/// Faults that strike at random.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RandomOptions {
    /// The mean pause between two faults.
    pub every: Time,
    /// The weight of each kind; a kind that is not named never strikes. All kinds, if absent.
    pub weights: Option<BTreeMap<Kind, u16>>,
    /// Whether each seed leaves out some of the kinds and makes some stronger, so that rare combinations get their turn.
    pub swarm: bool,
    /// The longest time that a fault with a duration lasts.
    pub longest: Time,
    /// How often a fault lies in ambush, one of a few at a time: it waits for a protocol situation, drawn evenly from all of
    /// them, and strikes one of those who have a part in it. Time alone seldom hits the moments in which little happens and much
    /// is at stake.
    pub ambush: Share,
}

impl Default for RandomOptions {
    fn default() -> RandomOptions {
        RandomOptions {
            every: Time::millis(700),
            weights: None,
            swarm: true,
            longest: Time::secs(3),
            ambush: Share::new(1, 3),
        }
    }
}

/// What can strike at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A killed process that starts again.
    Crash,
    /// A process killed between two outputs of a step.
    CrashInside,
    /// A power failure of one server.
    PowerLoss,
    /// A clean stop.
    Stop,
    /// A process killed over and over.
    RestartStorm,
    /// A machine that stands still.
    Pause,
    /// A disk that is emptied, within the budget.
    Wipe,
    /// One direction between two servers.
    Cut,
    /// A server cut off from all.
    Isolate,
    /// Two groups cut off from each other.
    Partition,
    /// A way between two servers that comes and goes.
    Flap,
    /// A broken connection.
    Reset,
    /// A connection of which one end does not know that it is broken.
    HalfOpen,
    /// A slow way.
    Clog,
    /// A full disk.
    DiskFull,
    /// A slow disk.
    DiskSlow,
    /// A failed sync.
    SyncFails,
    /// A clock that jumps.
    ClockJump,
    /// Everybody loses power.
    AllDown,
}

impl Kind {
    /// All of them, with the weight each has if a scenario names none.
    pub const WEIGHTS: [(Kind, u16); 19] = [
        (Kind::Crash, 10),
        (Kind::CrashInside, 10),
        (Kind::PowerLoss, 10),
        (Kind::Stop, 4),
        (Kind::RestartStorm, 2),
        (Kind::Pause, 6),
        (Kind::Wipe, 2),
        (Kind::Cut, 8),
        (Kind::Isolate, 6),
        (Kind::Partition, 6),
        (Kind::Flap, 3),
        (Kind::Reset, 10),
        (Kind::HalfOpen, 5),
        (Kind::Clog, 5),
        (Kind::DiskFull, 4),
        (Kind::DiskSlow, 4),
        (Kind::SyncFails, 4),
        (Kind::ClockJump, 4),
        (Kind::AllDown, 2),
    ];
}

/// A fault that waits for its situation.
#[derive(Clone, Copy, Debug)]
struct Ambush {
    when: When,
    /// How often the situation passes before it strikes.
    passes: u64,
}

/// Who had a part in a situation, and how long after it a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sprung {
    /// To whom it happened.
    pub trigger: Node,
    /// Who was on the other side.
    pub peer: Option<Node>,
    /// How long after it.
    pub after: Duration,
}

/// The chooser.
#[derive(Clone, Debug)]
pub struct RandomFaults {
    rng: Rng,
    share: Share,
    /// At most [`AMBUSHES`]: one that waits for what never comes must not keep all others away.
    ambushes: Vec<Ambush>,
    every: Duration,
    longest: Duration,
    weights: Vec<(Kind, u64)>,
}

const AMBUSHES: usize = 4;

/// By how much a seed may make a kind stronger.
const STRENGTHS: [u64; 4] = [1, 1, 4, 16];

impl RandomFaults {
    /// The faults of one run.
    pub fn new(options: &RandomOptions, seed: u64) -> RandomFaults {
        let mut rng = Rng::new(seed, Stream::Faults, 1);
        let mut weights: Vec<(Kind, u64)> = match &options.weights {
            Some(weights) => weights.iter().map(|(&kind, &weight)| (kind, weight.into())).collect(),
            None => Kind::WEIGHTS.into_iter().map(|(kind, weight)| (kind, weight.into())).collect(),
        };
        weights.retain(|&(_, weight)| weight > 0);
        if options.swarm {
            let kept: Vec<bool> = weights.iter().map(|_| rng.below(3) > 0).collect();
            if kept.iter().any(|&kept| kept) {
                let mut kept = kept.into_iter();
                weights.retain(|_| kept.next() == Some(true));
            }
            for (_, weight) in &mut weights {
                *weight *= STRENGTHS[rng.below(STRENGTHS.len() as u64) as usize];
            }
        }
        let (every, longest, share) = (options.every.0, options.longest.0, options.ambush);
        let mut faults = RandomFaults { rng, share, ambushes: Vec::new(), every, longest, weights };
        // The first synchronisation, to which disks may bring any past, is over before the first pause is.
        for _ in 0..AMBUSHES {
            if faults.rng.chance(share.0) {
                faults.lie_in_ambush();
            }
        }
        faults
    }

    /// The pause before the next fault.
    pub fn pause(&mut self) -> Duration {
        Duration(self.rng.range(self.every.0 / 8, self.every.0.saturating_mul(15) / 8).max(1))
    }

    /// The next fault; `None` if it lies in ambush, or if the one that was drawn is not possible within the budget.
    pub fn draw(&mut self, world: &World) -> Option<Injection> {
        if self.ambushes.len() < AMBUSHES && self.rng.chance(self.share.0) {
            self.lie_in_ambush();
            return None;
        }
        let node = self.victim(world)?;
        let other = self.other(world, node);
        self.against(world, node, other)
    }

    fn lie_in_ambush(&mut self) {
        let Some(&when) = self.rng.pick(&When::ALL) else { return };
        // What comes once in a run is not to be missed; what comes all the time is not to be struck at its first time only.
        let most = 1 << self.rng.below(6);
        let passes = if self.rng.below(2) == 0 { 0 } else { self.rng.below(most) };
        self.ambushes.push(Ambush { when, passes });
    }

    /// Whether `event` is what an ambush waits for.
    pub fn spring(&mut self, event: &Event, world: &World) -> Option<Sprung> {
        let (index, (trigger, peer)) = self
            .ambushes
            .iter()
            .enumerate()
            .find_map(|(index, ambush)| Some((index, ambush.when.matches(event, world)?)))?;
        let ambush = &mut self.ambushes[index];
        if let Some(passes) = ambush.passes.checked_sub(1) {
            ambush.passes = passes;
            return None;
        }
        self.ambushes.remove(index);
        let after = match self.rng.below(3) {
            0 => Duration(self.rng.below(10_000_000)),
            _ => Duration::ZERO,
        };
        Some(Sprung { trigger, peer, after })
    }

    /// The fault that strikes those who came into the ambush.
    pub fn draw_at(&mut self, world: &World, trigger: Node, peer: Option<Node>) -> Option<Injection> {
        let (node, other) = match peer {
            Some(peer) if self.rng.below(2) == 0 => (peer, Some(trigger)),
            Some(peer) => (trigger, Some(peer)),
            None => (trigger, self.other(world, trigger)),
        };
        self.against(world, node, other)
    }

    fn against(&mut self, world: &World, node: Node, other: Option<Node>) -> Option<Injection> {
        let kind = self.kind()?;
        let down = Some(self.span());
        let lasts = Some(self.span());
        let detail = self.rng.next_u64();
        let small = (detail >> 8) as u16;
        let node_selector = Selector::Node(node);
        let other = other.map(Selector::Node);
        Some(match kind {
            Kind::Crash => Injection::Crash { node: node_selector, down },
            Kind::CrashInside => {
                let outputs = (small % 6) as u8;
                Injection::CrashInside { node: node_selector, outputs, power: detail & 1 == 1, down }
            }
            Kind::PowerLoss => {
                Injection::PowerLoss { node: node_selector, kept: small % 4, torn: detail & 1 == 1, down }
            }
            Kind::Stop => Injection::Stop { node: node_selector, down },
            Kind::RestartStorm => {
                let every = Time::millis(50 + u64::from(small % 400));
                Injection::RestartStorm { node: node_selector, times: 2 + small % 5, every }
            }
            Kind::Pause => Injection::Pause { node: node_selector, lasts },
            Kind::Wipe if may_wipe(world, node) => Injection::Wipe { node: node_selector, down },
            Kind::Wipe => return None,
            Kind::Cut => Injection::Cut { from: node_selector, to: other?, both: detail & 3 == 0, lasts },
            Kind::Isolate => Injection::Isolate { node: node_selector, lasts },
            Kind::Partition => {
                let group: Vec<Selector> =
                    nodes(world).filter(|n| detail >> (n.index() % 32) & 1 == 1).map(Selector::Node).collect();
                Injection::Partition { groups: vec![group], lasts }
            }
            Kind::Flap => {
                let every = Time::millis(20 + u64::from(small % 300));
                Injection::Flap { a: node_selector, b: other?, times: 2 + small % 6, every }
            }
            Kind::Reset => Injection::Reset { node: node_selector, peer: other, lose: small % 8 },
            Kind::HalfOpen => Injection::HalfOpen { node: node_selector, peer: other },
            Kind::Clog => {
                let by = Time::millis(5 + u64::from(small % 300));
                Injection::Clog { from: node_selector, to: other?, by, lasts }
            }
            Kind::DiskFull => Injection::DiskFull { node: node_selector, lasts },
            Kind::DiskSlow => Injection::DiskSlow { node: node_selector, factor: 2 + small % 100, lasts },
            Kind::SyncFails => Injection::SyncFails { node: node_selector },
            Kind::ClockJump => {
                let by = Time::millis(10 + u64::from(small % 5_000));
                Injection::ClockJump { node: node_selector, by }
            }
            Kind::AllDown => Injection::AllDown { kept: small % 3, down, only: Vec::new() },
        })
    }

    fn kind(&mut self) -> Option<Kind> {
        let total: u64 = self.weights.iter().map(|&(_, weight)| weight).sum();
        let mut draw = self.rng.below(total);
        for &(kind, weight) in &self.weights {
            match draw.checked_sub(weight) {
                None => return Some(kind),
                Some(rest) => draw = rest,
            }
        }
        None
    }

    /// The leader more often than its share: that is where the protocol happens.
    fn victim(&mut self, world: &World) -> Option<Node> {
        let draw = self.rng.below(4);
        let any = self.rng.below(world.setup().nodes.len() as u64) as usize;
        if draw == 0 { super::inject::leader(world).or(Some(Node::at(any))) } else { Some(Node::at(any)) }
    }

    fn other(&mut self, world: &World, node: Node) -> Option<Node> {
        let others: Vec<Node> = nodes(world).filter(|&other| other != node).collect();
        self.rng.pick(&others).copied()
    }

    fn span(&mut self) -> Time {
        let widest = self.longest.0 >> self.rng.below(5);
        Time(Duration(self.rng.range(1_000_000, widest)))
    }
}

/// The budget for the loss of a disk: whether `node` may lose its own.
pub fn may_wipe(world: &World, node: Node) -> bool {
    let ensemble = &world.setup().ensemble;
    if ensemble.role(node.sid()) == Some(MemberRole::Observer) {
        return true;
    }
    let whole: MemberSet = nodes(world)
        .filter(|&other| other != node && ensemble.is_participant(other.sid()) && !world.node(other).may_be_dataless())
        .map(Node::index)
        .collect();
    ensemble.has_quorum(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_weight() {
        let kinds: BTreeMap<Kind, u16> = Kind::WEIGHTS.into_iter().collect();
        assert_eq!(kinds.len(), Kind::WEIGHTS.len());
        assert!(kinds.values().all(|&weight| weight > 0));
    }

    #[test]
    fn a_swarm_leaves_some_kinds_out_and_never_all() {
        let sizes: Vec<usize> =
            (0..200).map(|seed| RandomFaults::new(&RandomOptions::default(), seed).weights.len()).collect();
        assert!(sizes.iter().all(|&n| n > 0));
        assert!(sizes.iter().any(|&n| n < 12) && sizes.iter().any(|&n| n > 14), "{sizes:?}");
    }

    #[test]
    fn the_chosen_kinds_are_the_weighted_ones() {
        let weights = Some(BTreeMap::from([(Kind::Pause, 3), (Kind::Wipe, 0)]));
        let mut faults = RandomFaults::new(&RandomOptions { weights, ..RandomOptions::default() }, 1);
        assert!((0..50).all(|_| faults.kind() == Some(Kind::Pause)));
    }
}
