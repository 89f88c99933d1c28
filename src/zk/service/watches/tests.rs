//! The table at the head of the module, row by row.

use super::*;
use crate::zk::wire::Dialect;
use ChangeKind::{ChildrenChanged, Created, DataChanged, Deleted};

const ONE: ConnId = ConnId(1);
const TWO: ConnId = ConnId(2);
const ALL: [ChangeKind; 4] = [Created, Deleted, DataChanged, ChildrenChanged];

/// Who is told of each kind of event, in the order of [`ALL`], each asked of a copy.
fn told(watches: &Watches, path: &str) -> [Vec<ConnId>; 4] {
    ALL.map(|event| watches.clone().fire(event, path))
}

#[test]
fn each_kind_is_told_of_its_events() {
    let nobody = Vec::new;
    let mut data = Watches::default();
    data.watch_data(ONE, "/a");
    assert_eq!(told(&data, "/a"), [vec![ONE], vec![ONE], vec![ONE], nobody()]);
    let mut child = Watches::default();
    child.watch_children(ONE, "/a");
    assert_eq!(told(&child, "/a"), [nobody(), vec![ONE], nobody(), vec![ONE]]);
    let mut persistent = Watches::default();
    persistent.add(ONE, "/a", WatchMode::Persistent);
    assert_eq!(told(&persistent, "/a"), [vec![ONE], vec![ONE], vec![ONE], vec![ONE]]);
    assert_eq!(told(&persistent, "/a/b"), [nobody(), nobody(), nobody(), nobody()]);
    let mut recursive = Watches::default();
    recursive.add(ONE, "/a", WatchMode::PersistentRecursive);
    for below in ["/a", "/a/b", "/a/b/c"] {
        assert_eq!(told(&recursive, below), [vec![ONE], vec![ONE], vec![ONE], nobody()]);
    }
    assert_eq!(told(&recursive, "/ab"), [nobody(), nobody(), nobody(), nobody()], "a longer name is no child");
}

#[test]
fn a_watch_is_consumed_and_a_persistent_one_is_not() {
    let mut watches = Watches::default();
    watches.watch_data(ONE, "/a");
    watches.watch_children(ONE, "/a");
    watches.add(TWO, "/", WatchMode::PersistentRecursive);
    watches.watch_data(TWO, "/a");
    assert_eq!(watches.fire(Deleted, "/a"), [ONE, TWO], "each once, though each has two");
    assert_eq!(watches.fire(Deleted, "/a"), [TWO]);
    assert_eq!(watches.summary(), WatchSummary { connections: 1, paths: 1, watches: 1 });
    assert_eq!(watches.count(), 1);
}

#[test]
fn both_kinds_of_one_connection_on_one_path_stand_side_by_side() {
    let mut watches = Watches::default();
    watches.add(ONE, "/a", WatchMode::Persistent);
    watches.watch_data(ONE, "/a");
    assert_eq!(watches.fire(DataChanged, "/a"), [ONE]);
    assert!(!watches.has(ONE, "/a", WatcherType::Data, Dialect::V39), "the ordinary one is consumed");
    assert!(
        watches.has(ONE, "/a", WatcherType::Persistent, Dialect::V39)
            && watches.has(ONE, "/a", WatcherType::Any, Dialect::V39)
    );
    assert_eq!(watches.fire(DataChanged, "/a"), [ONE], "the persistent one is not");
}

#[test]
fn what_is_removed_is_not_told() {
    let mut watches = Watches::default();
    watches.watch_data(ONE, "/a");
    watches.watch_children(ONE, "/a");
    assert!(!watches.remove(TWO, "/a", WatcherType::Any, Dialect::V39), "another connection's watch");
    assert!(
        watches.remove(ONE, "/a", WatcherType::Data, Dialect::V39)
            && !watches.remove(ONE, "/a", WatcherType::Data, Dialect::V39)
    );
    assert_eq!(watches.fire(DataChanged, "/a"), []);
    assert!(watches.remove(ONE, "/a", WatcherType::Any, Dialect::V39));
    watches.add(ONE, "/a", WatchMode::PersistentRecursive);
    assert!(!watches.has(ONE, "/a", WatcherType::Persistent, Dialect::V39));
    assert!(watches.remove(ONE, "/a", WatcherType::PersistentRecursive, Dialect::V39));
    assert_eq!(watches, Watches::default(), "nothing is left behind");
}

#[test]
fn a_connection_takes_its_watches_with_it() {
    let mut watches = Watches::default();
    for conn in [ONE, TWO] {
        watches.watch_data(conn, "/a");
        watches.watch_children(conn, "/b");
        watches.add(conn, "/c", WatchMode::Persistent);
        watches.add(conn, "/", WatchMode::PersistentRecursive);
    }
    // Of `/b` only children are watched.
    assert_eq!((watches.summary(), watches.count()), (WatchSummary { connections: 2, paths: 3, watches: 6 }, 10));
    watches.forget(ONE);
    assert_eq!(watches.fire(DataChanged, "/a"), [TWO]);
    assert_eq!(watches.pairs().collect::<Vec<_>>(), ["/", "/c"].map(|path| (TWO, path)));
    assert_eq!((watches.summary(), watches.count()), (WatchSummary { connections: 1, paths: 2, watches: 2 }, 4));
    watches.forget(TWO);
    assert_eq!(watches, Watches::default());
}

#[test]
fn before_3_9_a_persistent_watch_is_one_of_data_and_of_children() {
    let mut watches = Watches::default();
    watches.add(ONE, "/a", WatchMode::Persistent);
    for kind in [WatcherType::Data, WatcherType::Children] {
        assert!(!watches.has(ONE, "/a", kind, Dialect::V39) && watches.has(ONE, "/a", kind, Dialect::V38));
    }
    assert!(watches.remove(ONE, "/a", WatcherType::Data, Dialect::V38));
    assert!(watches.has(ONE, "/a", WatcherType::Children, Dialect::V38));
}
