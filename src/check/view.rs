//! `View`: the little that no event tells.

use crate::sim::{Node, World};
use crate::zab::Zxid;

/// What checkers may look at beside events.
pub trait View {
    /// Shows the zxids in the committed window of a node's peer, in order.
    fn each_in_window(&self, node: Node, see: &mut dyn FnMut(Zxid));
    /// Shows the zxids in the log on a node's disk, in order. Asked only where a release may leave something else there than it wrote.
    fn each_on_disk(&self, _node: Node, _see: &mut dyn FnMut(Zxid)) {}
    /// Whether a node's process runs and is not paused.
    fn is_live(&self, node: Node) -> bool;
    /// Whether nothing gets from `from` to `to`.
    fn is_cut(&self, from: Node, to: Node) -> bool;
}

impl View for World {
    fn each_in_window(&self, node: Node, see: &mut dyn FnMut(Zxid)) {
        if let Some(peer) = self.node(node).peer() {
            peer.window().iter().for_each(|txn| see(txn.zxid));
        }
    }

    fn each_on_disk(&self, node: Node, see: &mut dyn FnMut(Zxid)) {
        self.node(node).disk().log().iter().for_each(|txn| see(txn.zxid));
    }

    fn is_live(&self, node: Node) -> bool {
        self.node(node).is_up() && !self.node(node).is_paused()
    }

    fn is_cut(&self, from: Node, to: Node) -> bool {
        World::is_cut(self, from, to)
    }
}
