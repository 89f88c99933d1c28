//! From a run that fails to the shortest one that fails in the same way.
//!
//! First the *scenario*: fewer servers, clients, faults and oddities, each run again under the same seed and a few
//! others, as long as the same property is violated. Then the *actions* of that run: a script that leaves out what is
//! not needed, and of which whatever is not possible any more is left out by itself. Both end at a fixpoint, or when
//! the budget of executed steps is spent; the result is a function of the trace and the options, the same on every
//! machine.
//!
//! A property that an end of a stage violates (liveness, above all) needs the end: there only the chaos before it is a
//! script, and a seeded schedule heals and closes every trial as it closes every run.

mod again;
mod course;
mod groups;
mod oracle;
mod player;
mod reduce;
mod regression;
mod rewrite;
mod simpler;
mod simplify;
#[cfg(test)]
mod tests;

pub use again::{Converged, again, elsewhere, record};
pub use oracle::Target;
pub use regression::regression_test;

use crate::check::Violation;
use crate::run::{Verdict, judge};
use crate::scenario::{HabitName, Promise, Scenario};
use crate::sim::Action;
use crate::trace::{Footer, Header, Replay, Trace};
use crate::zab::Habits;
use course::Entry;
use oracle::Failure;
use player::{Closing, Player};
use simplify::{Record, Simplifier};

/// Calls what it is given. If that panics: the sentence and, in parentheses, the place. The library neither hides nor
/// prints panics.
pub type Catch<'a> = &'a dyn Fn(&mut dyn FnMut()) -> Result<(), String>;

/// How hard to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many steps all trials together may execute. At most half of them go into the scenario.
    pub budget: u64,
    /// How many other seeds a simpler scenario gets if it does not fail under that of the recorded run.
    pub seeds: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options { budget: 30_000_000, seeds: 16 }
    }
}

/// How far it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How often the scenario became simpler.
    pub simplified: u64,
    /// How many actions the shortest run so far has; 0 while the scenario is being simplified.
    pub actions: u64,
    /// How many steps were executed.
    pub spent: u64,
    /// Of how many.
    pub budget: u64,
}

/// Watches the progress.
pub trait Watch {
    /// Something was tried.
    fn tried(&mut self, progress: &Progress);
}

/// Nobody watches.
impl Watch for () {
    fn tried(&mut self, _: &Progress) {}
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The short run, which fails at its last step, or at the end after it.
    pub trace: Trace,
    /// How many of its actions were chosen by the script: all, if no end of a stage is needed.
    pub script: u64,
    /// The scenario that fails in the same way, with its text, and the seed under which it does. `None` if the one in
    /// the header of the recorded trace does not fail under its seed any more.
    pub scenario: Option<(Scenario, u64)>,
    /// What goes wrong.
    pub target: Target,
    /// The same in words; `None` for a panic.
    pub violation: Option<Violation>,
    /// How many actions the recorded run had until it failed.
    pub recorded: u64,
    /// How far it came.
    pub progress: Progress,
}

/// Why a trace cannot be shrunk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShrinkError {
    /// Nothing that could be looked for.
    #[error("nothing goes wrong in this trace")]
    NothingWrong,
    /// The trace is not one of this core.
    #[error("step {step} is not as recorded: record the run again")]
    Diverged {
        /// At which step.
        step: u64,
    },
    /// The end of a stage is judged, and who ends it reads the scenario.
    #[error("the scenario in the header, which says how the run ends, cannot be read: {0}")]
    Scenario(String),
}

