//! E7, sound election. The supporters an election names must be a quorum of participants, and the elected peer must have heard
//! each of them say so. Votes that agree in everything elect by themselves, if their round is the peer's own: the one of its
//! last proposal. Otherwise the winner had settled before: then it must itself have said that it leads (ZOOKEEPER-975), and
//! nobody becomes leader that way but one that is told so in its own round. Votes of settled peers may be of any round.
//!
//! A replayed notification may overwrite a newer one at its receiver; that is the network's fault, so a supporter counts if any
//! of the last few different things heard from it supports the outcome. What settled peers say is remembered apart from the rest:
//! an election that lasts may count what it was told long ago.

use super::{Ghost, Property, Sink, names};
use crate::sim::Node;
use crate::zab::{MemberSet, Notification, PeerState, Vote};

/// So many different notifications are remembered per sender and receiver, in each of four memories: of looking senders, of looking
/// ones the last of a round for a leader, of settled ones, and of settled ones the last that named a leader. An election that waits lest a better
/// vote comes can outlast what the first and third hold; it passes over what it hears of later rounds, which must not take the place
/// of its own round's in the second.
const HEARD: usize = 6;

/// What each node heard from each other, the newest first, and the round of its own last proposal.
#[derive(Clone, Debug)]
pub struct SoundElection {
    nodes: usize,
    rounds: Vec<Option<u64>>,
    heard: Vec<[[Option<Notification>; HEARD]; 4]>,
}

impl SoundElection {
    /// Of so many nodes.
    pub fn new(nodes: usize) -> SoundElection {
        SoundElection { nodes, rounds: vec![None; nodes], heard: vec![[[None; HEARD]; 4]; nodes * nodes] }
    }

    /// A process began: it remembers nothing it heard or said.
    pub fn on_process(&mut self, node: Node) {
        self.rounds[node.index()] = None;
        self.heard[node.index() * self.nodes..][..self.nodes].fill([[None; HEARD]; 4]);
    }

    /// A node proposed somebody.
    pub fn on_proposed(&mut self, node: Node, round: u64) {
        self.rounds[node.index()] = Some(round);
    }

    /// A notification was received.
    pub fn on_heard(&mut self, from: Node, to: Node, notification: Notification) {
        let own = self.rounds[to.index()];
        let heard = &mut self.heard[to.index() * self.nodes + from.index()];
        if notification.state == PeerState::Looking {
            remember(&mut heard[0], notification, |before| before == notification, |_| false);
            let names = |n: Notification| (n.round, n.vote.leader);
            let matters = |n: Notification| own == Some(n.round);
            remember(&mut heard[1], notification, |before| names(before) == names(notification), matters);
        } else {
            remember(&mut heard[2], notification, |before| before == notification, |_| false);
            let names = |n: Notification| (n.state, n.vote.leader);
            remember(&mut heard[3], notification, |before| names(before) == names(notification), |_| false);
        }
    }

    /// An election ended for a node.
    pub fn on_elected(&self, ghost: &Ghost, node: Node, vote: Vote, round: u64, supporters: MemberSet, out: &mut Sink) {
        out.check(Property::E7, ghost.has_quorum(supporters), [node], || {
            (format!("a quorum of participants votes for {}", vote.leader), format!("only {} do", names(supporters)))
        });
        let own = self.rounds[node.index()];
        let heard = |from: usize| self.heard[node.index() * self.nodes + from].iter().flatten().flatten();
        let agrees = |n: &Notification| own == Some(round) && n.vote == vote && n.round == round;
        let exact: MemberSet = supporters.iter().filter(|&i| heard(i).any(agrees)).collect();
        if ghost.has_quorum(exact) {
            return;
        }
        let settled = |n: &Notification| n.state != PeerState::Looking && n.vote.leader == vote.leader;
        let unheard = supporters.iter().find(|&i| !heard(i).any(|n| settled(n) || agrees(n)));
        out.check(Property::E7, unheard.is_none(), [node], || {
            let who = unheard.map(Node::at).expect("the check failed over it");
            (format!("{who} told {node} its vote for {} in round {round}", vote.leader), "it did not".into())
        });
        if vote.leader == node.sid() {
            out.check(Property::E7, own == Some(round), [node], || {
                let seen = own.map_or(format!("{node} proposed nobody"), |own| format!("{node} looks in round {own}"));
                (
                    format!("votes of its own round make {node} leader"),
                    format!("{seen}, the votes are of round {round}"),
                )
            });
            return;
        }
        let confirmed = ghost
            .ensemble
            .position(vote.leader)
            .is_some_and(|leader| heard(leader).any(|n| n.state == PeerState::Leading && n.vote.leader == vote.leader));
        out.check(Property::E7, confirmed, [node], || {
            (format!("{} itself told {node} that it leads", vote.leader), "only others said so".into())
        });
    }
}

