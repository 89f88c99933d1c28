//! Sentences about ZooKeeper's tree, sessions and watches.

use crate::sim::{Change, Found, Sight, TreeEvent};
use crate::zk::model::{EventType, SessionId};

/// One sentence, without a full stop.
pub(super) fn text(event: &TreeEvent) -> String {
    match *event {
        TreeEvent::Change { node, zxid, change, .. } => format!("{zxid} of {node} {}", change_text(&change)),
        TreeEvent::SessionClosed { node, session, left: 0, .. } => {
            format!("{node} has closed session {}", name(session))
        }
        TreeEvent::SessionClosed { node, session, left, .. } => {
            format!("{node} has closed session {} and kept {left} of its ephemerals", name(session))
        }
        TreeEvent::Joined { client, server, session } => {
            format!("client {client} has its session {} at {server}", name(session))
        }
        TreeEvent::SessionOver { client, server, session } => {
            format!("{server} tells client {client} that session {} is over", name(session))
        }
        TreeEvent::Saw { client, server, zxid, sight } => {
            format!("{server} shows client {client} {} at {zxid}", sight_text(&sight))
        }
        TreeEvent::Fired { client, server, znode, kind } => {
            format!("{server} tells client {client}: {znode} {}", kind_text(kind))
        }
        TreeEvent::FilesDiffer { node } => format!("{node} finds something else in its files than was written"),
    }
}

fn change_text(change: &Change) -> String {
    match *change {
        Change::Created { znode, owner: SessionId(0), value } => format!("makes {znode} with {value}"),
        Change::Created { znode, owner, value } => {
            format!("makes {znode} with {value}, ephemeral of session {}", name(owner))
        }
        Change::Set { znode, value, version } => format!("sets {znode} to {value}, version {version}"),
        Change::Deleted { znode } => format!("deletes {znode}"),
        Change::SessionCreated { session } => format!("opens session {}", name(session)),
        Change::SessionClosed { session } => format!("closes session {}", name(session)),
    }
}

fn sight_text(sight: &Sight) -> String {
    let watched = |watches: bool| if watches { ", watched" } else { "" };
    match *sight {
        Sight::Nothing => "that it is done".into(),
        Sight::Znode { znode, found: None, watches } => format!("no {znode}{}", watched(watches)),
        Sight::Znode { znode, found: Some(Found { mzxid, version, value, .. }), watches } => {
            let value = value.map_or(String::new(), |value| format!(" with {value}"));
            format!("{znode}{value}, version {version} of {mzxid}{}", watched(watches))
        }
        Sight::Items { found: None, watches } => format!("no queue{}", watched(watches)),
        Sight::Items { found: Some((count, _)), watches } => format!("a queue of {count}{}", watched(watches)),
        Sight::WatchesSet => "that its watches are set again".into(),
    }
}

fn kind_text(kind: EventType) -> &'static str {
    match kind {
        EventType::NodeCreated => "was made",
        EventType::NodeDeleted => "was deleted",
        EventType::NodeDataChanged => "was set",
        EventType::NodeChildrenChanged => "has other children",
    }
}

/// As ZooKeeper prints it.
fn name(session: SessionId) -> String {
    format!("0x{:x}", session.0)
}
