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
                (format!("txn number {}: {expected}", applied.index + 1), format!("delivered {}", applied.zxid))
            });
        }
    }

    /// A node begins to serve everything it applied.
    pub fn on_serving(&self, ghost: &Ghost, node: Node, block: &Block, out: &mut Sink) {
        out.check(Property::S5, block.verdict != Verdict::Conflicts, [node], || {
            let chosen = ghost.chosen.get(block.agreed).map_or(String::new(), |link| link.zxid.to_string());
            let served = ghost.peer(node).applied.tail().front().map_or(String::new(), |entry| entry.zxid.to_string());
            (format!("txn number {}: {chosen}", block.agreed + 1), format!("begins to serve with {served} there"))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{fires, p};

    #[test]
    fn a_skipped_txn_is_noticed() {
        fires(Property::S5, |story| {
            story.write_without(p(1));
            story.proposed(p(3), 1, 4);
            story.delivered(p(1), 1, 4, 1004);
        });
    }

    #[test]
    fn what_died_with_everybody_is_still_remembered() {
        fires(Property::S5, |story| {
            story.everybody_forgets();
            story.lead(p(3), 2, &[1, 2]);
            story.write();
        });
    }
}
