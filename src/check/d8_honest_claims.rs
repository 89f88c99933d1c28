//! D8, honest claims. What a peer claims must be the end of its durable history, neither ahead of it nor behind.
//!
//! One exception: ZooKeeper sets lastProcessedZxid to (e, 0) when a leader begins to serve epoch e, so such a leader claims the
//! marker as long as it has proposed nothing, also after its role ended, and so does a learner that took its snapshot. The
//! marker is accepted from a node that was itself established in e, whose durable history is e's initial history; a mere
//! candidate for e may not claim it (ZOOKEEPER-790).

use super::{Ghost, Property, Sink};
use crate::sim::Node;
use crate::zab::Zxid;

/// Remembers nothing: the ghost knows every disk.
#[derive(Clone, Debug, Default)]
pub struct HonestClaims;

impl HonestClaims {
    /// A peer claims `zxid` in a vote for itself, in ACKEPOCH, or as the leader that leaves discovery.
    pub fn on_claim(&self, ghost: &Ghost, node: Node, zxid: Zxid, out: &mut Sink) {
        if zxid < Zxid::ZERO || !ghost.is_voter(node) {
            return; // data-less, or may not be voted for: it claims nothing that counts
        }
        let durable = &ghost.peer(node).disk.durable.history;
        let last = durable.last_zxid(&ghost.chosen);
        let held = last == zxid || zxid.is_marker() && last < zxid && served(ghost, node, zxid);
        out.check(Property::D8, held, [node], || {
            (format!("the claim {last}, the end of the durable history"), format!("{node} claims {zxid}"))
        });
    }
}

/// Whether `node` was established in the epoch of `marker` and holds exactly its initial history.
fn served(ghost: &Ghost, node: Node, marker: Zxid) -> bool {
    let Some(reign) = ghost.broadcasts.reign(marker.epoch()) else { return false };
    let durable = &ghost.peer(node).disk.durable.history;
    let is_initial = |len, hash| durable.len() == len && durable.begins_with(len, hash, &ghost.chosen);
    reign.established.contains(node.index())
        && reign.initial.is_some_and(|initial| is_initial(initial.len, initial.hash))
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, fires_in, p};
    use crate::sim::Event;
    use crate::zab::{Epoch, MemberSet, Milestone};

    #[test]
    fn a_vote_ahead_of_the_disk_is_noticed() {
        fires(Property::D8, |story| story.votes_for_itself(p(1), 1, Story::zxid(1, 9), 2));
    }

    #[test]
    fn the_marker_is_the_claim_of_a_leader_that_served_and_of_nobody_else() {
        let mut story = Story::serving();
        story.role_ends();
        story.lead(p(3), 2, &[1]);
        story.role_ends();
        story.votes_for_itself(p(3), 2, Story::zxid(2, 0), 3);
        fires_in(story, Property::D8, |story| story.votes_for_itself(p(1), 2, Story::zxid(2, 0), 3));
    }

    #[test]
    fn neither_a_txn_of_ones_epoch_nor_its_marker_with_more_than_its_history_is_a_claim() {
        for (counter, more) in [(5, false), (0, true)] {
            let mut story = Story::serving();
            story.role_ends();
            story.lead(p(3), 2, &[1]);
            story.role_ends();
            fires_in(story, Property::D8, |story| {
                if more {
                    story.append(p(3), 1, 3);
                }
                story.votes_for_itself(p(3), 2, Story::zxid(2, counter), 3);
            });
        }
    }

    #[test]
    fn a_learner_that_tells_less_than_it_has_is_noticed() {
        fires(Property::D8, |story| {
            story.role_ends();
            story.connect(p(1), p(3));
            story.infos(p(1), p(3), 1);
            story.ack_epochs(p(1), p(3), Some(1), Story::zxid(1, 1));
        });
    }

    #[test]
    fn a_leader_that_compares_with_more_than_it_has_is_noticed() {
        fires(Property::D8, |story| {
            let (epoch, acked, last_zxid) = (Epoch(2), MemberSet(0b101), Story::zxid(1, 3));
            let milestone = Milestone::EpochAcked { epoch, acked, last_zxid };
            story.event(Event::Milestone { node: p(3), milestone });
        });
    }
}
