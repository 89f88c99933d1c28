//! Who waits for what (`WatchManager`, `IWatchManager`), per connection.
//!
//! | armed by | table | tells of | consumed |
//! |---|---|---|---|
//! | `getData`, `exists` | data | created, deleted, data changed | yes |
//! | `getChildren` | child | children changed, deleted | yes |
//! | `addWatch` persistent | both | all of these | no |
//! | `addWatch` persistent recursive | data | created, deleted, data changed, of every node below as well | no |

mod table;

use crate::zk::model::{WatchMode, WatcherType};
use crate::zk::service::ConnId;
use crate::zk::service::tree::apply::ChangeKind;
use crate::zk::wire::Dialect;

use table::{Armed, Table};

/// The watches of this server's connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watches {
    data: Table,
    child: Table,
}

/// How many watches of the data table there are: ZooKeeper tells operators of no others (`DataTree.getWatchesSummary`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WatchSummary {
    /// Connections that have one.
    pub connections: usize,
    /// Paths that are watched.
    pub paths: usize,
    /// Pairs of the two.
    pub watches: usize,
}

impl Watches {
    /// Waits for one change of a node, or for its creation.
    pub fn watch_data(&mut self, conn: ConnId, path: &str) {
        self.data.arm(conn, path, Armed::STANDARD);
    }

    /// Waits for one change of a node's children.
    pub fn watch_children(&mut self, conn: ConnId, path: &str) {
        self.child.arm(conn, path, Armed::STANDARD);
    }

    /// Waits for every change (`addWatch`).
    pub fn add(&mut self, conn: ConnId, path: &str, mode: WatchMode) {
        match mode {
            WatchMode::Persistent => {
                self.data.arm(conn, path, Armed::PERSISTENT);
                self.child.arm(conn, path, Armed::PERSISTENT);
            }
            WatchMode::PersistentRecursive => self.data.arm(conn, path, Armed::RECURSIVE),
        }
    }

    /// Whether the connection has such a watch (`checkWatches`).
    pub fn has(&self, conn: ConnId, path: &str, kind: WatcherType, dialect: Dialect) -> bool {
        let (data, child) = scope(kind, dialect);
        self.data.has(conn, path, data) || self.child.has(conn, path, child)
    }

    /// Gives up such watches (`removeWatches`); whether there were any.
    pub fn remove(&mut self, conn: ConnId, path: &str, kind: WatcherType, dialect: Dialect) -> bool {
        let (data, child) = scope(kind, dialect);
        let from_data = self.data.disarm(conn, path, data);
        self.child.disarm(conn, path, child) || from_data
    }

    /// The connection is gone, and so is what it waited for.
    pub fn forget(&mut self, conn: ConnId) {
        self.data.forget(conn);
        self.child.forget(conn);
    }

    /// Something happened to a node: who is to be told, each once, ascending. What is told only once is not armed any more.
    pub fn fire(&mut self, event: ChangeKind, path: &str) -> Vec<ConnId> {
        let mut told = match event {
            ChangeKind::Created | ChangeKind::DataChanged => self.data.fire(path),
            ChangeKind::ChildrenChanged => self.child.fire(path),
            ChangeKind::Deleted => {
                let mut told = self.data.fire(path);
                told.extend(self.child.fire(path));
                told
            }
        };
        told.sort_unstable();
        told.dedup();
        told
    }

    /// The number of both tables, for `mntr`. Nothing is gone through for it, nor for the summary.
    pub fn count(&self) -> usize {
        self.data.summary().watches + self.child.summary().watches
    }

    /// The numbers of the data table, for `wchs`.
    pub fn summary(&self) -> WatchSummary {
        self.data.summary()
    }

    /// What each connection watches in the data table (`wchc`), or with the pairs turned round, who watches each path (`wchp`).
    pub fn pairs(&self) -> impl Iterator<Item = (ConnId, &str)> {
        self.data.pairs()
    }
}

/// What a kind of watch means in the two tables. Up to 3.8 persistent watches are no kind of their own.
fn scope(kind: WatcherType, dialect: Dialect) -> (Armed, Armed) {
    match kind {
        WatcherType::Children if dialect == Dialect::V38 => (Armed::NONE, Armed::ANY),
        WatcherType::Data if dialect == Dialect::V38 => (Armed::ANY, Armed::NONE),
        WatcherType::Children => (Armed::NONE, Armed::STANDARD),
        WatcherType::Data => (Armed::STANDARD, Armed::NONE),
        WatcherType::Any => (Armed::ANY, Armed::ANY),
        WatcherType::Persistent => (Armed::PERSISTENT, Armed::PERSISTENT),
        WatcherType::PersistentRecursive => (Armed::RECURSIVE, Armed::NONE),
    }
}

#[cfg(test)]
mod tests;
