//! S5, total order, for all time: what is compared is the sequence that was ever chosen, not what live peers hold now.

use super::ghost::{Applied, Block, Verdict};
use super::{Ghost, Property, Sink};
use crate::sim::Node;

/// Remembers nothing: the ghost knows what was chosen.
#[derive(Clone, Debug, Default)]
pub struct TotalOrder;

impl TotalOrder {
    /// A txn was applied, perhaps delivered.
    pub fn on_applied(&self, ghost: &Ghost, applied: &Applied, out: &mut Sink) {
        if applied.verdict != Verdict::Applied {
            out.check(Property::S5, applied.verdict != Verdict::Conflicts, [applied.node], || {
                let chosen = ghost.chosen.get(applied.index);
                let expected = chosen.map_or("nothing chosen that far".into(), |link| link.zxid.to_string());
                (
                    format!("txn number {}: {expected}", applied.index + 1),
                    format!("{} delivered {}", applied.node, applied.zxid),
                )
            });
        }
    }

    /// A node begins to serve everything it applied.
    pub fn on_serving(&self, ghost: &Ghost, node: Node, block: &Block, out: &mut Sink) {
        out.check(Property::S5, block.verdict != Verdict::Conflicts, [node], || {
            let chosen = ghost.chosen.get(block.agreed).map_or(String::new(), |link| link.zxid.to_string());
            let served = ghost.peer(node).applied.tail().front().map_or(String::new(), |entry| entry.zxid.to_string());
            (
                format!("txn number {}: {chosen}", block.agreed + 1),
                format!("{node} begins to serve with {served} there"),
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, fires_after, p};

    #[test]
    fn what_died_with_everybody_is_still_remembered() {
        fires(Property::S5, |story| {
            story.proposed(p(3), 1, 3);
            story.everybody_forgets();
            story.serves(p(1), 1);
            story.delivered(p(1), 1, 3, 1003);
        });
    }

    #[test]
    fn what_is_to_be_delivered_before_it_is_committed_is_noticed() {
        fires(Property::S5, |story| {
            story.proposed(p(3), 1, 3);
            story.leaves(p(1));
            story.delivered(p(1), 1, 3, 1003);
        });
    }

    #[test]
    fn a_peer_that_begins_to_serve_with_another_txn_is_noticed() {
        // With everybody's memory gone there is nobody to disagree with (S4), only what was chosen. S2, S6, S7 and D9 look at
        // what is applied, served or not.
        let before = [Property::S6, Property::D9];
        fires_after(&before, Story::serving(), Property::S5, |story| {
            story.proposed(p(3), 1, 3);
            story.everybody_forgets();
            story.fast_forwarded(p(1), 1, 3);
            story.serves(p(1), 1);
        });
    }
}
