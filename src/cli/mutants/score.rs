//! The score: hunts on several threads, and what they come to in plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::spread::Spread;
use super::{Listed, MutantsArgs, listed, pool, zoo};
use crate::check::Property;
use crate::cli::panics;
use crate::fuzz::score::{Failure, Hunt, Killer, aftermath, hunt, seeds};
use crate::shrink::Catch;
use crate::sim::ServiceKind;
use crate::zab::Mutant;

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Score {
    /// The budget of each mutant and master.
    pub runs: u64,
    pub masters: u64,
    pub mutants: Vec<Row>,
    /// The equivalent mutant, if it was asked for.
    pub equivalent: Option<Control>,
    pub unmutated: Control,
    /// Properties that were violated by none of the mutants here.
    pub silent: Vec<&'static str>,
}

/// One mutant.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    #[serde(flatten)]
    pub listed: Listed,
    /// By how many masters it was found.
    pub killed: u64,
    /// What failed first, by how many masters.
    pub first: BTreeMap<String, u64>,
    /// What was violated later in the same runs.
    pub later: BTreeMap<String, u64>,
    /// To the first violation.
    pub runs: Spread,
    /// The same.
    pub steps: Spread,
    /// The same, on one thread.
    pub wall_ms: Spread,
    /// What a model checker needed.
    pub published_ms: Option<u64>,
    /// How long after the heal a leader served (L6), over runs in which none did at once; with the mutant and, of the same
    /// seeds, without. Only of mutants that some master did not find.
    pub recovery_ms: Option<(Spread, Spread)>,
    pub shrunk: Option<Shrunk>,
    pub kills: Vec<Killed>,
    /// Runs that fail without the mutant as well: they do not count.
    pub also_without: Vec<Failed>,
}

/// One hunt that found something.
#[derive(Debug, Serialize)]
pub(super) struct Killed {
    pub master: u64,
    pub seed: u64,
    pub first: String,
    pub runs: u64,
    pub steps: u64,
    pub wall_ms: u64,
}

/// A kill, made short.
#[derive(Debug, Serialize)]
pub(super) struct Shrunk {
    /// Without those that end every run.
    pub actions: u64,
    pub recorded: u64,
}

/// What must not fail.
#[derive(Debug, Serialize)]
pub(super) struct Control {
    pub runs: u64,
    pub steps: u64,
    pub wall_ms: u64,
    /// Runs that fail. There should be none.
    pub failed: Vec<Failed>,
    /// Of the equivalent mutant, runs that fail without it as well.
    pub also_without: Vec<Failed>,
}

/// A run that failed.
#[derive(Debug, Serialize)]
pub(super) struct Failed {
    pub seed: u64,
    pub first: String,
}

impl Failed {
    fn of(failure: &Failure) -> Failed {
        Failed { seed: failure.seed, first: failure.first.to_string() }
    }
}

impl Row {
    /// Whether nobody found it.
    pub(super) fn survived(&self) -> bool {
        self.killed == 0
    }
}

impl Score {
    /// Whether everything that should be found was, and nothing else.
    pub(super) fn is_good(&self) -> bool {
        let controls = self.equivalent.iter().chain([&self.unmutated]);
        controls.into_iter().all(|control| control.failed.is_empty()) && !self.mutants.iter().any(Row::survived)
    }
}

struct Timed {
    hunt: Hunt,
    wall_ms: u64,
    later: BTreeSet<Property>,
}

const CATCH: Catch = &|run| panics::catch(run);

pub(super) fn score(args: &MutantsArgs) -> Score {
    let chosen = args.chosen();
    let masters = args.masters;
    let control = |mutant| (1..=masters).map(move |master| (mutant, master, share(args.runs, masters, master)));
    let equivalents = chosen.iter().copied().filter(|mutant| mutant.is_equivalent());
    let of_equivalents: Vec<_> = equivalents.flat_map(|mutant| control(Some(mutant))).collect();
    let mutants: Vec<Mutant> = chosen.into_iter().filter(|mutant| !mutant.is_equivalent()).collect();
    let hunts = mutants.iter().flat_map(|&mutant| (1..=masters).map(move |master| (Some(mutant), master, args.runs)));
    let all: Vec<(Option<Mutant>, u64, u64)> =
        hunts.chain(of_equivalents.iter().copied()).chain(control(None)).collect();

    let bar = progress(all.len() as u64, args);
    let mut done = pool::each(args.jobs(), &all, |&(mutant, master, runs)| {
        let start = Instant::now();
        let hunt = hunt(mutant, seeds(master).take(runs as usize), CATCH);
        let wall_ms = start.elapsed().as_millis() as u64;
        let kill = mutant.zip(hunt.kill);
        let later = kill.map(|(mutant, kill)| aftermath(mutant, &kill, CATCH)).unwrap_or_default();
        bar.inc(1);
        Timed { hunt, wall_ms, later }
    });
    let unmutated = Control::of(&done.split_off(done.len() - masters as usize), None);
    let equivalent = done.split_off(done.len() - of_equivalents.len());
    let equivalent = (!equivalent.is_empty()).then(|| Control::of(&equivalent, of_equivalents[0].0));
    let of_mutants: Vec<(Mutant, &[Timed])> = mutants.into_iter().zip(done.chunks(masters as usize)).collect();
    bar.set_length(bar.length().unwrap_or(0) + of_mutants.len() as u64);
    let mutants = pool::each(args.jobs(), &of_mutants, |&(mutant, hunts)| {
        let row = row(args, mutant, hunts);
        bar.inc(1);
        row
    });
    bar.finish_and_clear();
    let loud: BTreeSet<&str> =
        mutants.iter().flat_map(|row| row.first.keys().chain(row.later.keys())).map(String::as_str).collect();
    let applicable = Property::all().iter().filter(|property| property.is_applicable(SERVICE));
    let silent = applicable.map(|property| property.id()).filter(|id| !loud.contains(id)).collect();
    Score { runs: args.runs, masters, mutants, equivalent, unmutated, silent }
}

