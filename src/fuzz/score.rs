//! `score`: what it costs to find a bug that was switched on.
//!
//! A hunt goes through the seeds of a *master* until a run fails that does not fail without the bug. Masters share no seed, so
//! that their hunts are independent samples of one cost. Nobody tells the hunt what it looks for: scenarios are those of the
//! [`swarm`], and whatever fails first counts.

use std::collections::BTreeSet;
use std::fmt;

use super::swarm;
use crate::check::Property;
use crate::run::{self, Options, Outcome, Sink};
use crate::scenario::Scenario;
use crate::shrink::Catch;
use crate::sim::{Action, World};
use crate::zab::{Duration, Instant, Mutant};

/// So many seeds belong to each master.
pub const SEEDS: u64 = 1_000_000;

/// The seeds of a master, counted from 1.
pub fn seeds(master: u64) -> std::ops::Range<u64> {
    master * SEEDS..(master + 1) * SEEDS
}

/// What a run fails over first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Killer {
    /// It is violated.
    Property(Property),
    /// The healed core did not converge, and no property speaks of it.
    Stall,
    /// The core panicked.
    Panic,
}

impl Killer {
    /// All there are, in the order of the catalogue of properties.
    pub fn all() -> impl Iterator<Item = Killer> {
        let properties = Property::all().iter().map(|&property| Killer::Property(property));
        properties.chain([Killer::Stall, Killer::Panic])
    }

    /// What it means, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Killer::Property(property) => property.name(),
            Killer::Stall => "the healed core does not converge",
            Killer::Panic => "the core panics",
        }
    }
}

/// `S5`, `stall` or `panic`.
impl fmt::Display for Killer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Killer::Property(property) => property.id(),
            Killer::Stall => "stall",
            Killer::Panic => "panic",
        })
    }
}

/// A run that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Under which seed.
    pub seed: u64,
    /// What failed first.
    pub first: Killer,
}

/// What came of the seeds of one master.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hunt {
    /// How many runs were made, the one that failed included.
    pub runs: u64,
    /// How many steps these took.
    pub steps: u64,
    /// The first run that failed, if one did.
    pub kill: Option<Failure>,
    /// Runs that fail without any mutant as well, and hence show nothing.
    pub without: Vec<Failure>,
    /// How long a leader took after each heal (L6), where one came.
    pub recoveries: Vec<Duration>,
}

/// The scenario of a seed, with a bug switched on.
pub fn scenario(mutant: Option<Mutant>, seed: u64) -> Scenario {
    Scenario { mutant: mutant.map(|mutant| mutant.name().to_owned()), ..swarm::draw(seed) }
}

/// Runs `seeds` until one fails that does not fail without the mutant. Without a mutant all of them run, and those that
/// fail are [`Hunt::without`].
pub fn hunt(mutant: Option<Mutant>, seeds: impl IntoIterator<Item = u64>, catch: Catch) -> Hunt {
    let mut hunt = Hunt::default();
    for seed in seeds {
        let mut steps = Steps(0);
        let ended = attempt(&scenario(mutant, seed), seed, catch, &mut steps);
        hunt.runs += 1;
        hunt.steps += steps.0;
        if let Ok(outcome) = &ended {
            hunt.recoveries.extend(outcome.summary.recovery);
        }
        let Some(kill) = failed(seed, &ended) else { continue };
        if mutant.is_none() || failed(seed, &attempt(&scenario(None, seed), seed, catch, &mut ())).is_some() {
            hunt.without.push(kill);
        } else {
            hunt.kill = Some(kill);
            break;
        }
    }
    hunt
}

fn attempt(scenario: &Scenario, seed: u64, catch: Catch, sink: &mut dyn Sink) -> Result<Outcome, String> {
    let mut outcome = None;
    catch(&mut || outcome = Some(run::run(scenario, seed, &Options::default(), sink)))?;
    outcome.ok_or_else(String::new)
}

fn failed(seed: u64, ended: &Result<Outcome, String>) -> Option<Failure> {
    let first = match ended {
        Err(_) => Killer::Panic,
        Ok(outcome) => match outcome.violations.first() {
            Some(violation) => Killer::Property(violation.property),
            None if outcome.unconverged.is_some() => Killer::Stall,
            None => return None,
        },
    };
    Some(Failure { seed, first })
}

/// What else the run of a kill violates if it goes on: one bug breaks many properties, and only one can be first.
pub fn aftermath(mutant: Mutant, kill: &Failure, catch: Catch) -> BTreeSet<Property> {
    let scenario = scenario(Some(mutant), kill.seed);
    let options = Options { keep_going: true, ..Options::default() };
    let mut found = BTreeSet::new();
    // A core that is beyond its own rules may panic, and what came before is lost with the run.
    let _ = catch(&mut || {
        let violations = run::run(&scenario, kill.seed, &options, &mut ()).violations;
        found.extend(violations.iter().map(|violation| violation.property));
    });
    found.retain(|&property| Killer::Property(property) != kill.first);
    found
}

/// Counts steps, even of a run that ends in a panic.
struct Steps(u64);

impl Sink for Steps {
    fn step(&mut self, step: u64, _: Instant, _: &Action, _: u64, _: &World) {
        self.0 = step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CATCH: Catch = &|run| {
        run();
        Ok(())
    };

    #[test]
    fn masters_share_no_seed() {
        assert_eq!(seeds(1).end, seeds(2).start);
        assert_eq!(seeds(3).end - seeds(3).start, SEEDS);
    }

    #[test]
    fn a_hunt_ends_at_its_first_kill() {
        let zk_3911 = Some(Mutant::Zk3911);
        let found = hunt(zk_3911, seeds(1).take(300), CATCH);
        let kill = found.kill.expect("this one dies soon");
        assert_eq!(kill.seed, seeds(1).start + found.runs - 1);
        assert!(found.steps > 0);
        assert_eq!(hunt(zk_3911, [kill.seed], CATCH).kill, Some(kill));
        let Killer::Property(first) = kill.first else { panic!("{kill:?}") };
        assert!(!aftermath(Mutant::Zk3911, &kill, CATCH).contains(&first));
    }

    #[test]
    fn without_a_mutant_every_seed_runs() {
        let found = hunt(None, seeds(1).take(5), CATCH);
        assert_eq!((found.runs, found.kill, found.without), (5, None, vec![]));
    }

    #[test]
    fn what_fails_without_the_mutant_as_well_shows_nothing() {
        let panics: Catch = &|_| Err("a panic everywhere".into());
        let found = hunt(Some(Mutant::Zk1154), seeds(1).take(3), panics);
        assert_eq!((found.kill, found.without.len()), (None, 3));
        let once = std::cell::Cell::new(false);
        let panics_once: Catch = &|run| if once.replace(true) { CATCH(run) } else { Err("a panic".into()) };
        let kill = hunt(Some(Mutant::Zk1154), seeds(1).take(3), panics_once).kill.unwrap();
        assert_eq!((kill.first, kill.seed), (Killer::Panic, seeds(1).start));
    }
}
