//! One table of watches: by path for those who fire it, by connection for those who leave.

use std::collections::{BTreeMap, BTreeSet};

use super::WatchSummary;
use crate::zk::service::ConnId;

/// In which ways one connection watches one path (`WatchStats`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Armed(u8);

impl Armed {
    /// In none.
    pub const NONE: Armed = Armed(0);
    /// Until it is told.
    pub const STANDARD: Armed = Armed(1);
    /// For good.
    pub const PERSISTENT: Armed = Armed(2);
    /// For good, with everything below.
    pub const RECURSIVE: Armed = Armed(4);
    /// In any of them.
    pub const ANY: Armed = Armed(7);

    fn meets(self, other: Armed) -> bool {
        self.0 & other.0 != 0
    }

    fn without(self, other: Armed) -> Armed {
        Armed(self.0 & !other.0)
    }
}

/// Watches of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    by_path: BTreeMap<String, BTreeMap<ConnId, Armed>>,
    by_conn: BTreeMap<ConnId, BTreeSet<String>>,
    /// How many entries are recursive: without one, no ancestor needs to be looked at.
    recursive: usize,
    len: usize,
}

impl Table {
    /// Adds a way of watching.
    pub fn arm(&mut self, conn: ConnId, path: &str, armed: Armed) {
        if !self.by_path.contains_key(path) {
            self.by_path.insert(path.to_owned(), BTreeMap::new());
        }
        let watchers = self.by_path.get_mut(path).expect("it is there since the line above");
        let before = watchers.get(&conn).copied().unwrap_or(Armed::NONE);
        watchers.insert(conn, Armed(before.0 | armed.0));
        if before == Armed::NONE {
            self.len += 1;
            self.by_conn.entry(conn).or_default().insert(path.to_owned());
        }
        if armed.meets(Armed::RECURSIVE) && !before.meets(Armed::RECURSIVE) {
            self.recursive += 1;
        }
    }

    /// Takes ways of watching away; whether there were any.
    pub fn disarm(&mut self, conn: ConnId, path: &str, armed: Armed) -> bool {
        let Some(watchers) = self.by_path.get_mut(path) else { return false };
        let Some(before) = watchers.get(&conn).copied().filter(|before| before.meets(armed)) else { return false };
        let after = before.without(armed);
        if before.meets(Armed::RECURSIVE) && !after.meets(Armed::RECURSIVE) {
            self.recursive -= 1;
        }
        if after != Armed::NONE {
            watchers.insert(conn, after);
            return true;
        }
        watchers.remove(&conn);
        if watchers.is_empty() {
            self.by_path.remove(path);
        }
        self.len -= 1;
        let paths = self.by_conn.get_mut(&conn).expect("both directions tell the same");
        paths.remove(path);
        if paths.is_empty() {
            self.by_conn.remove(&conn);
        }
        true
    }

    /// Whether the connection watches the path in one of these ways.
    pub fn has(&self, conn: ConnId, path: &str, armed: Armed) -> bool {
        self.by_path.get(path).and_then(|watchers| watchers.get(&conn)).is_some_and(|found| found.meets(armed))
    }

    /// Takes away everything of a connection.
    pub fn forget(&mut self, conn: ConnId) {
        for path in self.by_conn.get(&conn).cloned().unwrap_or_default() {
            self.disarm(conn, &path, Armed::ANY);
        }
    }

    /// Who watches the path, or recursively one above it.
    pub fn fire(&mut self, path: &str) -> Vec<ConnId> {
        let watchers: Vec<ConnId> =
            self.by_path.get(path).map(|watchers| watchers.keys().copied().collect()).unwrap_or_default();
        for conn in &watchers {
            self.disarm(*conn, path, Armed::STANDARD);
        }
        let mut told = watchers;
        if self.recursive > 0 {
            for ancestor in ancestors(path) {
                let watchers = self.by_path.get(ancestor).into_iter().flatten();
                told.extend(watchers.filter(|(_, armed)| armed.meets(Armed::RECURSIVE)).map(|(conn, _)| *conn));
            }
        }
        told
    }

    /// How much there is, at the same cost whatever that is.
    pub fn summary(&self) -> WatchSummary {
        WatchSummary { connections: self.by_conn.len(), paths: self.by_path.len(), watches: self.len }
    }

    /// Who watches what, ascending.
    pub fn pairs(&self) -> impl Iterator<Item = (ConnId, &str)> {
        self.by_conn.iter().flat_map(|(conn, paths)| paths.iter().map(|path| (*conn, path.as_str())))
    }
}

/// The nodes above a path, nearest first (`PathParentIterator`).
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| match path.rfind('/') {
        Some(0) if path.len() > 1 => Some("/"),
        Some(0) | None => None,
        Some(slash) => Some(&path[..slash]),
    })
    .skip(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn above_a_path_are_its_parents_up_to_the_root() {
        assert_eq!(ancestors("/a/b/c").collect::<Vec<_>>(), ["/a/b", "/a", "/"]);
        assert_eq!(ancestors("/a").collect::<Vec<_>>(), ["/"]);
        assert_eq!(ancestors("/").count(), 0);
    }
}
