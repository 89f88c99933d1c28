//! `History`: a sequence of txns as a length of agreement with `chosen` and a tail of its own.
//!
//! Nearly all of every history is what was chosen, so only the rest is stored: memory stays with the uncommitted tail, and a
//! prefix question is one comparison of rolling hashes, whatever the lengths.
//!
//! Txns of the initial disks have digests that no event announced. Therefore a link of the hash holds the txn's *variant*, which
//! is 0 for the txn that was broadcast under the zxid and something else for an impostor; see [`Broadcasts`](super::Broadcasts).

use std::collections::VecDeque;

use super::chosen::Chosen;
use crate::zab::Zxid;

/// The hash of the empty history.
pub const EMPTY: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash of a history with one more txn.
pub fn link(before: u64, zxid: Zxid, variant: u64) -> u64 {
    let x = (before ^ (zxid.0 as u64).wrapping_mul(0xff51_afd7_ed55_8ccd)).wrapping_add(variant.rotate_left(17));
    let x = (x ^ (x >> 32)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    x ^ (x >> 29)
}

/// One txn and the hash of the history that ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The txn.
    pub zxid: Zxid,
    /// Of everything up to and with it.
    pub hash: u64,
}

/// A sequence of txns: the first `common` of `chosen`, then `tail`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    common: usize,
    tail: VecDeque<Entry>,
    /// The marker (e, 0) as whose state it is labelled, by a leader that serves e and has proposed nothing, or by a
    /// snapshot of such a leader.
    label: Zxid,
}

impl History {
    /// The first `len` chosen txns.
    pub fn of_chosen(len: usize) -> History {
        History { common: len, ..History::default() }
    }

    /// How many txns.
    pub fn len(&self) -> usize {
        self.common + self.tail.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Moves to `common` what has been chosen since.
    pub fn settle(&mut self, chosen: &Chosen) {
        while let (Some(front), Some(next)) = (self.tail.front(), chosen.get(self.common)) {
            if front.hash != next.hash {
                break;
            }
            self.tail.pop_front();
            self.common += 1;
        }
    }

    /// How many txns agree with `chosen`, from the start.
    pub fn agreed(&mut self, chosen: &Chosen) -> usize {
        self.settle(chosen);
        self.common
    }

    /// What is not known to be chosen; call [`History::settle`] before.
    pub fn tail(&self) -> &VecDeque<Entry> {
        &self.tail
    }

    /// The last txn; [`Zxid::ZERO`] without one.
    pub fn last_txn(&self, chosen: &Chosen) -> Zxid {
        match self.tail.back() {
            Some(entry) => entry.zxid,
            None => self.common.checked_sub(1).and_then(|i| chosen.get(i)).map_or(Zxid::ZERO, |link| link.zxid),
        }
    }

    /// The last txn, or the marker under which the state is known.
    pub fn last_zxid(&self, chosen: &Chosen) -> Zxid {
        self.last_txn(chosen).max(self.label)
    }

    /// Labels it with the marker of an epoch.
    pub fn set_label(&mut self, marker: Zxid) {
        self.label = marker;
    }

    /// The hash of all.
    pub fn hash(&self, chosen: &Chosen) -> u64 {
        self.tail.back().map_or_else(|| chosen.hash_at(self.common), |entry| entry.hash)
    }

    /// The hash of the first `len` txns, if there are so many.
    pub fn hash_at(&self, len: usize, chosen: &Chosen) -> Option<u64> {
        if len <= self.common {
            Some(chosen.hash_at(len))
        } else {
            self.tail.get(len - self.common - 1).map(|entry| entry.hash)
        }
    }

    /// Adds a txn.
    pub fn push(&mut self, zxid: Zxid, variant: u64, chosen: &Chosen) {
        self.settle(chosen);
        let hash = link(self.hash(chosen), zxid, variant);
        if self.tail.is_empty() && chosen.get(self.common).is_some_and(|next| next.hash == hash) {
            self.common += 1;
        } else {
            self.tail.push_back(Entry { zxid, hash });
        }
    }

    /// Drops everything after `to`.
    pub fn cut(&mut self, to: Zxid, chosen: &Chosen) {
        while self.tail.back().is_some_and(|entry| entry.zxid > to) {
            self.tail.pop_back();
        }
        if self.tail.is_empty() {
            self.common = self.common.min(chosen.count_through(to));
        }
        if self.label > to {
            self.label = Zxid::ZERO;
        }
    }

    /// How many txns there are up to and with `zxid`, if it is one of them.
    pub fn len_through(&self, zxid: Zxid, chosen: &Chosen) -> Option<usize> {
        if let Some(first) = self.tail.front().filter(|first| first.zxid <= zxid) {
            let guess = zxid.0.wrapping_sub(first.zxid.0) as usize;
            if self.tail.get(guess).is_some_and(|entry| entry.zxid == zxid) {
                return Some(self.common + guess + 1);
            }
            return self.tail.iter().position(|entry| entry.zxid == zxid).map(|i| self.common + i + 1);
        }
        let count = chosen.count_through(zxid);
        (count > 0 && count <= self.common && chosen.get(count - 1)?.zxid == zxid).then_some(count)
    }

    /// Whether `zxid` is one of its txns, or the state it is labelled with, or the empty start.
    pub fn contains(&self, zxid: Zxid, chosen: &Chosen) -> bool {
        zxid == Zxid::ZERO || zxid == self.label || self.len_through(zxid, chosen).is_some()
    }

    /// Whether it begins with the `len` txns that have this hash.
    pub fn begins_with(&self, len: usize, hash: u64, chosen: &Chosen) -> bool {
        self.hash_at(len, chosen) == Some(hash)
    }

    /// Whether one of the two is a prefix of the other.
    pub fn is_related(&self, other: &History, chosen: &Chosen) -> bool {
        let len = self.len().min(other.len());
        self.hash_at(len, chosen) == other.hash_at(len, chosen)
    }

    /// Whether it is a prefix of `other`.
    pub fn is_prefix_of(&self, other: &History, chosen: &Chosen) -> bool {
        self.len() <= other.len() && self.is_related(other, chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zab::Epoch;

    fn z(counter: u32) -> Zxid {
        Zxid::new(Epoch(1), counter)
    }

    #[test]
    fn a_history_gives_to_chosen_what_agrees_and_keeps_what_does_not() {
        let mut chosen = Chosen::default();
        let (mut a, mut b) = (History::default(), History::default());
        for c in 1..=3 {
            a.push(z(c), 0, &chosen);
            b.push(z(c), u64::from(c == 3), &chosen);
        }
        assert!(!a.is_related(&b, &chosen) && a.hash_at(2, &chosen) == b.hash_at(2, &chosen));
        for entry in a.tail().clone() {
            chosen.push(entry, 0);
        }
        assert_eq!((a.agreed(&chosen), b.agreed(&chosen)), (3, 2));
        assert!(a.tail().is_empty() && b.tail().len() == 1);
        assert_eq!(a.len_through(z(2), &chosen), Some(2));
        b.cut(z(1), &chosen);
        assert!(b.is_prefix_of(&a, &chosen) && b.last_zxid(&chosen) == z(1));
        b.push(z(2), 0, &chosen);
        assert_eq!((b.len(), b.tail().len()), (2, 0));
    }
}
