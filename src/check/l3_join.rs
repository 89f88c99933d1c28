//! L3, join: observers too.

use super::{End, Ghost, Property, Sink};

/// Remembers nothing: the ghost knows who delivered how much.
#[derive(Clone, Debug, Default)]
pub struct Join;

impl Join {
    /// The bound is over and there is a leader.
    pub fn on_end(&self, ghost: &Ghost, end: &End, no_excuse: &str, out: &mut Sink) -> bool {
        let all = ghost.chosen.len();
        let behind = end.nodes().find(|&n| ghost.peer(n).serving.is_none() || ghost.peer(n).delivered < all);
        out.check(Property::L3, end.converged || behind.is_none(), [], || {
            let node = behind.expect("the check failed over it");
            let serves = if ghost.peer(node).serving.is_some() { "serves" } else { "serves nobody" };
            let expected = format!("all of the core serve all {all} chosen txns, since {no_excuse}");
            (expected, format!("{node} {serves}, having delivered {}", ghost.peer(node).delivered))
        });
        end.converged || behind.is_none()
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{ends_badly, p};

    #[test]
    fn an_observer_that_never_joins_is_noticed() {
        ends_badly(Property::L3, |story| story.leaves(p(4)));
    }

    #[test]
    fn a_core_that_was_in_step_without_the_run_seeing_it_is_noticed() {
        ends_badly(Property::L3, |_| {});
    }
}
