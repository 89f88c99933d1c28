//! Virtual or real, time reaches the protocol only as an argument of these types.
//!
//! An [`Instant`] counts nanoseconds since its host started; a [`Duration`] is a length in nanoseconds. Neither can be
//! read from a clock here: there is no "now" in this crate's core.

use std::fmt;
use std::ops::{Add, AddAssign, Div, Mul, Sub};
use std::str::FromStr;

/// Nanoseconds since the host started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

/// A length of time in nanoseconds. Written `200ms`, `1.5s`, `10us`, `3m`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(pub u64);

impl Instant {
    /// The start of the host.
    pub const ZERO: Instant = Instant(0);
    /// Later than every deadline.
    pub const NEVER: Instant = Instant(u64::MAX);

    /// The time from `earlier` to `self`, zero if `earlier` is later.
    pub fn since(self, earlier: Instant) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Duration = Duration(0);

    /// A length of `n` nanoseconds.
    pub const fn from_nanos(n: u64) -> Duration {
        Duration(n)
    }

    /// A length of `n` microseconds.
    pub const fn from_micros(n: u64) -> Duration {
        Duration(n * 1_000)
    }

    /// A length of `n` milliseconds, the unit of `tickTime`.
    pub const fn from_millis(n: u64) -> Duration {
        Duration(n * 1_000_000)
    }

    /// A length of `n` seconds.
    pub const fn from_secs(n: u64) -> Duration {
        Duration(n * 1_000_000_000)
    }

    /// The length in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The length in whole milliseconds, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;
    fn add(self, rhs: Duration) -> Instant {
        Instant(self.0.saturating_add(rhs.0))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, rhs: Duration) {
        *self = *self + rhs;
    }
}

impl Add for Duration {
    type Output = Duration;
    fn add(self, rhs: Duration) -> Duration {
        Duration(self.0.saturating_add(rhs.0))
    }
}

impl Sub for Duration {
    type Output = Duration;
    fn sub(self, rhs: Duration) -> Duration {
        Duration(self.0.saturating_sub(rhs.0))
    }
}

impl Mul<u64> for Duration {
    type Output = Duration;
    fn mul(self, rhs: u64) -> Duration {
        Duration(self.0.saturating_mul(rhs))
    }
}

impl Div<u64> for Duration {
    type Output = Duration;
    fn div(self, rhs: u64) -> Duration {
        Duration(self.0 / rhs)
    }
}

/// Seconds with nanosecond digits, fixed width after the point: `1.000200000s`.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}s", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

/// The largest unit that needs no rounding: `2s`, `200ms`, `1500us`, `7ns`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0s"),
            n if n % 1_000_000_000 == 0 => write!(f, "{}s", n / 1_000_000_000),
            n if n % 1_000_000 == 0 => write!(f, "{}ms", n / 1_000_000),
            n if n % 1_000 == 0 => write!(f, "{}us", n / 1_000),
            n => write!(f, "{n}ns"),
        }
    }
}

/// Why a text is no [`Duration`] or [`Instant`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseTimeError;

impl fmt::Display for ParseTimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a number with a unit: ns, us, ms, s or m, for example \"200ms\" or \"1.5s\"")
    }
}

impl std::error::Error for ParseTimeError {}

impl FromStr for Duration {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Duration, ParseTimeError> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit: u64 = match &text[digits.len()..] {
            "ns" => 1,
            "us" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            _ => return Err(ParseTimeError),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) || fraction.len() > 9
        {
            return Err(ParseTimeError);
        }
        let whole: u64 = whole.parse().map_err(|_| ParseTimeError)?;
        let part = format!("{fraction:0<9}").parse::<u64>().map_err(|_| ParseTimeError)?;
        let part = (u128::from(part) * u128::from(unit) / 1_000_000_000) as u64;
        whole.checked_mul(unit).and_then(|n| n.checked_add(part)).map(Duration).ok_or(ParseTimeError)
    }
}

impl FromStr for Instant {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Instant, ParseTimeError> {
        text.parse::<Duration>().map(|d| Instant(d.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_what_it_writes() {
        for d in [0, 1, 999, 1_000, 1_500_000, 200_000_000, 61_000_000_000] {
            assert_eq!(Duration(d).to_string().parse(), Ok(Duration(d)));
        }
        assert_eq!("1.5s".parse(), Ok(Duration::from_millis(1500)));
        assert_eq!("2m".parse(), Ok(Duration::from_secs(120)));
        for bad in ["", "5", "ms", "-1s", "1.2.3s", "1h", "99999999999999999999s", "9e9s"] {
            assert_eq!(bad.parse::<Duration>(), Err(ParseTimeError), "{bad}");
        }
    }

    #[test]
    fn an_instant_reads_what_it_writes() {
        assert_eq!(Instant(1_000_200_000).to_string(), "1.000200000s");
        assert_eq!("1.000200000s".parse(), Ok(Instant(1_000_200_000)));
    }
}
