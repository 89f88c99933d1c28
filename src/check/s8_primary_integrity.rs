//! S8, primary integrity: the property that catches a skipped txn when it is resurrected. It remembers broadcasts that never
//! were committed, and is checked over all epochs, not only between peers that are connected now.

use super::ghost::{Applied, Verdict};
use super::{Ghost, Property, Sink, txns};
use crate::sim::Node;
use crate::zab::Zxid;

/// Remembers nothing: the ghost knows how much each primary had delivered before its first broadcast.
#[derive(Clone, Debug, Default)]
pub struct PrimaryIntegrity;

impl PrimaryIntegrity {
    /// A txn was applied, perhaps delivered: every later primary must have delivered it before it broadcast.
    pub fn on_applied(&self, ghost: &Ghost, applied: &Applied, out: &mut Sink) {
        if applied.verdict == Verdict::Applied {
            return;
        }
        let epoch = applied.zxid.epoch();
        for reign in ghost.broadcasts.reigns().iter().rev().take_while(|reign| reign.epoch > epoch) {
            let Some(first) = reign.first else { continue };
            out.check(Property::S8, first.delivered > applied.index, [applied.node, first.by], || {
                let expected =
                    format!("{} delivered {} before its first txn of {}", first.by, applied.zxid, reign.epoch);
                (expected, format!("it had delivered {}, this is number {}", txns(first.delivered), applied.index + 1))
            });
        }
    }

    /// A leader broadcasts: if it is the first of its epoch, it has delivered every earlier txn ever chosen.
    pub fn on_proposed(&self, ghost: &mut Ghost, node: Node, zxid: Zxid, out: &mut Sink) {
        if zxid.counter() != 1 {
            return;
        }
        let must = ghost.chosen.count_through(Zxid::marker(zxid.epoch()));
        let has = ghost.agreed_applied(node);
        out.check(Property::S8, has >= must, [node], || {
            let expected =
                format!("the primary of {} delivered all {must} of the txns chosen in earlier epochs", zxid.epoch());
            (expected, format!("{node} broadcasts {zxid} having delivered {has}"))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{fires, p};

    #[test]
    fn a_primary_that_missed_something_is_noticed() {
        fires(Property::S8, |story| {
            story.everybody_forgets();
            story.proposed(p(4), 2, 1);
        });
    }

    #[test]
    fn a_resurrected_txn_is_noticed() {
        fires(Property::S8, |story| {
            story.proposed(p(3), 1, 3);
            story.append(p(3), 1, 3);
            story.append(p(1), 1, 3);
            story.proposed(p(2), 2, 1);
            story.committed(p(3), 1, 3, &[1, 3]);
            story.delivered(p(3), 1, 3, 1003);
        });
    }
}
