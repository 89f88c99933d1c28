//! The one place where the command line meets the library: load, run, watch, and put the outcome into plain data.

use std::path::Path;

use anyhow::{Context, Result};

use super::files::{self, Draft};
use super::panics;
use super::render;
use super::report::{Count, Finding, Reign, Report, Synchronised};
use crate::check::{Property, Situation, Violation};
use crate::run::{self, Answers, Options, Outcome, Sink, Verdict};
use crate::scenario::Scenario;
use crate::sim::schedule::StageEnd;
use crate::sim::{Action, World};
use crate::trace::diagram::{Moment, Pick, Tail};
use crate::trace::{Diverged, EndLine, Footer, Header, HexHash, Line, Recorder, Replay};
use crate::zab::Instant;

/// How many events a failing run shows.
const TAIL: usize = 15;

/// A scenario and where it came from.
pub(super) struct Loaded {
    pub path: String,
    pub name: String,
    pub scenario: Scenario,
    /// What the command line adds to the scenario, as it must be said again.
    pub flags: String,
}

pub(super) fn load(path: &Path) -> Result<Loaded> {
    let text = files::read_scenario(path)?;
    let shown = path.display().to_string();
    let scenario = parse(&shown, &text)?;
    Ok(Loaded { path: shown, name: Scenario::name(path), scenario, flags: String::new() })
}

/// A scenario, or a picture of what is wrong with it.
fn parse(path: &str, text: &str) -> Result<Scenario> {
    Scenario::parse(path, text).map_err(|error| render::scenario_error(text, &error).into())
}

/// Why a replay does not go on.
pub(super) enum Broke {
    Diverged(Diverged),
    Panicked(String),
}

/// One step, or `None` at the end.
pub(super) fn step<'t>(replay: &mut Replay<'t>) -> Result<Option<&'t Line>, Broke> {
    panics::catch(|| replay.step()).map_err(Broke::Panicked)?.map_err(Broke::Diverged)
}

