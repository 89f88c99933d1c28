//! C3, matching commits: commits come in the order of proposals, one by one, and for nothing that was not proposed on the link.

use super::links::LinkGhost;
use super::{Property, Sink};
use crate::sim::{LinkKey, Node};
use crate::zab::{Reason, Zxid};

/// Remembers nothing: the links know what was received.
#[derive(Clone, Debug, Default)]
pub struct MatchingCommits;

impl MatchingCommits {
    /// A learner receives COMMIT.
    pub fn on_received(&self, ghost: &mut LinkGhost, link: LinkKey, zxid: Zxid, out: &mut Sink) {
        let in_turn = match ghost.last_commit {
            Some(last) => zxid.follows(last),
            None => Some(zxid) == ghost.first_proposal,
        };
        let proposed = ghost.last_proposal.is_some_and(|last| zxid <= last);
        let before = ghost.last_commit.replace(zxid);
        out.check(Property::C3, in_turn && proposed, [link.dialer, link.acceptor], || {
            let head = match before {
                Some(before) => format!("the txn after {before}"),
                None => ghost.first_proposal.map_or("nothing, for nothing was proposed".into(), |z| z.to_string()),
            };
            (
                format!("COMMIT for the oldest pending proposal on {link}: {head}"),
                format!("{} receives COMMIT {zxid}", link.dialer),
            )
        });
    }

    /// A peer closed a link.
    pub fn on_disconnected(&self, link: LinkKey, by: Node, reason: Reason, out: &mut Sink) {
        if let Reason::CommitMismatch { head, got } = reason {
            out.check(Property::C3, false, [by, link.other(by)], || {
                let head = head.map_or("nothing pending".into(), |head| head.to_string());
                (format!("COMMIT for {head}"), format!("COMMIT {got}, over which {by} closed {link}"))
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
    fn a_commit_without_its_proposal_is_noticed() {
        fires(Property::C3, |story| story.received(p(3), p(1), PacketKind::Commit, Story::zxid(1, 3)));
    }

    #[test]
    fn a_commit_out_of_turn_and_one_that_is_refused_are_noticed() {
        fires(Property::C3, |story| {
            story.received(p(3), p(1), PacketKind::Proposal, Story::zxid(1, 3));
            story.received(p(3), p(1), PacketKind::Proposal, Story::zxid(1, 4));
            story.received(p(3), p(1), PacketKind::Commit, Story::zxid(1, 4));
        });
        fires(Property::C3, |story| {
            let reason = Reason::CommitMismatch { head: None, got: Story::zxid(1, 3) };
            let link = story.link(p(1), p(3));
            story.event(Event::Disconnected { link, by: p(1), reason });
        });
    }
}
