//! Clients of ZooKeeper's tree in a story.

use super::{Story, digest, p};
use crate::sim::{Change, Event, Found, Node, Sight, TreeEvent, Znode};
use crate::zab::Zxid;
use crate::zk::model::{EventType, SessionId};

/// The session of each client.
pub const SESSIONS: [SessionId; 3] = [SessionId(0x100), SessionId(0x200), SessionId(0x300)];

impl Story {
    /// A legal story in which clients 0 and 1 have sessions at p1 and p2: (1,5) made what is shared, (1,6) the queue with item 7,
    /// and (1,7) an ephemeral of client 0.
    pub fn visited() -> Story {
        let mut story = Story::serving();
        let nobody = SessionId(0);
        story.changes(&[Change::SessionCreated { session: SESSIONS[0] }]);
        story.changes(&[Change::SessionCreated { session: SESSIONS[1] }]);
        story.changes(&[Change::Created { znode: Znode::Shared, owner: nobody, value: 1 }]);
        story.changes(&[
            Change::Created { znode: Znode::Queue, owner: nobody, value: 0 },
            Change::Created { znode: Znode::Item(7), owner: nobody, value: 0 },
        ]);
        story.changes(&[Change::Created { znode: Znode::Ephemeral(0), owner: SESSIONS[0], value: 2 }]);
        story.joined(0, p(1));
        story.joined(1, p(2));
        story.sees(0, p(1), Znode::Shared);
        story.sees(1, p(2), Znode::Shared);
        story
    }

    pub fn tree(&mut self, event: TreeEvent) {
        self.event(Event::Tree(event));
    }

    /// The leader proposes a txn.
    pub fn proposes_changes(&mut self, changes: &[Change]) {
        let (node, zxid) = (p(self.leader), Story::zxid(self.epoch, self.written + 1));
        let digest = digest(self.epoch, self.written + 1);
        for &change in changes {
            self.tree(TreeEvent::Change { node, zxid, digest, change });
        }
    }

    /// A txn, from its proposal until it is applied everywhere.
    pub fn changes(&mut self, changes: &[Change]) {
        self.proposes_changes(changes);
        self.write();
    }

    pub fn shared_is_set(&mut self, version: i32) {
        self.changes(&[Change::Set { znode: Znode::Shared, value: 10, version }]);
    }

    pub fn made(&mut self, znode: Znode) {
        self.changes(&[Change::Created { znode, owner: SessionId(0), value: 0 }]);
    }

    pub fn deleted(&mut self, znode: Znode) {
        self.changes(&[Change::Deleted { znode }]);
    }

    pub fn joined(&mut self, client: u8, server: Node) {
        self.tree(TreeEvent::Joined { client, server, session: SESSIONS[usize::from(client)] });
    }

    pub fn over(&mut self, client: u8, server: Node) {
        self.tree(TreeEvent::SessionOver { client, server, session: SESSIONS[usize::from(client)] });
    }

    pub fn fired(&mut self, client: u8, server: Node, znode: Znode, kind: EventType) {
        self.tree(TreeEvent::Fired { client, server, znode, kind });
    }

    pub fn saw(&mut self, client: u8, server: Node, zxid: Zxid, sight: Sight) {
        self.tree(TreeEvent::Saw { client, server, zxid, sight });
    }

    /// What everybody holds.
    pub fn last(&self) -> Zxid {
        Story::zxid(self.end.0, self.end.1)
    }

    /// What is true of a node.
    pub fn truth(&self, znode: Znode) -> Option<Found> {
        let mut ghost = self.checkers.ghost().clone();
        ghost.settle_tree();
        ghost.tree.at(znode, self.last())
    }

    /// An honest answer without a watch.
    pub fn sees(&mut self, client: u8, server: Node, znode: Znode) {
        let sight = Sight::Znode { znode, found: self.truth(znode), watches: false };
        self.saw(client, server, self.last(), sight);
    }

    /// An honest answer with a watch.
    pub fn watches(&mut self, client: u8, server: Node, znode: Znode) {
        let sight = Sight::Znode { znode, found: self.truth(znode), watches: true };
        self.saw(client, server, self.last(), sight);
    }

    /// An honest answer with a watch of the queue.
    pub fn watches_items(&mut self, client: u8, server: Node) {
        let mut ghost = self.checkers.ghost().clone();
        ghost.settle_tree();
        let sight = Sight::Items { found: ghost.tree.items_at(self.last()), watches: true };
        self.saw(client, server, self.last(), sight);
    }

    /// A client comes back to its session and has its watches set again.
    pub fn comes_back(&mut self, client: u8, server: Node, told: &[(Znode, EventType)]) {
        self.joined(client, server);
        for &(znode, kind) in told {
            self.fired(client, server, znode, kind);
        }
        self.saw(client, server, self.last(), Sight::WatchesSet);
    }
}
