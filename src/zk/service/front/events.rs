//! Changes become events (`ServerCnxn.process`).

use crate::zab::Zxid;
use crate::zk::model::{EventType, WatchEvent};
use crate::zk::service::acl;
use crate::zk::service::config::Dialect;
use crate::zk::service::tree::apply::{Change, ChangeKind};

use super::{Around, Front, frames};

impl Front {
    /// Tells those who watch, before any answer can show the change.
    pub(super) fn fire(&mut self, zxid: Zxid, changes: Vec<Change>, around: &mut Around<'_>) {
        let access = &around.config.rules.access;
        for Change { kind, path, acl } in changes {
            let told = self.watches.fire(kind, &path);
            if told.is_empty() {
                continue;
            }
            let event = WatchEvent { kind: event_type(kind), path };
            let bytes = frames::event(header_zxid(around.config.dialect, zxid), &event);
            for conn in told {
                let may_know = || access.check(&acl, acl::READ, &self.conns[&conn].ids).is_ok();
                if around.config.dialect < Dialect::V3_9 || may_know() {
                    self.send(conn, bytes.clone(), around);
                }
            }
        }
    }
}

/// The zxid that a notification shows.
fn header_zxid(dialect: Dialect, zxid: Zxid) -> i64 {
    match dialect {
        Dialect::V3_8 => -1,
        Dialect::V3_9 => zxid.0,
    }
}

fn event_type(kind: ChangeKind) -> EventType {
    match kind {
        ChangeKind::Created => EventType::NodeCreated,
        ChangeKind::Deleted => EventType::NodeDeleted,
        ChangeKind::DataChanged => EventType::NodeDataChanged,
        ChangeKind::ChildrenChanged => EventType::NodeChildrenChanged,
    }
}
