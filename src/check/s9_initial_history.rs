//! S9, initial history integrity.

use super::{Ghost, Property, Sink, txns};
use crate::sim::Node;
use crate::zab::Epoch;

/// Remembers nothing: the ghost knows the initial history of every epoch.
#[derive(Clone, Debug, Default)]
pub struct InitialHistory;

impl InitialHistory {
    /// A leader left discovery, which fixes the initial history of `epoch`: it begins with that of the epoch established
    /// last before.
    pub fn on_epoch_acked(&self, ghost: &Ghost, node: Node, epoch: Epoch, out: &mut Sink) {
        let before = ghost.broadcasts.reigns().iter().rev();
        let Some(before) = before.into_iter().find(|r| r.epoch < epoch && !r.established.is_empty()) else { return };
        let Some(initial) = before.initial else { return };
        let log = &ghost.peer(node).disk.written.history;
        out.check(
            Property::S9,
            log.begins_with(initial.len, initial.hash, &ghost.chosen),
            [node, initial.leader],
            || {
                let expected = format!(
                    "the initial history of {epoch} begins with the {} of {}'s",
                    txns(initial.len),
                    before.epoch
                );
                (expected, format!("{node} begins it with {} up to {}", txns(log.len()), log.last_zxid(&ghost.chosen)))
            },
        );
    }

    /// A leader was established late: epochs after it already have their initial history.
    pub fn on_established(&self, ghost: &Ghost, node: Node, epoch: Epoch, out: &mut Sink) {
        let Some(mine) = ghost.broadcasts.reign(epoch).and_then(|reign| reign.initial) else { return };
        for later in ghost.broadcasts.reigns().iter().rev().take_while(|r| r.epoch > epoch) {
            let Some(theirs) = later.initial else { continue };
            out.check(Property::S9, theirs.len >= mine.len, [node, theirs.leader], || {
                let expected =
                    format!("{} began with all {} of {epoch}'s initial history", later.epoch, txns(mine.len));
                (expected, format!("it began with {} at {}", theirs.len, theirs.leader))
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires_in, p};
    use crate::sim::DiskWrite;
    use crate::zab::Epoch;

    #[test]
    fn a_shrinking_initial_history_is_noticed() {
        let mut story = Story::serving();
        story.role_ends();
        story.lead(p(3), 2, &[1, 2]);
        fires_in(story, Property::S9, |story| {
            story.everybody_forgets();
            story.lead(p(3), 3, &[1, 2]);
        });
    }

    #[test]
    fn a_leader_established_late_with_more_than_a_later_epoch_began_with_is_noticed() {
        let mut story = Story::serving();
        story.proposed(p(3), 1, 3);
        story.append(p(2), 1, 3);
        story.role_ends();
        story.persist(p(2), DiskWrite::AcceptedEpoch(Epoch(2)));
        story.begins_to_lead(p(2));
        story.joins(p(1), p(2), 2);
        story.epoch_acked(p(2), 2, &[1, 2]);
        story.leaves(p(1));
        story.lead(p(3), 3, &[1]);
        story.persist(p(2), DiskWrite::CurrentEpoch(Epoch(2)));
        fires_in(story, Property::S9, |story| story.established(p(2), 2, &[1, 2]));
    }
}
