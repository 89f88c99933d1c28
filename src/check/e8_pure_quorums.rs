//! E8, pure quorums: judged by the ensemble, not by the role a member claims.

use super::{Ghost, Property, Sink, names};
use crate::sim::Node;
use crate::zab::MemberSet;

/// Remembers nothing.
#[derive(Clone, Debug, Default)]
pub struct PureQuorums;

impl PureQuorums {
    /// A node counted `members` for `purpose`.
    #[inline]
    pub fn on_counted(&self, ghost: &Ghost, node: Node, members: MemberSet, purpose: &str, out: &mut Sink) {
        let strangers = MemberSet(members.0 & !ghost.voters().0);
        out.check(Property::E8, strangers.is_empty(), [node], || {
            (format!("only participants count for {purpose}"), format!("{node} counts {}", names(strangers)))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{fires, p};

    #[test]
    fn an_observer_in_any_quorum_is_noticed() {
        let counted = [1, 2, 3, 4];
        fires(Property::E8, |story| story.quorum_checked(p(3), &counted));
        fires(Property::E8, |story| story.committed(p(3), 1, 3, &counted));
        fires(Property::E8, |story| story.elected(p(3), p(3), 1, &counted));
        fires(Property::E8, |story| story.epoch_chosen(p(3), 2, &counted));
        fires(Property::E8, |story| story.epoch_acked(p(3), 2, &counted));
        fires(Property::E8, |story| story.established(p(3), 1, &counted));
    }
}
