//! Watches and their events.

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are ZooKeeper's and say it")]
#[repr(i32)]
pub enum EventType {
    NodeCreated = 1,
    NodeDeleted = 2,
    NodeDataChanged = 3,
    NodeChildrenChanged = 4,
}

impl EventType {
    /// The event of that number.
    pub fn from_code(code: i32) -> Option<EventType> {
        use EventType::*;
        [NodeCreated, NodeDeleted, NodeDataChanged, NodeChildrenChanged].into_iter().find(|event| *event as i32 == code)
    }
}

/// What a client is told (`WatcherEvent`); its state is always SyncConnected, 3.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WatchEvent {
    /// What happened.
    pub kind: EventType,
    /// Where.
    pub path: String,
}

/// How an `addWatch` watches (`AddWatchMode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i32)]
pub enum WatchMode {
    /// The node, until it is removed.
    Persistent = 0,
    /// The node and everything below it.
    PersistentRecursive = 1,
}

impl WatchMode {
    /// The mode of that number.
    pub fn from_code(code: i32) -> Option<WatchMode> {
        [WatchMode::Persistent, WatchMode::PersistentRecursive].into_iter().find(|mode| *mode as i32 == code)
    }
}

/// Which watches `checkWatches` and `removeWatches` mean (`Watcher.WatcherType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i32)]
pub enum WatcherType {
    /// Those of getChildren.
    Children = 1,
    /// Those of getData and exists.
    Data = 2,
    /// All.
    Any = 3,
    /// Those of addWatch; from 3.9 on.
    Persistent = 4,
    /// Those of addWatch that watch everything below; from 3.9 on.
    PersistentRecursive = 5,
}

impl WatcherType {
    /// The type of that number.
    pub fn from_code(code: i32) -> Option<WatcherType> {
        use WatcherType::*;
        [Children, Data, Any, Persistent, PersistentRecursive].into_iter().find(|kind| *kind as i32 == code)
    }
}
