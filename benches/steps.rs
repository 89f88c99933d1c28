//! Checked steps a second, beside a floor measured in the same run.
//!
//! `cargo bench` prints a table; `cargo bench -- --json` the same as JSON. Every row is the median of rounds that take
//! turns, so that a machine whose speed drifts slows all rows alike; the last column is the ratio to the floor.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::io::sink;
use std::time::Instant as Clock;

use zabsim::run::{self, RunSink};
use zabsim::scenario::Scenario;
use zabsim::sim::{Rng, Stream};
use zabsim::trace::Recorder;

const ROUNDS: usize = 7;

/// What is measured.
struct Row {
    name: String,
    /// What is counted: steps or runs.
    unit: &'static str,
    /// Counted things a second, one per round.
    rates: Vec<f64>,
}

impl Row {
    fn median(&self) -> f64 {
        let mut rates = self.rates.clone();
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    }
}

/// A priority queue, ChaCha8 delays, 64-byte messages between four nodes, 64 of them under way, and nothing else.
fn floor(steps: u64) -> u64 {
    let mut rng = Rng::new(1, Stream::QuorumNet, 0);
    let mut queue: BinaryHeap<Reverse<(u64, u64, [u64; 8])>> = BinaryHeap::new();
    let mut sequence = 0;
    for _ in 0..64 {
        sequence += 1;
        queue.push(Reverse((rng.next_u64() % 1_000_000, sequence, [sequence; 8])));
    }
    for _ in 0..steps {
        let Reverse((at, _, mut message)) = queue.pop().expect("every message is answered");
        message[(at % 8) as usize] ^= at;
        sequence += 1;
        queue.push(Reverse((at + rng.next_u64() % 1_000_000, sequence, black_box(message))));
    }
    steps
}
