//! Replay: the actions of a trace, executed again without the random generator, compared and checked at every step.

use std::fmt;

use super::{HexHash, Line};
use crate::check::Checkers;
use crate::sim::{Action, Setup, World};

/// A replay under way.
#[derive(Clone, Debug)]
pub struct Replay<'t> {
    lines: &'t [Line],
    next: usize,
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
    /// Before the first step of `lines`, in the world that they were recorded in.
    pub fn new(setup: &Setup, lines: &'t [Line]) -> Replay<'t> {
        Replay { lines, next: 0, world: World::new(setup), checkers: Checkers::new(setup) }
    }

    /// Takes one step: its line, or `None` at the end.
    pub fn step(&mut self) -> Result<Option<&'t Line>, Diverged> {
        let Some(line) = self.lines.get(self.next) else { return Ok(None) };
        self.next += 1;
        self.world.apply(line.at, &line.action);
        self.checkers.step(&self.world);
        let got = HexHash(self.world.hash());
        if got == line.hash {
            Ok(Some(line))
        } else {
            Err(Diverged { step: line.step, expected: line.hash, got, action: line.action })
        }
    }

    /// Takes all steps up to and including `until`, and shows each to `observer`.
    pub fn run_until(&mut self, until: u64, mut observer: impl FnMut(&Line, &World)) -> Result<(), Diverged> {
        while self.lines.get(self.next).is_some_and(|line| line.step <= until) {
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

    /// The number of the last step taken; 0 before the first.
    pub fn at_step(&self) -> u64 {
        self.next.checked_sub(1).map_or(0, |last| self.lines[last].step)
    }

    /// The number of the next step; `None` at the end.
    pub fn next_step(&self) -> Option<u64> {
        self.lines.get(self.next).map(|line| line.step)
    }
}

impl fmt::Display for Diverged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diverged { step, expected, got, .. } = self;
        write!(f, "step {step} differs: the trace has the hash {expected} after it, this replay {got}")
    }
}

impl std::error::Error for Diverged {}
