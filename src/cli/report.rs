//! What a run or a batch came to: plain data, the same for text and JSON, without wall-clock time.

use serde::Serialize;

use crate::run::Verdict;

/// One run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Report {
    pub scenario: String,
    pub moral: String,
    pub seed: u64,
    pub verdict: Verdict,
    /// The limit of steps ended it.
    pub cut_short: bool,
    pub steps: u64,
    /// Virtual, as `1.000200000s`.
    pub time: String,
    pub hash: String,
    pub leaders: Vec<Reign>,
    pub syncs: Vec<Synchronised>,
    pub faults: Vec<Count>,
    pub elections: u64,
    pub txns_committed: u64,
    pub clients: Vec<Count>,
    /// How long after the heal a leader served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovered_within: Option<String>,
    /// Of how many properties something was checked.
    pub properties_checked: usize,
    /// How many there are.
    pub properties: usize,
    pub reached: Vec<Count>,
    /// What the scenario promised and did not keep, a sentence each.
    pub broken_promises: Vec<String>,
    /// Violations that the scenario promised are among these as well.
    pub violations: Vec<Finding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub panic: Option<String>,
    /// Where the trace is, if one was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The command that shows it again.
    pub replay: String,
}

/// Who led when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Reign {
    pub leader: String,
    pub epoch: u32,
    pub from: String,
    /// None: to the end.
    pub until: Option<String>,
}

/// How often a learner was brought up to date in a mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Synchronised {
    pub learner: String,
    pub mode: String,
    pub times: u64,
}

/// How often something happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Count {
    pub what: String,
    pub times: u64,
}

/// A violation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub property: String,
    pub name: String,
    pub statement: String,
    pub step: u64,
    pub time: String,
    pub peers: Vec<String>,
    pub expected: String,
    pub seen: String,
}

/// Many runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct BatchReport {
    pub scenarios: usize,
    pub first_seed: u64,
    /// Included.
    pub last_seed: u64,
    pub runs: u64,
    pub steps: u64,
    pub verdicts: Vec<Count>,
    /// Every run, by seed, then by scenario as given.
    pub results: Vec<Ran>,
    pub reached: Vec<Count>,
    /// Of the situations that some run could reach.
    pub never_reached: Vec<String>,
    /// The first of each scenario and finding, with how many more there are.
    pub failures: Vec<Failure>,
}

/// One run of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Ran {
    pub scenario: String,
    pub seed: u64,
    pub verdict: Verdict,
    pub steps: u64,
    pub hash: String,
}

/// A way in which a scenario failed, by its first seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Failure {
    pub scenario: String,
    pub seed: u64,
    pub verdict: Verdict,
    /// One line: the property, the broken promise or what the panic said.
    pub finding: String,
    pub seeds: u64,
    pub reproduce: String,
    /// Where its trace is, if it could be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The command that shows its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<String>,
    /// Which scenario of the batch, from 0.
    #[serde(skip)]
    pub index: usize,
}
