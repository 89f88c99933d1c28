//! The order of votes, over every vote of a small domain.

use std::collections::BTreeMap;

use zabsim::zab::{CastVote, Ensemble, Epoch, MemberRole, PeerState, Sid, Vote, Zxid};

/// Servers 1 to 3 of which 2 weighs nothing.
fn ensemble() -> Ensemble {
    let members = (1..=3).map(|sid| (Sid(sid), MemberRole::Participant));
    let groups = [vec![Sid(1), Sid(2), Sid(3)]];
    Ensemble::hierarchical(members, &groups, &BTreeMap::from([(Sid(2), 0)])).expect("p1 and p3 have weight")
}

fn votes() -> Vec<Vote> {
    let mut votes = vec![Vote::NOBODY];
    for epoch in 0..3 {
        for zxid in [Zxid::ZERO, Zxid(1), Zxid::marker(Epoch(1)), Zxid::new(Epoch(1), 2), Zxid::new(Epoch(2), 1)] {
            votes.extend((1..=3).map(|sid| Vote { leader: Sid(sid), zxid, peer_epoch: Epoch(epoch) }));
        }
    }
    votes
}

fn is_eligible(vote: &Vote) -> bool {
    vote.leader == Sid(1) || vote.leader == Sid(3)
}

/// The preference as ZooKeeper's administrator guide tells it, one criterion after the other.
fn is_preferred(new: &Vote, current: &Vote) -> bool {
    if !is_eligible(new) {
        return false;
    }
    if new.peer_epoch != current.peer_epoch {
        return new.peer_epoch > current.peer_epoch;
    }
    if new.zxid != current.zxid {
        return new.zxid > current.zxid;
    }
    new.leader > current.leader
}

#[test]
fn a_vote_beats_another_by_epoch_then_zxid_then_sid() {
    let ensemble = ensemble();
    for a in votes() {
        for b in votes() {
            assert_eq!(a.beats(&b, &ensemble), is_preferred(&a, &b), "{a:?} against {b:?}");
        }
    }
}

#[test]
fn eligible_votes_are_in_a_strict_total_order() {
    let ensemble = ensemble();
    let votes: Vec<Vote> = votes().into_iter().filter(is_eligible).collect();
    let beats = |a: &Vote, b: &Vote| a.beats(b, &ensemble);
    for a in &votes {
        assert!(!beats(a, a), "{a:?} beats itself");
        for b in &votes {
            assert!(!(beats(a, b) && beats(b, a)), "{a:?} and {b:?} beat each other");
            assert!(a == b || beats(a, b) || beats(b, a), "{a:?} and {b:?} cannot be told apart");
            for c in &votes {
                assert!(!beats(a, b) || !beats(b, c) || beats(a, c), "{a:?}, {b:?}, {c:?} go round in a circle");
            }
        }
    }
}

/// So whoever hears the same votes ends with the same one, in whatever order they come.
#[test]
fn the_best_vote_does_not_depend_on_the_order_of_arrival() {
    let ensemble = ensemble();
    let votes: Vec<Vote> = votes().into_iter().filter(is_eligible).collect();
    let best = |votes: &mut dyn Iterator<Item = &Vote>| {
        votes.fold(Vote::NOBODY, |best, vote| if vote.beats(&best, &ensemble) { *vote } else { best })
    };
    for start in 0..votes.len() {
        let mut turned = votes[start..].iter().chain(&votes[..start]);
        assert_eq!(best(&mut turned), best(&mut votes.iter().rev()));
    }
}

#[test]
fn nobody_without_weight_is_ever_elected() {
    let ensemble = ensemble();
    for vote in votes().into_iter().filter(|vote| !is_eligible(vote)) {
        for current in votes() {
            assert!(!vote.beats(&current, &ensemble), "{vote:?} has no weight");
        }
    }
}

fn cast(leader: i64, counter: u32, epoch: u32, round: u64, state: PeerState, version: u32) -> CastVote {
    let vote = Vote { leader: Sid(leader), zxid: Zxid::new(Epoch(1), counter), peer_epoch: Epoch(epoch) };
    CastVote { vote, round, state, version }
}

#[test]
fn two_cast_votes_agree_on_as_much_as_their_states_require() {
    use PeerState::{Following, Leading, Looking};
    let mut all = Vec::new();
    for leader in [1, 2] {
        for counter in [1, 2] {
            for epoch in [1, 2] {
                for round in [1, 2] {
                    for state in [Looking, Following, Leading] {
                        all.extend([0, 1, 2].map(|version| cast(leader, counter, epoch, round, state, version)));
                    }
                }
            }
        }
    }
    for a in &all {
        for b in &all {
            let leader = a.vote.leader == b.vote.leader;
            let epoch = a.vote.peer_epoch == b.vote.peer_epoch;
            let rest = a.vote.zxid == b.vote.zxid && a.round == b.round;
            let expected = match (a.state, b.state, a.version, b.version) {
                (Looking, _, _, _) | (_, Looking, _, _) => leader && epoch && rest,
                (_, _, 0, 0) => leader && epoch,
                (_, _, 0, _) | (_, _, _, 0) => leader,
                _ => leader && epoch,
            };
            assert_eq!(a.agrees_with(b), expected, "{a:?} and {b:?}");
            assert_eq!(a.agrees_with(b), b.agrees_with(a), "agreement is mutual");
        }
    }
}
