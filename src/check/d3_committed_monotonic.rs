//! D3, committed log monotonicity: each commit of a leader, and all that it begins to serve with, extends `chosen`. A leader that
//! is established late, by acknowledgements from before its voters went over to a later one, need not have what that one committed.

use super::ghost::Block;
use super::{Ghost, Property, Sink};
use crate::sim::Node;
use crate::zab::Zxid;

/// Remembers nothing: the ghost knows what was chosen.
#[derive(Clone, Debug, Default)]
pub struct CommittedMonotonic;

impl CommittedMonotonic {
    /// A leader begins to serve.
    pub fn on_leader_serving(&self, ghost: &Ghost, node: Node, block: &Block, out: &mut Sink) {
        let epoch = ghost.peer(node).participates;
        let chosen = epoch.map_or(block.chosen, |epoch| ghost.chosen.count_through(Zxid::marker(epoch)));
        out.check(Property::D3, block.agreed >= chosen.min(block.chosen), [node], || {
            (format!("a new leader serves all {chosen} chosen txns"), format!("it has {} of them", block.agreed))
        });
    }

    /// A leader committed; `fits` tells whether its log holds the txn right after everything chosen, or where it was chosen.
    pub fn on_committed(&self, ghost: &Ghost, node: Node, zxid: Zxid, fits: bool, out: &mut Sink) {
        out.check(Property::D3, fits, [node], || {
            let expected =
                format!("a commit that extends the {} chosen txns up to {}", ghost.chosen.len(), ghost.chosen.last());
            (expected, format!("{node} commits {zxid}, which is not next after them in its log"))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{fires, p};

    #[test]
    fn a_commit_of_what_is_not_next_is_noticed() {
        fires(Property::D3, |story| story.committed(p(3), 1, 9, &[2, 3]));
    }
}
