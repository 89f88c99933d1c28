//! What must come of a scenario.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::{ScenarioError, Source};

/// What a scenario promises of every seed. Without a promise, everything holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Promise {
    /// Every property holds and the run converges. This is what a scenario promises that does not promise a violation.
    pub holds: Option<bool>,
    /// At least one of these properties is violated: an assumption of the protocol was broken.
    pub violates: Vec<String>,
    /// All of these situations occur.
    pub reaches: Vec<String>,
}

impl Promise {
    /// Whether a violation is what the scenario is about.
    pub fn expects_violation(&self) -> bool {
        !self.violates.is_empty()
    }

    pub(super) fn validate(&self, source: &Source) -> Result<(), ScenarioError> {
        if self.expects_violation() && self.holds == Some(true) {
            let message = "a scenario that violates something does not hold".to_owned();
            return Err(source.at("promise", "holds", message));
        }
        if !self.expects_violation() && self.holds == Some(false) {
            return Err(source.at("promise", "holds", "say in `violates` what does not hold".to_owned()));
        }
        let quoted = |name: &str| format!("\"{name}\"");
        for name in &self.violates {
            if !is_property(name) {
                let ids = "expected one of `S1` to `S12`, `D1` to `D10`, `E1` to `E9`, `C1` to `C8`, `K1` to `K5`, `L1` to `L6`";
                let message = format!("unknown property `{name}`");
                return Err(source.at("promise", &quoted(name), message).with_help(ids));
            }
        }
        for name in &self.reaches {
            if !is_situation(name) {
                return Err(source.at("promise", &quoted(name), format!("unknown situation `{name}`")));
            }
        }
        Ok(())
    }
}

/// Whether `id` is in the catalogue of properties.
fn is_property(id: &str) -> bool {
    let families = [("S", 12), ("D", 10), ("E", 9), ("C", 8), ("K", 5), ("L", 6)];
    families.into_iter().any(|(family, last)| {
        let number = id.strip_prefix(family).and_then(|number| number.parse::<u8>().ok());
        number.is_some_and(|number| (1..=last).contains(&number) && id == format!("{family}{number}"))
    })
}

/// Whether `name` looks like the name of a situation.
fn is_situation(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
