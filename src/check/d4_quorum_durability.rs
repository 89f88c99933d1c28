//! D4, quorum durability: counted on the disks, not by what ACKs claim; observers do not count.
//!
//! A node whose disk was wiped still counts for what it had synced, until it has been synchronised again: till then it is mute
//! in elections, hence no quorum that forgets the txn can form with it.

use super::{Ghost, Property, Sink};
use crate::sim::Node;

/// Remembers nothing: the ghost knows every disk.
#[derive(Clone, Debug, Default)]
pub struct QuorumDurability;

impl QuorumDurability {
    /// `chosen` grew to its present end by a decision of `node`, or because it was the first to deliver.
    pub fn on_chosen(&self, ghost: &Ghost, node: Node, out: &mut Sink) {
        let len = ghost.chosen.len();
        let holders = ghost.holders(len, ghost.chosen.hash_at(len));
        out.check(Property::D4, ghost.has_quorum(holders), [node], || {
            let expected = format!("a quorum of participants has {} synced", ghost.chosen.last());
            (expected, format!("it is synced at {} when {node} takes it as committed", super::names(holders)))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, fires_after, p};
    use crate::sim::{DiskWrite, PacketKind};
    use crate::zab::Epoch;

    /// p3 proposes (1,3), and commits it with p2, which has promised itself away: what p2 holds is no matter of E9 then.
    fn commits(story: &mut Story, p2_logs: impl FnOnce(&mut Story)) {
        story.proposed(p(3), 1, 3);
        story.append(p(3), 1, 3);
        p2_logs(story);
        story.persist(p(2), DiskWrite::AcceptedEpoch(Epoch(5)));
        story.committed(p(3), 1, 3, &[2, 3]);
    }

    #[test]
    fn a_commit_of_what_only_the_leader_synced_is_noticed() {
        fires(Property::D4, |story| commits(story, |_| {}));
    }

    #[test]
    fn neither_a_lying_disk_nor_an_unsynced_one_counts() {
        fires(Property::D4, |story| commits(story, |story| story.append_with_a_lie(p(2), 1, 3)));
        fires(Property::D4, |story| commits(story, |story| story.append_unsynced(p(2), 1, 3)));
    }

    #[test]
    fn what_is_delivered_before_anybody_committed_it_is_counted_too() {
        fires(Property::D4, |story| {
            story.proposed(p(3), 1, 3);
            story.delivered(p(2), 1, 3, 1003);
        });
    }

    #[test]
    fn what_is_served_before_a_quorum_has_it_is_noticed() {
        fires(Property::D4, |story| {
            story.proposed(p(3), 1, 3);
            story.leaves(p(2));
            story.fast_forwarded(p(2), 1, 3);
            story.serves(p(2), 1);
        });
    }

    #[test]
    fn an_initial_history_that_no_quorum_has_is_noticed_when_it_is_established() {
        // It takes a follower that acknowledges what it does not have, which three others see.
        fires_after(&[Property::D7, Property::D6, Property::C5], Story::serving(), Property::D4, |story| {
            story.proposed(p(3), 1, 3);
            story.append(p(3), 1, 3);
            story.role_ends();
            story.begins_to_lead(p(3));
            story.persist(p(3), DiskWrite::AcceptedEpoch(Epoch(2)));
            story.joins(p(1), p(3), 2);
            story.epoch_acked(p(3), 2, &[1, 3]);
            story.persist(p(3), DiskWrite::CurrentEpoch(Epoch(2)));
            story.pass(p(3), p(1), PacketKind::Diff, Story::zxid(1, 2));
            story.pass(p(3), p(1), PacketKind::NewLeader, Story::zxid(2, 0));
            story.persist(p(1), DiskWrite::CurrentEpoch(Epoch(2)));
            story.pass(p(1), p(3), PacketKind::Ack, Story::zxid(2, 0));
            story.established(p(3), 2, &[1, 3]);
        });
    }
}
