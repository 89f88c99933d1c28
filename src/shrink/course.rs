//! `Course`: a run under way that follows a script, and leaves out what is not possible.

use std::collections::BTreeMap;

use crate::check::{Checkers, Violation};
use crate::sim::fault::may_wipe;
use crate::sim::{Action, Event, LinkKey, Setup, World};
use crate::zab::Instant;

/// One choice of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Not before this moment; [`Entry::SOON`] is as soon as possible, and for a `Wake` when the timer is due.
    pub at: Instant,
    pub action: Action,
    /// The link that a `Connect` opened in the run that the script was taken from.
    pub opened: Option<LinkKey>,
}

impl Entry {
    pub const SOON: Instant = Instant::ZERO;
}

/// The faults that only a scenario may ask for. A script that keeps to a budget must keep to it when something is left
/// out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WipeBudget {
    Kept,
    Ignored,
}

/// World and checkers after a part of a script. Whoever wants to try two ways from here clones it.
#[derive(Clone, Debug)]
pub(super) struct Course {
    pub world: World,
    pub checkers: Checkers,
    /// Links by the name they have in the script. Generations count connections, hence a script that connects less
    /// often than the run it was taken from opens the same links under other names.
    links: BTreeMap<LinkKey, LinkKey>,
    pub(super) judged: usize,
}

impl Course {
    pub fn new(setup: &Setup) -> Course {
        let mut world = World::new(setup);
        world.chances();
        Course { world, checkers: Checkers::new(setup), links: BTreeMap::new(), judged: 0 }
    }

    /// When `entry` happens and under which names; `None` if it is not possible.
    pub fn plan(&self, entry: &Entry, budget: WipeBudget) -> Option<(Instant, Action)> {
        let action = self.renamed(entry.action)?;
        if !self.world.is_enabled(&action) {
            return None;
        }
        let at = entry.at.max(self.world.now());
        match action {
            Action::Wake { node } => {
                let due = self.world.node(node).next_wake()?;
                let soon = entry.at == Entry::SOON;
                (soon || due <= at).then_some((at.max(due), action))
            }
            Action::Wipe { node } if budget == WipeBudget::Kept && !may_wipe(&self.world, node) => None,
            _ => Some((at, action)),
        }
    }

    /// Lets what was planned happen: the entry as it has to stand in a script that begins with what happened so far.
    pub fn take(&mut self, entry: &Entry, (at, action): (Instant, Action)) -> Entry {
        self.world.apply(at, &action);
        self.world.chances();
        self.checkers.step(&self.world);
        let opened = self.world.events().iter().find_map(|event| match *event {
            Event::LinkOpened { link } => Some(link),
            _ => None,
        });
        if let Some(link) = opened {
            self.links.insert(entry.opened.unwrap_or(link), link);
        }
        Entry { at: entry.at, action, opened }
    }

    /// What was violated since the last time this was asked.
    pub fn found(&mut self) -> &[Violation] {
        let violations = self.checkers.violations();
        &violations[std::mem::replace(&mut self.judged, violations.len())..]
    }

    fn renamed(&self, action: Action) -> Option<Action> {
        let known = |link| self.links.get(&link).copied();
        Some(match action {
            Action::Deliver { link, to, skip } => Action::Deliver { link: known(link)?, to, skip },
            Action::NoticeClose { link, at } => Action::NoticeClose { link: known(link)?, at },
            Action::HalfOpen { link, at } => Action::HalfOpen { link: known(link)?, at },
            Action::Reset { link, lose_up, lose_down } => Action::Reset { link: known(link)?, lose_up, lose_down },
            other => other,
        })
    }
}
