//! Durations and shares as scenario files write them: `"200ms"`, `"1/100"`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::zab::{Duration, Ratio};

/// A length of time in a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Time(pub Duration);

impl Time {
    /// No time at all.
    pub const ZERO: Time = Time(Duration::ZERO);

    /// `n` microseconds.
    pub const fn micros(n: u64) -> Time {
        Time(Duration::from_micros(n))
    }

    /// `n` milliseconds.
    pub const fn millis(n: u64) -> Time {
        Time(Duration::from_millis(n))
    }

    /// `n` seconds.
    pub const fn secs(n: u64) -> Time {
        Time(Duration::from_secs(n))
    }
}

/// The longest time a scenario may name: a day. Sums of a few of them stay far from the end of virtual time.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Time, String> {
        let time: Duration = text.parse().map_err(|error| format!("{error}, not {text:?}"))?;
        if time > LONGEST { Err(format!("{text} is longer than a day")) } else { Ok(Time(time)) }
    }
}

impl From<Time> for String {
    fn from(time: Time) -> String {
        time.to_string()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number with a unit: ns, us, ms, s or m.",
            "type": "string",
            "pattern": "^[0-9]+(\\.[0-9]{1,9})?(ns|us|ms|s|m)$",
            "examples": ["200ms", "1.5s"],
        })
    }
}

/// A share or probability in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Share(pub Ratio);

impl Share {
    /// Never.
    pub const NONE: Share = Share(Ratio::new(0, 1));

    /// `numerator / denominator`.
    pub const fn new(numerator: u32, denominator: u32) -> Share {
        Share(Ratio::new(numerator, denominator))
    }

    /// Whether it never happens.
    pub fn is_none(self) -> bool {
        self.0.numerator == 0
    }
}

impl TryFrom<String> for Share {
    type Error = String;

    fn try_from(text: String) -> Result<Share, String> {
        let parse = || {
            let (numerator, denominator) = text.split_once('/').unwrap_or((&text, "1"));
            Some(Ratio::new(numerator.trim().parse().ok()?, denominator.trim().parse().ok()?))
        };
        match parse() {
            None => Err(format!("expected a fraction such as \"1/100\", not {text:?}")),
            Some(ratio) if ratio.denominator == 0 => Err(format!("nothing can be divided by 0, as in {text:?}")),
            Some(ratio) if ratio.numerator > ratio.denominator => Err(format!("{text} is more than the whole")),
            Some(ratio) => Ok(Share(ratio)),
        }
    }
}

impl From<Share> for String {
    fn from(share: Share) -> String {
        format!("{}/{}", share.0.numerator, share.0.denominator)
    }
}

impl JsonSchema for Share {
    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A fraction between 0 and 1.",
            "type": "string",
            "pattern": "^[0-9]+(/[0-9]+)?$",
            "examples": ["1/100", "0", "1"],
        })
    }
}

/// For `#[serde(with)]` on a [`Duration`] of the core, which knows no serde.
pub mod duration {
    use super::*;

    /// Reads a [`Time`].
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        Time::deserialize(from).map(|time| time.0)
    }

    /// Writes a [`Time`].
    pub fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        Time(*duration).serialize(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_lies_between_nothing_and_all() {
        assert_eq!(Share::try_from("1/100".to_owned()), Ok(Share::new(1, 100)));
        assert_eq!(Share::try_from("1".to_owned()), Ok(Share::new(1, 1)));
        for bad in ["", "1/0", "3/2", "-1/2", "0.5", "1/2/3"] {
            assert!(Share::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_has_a_unit_and_an_end() {
        assert_eq!(Time::try_from("1.5s".to_owned()), Ok(Time::millis(1500)));
        for bad in ["5", "", "10 s", "2000m", "99999999999999999999s"] {
            assert!(Time::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
