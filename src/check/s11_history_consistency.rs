//! S11, history consistency. A peer takes part in an epoch from the moment it acknowledges NEWLEADER (or, as the leader, leaves
//! discovery) until its role ends. Before that its log may still hold a tail that the sync removes, so it is not compared.

use super::{Ghost, Property, Sink};
use crate::sim::Node;

/// Remembers nothing: the ghost knows who takes part in what.
#[derive(Clone, Debug, Default)]
pub struct HistoryConsistency;

impl HistoryConsistency {
    /// The log of a peer changed, or it began to take part in an epoch.
    pub fn on_log(&self, ghost: &Ghost, node: Node, out: &mut Sink) {
        let mine = ghost.peer(node);
        if mine.participates.is_none() {
            return;
        }
        let log = &mine.disk.written.history;
        for (other, peer) in ghost.peers() {
            if other == node || peer.participates != mine.participates {
                continue;
            }
            let theirs = &peer.disk.written.history;
            out.check(Property::S11, log.is_related(theirs, &ghost.chosen), [node, other], || {
                let (a, b) = (log.last_zxid(&ghost.chosen), theirs.last_zxid(&ghost.chosen));
                let expected = format!("one of the logs of {node} and {other} is a prefix of the other's");
                (
                    expected,
                    format!("they differ within the first {}; they end in {a} and {b}", log.len().min(theirs.len())),
                )
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, p};
    use crate::sim::DiskWrite;

    #[test]
    fn followers_that_log_different_txns_are_noticed() {
        fires(Property::S11, |story| {
            story.proposed(p(3), 1, 3);
            story.append(p(1), 1, 3);
            story.persist(p(2), DiskWrite::Append { zxid: Story::zxid(1, 3), digest: 777 });
        });
    }

    #[test]
    fn a_follower_that_joins_with_another_tail_is_noticed() {
        fires(Property::S11, |story| {
            story.write_without(p(2));
            story.leaves(p(2));
            story.persist(p(2), DiskWrite::Append { zxid: Story::zxid(1, 3), digest: 777 });
            story.new_leader_acked(p(2), p(3), 1);
        });
    }
}
