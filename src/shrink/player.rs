//! `Player`: tries scripts, and tells whether they still fail in the same way.

use super::course::{Course, Entry, WipeBudget};
use super::oracle::{Judgement, Oracle};
use super::{Catch, Meter};
use crate::run::{self, Sink};
use crate::scenario::Scenario;
use crate::sim::schedule::Plan;
use crate::sim::{Seeded, Setup};

/// The end of a run that no script says: a seeded schedule heals what the script left behind and demands convergence.
/// Liveness cannot be judged otherwise, for whoever leaves out deliveries has a cluster that does not converge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closing<'a> {
    pub scenario: &'a Scenario,
    pub seed: u64,
}

/// Tries scripts.
pub(super) struct Player<'a, 'w> {
    pub setup: &'a Setup,
    pub oracle: &'a Oracle,
    pub budget: WipeBudget,
    pub closing: Option<Closing<'a>>,
    pub catch: Catch<'a>,
    pub meter: &'a mut Meter<'w>,
}

impl Player<'_, '_> {
    /// Goes on from `start` with what is possible of `entries`. If the run fails in the same way: what happened.
    pub fn attempt<'e>(
        &mut self,
        start: &Course,
        mut entries: impl Iterator<Item = &'e Entry>,
        sink: &mut dyn Sink,
    ) -> Option<Vec<Entry>> {
        if self.meter.is_empty() {
            return None;
        }
        let mut course = start.clone();
        let mut kept = Vec::new();
        let mut next = None;
        let mut judgement = Judgement::Open;
        let ended = (self.catch)(&mut || {
            for entry in entries.by_ref() {
                let Some(planned) = course.plan(entry, self.budget) else { continue };
                let (at, action) = planned;
                next = Some(Entry { at: entry.at, action, opened: None });
                sink.chosen(at, &action);
                kept.push(course.take(entry, planned));
                let world = &course.world;
                sink.step(world.step(), world.now(), &action, world.hash(), world);
                judgement = self.oracle.step(course.found());
                if judgement != Judgement::Open {
                    return;
                }
            }
            next = None;
            if let Some(closing) = &self.closing {
                judgement = course.close(closing, self.oracle, self.meter.left(), sink);
            }
        });
        self.meter.spend(course.world.step() - start.world.step());
        if let Err(quoted) = ended {
            judgement = self.oracle.panic(&quoted);
            kept.extend(next);
        }
        (judgement == Judgement::Same).then_some(kept)
    }

    /// The world before anything happened.
    pub fn start(&self) -> Course {
        Course::new(self.setup)
    }

    /// Lets entries happen of which it is known that they can and that nothing comes of them.
    pub fn advance(&mut self, course: &mut Course, entries: &[Entry]) {
        for entry in entries {
            if let Some(planned) = course.plan(entry, self.budget) {
                course.take(entry, planned);
            }
        }
        course.found();
        self.meter.spend(entries.len() as u64);
    }

    /// How many entries at the end stay: the step that fails cannot be left out.
    pub fn pinned(&self) -> usize {
        usize::from(self.closing.is_none())
    }
}

impl Course {
    /// Ends the run as every run ends, within `most` steps.
    fn close(&mut self, closing: &Closing, oracle: &Oracle, most: u64, sink: &mut dyn Sink) -> Judgement {
        let Closing { scenario, seed } = *closing;
        let plan: Plan = scenario.plan();
        let mut schedule = Seeded::adopt(plan, seed, &mut self.world);
        let last = self.world.step() + most.min(scenario.run.max_steps);
        let Course { world, checkers, judged, .. } = self;
        let mut judgement = Judgement::Open;
        run::drive(world, &mut schedule, sink, |world, end| {
            match end {
                Some(end) => checkers.finish(world, run::end_of(end)),
                None => checkers.step(world),
            }
            let violations = checkers.violations();
            let found = &violations[std::mem::replace(judged, violations.len())..];
            judgement = match end {
                Some(end) => oracle.end(found, end.stage, end.converged),
                None => oracle.step(found),
            };
            judgement != Judgement::Open || world.step() >= last
        });
        judgement
    }
}
