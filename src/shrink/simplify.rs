//! A simpler scenario, and a seed under which it fails in the same way.

use std::collections::BTreeSet;

use super::oracle::{Judgement, Oracle};
use super::simpler::{Seen, simpler};
use super::{Catch, Meter};
use crate::run::{self, Options, Outcome, Sink, Verdict};
use crate::scenario::Scenario;
use crate::sim::schedule::StageEnd;
use crate::sim::{Action, World};
use crate::trace::{EndLine, Footer, Header, HexHash, Line, Trace};
use crate::zab::Instant;

/// How many runs of the simplest scenario are made short: where the shortest comes from is hard to tell beforehand.
const STARTS: usize = 8;
/// They are looked for among so many times more seeds, and so are scenarios with fewer servers: nothing makes a run
/// shorter.
const MORE: u64 = 4;

/// A scenario that fails under a seed.
#[derive(Clone, Debug)]
pub(super) struct Failing {
    pub scenario: Scenario,
    seen: Seen,
    steps: u64,
}

/// Makes scenarios simpler.
pub(super) struct Simplifier<'a, 'w> {
    pub oracle: &'a Oracle,
    /// What the texts begin with.
    pub comment: &'a str,
    /// How many other seeds a simpler scenario gets.
    pub seeds: u64,
    pub catch: Catch<'a>,
    pub meter: &'a mut Meter<'w>,
}

impl Simplifier<'_, '_> {
    /// The simplest scenario that was found within the budget, with some seeds under which it fails; `None` if the one
    /// of `header` does not fail under its seed.
    pub fn simplify(&mut self, header: &Header) -> Option<Vec<Failing>> {
        let mut scenario = Scenario::parse(&header.scenario, &header.text).ok()?;
        // What it promised says nothing of one seed, except that a violation was no bug.
        let promise = &mut scenario.promise;
        let id = self.oracle.target.to_string();
        promise.violates.retain(|promised| *promised == id);
        promise.reaches.clear();
        promise.holds = None;
        let mut best = self.fails(&self.written(scenario)?, header.seed, u64::MAX)?;
        let mut tried = BTreeSet::new();
        while let Some(simpler) = self.simpler(&best, &mut tried) {
            best = simpler;
            self.meter.simplified();
        }
        Some(self.starts(best))
    }

    fn simpler(&mut self, best: &Failing, tried: &mut BTreeSet<String>) -> Option<Failing> {
        for scenario in simpler(&best.scenario, &best.seen, &self.oracle.target) {
            let Some(scenario) = self.written(scenario).filter(|scenario| tried.insert(scenario.text.clone())) else {
                continue;
            };
            // A simpler scenario may need longer, but not for ever.
            let most = best.steps.saturating_mul(2).saturating_add(1_000);
            let servers = |failing: &Scenario| failing.setup(best.seen.seed).nodes.len();
            let times = if servers(&scenario) < servers(&best.scenario) { MORE } else { 1 };
            let found = self.seeds(best.seen.seed, times).find_map(|seed| self.fails(&scenario, seed, most));
            if found.is_some() || self.meter.is_empty() {
                return found;
            }
        }
        None
    }

    /// The same scenario under the seeds with which it fails soonest.
    fn starts(&mut self, best: Failing) -> Vec<Failing> {
        let most = best.steps.saturating_mul(2);
        let mut starts = vec![best.clone()];
        for seed in self.seeds(best.seen.seed, MORE).skip(1) {
            starts.extend(self.fails(&best.scenario, seed, most));
        }
        starts.sort_by_key(|failing| failing.steps);
        starts.truncate(STARTS);
        starts
    }

    /// That of the run before, then small ones.
    fn seeds(&self, first: u64, times: u64) -> impl Iterator<Item = u64> + use<> {
        let others = 1..=self.seeds.saturating_mul(times);
        std::iter::once(first).chain(others.filter(move |&seed| seed != first))
    }

    /// As it comes back from its text: what cannot be written down would not reproduce.
    fn written(&self, scenario: Scenario) -> Option<Scenario> {
        let text = scenario.written(self.comment)?;
        Scenario::parse("", &text).ok()
    }

    fn fails(&mut self, scenario: &Scenario, seed: u64, most: u64) -> Option<Failing> {
        if self.meter.is_empty() {
            return None;
        }
        let mut last = Last::default();
        let ended = self.run(scenario, seed, most.min(self.meter.left()), &mut last);
        self.meter.spend(last.steps);
        if self.oracle.run(&ended) != Judgement::Same {
            return None;
        }
        let struck = ended.ok().map(|outcome| outcome.summary.faults.into_keys().collect());
        let seen = Seen { seed, at: last.at, struck };
        Some(Failing { scenario: scenario.clone(), seen, steps: last.steps })
    }

    fn run(&self, scenario: &Scenario, seed: u64, most: u64, sink: &mut dyn Sink) -> Result<Outcome, String> {
        let options = Options { keep_going: false, max_steps: Some(most) };
        let mut outcome = None;
        (self.catch)(&mut || outcome = Some(run::run(scenario, seed, &options, sink)))?;
        outcome.ok_or_else(String::new)
    }

    /// The trace of it.
    pub fn record(&mut self, failing: &Failing, origin: &Header) -> Trace {
        let Failing { scenario, seen, .. } = failing;
        let mut record = Record::default();
        let ended = self.run(scenario, seen.seed, u64::MAX, &mut record);
        let header = Header { mutants: origin.mutants.clone(), ..Header::new(&origin.scenario, scenario, seen.seed) };
        record.trace(header, ended.err())
    }
}

/// How far a run came, even if it ended in a panic.
#[derive(Default)]
struct Last {
    steps: u64,
    at: Instant,
}

impl Sink for Last {
    fn step(&mut self, step: u64, at: Instant, _: &Action, _: u64, _: &World) {
        (self.steps, self.at) = (step, at);
    }
}

/// Takes down the lines of a trace.
#[derive(Default)]
pub(super) struct Record {
    lines: Vec<Line>,
    ends: Vec<EndLine>,
    next: Option<(Instant, Action)>,
}

impl Record {
    /// The trace of a run that is over, and that ended in this `panic`, if it did. The verdict of its footer is still to be found.
    pub fn trace(mut self, header: Header, panic: Option<String>) -> Trace {
        let last = self.lines.last();
        let (steps, hash) = last.map_or((0, HexHash(0)), |line| (line.step, line.hash));
        if let Some((at, action)) = self.next.filter(|_| panic.is_some()) {
            // No hash came of it.
            let at = last.map_or(at, |line| line.at.max(at));
            self.lines.push(Line { step: steps + 1, at, action, hash: HexHash(0) });
        }
        let footer = Footer { verdict: Verdict::Held, steps, hash, violations: Vec::new(), panic };
        Trace { header, lines: self.lines, ends: self.ends, footer: Some(footer) }
    }
}

impl Sink for Record {
    fn step(&mut self, step: u64, at: Instant, action: &Action, hash: u64, _: &World) {
        self.next = None;
        self.lines.push(Line { step, at, action: *action, hash: HexHash(hash) });
    }

    fn chosen(&mut self, at: Instant, action: &Action) {
        self.next = Some((at, *action));
    }

    fn stage_ended(&mut self, end: &StageEnd) {
        let step = self.lines.last().map_or(0, |line| line.step);
        self.ends.push(EndLine::new(step, end));
    }
}
