//! Where the raw snapshot ends in a stream: nothing says its length, so its entries are stepped over one by one (sessions, the ACL
//! map, nodes, and the text `/` that ends them).

use super::{JUTE_MAXBUFFER, Reader, WireError};

/// A node behind its path and data: the key of its ACL and its stat.
const NODE_TAIL: usize = 8 + 60;

/// Steps over a raw snapshot that arrives in pieces.
#[derive(Clone, Debug)]
pub struct SnapshotScan {
    /// Bytes of an entry that is not complete: a node at most, with path and data.
    pending: Vec<u8>,
    stage: Stage,
    /// No string or buffer is longer.
    limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Sessions,
    Session { left: i32 },
    Acls,
    Acl { left: i32 },
    AclEntry { left: i32, acls: i32 },
    Node,
    Done,
}

impl Default for SnapshotScan {
    fn default() -> SnapshotScan {
        SnapshotScan::new()
    }
}

impl SnapshotScan {
    /// At the beginning, with what ZooKeeper allows by default: twice `jute.maxbuffer` for a string or buffer.
    pub fn new() -> SnapshotScan {
        SnapshotScan::with_limit(2 * JUTE_MAXBUFFER)
    }

    /// At the beginning, with no string or buffer longer than `limit`.
    pub fn with_limit(limit: usize) -> SnapshotScan {
        SnapshotScan { pending: Vec::new(), stage: Stage::Sessions, limit }
    }

    /// Whether the whole snapshot has been stepped over.
    pub fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// Takes what came next and says how much of it belongs to the snapshot: all of it, unless it ends there.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<usize, WireError> {
        if self.is_done() {
            return Ok(0);
        }
        let before = self.pending.len();
        let mut pending = std::mem::take(&mut self.pending);
        let whole: &[u8] = if before == 0 {
            bytes
        } else {
            pending.extend_from_slice(bytes);
            &pending
        };
        let mut at = 0;
        while !self.is_done() {
            let mut reader = Reader::new(&whole[at..], self.limit);
            match self.step(&mut reader) {
                Ok(next) => {
                    at += reader.position();
                    self.stage = next;
                }
                Err(WireError::End { .. }) => {
                    self.pending = whole[at..].to_vec();
                    return Ok(bytes.len());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(at - before)
    }

    fn step(&self, reader: &mut Reader<'_>) -> Result<Stage, WireError> {
        let count = |reader: &mut Reader<'_>, least, what| {
            let at = reader.position();
            match reader.i32(what)? {
                count if count >= least => Ok(count),
                count => Err(WireError::Length { at, what, length: count.into(), limit: i32::MAX as usize }),
            }
        };
        Ok(match self.stage {
            Stage::Sessions => Stage::Session { left: count(reader, 0, "sessions")? },
            Stage::Session { left: 0 } => Stage::Acls,
            Stage::Session { left } => {
                reader.take(8 + 4, "a session")?;
                Stage::Session { left: left - 1 }
            }
            Stage::Acls => Stage::Acl { left: count(reader, 0, "ACLs")? },
            Stage::Acl { left: 0 } => Stage::Node,
            Stage::Acl { left } => {
                reader.i64("the key of an ACL")?;
                // Null is an empty one.
                let entries = count(reader, -1, "an ACL")?;
                Stage::AclEntry { left: entries.max(0), acls: left - 1 }
            }
            Stage::AclEntry { left: 0, acls } => Stage::Acl { left: acls },
            Stage::AclEntry { left, acls } => {
                reader.i32("permissions")?;
                reader.buffer("a scheme")?;
                reader.buffer("an id")?;
                Stage::AclEntry { left: left - 1, acls }
            }
            Stage::Node => {
                if reader.buffer("a path")? == Some(b"/") {
                    return Ok(Stage::Done);
                }
                reader.buffer("data")?;
                reader.take(NODE_TAIL, "a node")?;
                Stage::Node
            }
            Stage::Done => Stage::Done,
        })
    }
}
