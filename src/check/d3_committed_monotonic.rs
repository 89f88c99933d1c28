//! D3, committed log monotonicity: each commit of a leader, and all that it begins to serve with, extends `chosen`. A leader that
//! is established late, by acknowledgements from before its voters went over to a later one, need not have what that one committed.

use super::ghost::Block;
use super::{Ghost, Property, Sink, txns};
use crate::sim::Node;
use crate::zab::Zxid;

/// Remembers nothing: the ghost knows what was chosen.
#[derive(Clone, Debug, Default)]
pub struct CommittedMonotonic;

impl CommittedMonotonic {
    /// A leader begins to serve.
    pub fn on_leader_serving(&self, ghost: &Ghost, node: Node, block: &Block, out: &mut Sink) {
        let epoch = ghost.peer(node).participates;
        let chosen = epoch.map_or(block.chosen, |epoch| ghost.owed_to(epoch));
        out.check(Property::D3, block.agreed >= chosen.min(block.chosen), [node], || {
            (
                format!("a new leader serves all {chosen} of the chosen txns"),
                format!("{node} has {} of them", block.agreed),
            )
        });
    }

    /// A leader committed; `fits` tells whether its log holds the txn right after everything chosen, or where it was chosen.
    pub fn on_committed(&self, ghost: &Ghost, node: Node, zxid: Zxid, fits: bool, out: &mut Sink) {
        out.check(Property::D3, fits, [node], || {
            let expected = format!(
                "a commit that extends the {} chosen so far, up to {}",
                txns(ghost.chosen.len()),
                ghost.chosen.last()
            );
            (expected, format!("{node} commits {zxid}, which is not next after them in its log"))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, fires_after, p};
    use crate::sim::DiskWrite;
    use crate::zab::Epoch;

    #[test]
    fn a_commit_of_what_is_not_in_the_leaders_log_is_noticed() {
        fires(Property::D3, |story| {
            // Both promised themselves away, so that what they hold of epoch 1 is no matter of E9.
            story.persist(p(1), DiskWrite::AcceptedEpoch(Epoch(5)));
            story.persist(p(2), DiskWrite::AcceptedEpoch(Epoch(5)));
            story.committed(p(3), 1, 3, &[1, 2]);
        });
    }

    #[test]
    fn a_leader_that_serves_with_less_than_was_chosen_is_noticed() {
        fires(Property::D3, |story| {
            story.forgets(p(3));
            story.serves(p(3), 1);
        });
    }

    #[test]
    fn a_late_leader_is_excused_for_later_epochs_only() {
        let established = |mut story: Story| {
            story.epoch_acked(p(2), 2, &[1, 2]);
            story.persist(p(2), DiskWrite::CurrentEpoch(Epoch(2)));
            story.established(p(2), 2, &[1, 2]);
            story
        };
        let mut story = established(Story::overtaken(false));
        story.serves(p(2), 2);
        story.assert_legal();
        // What the leader lacks of its own initial history is a matter of S10 too.
        fires_after(&[Property::S10], Story::overtaken(true), Property::D3, |story| {
            story.append(p(2), 1, 2);
            *story = established(std::mem::replace(story, Story::serving()));
            story.serves(p(2), 2);
        });
    }
}
