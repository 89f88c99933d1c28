//! One run: a scenario and a seed, every step checked, to an [`Outcome`].

mod summary;

pub use summary::{Answers, Reign, Summary, Synchronised};

use serde::{Deserialize, Serialize, Serializer};

use crate::check::{Checkers, End, Violation};
use crate::scenario::{Promise, Scenario};
use crate::sim::schedule::StageEnd;
use crate::sim::{Action, Schedule, Seeded, Stage, World};
use crate::zab::Instant;

/// Watches a run: a recorder, a picture, a progress bar. `()` watches nothing and costs nothing.
pub trait Sink {
    /// A step was made: its number from 1, its time, what was chosen, the chained hash, and the world afterwards.
    fn step(&mut self, step: u64, at: Instant, action: &Action, hash: u64, world: &World);

    /// An action was chosen and comes next: if the core panics, it was over this one.
    fn chosen(&mut self, _at: Instant, _action: &Action) {}

    /// A stage ended after the last step: liveness is judged here.
    fn stage_ended(&mut self, _end: &StageEnd) {}
}

impl Sink for () {
    fn step(&mut self, _: u64, _: Instant, _: &Action, _: u64, _: &World) {}
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn step(&mut self, step: u64, at: Instant, action: &Action, hash: u64, world: &World) {
        (**self).step(step, at, action, hash, world);
    }

    fn chosen(&mut self, at: Instant, action: &Action) {
        (**self).chosen(at, action);
    }

    fn stage_ended(&mut self, end: &StageEnd) {
        (**self).stage_ended(end);
    }
}

/// How far a run goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Do not stop at the first violation.
    pub keep_going: bool,
    /// Stop after this many steps, if that is fewer than the scenario allows.
    pub max_steps: Option<u64>,
}

/// What a run came to; in reports and in the footers of traces it stands as its [`word`](Verdict::word).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Verdict {
    /// Everything held, and what was promised came.
    #[default]
    #[serde(rename = "held")]
    Held,
    /// A property was violated that the scenario promised to violate.
    #[serde(rename = "as-promised")]
    ViolatedAsPromised,
    /// A safety property was violated.
    #[serde(rename = "safety")]
    SafetyViolated,
    /// The healed core did not converge within the bound.
    #[serde(rename = "liveness")]
    LivenessViolated,
    /// Nothing was violated, but what was promised did not come.
    #[serde(rename = "promise")]
    PromiseBroken,
    /// The core panicked: [`run`] does not return, and who catches the panic says this.
    #[serde(rename = "panic")]
    Panicked,
}

impl Verdict {
    /// Whether the scenario kept its promise.
    pub fn is_good(self) -> bool {
        matches!(self, Verdict::Held | Verdict::ViolatedAsPromised)
    }

    /// In one word: `held`, `as-promised`, `safety`, `liveness`, `promise`, `panic`.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Held => "held",
            Verdict::ViolatedAsPromised => "as-promised",
            Verdict::SafetyViolated => "safety",
            Verdict::LivenessViolated => "liveness",
            Verdict::PromiseBroken => "promise",
            Verdict::Panicked => "panic",
        }
    }
}

/// A run in plain data, the same for the same scenario and seed on every machine.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What it came to.
    pub verdict: Verdict,
    /// What did not hold.
    #[serde(serialize_with = "as_texts")]
    pub violations: Vec<Violation>,
    /// What was promised and did not come, a sentence each.
    pub broken_promises: Vec<String>,
    /// The stage in which the core did not converge.
    pub unconverged: Option<Stage>,
    /// Whether the limit of steps ended the run.
    pub cut_short: bool,
    /// How many steps were made.
    pub steps: u64,
    /// The virtual time at the end.
    #[serde(serialize_with = "as_text")]
    pub time: Instant,
    /// The chained hash over all steps.
    pub hash: u64,
    /// What happened, in numbers.
    pub summary: Summary,
}

fn as_text<T: std::fmt::Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

fn as_texts<T: std::fmt::Display, S: Serializer>(values: &[T], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(values.iter().map(T::to_string))
}

/// So many elections after the heal are no livelock.
const ELECTIONS: u32 = 10;

/// Runs `scenario` under `seed` to its end, or to the first violation.
pub fn run<S: Sink + ?Sized>(scenario: &Scenario, seed: u64, options: &Options, sink: &mut S) -> Outcome {
    let setup = scenario.setup(seed);
    let mut world = World::new(&setup);
    let mut schedule = Seeded::new(scenario.plan(), seed, setup.nodes.len());
    let mut checkers = Checkers::new(&setup);
    let mut summary = Summary::default();
    let max_steps = options.max_steps.unwrap_or(u64::MAX).min(scenario.run.max_steps);
    let mut unconverged = None;
    let ended = drive(&mut world, &mut schedule, sink, |world, end| {
        if let Some(end) = end {
            checkers.finish(world, end_of(end));
            let stalled = !end.converged && scenario.promise.judges_liveness();
            unconverged = unconverged.or(stalled.then_some(end.stage));
        } else {
            checkers.step(world);
            summary.watch(world);
        }
        let violations = checkers.violations();
        !violations.is_empty() && !options.keep_going && is_enough(&scenario.promise, violations)
            || world.step() >= max_steps
    });
    summary.finish(schedule.struck(), &checkers);
    let violations = checkers.violations().to_vec();
    let stopped = !violations.is_empty() && !ended;
    let broken_promises = broken(&scenario.promise, &violations, |name| summary.reached.contains_key(name));
    Outcome {
        seed,
        verdict: judge(&scenario.promise, &violations, unconverged.is_some(), &broken_promises),
        violations,
        broken_promises,
        unconverged,
        cut_short: !ended && !stopped,
        steps: world.step(),
        time: world.now(),
        hash: world.hash(),
        summary,
    }
}

