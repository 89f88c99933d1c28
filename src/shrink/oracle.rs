//! `Oracle`: what must go wrong again for a shorter run to count as the same failure.
//!
//! It is the same *property*, violated *first*. Violated at all would be too little: with most of a run left out,
//! another bug, or the same bug at another place, often breaks something sooner, and the result would show that
//! instead. What the recorded run had violated before (a scenario that promises a violation goes on until it comes) may
//! be violated before again.

use std::fmt;

use super::course::{Course, Entry, WipeBudget};
use super::{Catch, ShrinkError};
use crate::check::{Property, Violation};
use crate::run::{self, Outcome};
use crate::sim::fault::may_wipe;
use crate::sim::{Action, Stage};
use crate::trace::{Header, HexHash, Trace};

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A step violated this property.
    Broken(Property),
    /// This property did not hold when a stage had ended.
    Unmet {
        /// Which property.
        property: Property,
        /// The end of which stage.
        stage: Stage,
        /// Whether the core converged nevertheless.
        converged: bool,
    },
    /// The core had not converged when a stage had ended, which its faults permitted: no property speaks of it.
    Stalled {
        /// The end of which stage.
        stage: Stage,
    },
    /// The core panicked with this sentence, at this place. Two panics are the same if their places are.
    Panic {
        /// What it said, without the place.
        said: String,
        /// `file:line`; empty if it is not known.
        place: String,
    },
}

impl Target {
    /// The property, if one is violated.
    pub fn property(&self) -> Option<Property> {
        match *self {
            Target::Broken(property) | Target::Unmet { property, .. } => Some(property),
            Target::Stalled { .. } | Target::Panic { .. } => None,
        }
    }

    /// The stage whose end shows it; `None` if a step does.
    pub fn ends(&self) -> Option<Stage> {
        match *self {
            Target::Unmet { stage, .. } | Target::Stalled { stage } => Some(stage),
            Target::Broken(_) | Target::Panic { .. } => None,
        }
    }

    /// Of a panic, as [`Catch`] quotes it: a sentence, then the place in parentheses.
    pub(super) fn panic(quoted: &str) -> Target {
        let place = quoted.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")).map_or("", |(_, place)| place);
        let said = quoted.strip_suffix(&format!(" ({place})")).unwrap_or(quoted);
        Target::Panic { said: said.lines().next().unwrap_or_default().into(), place: place.into() }
    }
}

/// `S5`, `stalled` or `panic`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Target::Broken(property) | Target::Unmet { property, .. } => property.id(),
            Target::Stalled { .. } => "stalled",
            Target::Panic { .. } => "panic",
        })
    }
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// Nothing that matters happened yet.
    Open,
    /// What was looked for.
    Same,
    /// Something else came first.
    Other,
}

/// What must go wrong again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Oracle {
    pub target: Target,
    /// What was violated before it.
    tolerated: Vec<Property>,
}

impl Oracle {
    /// For a failure before which these were violated.
    pub fn new(target: Target, tolerated: Vec<Property>) -> Oracle {
        Oracle { target, tolerated }
    }

    /// Judges what a step brought.
    pub fn step(&self, found: &[Violation]) -> Judgement {
        self.judge(found, matches!(self.target, Target::Broken(_)))
    }

    /// Judges what the end of `stage` brought.
    pub fn end(&self, found: &[Violation], ended: Stage, has_converged: bool) -> Judgement {
        match self.target {
            Target::Unmet { stage, converged, .. } => self.judge(found, stage == ended && converged == has_converged),
            Target::Stalled { stage } => match self.judge(found, false) {
                Judgement::Open if stage == ended && !has_converged => Judgement::Same,
                judgement => judgement,
            },
            Target::Broken(_) | Target::Panic { .. } => self.judge(found, false),
        }
    }

    /// Judges a panic.
    pub fn panic(&self, quoted: &str) -> Judgement {
        let (Target::Panic { said, place }, Target::Panic { said: other, place: there }) =
            (&self.target, Target::panic(quoted))
        else {
            return Judgement::Other;
        };
        let same = if place.is_empty() { *said == other } else { *place == there };
        if same { Judgement::Same } else { Judgement::Other }
    }

