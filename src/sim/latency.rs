//! How long things take: the network between servers, and their disks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rng::Rng;
use super::text::{Share, Time};
use crate::zab::Duration;

/// A distribution of delays, in integers only: the same on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Latency {
    /// Always the same: `{ constant = "1ms" }`.
    Constant(Time),
    /// Anything from the first to the second, equally likely: `{ uniform = ["200us", "2ms"] }`.
    Uniform(Time, Time),
    /// `base` for most, and half as many for each doubling beyond: a Pareto tail of exponent 1.
    HeavyTailed {
        /// The shortest delay.
        base: Time,
        /// The length of the first step of the tail.
        scale: Time,
        /// The longest delay.
        max: Time,
    },
}

impl Latency {
    /// One delay; always exactly one draw.
    pub fn draw(self, rng: &mut Rng) -> Duration {
        let draw = rng.next_u64();
        match self {
            Latency::Constant(Time(delay)) => delay,
            Latency::Uniform(Time(low), Time(high)) => {
                let width = high.0.saturating_sub(low.0).saturating_add(1);
                low + Duration(((u128::from(draw) * u128::from(width)) >> 64) as u64)
            }
            Latency::HeavyTailed { base: Time(base), scale: Time(scale), max: Time(max) } => {
                let doublings = (draw as u32 | 1 << 16).trailing_zeros();
                let width = u128::from(scale.0) << doublings;
                let tail = (width * u128::from(draw >> 32)) >> 32;
                Duration(u64::try_from(tail).unwrap_or(u64::MAX).saturating_add(base.0).min(max.0.max(base.0)))
            }
        }
    }

    /// Whether its bounds stand in order; else what is wrong.
    pub fn validate(self) -> Result<(), &'static str> {
        match self {
            Latency::Uniform(low, high) if low > high => Err("the longest delay is below the shortest"),
            Latency::HeavyTailed { base, max, .. } if base > max => Err("`max` is below `base`"),
            _ => Ok(()),
        }
    }
}

/// The network between servers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkOptions {
    /// The delay of packets, dials and closes on the quorum plane.
    pub latency: Latency,
    /// The delay of notifications; that of the quorum plane if absent.
    pub election_latency: Option<Latency>,
    /// Whether packets on one link arrive in the order they were sent. Zab relies on it; `false` shows what for.
    pub fifo: bool,
    /// How often a packet overtakes others where `fifo` is off.
    pub overtake: Share,
    /// How often a notification is lost.
    pub loss: Share,
    /// How often a notification arrives twice.
    pub duplicate: Share,
    /// How often the notification before the last one arrives again, after it.
    pub reorder: Share,
    /// How long a dialler waits for a machine that does not answer.
    pub connect_timeout: Time,
}

impl Default for NetworkOptions {
    fn default() -> NetworkOptions {
        NetworkOptions {
            latency: Latency::Uniform(Time::micros(200), Time::millis(2)),
            election_latency: None,
            fifo: true,
            overtake: Share::new(1, 4),
            loss: Share::NONE,
            duplicate: Share::NONE,
            reorder: Share::NONE,
            connect_timeout: Time::millis(500),
        }
    }
}

/// The disks of the servers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DiskOptions {
    /// How long a sync takes. Writes issued meanwhile share the next one.
    pub sync: Latency,
    /// How much longer the sync takes that makes a received snapshot durable.
    pub install: Latency,
    /// How long a read of old log records takes.
    pub read: Latency,
    /// The size of the pieces a snapshot is sent in, in bytes.
    pub snapshot_chunk: u32,
}

impl Default for DiskOptions {
    fn default() -> DiskOptions {
        DiskOptions {
            sync: Latency::Uniform(Time::micros(200), Time::millis(3)),
            install: Latency::Constant(Time::ZERO),
            read: Latency::Uniform(Time::micros(500), Time::millis(4)),
            snapshot_chunk: 64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng::Stream;

    #[test]
    fn a_draw_stays_within_its_bounds() {
        let mut rng = Rng::new(1, Stream::QuorumNet, 0);
        let (low, high) = (Time::micros(200), Time::millis(2));
        let heavy = Latency::HeavyTailed { base: low, scale: low, max: high };
        for _ in 0..10_000 {
            assert_eq!(Latency::Constant(low).draw(&mut rng), low.0);
            for latency in [Latency::Uniform(low, high), heavy] {
                let delay = latency.draw(&mut rng);
                assert!(low.0 <= delay && delay <= high.0, "{delay}");
            }
        }
    }

    #[test]
    fn a_heavy_tail_is_short_for_most_and_long_for_some() {
        let mut rng = Rng::new(1, Stream::QuorumNet, 0);
        let heavy = Latency::HeavyTailed { base: Time::millis(1), scale: Time::millis(1), max: Time::secs(1) };
        let mut delays: Vec<u64> = (0..10_000).map(|_| heavy.draw(&mut rng).as_millis()).collect();
        delays.sort_unstable();
        assert!(delays[5_000] < 4 && delays[9_990] > 50, "{} {}", delays[5_000], delays[9_990]);
    }

    #[test]
    fn no_bounds_overflow() {
        let mut rng = Rng::new(3, Stream::Disk, 0);
        let day = Time::secs(86_400);
        for _ in 0..100_000 {
            assert!(Latency::HeavyTailed { base: day, scale: day, max: day }.draw(&mut rng) <= day.0);
        }
        assert_eq!(Latency::Uniform(day, Time::secs(1)).draw(&mut rng), day.0);
    }
}
