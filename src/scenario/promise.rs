//! What must come of a scenario.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::{ScenarioError, Source, nearest};
use crate::check::{Property, Situation};

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
    /// Only these properties are judged, whatever else is violated. A run that does not converge fails only if one of them is a liveness
    /// property.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
}

impl Promise {
    /// Whether a violation is what the scenario is about.
    pub fn expects_violation(&self) -> bool {
        !self.violates.is_empty()
    }

    /// Whether a run must converge.
    pub fn judges_liveness(&self) -> bool {
        let mut named = self.only.iter().filter_map(|id| Property::from_id(id));
        self.only.is_empty() || named.any(Property::is_liveness)
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
        for name in self.violates.iter().chain(&self.only) {
            if Property::from_id(name).is_none_or(|property| property.id() != name) {
                let ids = "expected one of `S1` to `S12`, `D1` to `D11`, `E1` to `E9`, `C1` to `C8`, `K1` to `K7`, `L1` to `L6`";
                let message = format!("unknown property `{name}`");
                return Err(source.at("promise", &quoted(name), message).with_help(ids));
            }
        }
        for name in &self.reaches {
            if Situation::from_name(name).is_none() {
                let names: Vec<String> = Situation::all().map(|situation| situation.name().to_owned()).collect();
                let error = source.at("promise", &quoted(name), format!("unknown situation `{name}`"));
                return Err(match nearest(name, &names) {
                    Some(meant) => error.with_help(&format!("did you mean `{meant}`?")),
                    None => error.with_help(&format!("expected one of {}", names.join(", "))),
                });
            }
        }
        Ok(())
    }
}
