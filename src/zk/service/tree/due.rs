//! What is to be deleted because nobody needs it any more (`ContainerManager`). The leader asks now and then, and
//! deletes each by a txn of its own.

use super::Tree;
use super::nodes::{Node, Slot};
use super::owner::Owner;

/// How eagerly containers go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// After how many milliseconds a container goes that never had a child; never if there is none
    /// (`znode.container.maxNeverUsedIntervalMs`).
    pub never_used: Option<i64>,
    /// At most so many at once (`znode.container.maxPerMinute`).
    pub most: usize,
}

impl Default for Sweep {
    fn default() -> Sweep {
        Sweep { never_used: None, most: 10_000 }
    }
}

impl Tree {
    /// The paths of the nodes that are due at `time`, in milliseconds of the leader's clock: containers whose children
    /// have all gone, then nodes whose time to live has passed since they were last set.
    pub fn due(&self, sweep: Sweep, time: i64) -> Vec<String> {
        let elapsed = |node: &Node| time.saturating_sub(node.stat.mtime);
        let container = |node: &Node| {
            let never_used = sweep.never_used.is_some_and(|most| elapsed(node) > most);
            node.stat.cversion > 0 || never_used
        };
        let expired =
            |node: &Node| matches!(Owner::of(node.stat.ephemeral_owner), Owner::Ttl(ttl) if elapsed(node) > ttl);
        let node = |slot: &Slot| self.nodes.node(*slot);
        let containers = self.containers.iter().map(node).filter(|node| container(node));
        let due = containers.chain(self.ttls.iter().map(node).filter(|node| expired(node)));
        due.filter(|node| node.children() == 0).take(sweep.most).map(|node| node.body.path().to_owned()).collect()
    }
}
