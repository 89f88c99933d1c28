//! C8, no aborts: a process ends itself only when it was asked to or when its disk failed, and no role ends because the other
//! side is said to have broken the protocol, as every peer here keeps it.

use super::{Property, Sink};
use crate::sim::Node;
use crate::zab::{HaltReason, LeaveReason};

/// Remembers nothing.
#[derive(Clone, Debug, Default)]
pub struct NoAborts;

impl NoAborts {
    /// A process ended itself.
    pub fn on_halted(&self, node: Node, reason: HaltReason, out: &mut Sink) {
        let held = matches!(reason, HaltReason::Stopped | HaltReason::WriteFailed);
        out.check(Property::C8, held, [node], || {
            ("a process ends only when asked to or when its disk fails".into(), format!("{node} halts: {reason:?}"))
        });
    }

    /// A role ended.
    pub fn on_left(&self, node: Node, reason: LeaveReason, out: &mut Sink) {
        out.check(Property::C8, reason != LeaveReason::ProtocolError, [node], || {
            ("legal input ends no role".into(), format!("{node} leaves its role over a protocol error"))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires_in, p};
    use crate::sim::Event;
    use crate::zab::{HaltReason, LeaveReason, Milestone};

    #[test]
    fn a_process_that_gives_up_is_noticed() {
        let mut story = Story::serving();
        story.event(Event::Halted { node: p(1), reason: HaltReason::Stopped });
        fires_in(story, Property::C8, |story| {
            story.event(Event::Halted { node: p(2), reason: HaltReason::EpochsInverted });
        });
    }

    #[test]
    fn a_role_that_ends_over_a_protocol_error_is_noticed() {
        let mut story = Story::serving();
        story.role_ends();
        fires_in(story, Property::C8, |story| {
            let milestone = Milestone::Left { reason: LeaveReason::ProtocolError };
            story.event(Event::Milestone { node: p(1), milestone });
        });
    }
}
