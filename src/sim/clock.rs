//! The clock of a node: virtual time, drifted, with jumps.

use super::Drift;
use crate::zab::{Duration, Instant};

/// Converts between virtual time and a node's own. Rounding is such that a timer that is due at a local time is due at
/// [`Clock::to_virtual`] of it and not a nanosecond earlier.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    drift: Drift,
    jumped: Duration,
}

impl Clock {
    pub(super) fn new(drift: Drift) -> Clock {
        assert!(drift.numerator > 0 && drift.denominator > 0, "a clock must advance");
        Clock { drift, jumped: Duration::ZERO }
    }

    /// What the node's clock shows at `at`.
    pub(super) fn to_local(&self, at: Instant) -> Instant {
        Instant(scale(at.0, self.drift.numerator, self.drift.denominator, Round::Down)) + self.jumped
    }

    /// When the node's clock first shows `local` or later.
    pub(super) fn to_virtual(&self, local: Instant) -> Instant {
        let ran = local.0.saturating_sub(self.jumped.0);
        Instant(scale(ran, self.drift.denominator, self.drift.numerator, Round::Up))
    }

    pub(super) fn jump(&mut self, by: Duration) {
        self.jumped = self.jumped + by;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Round {
    Down,
    Up,
}

/// `n × by / over`. Runs on every step of a node, so the wide division is left to those who need it.
fn scale(n: u64, by: u32, over: u32, round: Round) -> u64 {
    if by == over {
        return n;
    }
    let up = if round == Round::Up { u64::from(over) - 1 } else { 0 };
    match n.checked_mul(by.into()).and_then(|product| product.checked_add(up)) {
        Some(product) => product / u64::from(over),
        None => {
            let exact = (u128::from(n) * u128::from(by) + u128::from(up)) / u128::from(over);
            u64::try_from(exact).unwrap_or(u64::MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_true_clock_changes_nothing() {
        let clock = Clock::new(Drift::NONE);
        assert_eq!(clock.to_local(Instant(7)), Instant(7));
        assert_eq!(clock.to_virtual(Instant::NEVER), Instant::NEVER);
    }

    #[test]
    fn a_deadline_is_due_at_its_virtual_time_and_not_before() {
        for (numerator, denominator) in [(1_000_100, 1_000_000), (999_900, 1_000_000), (3, 2), (1, 3)] {
            let mut clock = Clock::new(Drift { numerator, denominator });
            for jump in [0, 5_000_000_000] {
                clock.jump(Duration(jump));
                for local in [5_000_000_001, 6_000_000_007, 12_345_678_901_234, u64::MAX / 4] {
                    let at = clock.to_virtual(Instant(local));
                    assert!(clock.to_local(at) >= Instant(local));
                    assert!(clock.to_local(Instant(at.0 - 1)) < Instant(local));
                }
            }
        }
    }

    #[test]
    fn a_jump_forward_makes_a_deadline_come_earlier() {
        let mut clock = Clock::new(Drift::NONE);
        clock.jump(Duration(100));
        assert_eq!(clock.to_virtual(Instant(130)), Instant(30));
        assert_eq!(clock.to_virtual(Instant(50)), Instant(0), "overdue at once");
    }
}