/// Shrinks a trace of a run that failed.
pub fn shrink(trace: &Trace, options: &Options, catch: Catch, watch: &mut dyn Watch) -> Result<Shrunk, ShrinkError> {
    let failure = oracle::find(trace, catch)?;
    let mut meter = Meter::new(options.budget, watch);
    let recorded = failure.script.len();
    let simple = simplified(trace, &failure, options, catch, &mut meter);
    let mut best: Option<Short> = None;
    for (index, start) in simple.iter().enumerate() {
        let held_back = meter.hold_back((simple.len() - index) as u64);
        let script = oracle::find(start, catch)?.script;
        let short = shortened(start, &Failure { script, ..failure.clone() }, catch, &mut meter)?;
        meter.release(held_back);
        if best.as_ref().is_none_or(|best| short.size() < best.size()) {
            best = Some(short);
        }
    }
    let scenario = best.as_ref().and_then(|best| {
        let Header { scenario, text, seed, .. } = &best.trace.header;
        Some((Scenario::parse(scenario, text).ok()?, *seed))
    });
    // The trace may have been short already.
    let short = match best {
        Some(best) if best.script <= recorded => best,
        _ => shortened(trace, &failure, catch, &mut meter)?,
    };
    let short = attributed(short, &failure, catch, &mut meter);
    let (trace, violation) = judged(short.trace, &failure.oracle.target, catch);
    let panic = trace.footer.as_ref().and_then(|footer| footer.panic.as_deref());
    // The same place may say it with other numbers.
    let target = panic.map_or(failure.oracle.target, Target::panic);
    Ok(Shrunk {
        trace,
        script: short.script as u64,
        scenario,
        target,
        violation,
        recorded: recorded as u64,
        progress: meter.progress,
    })
}

/// Traces of a simpler scenario; none if the one of `trace` does not fail any more.
fn simplified(trace: &Trace, failure: &Failure, options: &Options, catch: Catch, meter: &mut Meter) -> Vec<Trace> {
    let held_back = meter.hold_back(2);
    let origin = &trace.header;
    let comment = comment(&failure.oracle.target, origin);
    let mut simplifier =
        Simplifier { oracle: &failure.oracle, comment: &comment, seeds: options.seeds, catch, meter: &mut *meter };
    let simple = simplifier.simplify(origin).unwrap_or_default();
    let traces = simple.iter().map(|failing| simplifier.record(failing, origin)).collect();
    meter.release(held_back);
    traces
}

fn comment(target: &Target, origin: &Header) -> String {
    let what = match target {
        Target::Broken(property) => {
            format!("{} {} is violated: {}.", property.id(), property.name(), property.statement())
        }
        Target::Unmet { property, .. } => {
            format!("{} {} does not hold in the end: {}.", property.id(), property.name(), property.statement())
        }
        Target::Stalled { .. } => "The healed core does not converge, which nothing demands of it.".into(),
        Target::Panic { said, place } => format!("The core panics: {said} ({place})."),
    };
    format!("{what}\nShrunk from {}, seed {}.", origin.scenario, origin.seed)
}

/// A run made short.
struct Short {
    trace: Trace,
    /// How many of its actions the script chose.
    script: usize,
}

impl Short {
    /// The script counts first: the end of a run is as long as it is.
    fn size(&self) -> (usize, usize) {
        (self.script, self.trace.lines.len())
    }
}

/// The shortest run that was found.
fn shortened(trace: &Trace, failure: &Failure, catch: Catch, meter: &mut Meter) -> Result<Short, ShrinkError> {
    let header = &trace.header;
    let at_end = failure.oracle.target.ends().is_some();
    let parsed = at_end.then(|| Scenario::parse(&header.scenario, &header.text)).transpose();
    let scenario = parsed.map_err(|error| ShrinkError::Scenario(error.to_string()))?;
    let Failure { oracle, script, budget } = failure;
    meter.actions(script.len());
    let mut player = Player { setup: &header.setup, oracle, budget: *budget, closing: None, catch, meter };
    let script = match &scenario {
        None => Some(script.clone()),
        Some(scenario) => before_the_end(&mut player, scenario, header.seed, script),
    };
    let short = script.map(|script| reduce::reduce(&mut player, script)).unwrap_or_default();
    let mut record = Record::default();
    let start = player.start();
    let panic = match &oracle.target {
        Target::Panic { .. } => Some(String::new()),
        _ => None,
    };
    let again = player.attempt(&start, short.iter(), &mut record);
    Ok(match again {
        Some(short) => Short { trace: record.trace(header.clone(), panic), script: short.len() },
        // Nobody else's end of a run comes to the same.
        None => Short { trace: trace.clone(), script: failure.script.len() },
    })
}

