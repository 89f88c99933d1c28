//! What each peer is at a moment: the line its lane is drawn with.

use crate::sim::{Event, Fault, Node};
use crate::zab::{Epoch, Milestone, PeerState, Phase};

/// Whether a peer's process runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// It does not.
    #[default]
    Down,
    /// Its machine stands still.
    Paused,
    /// It does.
    Up,
}

/// One peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lane {
    /// Whether it runs.
    pub presence: Presence,
    /// State, phase and epoch, once it said so.
    pub role: Option<(PeerState, Phase, Option<Epoch>)>,
}

/// All peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lanes(Vec<Lane>);

impl Lanes {
    /// That many peers, all down.
    pub fn new(nodes: usize) -> Lanes {
        Lanes(vec![Lane::default(); nodes])
    }

    /// How many there are.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        (0..self.0.len()).map(Node::at)
    }

    /// One of them.
    pub fn lane(&self, node: Node) -> Lane {
        self.0[node.index()]
    }

    /// Whether an event may change a lane.
    pub fn is_changed_by(event: &Event) -> bool {
        matches!(
            event,
            Event::Started { .. }
                | Event::Crashed { .. }
                | Event::Halted { .. }
                | Event::Fault(Fault::Paused { .. } | Fault::Resumed { .. })
                | Event::Milestone { milestone: Milestone::Entered { .. }, .. }
        )
    }

    /// Follows an event.
    pub fn see(&mut self, event: &Event) {
        match *event {
            Event::Started { node } => self.0[node.index()] = Lane { presence: Presence::Up, role: None },
            Event::Crashed { node, .. } | Event::Halted { node, .. } => self.0[node.index()] = Lane::default(),
            Event::Fault(Fault::Paused { node }) => self.0[node.index()].presence = Presence::Paused,
            Event::Fault(Fault::Resumed { node }) => self.0[node.index()].presence = Presence::Up,
            Event::Milestone { node, milestone: Milestone::Entered { state, phase, epoch } } => {
                self.0[node.index()] = Lane { presence: Presence::Up, role: Some((state, phase, epoch)) };
            }
            _ => {}
        }
    }
}
