//! D1, leader completeness: the earliest alarm for lost txns, rung before anybody serves. Checked when a leader leaves
//! discovery and again when it is established, since an older leader may have committed in between. A leader that leaves discovery
//! late, by messages from before its voters promised themselves to a later one, need not know what the later one committed.

use super::{Ghost, Property, Sink};
use crate::sim::Node;
use crate::zab::Epoch;

/// Remembers nothing: the ghost knows what was chosen.
#[derive(Clone, Debug, Default)]
pub struct LeaderCompleteness;

impl LeaderCompleteness {
    /// A leader left discovery or is about to be established.
    pub fn on_leader(&self, ghost: &mut Ghost, node: Node, epoch: Epoch, out: &mut Sink) {
        let chosen = ghost.owed_to(epoch);
        let agreed = ghost.agreed_log(node);
        out.check(Property::D1, agreed >= chosen, [node], || {
            let missing = ghost.chosen.get(agreed).map_or(String::new(), |link| link.zxid.to_string());
            let last = ghost.peer(node).disk.written.history.last_zxid(&ghost.chosen);
            let expected = format!("the leader of {epoch} has all {chosen} of the chosen txns in its log");
            (expected, format!("{missing} is missing in the log of {node}, which ends in {last}"))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, fires_in, p};
    use crate::sim::DiskWrite;
    use crate::zab::Epoch;

    #[test]
    fn a_leader_that_lost_a_chosen_txn_is_noticed() {
        fires(Property::D1, |story| {
            story.everybody_forgets();
            story.lead(p(2), 2, &[1]);
        });
    }

    #[test]
    fn a_late_leader_is_excused_for_later_epochs_only() {
        let mut story = Story::overtaken(false);
        story.epoch_acked(p(2), 2, &[1, 2]);
        story.assert_legal();
        fires_in(Story::overtaken(true), Property::D1, |story| story.epoch_acked(p(2), 2, &[1, 2]));
    }

    #[test]
    fn what_only_a_later_leader_made_part_of_its_history_is_not_owed() {
        let mut story = Story::serving();
        story.proposed(p(3), 1, 3);
        story.append(p(3), 1, 3);
        story.role_ends();
        story.fast_forwarded(p(3), 1, 3);
        story.begins_to_lead(p(2));
        story.persist(p(2), DiskWrite::AcceptedEpoch(Epoch(2)));
        story.joins(p(1), p(2), 2);
        story.append(p(1), 1, 3);
        story.fast_forwarded(p(1), 1, 3);
        story.lead(p(3), 3, &[1]);
        story.epoch_acked(p(2), 2, &[1, 2]);
        let found: Vec<_> = story.checkers.violations().iter().map(|v| v.property).collect();
        assert!(!found.contains(&Property::D1), "{found:?}");
        assert_eq!((story.checkers.ghost().owed_to(Epoch(2)), story.checkers.ghost().owed_to(Epoch(4))), (2, 3));
    }

    #[test]
    fn what_is_chosen_while_the_leader_synchronises_is_noticed_when_it_is_established() {
        let mut story = Story::serving();
        story.proposed(p(3), 1, 3);
        story.append(p(3), 1, 3);
        story.leaves(p(2));
        story.persist(p(2), DiskWrite::AcceptedEpoch(Epoch(2)));
        story.begins_to_lead(p(2));
        story.leaves(p(1));
        story.joins(p(1), p(2), 2);
        story.epoch_acked(p(2), 2, &[1, 2]);
        for n in [1, 2] {
            story.persist(p(n), DiskWrite::CurrentEpoch(Epoch(2)));
        }
        story.append(p(1), 1, 3);
        story.committed(p(3), 1, 3, &[1, 3]);
        fires_in(story, Property::D1, |story| story.established(p(2), 2, &[1, 2]));
    }
}