/// Of `runs` in all the part of one master.
fn share(runs: u64, masters: u64, master: u64) -> u64 {
    runs / masters + u64::from(master <= runs % masters)
}

fn row(args: &MutantsArgs, mutant: Mutant, hunts: &[Timed]) -> Row {
    let mut first: BTreeMap<String, u64> = BTreeMap::new();
    let mut later: BTreeMap<String, u64> = BTreeMap::new();
    let mut kills = Vec::new();
    for (timed, master) in hunts.iter().zip(1..) {
        let Some(kill) = &timed.hunt.kill else { continue };
        *first.entry(kill.first.to_string()).or_default() += 1;
        for property in &timed.later {
            *later.entry(property.id().into()).or_default() += 1;
        }
        let Timed { hunt: Hunt { runs, steps, .. }, wall_ms, .. } = *timed;
        kills.push(Killed { master, seed: kill.seed, first: kill.first.to_string(), runs, steps, wall_ms });
    }
    let spread = |of: fn(&Timed) -> u64| Spread::of(hunts.iter().map(|it| it.hunt.kill.as_ref().map(|_| of(it))));
    let shrunk = kills.first().filter(|_| args.shrink).and_then(|kill| zoo::shrunk(mutant, kill.seed, args.budget));
    Row {
        listed: listed(mutant),
        killed: kills.len() as u64,
        first,
        later,
        runs: spread(|it| it.hunt.runs),
        steps: spread(|it| it.hunt.steps),
        wall_ms: spread(|it| it.wall_ms),
        published_ms: mutant.published().map(|took| took.as_nanos() / 1_000_000),
        recovery_ms: recoveries(hunts),
        shrunk: shrunk.map(|shrunk| Shrunk { actions: shrunk.script, recorded: shrunk.recorded }),
        kills,
        also_without: hunts.iter().flat_map(|it| it.hunt.without.iter().map(Failed::of)).collect(),
    }
}

/// So many runs tell how long a recovery takes.
const RECOVERIES: u64 = 500;

fn recoveries(hunts: &[Timed]) -> Option<(Spread, Spread)> {
    let (timed, master) = hunts.iter().zip(1..).find(|(timed, _)| timed.hunt.kill.is_none())?;
    let with: &Hunt = &timed.hunt;
    let without = hunt(None, seeds(master).take(with.runs.min(RECOVERIES) as usize), CATCH);
    let spread = |hunt: &Hunt| {
        let took = hunt.recoveries.iter().take(without.recoveries.len()).map(|took| took.as_nanos());
        Spread::of(took.filter(|&took| took > 0).map(|took| Some(took / 1_000_000)))
    };
    Some((spread(with), spread(&without)))
}

impl Control {
    fn of(hunts: &[Timed], mutant: Option<Mutant>) -> Control {
        let sum = |of: fn(&Timed) -> u64| hunts.iter().map(of).sum();
        let kills = hunts.iter().filter_map(|it| it.hunt.kill.as_ref()).map(Failed::of).collect();
        let without = hunts.iter().flat_map(|it| &it.hunt.without).map(Failed::of).collect();
        let (failed, also_without) = if mutant.is_some() { (kills, without) } else { (without, kills) };
        Control {
            runs: sum(|it| it.hunt.runs),
            steps: sum(|it| it.hunt.steps),
            wall_ms: sum(|it| it.wall_ms),
            failed,
            also_without,
        }
    }
}

/// What the servers of a hunt replicate.
const SERVICE: ServiceKind = ServiceKind::Ledger;

/// What stands above the columns of the matrix.
pub(super) fn killers() -> impl Iterator<Item = Killer> {
    Killer::all().filter(|killer| !matches!(killer, Killer::Property(property) if !property.is_applicable(SERVICE)))
}

/// On a terminal; `indicatif` is silent in a pipe.
pub(super) fn progress(length: u64, args: &MutantsArgs) -> ProgressBar {
    if args.quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} hunts  {elapsed}  {msg}")
        .expect("the template is a constant");
    ProgressBar::new(length).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_has_its_master() {
        for (runs, masters) in [(10, 3), (10_000, 20), (2, 5)] {
            assert_eq!((1..=masters).map(|master| share(runs, masters, master)).sum::<u64>(), runs);
        }
    }
}
