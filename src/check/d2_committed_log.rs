//! D2, committed log durability: checked when the cut or the snapshot is issued, not when it is durable. Two kinds of txns may
//! go all the same, as long as a quorum of others has them:
//!
//! - A leader may let a learner that comes back to it cut what it has under way itself: such txns are of its own epoch, follow on
//!   the same link, and the learner's copy does not count until it is logged again. They may be committed by others meanwhile.
//! - A leader whose quorum has gone over to a later one knows nothing of what only the later one made part of its initial history.
//!   A learner that has not promised the later epoch may still join it, and loses a tail that was nothing when it was left behind.

use super::{Ghost, Property, Sink};
use crate::sim::{DiskWrite, Node};

/// Remembers nothing: the caller tells how much of `chosen` the log held before.
#[derive(Clone, Debug, Default)]
pub struct CommittedLog;

impl CommittedLog {
    /// The log was cut, or replaced by a snapshot.
    pub fn on_replaced(&self, ghost: &mut Ghost, node: Node, agreed_before: usize, write: DiskWrite, out: &mut Sink) {
        let agreed = ghost.agreed_log(node);
        let not_owed = || {
            let promised = ghost.peer(node).disk.durable.accepted;
            let lost = ghost.chosen.get(agreed).is_some_and(|lost| lost.zxid.epoch() <= promised);
            lost && agreed >= ghost.owed_to(promised)
        };
        let spared = || {
            let mut holders = ghost.holders(agreed_before, ghost.chosen.hash_at(agreed_before));
            holders.0 &= !(1 << node.index());
            ghost.has_quorum(holders)
        };
        let held = agreed >= agreed_before || (not_owed() && spared());
        out.check(Property::D2, held, [node], || {
            let lost = ghost.chosen.get(agreed).map_or(String::new(), |link| link.zxid.to_string());
            let does = match write {
                DiskWrite::InstallSnapshot { zxid } => format!("puts a snapshot at {zxid} in its place"),
                DiskWrite::Truncate { to } => format!("cuts it after {to}"),
                _ => "writes".into(),
            };
            (
                format!("the first {agreed_before} of the log of {node}, which are chosen, stay in it"),
                format!("{node} {does}, and so loses {lost} and what follows"),
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires_in, p};
    use crate::sim::{DiskWrite, Node};
    use crate::zab::Epoch;

    fn cuts(story: &mut Story, node: Node) {
        story.persist(node, DiskWrite::Truncate { to: Story::zxid(1, 1) });
    }

    /// p3 cuts a tail that nobody committed.
    fn lone_tail() -> Story {
        let mut story = Story::serving();
        story.proposed(p(3), 1, 3);
        story.append(p(3), 1, 3);
        story.persist(p(3), DiskWrite::Truncate { to: Story::zxid(1, 2) });
        story
    }

    #[test]
    fn what_the_leader_of_its_epoch_sends_again_may_be_cut_while_a_quorum_holds_it() {
        let mut story = lone_tail();
        cuts(&mut story, p(1));
        story.assert_legal();
        fires_in(story, Property::D2, |story| cuts(story, p(2)));
    }

    #[test]
    fn what_no_quorum_holds_on_its_disks_is_not_spared_by_what_is_merely_written() {
        let mut story = Story::serving();
        story.proposed(p(3), 1, 3);
        story.append(p(3), 1, 3);
        story.append(p(1), 1, 3);
        story.append_unsynced(p(2), 1, 3);
        story.committed(p(3), 1, 3, &[1, 3]);
        story.written(p(2), DiskWrite::Truncate { to: Story::zxid(1, 3) });
        fires_in(story, Property::D2, |story| {
            story.written(p(1), DiskWrite::Truncate { to: Story::zxid(1, 2) });
        });
    }

    #[test]
    fn what_an_older_epoch_chose_is_never_cut() {
        let mut story = lone_tail();
        story.role_ends();
        story.lead(p(3), 2, &[1]);
        fires_in(story, Property::D2, |story| cuts(story, p(1)));
    }

    /// p2 leads epoch 2 without (1,3), which p3, the leader of epoch 3, and p1, who went over to it, have made part of its
    /// initial history. p4 has it as well, and joins p2.
    fn tail_of_the_next_leader() -> Story {
        let mut story = Story::serving();
        story.proposed(p(3), 1, 3);
        story.append(p(3), 1, 3);
        story.append(p(4), 1, 3);
        story.persist(p(3), DiskWrite::Truncate { to: Story::zxid(1, 3) });
        story.role_ends();
        story.fast_forwarded(p(3), 1, 3);
        story.begins_to_lead(p(2));
        story.persist(p(2), DiskWrite::AcceptedEpoch(Epoch(2)));
        story.joins(p(1), p(2), 2);
        story.epoch_acked(p(2), 2, &[1, 2]);
        story.append(p(1), 1, 3);
        story.fast_forwarded(p(1), 1, 3);
        story.end = (1, 3);
        story.lead(p(3), 3, &[1]);
        story.joins(p(4), p(2), 2);
        story
    }

    #[test]
    fn what_only_a_later_leader_made_part_of_its_history_may_be_cut_by_who_has_not_promised_to_it() {
        let cut =
            |counter| move |story: &mut Story| story.persist(p(4), DiskWrite::Truncate { to: Story::zxid(1, counter) });
        let mut story = tail_of_the_next_leader();
        cut(2)(&mut story);
        story.assert_legal();
        fires_in(tail_of_the_next_leader(), Property::D2, cut(1));
        let mut promised = tail_of_the_next_leader();
        promised.persist(p(4), DiskWrite::AcceptedEpoch(Epoch(3)));
        fires_in(promised, Property::D2, cut(2));
    }

    #[test]
    fn a_snapshot_without_what_was_chosen_is_noticed() {
        let mut story = Story::serving();
        story.role_ends();
        story.lead(p(3), 2, &[1]);
        story.write();
        story.written(p(2), DiskWrite::WriteSnapshot { zxid: Story::zxid(1, 2) });
        story.written(p(2), DiskWrite::InstallSnapshot { zxid: Story::zxid(1, 2) });
        story.append(p(2), 2, 1);
        fires_in(story, Property::D2, |story| {
            story.written(p(2), DiskWrite::InstallSnapshot { zxid: Story::zxid(1, 2) });
        });
    }
}
