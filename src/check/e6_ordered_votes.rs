//! E6, ordered votes: compared with an oracle, (peer epoch, zxid, sid). Within one round a proposal may only grow; a relation
//! that goes in a circle sooner or later makes one shrink (ZOOKEEPER-1419). A server without weight is never adopted.

use super::{Ghost, Property, Sink};
use crate::sim::Node;
use crate::zab::{PeerState, Phase, Vote};

/// Each node's proposal and its round, in the election it is in.
#[derive(Clone, Debug)]
pub struct OrderedVotes {
    proposals: Vec<Option<(u64, Vote)>>,
}

impl OrderedVotes {
    /// Of so many nodes.
    pub fn new(nodes: usize) -> OrderedVotes {
        OrderedVotes { proposals: vec![None; nodes] }
    }

    /// A node changed its state.
    pub fn on_entered(&mut self, node: Node, state: PeerState, phase: Phase) {
        if state != PeerState::Looking || phase == Phase::Election {
            self.proposals[node.index()] = None;
        }
    }

    /// A process began or ended.
    pub fn on_process(&mut self, node: Node) {
        self.proposals[node.index()] = None;
    }

    /// Whether a node has proposed nothing yet in the election it is in.
    pub fn is_first(&self, node: Node) -> bool {
        self.proposals[node.index()].is_none()
    }

    /// A node's proposal changed.
    pub fn on_proposed(&mut self, ghost: &Ghost, node: Node, vote: Vote, round: u64, out: &mut Sink) {
        let before = self.proposals[node.index()].replace((round, vote)).filter(|before| before.0 == round);
        let Some((_, before)) = before else { return };
        let rank = |vote: &Vote| (vote.peer_epoch, vote.zxid, vote.leader);
        let grows = rank(&vote) >= rank(&before);
        let eligible = vote.leader == before.leader || ghost.ensemble.weight(vote.leader) > 0;
        out.check(Property::E6, grows && eligible, [node], || {
            let tell = |vote: &Vote| format!("{} with ({}, {})", vote.leader, vote.peer_epoch, vote.zxid);
            (
                format!("a vote above {}, for one with weight", tell(&before)),
                format!("{node} goes over to {} in round {round}", tell(&vote)),
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, fires_in, p};

    #[test]
    fn a_proposal_that_shrinks_is_noticed() {
        fires(Property::E6, |story| {
            story.role_ends();
            story.proposes(p(1), p(3), 1, 2, 9);
            story.proposes(p(1), p(2), 1, 2, 9);
        });
    }

    #[test]
    fn a_proposal_of_one_without_weight_is_noticed() {
        fires_in(Story::serving_with_weights(), Property::E6, |story| {
            story.role_ends();
            story.proposes(p(1), p(1), 1, 2, 9);
            story.proposes(p(1), p(2), 1, 2, 9);
        });
    }

    #[test]
    fn a_new_round_or_a_new_election_begins_anew() {
        let mut story = Story::serving();
        story.role_ends();
        story.proposes(p(1), p(3), 1, 2, 9);
        story.proposes(p(1), p(1), 1, 2, 10);
        story.proposes(p(1), p(3), 1, 2, 10);
        story.leaves(p(1));
        story.proposes(p(1), p(1), 1, 2, 10);
        story.ends(p(1));
        story.starts(p(1));
        story.proposes(p(1), p(1), 1, 2, 10);
        story.assert_legal();
    }
}
