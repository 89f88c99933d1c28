//! The chained hash of a run: equal runs, equal hashes, at every step and on every machine.
//!
//! Every step folds its time, its action and all its events, field by field, into 64-bit words, and hashes them once with the
//! hash of the step before as the seed. What the words are is part of the format of a trace.

mod action;
mod event;
mod tree;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{Action, Event};
use crate::zab::{Epoch, Instant, Vote, Zxid};

/// The hash so far, and room for the words of one step.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    hash: u64,
    words: Words,
}

impl Chain {
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// Appends one step to the chain.
    pub(super) fn step(&mut self, at: Instant, action: &Action, events: &[Event]) {
        self.words.0.clear();
        self.words.put([at.0]);
        action::fold(action, &mut self.words);
        for event in events {
            event::fold(event, &mut self.words);
        }
        self.hash = xxh3_64_with_seed(&self.words.0, self.hash);
    }
}

/// The words of one step, kept between steps so that none allocates.
#[derive(Clone, Debug, Default)]
struct Words(Vec<u8>);

impl Words {
    /// All words of one event at once: one bounds check, one copy.
    fn put<const N: usize>(&mut self, words: [u64; N]) {
        self.0.extend_from_slice(words.map(u64::to_le_bytes).as_flattened());
    }
}

/// A tag and up to seven small values in one word.
fn tagged<const N: usize>(tag: u8, small: [u8; N]) -> u64 {
    let mut bytes = [0; 8];
    bytes[0] = tag;
    bytes[1..=N].copy_from_slice(&small);
    u64::from_le_bytes(bytes)
}

/// A missing epoch differs from every epoch.
fn epoch(epoch: Option<Epoch>) -> u64 {
    epoch.map_or(u64::MAX, |epoch| epoch.0.into())
}

fn zxid(zxid: Zxid) -> u64 {
    zxid.0 as u64
}

fn vote(vote: Vote) -> [u64; 3] {
    [vote.leader.0 as u64, zxid(vote.zxid), vote.peer_epoch.0.into()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{Loss, Node};

    fn after(steps: &[(u64, Action, &[Event])]) -> u64 {
        let mut chain = Chain::default();
        steps.iter().for_each(|(at, action, events)| chain.step(Instant(*at), action, events));
        chain.hash()
    }

    /// Traces carry this hash: a change of these values is a change of their format.
    #[test]
    fn the_hash_of_a_step_is_golden() {
        let node = Node::at(0);
        let start = after(&[(5, Action::Start { node }, &[Event::Started { node }])]);
        let power = Loss::Power { kept: 3, torn: true };
        let crash = after(&[(5, Action::Crash { node, loss: power }, &[])]);
        assert_eq!((start, crash), (11416066909201611348, 4473006286736232462));
    }

    #[test]
    fn time_action_events_and_order_all_count() {
        let (a, b) = (Node::at(0), Node::at(1));
        let base: (u64, Action, &[Event]) = (5, Action::Start { node: a }, &[Event::Started { node: a }]);
        let others: [(u64, Action, &[Event]); 4] = [
            (6, base.1, base.2),
            (5, Action::Start { node: b }, base.2),
            (5, base.1, &[]),
            (5, base.1, &[Event::Started { node: b }]),
        ];
        for other in others {
            assert_ne!(after(&[base]), after(&[other]));
            assert_ne!(after(&[base, other]), after(&[other, base]));
        }
    }
}
