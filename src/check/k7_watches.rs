//! K7, watches: none is missed, none is early, none comes of nothing.
//!
//! A watch that was left with an answer at zxid z waits for the first change after z that concerns it. Its client is told of that
//! change before any answer at or beyond it, and by a server that has applied it: from then on every answer is at or beyond it. One
//! event takes every watch of its client that waits for it: `getData` and `exists` wait for the same, and a deletion is told
//! once to those who watch the data and to those who watch the children.
//!
//! Watches outlive their connection, not their session. The client sets them again first thing on the next one, and what it is told
//! then tells of all changes meanwhile at once, as `DataTree.setWatches` does: a watched node is not there, or it has changed (which may
//! be another node of the name); a node that was missing is there. A missing node that was made and deleted again meanwhile is
//! not told: that is the one change that ZooKeeper's programmer's guide says can be missed.

use super::ghost::Tree;
use super::{Ghost, Property, Sink};
use crate::sim::{Node, Sight, Znode};
use crate::zab::Zxid;
use crate::zk::model::{EventType, SessionId};

/// The watches of each client.
#[derive(Clone, Debug)]
pub struct Watches {
    clients: Vec<Client>,
}

#[derive(Clone, Debug, Default)]
struct Client {
    session: SessionId,
    /// Whether its watches are to be set again on this connection.
    is_setting: bool,
    watches: Vec<Watch>,
    /// The last change it was told of, for a sentence: answers are from a state that has it.
    told: Option<(Zxid, Znode)>,
}

/// A watch that did not fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Watch {
    znode: Znode,
    kind: Kind,
    /// The state it was left in.
    since: Zxid,
}

/// What it was left with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A node that is there.
    Data,
    /// A node that is not there.
    Exist,
    /// The children of a node.
    Child,
}

impl Watch {
    fn hears(&self, kind: EventType) -> bool {
        match kind {
            EventType::NodeCreated | EventType::NodeDataChanged => self.kind != Kind::Child,
            EventType::NodeDeleted => true,
            EventType::NodeChildrenChanged => self.kind == Kind::Child,
        }
    }

    /// The first change that concerns it, up to a state.
    fn change(&self, tree: &Tree, through: Zxid) -> Option<(Zxid, EventType)> {
        let mut moments = tree.after(self.znode, self.since).iter().filter(|moment| self.hears(moment.kind));
        let own = moments.next().map(|moment| (moment.zxid, moment.kind));
        let of_children =
            (self.kind == Kind::Child && self.znode == Znode::Queue).then(|| tree.items_after(self.since));
        let of_children = of_children.flatten().map(|zxid| (zxid, EventType::NodeChildrenChanged));
        own.into_iter().chain(of_children).min_by_key(|(zxid, _)| *zxid).filter(|(zxid, _)| *zxid <= through)
    }

    /// What is told of it when it is set again in a state.
    fn summary(&self, tree: &Tree, at: Zxid) -> Option<(Zxid, EventType)> {
        let (zxid, _) = self.change(tree, at)?;
        let kind = match (self.kind, tree.at(self.znode, at)) {
            (Kind::Data | Kind::Child, None) => EventType::NodeDeleted,
            (Kind::Data, Some(_)) => EventType::NodeDataChanged,
            (Kind::Child, Some(_)) => EventType::NodeChildrenChanged,
            (Kind::Exist, Some(_)) => EventType::NodeCreated,
            (Kind::Exist, None) => return None,
        };
        Some((zxid, kind))
    }
}

impl Client {
    /// What is due for a watch in a state.
    fn due(&self, watch: &Watch, tree: &Tree, at: Zxid) -> Option<(Zxid, EventType)> {
        if self.is_setting { watch.summary(tree, at) } else { watch.change(tree, at) }
    }
}

impl Watches {
    /// Of so many clients.
    pub fn new(clients: usize) -> Watches {
        Watches { clients: vec![Client::default(); clients] }
    }

    /// A client's session stands on a new connection.
    pub fn on_joined(&mut self, client: u8, session: SessionId) {
        let client = &mut self.clients[usize::from(client)];
        if client.session != session {
            *client = Client { session, ..Client::default() };
        }
        (client.is_setting, client.told) = (!client.watches.is_empty(), None);
    }

    /// Its session is over, and nobody watches for it.
    pub fn on_over(&mut self, client: u8) {
        self.clients[usize::from(client)] = Client::default();
    }

    /// It was answered.
    pub fn on_saw(&mut self, ghost: &Ghost, client: u8, server: Node, zxid: Zxid, sight: &Sight, out: &mut Sink) {
        let of = &mut self.clients[usize::from(client)];
        let missed = of.watches.iter().find_map(|watch| Some((*watch, of.due(watch, &ghost.tree, zxid)?)));
        out.check(Property::K7, missed.is_none(), [server], || {
            let (watch, (change, kind)) = missed.expect("it was missed");
            let Watch { znode, since, .. } = watch;
            let expected = format!(
                "client {client}, who watches {znode} since {since}, is told {kind:?} for {change}, before it sees it"
            );
            (expected, format!("{server} answers at {zxid} first"))
        });
        if let Some((change, znode)) = of.told {
            out.check(Property::K7, zxid >= change, [server], || {
                let expected =
                    format!("what client {client} was told of {znode} has happened: answers from {change} on");
                (expected, format!("{server} answers at {zxid}"))
            });
        }
        // One fault is told once.
        of.watches.retain(|watch| missed.is_none_or(|(missed, _)| missed != *watch));
        if matches!(sight, Sight::WatchesSet) {
            of.is_setting = false;
            of.watches.iter_mut().for_each(|watch| watch.since = zxid);
        }
        let (znode, kind) = match *sight {
            Sight::Znode { znode, found: Some(_), watches: true } => (znode, Kind::Data),
            Sight::Znode { znode, found: None, watches: true } => (znode, Kind::Exist),
            Sight::Items { found: Some(_), watches: true } => (Znode::Queue, Kind::Child),
            _ => return,
        };
        if !of.watches.iter().any(|watch| (watch.znode, watch.kind) == (znode, kind)) {
            of.watches.push(Watch { znode, kind, since: zxid });
        }
    }

    /// It was told that a watch fired.
    pub fn on_fired(&mut self, ghost: &Ghost, client: u8, server: Node, znode: Znode, kind: EventType, out: &mut Sink) {
        let of = &mut self.clients[usize::from(client)];
        let applied = ghost.last_applied(server);
        let hears = |watch: &&Watch| watch.znode == znode && watch.hears(kind);
        let due = of.watches.iter().filter(hears).find_map(|watch| of.due(watch, &ghost.tree, applied));
        let watched = of.watches.iter().find(hears).copied();
        out.check(Property::K7, due.is_some_and(|(_, due)| due == kind), [server], || {
            let expected = match (watched, due) {
                (None, _) => format!("client {client} is told nothing of {znode}, which it does not watch for that"),
                (Some(watch), None) => {
                    format!(
                        "no word on {znode}: nothing that {server} applied, up to {applied}, changed it since {}",
                        watch.since
                    )
                }
                (Some(_), Some((change, due))) => format!("client {client} is told {due:?} of {znode} for {change}"),
            };
            (expected, format!("{server} tells it {kind:?}"))
        });
        of.watches.retain(|watch| !hears(&watch));
        let told = due.map(|(change, _)| (change, znode));
        of.told = of.told.max(told);
    }
}

#[cfg(test)]
mod tests;
