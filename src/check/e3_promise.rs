//! E3, promise. A promise binds from the moment it is written; it may be told only when it is durable.

use super::{Ghost, Property, Sink};
use crate::sim::{Node, Packet, PacketKind};
use crate::zab::Epoch;

/// The epoch that each learner was last proposed.
#[derive(Clone, Debug, Default)]
pub struct Promise {
    proposed: Vec<Epoch>,
}

impl Promise {
    /// A learner received LEADERINFO.
    pub fn on_leader_info(&mut self, node: Node, epoch: Epoch) {
        if self.proposed.len() <= node.index() {
            self.proposed.resize(node.index() + 1, Epoch(0));
        }
        self.proposed[node.index()] = epoch;
    }

    /// A node sends ACK, ACKEPOCH or LEADERINFO.
    pub fn on_sent(&self, ghost: &Ghost, node: Node, packet: &Packet, out: &mut Sink) {
        let disk = &ghost.peer(node).disk;
        let told = match packet.kind {
            PacketKind::Ack => {
                let (promise, epoch) = (disk.written.accepted, packet.zxid.epoch());
                out.check(Property::E3, epoch >= promise, [node], || {
                    (format!("no ACK below the promise {promise}"), format!("ACK of {}", packet.zxid))
                });
                return;
            }
            PacketKind::LeaderInfo => packet.zxid.epoch(),
            _ => self.proposed.get(node.index()).copied().unwrap_or_default(),
        };
        out.check(Property::E3, disk.durable.accepted == told, [node], || {
            let expected = format!("acceptedEpoch {told} is synced before it is told");
            (expected, format!("{} is synced, {} written", disk.durable.accepted, disk.written.accepted))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{fires, p};
    use crate::sim::DiskWrite;
    use crate::zab::Epoch;

    #[test]
    fn an_ack_after_a_higher_promise_is_noticed() {
        fires(Property::E3, |story| {
            story.persist(p(1), DiskWrite::AcceptedEpoch(Epoch(5)));
            story.acks(p(1), p(3), 1, 2);
        });
    }
}
