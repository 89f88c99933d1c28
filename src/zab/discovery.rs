//! Phase 1: discovery. A leader collects a quorum of promises, chooses an epoch above them all, and makes sure that no
//! member of a quorum has a more recent history than its own.
//!
//! ```text
//! learner                              leader
//!   FOLLOWERINFO | OBSERVERINFO ──────►  joins the epoch proposal
//!   ◄────────────────────── LEADERINFO   a quorum joined; acceptedEpoch is durable
//!   acceptedEpoch is durable
//!   ACKEPOCH ─────────────────────────►  compares histories
//!                                        a quorum compared: currentEpoch becomes durable, phase 2 begins
//! ```
//!
//! Only the active configuration counts here, even while another one is proposed (`Leader.getEpochToPropose`,
//! `Leader.waitForEpochAck`).

use super::ensemble::Ensemble;
use super::{Conduct, Epoch, MemberSet, Sid, Zxid, mutant};

/// The choice of an epoch (`getEpochToPropose`): above the promise of everybody who joined before it was decided.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct EpochProposal {
    conduct: Conduct,
    epoch: Epoch,
    joined: MemberSet,
    decided: bool,
}

impl EpochProposal {
    /// Nobody has joined.
    pub fn new(conduct: Conduct) -> EpochProposal {
        EpochProposal { conduct, ..EpochProposal::default() }
    }

    /// A server tells its promise. Every promise raises the epoch, only participants make the quorum. Returns whether
    /// this join decided it.
    pub fn join(&mut self, ensemble: &Ensemble, leader: Sid, sid: Sid, accepted_epoch: Epoch) -> bool {
        if self.decided {
            return false;
        }
        let kept = mutant!(self, Zk1343) && accepted_epoch == self.epoch && self.epoch > Epoch(0);
        if accepted_epoch >= self.epoch && !kept {
            self.epoch = accepted_epoch.next();
        }
        if ensemble.is_participant(sid) || mutant!(self, Zk2959) {
            self.joined.extend(ensemble.position(sid));
        }
        self.decided = has_quorum_with(ensemble, self.joined, leader);
        self.decided
    }

    /// The epoch, once it is decided.
    pub fn decided(&self) -> Option<Epoch> {
        self.decided.then_some(self.epoch)
    }

    /// Whose promises were counted.
    pub fn joined(&self) -> MemberSet {
        self.joined
    }
}

/// How recent a history is (`StateSummary`): by epoch, then by zxid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateSummary {
    /// The epoch of the last leader whose history was adopted.
    pub current_epoch: Epoch,
    /// The last logged zxid.
    pub last_zxid: Zxid,
}

/// The comparison of histories (`waitForEpochAck`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct EpochAcks {
    conduct: Conduct,
    leader: StateSummary,
    acked: MemberSet,
    finished: bool,
}

/// What comes of comparing one learner's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// It is no more recent than the leader's.
    Fine,
    /// With this one a quorum was compared.
    Decided,
    /// It is more recent: this learner must not follow.
    Ahead,
}

impl EpochAcks {
    /// The leader's own history to compare with.
    pub fn new(leader: StateSummary, conduct: Conduct) -> EpochAcks {
        EpochAcks { conduct, leader, ..EpochAcks::default() }
    }

    /// A learner tells its history. One whose promise is an old one (`current_epoch` is `None`) and one without data are
    /// synchronised later but do not count. Late joiners are not compared: an established history only grows.
    pub fn ack(
        &mut self,
        ensemble: &Ensemble,
        leader: Sid,
        sid: Sid,
        current_epoch: Option<Epoch>,
        last_zxid: Zxid,
    ) -> Compared {
        let Some(current_epoch) = current_epoch.filter(|_| !self.finished) else { return Compared::Fine };
        if (StateSummary { current_epoch, last_zxid }) > self.leader {
            return Compared::Ahead;
        }
        if last_zxid != Zxid::MISSING && (ensemble.is_participant(sid) || mutant!(self, Zk2959)) {
            self.acked.extend(ensemble.position(sid));
        }
        self.finished = has_quorum_with(ensemble, self.acked, leader);
        if self.finished { Compared::Decided } else { Compared::Fine }
    }

    /// Whether a quorum was compared.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whose histories were counted.
    pub fn acked(&self) -> MemberSet {
        self.acked
    }
}

/// Whether `set` is a quorum that contains the leader itself.
fn has_quorum_with(ensemble: &Ensemble, set: MemberSet, leader: Sid) -> bool {
    ensemble.position(leader).is_some_and(|position| set.contains(position)) && ensemble.has_quorum(set)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zab::MemberRole::{Observer, Participant};

    fn ensemble() -> Ensemble {
        let roles = [(1, Participant), (2, Participant), (3, Participant), (4, Observer)];
        Ensemble::majority(roles.map(|(sid, role)| (Sid(sid), role))).unwrap()
    }

    #[test]
    fn an_epoch_is_above_every_promise_and_needs_a_quorum_of_participants() {
        let (ensemble, mut proposal) = (ensemble(), EpochProposal::default());
        assert!(!proposal.join(&ensemble, Sid(3), Sid(4), Epoch(9)), "an observer is heard but does not count");
        assert!(!proposal.join(&ensemble, Sid(3), Sid(1), Epoch(4)));
        assert!(!proposal.join(&ensemble, Sid(3), Sid(2), Epoch(4)), "a quorum without the leader decides nothing");
        assert!(proposal.join(&ensemble, Sid(3), Sid(3), Epoch(4)));
        assert_eq!(proposal.decided(), Some(Epoch(10)));
        assert!(!proposal.join(&ensemble, Sid(3), Sid(1), Epoch(20)), "late promises change nothing");
        assert_eq!(proposal.decided(), Some(Epoch(10)));
    }

    #[test]
    fn a_learner_with_a_more_recent_history_is_refused() {
        let z = |e, c| Zxid::new(Epoch(e), c);
        let ensemble = ensemble();
        let mut acks = EpochAcks::new(StateSummary { current_epoch: Epoch(2), last_zxid: z(2, 5) }, Conduct::default());
        let mut ack = |sid, epoch: Option<u32>, zxid| acks.ack(&ensemble, Sid(3), Sid(sid), epoch.map(Epoch), zxid);
        assert_eq!(ack(1, Some(2), z(2, 6)), Compared::Ahead);
        assert_eq!(ack(1, Some(3), z(1, 1)), Compared::Ahead);
        assert_eq!(ack(3, Some(2), z(2, 5)), Compared::Fine);
        assert_eq!(ack(1, None, z(2, 6)), Compared::Fine, "an old promise is neither compared nor counted");
        assert_eq!(ack(2, Some(0), Zxid::MISSING), Compared::Fine, "a server without data does not count");
        assert_eq!(ack(4, Some(1), z(1, 1)), Compared::Fine, "an observer does not count");
        assert_eq!(ack(1, Some(1), z(1, 9)), Compared::Decided);
        assert_eq!(ack(2, Some(3), z(3, 1)), Compared::Fine, "late joiners are not compared");
    }
}
