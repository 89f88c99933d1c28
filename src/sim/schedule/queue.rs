//! The queue of what is due, ordered by (time, sequence): never by address, never by chance.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::sim::fault::Consequence;
use crate::sim::{Action, LinkKey, Node};
use crate::zab::Instant;

/// Something due at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// This action.
    Act(Action),
    /// A packet towards `to`.
    Packet {
        /// On which link.
        link: LinkKey,
        /// The receiving end.
        to: Node,
    },
    /// A connection attempt.
    Dial {
        /// The learner.
        dialer: Node,
        /// The leader.
        acceptor: Node,
    },
    /// A sync under way.
    Sync(Node),
    /// A timer.
    Wake(Node),
    /// A client that has thought.
    Think(u8),
    /// A client whose patience may be at its end.
    Patience(u8),
    /// The fault of that number, by time.
    Timed(u16),
    /// The fault of that number, by situation.
    Struck {
        /// Which.
        fault: u16,
        /// To whom the situation happened.
        trigger: Node,
        /// Who was on the other side.
        peer: Option<Node>,
    },
    /// The next random fault.
    Random,
    /// A random fault that lay in ambush.
    Ambushed {
        /// To whom its situation happened.
        trigger: Node,
        /// Who was on the other side.
        peer: Option<Node>,
    },
    /// Part of a fault that began during chaos; void afterwards.
    Fault(Consequence),
    /// Part of what ends the run.
    Closing(Consequence),
    /// The end of chaos.
    EndOfChaos,
    /// A look at whether the cluster has converged.
    Check,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    at: Instant,
    sequence: u64,
    due: Due,
}

impl Entry {
    /// Time and sequence in one number: compared without a branch, and a heap does little else.
    fn key(&self) -> u128 {
        u128::from(self.at.0) << 64 | u128::from(self.sequence)
    }
}

/// The earliest is the greatest: [`BinaryHeap`] pops the greatest.
impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Everything that is due.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    heap: BinaryHeap<Entry>,
    sequence: u64,
}

impl Queue {
    /// Adds something.
    pub fn push(&mut self, at: Instant, due: Due) {
        self.sequence += 1;
        self.heap.push(Entry { at, sequence: self.sequence, due });
    }

    /// Takes what is due first; of two at the same moment, what was added first.
    pub fn pop(&mut self) -> Option<(Instant, Due)> {
        self.heap.pop().map(|entry| (entry.at, entry.due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_by_time_then_by_order_of_arrival() {
        let mut queue = Queue::default();
        for (at, client) in [(5, 0), (3, 1), (5, 2), (3, 3)] {
            queue.push(Instant(at), Due::Think(client));
        }
        let order: Vec<(Instant, Due)> = std::iter::from_fn(|| queue.pop()).collect();
        let expected = [(3, 1), (3, 3), (5, 0), (5, 2)].map(|(at, client)| (Instant(at), Due::Think(client)));
        assert_eq!(order, expected);
        assert!(size_of::<Entry>() <= 40, "{}", size_of::<Entry>());
    }
}
