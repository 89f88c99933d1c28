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
                    (format!("no ACK below the promise {promise}"), format!("{node} sends ACK of {}", packet.zxid))
                });
                return;
            }
            PacketKind::LeaderInfo => packet.zxid.epoch(),
            _ => self.proposed.get(node.index()).copied().unwrap_or_default(),
        };
        out.check(Property::E3, disk.durable.accepted == told, [node], || {
            let expected = format!("acceptedEpoch {told} is synced before it is told");
            (expected, format!("{node} has {} synced and {} written", disk.durable.accepted, disk.written.accepted))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, p};
    use crate::sim::{DiskWrite, PacketKind};
    use crate::zab::Epoch;

    #[test]
    fn an_ack_after_a_higher_promise_is_noticed() {
        fires(Property::E3, |story| {
            story.persist(p(1), DiskWrite::AcceptedEpoch(Epoch(5)));
            story.acks(p(1), p(3), 1, 2);
        });
    }

    #[test]
    fn a_promise_binds_before_it_is_durable() {
        fires(Property::E3, |story| {
            story.written(p(1), DiskWrite::AcceptedEpoch(Epoch(5)));
            story.acks(p(1), p(3), 1, 2);
        });
    }

    #[test]
    fn a_leaders_own_promise_is_durable_before_it_is_told() {
        fires(Property::E3, |story| {
            story.role_ends();
            story.connect(p(1), p(3));
            story.infos(p(1), p(3), 1);
            story.written(p(3), DiskWrite::AcceptedEpoch(Epoch(2)));
            story.sent(p(3), p(1), PacketKind::LeaderInfo, Story::zxid(2, 0));
        });
    }

    #[test]
    fn a_learners_promise_is_durable_before_it_is_told() {
        for lie in [None, Some(true)] {
            fires(Property::E3, |story| {
                story.role_ends();
                story.connect(p(1), p(3));
                story.infos(p(1), p(3), 1);
                story.persist(p(3), DiskWrite::AcceptedEpoch(Epoch(2)));
                story.pass(p(3), p(1), PacketKind::LeaderInfo, Story::zxid(2, 0));
                match lie {
                    None => story.written(p(1), DiskWrite::AcceptedEpoch(Epoch(2))),
                    Some(lie) => story.persist_with(p(1), DiskWrite::AcceptedEpoch(Epoch(2)), lie),
                }
                story.ack_epochs(p(1), p(3), Some(1), Story::zxid(1, 2));
            });
        }
    }
}
