//! S4, agreement. With one sequence `chosen` that every delivery is compared with, two peers disagree exactly when one departs
//! from `chosen` at an index where another followed it. That other may be dead by now.

use super::ghost::{Applied, Block, Verdict};
use super::{Ghost, Property, Sink};
use crate::sim::Node;

/// Remembers nothing: the ghost knows how much everybody delivered.
#[derive(Clone, Debug, Default)]
pub struct Agreement;

impl Agreement {
    /// A txn was applied, perhaps delivered.
    pub fn on_applied(&self, ghost: &Ghost, applied: &Applied, out: &mut Sink) {
        match applied.verdict {
            Verdict::Applied => {}
            Verdict::Conflicts => self.compare(ghost, applied.node, applied.index, out),
            Verdict::Agrees | Verdict::Extends => out.check(Property::S4, true, [], || unreachable!("it held")),
        }
    }

    /// A node begins to serve everything it applied.
    pub fn on_serving(&self, ghost: &Ghost, node: Node, block: &Block, out: &mut Sink) {
        if block.verdict == Verdict::Conflicts {
            self.compare(ghost, node, block.agreed, out);
        }
    }

    fn compare(&self, ghost: &Ghost, node: Node, index: usize, out: &mut Sink) {
        let other = ghost.peers().find(|(other, peer)| *other != node && peer.delivered > index);
        let Some((other, _)) = other else { return };
        out.check(Property::S4, false, [node, other], || {
            let theirs = ghost.chosen.get(index).map_or("nothing".into(), |link| link.zxid.to_string());
            let what = format!("{theirs} as txn number {}, as {other} delivered it", index + 1);
            (what, format!("{node} departs from that there"))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, fires_after, p};
    use crate::sim::Event;
    use crate::zab::Zxid;

    #[test]
    fn two_peers_that_deliver_different_third_txns_are_noticed() {
        fires(Property::S4, |story| {
            story.write_without(p(1));
            story.proposed(p(3), 1, 4);
            story.delivered(p(1), 1, 4, 1004);
        });
    }

    #[test]
    fn a_peer_that_begins_to_serve_with_another_txn_is_noticed() {
        // It can only have come by that txn from nowhere, which S2 sees.
        fires_after(&[Property::S2], Story::serving(), Property::S4, |story| {
            story.write_without(p(1));
            story.leaves(p(1));
            let zxid: Zxid = Story::zxid(1, 3);
            story.event(Event::FastForwarded { node: p(1), zxid, digest: 777, state: 777 });
            story.serves(p(1), 1);
        });
    }
}
