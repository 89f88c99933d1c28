//! L4, no livelock: elections are counted by the leaders they make. One that follows an epoch whose counter was used up is work
//! done, not work repeated.

use super::{End, Property, Sink};

/// How many elections were won since the heal.
#[derive(Clone, Debug, Default)]
pub struct NoLivelock {
    elections: u32,
}

impl NoLivelock {
    /// The heal begins.
    pub fn on_converge(&mut self) {
        self.elections = 0;
    }

    /// A peer was elected leader.
    pub fn on_won(&mut self) {
        self.elections += 1;
    }

    /// A leader stepped down since its epoch was used up.
    pub fn on_epoch_used_up(&mut self) {
        self.elections = self.elections.saturating_sub(1);
    }

    /// The bound is over.
    pub fn on_end(&self, end: &End, no_excuse: &str, out: &mut Sink) {
        out.check(Property::L4, self.elections <= end.elections, [], || {
            let expected = format!("at most {} elections after the heal, since {no_excuse}", end.elections);
            (expected, format!("there were {}", self.elections))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, ends_badly, p};
    use crate::sim::Stage;
    use crate::zab::{LeaveReason, Milestone};

    #[test]
    fn one_election_after_the_other_is_noticed() {
        ends_badly(Property::L4, |story| {
            for epoch in 2..9 {
                story.role_ends();
                story.lead(p(3), epoch, &[1, 2]);
            }
        });
    }

    #[test]
    fn an_election_that_an_epoch_without_counters_left_asks_for_does_not_count() {
        let mut story = Story::serving();
        story.role_ends();
        story.enter(Stage::Converge);
        for epoch in 2..9 {
            story.lead(p(3), epoch, &[1, 2]);
            story.milestone(p(3), Milestone::Left { reason: LeaveReason::CounterExhausted });
            story.role_ends();
        }
        story.stage_ends(Stage::Converge, true);
        let found: Vec<_> = story.checkers.violations().iter().map(|v| v.property).collect();
        assert!(!found.contains(&Property::L4), "{found:?}");
    }

    #[test]
    fn as_many_elections_as_are_permitted_are_legal_and_those_before_the_heal_do_not_count() {
        let mut story = Story::serving();
        for epoch in 2..9 {
            story.role_ends();
            story.lead(p(3), epoch, &[1, 2, 4]);
            if epoch == 3 {
                story.enter(Stage::Converge);
            }
        }
        story.stage_ends(Stage::Converge, true);
        let found: Vec<_> = story.checkers.violations().iter().map(|v| v.property).collect();
        assert!(!found.contains(&Property::L4), "{found:?}");
    }
}
