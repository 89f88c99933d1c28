//! S10, commit consistency: checked when a peer begins to serve, with the epoch it serves in.

use super::{Ghost, Property, Sink, txns};
use crate::sim::Node;

/// Remembers nothing: the ghost knows the initial history of every epoch.
#[derive(Clone, Debug, Default)]
pub struct CommitConsistency;

impl CommitConsistency {
    /// A node began to serve.
    pub fn on_serving(&self, ghost: &Ghost, node: Node, out: &mut Sink) {
        let peer = ghost.peer(node);
        let Some(epoch) = peer.participates else { return };
        let Some(initial) = ghost.broadcasts.reign(epoch).and_then(|reign| reign.initial) else { return };
        let held = peer.applied.begins_with(initial.len, initial.hash, &ghost.chosen);
        out.check(Property::S10, held, [node, initial.leader], || {
            let expected = format!("{node} applied the {} of {epoch}'s initial history", txns(initial.len));
            let last = peer.applied.last_zxid(&ghost.chosen);
            (expected, format!("it serves {epoch} with {} up to {last}", txns(peer.applied.len())))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires_after, p};

    #[test]
    fn serving_without_the_initial_history_is_noticed() {
        // Nobody takes part in an epoch without an ACK, which D6 sees sent.
        fires_after(&[Property::D6], Story::serving(), Property::S10, |story| {
            story.role_ends();
            story.lead(p(3), 2, &[1]);
            story.forgets(p(2));
            story.joins(p(2), p(3), 2);
            story.new_leader_acked(p(2), p(3), 2);
            story.serves(p(2), 2);
        });
    }
}
