//! Where the raw snapshot ends in a stream: nothing says its length, so its entries are stepped over one by one (sessions, the ACL
//! map, nodes, and the text `/` that ends them).

use super::{Reader, WireError};

/// No entry of a snapshot is longer, and so no more than that is ever held back.
const LIMIT: usize = 64 << 20;
/// A node behind its path and data: the key of its ACL and its stat.
const NODE_TAIL: usize = 8 + 60;

/// Steps over a raw snapshot that arrives in pieces.
#[derive(Clone, Debug, Default)]
pub struct SnapshotScan {
    /// Bytes of an entry that is not complete.
    pending: Vec<u8>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Sessions,
    Session {
        left: i32,
    },
    Acls,
    Acl {
        left: i32,
    },
    Node,
    Done,
}

impl SnapshotScan {
    /// At the beginning.
    pub fn new() -> SnapshotScan {
        SnapshotScan::default()
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
            let mut reader = Reader::new(&whole[at..], LIMIT);
            match self.step(&mut reader) {
                Ok(next) => {
                    at += reader.position();
                    self.stage = next;
                }
                Err(WireError::End { at: end, what }) if whole.len() - at > LIMIT => {
                    return Err(WireError::Length { at: end, what, length: (whole.len() - at) as i64, limit: LIMIT });
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
        let count = |reader: &mut Reader<'_>, what| match reader.i32(what)? {
            count @ 0.. => Ok(count),
            count => Err(WireError::Length { at: 0, what, length: count.into(), limit: LIMIT }),
        };
        Ok(match self.stage {
            Stage::Sessions => Stage::Session { left: count(reader, "sessions")? },
            Stage::Session { left: 0 } => Stage::Acls,
            Stage::Session { left } => {
                reader.take(8 + 4, "a session")?;
                Stage::Session { left: left - 1 }
            }
            Stage::Acls => Stage::Acl { left: count(reader, "ACLs")? },
            Stage::Acl { left: 0 } => Stage::Node,
            Stage::Acl { left } => {
                reader.i64("the key of an ACL")?;
                reader.vector("an ACL", 12, |reader| {
                    reader.i32("permissions")?;
                    reader.buffer("a scheme")?;
                    reader.buffer("an id").map(drop)
                })?;
                Stage::Acl { left: left - 1 }
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
