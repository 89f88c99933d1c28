//! Who belongs to the ensemble, in which role, and what makes a quorum of them.

use std::collections::BTreeMap;
use std::fmt;

use super::quorum::{Group, MemberSet, Rule};

/// A server id (`myid`). Never negative for a configured server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid(pub i64);

impl Sid {
    /// Names nobody: the leader in the first vote of a server that may not lead (`Long.MIN_VALUE`).
    pub const NONE: Sid = Sid(i64::MIN);
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Sid::NONE { f.write_str("nobody") } else { write!(f, "p{}", self.0) }
    }
}

/// What a member may do (`LearnerType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MemberRole {
    /// Votes, acknowledges, may lead.
    Participant,
    /// Receives what was committed; never votes, never counts.
    Observer,
}

/// One configuration of the ensemble (`QuorumVerifier`): immutable once built.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ensemble {
    /// The version of the configuration, a zxid once reconfiguration exists; 0 for a static one.
    version: u64,
    /// Sorted by sid; the index is the member's *position*.
    members: Vec<(Sid, MemberRole)>,
    voting: MemberSet,
    rule: Rule,
}

/// Why members do not make an ensemble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnsembleError {
    /// Nobody may vote.
    NoParticipant,
    /// More than 64 members.
    TooMany(usize),
    /// A group or weight names a server that is not a member.
    UnknownMember(Sid),
    /// A participant is in no group, or in two.
    NotInOneGroup(Sid),
    /// No set of participants would be a quorum, since all weights are zero.
    NoQuorumPossible,
}

impl fmt::Display for EnsembleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EnsembleError::NoParticipant => f.write_str("an ensemble needs at least one participant"),
            EnsembleError::TooMany(n) => write!(f, "an ensemble has at most 64 members, not {n}"),
            EnsembleError::UnknownMember(sid) => write!(f, "{sid} is named in a group or weight but is no member"),
            EnsembleError::NotInOneGroup(sid) => {
                write!(f, "every participant belongs to exactly one group, {sid} does not")
            }
            EnsembleError::NoQuorumPossible => f.write_str("all weights are zero: nobody could ever be a quorum"),
        }
    }
}

impl std::error::Error for EnsembleError {}

impl Ensemble {
    /// An ensemble in which more than half of the participants are a quorum.
    pub fn majority(members: impl IntoIterator<Item = (Sid, MemberRole)>) -> Result<Ensemble, EnsembleError> {
        let members: BTreeMap<Sid, MemberRole> = members.into_iter().collect();
        let members: Vec<(Sid, MemberRole)> = members.into_iter().collect();
        if members.len() > 64 {
            return Err(EnsembleError::TooMany(members.len()));
        }
        let voting: MemberSet =
            members.iter().enumerate().filter(|(_, m)| m.1 == MemberRole::Participant).map(|(i, _)| i).collect();
        if voting.is_empty() {
            return Err(EnsembleError::NoParticipant);
        }
        Ok(Ensemble { version: 0, members, voting, rule: Rule::Majority { voting } })
    }

    /// An ensemble with weighted groups. A participant without a weight weighs 1; observers are left out of groups.
    pub fn hierarchical(
        members: impl IntoIterator<Item = (Sid, MemberRole)>,
        groups: &[Vec<Sid>],
        weights: &BTreeMap<Sid, u64>,
    ) -> Result<Ensemble, EnsembleError> {
        let mut ensemble = Ensemble::majority(members)?;
        let known = |sid: &Sid| ensemble.position(*sid).ok_or(EnsembleError::UnknownMember(*sid));
        weights.keys().try_for_each(|sid| known(sid).map(drop))?;
        let mut seen = MemberSet::EMPTY;
        let mut built = Vec::new();
        for sids in groups {
            let mut members = Vec::new();
            for sid in sids {
                let position = known(sid)?;
                if seen.contains(position) {
                    return Err(EnsembleError::NotInOneGroup(*sid));
                }
                seen.insert(position);
                if ensemble.voting.contains(position) {
                    members.push((position, weights.get(sid).copied().unwrap_or(1)));
                }
            }
            built.push(Group { members });
        }
        if let Some(missing) = ensemble.voting.iter().find(|&p| !seen.contains(p)) {
            return Err(EnsembleError::NotInOneGroup(ensemble.members[missing].0));
        }
        ensemble.rule = Rule::Groups(built);
        if !ensemble.rule.has_quorum(ensemble.voting) {
            return Err(EnsembleError::NoQuorumPossible);
        }
        Ok(ensemble)
    }

    /// The same members under another configuration version.
    pub fn with_version(self, version: u64) -> Ensemble {
        Ensemble { version, ..self }
    }

    /// The configuration version.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// All members, ascending by sid.
    pub fn members(&self) -> &[(Sid, MemberRole)] {
        &self.members
    }

    /// Where `sid` stands among the members.
    pub fn position(&self, sid: Sid) -> Option<usize> {
        self.members.iter().position(|m| m.0 == sid)
    }

