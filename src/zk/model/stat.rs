//! What is known of a node beside its data.

/// As the tree and the disk hold it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StatPersisted {
    /// The txn that created it.
    pub czxid: i64,
    /// The txn that changed its data last.
    pub mzxid: i64,
    /// When it was created, ms of unix time.
    pub ctime: i64,
    /// When its data changed last, ms of unix time.
    pub mtime: i64,
    /// How often its data was set.
    pub version: i32,
    /// How many children were ever created.
    pub cversion: i32,
    /// How often its ACL was set.
    pub aversion: i32,
    /// The session of an ephemeral; 0 for others, with marks for containers and TTLs.
    pub ephemeral_owner: i64,
    /// The txn that created or deleted a child last.
    pub pzxid: i64,
}

/// As a client sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stat {
    /// The txn that created it.
    pub czxid: i64,
    /// The txn that changed its data last.
    pub mzxid: i64,
    /// When it was created, ms of unix time.
    pub ctime: i64,
    /// When its data changed last, ms of unix time.
    pub mtime: i64,
    /// How often its data was set.
    pub version: i32,
    /// How often a child was created or deleted.
    pub cversion: i32,
    /// How often its ACL was set.
    pub aversion: i32,
    /// The session of an ephemeral; 0 for all others.
    pub ephemeral_owner: i64,
    /// Bytes of data.
    pub data_length: i32,
    /// How many children it has now.
    pub num_children: i32,
    /// The txn that created or deleted a child last.
    pub pzxid: i64,
}
