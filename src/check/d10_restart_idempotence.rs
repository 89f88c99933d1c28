//! D10, restart idempotence: recovery finds the history that the disk truly holds, and the state it rebuilds is the one that
//! everybody had after the same txns. The same digest comparison, per txn, is ZooKeeper's own production answer.

use std::collections::BTreeMap;

use super::ghost::Recovery;
use super::{Ghost, Property, Sink, txns};
use crate::sim::{Digest, Node};
use crate::zab::Zxid;

/// States after histories that were never chosen; forgotten when there are many.
#[derive(Clone, Debug, Default)]
pub struct RestartIdempotence {
    unchosen: BTreeMap<u64, Digest>,
}

/// So many states of unchosen histories are remembered.
const MOST_STATES: usize = 1024;

impl RestartIdempotence {
    /// A node read its disk; the ghost has worked out what it must have found.
    pub fn on_recovered(&mut self, ghost: &mut Ghost, node: Node, facts: &Recovery, out: &mut Sink) {
        let expected = ghost.peer(node).applied.last_zxid(&ghost.chosen);
        let found = if facts.last_zxid == Zxid::MISSING { Zxid::ZERO } else { facts.last_zxid };
        out.check(Property::D10, found == expected, [node], || {
            let seen = match facts.last_zxid {
                Zxid::MISSING => format!("{node} found no data"),
                last => format!("{node} recovered it up to {last}"),
            };
            (format!("the disk's history up to {expected}"), seen)
        });
        if found == expected {
            self.on_state(ghost, node, facts.digest, out);
        }
    }

    /// The service's digest became known after what `node` has applied.
    pub fn on_state(&mut self, ghost: &mut Ghost, node: Node, state: Digest, out: &mut Sink) {
        let applied = &ghost.peer(node).applied;
        let (len, hash) = (applied.len(), applied.hash(&ghost.chosen));
        let other = if applied.tail().is_empty() {
            ghost.agrees_on_state(len, state).err()
        } else {
            if self.unchosen.len() >= MOST_STATES {
                self.unchosen.clear();
            }
            Some(*self.unchosen.entry(hash).or_insert(state)).filter(|&other| other != state)
        };
        out.check(Property::D10, other.is_none(), [node], || {
            let last = ghost.peer(node).applied.last_zxid(&ghost.chosen);
            let expected = format!("the state {:016x} after {} up to {last}", other.unwrap_or_default(), txns(len));
            (expected, format!("{node} has the state {state:016x}"))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, p};
    use crate::sim::{Event, PacketKind};

    #[test]
    fn a_restart_that_forgets_a_synced_txn_is_noticed() {
        fires(Property::D10, |story| {
            story.ends(p(1));
            story.boots(p(1), 1, 1, Story::zxid(1, 1), 1001);
        });
    }

    #[test]
    fn a_restart_with_another_state_is_noticed() {
        fires(Property::D10, |story| {
            story.ends(p(1));
            story.boots(p(1), 1, 1, Story::zxid(1, 2), 99);
        });
    }

    #[test]
    fn two_states_of_one_unchosen_history_are_noticed() {
        fires(Property::D10, |story| {
            story.proposed(p(3), 1, 3);
            story.role_ends();
            story.fast_forwarded(p(1), 1, 3);
            let (zxid, digest) = (Story::zxid(1, 3), 1003);
            story.event(Event::FastForwarded { node: p(2), zxid, digest, state: 99 });
        });
    }

    #[test]
    fn a_snapshot_with_another_state_is_noticed() {
        fires(Property::D10, |story| {
            story.joins(p(4), p(3), 1);
            story.sent(p(3), p(4), PacketKind::Snap, Story::zxid(1, 2));
            story.event(Event::Restored { node: p(4), zxid: Story::zxid(1, 2), state: 99 });
        });
    }
}
