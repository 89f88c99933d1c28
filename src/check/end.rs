//! `End`: what the run says when a stage ends, and whether a stall would have been permitted.
//!
//! Liveness is judged only after [`Stage::Converge`]: the run heals a core, waits for a bound of virtual time, and says whether
//! it saw the core converge. If it did not, the checkers say what is missing, and that nothing permitted it.

use super::{Ghost, View, names};
use crate::sim::{Node, Stage};
use crate::zab::{Duration, MemberSet};

/// The end of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Which.
    pub stage: Stage,
    /// Whether the run saw the core converge within the bound.
    pub converged: bool,
    /// The nodes that were healed, by position.
    pub core: MemberSet,
    /// How long the run waited at most.
    pub bound: Duration,
    /// So many elections are permitted after the heal (L4).
    pub elections: u32,
    /// The budget from the heal to an established leader (L6).
    pub recovery: Option<Duration>,
}

impl End {
    /// The nodes of the core.
    pub fn nodes(&self) -> impl Iterator<Item = Node> {
        self.core.iter().map(Node::at)
    }

    /// Why nothing permits a stall; `None` if something does. A node that lost its data is mute in elections and does not count
    /// for the quorum.
    pub fn no_excuse(&self, ghost: &Ghost, view: &impl View) -> Option<String> {
        let live: MemberSet = self.nodes().filter(|&node| view.is_live(node)).map(Node::index).collect();
        let cut = |a: usize, b: usize| a != b && view.is_cut(Node::at(a), Node::at(b));
        if live.iter().any(|a| live.iter().any(|b| cut(a, b))) {
            return None;
        }
        let able =
            live.iter().filter(|&i| ghost.is_voter(Node::at(i)) && ghost.peer(Node::at(i)).before_wipe.is_none());
        let able: MemberSet = able.collect();
        ghost.ensemble.has_quorum(able).then(|| {
            let bound = self.bound;
            format!("for {bound} {} are up, nothing between them is cut, and they are a quorum", names(able))
        })
    }
}
