//! C7, honest snapshots. The literal rule, "snapshot index <= committed index", does not hold of ZooKeeper: a leader snapshots
//! its whole log when it begins, and a learner installs what its leader has before that is committed; both are committed as a
//! block or cut together with their snapshots. So a snapshot must be of exactly what was applied, and only a node that serves
//! must not snapshot beyond what is committed.

use super::{Ghost, Property, Sink};
use crate::sim::Node;
use crate::zab::Zxid;

/// Remembers nothing: the ghost knows what was applied.
#[derive(Clone, Debug, Default)]
pub struct HonestSnapshots;

impl HonestSnapshots {
    /// A snapshot is written.
    pub fn on_snapshot(&self, ghost: &mut Ghost, node: Node, zxid: Zxid, out: &mut Sink) {
        let applied = ghost.peer(node).applied.last_zxid(&ghost.chosen);
        out.check(Property::C7, applied == zxid, [node], || {
            (format!("a snapshot of what is applied, {applied}"), format!("{node} labels it {zxid}"))
        });
        if ghost.peer(node).serving.is_some() {
            let last = ghost.chosen.last();
            out.check(Property::C7, zxid <= last || zxid.is_marker(), [node], || {
                (
                    format!("a snapshot of nothing beyond {last}, the last committed"),
                    format!("{node} takes one at {zxid}"),
                )
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires_in, p};
    use crate::sim::DiskWrite;

    #[test]
    fn a_snapshot_of_something_else_is_noticed() {
        let mut story = Story::serving();
        story.written(p(1), DiskWrite::WriteSnapshot { zxid: Story::zxid(1, 2) });
        fires_in(story, Property::C7, |story| {
            story.written(p(1), DiskWrite::WriteSnapshot { zxid: Story::zxid(1, 1) })
        });
    }

    #[test]
    fn who_serves_takes_no_snapshot_of_what_is_not_committed() {
        let mut story = Story::serving();
        story.proposed(p(3), 1, 3);
        story.leaves(p(2));
        for n in [1, 2] {
            story.fast_forwarded(p(n), 1, 3);
        }
        let write = DiskWrite::WriteSnapshot { zxid: Story::zxid(1, 3) };
        story.written(p(2), write);
        fires_in(story, Property::C7, |story| story.written(p(1), write));
    }
}
