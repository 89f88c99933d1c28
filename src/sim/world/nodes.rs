//! Processes, disks and clocks: starts, ends, pauses, syncs, reads, timers.

use std::mem::take;

use super::World;
use crate::replica::{Replica, Service};
use crate::sim::disk::{Read, Recovery};
use crate::sim::machine::Machine;
use crate::sim::{Chance, DiskMode, Event, Fault, Loss, Node, TreeEvent};
use crate::zab::{Input, Instant, WriteId};

impl World {
    pub(super) fn start(&mut self, node: Node) {
        self.events.push(Event::Started { node });
        self.nodes[node.index()].disk.write_back();
        self.flush(node);
        let Recovery { recovered, service, .. } = self.recover(node, Boot::Yes);
        let state = &mut self.nodes[node.index()];
        state.incarnation += 1;
        let local = state.clock.to_local(self.now);
        let mut effects = take(&mut self.effects);
        let replica = Replica::new(state.config.clone(), recovered, service, local, &mut effects);
        state.replica = Some(Box::new(replica));
        for peer in (0..self.nodes.len()).map(Node::at) {
            if peer != node && self.nodes[peer.index()].is_up() && self.net.mailboxes.connect(peer, node) {
                self.raise_notification(peer, node);
            }
        }
        self.chances.push(Chance::Up { node });
        self.execute(node, &mut effects);
        self.effects = effects;
    }

    pub(super) fn crash(&mut self, node: Node, loss: Loss, inside: bool) {
        self.events.push(Event::Crashed { node, loss, inside });
        self.end_process(node, loss);
    }

    /// The process is gone, and its machine as well if the power failed.
    pub(super) fn end_process(&mut self, node: Node, loss: Loss) {
        let World { nodes, net, events, .. } = self;
        let state = &mut nodes[node.index()];
        state.replica = None;
        state.paused = false;
        state.doom = None;
        state.armed = None;
        let served = std::mem::replace(&mut state.serving, false);
        state.disk.crash(loss, |write| events.push(Event::Lost { node, write }));
        let mut told = Vec::new();
        net.down(node, loss, |link| told.push(link));
        net.mailboxes.down(node, |from| events.push(Event::NotificationLost { from, to: node }));
        for link in told {
            self.raise_close(link, link.other(node));
        }
        if served {
            self.abandon(node);
        }
        self.cut_off(node);
        self.chances.push(Chance::Down { node });
    }

    pub(super) fn resume(&mut self, node: Node) {
        self.nodes[node.index()].paused = false;
        self.events.push(Event::Fault(Fault::Resumed { node }));
        self.raise_pending(node);
    }

    /// Raises everything again that `node` waits for.
    pub(super) fn raise_pending(&mut self, node: Node) {
        let state = &mut self.nodes[node.index()];
        state.armed = None;
        let (syncing, reads) = (state.disk.is_syncing(), state.disk.reads());
        if syncing {
            self.raise_sync(node, self.nodes[node.index()].disk.unsynced());
        }
        self.chances.extend((0..reads).map(|_| Chance::Read { node }));
        for peer in (0..self.nodes.len()).map(Node::at) {
            self.raise_between(peer, node);
        }
        self.rearm(self.now, node);
    }

    pub(super) fn sync_done(&mut self, node: Node) {
        let World { nodes, events, .. } = self;
        let disk = &mut nodes[node.index()].disk;
        let lie = disk.mode() == DiskMode::Lying;
        let base = disk.base();
        let end = disk.sync_done(|id, write| events.push(Event::Synced { node, id, write, lie }));
        if let Some((id, error)) = end.failed {
            self.events.push(Event::WriteFailed { node, id, error });
        }
        let purged = Some(self.nodes[node.index()].disk.base()).filter(|now| *now > base);
        // What waited meanwhile is next, whatever the process does with the news.
        if let Some(writes) = self.nodes[node.index()].disk.begin_sync() {
            self.raise_sync(node, writes);
        }
        if let Some(base) = purged {
            self.handle(node, Input::Purged { base });
        }
        if let Some(through) = end.through {
            self.handle(node, Input::Persisted { through });
        }
        if let Some((id, error)) = end.failed {
            self.handle(node, Input::WriteFailed { id, error });
        }
    }

