//! C4, ack order (ZOOKEEPER-4685): two queues at the learner must not let the ACK of a txn overtake that of NEWLEADER.

use super::links::LinkGhost;
use super::{Property, Sink};
use crate::sim::LinkKey;
use crate::zab::Zxid;

/// Remembers nothing: the links know what was received.
#[derive(Clone, Debug, Default)]
pub struct AckOrder;

impl AckOrder {
    /// A leader receives ACK.
    pub fn on_received(&self, ghost: &mut LinkGhost, link: LinkKey, zxid: Zxid, out: &mut Sink) {
        ghost.new_leader_acked |= zxid.is_marker();
        out.check(Property::C4, ghost.new_leader_acked, [link.dialer, link.acceptor], || {
            (
                format!("the ACK of NEWLEADER first on {link}"),
                format!("{} receives ACK {zxid} of {}", link.acceptor, link.dialer),
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, p};
    use crate::sim::PacketKind;

    #[test]
    fn an_ack_that_overtakes_new_leader_is_noticed() {
        fires(Property::C4, |story| {
            story.connect(p(1), p(3));
            story.received(p(1), p(3), PacketKind::Ack, Story::zxid(1, 2));
        });
    }
}
