//! E5, best history, by (currentEpoch, last zxid). A learner whose promise is an old one answers without an epoch and must not
//! be counted, unless it was counted earlier in the same role of the leader; nor must one without data, whose claim
//! [`Zxid::MISSING`] is below every history and stands for one that it lost. Any other zxid may be a marker, see
//! `d8_honest_claims`: it is compared as told, which errs on no side, for (e, 0) is above all that precedes e.

use super::{Ghost, Property, Sink, names};
use crate::sim::Node;
use crate::zab::{Epoch, MemberSet, Zxid};

/// The history that each learner told each leader, since that leader's role began.
#[derive(Clone, Debug)]
pub struct BestHistory {
    nodes: usize,
    told: Vec<Option<(Epoch, Zxid)>>,
}

impl BestHistory {
    /// Of so many nodes.
    pub fn new(nodes: usize) -> BestHistory {
        BestHistory { nodes, told: vec![None; nodes * nodes] }
    }

    /// A role began.
    pub fn on_role_start(&mut self, node: Node) {
        self.told[node.index() * self.nodes..][..self.nodes].fill(None);
    }

    /// A leader received ACKEPOCH.
    pub fn on_ack_epoch(&mut self, leader: Node, learner: Node, current: Option<Epoch>, last: Zxid) {
        if let Some(current) = current.filter(|_| last != Zxid::MISSING) {
            self.told[leader.index() * self.nodes + learner.index()] = Some((current, last));
        }
    }

    /// A leader compared the histories of a quorum with its own.
    pub fn on_epoch_acked(&self, ghost: &Ghost, leader: Node, acked: MemberSet, last: Zxid, out: &mut Sink) {
        let quorum = ghost.has_quorum(acked) && acked.contains(leader.index());
        out.check(Property::E5, quorum, [leader], || {
            (format!("a quorum with {leader} told their histories"), format!("{leader} counts {}", names(acked)))
        });
        let own = (ghost.peer(leader).at_role_start.1, last);
        for member in acked.iter().map(Node::at).filter(|&member| member != leader) {
            let told = self.told[leader.index() * self.nodes + member.index()];
            out.check(Property::E5, told.is_some_and(|told| told <= own), [leader, member], || {
                let expected = match told {
                    Some((epoch, zxid)) => format!("a history at or above ({epoch}, {zxid}), which {member} told"),
                    None => format!("{member} told a history that counts"),
                };
                (expected, format!("{leader} leads with ({}, {})", own.0, own.1))
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, p};
    use crate::zab::Zxid;

    /// p3 leaves discovery by what p1 says.
    fn leads_with(story: &mut Story, current: Option<u32>, last: Zxid) {
        story.role_ends();
        story.begins_to_lead(p(3));
        story.connect(p(1), p(3));
        story.infos(p(1), p(3), 1);
        story.ack_epochs(p(1), p(3), current, last);
        story.epoch_acked(p(3), 2, &[1, 3]);
    }

    #[test]
    fn a_leader_behind_its_quorum_is_noticed() {
        fires(Property::E5, |story| {
            story.proposed(p(3), 1, 3);
            story.append(p(1), 1, 3);
            leads_with(story, Some(1), Story::zxid(1, 3));
        });
    }

    #[test]
    fn an_answer_that_must_not_count_is_noticed_when_counted() {
        fires(Property::E5, |story| leads_with(story, None, Story::zxid(1, 2)));
    }

    #[test]
    fn a_learner_without_data_is_noticed_when_counted() {
        fires(Property::E5, |story| leads_with(story, Some(0), Zxid::MISSING));
    }

    #[test]
    fn less_than_a_quorum_is_noticed() {
        for acked in [&[3][..], &[1, 2]] {
            fires(Property::E5, |story| {
                story.role_ends();
                story.begins_to_lead(p(3));
                for n in [1, 2] {
                    story.joins(p(n), p(3), 1);
                }
                story.epoch_acked(p(3), 2, acked);
            });
        }
    }
}
