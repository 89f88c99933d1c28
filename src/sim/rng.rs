//! Randomness, the only user of `rand` and `rand_chacha`: integers only, from named streams.
//!
//! Every subsystem, and every link, draws from a stream of its own, so that one more draw for a disk does not shift what the
//! network does. A stream is a ChaCha8 stream under the key of the run's seed: it is the same on every machine.

use rand::{Rng as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::zab::Ratio;

/// How seeds are spent. Raised when the same seed no longer gives the same run, and `tests/determinism.rs` says when that is.
pub const STREAM_VERSION: u32 = 2;

/// Who draws. The number is part of what a seed means: append, never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Delay, loss and duplication of notifications; one index per ordered pair of nodes.
    ElectionNet = 1,
    /// Delay of packets, dials and closes; one index per ordered pair of nodes.
    QuorumNet = 2,
    /// How long syncs and reads take; one index per node.
    Disk = 3,
    /// Which faults strike, when and whom.
    Faults = 4,
    /// What clients do; one index per client.
    Workload = 5,
    /// Drift and jumps; one index per node.
    Clocks = 6,
    /// How late a timer fires; one index per node.
    Timers = 7,
    /// The shape of a random scenario.
    Scenario = 8,
    /// What is healed, and the epilogue.
    Closing = 9,
}

/// The draws of one stream.
#[derive(Clone, Debug)]
pub struct Rng(ChaCha8Rng);

impl Rng {
    /// The stream of `seed` that belongs to `stream` number `index`.
    pub fn new(seed: u64, stream: Stream, index: usize) -> Rng {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..14].copy_from_slice(b"zabsim");
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream((stream as u64) << 32 | index as u64);
        Rng(rng)
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `0..n`; 0 if `n` is 0. Always exactly one draw, so that a changed bound does not shift later draws; the
    /// bias of that is below `n / 2^64`.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(n)) >> 64) as u64
    }

    /// A number in `low..=high`; `low` if the range is empty.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// Whether something of probability `p` happens.
    pub fn chance(&mut self, p: Ratio) -> bool {
        self.below(p.denominator.into()) < p.numerator.into()
    }

    /// One of `items`, if there are any.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = self.below(items.len() as u64);
        items.get(index as usize)
    }

    /// Puts `items` into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A seed means the same run for ever, on every machine: these values never change.
    #[test]
    fn the_first_draws_of_a_seed_are_golden() {
        let first = |stream, index| Rng::new(42, stream, index).next_u64();
        assert_eq!(
            [
                first(Stream::ElectionNet, 0),
                first(Stream::ElectionNet, 1),
                first(Stream::QuorumNet, 0),
                first(Stream::Disk, 0),
                first(Stream::Faults, 0),
                first(Stream::Workload, 0),
            ],
            [
                6329801881588379370,
                16734047384462297091,
                9342851918732271160,
                3175553657873396698,
                10280180561445931845,
                15200190616907515382
            ]
        );
    }

    #[test]
    fn numbers_stay_in_their_range() {
        let mut rng = Rng::new(7, Stream::Faults, 0);
        let mut seen = [0u32; 5];
        for _ in 0..1000 {
            seen[rng.below(5) as usize] += 1;
            assert!((10..=12).contains(&rng.range(10, 12)));
        }
        assert!(seen.iter().all(|&n| n > 150), "{seen:?}");
        assert_eq!((rng.below(0), rng.below(1), rng.range(3, 3), rng.range(5, 2)), (0, 0, 3, 5));
        assert!(rng.range(0, u64::MAX) != rng.range(0, u64::MAX));
        assert_eq!(rng.pick::<u8>(&[]), None);
        assert_eq!(rng.pick(&[9]), Some(&9));
    }

    #[test]
    fn a_chance_is_exact_at_its_ends() {
        let mut rng = Rng::new(7, Stream::Faults, 1);
        assert!((0..100).all(|_| !rng.chance(Ratio::new(0, 10))));
        assert!((0..100).all(|_| rng.chance(Ratio::new(10, 10))));
        let hits = (0..3000).filter(|_| rng.chance(Ratio::new(1, 3))).count();
        assert!((900..1100).contains(&hits), "{hits}");
    }

    #[test]
    fn a_shuffle_loses_nothing() {
        let mut rng = Rng::new(1, Stream::Scenario, 0);
        let mut items: Vec<u32> = (0..20).collect();
        rng.shuffle(&mut items);
        assert_ne!(items, (0..20).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..20).collect::<Vec<_>>());
    }
}