    /// The positions of all who vote.
    pub fn voting(&self) -> MemberSet {
        self.voting
    }

    /// The sids of all who vote, ascending.
    pub fn participants(&self) -> impl Iterator<Item = Sid> {
        self.voting.iter().map(|position| self.members[position].0)
    }

    /// Whether `sid` votes.
    pub fn is_participant(&self, sid: Sid) -> bool {
        self.role(sid) == Some(MemberRole::Participant)
    }

    /// The role of `sid`, if it is a member.
    pub fn role(&self, sid: Sid) -> Option<MemberRole> {
        self.position(sid).map(|position| self.members[position].1)
    }

    /// What makes a quorum.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Whether `set` is a quorum.
    pub fn has_quorum(&self, set: MemberSet) -> bool {
        self.rule.has_quorum(set)
    }

    /// The weight of `sid`; 0 makes it ineligible as a leader.
    pub fn weight(&self, sid: Sid) -> u64 {
        self.position(sid).map_or(0, |position| self.rule.weight(position))
    }
}

/// Every configuration that must agree at the moment: the active one and, while a reconfiguration is under way, the
/// proposed one as well (`SyncedLearnerTracker`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Verifiers {
    /// The last committed configuration (`quorumVerifier`).
    pub current: Ensemble,
    /// The last proposed configuration, if it is newer (`lastSeenQuorumVerifier`).
    pub proposed: Option<Ensemble>,
}

/// Who acknowledged something, kept apart for each active configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Acks {
    /// By position in the active configuration.
    pub current: MemberSet,
    /// By position in the proposed configuration.
    pub proposed: MemberSet,
}

impl Verifiers {
    /// One active configuration.
    pub fn of(current: Ensemble) -> Verifiers {
        Verifiers { current, proposed: None }
    }

    /// Whether `sid` votes in some active configuration (`getCurrentAndNextConfigVoters`).
    pub fn is_voter(&self, sid: Sid) -> bool {
        self.current.is_participant(sid) || self.proposed.as_ref().is_some_and(|e| e.is_participant(sid))
    }

    /// Everybody who votes in some active configuration, ascending.
    pub fn voters(&self) -> impl Iterator<Item = Sid> {
        let more = self.proposed.iter().flat_map(|e| e.participants()).filter(|&sid| !self.current.is_participant(sid));
        self.current.participants().chain(more)
    }

    /// Records that `sid` acknowledged, in every configuration in which it votes.
    pub fn add_ack(&self, acks: &mut Acks, sid: Sid) {
        if self.current.is_participant(sid) {
            acks.current.insert(self.current.position(sid).expect("a participant has a position"));
        }
        if let Some(proposed) = self.proposed.as_ref().filter(|e| e.is_participant(sid)) {
            acks.proposed.insert(proposed.position(sid).expect("a participant has a position"));
        }
    }

    /// Whether every active configuration has its quorum.
    pub fn has_all_quorums(&self, acks: Acks) -> bool {
        self.current.has_quorum(acks.current) && self.proposed.as_ref().is_none_or(|e| e.has_quorum(acks.proposed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MemberRole::{Observer, Participant};

    fn sids(n: i64) -> Vec<(Sid, MemberRole)> {
        (1..=n).map(|sid| (Sid(sid), Participant)).collect()
    }

    #[test]
    fn groups_must_cover_every_participant_once() {
        let group = |sids: &[i64]| sids.iter().map(|&s| Sid(s)).collect::<Vec<_>>();
        let build = |groups: &[Vec<Sid>]| Ensemble::hierarchical(sids(3), groups, &BTreeMap::new());
        assert_eq!(build(&[group(&[1, 2])]), Err(EnsembleError::NotInOneGroup(Sid(3))));
        assert_eq!(build(&[group(&[1, 2]), group(&[2, 3])]), Err(EnsembleError::NotInOneGroup(Sid(2))));
        assert_eq!(build(&[group(&[1, 2, 3, 4])]), Err(EnsembleError::UnknownMember(Sid(4))));
        assert!(build(&[group(&[1]), group(&[2]), group(&[3])]).is_ok());
    }

    #[test]
    fn both_configurations_must_agree_during_a_reconfiguration() {
        let old = Ensemble::majority(sids(3)).unwrap();
        let new = Ensemble::majority([(Sid(3), Participant), (Sid(4), Participant), (Sid(5), Observer)]).unwrap();
        let both = Verifiers { current: old, proposed: Some(new.with_version(7)) };
        let mut acks = Acks::default();
        for sid in [1, 2, 5] {
            both.add_ack(&mut acks, Sid(sid));
        }
        assert!(!both.has_all_quorums(acks), "the new configuration needs p3 and p4");
        both.add_ack(&mut acks, Sid(3));
        both.add_ack(&mut acks, Sid(4));
        assert!(both.has_all_quorums(acks));
        assert_eq!(both.voters().map(|s| s.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert!(!both.is_voter(Sid(5)));
    }
}
