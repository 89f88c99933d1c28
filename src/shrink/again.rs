//! A trace again: recorded in memory, or played by a core that behaves differently.

use super::course::{Course, Entry, WipeBudget};
use super::oracle::{Failure, Oracle, Target};
use super::simplify::Record;
use super::{Catch, Meter, judged, shortened};
use crate::check::{Property, Violation};
use crate::run::{self, Options};
use crate::scenario::Scenario;
use crate::sim::{Action, Seeded, Setup};
use crate::trace::{Header, Line, Trace};

/// The trace of a run of `scenario`, as [`shrink`](super::shrink) wants it: the verdict of its footer is still to be found.
pub fn record(name: &str, scenario: &Scenario, seed: u64, catch: Catch) -> Trace {
    let mut record = Record::default();
    let panic = catch(&mut || drop(run::run(scenario, seed, &Options::default(), &mut record))).err();
    record.trace(Header::new(name, scenario, seed), panic)
}

/// A shrunk trace, recorded anew by a core that has changed since: what is possible of its actions and leads to what its footer says
/// first, shrunk again where that needs fewer of them. `None` if it does not come to that any more.
pub fn again(trace: &Trace, catch: Catch) -> Option<Trace> {
    let footer = trace.footer.as_ref()?;
    let property = footer.violations.first().and_then(|id| Property::from_id(id));
    let target = match (trace.ends.last(), property) {
        (_, None) => return None,
        (None, Some(property)) => Target::Broken(property),
        (Some(end), Some(property)) => Target::Unmet { property, stage: end.end, converged: end.converged },
    };
    let entry = |line: &Line| Entry { at: line.at, action: line.action, opened: None };
    let script = trace.lines.iter().map(entry).collect();
    let failure = Failure { oracle: Oracle::new(target, Vec::new()), script, budget: WipeBudget::Ignored };
    let mut nobody = ();
    let mut meter = Meter::new(super::Options::default().budget, &mut nobody);
    let short = shortened(trace, &failure, catch, &mut meter).ok()?;
    let (recorded, _) = judged(short.trace, &failure.oracle.target, catch);
    let ended = recorded.footer.as_ref().is_some_and(|ended| ended.violations.first() == footer.violations.first());
    ended.then_some(recorded)
}

/// What the actions of a trace come to in a world that is another one than recorded, such as one of peers without a mutant.
/// What is not possible there is left out. Where the end of the run was judged, a seeded schedule ends this one, and
/// whether it converged is told with what was violated.
pub fn elsewhere(trace: &Trace, setup: &Setup) -> (Vec<Violation>, Converged) {
    let header = &trace.header;
    let panicked = trace.footer.as_ref().is_some_and(|footer| footer.panic.is_some());
    let mut recorded = Course::new(&header.setup);
    let mut other = Course::new(setup);
    let has_end = !trace.ends.is_empty();
    for (index, line) in trace.lines.iter().enumerate() {
        if has_end && matches!(line.action, Action::Enter { .. }) {
            break;
        }
        let mut entry = Entry { at: line.at, action: line.action, opened: None };
        // Links have the names of the recorded run, as far as it went.
        if !(panicked && index + 1 == trace.lines.len()) {
            entry = recorded.take(&entry, (line.at, line.action));
        }
        if let Some(planned) = other.plan(&entry, WipeBudget::Kept) {
            other.take(&entry, planned);
        }
    }
    let scenario = Scenario::parse(&header.scenario, &header.text);
    let converged = match scenario {
        Ok(scenario) if has_end => close(&mut other, &scenario, header.seed),
        _ => Converged::NotAsked,
    };
    (other.checkers.violations().to_vec(), converged)
}

/// Whether a healed core converged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Converged {
    /// It did.
    Yes,
    /// It did not.
    No,
    /// The trace is not about that.
    NotAsked,
}

fn close(course: &mut Course, scenario: &Scenario, seed: u64) -> Converged {
    let mut schedule = Seeded::adopt(scenario.plan(), seed, &mut course.world);
    let last = course.world.step() + scenario.run.max_steps;
    let mut converged = Converged::Yes;
    let Course { world, checkers, .. } = course;
    run::drive(world, &mut schedule, &mut (), |world, end| {
        match end {
            Some(end) => {
                checkers.finish(world, run::end_of(end));
                if !end.converged {
                    converged = Converged::No;
                }
            }
            None => checkers.step(world),
        }
        world.step() >= last
    });
    converged
}
