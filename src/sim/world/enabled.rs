//! What is possible.

use super::World;
use crate::sim::{Action, Node};
use crate::zab::Instant;

impl World {
    /// Whether an action is possible now. A `Wake` is as soon as the node has a timer: whether that is due, only
    /// [`World::apply`] can tell, which knows the time.
    pub fn is_enabled(&self, action: &Action) -> bool {
        match *action {
            Action::Deliver { link, to, skip } => {
                let arrives = |from| self.is_running(to) && !self.net.is_cut(from, to);
                let is_there = |state: &crate::sim::LinkState| state.is_open(to) && state.in_flight(to) > skip;
                (skip == 0 || !self.setup.fifo)
                    && (to == link.dialer || to == link.acceptor)
                    && self.net.link(link).is_some_and(is_there)
                    && arrives(link.other(to))
            }
            Action::Connect { dialer, acceptor } => {
                self.is_dialing(dialer, acceptor)
                    && !self.nodes[acceptor.index()].paused
                    && !self.net.is_cut(dialer, acceptor)
                    && !self.net.is_cut(acceptor, dialer)
            }
            Action::ConnectTimeout { dialer, acceptor } => self.is_dialing(dialer, acceptor),
            Action::NoticeClose { link, at } => {
                (at == link.dialer || at == link.acceptor)
                    && self.is_running(at)
                    && self.net.link(link).is_some_and(|state| {
                        state.is_closing(at) && (state.is_reset(at) || !self.net.is_cut(link.other(at), at))
                    })
            }
            Action::Reset { link, .. } => self.net.link(link).is_some_and(|state| state.is_sound()),
            Action::HalfOpen { link, at } => {
                (at == link.dialer || at == link.acceptor) && self.net.link(link).is_some_and(|state| state.is_sound())
            }
            Action::Cut { from, to } => self.are_two(from, to) && !self.net.is_cut(from, to),
            Action::Mend { from, to } => self.are_two(from, to) && self.net.is_cut(from, to),
            Action::Notify { from, to } => {
                self.exists(from)
                    && self.is_running(to)
                    && !self.net.is_cut(from, to)
                    && self.net.mailboxes.wire(from, to).is_some()
            }
            Action::LoseNotification { from, to } => {
                self.exists(from) && self.exists(to) && self.net.mailboxes.wire(from, to).is_some()
            }
            Action::ReplayNotification { from, to, age } => {
                self.exists(from)
                    && self.is_running(to)
                    && !self.net.is_cut(from, to)
                    && self.net.mailboxes.sent(from, to, age).is_some()
            }
            Action::Wake { node } => self.is_running(node) && self.nodes[node.index()].next_wake().is_some(),
            Action::Crash { node, .. } | Action::CrashInside { node, .. } => self.is_up(node),
            Action::Stop { node } | Action::Pause { node } => self.is_running(node),
            Action::Start { node } | Action::Wipe { node } => self.exists(node) && !self.is_up(node),
            Action::Resume { node } => self.exists(node) && self.nodes[node.index()].paused,
            Action::SyncDone { node } | Action::SyncFails { node } => {
                self.is_running(node) && self.nodes[node.index()].disk.is_syncing()
            }
            Action::ReadDone { node } => self.is_running(node) && self.nodes[node.index()].disk.has_read(),
            Action::Disk { node, mode } => self.exists(node) && self.nodes[node.index()].disk.mode() != mode,
            Action::ClockJump { node, millis } => self.exists(node) && millis > 0,
            Action::Invoke { client, server, .. } => usize::from(client) < self.clients.len() && self.exists(server),
            Action::Enter { stage } => stage > self.stage,
        }
    }

    fn exists(&self, node: Node) -> bool {
        node.index() < self.nodes.len()
    }

    fn are_two(&self, a: Node, b: Node) -> bool {
        a != b && self.exists(a) && self.exists(b)
    }

    fn is_up(&self, node: Node) -> bool {
        self.nodes.get(node.index()).is_some_and(|state| state.is_up())
    }

    pub(super) fn is_running(&self, node: Node) -> bool {
        self.nodes.get(node.index()).is_some_and(|state| state.is_running())
    }

    fn is_dialing(&self, dialer: Node, acceptor: Node) -> bool {
        self.are_two(dialer, acceptor) && self.is_running(dialer) && self.net.is_dialing(dialer, acceptor)
    }

    /// Whether the node's next timer is not due at `at`.
    pub(super) fn is_early(&self, at: Instant, node: Node) -> bool {
        self.nodes[node.index()].next_wake().is_none_or(|due| at < due)
    }
}
