//! D6, ack durability: the earliest point at which an ACK that came too soon can be seen. What a lying disk calls synced is not.

use super::{Ghost, Property, Sink, txns};
use crate::sim::Node;
use crate::zab::Zxid;

/// Remembers nothing: the ghost knows every disk.
#[derive(Clone, Debug, Default)]
pub struct AckDurability;

impl AckDurability {
    /// A learner sends ACK: of a txn, or with the marker of NEWLEADER.
    pub fn on_ack_sent(&self, ghost: &Ghost, node: Node, zxid: Zxid, out: &mut Sink) {
        if !ghost.is_voter(node) {
            return; // nobody counts on the disk of an observer (ZOOKEEPER-1552)
        }
        let durable = &ghost.peer(node).disk.durable;
        let last = durable.history.last_zxid(&ghost.chosen);
        if !zxid.is_marker() {
            let held = last == zxid || last > zxid && durable.history.contains(zxid, &ghost.chosen);
            out.check(Property::D6, held, [node], || {
                (format!("{zxid} is synced before its ACK"), format!("{last} is the last that {node} has synced"))
            });
            return;
        }
        let epoch = zxid.epoch();
        out.check(Property::D6, durable.current == epoch, [node], || {
            (
                format!("currentEpoch {epoch} is synced before the ACK of NEWLEADER"),
                format!("{} is, at {node}", durable.current),
            )
        });
        if let Some(initial) = ghost.broadcasts.reign(epoch).and_then(|reign| reign.initial) {
            let held = durable.history.begins_with(initial.len, initial.hash, &ghost.chosen);
            out.check(Property::D6, held, [node, initial.leader], || {
                let expected =
                    format!("the {} of {epoch}'s initial history are synced before the ACK", txns(initial.len));
                (expected, format!("{node} has synced {} up to {last}", txns(durable.history.len())))
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, fires_after, fires_in, p};
    use crate::sim::DiskWrite;
    use crate::zab::Epoch;

    #[test]
    fn an_ack_before_the_sync_is_noticed() {
        fires(Property::D6, |story| {
            story.proposed(p(3), 1, 3);
            story.append_unsynced(p(1), 1, 3);
            story.acks(p(1), p(3), 1, 3);
        });
    }

    #[test]
    fn an_ack_after_a_lie_is_noticed() {
        fires(Property::D6, |story| {
            story.proposed(p(3), 1, 3);
            story.append_with_a_lie(p(1), 1, 3);
            story.acks(p(1), p(3), 1, 3);
        });
    }

    #[test]
    fn an_ack_may_be_repeated_but_not_for_what_a_later_epoch_went_past() {
        let mut story = Story::serving();
        story.acks(p(1), p(3), 1, 1);
        story.proposed(p(3), 1, 3);
        story.role_ends();
        story.lead(p(3), 2, &[1, 2]);
        story.write();
        fires_in(story, Property::D6, |story| story.acks(p(1), p(3), 1, 3));
    }

    /// p2, which has not followed into epoch 2, is asked to.
    fn late() -> Story {
        let mut story = Story::serving();
        story.role_ends();
        story.lead(p(3), 2, &[1]);
        story
    }

    #[test]
    fn an_ack_of_new_leader_before_the_epoch_is_synced_is_noticed() {
        fires_in(late(), Property::D6, |story| {
            story.joins(p(2), p(3), 2);
            story.written(p(2), DiskWrite::CurrentEpoch(Epoch(2)));
            story.new_leader_acked(p(2), p(3), 2);
        });
    }

    #[test]
    fn an_ack_of_new_leader_without_the_initial_history_is_noticed() {
        // The epoch cannot be on the disk before the history without D7 seeing it.
        fires_after(&[Property::D7], late(), Property::D6, |story| {
            story.forgets(p(2));
            story.joins(p(2), p(3), 2);
            story.persist(p(2), DiskWrite::CurrentEpoch(Epoch(2)));
            story.new_leader_acked(p(2), p(3), 2);
        });
    }

    #[test]
    fn a_leader_that_counts_a_disk_without_the_epoch_is_noticed() {
        fires_in(late(), Property::D6, |story| story.established(p(3), 2, &[2, 3]));
    }
}
