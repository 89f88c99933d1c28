//! E9, commit rule: an established leader commits (e,1), (e,2), … each with a quorum; the initial history counts as one block at
//! the moment of establishment. What peers are told to deliver must have been decided so.

use super::{Ghost, Property, Sink, names};
use crate::sim::Node;
use crate::zab::{Epoch, MemberSet, Zxid};

/// What each node committed last as a leader.
#[derive(Clone, Debug)]
pub struct CommitRule {
    last: Vec<Zxid>,
}

impl CommitRule {
    /// Of so many nodes.
    pub fn new(nodes: usize) -> CommitRule {
        CommitRule { last: vec![Zxid::NONE; nodes] }
    }

    /// A would-be leader begins to synchronise learners: all it may tell them to deliver is of older epochs.
    pub fn on_epoch_acked(&mut self, node: Node, epoch: Epoch) {
        self.last[node.index()] = Zxid::marker(epoch);
    }

    /// A leader was established.
    pub fn on_established(&mut self, ghost: &Ghost, node: Node, epoch: Epoch, acks: MemberSet, out: &mut Sink) {
        self.last[node.index()] = Zxid::marker(epoch);
        let held = ghost.has_quorum(acks) && ghost.peer(node).participates == Some(epoch);
        out.check(Property::E9, held, [node], || {
            (format!("a quorum acknowledged NEWLEADER {epoch}"), format!("only {} did", names(acks)))
        });
    }

    /// A leader committed a txn.
    pub fn on_committed(&mut self, ghost: &Ghost, node: Node, zxid: Zxid, acks: MemberSet, out: &mut Sink) {
        let before = std::mem::replace(&mut self.last[node.index()], zxid);
        out.check(Property::E9, zxid == before.next(), [node], || {
            (format!("the commit of {}", before.next()), format!("{node} commits {zxid}"))
        });
        out.check(Property::E9, ghost.has_quorum(acks), [node], || {
            (format!("a quorum acknowledged {zxid}"), format!("only {} did", names(acks)))
        });
    }

    /// A leader tells a learner to deliver a txn. Older epochs' txns belong to the initial history.
    pub fn on_told(&self, node: Node, zxid: Zxid, out: &mut Sink) {
        let last = self.last[node.index()];
        out.check(Property::E9, zxid <= last || zxid.epoch() < last.epoch() || last == Zxid::NONE, [node], || {
            (format!("COMMIT and INFORM up to {last}, as decided"), format!("{node} sends one of {zxid}"))
        });
    }

    /// `node` delivered a txn that no leader had committed.
    pub fn on_undecided(&self, node: Node, zxid: Zxid, out: &mut Sink) {
        out.check(Property::E9, false, [node], || {
            (format!("a leader commits {zxid} before anybody delivers it"), format!("{node} delivers it first"))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, p};
    use crate::sim::PacketKind;

    #[test]
    fn a_commit_out_of_turn_is_noticed() {
        fires(Property::E9, |story| {
            logged(story);
            story.proposed(p(3), 1, 4);
            (1..=3).for_each(|n| story.append(p(n), 1, 4));
            story.committed(p(3), 1, 4, &[1, 2, 3]);
        });
    }

    /// (1,3) is on all three disks.
    fn logged(story: &mut Story) {
        story.proposed(p(3), 1, 3);
        (1..=3).for_each(|n| story.append(p(n), 1, 3));
    }

    #[test]
    fn a_commit_without_a_quorum_is_noticed() {
        fires(Property::E9, |story| {
            logged(story);
            story.committed(p(3), 1, 3, &[3]);
        });
    }

    #[test]
    fn whoever_is_counted_and_did_not_sync_is_noticed() {
        fires(Property::E9, |story| {
            story.proposed(p(3), 1, 3);
            story.append(p(1), 1, 3);
            story.append(p(3), 1, 3);
            story.append_unsynced(p(2), 1, 3);
            story.committed(p(3), 1, 3, &[1, 2, 3]);
        });
    }

    #[test]
    fn an_order_to_deliver_what_was_not_committed_is_noticed() {
        for (to, kind) in [(1, PacketKind::Commit), (4, PacketKind::Inform)] {
            fires(Property::E9, |story| {
                logged(story);
                story.sent(p(3), p(to), kind, Story::zxid(1, 3));
            });
        }
    }

    #[test]
    fn a_delivery_before_the_commit_is_noticed() {
        fires(Property::E9, |story| {
            logged(story);
            story.delivered(p(2), 1, 3, 1003);
        });
    }

    #[test]
    fn serving_with_what_nobody_committed_is_noticed() {
        fires(Property::E9, |story| {
            logged(story);
            story.leaves(p(2));
            story.fast_forwarded(p(2), 1, 3);
            story.serves(p(2), 1);
        });
    }

    #[test]
    fn an_establishment_without_a_quorum_or_of_another_epoch_is_noticed() {
        fires(Property::E9, |story| story.established(p(3), 1, &[3]));
        fires(Property::E9, |story| story.established(p(3), 2, &[1, 3]));
    }

    #[test]
    fn what_an_older_epoch_or_this_one_decided_may_be_told_late() {
        let mut story = Story::serving();
        story.sent(p(3), p(1), PacketKind::Commit, Story::zxid(1, 1));
        story.role_ends();
        story.lead(p(3), 2, &[1, 2]);
        story.sent(p(3), p(1), PacketKind::Commit, Story::zxid(1, 2));
        story.assert_legal();
    }
}
