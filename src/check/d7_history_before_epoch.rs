//! D7, history before epoch. A crash may fall between the two: then the disk holds txns of an epoch above currentEpoch (hazard
//! D17), start-up accepts that and raises currentEpoch. This cannot break the rule, for a log that holds a txn of epoch e holds
//! all of e's initial history before it.

use super::{Ghost, Property, Sink, txns};
use crate::sim::Node;
use crate::zab::Epoch;

/// Remembers nothing: the ghost knows every disk.
#[derive(Clone, Debug, Default)]
pub struct HistoryBeforeEpoch;

impl HistoryBeforeEpoch {
    /// currentEpoch became durable.
    pub fn on_current_epoch(&self, ghost: &Ghost, node: Node, epoch: Epoch, out: &mut Sink) {
        if !ghost.is_voter(node) {
            return; // nobody counts on the disk of an observer (ZOOKEEPER-1552)
        }
        let Some(initial) = ghost.broadcasts.reign(epoch).and_then(|reign| reign.initial) else { return };
        let history = &ghost.peer(node).disk.durable.history;
        out.check(Property::D7, history.begins_with(initial.len, initial.hash, &ghost.chosen), [node], || {
            let expected =
                format!("the {} of {epoch}'s initial history are synced before currentEpoch", txns(initial.len));
            (expected, format!("{node} has synced {} up to {}", txns(history.len()), history.last_zxid(&ghost.chosen)))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, p};
    use crate::sim::DiskWrite;
    use crate::zab::Epoch;

    #[test]
    fn an_epoch_without_its_history_is_noticed() {
        fires(Property::D7, |story| {
            story.role_ends();
            story.lead(p(3), 2, &[1]);
            story.forgets(p(2));
            story.joins(p(2), p(3), 2);
            story.persist(p(2), DiskWrite::CurrentEpoch(Epoch(2)));
        });
    }

    #[test]
    fn a_lie_does_not_sync_the_epoch() {
        let mut story = Story::serving();
        story.role_ends();
        story.lead(p(3), 2, &[1]);
        story.forgets(p(2));
        story.joins(p(2), p(3), 2);
        story.persist_with(p(2), DiskWrite::CurrentEpoch(Epoch(2)), true);
        story.assert_legal();
    }
}