/// What the checkers are told of the end of a stage.
pub fn end_of(end: &StageEnd) -> End {
    let StageEnd { stage, converged, core, bound, recovery } = *end;
    End { stage, converged, core, bound, elections: ELECTIONS, recovery: Some(recovery) }
}

/// Lets `schedule` drive `world` until it ends or `judge` says so, which is asked after every step and, with the end, before the
/// first step after a stage. Tells whether the schedule ended.
pub fn drive<S: Sink + ?Sized>(
    world: &mut World,
    schedule: &mut impl Schedule,
    sink: &mut S,
    mut judge: impl FnMut(&World, Option<&StageEnd>) -> bool,
) -> bool {
    schedule.observe(world);
    loop {
        let next = schedule.next(world);
        if let Some(end) = schedule.stage_end() {
            sink.stage_ended(&end);
            if judge(world, Some(&end)) {
                return false;
            }
        }
        let Some((at, action)) = next else { return true };
        let before = world.step();
        sink.chosen(at, &action);
        world.apply(at, &action);
        schedule.observe(world);
        if world.step() == before {
            continue;
        }
        sink.step(world.step(), world.now(), &action, world.hash(), world);
        if judge(world, None) {
            return false;
        }
    }
}

/// Whether what was found ends the run: anything, or what the scenario is about.
fn is_enough(promise: &Promise, violations: &[Violation]) -> bool {
    !promise.expects_violation() || violations.iter().any(|violation| is_promised(promise, violation))
}

fn is_promised(promise: &Promise, violation: &Violation) -> bool {
    promise.violates.iter().any(|id| id == violation.property.id())
}

/// What was promised and did not come, a sentence each. `reached` tells whether the situation of a name occurred.
pub fn broken(promise: &Promise, violations: &[Violation], reached: impl Fn(&str) -> bool) -> Vec<String> {
    let mut broken = Vec::new();
    if promise.expects_violation() && !violations.iter().any(|violation| is_promised(promise, violation)) {
        broken.push(format!("none of {} was violated", promise.violates.join(", ")));
    }
    let unreached = promise.reaches.iter().filter(|name| !reached(name));
    broken.extend(unreached.map(|name| format!("{name} was never reached")));
    broken
}

/// What it all comes to, for a run as for its replay.
pub fn judge(promise: &Promise, violations: &[Violation], is_unconverged: bool, broken: &[String]) -> Verdict {
    if violations.iter().any(|violation| is_promised(promise, violation)) {
        Verdict::ViolatedAsPromised
    } else if violations.iter().any(|violation| !violation.property.is_liveness()) {
        Verdict::SafetyViolated
    } else if is_unconverged || !violations.is_empty() {
        Verdict::LivenessViolated
    } else if !broken.is_empty() {
        Verdict::PromiseBroken
    } else {
        Verdict::Held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promise(violates: &[&str]) -> Promise {
        Promise { violates: violates.iter().map(|&id| id.to_owned()).collect(), ..Promise::default() }
    }

    #[test]
    fn a_promised_violation_that_does_not_come_breaks_the_promise() {
        let promise = promise(&["S5", "C2"]);
        let broken = broken(&promise, &[], |_| false);
        assert_eq!(broken, ["none of S5, C2 was violated"]);
        assert_eq!(judge(&promise, &[], false, &broken), Verdict::PromiseBroken);
    }

    #[test]
    fn a_run_that_does_not_converge_is_not_alive() {
        assert_eq!(judge(&promise(&[]), &[], true, &[]), Verdict::LivenessViolated);
        assert_eq!(judge(&promise(&[]), &[], false, &[]), Verdict::Held);
    }

    #[test]
    fn a_situation_that_was_promised_must_be_reached() {
        let promise = Promise { reaches: vec!["trunc".into(), "snap".into()], ..Promise::default() };
        assert_eq!(broken(&promise, &[], |name| name == "trunc"), ["snap was never reached"]);
    }

    #[test]
    fn a_verdict_is_its_word_wherever_it_is_written() {
        use Verdict::*;
        for verdict in [Held, ViolatedAsPromised, SafetyViolated, LivenessViolated, PromiseBroken, Panicked] {
            let written = serde_json::to_string(&verdict).unwrap();
            assert_eq!(written, format!("{:?}", verdict.word()));
            assert_eq!(serde_json::from_str::<Verdict>(&written).unwrap(), verdict);
        }
    }
}
