//! Changes become events (`ServerCnxn.process`).

use crate::zab::Zxid;
use crate::zk::model::{EventType, WatchEvent};
use crate::zk::service::acl;
use crate::zk::service::tree::apply::{Change, ChangeKind};
use crate::zk::wire::Dialect;

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
            let bytes = frames::event(&event, zxid.0, around.config.dialect);
            for conn in told {
                let may_know = || access.check(&acl, acl::READ, self.conns[&conn].ids.as_slice()).is_ok();
                if around.config.dialect < Dialect::V39 || may_know() {
                    self.send(conn, bytes.clone(), around);
                }
            }
        }
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
