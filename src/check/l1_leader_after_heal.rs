//! L1, leader after heal.

use super::{End, Ghost, Property, Sink, names};
use crate::sim::Node;
use crate::zab::{MemberSet, PeerState};

/// Remembers nothing: the ghost knows who serves.
#[derive(Clone, Debug, Default)]
pub struct LeaderAfterHeal;

impl LeaderAfterHeal {
    /// The bound is over; `no_excuse` says why a stall is not permitted. Gives back whether there is one leader.
    pub fn on_end(&self, ghost: &Ghost, end: &End, no_excuse: &str, out: &mut Sink) -> bool {
        let leads = |node: &Node| ghost.peer(*node).serving == Some(PeerState::Leading);
        let leaders: MemberSet = end.nodes().filter(leads).map(Node::index).collect();
        let epoch = leaders.iter().next().and_then(|leader| ghost.peer(Node::at(leader)).participates);
        let synced: MemberSet =
            end.nodes().filter(|&n| epoch.is_some() && ghost.peer(n).participates == epoch).map(Node::index).collect();
        let synced = synced.intersection(ghost.voters());
        let held = end.converged || leaders.len() == 1 && ghost.has_quorum(synced);
        out.check(Property::L1, held, [], || {
            let expected = format!("one leader with a synced quorum, since {no_excuse}");
            (expected, format!("leaders: {}; synced with the first: {}", names(leaders), names(synced)))
        });
        held
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, ends_badly, p};
    use crate::sim::{Event, Stage};
    use crate::zab::PeerState;

    #[test]
    fn a_healed_core_without_a_leader_is_noticed() {
        ends_badly(Property::L1, |story| story.role_ends());
    }

    #[test]
    fn two_leaders_or_one_without_its_followers_are_noticed() {
        ends_badly(Property::L1, |story| story.event(Event::Serving { node: p(1), state: Some(PeerState::Leading) }));
        ends_badly(Property::L1, |story| (1..=2).for_each(|n| story.leaves(p(n))));
    }

    #[test]
    fn a_core_that_is_still_cut_is_excused() {
        let mut story = Story::serving();
        story.enter(Stage::Converge);
        story.role_ends();
        story.view.cut = Some((p(2), p(1)));
        story.stage_ends(Stage::Converge, false);
        story.assert_legal();
    }
}
