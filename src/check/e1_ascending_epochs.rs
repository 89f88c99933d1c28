//! E1, ascending epochs: what is durable never decreases, over crashes too. A wiped disk begins anew.

use super::{Ghost, Property, Sink};
use crate::sim::{DiskWrite, Node};
use crate::zab::Epoch;

/// Remembers nothing: the ghost knows the largest epochs that were ever durable.
#[derive(Clone, Debug, Default)]
pub struct AscendingEpochs;

impl AscendingEpochs {
    /// An epoch is about to be written.
    pub fn on_write(&self, ghost: &Ghost, node: Node, write: DiskWrite, out: &mut Sink) {
        let written = &ghost.peer(node).disk.written;
        match write {
            DiskWrite::AcceptedEpoch(epoch) => ascends(node, "acceptedEpoch", written.accepted, epoch, out),
            DiskWrite::CurrentEpoch(epoch) => ascends(node, "currentEpoch", written.current, epoch, out),
            _ => {}
        }
    }

    /// A node read its disk.
    pub fn on_recovered(
        &self,
        ghost: &Ghost,
        node: Node,
        accepted: Option<Epoch>,
        current: Option<Epoch>,
        out: &mut Sink,
    ) {
        let disk = &ghost.peer(node).disk;
        ascends(node, "acceptedEpoch", disk.max_accepted, accepted.unwrap_or_default(), out);
        ascends(node, "currentEpoch", disk.max_current, current.unwrap_or_default(), out);
    }
}

fn ascends(node: Node, file: &str, before: Epoch, now: Epoch, out: &mut Sink) {
    out.check(Property::E1, now >= before, [node], || {
        (format!("{file} at or above {before}"), format!("{file} {now} at {node}"))
    });
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, p};
    use crate::sim::DiskWrite;
    use crate::zab::Epoch;

    #[test]
    fn a_promise_taken_back_is_noticed() {
        fires(Property::E1, |story| story.persist(p(1), DiskWrite::AcceptedEpoch(Epoch(0))));
    }

    #[test]
    fn a_promise_lost_by_a_restart_is_noticed() {
        fires(Property::E1, |story| {
            story.ends(p(1));
            story.boots(p(1), 0, 0, Story::zxid(1, 2), 1002);
        });
    }
}
