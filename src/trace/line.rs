//! What stands on the lines of a trace.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::run::Verdict;
use crate::scenario::{HabitName, Promise, Scenario};
use crate::sim::schedule::StageEnd;
use crate::sim::{Action, Node, STREAM_VERSION, Setup, Stage};
use crate::zab::{Duration, Instant};

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
    /// The seed.
    pub seed: u64,
    /// How seeds are spent: [`STREAM_VERSION`](crate::sim::STREAM_VERSION). Replay does not need it.
    pub stream: u32,
    /// Deliberate bugs that were switched on.
    pub mutants: Vec<String>,
    /// In what the servers behaved like a release of ZooKeeper.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub habits: Vec<HabitName>,
    /// The properties of which the scenario promises to violate one, by id.
    pub violates: Vec<String>,
    /// The situations that the scenario promises to reach, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reaches: Vec<String>,
    /// The properties that are judged; all if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// The world, with everything that the seed drew for it. Replay needs this and the actions, and nothing else.
    #[serde(with = "super::setup")]
    pub setup: Setup,
    /// The text of the scenario, whole: for people, and to run it again under other seeds.
    pub text: String,
}

impl Header {
    /// The header of a run of this version of the crate.
    pub fn new(name: &str, scenario: &Scenario, seed: u64) -> Header {
        Header {
            format: FORMAT,
            zabsim: env!("CARGO_PKG_VERSION").into(),
            scenario: name.into(),
            seed,
            stream: STREAM_VERSION,
            mutants: scenario.mutant.iter().cloned().collect(),
            habits: scenario.all_habits().iter().map(HabitName).collect(),
            violates: scenario.promise.violates.clone(),
            reaches: scenario.promise.reaches.clone(),
            only: scenario.promise.only.clone(),
            setup: scenario.setup(seed),
            text: scenario.text.clone(),
        }
    }

    /// What the scenario promises.
    pub fn promise(&self) -> Promise {
        Promise { holds: None, violates: self.violates.clone(), reaches: self.reaches.clone(), only: self.only.clone() }
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
    #[serde(rename = "t", with = "text")]
    pub at: Instant,
    /// The action.
    #[serde(rename = "a")]
    pub action: Action,
    /// The chained hash after it.
    #[serde(rename = "h")]
    pub hash: HexHash,
}

/// A stage ended: what liveness is judged by, so that a replay comes to the same judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndLine {
    /// Which stage.
    pub end: Stage,
    /// After which step.
    #[serde(rename = "n")]
    pub step: u64,
    /// Whether the core converged.
    pub converged: bool,
    /// The healed servers.
    pub core: Vec<Node>,
    /// Within which time they had to.
    #[serde(with = "text")]
    pub bound: Duration,
    /// Within which time a leader had to serve.
    #[serde(with = "text")]
    pub recovery: Duration,
}

impl EndLine {
    /// The end of a stage after `step`.
    pub fn new(step: u64, end: &StageEnd) -> EndLine {
        let core = end.core.iter().map(Node::at).collect();
        EndLine { end: end.stage, step, converged: end.converged, core, bound: end.bound, recovery: end.recovery }
    }

    /// As the run said it.
    pub fn stage_end(&self) -> StageEnd {
        let core = self.core.iter().map(|node| node.index()).collect();
        StageEnd { stage: self.end, converged: self.converged, core, bound: self.bound, recovery: self.recovery }
    }
}

/// The last line: how the run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Footer {
    /// `held`, `as-promised`, `safety`, `liveness`, `promise` or `panic`.
    pub verdict: Verdict,
    /// How many steps were taken.
    pub steps: u64,
    /// The hash after the last one.
    pub hash: HexHash,
    /// The properties that were violated, by id, each once, in the order in which they were.
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

/// Times as texts: `1.000200000s`, `30s`.
mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use super::*;

    pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(|e| serde::de::Error::custom(format!("{e}, not {text:?}")))
    }
}
