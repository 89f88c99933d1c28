//! One run of many: what a campaign keeps of it.

use crate::run::{self, Options, Outcome, Verdict};
use crate::scenario::Scenario;
use crate::shrink::Catch;

use super::inputs;

/// What a campaign keeps of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The seed.
    pub seed: u64,
    /// What it came to.
    pub verdict: Verdict,
    /// How many steps were made; 0 if the core panicked.
    pub steps: u64,
    /// The properties that something in it was judged by, by id.
    pub judged: Vec<&'static str>,
    /// The situations it reached, how often.
    pub reached: Vec<(String, u64)>,
    /// What went into it: an aspect and its value.
    pub inputs: Vec<(&'static str, String)>,
    /// How it failed, if it did.
    pub symptom: Option<Symptom>,
}

/// What stands for the id of a property where a run stalled and no property demands that it does not.
const STALLED: &str = "stalled";

/// How a run failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symptom {
    /// The id of the property, or `panic`, `stalled`, `promise`.
    pub property: String,
    /// What tells apart failures without a property: the place of a panic, the sentence of a promise. Else empty.
    pub place: String,
    /// What was seen, in a sentence.
    pub said: String,
}

impl Trial {
    /// Runs `scenario` under `seed`.
    pub fn run(scenario: &Scenario, seed: u64, catch: Catch) -> Trial {
        let mut outcome = None;
        let ended = catch(&mut || outcome = Some(run::run(scenario, seed, &Options::default(), &mut ())));
        match (ended, outcome) {
            (Ok(()), Some(outcome)) => Trial::of(scenario, seed, &outcome),
            (ended, _) => {
                let said = ended.err().unwrap_or_default();
                Trial {
                    seed,
                    verdict: Verdict::Panicked,
                    steps: 0,
                    judged: Vec::new(),
                    reached: Vec::new(),
                    inputs: inputs::of(scenario, seed, &Default::default()),
                    symptom: Some(Symptom { property: "panic".into(), place: place(&said), said }),
                }
            }
        }
    }

    /// Of a drawn scenario nobody promised that it converges: L1 to L5 demand it wherever there is no excuse, such as that too
    /// many servers lost their data one after the other. A stall that they permit is counted, and is no failure.
    pub fn excused(mut self) -> Trial {
        let stalled = self.symptom.take_if(|symptom| symptom.property == STALLED).is_some();
        if stalled {
            self.verdict = Verdict::Held;
        }
        self.inputs.push(("end", if stalled { "stalled as permitted" } else { "judged" }.to_owned()));
        self
    }

    fn of(scenario: &Scenario, seed: u64, outcome: &Outcome) -> Trial {
        let only = &scenario.promise.only;
        let is_asked = |id: &str| only.is_empty() || only.iter().any(|asked| asked == id);
        Trial {
            seed,
            verdict: outcome.verdict,
            steps: outcome.steps,
            judged: outcome.summary.checked.iter().map(|it| it.id()).filter(|id| is_asked(id)).collect(),
            reached: outcome.summary.reached.iter().map(|(name, &times)| (name.clone(), times)).collect(),
            inputs: inputs::of(scenario, seed, &outcome.summary.faults),
            symptom: (!outcome.verdict.is_good()).then(|| symptom(outcome)),
        }
    }
}

fn symptom(outcome: &Outcome) -> Symptom {
    if let Some(violation) = outcome.violations.first() {
        let said = format!("expected {}, seen {}", violation.expected, violation.seen);
        return Symptom { property: violation.property.id().into(), place: String::new(), said };
    }
    match outcome.broken_promises.first() {
        Some(promise) if outcome.verdict == Verdict::PromiseBroken => {
            Symptom { property: "promise".into(), place: promise.clone(), said: promise.clone() }
        }
        _ => {
            let said = "the healed core did not converge, which no property demands of it".into();
            Symptom { property: STALLED.into(), place: String::new(), said }
        }
    }
}

/// The place in parentheses at the end of what a panic said.
fn place(said: &str) -> String {
    let place = said.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("));
    place.map_or_else(String::new, |(_, place)| place.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_by_its_place() {
        let scenario = Scenario::parse("", "").unwrap();
        let trial = Trial::run(&scenario, 1, &|_| Err("an ack for (nothing) (src/zab/leader.rs:7)".into()));
        let symptom = trial.symptom.unwrap();
        assert_eq!((trial.verdict, symptom.property.as_str()), (Verdict::Panicked, "panic"));
        assert_eq!(symptom.place, "src/zab/leader.rs:7");
    }

    #[test]
    fn only_a_stall_is_excused() {
        let of = |property: &str| Trial {
            seed: 1,
            verdict: Verdict::LivenessViolated,
            steps: 1,
            judged: Vec::new(),
            reached: Vec::new(),
            inputs: Vec::new(),
            symptom: Some(Symptom { property: property.into(), place: String::new(), said: String::new() }),
        };
        let stalled = of(STALLED).excused();
        assert_eq!((stalled.verdict, stalled.symptom), (Verdict::Held, None));
        assert_eq!(stalled.inputs, [("end", "stalled as permitted".to_owned())]);
        let late = of("L1").excused();
        assert!(late.verdict == Verdict::LivenessViolated && late.symptom.is_some());
    }

    #[test]
    fn a_broken_promise_is_told_by_its_sentence() {
        let calm = "[run]\nchaos = \"100ms\"\n[promise]\nreaches = [\"disk-full\"]\n";
        let scenario = Scenario::parse("", calm).unwrap();
        let trial = Trial::run(&scenario, 1, &|run| {
            run();
            Ok(())
        });
        let symptom = trial.symptom.unwrap();
        assert_eq!((symptom.property.as_str(), symptom.place.as_str()), ("promise", "disk-full was never reached"));
        assert!(trial.steps > 0 && !trial.reached.is_empty());
    }
}
