//! What happened in a run, in numbers.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::check::{Checkers, Property};
use crate::sim::{Event, Fault, Node, Op, World};
use crate::zab::{Duration, Instant, Milestone, PeerState, SyncMode};

/// What happened in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Who led when.
    pub leaders: Vec<Reign>,
    /// How learners were brought up to date.
    pub syncs: Vec<Synchronised>,
    /// How often each kind of fault struck: injected ones by their name in scenarios, and what became of processes and wires.
    pub faults: BTreeMap<String, u64>,
    /// How many txns leaders committed.
    pub txns_committed: u64,
    /// How many elections were won.
    pub elections: u64,
    /// What became of writes.
    pub writes: Answers,
    /// What became of reads and syncs.
    pub reads: Answers,
    /// The last operation of each client.
    #[serde(skip)]
    pub(super) last: Vec<Option<Op>>,
    /// How long after the heal a leader served (L6); `None` if the run did not come so far.
    #[serde(serialize_with = "as_optional_text")]
    pub recovery: Option<Duration>,
    /// How many properties were checked.
    pub properties_checked: usize,
    /// Which.
    #[serde(skip)]
    pub checked: Vec<Property>,
    /// Which interesting situations occurred, how often.
    pub reached: BTreeMap<String, u64>,
}

/// An established leader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reign {
    /// Who.
    pub leader: Node,
    /// In which epoch.
    pub epoch: u32,
    /// From when.
    #[serde(serialize_with = "as_text")]
    pub from: Instant,
    /// To when; `None` if it led to the end.
    #[serde(serialize_with = "as_optional_text")]
    pub until: Option<Instant>,
}

/// How often a learner was brought up to date in a mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Synchronised {
    /// Who.
    pub learner: Node,
    /// How.
    #[serde(serialize_with = "as_text")]
    pub mode: SyncMode,
    /// How often.
    pub times: u64,
}

/// What became of operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answers {
    /// Sent.
    pub sent: u64,
    /// Answered.
    pub acked: u64,
    /// Refused: they had no effect.
    pub refused: u64,
    /// Neither: they may have had an effect.
    pub unknown: u64,
}

fn as_text<T: std::fmt::Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

fn as_optional_text<T: std::fmt::Display, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => to.collect_str(value),
        None => to.serialize_none(),
    }
}

impl Summary {
    /// Counts what happened in the last step.
    pub(super) fn watch(&mut self, world: &World) {
        for event in world.events() {
            match *event {
                Event::Invoked { client, op, .. } => {
                    let client = usize::from(client);
                    if self.last.len() <= client {
                        self.last.resize(client + 1, None);
                    }
                    self.last[client] = Some(op);
                    self.answers(op).sent += 1;
                }
                Event::Refused { client, .. } => {
                    if let Some(op) = self.last.get(usize::from(client)).copied().flatten() {
                        self.answers(op).refused += 1;
                    }
                }
                Event::Replied { op, .. } => self.answers(op).acked += 1,
                Event::Milestone { node, milestone } => self.milestone(node, milestone, world.now()),
                Event::Serving { node, state } if state != Some(PeerState::Leading) => self.dethrone(node, world.now()),
                Event::Crashed { node, .. } | Event::Halted { node, .. } => {
                    self.fault(if matches!(event, Event::Halted { .. }) { "process halted" } else { "process lost" });
                    self.dethrone(node, world.now());
                }
                Event::NotificationLost { .. } => self.fault("notification lost"),
                Event::Lost { .. } => self.fault("write lost"),
                Event::WriteFailed { .. } => self.fault("write failed"),
                Event::Fault(fault) => self.environment(fault),
                _ => {}
            }
        }
    }

    /// The end of the run: what the schedule and the checkers counted.
    pub(super) fn finish(&mut self, struck: &BTreeMap<&'static str, u32>, checkers: &Checkers) {
        for (&name, &times) in struck {
            *self.faults.entry(name.to_owned()).or_default() += u64::from(times);
        }
        self.recovery = checkers.recovery_time();
        self.checked = Property::all().iter().copied().filter(|&property| checkers.checked(property) > 0).collect();
        self.properties_checked = self.checked.len();
        self.reached =
            checkers.reached().iter().filter(|&(_, n)| n > 0).map(|(s, n)| (s.name().to_owned(), n)).collect();
        let lost =
            |answers: &mut Answers| answers.unknown = answers.sent.saturating_sub(answers.acked + answers.refused);
        lost(&mut self.writes);
        lost(&mut self.reads);
    }

    fn answers(&mut self, op: Op) -> &mut Answers {
        if op == Op::Write { &mut self.writes } else { &mut self.reads }
    }

    fn milestone(&mut self, node: Node, milestone: Milestone, now: Instant) {
        match milestone {
            Milestone::Elected { vote, .. } if vote.leader == node.sid() => self.elections += 1,
            Milestone::Established { epoch, .. } => {
                self.leaders.push(Reign { leader: node, epoch: epoch.0, from: now, until: None });
            }
            Milestone::Left { .. } => self.dethrone(node, now),
            Milestone::Committed { .. } => self.txns_committed += 1,
            Milestone::SyncPlanned { learner, mode, .. } => {
                let learner = Node::of(learner);
                match self.syncs.iter_mut().find(|sync| (sync.learner, sync.mode) == (learner, mode)) {
                    Some(sync) => sync.times += 1,
                    None => self.syncs.push(Synchronised { learner, mode, times: 1 }),
                }
            }
            _ => {}
        }
    }

    fn dethrone(&mut self, node: Node, now: Instant) {
        if let Some(reign) = self.leaders.iter_mut().rev().find(|reign| reign.leader == node) {
            reign.until.get_or_insert(now);
        }
    }

    fn fault(&mut self, name: &str) {
        match self.faults.get_mut(name) {
            Some(times) => *times += 1,
            None => drop(self.faults.insert(name.to_owned(), 1)),
        }
    }

    fn environment(&mut self, fault: Fault) {
        match fault {
            Fault::Cut { .. } => self.fault("way cut"),
            Fault::Reset { .. } => self.fault("link reset"),
            Fault::HalfOpened { .. } => self.fault("link half open"),
            Fault::Overtaken { .. } => self.fault("packet overtaken"),
            Fault::Mended { .. }
            | Fault::Paused { .. }
            | Fault::Resumed { .. }
            | Fault::Wiped { .. }
            | Fault::Disk { .. }
            | Fault::ClockJumped { .. } => {}
        }
    }
}
