//! E2, ordered epochs. A crash between making a sync durable and writing currentEpoch leaves a history of an epoch above
//! currentEpoch (hazard D17). That is accepted at start-up, if the promise covers it, and must be mended by raising
//! currentEpoch before the peer votes.

use super::ghost::Recovery;
use super::{Ghost, Property, Sink};
use crate::sim::{DiskWrite, Node};
use crate::zab::{Vote, Zxid};

/// Remembers nothing: the ghost knows every disk.
#[derive(Clone, Debug, Default)]
pub struct OrderedEpochs;

impl OrderedEpochs {
    /// A node read its disk.
    pub fn on_recovered(&self, node: Node, facts: &Recovery, out: &mut Sink) {
        let Some(accepted) = facts.accepted else { return };
        let current = facts.current.unwrap_or_default().max(facts.last_zxid.epoch());
        out.check(Property::E2, current <= accepted, [node], || {
            let expected = format!("neither currentEpoch nor the history above acceptedEpoch {accepted}");
            (
                expected,
                format!(
                    "{node} has currentEpoch {}, history up to {}",
                    facts.current.unwrap_or_default(),
                    facts.last_zxid
                ),
            )
        });
    }

    /// currentEpoch was written; the ghost has noted it.
    pub fn on_write(&self, ghost: &Ghost, node: Node, write: DiskWrite, out: &mut Sink) {
        let DiskWrite::CurrentEpoch(epoch) = write else { return };
        let accepted = ghost.peer(node).disk.written.accepted;
        out.check(Property::E2, epoch <= accepted, [node], || {
            (
                format!("currentEpoch at or below acceptedEpoch {accepted}"),
                format!("{node} writes currentEpoch {epoch}"),
            )
        });
    }

    /// A peer votes for itself.
    pub fn on_vote(&self, node: Node, vote: &Vote, out: &mut Sink) {
        if vote.zxid < Zxid::ZERO {
            return;
        }
        out.check(Property::E2, vote.zxid.epoch() <= vote.peer_epoch, [node], || {
            (
                format!("currentEpoch raised to the history's {}", vote.zxid.epoch()),
                format!("{node} votes with {}", vote.peer_epoch),
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, p};
    use crate::sim::DiskWrite;
    use crate::zab::{Epoch, Zxid};

    #[test]
    fn a_vote_with_a_history_above_the_current_epoch_is_noticed() {
        fires(Property::E2, |story| story.votes_for_itself(p(1), 0, Story::zxid(1, 2), 2));
    }

    #[test]
    fn a_current_epoch_above_the_promise_is_noticed() {
        fires(Property::E2, |story| story.written(p(1), DiskWrite::CurrentEpoch(Epoch(2))));
    }

    #[test]
    fn a_disk_with_more_than_was_promised_is_noticed() {
        for (current, epoch) in [(2, 1), (1, 2)] {
            fires(Property::E2, |story| {
                story.ends(p(1));
                story.boots(p(1), 1, current, Story::zxid(epoch, 2), 1002);
            });
        }
    }

    #[test]
    fn a_vote_without_data_claims_no_epoch() {
        let mut story = Story::serving();
        story.votes_for_itself(p(1), 0, Zxid::MISSING, 2);
        story.assert_legal();
    }
}