    pub(super) fn sync_fails(&mut self, node: Node) {
        #[cfg(feature = "mutants")]
        if self.nodes[node.index()].disk.conceals_failed_cut() {
            return self.sync_done(node);
        }
        if let Some((id, error)) = self.nodes[node.index()].disk.sync_fails() {
            self.events.push(Event::WriteFailed { node, id, error });
            self.handle(node, Input::WriteFailed { id, error });
        }
    }

    pub(super) fn read_done(&mut self, node: Node) {
        match self.nodes[node.index()].disk.next_read() {
            Some(Read::Log { read, from, size_factor }) => {
                let slice = self.nodes[node.index()].disk.read_log(from, size_factor);
                self.handle(node, Input::LogRead { read, slice });
            }
            Some(Read::Reload) => self.reload(node),
            None => {}
        }
    }

    /// A sync of so many writes began.
    pub(super) fn raise_sync(&mut self, node: Node, writes: u16) {
        let installs = self.nodes[node.index()].disk.is_installing();
        self.chances.push(Chance::Sync { node, writes, installs });
    }

    /// Reads the disk again. What it reports is durable, so everything written is synced first, and the process told.
    fn reload(&mut self, node: Node) {
        while let Some(through) = self.flush(node) {
            self.handle(node, Input::Persisted { through });
        }
        let state = &self.nodes[node.index()];
        if !state.is_up() {
            return;
        }
        let local = state.clock.to_local(self.now);
        let Recovery { recovered, service, .. } = self.recover(node, Boot::No);
        let mut effects = take(&mut self.effects);
        if let Some(replica) = &mut self.nodes[node.index()].replica {
            replica.reloaded(local, recovered, service, &mut effects);
        }
        self.execute(node, &mut effects);
        self.effects = effects;
    }

    fn flush(&mut self, node: Node) -> Option<WriteId> {
        let World { nodes, events, .. } = self;
        let disk = &mut nodes[node.index()].disk;
        let lie = disk.mode() == DiskMode::Lying;
        disk.flush(|id, write| events.push(Event::Synced { node, id, write, lie }))
    }

    fn recover(&mut self, node: Node, boot: Boot) -> Recovery<Machine> {
        let state = &mut self.nodes[node.index()];
        let empty = Machine::new(&self.setup, &state.config, state.clock.to_local(self.now));
        let recovery = state.disk.recover(state.config.limits.commit_log_count, empty);
        self.events.push(Event::Recovered {
            node,
            accepted_epoch: recovery.recovered.accepted_epoch,
            current_epoch: recovery.recovered.current_epoch,
            snapshot: recovery.snapshot,
            last_zxid: recovery.recovered.last_zxid,
            digest: recovery.service.digest(),
            boot: boot == Boot::Yes,
        });
        if recovery.differs.is_some() {
            self.nodes[node.index()].differs.clone_from(&recovery.differs);
            self.events.push(Event::Tree(TreeEvent::FilesDiffer { node }));
        }
        recovery
    }

    /// Raises a wake-up if the node's next timer is earlier than the wake-up that is known, or if none is.
    pub(super) fn rearm(&mut self, at: Instant, node: Node) {
        let state = &mut self.nodes[node.index()];
        let due = if state.paused { None } else { state.next_wake() };
        let Some(due) = due else { return };
        // A wake-up in the past has fired, or was lost while the node stood still.
        let known = state.armed.filter(|&armed| armed > at || armed == due);
        if known.is_none_or(|armed| due < armed) {
            state.armed = Some(due);
            self.chances.push(Chance::Wake { node, at: due.max(at) });
        }
    }
}

/// Why a disk is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Boot {
    Yes,
    No,
}