/// Puts it first, in the place of the one that is the `same`, or of the oldest that does not matter, or of the oldest.
fn remember(
    heard: &mut [Option<Notification>; HEARD],
    new: Notification,
    same: impl Fn(Notification) -> bool,
    matters: impl Fn(Notification) -> bool,
) {
    let same = heard.iter().position(|before| before.is_some_and(&same));
    let place = same.or_else(|| heard.iter().rposition(|before| !before.is_some_and(&matters))).unwrap_or(HEARD - 1);
    heard[..=place].rotate_right(1);
    heard[0] = Some(new);
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, fires_in, p};
    use crate::zab::PeerState;

    #[test]
    fn a_vote_nobody_cast_is_noticed() {
        fires(Property::E7, |story| {
            story.role_ends();
            story.elected(p(1), p(1), 7, &[1, 2]);
        });
    }

    #[test]
    fn a_leader_that_never_said_so_is_noticed() {
        fires(Property::E7, |story| {
            story.ends(p(1));
            story.starts(p(1));
            story.hears(p(2), p(1), PeerState::Following, p(3), 1);
            story.hears(p(3), p(1), PeerState::Following, p(3), 1);
            story.elected(p(1), p(3), 2, &[2, 3]);
        });
    }

    #[test]
    fn settled_votes_of_another_round_make_nobody_leader() {
        for (own, legal) in [(1, true), (2, false)] {
            let mut story = Story::serving();
            story.ends(p(3));
            story.starts(p(3));
            story.proposes(p(3), p(3), 1, 2, own);
            story.hears(p(1), p(3), PeerState::Following, p(3), 1);
            story.hears(p(2), p(3), PeerState::Following, p(3), 1);
            let elected = |story: &mut Story| story.elected(p(3), p(3), 1, &[1, 2]);
            if legal {
                elected(&mut story);
                story.assert_legal();
            } else {
                fires_in(story, Property::E7, elected);
            }
        }
    }

    #[test]
    fn less_than_a_quorum_is_noticed() {
        fires(Property::E7, |story| {
            story.leaves(p(1));
            story.proposes(p(1), p(3), 1, 2, 2);
            story.hears(p(3), p(1), PeerState::Leading, p(3), 1);
            story.elected(p(1), p(3), 1, &[3]);
        });
    }

    /// p1 restarts, looks in round 2 and hears of p3 as its leader from p3 itself and, in this state, from p2.
    fn hears_of_p3(state: PeerState, from_p2: usize, round: u64) -> Story {
        let mut story = Story::serving();
        story.ends(p(1));
        story.starts(p(1));
        story.proposes(p(1), p(1), 1, 2, 2);
        story.hears(p(3), p(1), PeerState::Leading, p(3), 1);
        story.hears(p(2), p(1), state, p(from_p2), round);
        story
    }

    #[test]
    fn only_what_a_settled_peer_or_a_vote_of_the_round_says_counts() {
        let elected = |story: &mut Story| story.elected(p(1), p(3), 1, &[2, 3]);
        let mut legal = hears_of_p3(PeerState::Following, 3, 7);
        elected(&mut legal);
        legal.assert_legal();
        // Somebody who looks, in a round that is not p1's; and one who follows another leader.
        fires_in(hears_of_p3(PeerState::Looking, 3, 1), Property::E7, elected);
        fires_in(hears_of_p3(PeerState::Following, 2, 1), Property::E7, elected);
    }

    #[test]
    fn a_vote_for_somebody_else_or_of_another_round_makes_no_quorum() {
        for (leader, round) in [(2, 2), (3, 3)] {
            let mut story = Story::serving();
            story.leaves(p(3));
            story.proposes(p(3), p(3), 1, 2, 2);
            story.hears(p(3), p(3), PeerState::Looking, p(3), 2);
            fires_in(story, Property::E7, |story| {
                story.hears(p(1), p(3), PeerState::Looking, p(leader), round);
                story.elected(p(3), p(3), 2, &[1, 3]);
            });
        }
    }

    #[test]
    fn later_rounds_do_not_drive_out_what_was_heard_in_the_own_one() {
        let mut story = Story::serving();
        story.leaves(p(1));
        story.proposes(p(1), p(3), 1, 2, 2);
        story.hears(p(1), p(1), PeerState::Looking, p(3), 2);
        story.hears(p(2), p(1), PeerState::Looking, p(3), 2);
        for round in 3..12 {
            story.hears(p(2), p(1), PeerState::Looking, p(2), round);
        }
        story.elected(p(1), p(3), 2, &[1, 2]);
        story.assert_legal();
    }

    #[test]
    fn what_was_heard_before_a_restart_does_not_count() {
        fires_in(hears_of_p3(PeerState::Following, 3, 1), Property::E7, |story| {
            story.ends(p(1));
            story.starts(p(1));
            story.elected(p(1), p(3), 1, &[2, 3]);
        });
    }
}
