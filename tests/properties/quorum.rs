//! What a quorum is, for every subset of up to six members.

use zabsim::zab::MemberSet;
use zabsim::zab::quorum::{Group, Outcome, Rule};

fn subsets(members: usize) -> impl Iterator<Item = MemberSet> + Clone {
    (0..1u64 << members).map(MemberSet)
}

fn everybody(members: usize) -> MemberSet {
    (0..members).collect()
}

/// Counts heads, one after the other.
fn is_majority(voting: MemberSet, set: MemberSet) -> bool {
    let (mut with, mut without) = (0, 0);
    for member in 0..64 {
        if voting.contains(member) {
            if set.contains(member) { with += 1 } else { without += 1 }
        }
    }
    with > without
}

/// Weighs group by group: a group is won by more weight inside the set than outside, the vote by more groups won than not.
fn is_won_by_groups(groups: &[Vec<(usize, u64)>], set: MemberSet) -> bool {
    let (mut won, mut not_won) = (0, 0);
    for group in groups {
        let (mut with, mut without) = (0, 0);
        for &(member, weight) in group {
            if set.contains(member) { with += weight } else { without += weight }
        }
        if with + without > 0 {
            if with > without { won += 1 } else { not_won += 1 }
        }
    }
    won > not_won
}

fn assert_quorums_meet(rule: &Rule, members: usize) {
    let quorums: Vec<MemberSet> = subsets(members).filter(|set| rule.has_quorum(*set)).collect();
    for a in &quorums {
        for b in &quorums {
            assert!(!a.intersection(*b).is_empty(), "{rule:?}: {a:?} and {b:?} have nobody in common");
        }
    }
}

/// Tries every way in which the undecided could decide.
fn outcome(rule: &Rule, members: usize, yes: MemberSet, no: MemberSet) -> Outcome {
    let mut ends = subsets(members)
        .filter(|end| end.intersection(yes) == yes && end.intersection(no).is_empty())
        .map(|end| rule.has_quorum(end));
    let first = ends.next().expect("at least nobody else decides");
    match (first, ends.all(|end| end == first)) {
        (true, true) => Outcome::Won,
        (false, true) => Outcome::Lost,
        _ => Outcome::Pending,
    }
}

fn assert_outcomes(rule: &Rule, members: usize) {
    for yes in subsets(members) {
        for no in subsets(members).filter(|no| no.intersection(yes).is_empty()) {
            assert_eq!(rule.outcome(yes, no), outcome(rule, members, yes, no), "{rule:?} yes {yes:?} no {no:?}");
        }
    }
}

/// Every way to give `members` weights 0..=3, as digits.
fn weights(members: usize) -> impl Iterator<Item = Vec<u64>> {
    (0..4u64.pow(members as u32)).map(move |code| (0..members).map(|m| code / 4u64.pow(m as u32) % 4).collect())
}

/// Every way to put `members` into at most three groups, as digits.
fn partitions(members: usize) -> impl Iterator<Item = Vec<usize>> {
    (0..3usize.pow(members as u32)).map(move |code| (0..members).map(|m| code / 3usize.pow(m as u32) % 3).collect())
}

fn groups_of(partition: &[usize], weights: &[u64]) -> Vec<Vec<(usize, u64)>> {
    (0..3)
        .map(|group| {
            let members = partition.iter().enumerate().filter(|(_, g)| **g == group);
            members.map(|(member, _)| (member, weights[member])).collect::<Vec<_>>()
        })
        .filter(|group| !group.is_empty())
        .collect()
}

fn rule_of(groups: &[Vec<(usize, u64)>]) -> Rule {
    Rule::Groups(groups.iter().map(|members| Group { members: members.clone() }).collect())
}

#[test]
fn a_majority_is_more_than_half_of_the_voting_members() {
    for members in 1..=6 {
        for voting in subsets(members).filter(|voting| !voting.is_empty()) {
            let rule = Rule::Majority { voting };
            for set in subsets(members) {
                // Who asks only counts those who vote.
                let set = set.intersection(voting);
                assert_eq!(rule.has_quorum(set), is_majority(voting, set), "{set:?} of {voting:?}");
            }
        }
        assert_quorums_meet(&Rule::Majority { voting: everybody(members) }, members);
    }
}

#[test]
fn the_outcome_of_a_majority_vote_is_what_the_undecided_can_still_make_of_it() {
    for members in 1..=6 {
        assert_outcomes(&Rule::Majority { voting: everybody(members) }, members);
    }
}

#[test]
fn weighted_groups_need_most_of_the_weight_in_most_of_the_groups() {
    for members in 1..=4 {
        for partition in partitions(members) {
            for weights in weights(members) {
                let groups = groups_of(&partition, &weights);
                let rule = rule_of(&groups);
                for set in subsets(members) {
                    let expected = is_won_by_groups(&groups, set);
                    assert_eq!(rule.has_quorum(set), expected, "{set:?} of {groups:?}");
                }
                assert_quorums_meet(&rule, members);
            }
        }
    }
}

#[test]
fn groups_of_six_need_most_of_the_groups() {
    for partition in partitions(6) {
        for weights in [[1, 1, 1, 1, 1, 1], [0, 1, 2, 3, 1, 1], [3, 0, 0, 1, 2, 2], [0, 0, 1, 0, 3, 1]] {
            let groups = groups_of(&partition, &weights);
            let rule = rule_of(&groups);
            for set in subsets(6) {
                assert_eq!(rule.has_quorum(set), is_won_by_groups(&groups, set), "{set:?} of {groups:?}");
            }
            assert_quorums_meet(&rule, 6);
        }
    }
}

#[test]
fn the_outcome_of_a_weighted_vote_is_what_the_undecided_can_still_make_of_it() {
    for partition in partitions(4) {
        for weights in weights(4).step_by(7) {
            assert_outcomes(&rule_of(&groups_of(&partition, &weights)), 4);
        }
    }
}

#[test]
fn more_members_never_make_less_of_a_quorum() {
    let groups = [vec![(0, 1), (1, 2)], vec![(2, 3), (3, 0)], vec![(4, 1), (5, 1)]];
    for rule in [Rule::Majority { voting: everybody(6) }, rule_of(&groups)] {
        for set in subsets(6).filter(|set| rule.has_quorum(*set)) {
            for more in subsets(6) {
                assert!(rule.has_quorum(MemberSet(set.0 | more.0)), "{rule:?}: {set:?} with {more:?}");
            }
        }
    }
}
