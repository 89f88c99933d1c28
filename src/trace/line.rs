//! What stands on the lines of a trace.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::sim::Action;
use crate::zab::Instant;

/// The format of the traces that are written and read here.
pub const FORMAT: u32 = 1;

/// The first line: everything a run depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of this crate that wrote it.
    pub zabsim: String,
    /// The name of the scenario.
    pub scenario: String,
    /// The text of the scenario, whole.
    pub text: String,
    /// The seed.
    pub seed: u64,
    /// Deliberate bugs that were switched on.
    pub mutants: Vec<String>,
    /// How seeds are spent: the version of the random streams. Replay does not need it.
    pub stream: u32,
}

impl Header {
    /// The header of a run of this version of the crate.
    pub fn new(scenario: &str, text: &str, seed: u64, stream: u32) -> Header {
        Header {
            format: FORMAT,
            zabsim: env!("CARGO_PKG_VERSION").into(),
            scenario: scenario.into(),
            text: text.into(),
            seed,
            mutants: Vec::new(),
            stream,
        }
    }
}

/// One action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The step, counted from 1.
    #[serde(rename = "n")]
    pub step: u64,
    /// Virtual time.
    #[serde(rename = "t", with = "instant")]
    pub at: Instant,
    /// The action.
    #[serde(rename = "a")]
    pub action: Action,
    /// The chained hash after it.
    #[serde(rename = "h")]
    pub hash: HexHash,
}

/// The last line: how the run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Footer {
    /// `held`, `safety`, `liveness`, `panic` …
    pub verdict: String,
    /// How many steps were taken.
    pub steps: u64,
    /// The hash after the last one.
    pub hash: HexHash,
    /// The properties that were violated, by id, in the order in which they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<String>,
    /// What a panic in the core said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panic: Option<String>,
}

/// A hash as 16 hexadecimal digits: JSON readers other than ours round large numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HexHash(pub u64);

impl fmt::Display for HexHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for HexHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for HexHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HexHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<HexHash, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let hash = digits.then(|| u64::from_str_radix(&text, 16).ok()).flatten();
        hash.map(HexHash)
            .ok_or_else(|| serde::de::Error::custom(format!("a hash is 16 hexadecimal digits, not {text:?}")))
    }
}

/// Virtual time as `1.000200000s`.
mod instant {
    use super::*;

    pub fn serialize<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(at)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(|e| serde::de::Error::custom(format!("{e}, not {text:?}")))
    }
}