/// The same without the habits that it does not take: those that are left cause it together.
fn attributed(short: Short, failure: &Failure, catch: Catch, meter: &mut Meter) -> Short {
    if failure.oracle.target.ends().is_some() {
        // Who ends the run reads the scenario, which names the habits.
        return short;
    }
    let mut best = short;
    for habit in best.trace.header.setup.conduct.habits.iter() {
        let Ok(Failure { script, .. }) = oracle::find(&best.trace, catch) else { break };
        let mut header = best.trace.header.clone();
        let habits = header.setup.conduct.habits.without(Habits::of(&[habit]));
        header.setup.conduct = header.setup.conduct.with(habits);
        header.habits = habits.iter().map(HabitName).collect();
        let Failure { oracle, budget, .. } = failure;
        let mut player = Player { setup: &header.setup, oracle, budget: *budget, closing: None, catch, meter };
        let start = player.start();
        let mut record = Record::default();
        if let Some(kept) = player.attempt(&start, script.iter(), &mut record) {
            let panic = matches!(oracle.target, Target::Panic { .. }).then(String::new);
            best = Short { trace: record.trace(header, panic), script: kept.len() };
        }
    }
    best
}

/// The part of a script after which the end of a run, played by a schedule, shows what is looked for. The chaos, if it
/// can be; else some of what followed, for a stall may have begun only then.
fn before_the_end<'a>(
    player: &mut Player<'a, '_>,
    scenario: &'a Scenario,
    seed: u64,
    script: &[Entry],
) -> Option<Vec<Entry>> {
    let is_end = |entry: &Entry| matches!(entry.action, Action::Enter { .. });
    let chaos = script.iter().position(is_end).unwrap_or(script.len());
    let rest = script.len() - chaos;
    let start = player.start();
    for length in [0, rest / 64, rest / 16, rest / 4, rest / 2].map(|more| chaos + more) {
        let script: Vec<Entry> = script[..length].iter().filter(|entry| !is_end(entry)).copied().collect();
        for seed in std::iter::once(seed).chain(1..=CLOSINGS) {
            player.closing = Some(Closing { scenario, seed });
            if let Some(script) = player.attempt(&start, script.iter(), &mut ()) {
                return Some(script);
            }
        }
    }
    None
}

/// How many other ends are tried: some heal everybody, some a part.
const CLOSINGS: u64 = 3;

/// With the footer that a replay comes to, and what went wrong.
fn judged(mut trace: Trace, target: &Target, catch: Catch) -> (Trace, Option<Violation>) {
    let mut replay = Replay::new(&trace);
    let panic = catch(&mut || {
        // A panic leaves no hash: the last step differs, if it does anything at all.
        let _ = replay.run_until(u64::MAX, |_, _| ());
    })
    .err();
    let violations = replay.checkers().violations().to_vec();
    let promise = Promise { violates: trace.header.violates.clone(), ..Promise::default() };
    let verdict = match panic {
        Some(_) => Verdict::Panicked,
        None => judge(&promise, &violations, matches!(target, Target::Stalled { .. }), &[]),
    };
    if let Some(Footer { verdict: word, violations: ids, panic: said, .. }) = &mut trace.footer {
        *word = verdict;
        *ids = violations.iter().map(|violation| violation.property.id().into()).collect();
        *said = panic;
    }
    let violation = violations.into_iter().find(|violation| Some(violation.property) == target.property());
    (trace, violation)
}

/// Counts executed steps against the budget, and shows the progress.
struct Meter<'w> {
    progress: Progress,
    /// Not to be spent yet.
    held_back: u64,
    watch: &'w mut dyn Watch,
}

impl Meter<'_> {
    fn new(budget: u64, watch: &mut dyn Watch) -> Meter<'_> {
        Meter { progress: Progress { budget, ..Progress::default() }, held_back: 0, watch }
    }

    fn left(&self) -> u64 {
        self.progress.budget.saturating_sub(self.progress.spent + self.held_back)
    }

    fn is_empty(&self) -> bool {
        self.left() == 0
    }

    fn spend(&mut self, steps: u64) {
        self.progress.spent += steps;
        self.watch.tried(&self.progress);
    }

    fn simplified(&mut self) {
        self.progress.simplified += 1;
    }

    fn actions(&mut self, actions: usize) {
        self.progress.actions = actions as u64;
    }

    /// Leaves one part in so many.
    fn hold_back(&mut self, parts: u64) -> u64 {
        let steps = self.left() - self.left() / parts;
        self.held_back += steps;
        steps
    }

    fn release(&mut self, steps: u64) {
        self.held_back -= steps;
    }
}
