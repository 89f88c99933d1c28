//! D6, ack durability: the earliest point at which an ACK that came too soon can be seen. What a lying disk calls synced is not.

use super::{Ghost, Property, Sink};
use crate::sim::Node;
use crate::zab::Zxid;

/// Remembers nothing: the ghost knows every disk.
#[derive(Clone, Debug, Default)]
pub struct AckDurability;

impl AckDurability {
    /// A learner sends ACK: of a txn, or with the marker of NEWLEADER.
    pub fn on_ack_sent(&self, ghost: &Ghost, node: Node, zxid: Zxid, out: &mut Sink) {
        let durable = &ghost.peer(node).disk.durable;
        let last = durable.history.last_zxid(&ghost.chosen);
        if !zxid.is_marker() {
            let held = last == zxid || last > zxid && durable.history.contains(zxid, &ghost.chosen);
            out.check(Property::D6, held, [node], || {
                (format!("{zxid} is synced before its ACK"), format!("{last} is the last"))
            });
            return;
        }
        let epoch = zxid.epoch();
        out.check(Property::D6, durable.current == epoch, [node], || {
            (format!("currentEpoch {epoch} is synced before the ACK of NEWLEADER"), format!("{} is", durable.current))
        });
        if let Some(initial) = ghost.broadcasts.reign(epoch).and_then(|reign| reign.initial) {
            let held = durable.history.begins_with(initial.len, initial.hash, &ghost.chosen);
            out.check(Property::D6, held, [node, initial.leader], || {
                let expected =
                    format!("the {} txns of {epoch}'s initial history are synced before the ACK", initial.len);
                (expected, format!("{} txns up to {last} are", durable.history.len()))
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{fires, p};

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
}
