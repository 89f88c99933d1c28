//! K4, observers: S5 and D9 speak of them too; here what is theirs alone. INFORM comes only for what was committed, in that
//! order, and an observer is never the first to deliver.

use super::ghost::{Applied, Verdict};
use super::{Ghost, Property, Sink};
use crate::sim::Node;
use crate::zab::Zxid;

/// Remembers nothing: the ghost knows what was chosen.
#[derive(Clone, Debug, Default)]
pub struct Observers;

impl Observers {
    /// A txn was applied, perhaps delivered.
    pub fn on_applied(&self, ghost: &Ghost, applied: &Applied, out: &mut Sink) {
        if applied.verdict == Verdict::Applied || ghost.is_voter(applied.node) {
            return;
        }
        out.check(Property::K4, applied.verdict == Verdict::Agrees, [applied.node], || {
            let expected = format!("the observer delivers chosen txn number {}", applied.index + 1);
            (expected, format!("it delivers {}, which is not that", applied.zxid))
        });
    }

    /// A learner receives INFORM.
    pub fn on_inform(&self, ghost: &Ghost, node: Node, zxid: Zxid, out: &mut Sink) {
        out.check(Property::K4, ghost.chosen.contains(zxid), [node], || {
            ("INFORM only of what is committed".into(), format!("{node} receives INFORM {zxid}"))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, p};
    use crate::sim::PacketKind;

    #[test]
    fn an_observer_that_delivers_first_is_noticed() {
        fires(Property::K4, |story| {
            story.proposed(p(3), 1, 3);
            story.delivered(p(4), 1, 3, 1003);
        });
    }

    #[test]
    fn an_inform_of_what_is_not_committed_is_noticed() {
        fires(Property::K4, |story| {
            story.proposed(p(3), 1, 3);
            story.received(p(3), p(4), PacketKind::Inform, Story::zxid(1, 3));
        });
    }
}
