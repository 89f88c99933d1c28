//! `Chosen`: the first-ever committed sequence. It outlives every crash, which is what gives the checkers a memory.

use super::history::{EMPTY, Entry};
use crate::zab::Zxid;

/// One chosen txn, 24 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The txn.
    pub zxid: Zxid,
    /// The hash of the sequence that ends with it.
    pub hash: u64,
    /// The service's digest after it; 0 until somebody told.
    pub state: u64,
}

/// Everything that some leader committed or some peer delivered, in the order of the first to do so.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    links: Vec<Link>,
}

impl Chosen {
    /// How many txns.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// Whether nothing was committed yet.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// The txn at `index`.
    pub fn get(&self, index: usize) -> Option<&Link> {
        self.links.get(index)
    }

    /// The last txn; [`Zxid::ZERO`] without one.
    pub fn last(&self) -> Zxid {
        self.links.last().map_or(Zxid::ZERO, |link| link.zxid)
    }

    /// The hash of the first `len`, which must not exceed [`Chosen::len`].
    pub fn hash_at(&self, len: usize) -> u64 {
        len.checked_sub(1).map_or(EMPTY, |i| self.links[i].hash)
    }

    /// How many chosen txns are at or below `zxid`.
    pub fn count_through(&self, zxid: Zxid) -> usize {
        match self.links.last() {
            Some(last) if last.zxid <= zxid => self.links.len(),
            // The question is nearly always about one of the last few.
            Some(last) => {
                let guess = self.links.len().saturating_sub((last.zxid.0 - zxid.0) as usize);
                if guess > 0 && self.links[guess - 1].zxid == zxid {
                    guess
                } else {
                    self.links.partition_point(|link| link.zxid <= zxid)
                }
            }
            None => 0,
        }
    }

    /// Whether `zxid` was chosen.
    pub fn contains(&self, zxid: Zxid) -> bool {
        self.count_through(zxid).checked_sub(1).is_some_and(|i| self.links[i].zxid == zxid)
    }

    pub(super) fn push(&mut self, entry: Entry, state: u64) {
        self.links.push(Link { zxid: entry.zxid, hash: entry.hash, state });
    }

    pub(super) fn tell_state(&mut self, index: usize, state: u64) {
        self.links[index].state = state;
    }
}
