//! L5, restartability: no crash point leaves a disk that a peer refuses to start from.

use super::{End, Property, Sink, View};
use crate::sim::Node;
use crate::zab::HaltReason;

/// Remembers nothing.
#[derive(Clone, Debug, Default)]
pub struct Restartability;

impl Restartability {
    /// A node read its disk at boot.
    pub fn on_boot(&self, out: &mut Sink) {
        out.check(Property::L5, true, [], || unreachable!("it held"));
    }

    /// A process ended itself.
    pub fn on_halted(&self, node: Node, reason: HaltReason, out: &mut Sink) {
        out.check(Property::L5, reason != HaltReason::EpochsInverted, [node], || {
            ("a start from whatever a crash left on the disk".into(), format!("{node} refuses to start: {reason:?}"))
        });
    }

    /// The bound is over.
    pub fn on_end(&self, view: &impl View, end: &End, out: &mut Sink) {
        let down = end.nodes().find(|&node| !view.is_live(node));
        out.check(Property::L5, end.converged || down.is_none(), [], || {
            let node = down.expect("the check failed over it");
            ("every node of the healed core runs".into(), format!("{node} does not"))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, ends_badly, fires_after, p};
    use crate::sim::Event;
    use crate::zab::HaltReason;

    #[test]
    fn a_refused_start_is_noticed() {
        // A process that ends itself is a matter of C8 too, whatever the reason.
        fires_after(&[Property::C8], Story::serving(), Property::L5, |story| {
            story.event(Event::Halted { node: p(1), reason: HaltReason::EpochsInverted });
        });
    }

    #[test]
    fn a_node_that_stays_down_is_noticed() {
        ends_badly(Property::L5, |story| story.view.down.push(p(2)));
    }
}
