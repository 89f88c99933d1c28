//! The digest of a tree, version 2 (`DigestCalculator`): the sum of a checksum per node, so that one txn changes it by what
//! it changed.

use crc32fast::Hasher;

use crate::zk::model::StatPersisted;
use crate::zk::service::path;

use super::nodes::Body;

/// The version that is written and compared.
pub const VERSION: i32 = 2;

/// The part of a node's checksum that its stat has no part in. The root counts with an empty path.
pub fn of_body(path: &str, data: Option<&[u8]>) -> u32 {
    let mut crc = Hasher::new();
    if path != path::ROOT {
        crc.update(path.as_bytes());
    }
    crc.update(data.unwrap_or_default());
    crc.finalize()
}

/// What a node contributes. What is below `/zookeeper` counts nothing: quotas are counted by each server for itself.
pub fn of_node(body: &Body, stat: &StatPersisted) -> u64 {
    if body.path().strip_prefix(path::SYSTEM).is_some_and(|rest| rest.starts_with('/')) {
        return 0;
    }
    let mut bytes = [0; 60];
    let (longs, ints) = bytes.split_at_mut(40);
    let (ints, owner) = ints.split_at_mut(12);
    for (to, long) in longs.chunks_exact_mut(8).zip([stat.czxid, stat.mzxid, stat.pzxid, stat.ctime, stat.mtime]) {
        to.copy_from_slice(&long.to_be_bytes());
    }
    for (to, int) in ints.chunks_exact_mut(4).zip([stat.version, stat.cversion, stat.aversion]) {
        to.copy_from_slice(&int.to_be_bytes());
    }
    owner.copy_from_slice(&stat.ephemeral_owner.to_be_bytes());
    let mut crc = Hasher::new_with_initial(body.crc());
    crc.update(&bytes);
    u64::from(crc.finalize())
}
