//! Replay: the actions of a trace, executed again without the random generator, compared and checked at every step.

use std::fmt;

use super::{EndLine, HexHash, Line, Trace};
use crate::check::{Checkers, Situation};
use crate::run::{self, Verdict};
use crate::sim::{Action, World};

/// A replay under way.
#[derive(Clone, Debug)]
pub struct Replay<'t> {
    trace: &'t Trace,
    next: usize,
    /// The ends of stages still to come.
    ends: &'t [EndLine],
    is_unconverged: bool,
    world: World,
    checkers: Checkers,
}

/// The first step that was not as recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Diverged {
    /// Which one.
    pub step: u64,
    /// The hash in the trace.
    pub expected: HexHash,
    /// The hash that came out.
    pub got: HexHash,
    /// The action of the step.
    pub action: Action,
}

impl<'t> Replay<'t> {
    /// Before the first step of `trace`, in the world that it was recorded in.
    pub fn new(trace: &'t Trace) -> Replay<'t> {
        let setup = &trace.header.setup;
        let (world, checkers) = (World::new(setup), Checkers::new(setup));
        Replay { trace, next: 0, ends: &trace.ends, is_unconverged: false, world, checkers }
    }

    /// Takes one step: its line, or `None` at the end.
    pub fn step(&mut self) -> Result<Option<&'t Line>, Diverged> {
        let Some(line) = self.trace.lines.get(self.next) else { return Ok(None) };
        self.next += 1;
        self.world.apply(line.at, &line.action);
        self.checkers.step(&self.world);
        while let Some((end, rest)) = self.ends.split_first().filter(|(end, _)| end.step <= line.step) {
            self.checkers.finish(&self.world, run::end_of(&end.stage_end()));
            self.is_unconverged |= !end.converged;
            self.ends = rest;
        }
        let got = HexHash(self.world.hash());
        if got == line.hash {
            Ok(Some(line))
        } else {
            Err(Diverged { step: line.step, expected: line.hash, got, action: line.action })
        }
    }

    /// Takes all steps up to and including `until`, and shows each to `observer`.
    pub fn run_until(&mut self, until: u64, mut observer: impl FnMut(&Line, &World)) -> Result<(), Diverged> {
        while self.trace.lines.get(self.next).is_some_and(|line| line.step <= until) {
            if let Some(line) = self.step()? {
                observer(line, &self.world);
            }
        }
        Ok(())
    }

    /// The world after the last step.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// What is found on the way: a violation appears again at the step at which it was recorded.
    pub fn checkers(&self) -> &Checkers {
        &self.checkers
    }

    /// What the steps taken so far come to, judged as the run was, and what was promised and did not come. Of a promise nothing
    /// is demanded before the run is over.
    pub fn judge(&self) -> (Verdict, Vec<String>) {
        let promise = self.trace.header.promise();
        let violations = self.checkers.violations();
        let reached = |name: &str| Situation::from_name(name).is_some_and(|it| self.checkers.reached().has(it));
        let is_over = self.next_step().is_none() && self.trace.footer.is_some();
        let broken = if is_over { run::broken(&promise, violations, reached) } else { Vec::new() };
        let stalled = self.is_unconverged && promise.judges_liveness();
        (run::judge(&promise, violations, stalled, &broken), broken)
    }

    /// The number of the last step taken; 0 before the first.
    pub fn at_step(&self) -> u64 {
        self.next.checked_sub(1).map_or(0, |last| self.trace.lines[last].step)
    }

    /// The number of the next step; `None` at the end.
    pub fn next_step(&self) -> Option<u64> {
        self.trace.lines.get(self.next).map(|line| line.step)
    }
}

impl fmt::Display for Diverged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diverged { step, expected, got, .. } = self;
        write!(f, "step {step} differs: the trace has the hash {expected} after it, this replay {got}")
    }
}

impl std::error::Error for Diverged {}

#[cfg(test)]
mod tests {
    use super::super::{EndLine, Header, Recorder};
    use super::*;
    use crate::run::{Options, Outcome, Sink};
    use crate::scenario::Scenario;
    use crate::sim::schedule::StageEnd;
    use crate::zab::Instant;

    struct Record(Recorder<Vec<u8>>, u64);

    impl Sink for Record {
        fn step(&mut self, step: u64, at: Instant, action: &Action, hash: u64, _: &World) {
            self.1 = step;
            self.0.step(step, at, action, hash);
        }

        fn stage_ended(&mut self, end: &StageEnd) {
            self.0.stage_ended(&EndLine::new(self.1, end));
        }
    }

    /// Nobody converges within a microsecond.
    const HOPELESS: &str = "# m\n[cluster]\nparticipants = 3\n[run]\nchaos = \"200ms\"\nconverge = \"1us\"\n";
    const CALM: &str = "# m\n[cluster]\nparticipants = 3\n[run]\nchaos = \"200ms\"\n";

    fn recorded(text: &str) -> (Trace, Outcome) {
        let scenario = Scenario::parse("a.toml", text).unwrap();
        let mut record = Record(Recorder::new(Vec::new(), &Header::new("a", &scenario, 7)).unwrap(), 0);
        let outcome = run::run(&scenario, 7, &Options::default(), &mut record);
        let bytes = record.0.finish(None).unwrap();
        (Trace::read(bytes.as_slice()).unwrap(), outcome)
    }

    #[test]
    fn a_replay_comes_to_the_same_hash() {
        let (trace, outcome) = recorded(CALM);
        assert!(outcome.steps > 100 && trace.lines.len() as u64 == outcome.steps);
        let mut replay = Replay::new(&trace);
        let mut seen = 0;
        replay.run_until(10, |line, world| seen += u64::from(line.step == world.step())).unwrap();
        assert_eq!((seen, replay.at_step(), replay.next_step()), (10, 10, Some(11)));
        replay.run_until(u64::MAX, |_, _| ()).unwrap();
        assert_eq!((replay.world().hash(), replay.next_step()), (outcome.hash, None));
    }

    #[test]
    fn the_first_step_that_differs_is_named() {
        let (mut trace, _) = recorded(CALM);
        trace.lines[41].hash.0 ^= 1;
        let diverged = Replay::new(&trace).run_until(u64::MAX, |_, _| ()).unwrap_err();
        let line = trace.lines[41];
        assert_eq!((diverged.step, diverged.expected, diverged.action), (42, line.hash, line.action));
        let (mut trace, _) = recorded(CALM);
        trace.lines.remove(41);
        assert_eq!(Replay::new(&trace).run_until(u64::MAX, |_, _| ()).unwrap_err().step, 43);
    }

    #[test]
    fn what_was_violated_is_violated_again() {
        let (trace, outcome) = recorded(HOPELESS);
        assert!(!outcome.violations.is_empty() && !trace.ends.is_empty());
        let mut replay = Replay::new(&trace);
        replay.run_until(u64::MAX, |_, _| ()).unwrap();
        assert_eq!(replay.checkers().violations(), outcome.violations);
    }
}
