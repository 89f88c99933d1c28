//! Epochs and transaction ids (`ZxidUtils`): the order in which everything happened.

use std::fmt;

/// The number of a leader's reign. Stored durably twice per peer: as the promise (`acceptedEpoch`, f.p in the paper)
/// and as the adopted history (`currentEpoch`, f.a).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u32);

impl Epoch {
    /// The last epoch that can be promised: a zxid is signed, and there must be a next one.
    pub const LAST: Epoch = Epoch(i32::MAX as u32 - 1);

    /// The epoch after this one.
    pub fn next(self) -> Epoch {
        Epoch(self.0.checked_add(1).expect("promises beyond the last epoch are refused"))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", self.0)
    }
}

/// A transaction id: epoch in the high, counter in the low 32 bits, compared as one signed number. Counter 0 is no
/// txn: it names the epoch's NEWLEADER.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Zxid(pub i64);

impl Zxid {
    /// Before every txn: an empty history.
    pub const ZERO: Zxid = Zxid(0);
    /// "Data missing": a server started without its data. It is mute in elections until it has been synchronised.
    pub const MISSING: Zxid = Zxid(-1);
    /// The vote of a server that cannot be voted for (an observer, `i64::MIN` on the wire).
    pub const NONE: Zxid = Zxid(i64::MIN);

    /// The txn `counter` of `epoch`.
    pub const fn new(epoch: Epoch, counter: u32) -> Zxid {
        Zxid(((epoch.0 as i64) << 32) | counter as i64)
    }

    /// The marker of an epoch, (e, 0).
    pub const fn marker(epoch: Epoch) -> Zxid {
        Zxid::new(epoch, 0)
    }

    /// The epoch part; epoch 0 for the negative constants.
    pub const fn epoch(self) -> Epoch {
        if self.0 < 0 { Epoch(0) } else { Epoch((self.0 >> 32) as u32) }
    }

    /// The counter part.
    pub const fn counter(self) -> u32 {
        self.0 as u32
    }

    /// Whether this is the marker of an epoch and not a txn.
    pub const fn is_marker(self) -> bool {
        self.counter() == 0
    }

    /// The next txn of the same epoch.
    pub const fn next(self) -> Zxid {
        Zxid(self.0 + 1)
    }

    /// Whether `self` may directly follow `previous` in a history: the next counter, or the first txn of a later epoch.
    pub const fn follows(self, previous: Zxid) -> bool {
        if self.is_marker() {
            false
        } else if self.epoch().0 == previous.epoch().0 {
            self.0 - 1 == previous.0
        } else {
            self.epoch().0 > previous.epoch().0 && self.counter() == 1
        }
    }
}

/// `2:1f`, both parts in hexadecimal, as ZooKeeper's documents write it.
impl fmt::Display for Zxid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Zxid::MISSING => f.write_str("missing"),
            Zxid::NONE => f.write_str("none"),
            _ => write!(f, "{:x}:{:x}", self.epoch().0, self.counter()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zxid_is_epoch_then_counter() {
        let z = Zxid::new(Epoch(2), 0x1f);
        assert_eq!((z.epoch(), z.counter(), z.to_string()), (Epoch(2), 0x1f, "2:1f".into()));
        assert!(Zxid::new(Epoch(1), u32::MAX) < Zxid::marker(Epoch(2)));
        assert!(Zxid::MISSING < Zxid::ZERO);
    }

    #[test]
    fn a_successor_is_the_next_counter_or_the_first_of_a_later_epoch() {
        let z = |e, c| Zxid::new(Epoch(e), c);
        assert!(z(1, 2).follows(z(1, 1)) && z(3, 1).follows(z(1, 9)) && z(1, 1).follows(Zxid::ZERO));
        assert!(!Zxid::ZERO.follows(Zxid::MISSING) && !z(1, 1).follows(Zxid(i64::MAX)), "no marker, no overflow");
        assert!(!z(1, 3).follows(z(1, 1)) && !z(2, 2).follows(z(1, 1)) && !z(1, 1).follows(z(1, 1)));
    }
}
