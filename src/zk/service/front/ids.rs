//! Who a connection is: its address, and what it authenticated as (`ServerCnxn.authInfo`).

use std::collections::BTreeSet;

use crate::zk::model::{ErrorCode, Id};

/// The ids of a connection, in the order in which they came. None is ever taken away.
#[derive(Clone, Debug)]
pub struct Ids {
    ids: Vec<Id>,
    known: BTreeSet<Id>,
    /// What all of them take in a packet.
    bytes: usize,
}

impl Ids {
    /// Bytes that the ids of one connection may take. They go with each of its writes: together with a frame of `jute.maxbuffer`
    /// they must stay within what a link takes, and each check of an ACL looks at all of them. No client needs nearly as many.
    pub const MOST: usize = 64 << 10;

    /// Those of a connection that has said nothing of itself.
    pub fn new(address: Id) -> Ids {
        Ids { bytes: length(&address), known: BTreeSet::from([address.clone()]), ids: vec![address] }
    }

    /// One more, unless it is known. Beyond [`Ids::MOST`] it is refused.
    pub fn add(&mut self, id: Id) -> Result<(), ErrorCode> {
        if self.known.contains(&id) {
            return Ok(());
        }
        let bytes = self.bytes + length(&id);
        if bytes > Ids::MOST {
            return Err(ErrorCode::AuthFailed);
        }
        self.bytes = bytes;
        self.known.insert(id.clone());
        self.ids.push(id);
        Ok(())
    }

    /// All of them.
    pub fn as_slice(&self) -> &[Id] {
        &self.ids
    }
}

/// What an id takes in a packet.
fn length(id: &Id) -> usize {
    8 + id.scheme.len() + id.id.len()
}
