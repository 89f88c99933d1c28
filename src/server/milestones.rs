//! What happens to a server in its ensemble, as events of its log, in an operator's words. Nothing a client sent is in them.
//!
//! A process is one server, which is named once, at its start. Zxids are as `srvr` shows them.

use std::collections::BTreeMap;
use std::fmt;

use tracing::{debug, error, info, warn};

use super::report::{phase_word, state_word};
use crate::zab::{
    Ensemble, HaltReason, LeaveReason, LinkId, MemberSet, Milestone, Peer, PeerState, Reason, Sid, Txn, Write, Zxid,
};
use crate::zk::model::{OpCode, TxnHeader};
use crate::zk::wire::header_of;

/// What it takes to tell the events of one server.
pub(super) struct Milestones {
    ensemble: Ensemble,
    /// Whose the links are, as far as that is known.
    links: BTreeMap<LinkId, Sid>,
}

impl Milestones {
    pub(super) fn new(ensemble: Ensemble) -> Milestones {
        Milestones { ensemble, links: BTreeMap::new() }
    }

    pub(super) fn tell(&mut self, peer: &Peer, milestone: &Milestone) {
        if self.ensemble.members().len() == 1 {
            // Who is alone elects, follows and leads itself.
            return debug!(?milestone);
        }
        match milestone {
            Milestone::Entered { state: PeerState::Looking, .. } => info!("looking for a leader"),
            Milestone::Entered { state, phase, epoch } => {
                let leader = peer.leader().map(|sid| sid.0);
                info!(leader, epoch = epoch.map(|it| it.0), "{} - {}", state_word(*state), phase_word(*phase));
            }
            Milestone::Elected { vote, round, supporters } => {
                let votes = self.names(*supporters);
                info!(leader = vote.leader.0, zxid = %Hex(vote.zxid), round, %votes, "elected");
            }
            Milestone::EpochChosen { epoch, joined } => {
                info!(epoch = epoch.0, of = %self.names(*joined), "a quorum promised to follow this epoch");
            }
            Milestone::EpochAcked { epoch, acked, last_zxid } => {
                info!(epoch = epoch.0, of = %self.names(*acked), last = %Hex(*last_zxid), "the histories of a quorum are known");
            }
            Milestone::SyncPlanned { learner, mode, learner_last, through } => {
                let of_learner = peer.learners().iter().filter(|it| it.sid == *learner);
                self.links.extend(of_learner.map(|it| (it.link, *learner)));
                let (last, through) = (Hex(*learner_last), Hex(*through));
                info!(server = learner.0, %mode, %last, %through, "bringing a server up to date");
            }
            Milestone::Established { epoch, acks } => {
                info!(epoch = epoch.0, of = %self.names(*acks), "a quorum is up to date");
            }
            Milestone::Left { reason: LeaveReason::Stopping } => {
                info!("leaving the ensemble: the server was asked to stop")
            }
            Milestone::Left { reason } => warn!(why = left(*reason), "out of the ensemble"),
            Milestone::Proposed { vote, round } => debug!(leader = vote.leader.0, round, "votes"),
            Milestone::Committed { .. } | Milestone::QuorumChecked { .. } => {}
        }
    }

    /// We close a link.
    pub(super) fn disconnected(&mut self, peer: &Peer, link: LinkId, reason: Reason) {
        let (server, why) = (self.forget(peer, link), closed(reason));
        if reason.is_protocol_error() {
            warn!(server, why, detail = ?reason, "closed a link whose other end breaks the protocol");
        } else if matches!(reason, Reason::RoleEnded | Reason::Unwanted) {
            debug!(server, why, "closed a link");
        } else {
            warn!(server, why, "closed a link");
        }
    }

    /// A link ended by itself, or the other end closed it.
    pub(super) fn ended(&mut self, peer: &Peer, link: LinkId, why: &str) {
        let server = self.forget(peer, link);
        match peer.state() {
            PeerState::Leading => {
                let others = peer.learners().iter().filter(|it| it.link != link && it.is_timed());
                let in_step: Vec<String> = others.map(|it| it.sid.0.to_string()).collect();
                warn!(server, why, in_step = in_step.join(","), "a follower or observer is gone");
            }
            _ => warn!(server, why, "the leader is gone"),
        }
    }

    fn forget(&mut self, peer: &Peer, link: LinkId) -> Option<i64> {
        let known = self.links.remove(&link);
        let learner = || peer.learners().iter().find(|it| it.link == link && it.sid != Sid::NONE).map(|it| it.sid);
        let leader = || peer.leader().filter(|leader| *leader != peer.sid());
        known.or_else(learner).or_else(leader).map(|sid| sid.0)
    }

