//! E4, fresh epoch: judged by what the leader was told, not by what its members promised to others meanwhile.

use super::{Ghost, Property, Sink, names};
use crate::sim::Node;
use crate::zab::{Epoch, MemberSet};

/// The promise that each learner told each leader, since that leader's role began.
#[derive(Clone, Debug)]
pub struct FreshEpoch {
    nodes: usize,
    told: Vec<Option<Epoch>>,
}

impl FreshEpoch {
    /// Of so many nodes.
    pub fn new(nodes: usize) -> FreshEpoch {
        FreshEpoch { nodes, told: vec![None; nodes * nodes] }
    }

    /// A role began.
    pub fn on_role_start(&mut self, node: Node) {
        self.told[node.index() * self.nodes..][..self.nodes].fill(None);
    }

    /// A leader received FOLLOWERINFO or OBSERVERINFO.
    pub fn on_info(&mut self, leader: Node, learner: Node, accepted: Epoch) {
        self.told[leader.index() * self.nodes + learner.index()] = Some(accepted);
    }

    /// A leader chose its epoch.
    pub fn on_epoch_chosen(&self, ghost: &Ghost, leader: Node, epoch: Epoch, joined: MemberSet, out: &mut Sink) {
        let quorum = ghost.has_quorum(joined) && joined.contains(leader.index());
        out.check(Property::E4, quorum, [leader], || {
            (format!("a quorum with {leader} told their promises"), format!("{epoch} is chosen with {}", names(joined)))
        });
        for member in joined.iter().map(Node::at) {
            let told = if member == leader {
                Some(ghost.peer(leader).at_role_start.0)
            } else {
                self.told[leader.index() * self.nodes + member.index()]
            };
            out.check(Property::E4, told.is_some_and(|told| told < epoch), [leader, member], || match told {
                Some(told) => {
                    (format!("an epoch above {told}, the promise of {member}"), format!("{leader} chooses {epoch}"))
                }
                None => (format!("{member} told {leader} its promise"), format!("it is counted for {epoch} unheard")),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{fires, p};

    #[test]
    fn an_epoch_already_promised_is_noticed() {
        fires(Property::E4, |story| {
            story.role_ends();
            story.begins_to_lead(p(3));
            story.connect(p(1), p(3));
            story.infos(p(1), p(3), 1);
            story.epoch_chosen(p(3), 1, &[1, 3]);
        });
    }

    #[test]
    fn a_member_that_was_never_heard_is_noticed() {
        fires(Property::E4, |story| {
            story.role_ends();
            story.begins_to_lead(p(3));
            story.epoch_chosen(p(3), 2, &[1, 3]);
        });
    }

    #[test]
    fn less_than_a_quorum_with_the_leader_is_noticed() {
        for joined in [&[3][..], &[1, 2]] {
            fires(Property::E4, |story| {
                story.role_ends();
                story.begins_to_lead(p(3));
                for n in [1, 2] {
                    story.connect(p(n), p(3));
                    story.infos(p(n), p(3), 1);
                }
                story.epoch_chosen(p(3), 2, joined);
            });
        }
    }
}
