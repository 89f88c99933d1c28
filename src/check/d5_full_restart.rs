//! D5, full-restart completeness: an oracle over the epilogue. Everything chosen before it is a prefix of what is served in it.

use super::{Ghost, Property, Sink, txns};
use crate::sim::Node;

/// What was chosen when the epilogue began.
#[derive(Clone, Debug, Default)]
pub struct FullRestart {
    chosen_before: Option<usize>,
    served: bool,
}

impl FullRestart {
    /// The epilogue begins.
    pub fn on_epilogue(&mut self, ghost: &Ghost) {
        self.chosen_before = Some(ghost.chosen.len());
        self.served = false;
    }

    /// A node began to serve.
    pub fn on_serving(&mut self, ghost: &Ghost, node: Node, out: &mut Sink) {
        let Some(before) = self.chosen_before else { return };
        self.served = true;
        let applied = &ghost.peer(node).applied;
        let held = applied.begins_with(before, ghost.chosen.hash_at(before), &ghost.chosen);
        out.check(Property::D5, held, [node], || {
            let expected = format!("{node} serves all {before} of the txns chosen before everybody died");
            (expected, format!("it serves {} up to {}", txns(applied.len()), applied.last_zxid(&ghost.chosen)))
        });
    }

    /// The run ended; whether a quorum was up and connected for the time it may take.
    pub fn on_end(&self, quorum: bool, out: &mut Sink) {
        if self.chosen_before.is_some() && quorum {
            out.check(Property::D5, self.served, [], || {
                ("a quorum that restarts after everybody died serves again".into(), "nobody served".into())
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires_in, p};
    use crate::sim::Stage;

    fn restarted() -> Story {
        let mut story = Story::serving();
        story.enter(Stage::Epilogue);
        story.role_ends();
        story
    }

    #[test]
    fn who_forgot_and_serves_is_noticed() {
        let mut story = restarted();
        story.lead(p(3), 2, &[1, 2]);
        fires_in(story, Property::D5, |story| {
            story.forgets(p(1));
            story.serves(p(1), 2);
        });
    }

    #[test]
    fn a_quorum_that_never_serves_again_is_noticed() {
        let mut story = restarted();
        story.lead(p(3), 2, &[1, 2]);
        story.stage_ends(Stage::Epilogue, false);
        fires_in(story, Property::D5, |story| {
            story.enter(Stage::Epilogue);
            story.stage_ends(Stage::Epilogue, false);
        });
    }

    #[test]
    fn a_run_that_ends_without_a_quorum_or_before_the_epilogue_is_not_judged() {
        let mut story = restarted();
        story.view.down = vec![p(1), p(2)];
        story.stage_ends(Stage::Epilogue, false);
        story.assert_legal();
        let mut story = Story::serving();
        story.stage_ends(Stage::Epilogue, false);
        story.assert_legal();
    }
}