    /// Something is about to be written that changes more than the end of the history.
    pub(super) fn writing(write: &Write) {
        match write {
            Write::Truncate { to } => {
                warn!(to = %Hex(*to), "cutting off the end of our history, which the leader does not have (TRUNC)");
            }
            Write::InstallSnapshot { zxid } => {
                info!(zxid = %Hex(*zxid), "a state received from the leader replaces ours (SNAP)");
            }
            Write::AcceptedEpoch(_) | Write::CurrentEpoch(_) | Write::Append(_) | Write::WriteSnapshot { .. } => {}
        }
    }

    /// A leader ends a session that nobody has heard of for its whole time-out: a client's own request would have a number.
    pub(super) fn proposed(txn: &Txn) {
        let header = header_of(txn.payload.as_bytes());
        if let Ok(TxnHeader { session, cxid: 0, kind: OpCode::CloseSession, .. }) = header {
            info!(session = %format_args!("{:#x}", session.0), "a session expired");
        }
    }

    pub(super) fn serving(serving: Option<PeerState>) {
        match serving {
            Some(_) => info!("serving clients"),
            None => info!("clients are not served any more"),
        }
    }

    pub(super) fn halted(reason: HaltReason) {
        let why = match reason {
            HaltReason::Stopped => return info!("stopped"),
            HaltReason::WriteFailed => "the disk refused a write",
            HaltReason::EpochsInverted => "acceptedEpoch is below currentEpoch",
            HaltReason::CommitMismatch => "the leader committed what it had not proposed",
        };
        error!(why, "cannot go on");
    }

    /// The servers of a set: `1,3`.
    fn names(&self, set: MemberSet) -> String {
        let sids = set.iter().filter_map(|position| self.ensemble.members().get(position));
        sids.map(|(sid, _)| sid.0.to_string()).collect::<Vec<_>>().join(",")
    }
}

/// Why a txn is not taken: to pass over it would be to go another way than the servers that know it.
pub(super) fn unknown_txn(txn: &Txn, why: &str) -> String {
    format!("{} is no txn that this release knows ({why}); a newer one of ZooKeeper may know it", Hex(txn.zxid))
}

/// A zxid as ZooKeeper writes it.
pub(super) struct Hex(pub(super) Zxid);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0.0)
    }
}

fn left(reason: LeaveReason) -> &'static str {
    match reason {
        LeaveReason::ConnectFailed => "the elected leader cannot be reached",
        LeaveReason::LinkLost => "the link to the leader ended",
        LeaveReason::ReadTimeout => "the leader was silent for longer than syncLimit",
        LeaveReason::StaleEpoch => "the leader proposed an epoch below one that was promised",
        LeaveReason::ProtocolError => "the leader broke the protocol",
        LeaveReason::EpochTimeout => "too few servers followed within initLimit",
        LeaveReason::DisloyalVoter => "a server that voted for us looks again (leader.maxTimeToWaitForEpoch)",
        LeaveReason::EpochAckTimeout => "too few servers told their history within initLimit",
        LeaveReason::NewLeaderTimeout => "too few servers were up to date within initLimit",
        LeaveReason::QuorumLost => "too few servers are left for a quorum",
        LeaveReason::CounterExhausted => "the zxids of this epoch are used up; the next leader begins another",
        LeaveReason::LaterPromise => "a server has promised itself to a later epoch",
        LeaveReason::CommitMismatch => "the leader committed what it had not proposed",
        LeaveReason::Stopping => "the server was asked to stop",
    }
}

fn closed(reason: Reason) -> &'static str {
    match reason {
        Reason::RoleEnded => "the role ended that it belonged to",
        Reason::Unwanted => "nobody waits for it any more",
        Reason::Replaced => "the same server came back on a new one",
        Reason::ReadTimeout => "silence for longer than the time-out",
        Reason::InitTimeout => "discovery or synchronisation took longer than initLimit",
        Reason::SyncLimit => "a proposal stayed without acknowledgement for longer than syncLimit",
        Reason::LearnerAhead => "the server's history is more recent than ours",
        Reason::StaleEpoch => "the leader proposed an epoch below one that was promised",
        Reason::LaterConfig => "the server has a later configuration",
        Reason::Throttled => {
            "too many observers are synchronised at once (leader.maxConcurrentSnapSyncs, leader.maxConcurrentDiffSyncs)"
        }
        Reason::Unexpected => "a packet that has no place here",
        Reason::ProposalGap { .. } => "a proposal that does not follow the last one",
        Reason::CommitMismatch { .. } => "a commit that does not match the oldest proposal",
        Reason::TruncateTarget { .. } => {
            "our disk does not reach back to where it should be cut: the leader is asked for its state"
        }
        Reason::UnreadableState => "the state that the leader sent is none; ours is untouched",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zab::MemberRole;

    #[test]
    fn a_set_is_written_by_the_ids_of_its_servers() {
        let members = [1, 5, 9].map(|sid| (Sid(sid), MemberRole::Participant));
        let milestones = Milestones::new(Ensemble::majority(members).unwrap());
        assert_eq!(milestones.names(MemberSet(0b101)), "1,9");
        assert_eq!(Hex(Zxid(0x1_0000_0003)).to_string(), "0x100000003");
    }
}