/// Replays the events up to the end of what `pick` shows, until `show` has enough.
pub(super) fn each_moment(
    replay: &mut Replay<'_>,
    pick: &Pick,
    mut show: impl FnMut(&Moment) -> bool,
) -> Result<(), Broke> {
    while replay.next_step().is_some_and(|next| !pick.is_past(next)) {
        let Some(line) = step(replay)? else { break };
        for &event in replay.world().events() {
            if !show(&Moment { step: line.step, at: line.at, event }) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// What the command line keeps of a run under way. It outlives a panic in the core.
pub(super) struct Watch {
    pub tail: Tail,
    pub recorder: Option<Recorder<Draft>>,
    steps: u64,
    at: Instant,
    hash: u64,
    /// What was chosen and not yet done.
    next: Option<(Instant, Action)>,
}

impl Watch {
    pub(super) fn new(loaded: &Loaded, seed: u64) -> Watch {
        let nodes = loaded.scenario.setup(seed).nodes.len();
        Watch { tail: Tail::new(nodes, TAIL), recorder: None, steps: 0, at: Instant::ZERO, hash: 0, next: None }
    }
}

impl Sink for Watch {
    fn step(&mut self, step: u64, at: Instant, action: &Action, hash: u64, world: &World) {
        (self.steps, self.at, self.hash, self.next) = (step, at, hash, None);
        for &event in world.events() {
            self.tail.push(Moment { step, at, event });
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.step(step, at, action, hash);
        }
    }

    fn chosen(&mut self, at: Instant, action: &Action) {
        self.next = Some((at, *action));
    }

    fn stage_ended(&mut self, end: &StageEnd) {
        if let Some(recorder) = &mut self.recorder {
            recorder.stage_ended(&EndLine::new(self.steps, end));
        }
    }
}

impl Watch {
    /// Records the step over which the core panicked, so that a replay panics as well. No hash came of it.
    fn record_panic(&mut self) {
        if let (Some(recorder), Some((at, action))) = (&mut self.recorder, self.next) {
            recorder.step(self.steps + 1, at.max(self.at), &action, 0);
        }
    }
}

/// One run, with everything that is worth showing.
pub(super) fn run(loaded: &Loaded, seed: u64, watch: &mut Watch) -> Report {
    match panics::catch(|| run::run(&loaded.scenario, seed, &Options::default(), watch)) {
        Ok(outcome) => report(loaded, outcome),
        Err(panic) => {
            watch.record_panic();
            Report {
                steps: watch.steps,
                time: watch.at.to_string(),
                hash: format!("{:016x}", watch.hash),
                ..panicked(loaded, seed, panic)
            }
        }
    }
}

/// One run, written to a file, which appears when the run is over.
pub(super) fn record(loaded: &Loaded, seed: u64, path: &Path, watch: &mut Watch) -> Result<Report> {
    let context = || format!("cannot write {}", path.display());
    watch.recorder = Some(Recorder::new(Draft::create(path)?, &header(loaded, seed)).with_context(context)?);
    let mut report = run(loaded, seed, watch);
    if let Some(recorder) = watch.recorder.take() {
        let draft = recorder.finish(Some(&footer(&report))).with_context(context)?;
        draft.publish()?;
    }
    report.trace = Some(path.display().to_string());
    Ok(report)
}

/// The header of the trace of a run.
fn header(loaded: &Loaded, seed: u64) -> Header {
    Header::new(&loaded.name, &loaded.scenario, seed)
}

fn footer(report: &Report) -> Footer {
    let mut violations: Vec<String> = Vec::new();
    for finding in &report.violations {
        if !violations.contains(&finding.property) {
            violations.push(finding.property.clone());
        }
    }
    Footer {
        verdict: report.verdict,
        steps: report.steps,
        hash: u64::from_str_radix(&report.hash, 16).map_or(HexHash(0), HexHash),
        violations,
        panic: report.panic.clone(),
    }
}

/// One run of many.
pub(super) fn run_unwatched(loaded: &Loaded, seed: u64) -> Report {
    match panics::catch(|| run::run(&loaded.scenario, seed, &Options::default(), &mut ())) {
        Ok(outcome) => report(loaded, outcome),
        Err(panic) => panicked(loaded, seed, panic),
    }
}

/// The names of every situation of interest that some run could come to.
pub(super) fn situations() -> impl Iterator<Item = &'static str> {
    Situation::all().filter(|situation| situation.unreachable().is_none()).map(Situation::name)
}

/// Violations in plain data. Of one property in one step the first says it all: the later ones see the same thing from elsewhere.
pub(super) fn findings(violations: &[Violation]) -> Vec<Finding> {
    let is_echo = |i: usize, it: &Violation| {
        violations[..i].iter().any(|before| (before.property, before.step) == (it.property, it.step))
    };
    violations.iter().enumerate().filter(|&(i, it)| !is_echo(i, it)).map(|(_, it)| finding(it)).collect()
}

pub(super) fn finding(violation: &Violation) -> Finding {
    Finding {
        property: violation.property.id().into(),
        name: violation.property.name().into(),
        statement: violation.property.statement().into(),
        step: violation.step,
        time: violation.at.to_string(),
        peers: violation.nodes.iter().map(ToString::to_string).collect(),
        expected: violation.expected.clone(),
        seen: violation.seen.clone(),
    }
}

fn panicked(loaded: &Loaded, seed: u64, panic: String) -> Report {
    Report {
        scenario: loaded.name.clone(),
        moral: loaded.scenario.moral.clone(),
        seed,
        verdict: Verdict::Panicked,
        panic: Some(panic),
        ..Report::default()
    }
}

fn report(loaded: &Loaded, outcome: Outcome) -> Report {
    let summary = outcome.summary;
    let mut broken_promises = outcome.broken_promises;
    if let Some(stage) = outcome.unconverged {
        broken_promises.push(format!("the healed core did not converge within {}", bound(loaded, stage)));
    }
    Report {
        scenario: loaded.name.clone(),
        moral: loaded.scenario.moral.clone(),
        seed: outcome.seed,
        verdict: outcome.verdict,
        cut_short: outcome.cut_short,
        steps: outcome.steps,
        time: outcome.time.to_string(),
        hash: format!("{:016x}", outcome.hash),
        leaders: summary
            .leaders
            .iter()
            .map(|reign| Reign {
                leader: reign.leader.to_string(),
                epoch: reign.epoch,
                from: reign.from.to_string(),
                until: reign.until.map(|until| until.to_string()),
            })
            .collect(),
        syncs: summary
            .syncs
            .iter()
            .map(|sync| Synchronised {
                learner: sync.learner.to_string(),
                mode: sync.mode.to_string(),
                times: sync.times,
            })
            .collect(),
        faults: counts(summary.faults),
        elections: summary.elections,
        txns_committed: summary.txns_committed,
        clients: answers("writes", summary.writes).into_iter().chain(answers("reads", summary.reads)).collect(),
        recovered_within: summary.recovery.map(|took| took.to_string()),
        properties_checked: summary.properties_checked,
        properties: Property::all().iter().filter(|property| property.is_applicable(loaded.scenario.service)).count(),
        reached: counts(summary.reached),
        broken_promises,
        violations: findings(&outcome.violations),
        panic: None,
        trace: None,
        replay: String::new(),
    }
}

fn bound(loaded: &Loaded, stage: crate::sim::Stage) -> String {
    let stage = match stage {
        crate::sim::Stage::Epilogue => " after the restart of everybody",
        _ => "",
    };
    format!("{}{stage}", loaded.scenario.run.converge.0)
}

fn counts(counts: std::collections::BTreeMap<String, u64>) -> Vec<Count> {
    counts.into_iter().map(|(what, times)| Count { what, times }).collect()
}

fn answers(what: &str, answers: Answers) -> Vec<Count> {
    let Answers { acked, refused, unknown, .. } = answers;
    let all = [("answered", acked), ("refused", refused), ("of unknown outcome", unknown)];
    let some = all.into_iter().filter(|&(_, times)| times > 0);
    some.map(|(how, times)| Count { what: format!("{what} {how}"), times }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Exit;
    use super::*;

    #[test]
    fn a_panic_ends_a_run_with_its_own_exit_code() {
        let scenario = Scenario::parse("a.toml", "# m\n").unwrap();
        let mut loaded = Loaded { path: "a.toml".into(), name: "a".into(), scenario, flags: String::new() };
        let mut watch = Watch::new(&loaded, 1);
        // No file may say so, hence every limit is expected to be valid from here on.
        loaded.scenario.limits.tick_time = crate::zab::Duration::ZERO;
        for report in [run(&loaded, 1, &mut watch), run_unwatched(&loaded, 1)] {
            assert_eq!((report.verdict, Exit::from(report.verdict) as u8), (Verdict::Panicked, 4));
            let said = report.panic.expect("it says what the panic said");
            assert!(said.contains("tick_time") && said.contains("(src/sim/world.rs:"), "{said}");
        }
    }
}
