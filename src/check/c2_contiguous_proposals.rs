//! C2, contiguous proposals, as received: also where FIFO is switched off, which is how a run shows what FIFO protects.

use super::links::LinkGhost;
use super::{Property, Sink};
use crate::sim::{LinkKey, Node};
use crate::zab::{Reason, Zxid};

/// Remembers nothing: the links know what was received.
#[derive(Clone, Debug, Default)]
pub struct ContiguousProposals;

impl ContiguousProposals {
    /// A learner receives PROPOSAL or INFORM.
    pub fn on_received(&self, ghost: &mut LinkGhost, link: LinkKey, zxid: Zxid, out: &mut Sink) {
        ghost.first_proposal.get_or_insert(zxid);
        let last = ghost.last_proposal.replace(zxid);
        out.check(Property::C2, last.is_none_or(|last| zxid.follows(last)), [link.dialer, link.acceptor], || {
            (
                format!("the txn after {} on {link}", last.unwrap_or_default()),
                format!("{} receives {zxid}", link.dialer),
            )
        });
    }

    /// A peer closed a link.
    pub fn on_disconnected(&self, link: LinkKey, by: Node, reason: Reason, out: &mut Sink) {
        if let Reason::ProposalGap { last, got } = reason {
            out.check(Property::C2, false, [by, link.other(by)], || {
                (format!("the txn after {last} on {link}"), format!("{got}, over which {by} closed the link"))
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, p};
    use crate::sim::{Event, PacketKind};
    use crate::zab::Reason;

    #[test]
    fn a_proposal_that_is_skipped_or_repeated_is_noticed() {
        for counter in [2, 4] {
            fires(Property::C2, |story| {
                story.received(p(3), p(1), PacketKind::Proposal, Story::zxid(1, counter));
            });
        }
    }

    #[test]
    fn an_inform_that_is_skipped_and_a_gap_that_is_refused_are_noticed() {
        fires(Property::C2, |story| story.received(p(3), p(4), PacketKind::Inform, Story::zxid(1, 4)));
        fires(Property::C2, |story| {
            let reason = Reason::ProposalGap { last: Story::zxid(1, 2), got: Story::zxid(1, 4) };
            let link = story.link(p(1), p(3));
            story.event(Event::Disconnected { link, by: p(1), reason });
        });
    }
}
