//! How wrong the clocks of the servers are.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rng::{Rng, Stream};
use super::text::Time;
use super::{Drift, Node};

/// The clocks of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClockOptions {
    /// Each clock runs fast or slow by at most this many parts per million, seeded.
    pub drift: u32,
    /// Clocks that run fast (or slow, if negative) by exactly this many parts per million.
    #[schemars(with = "BTreeMap<String, i32>")]
    pub ppm: BTreeMap<Node, i32>,
    /// Timers fire at most this late.
    pub slack: Time,
}

impl Default for ClockOptions {
    fn default() -> ClockOptions {
        ClockOptions { drift: 200, ppm: BTreeMap::new(), slack: Time::micros(100) }
    }
}

const MILLION: u32 = 1_000_000;

impl ClockOptions {
    /// The clock of `node` in the run of `seed`.
    pub fn drift_of(&self, node: Node, seed: u64) -> Drift {
        let bound = self.drift.min(MILLION / 2);
        let drawn = Rng::new(seed, Stream::Clocks, node.index()).range(0, u64::from(2 * bound)) as u32;
        let numerator = match self.ppm.get(&node) {
            Some(&ppm) => MILLION.saturating_add_signed(ppm.clamp(-500_000, 1_000_000)),
            None => MILLION - bound + drawn,
        };
        Drift { numerator, denominator: MILLION }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_drifts_within_the_bound_unless_told_otherwise() {
        let told = Node::at(1);
        let clocks = ClockOptions { drift: 500, ppm: BTreeMap::from([(told, -100_000)]), slack: Time::ZERO };
        for seed in 0..100 {
            assert!((999_500..=1_000_500).contains(&clocks.drift_of(Node::at(0), seed).numerator));
            assert_eq!(clocks.drift_of(told, seed).numerator, 900_000);
        }
    }
}