    /// Judges a whole run.
    pub fn run(&self, ended: &Result<Outcome, String>) -> Judgement {
        let outcome = match ended {
            Ok(outcome) => outcome,
            Err(quoted) => return self.panic(quoted),
        };
        match self.target.ends() {
            None => self.step(&outcome.violations),
            Some(stage) => {
                let ended = outcome.unconverged.unwrap_or(stage);
                self.end(&outcome.violations, ended, outcome.unconverged.is_none())
            }
        }
    }

    fn judge(&self, found: &[Violation], here: bool) -> Judgement {
        let property = self.target.property();
        let Some(first) = found.iter().find(|violation| !self.tolerated.contains(&violation.property)) else {
            return Judgement::Open;
        };
        if here && Some(first.property) == property { Judgement::Same } else { Judgement::Other }
    }
}

/// A recorded failure.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub oracle: Oracle,
    /// Everything up to the step at which it failed.
    pub script: Vec<Entry>,
    pub budget: WipeBudget,
}

/// Executes a trace and finds what it is about: what its scenario promised to violate, or the first thing that went
/// wrong.
pub(super) fn find(trace: &Trace, catch: Catch) -> Result<Failure, ShrinkError> {
    let mut walk = Walk {
        trace,
        course: Course::new(&trace.header.setup),
        script: Vec::new(),
        tolerated: Vec::new(),
        first: None,
        stalled: None,
        budget: WipeBudget::Kept,
    };
    let mut ended = Ok(None);
    match catch(&mut || ended = walk.go()) {
        Ok(()) => ended?.or(walk.first).or(walk.stalled).ok_or(ShrinkError::NothingWrong),
        Err(quoted) => {
            let oracle = Oracle::new(Target::panic(&quoted), walk.tolerated);
            Ok(Failure { oracle, script: walk.script, budget: walk.budget })
        }
    }
}

struct Walk<'t> {
    trace: &'t Trace,
    course: Course,
    script: Vec<Entry>,
    tolerated: Vec<Property>,
    /// What went wrong first, should nothing come that was promised.
    first: Option<Failure>,
    /// What is left to look for if nothing was violated.
    stalled: Option<Failure>,
    budget: WipeBudget,
}

impl Walk<'_> {
    fn go(&mut self) -> Result<Option<Failure>, ShrinkError> {
        let mut ends = self.trace.ends.iter().peekable();
        for line in &self.trace.lines {
            let diverged = || ShrinkError::Diverged { step: line.step };
            let recorded = Entry { at: line.at, action: line.action, opened: None };
            if let Action::Wipe { node } = line.action
                && !may_wipe(&self.course.world, node)
            {
                self.budget = WipeBudget::Ignored;
            }
            // A panic ends the walk inside `take`: the entry must be known by then.
            self.script.push(recorded);
            let before = self.course.world.step();
            let taken = self.course.take(&recorded, (line.at, line.action));
            if self.course.world.step() == before || HexHash(self.course.world.hash()) != line.hash {
                return Err(diverged());
            }
            if let Some(last) = self.script.last_mut() {
                *last = taken;
            }
            if let Some(failure) = self.look(None) {
                return Ok(Some(failure));
            }
            while let Some(end) = ends.next_if(|end| end.step <= line.step) {
                let end = end.stage_end();
                self.course.checkers.finish(&self.course.world, run::end_of(&end));
                if let Some(failure) = self.look(Some((end.stage, end.converged))) {
                    return Ok(Some(failure));
                }
            }
        }
        Ok(None)
    }

    fn look(&mut self, end: Option<(Stage, bool)>) -> Option<Failure> {
        let Header { violates, .. } = &self.trace.header;
        let found = self.course.found().to_vec();
        if let Some((stage, false)) = end {
            let oracle = Oracle::new(Target::Stalled { stage }, self.tolerated.clone());
            self.stalled = Some(Failure { oracle, script: self.script.clone(), budget: self.budget });
        }
        let promised = |violation: &&Violation| violates.iter().any(|id| id == violation.property.id());
        let violation = found.iter().find(promised).or(found.first())?.clone();
        let target = match end {
            None => Target::Broken(violation.property),
            Some((stage, converged)) => Target::Unmet { property: violation.property, stage, converged },
        };
        let wanted = violates.is_empty() || promised(&&violation);
        let oracle = Oracle::new(target, self.tolerated.clone());
        let script = self.script.clone();
        let failure = Failure { oracle, script, budget: self.budget };
        if wanted {
            return Some(failure);
        }
        self.first.get_or_insert(failure);
        self.tolerated.extend(found.iter().map(|violation| violation.property));
        None
    }
}
