//! C1, legal packets. A receiver that refuses one says so ([`Reason::Unexpected`]); besides, the order in which each end sends
//! is checked here, for a receiver may be as wrong as the sender.

use super::links::LinkGhost;
use super::{Property, Sink, ghost};
use crate::sim::{LinkKey, Node, Packet, PacketKind};
use crate::zab::Reason;

/// Remembers nothing: the links know what was sent.
#[derive(Clone, Debug, Default)]
pub struct LegalPackets;

impl LegalPackets {
    /// A packet was sent.
    pub fn on_sent(&self, ghost: &mut LinkGhost, link: LinkKey, from: Node, packet: &Packet, out: &mut Sink) {
        use PacketKind::*;
        let by_learner = from == link.dialer;
        let legal = ghost::goes_up(packet.kind).is_none_or(|up| up == by_learner)
            && if by_learner {
                let stage = &mut ghost.learner_sent;
                match packet.kind {
                    FollowerInfo | ObserverInfo => advance(stage, 0, 1),
                    AckEpoch => advance(stage, 1, 2),
                    Ack if packet.zxid.is_marker() && *stage == 2 => advance(stage, 2, 3),
                    _ => *stage >= 2,
                }
            } else {
                let stage = &mut ghost.leader_sent;
                match packet.kind {
                    LeaderInfo => advance(stage, 0, 1),
                    Diff | Trunc | Snap => advance(stage, 1, 2),
                    SnapChunk | SnapDone => *stage == 2,
                    NewLeader => advance(stage, 2, 3),
                    UpToDate => advance(stage, 3, 4),
                    Ping => *stage >= 1,
                    _ => *stage >= 2,
                }
            };
        out.check(Property::C1, legal, [from, link.other(from)], || {
            let side = if by_learner { "a learner" } else { "a leader" };
            (
                format!("what {side} may send at this point of {link}"),
                format!("{from} sends {:?} {}", packet.kind, packet.zxid),
            )
        });
    }

    /// A peer closed a link.
    pub fn on_disconnected(&self, link: LinkKey, by: Node, reason: Reason, out: &mut Sink) {
        out.check(Property::C1, reason != Reason::Unexpected, [by, link.other(by)], || {
            (format!("packets on {link} that {by} takes in its role and phase"), "it closed the link over one".into())
        });
    }
}

fn advance(stage: &mut u8, from: u8, to: u8) -> bool {
    let legal = *stage == from;
    *stage = to;
    legal
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, p};
    use crate::sim::{Event, PacketKind};
    use crate::zab::Reason;

    #[test]
    fn a_second_new_leader_is_noticed() {
        fires(Property::C1, |story| story.sent(p(3), p(1), PacketKind::NewLeader, Story::zxid(1, 0)));
    }

    #[test]
    fn a_refused_packet_is_noticed() {
        fires(Property::C1, |story| {
            let link = story.link(p(1), p(3));
            story.event(Event::Disconnected { link, by: p(1), reason: Reason::Unexpected });
        });
    }
}
