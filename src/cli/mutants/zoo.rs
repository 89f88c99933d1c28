//! The zoo: for each mutant the shortest trace that shows it.

use std::path::Path;

use anyhow::{Context, Result};

use super::score::progress;
use super::{MutantsArgs, pool};
use crate::cli::files::Draft;
use crate::cli::render::{Screen, plural, thousands};
use crate::cli::{Exit, panics};
use crate::fuzz::score::{hunt, scenario, seeds};
use crate::fuzz::swarm;
use crate::scenario::Scenario;
use crate::shrink::{self, Catch, Converged, Options, Shrunk, elsewhere, record};
use crate::sim::Setup;
use crate::zab::{Conduct, Mutant};

const CATCH: Catch = &|run| panics::catch(run);

/// Every mutant that is found gets its trace; of those that are not, standard error tells.
pub(super) fn write(args: &MutantsArgs, directory: &Path, screen: &mut Screen) -> Result<Exit> {
    let mutants: Vec<Mutant> = args.chosen().into_iter().filter(|mutant| !mutant.is_equivalent()).collect();
    let bar = progress(mutants.len() as u64, args);
    let found = pool::each(args.jobs(), &mutants, |&mutant| {
        let found = shortest(mutant, args);
        bar.inc(1);
        found
    });
    bar.finish_and_clear();
    let width = mutants.iter().map(|mutant| mutant.name().len()).max().unwrap_or(0);
    for (mutant, shrunk) in mutants.iter().zip(found) {
        let Some(shrunk) = shrunk else {
            screen.note(format_args!(
                "{mutant} was not found within {}: no trace",
                plural(args.runs * args.masters, "run")
            ));
            continue;
        };
        let (script, all) = (shrunk.script, shrunk.trace.last_step());
        if all > LONGEST {
            screen.note(format_args!("{mutant}: no trace, for the shortest has {}", plural(all, "action")));
            continue;
        }
        let path = directory.join(format!("{mutant}.jsonl"));
        let draft = shrunk.trace.write(Draft::create(&path)?);
        draft.with_context(|| format!("cannot write {}", path.display()))?.publish()?;
        let rest = if script < all { format!(", then {} to the end", thousands(all - script)) } else { String::new() };
        screen.line(format_args!(
            "{:width$}  {:5}  {}{rest}",
            mutant.name(),
            shrunk.target.to_string(),
            plural(script, "action")
        ));
    }
    Ok(Exit::Good)
}

/// Whoever wants to see a bug does not read more, and nobody wants to store it.
const LONGEST: u64 = 5_000;

/// Of several kills.
fn shortest(mutant: Mutant, args: &MutantsArgs) -> Option<Shrunk> {
    let kills = kills(mutant, args);
    let short = kills.into_iter().filter_map(|seed| shrunk(mutant, seed, args.budget));
    // A violation that takes the end of a run to show is the longer story.
    let mut best = short.filter(only_with_it).min_by_key(|short| (short.trace.last_step(), short.script))?;
    best.trace.header.scenario = mutant.name().into();
    Some(best)
}

/// Seeds of kills, master by master.
fn kills(mutant: Mutant, args: &MutantsArgs) -> Vec<u64> {
    let mut kills = Vec::new();
    for master in 1..=args.masters {
        let mut seeds = seeds(master).take(args.runs as usize);
        while let Some(kill) = hunt(Some(mutant), &mut seeds, CATCH).kill {
            kills.push(kill.seed);
            if kills.len() as u64 == args.candidates {
                return kills;
            }
        }
    }
    kills
}

/// The run of a seed, made short.
pub(super) fn shrunk(mutant: Mutant, seed: u64, budget: u64) -> Option<Shrunk> {
    let drawn = scenario(Some(mutant), seed);
    let text = drawn.written(&drawn.moral)?;
    let written = Scenario::parse(swarm::NAME, &text).ok()?;
    let trace = record(swarm::NAME, &written, seed, CATCH);
    let options = Options { budget, ..Options::default() };
    shrink::shrink(&trace, &options, CATCH, &mut ()).ok()
}

/// Whether the same actions break nothing without the mutant.
fn only_with_it(shrunk: &Shrunk) -> bool {
    let setup = Setup { conduct: Conduct::default(), ..shrunk.trace.header.setup.clone() };
    let outcome = panics::catch(|| elsewhere(&shrunk.trace, &setup));
    outcome.is_ok_and(|(violations, converged)| violations.is_empty() && converged != Converged::No)
}
