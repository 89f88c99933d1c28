//! S12, process consistency: as S11, but against the leader and with a direction. A leader that is gone is not compared: the
//! initial history of its epoch stands for it. What a leader has broadcast is part of its history even if its own disk, full or
//! failing, never took it: followers may log it first.

use super::{Ghost, Property, Sink, txns};
use crate::sim::Node;

/// Remembers nothing: the ghost knows who takes part in what.
#[derive(Clone, Debug, Default)]
pub struct ProcessConsistency;

impl ProcessConsistency {
    /// The log of a peer changed, or it acknowledged NEWLEADER.
    pub fn on_log(&self, ghost: &Ghost, node: Node, out: &mut Sink) {
        let follower = ghost.peer(node);
        let Some(epoch) = follower.participates else { return };
        let Some(initial) = ghost.broadcasts.reign(epoch).and_then(|reign| reign.initial) else { return };
        if initial.leader == node || !ghost.is_voter(node) {
            return; // an observer is no follower: what it has on disk is its own affair (ZOOKEEPER-1552)
        }
        let log = &follower.disk.written.history;
        let leader = ghost.peer(initial.leader);
        let theirs = &leader.disk.written.history;
        let held = if leader.participates == Some(epoch) {
            let broadcast = || {
                let last = log.last_zxid(&ghost.chosen);
                last.epoch() == epoch && ghost.broadcasts.position(last).is_some()
            };
            log.is_prefix_of(theirs, &ghost.chosen) || (theirs.is_prefix_of(log, &ghost.chosen) && broadcast())
        } else {
            log.begins_with(initial.len, initial.hash, &ghost.chosen)
        };
        out.check(Property::S12, held, [node, initial.leader], || {
            let (a, b) = (log.last_zxid(&ghost.chosen), theirs.last_zxid(&ghost.chosen));
            let expected = format!("a prefix of the {} up to {b} of {}", txns(theirs.len()), initial.leader);
            (expected, format!("{} up to {a} at {node}, which takes part in {epoch}", txns(log.len())))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{fires, p};

    #[test]
    fn a_follower_with_what_its_leader_never_broadcast_is_noticed() {
        fires(Property::S12, |story| {
            story.append(p(1), 1, 3);
        });
    }

    #[test]
    fn a_follower_that_joins_with_what_its_leader_never_broadcast_is_noticed() {
        fires(Property::S12, |story| {
            story.leaves(p(2));
            story.append(p(2), 1, 3);
            story.new_leader_acked(p(2), p(3), 1);
        });
    }
}
