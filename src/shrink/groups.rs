//! `Group`: actions that belong together, and are often needed or not needed together.

use std::collections::BTreeSet;

use super::course::Entry;
use crate::sim::{Action, LinkKey, Node};

/// Some of the actions of a script. In the order in which they are tried: what is most goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// Whatever touches a server.
    Node(Node),
    /// Everything between two servers, both ways.
    Between(Node, Node),
    /// The operations of a client.
    Client(u8),
    /// All operations at a server.
    ClientsAt(Node),
    /// Whatever happens on one connection.
    Link(LinkKey),
    /// All notifications from one server to another.
    Notifications(Node, Node),
    /// All timers of a server.
    Timers(Node),
    /// All that the disk of a server does.
    Disk(Node),
    /// All that a fault does to a server.
    Faults(Node),
    /// All cuts and their ends, one way.
    Cuts(Node, Node),
}

impl Group {
    /// All groups of a script.
    pub fn all(script: &[Entry]) -> BTreeSet<Group> {
        script.iter().flat_map(|entry| Group::of(&entry.action)).collect()
    }

    /// Whether `entry` belongs to it.
    pub fn has(self, entry: &Entry) -> bool {
        Group::of(&entry.action).contains(&self)
    }

    fn of(action: &Action) -> Vec<Group> {
        let between = |a: Node, b: Node| Group::Between(a.min(b), a.max(b));
        let pair = |a: Node, b: Node| vec![Group::Node(a), Group::Node(b), between(a, b)];
        match *action {
            Action::Deliver { link, .. }
            | Action::NoticeClose { link, .. }
            | Action::Reset { link, .. }
            | Action::HalfOpen { link, .. } => {
                let mut groups = pair(link.dialer, link.acceptor);
                groups.push(Group::Link(link));
                groups
            }
            Action::Connect { dialer, acceptor } | Action::ConnectTimeout { dialer, acceptor } => {
                pair(dialer, acceptor)
            }
            Action::Cut { from, to } | Action::Mend { from, to } => {
                vec![between(from, to), Group::Cuts(from, to)]
            }
            Action::Notify { from, to }
            | Action::LoseNotification { from, to }
            | Action::ReplayNotification { from, to, .. } => {
                let mut groups = pair(from, to);
                groups.push(Group::Notifications(from, to));
                groups
            }
            Action::Wake { node } => vec![Group::Node(node), Group::Timers(node)],
            Action::SyncDone { node } | Action::SyncFails { node } | Action::ReadDone { node } => {
                vec![Group::Node(node), Group::Disk(node)]
            }
            Action::Start { node } => vec![Group::Node(node)],
            Action::Crash { node, .. }
            | Action::CrashInside { node, .. }
            | Action::Stop { node }
            | Action::Pause { node }
            | Action::Resume { node }
            | Action::Wipe { node }
            | Action::Disk { node, .. }
            | Action::ClockJump { node, .. } => vec![Group::Node(node), Group::Faults(node)],
            Action::Invoke { client, server, .. } => {
                vec![Group::Node(server), Group::Client(client), Group::ClientsAt(server)]
            }
            Action::Enter { .. } => Vec::new(),
        }
    }
}
