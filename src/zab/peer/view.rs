//! What can be seen of a peer, and how it looks in print.

use std::collections::VecDeque;
use std::fmt;

use super::{Leaving, LeavingStage, Peer, Role};
use crate::zab::progress::Progress;
use crate::zab::timer::{Deadline, Timer};
use crate::zab::{Epoch, Instant, PeerState, Phase, Sid, Txn, Vote, Zxid};

impl Peer {
    /// When it wants to be woken, and why.
    pub fn next_timeout(&self) -> Option<(Instant, Timer)> {
        let deadline: Option<Deadline> = match &self.role {
            Role::Looking(election) => Some(election.deadline()),
            Role::Leading(leader) => leader.deadline(),
            Role::Following(learner) | Role::Observing(learner) => learner.deadline(),
            Role::Leaving(Leaving { stage: LeavingStage::Pausing { until }, .. }) => {
                Some((*until, Timer::ObserverDelay))
            }
            Role::Leaving(_) | Role::Halted => None,
        };
        deadline
    }

    /// Who it is.
    pub fn sid(&self) -> Sid {
        self.local.sid
    }

    /// Its state, as it answers notifications.
    pub fn state(&self) -> PeerState {
        match &self.role {
            Role::Looking(_) | Role::Halted => PeerState::Looking,
            Role::Leading(_) => PeerState::Leading,
            Role::Following(_) => PeerState::Following,
            Role::Observing(_) => PeerState::Observing,
            Role::Leaving(leaving) => leaving.state,
        }
    }

    /// How far its role has come.
    pub fn phase(&self) -> Phase {
        match &self.role {
            Role::Looking(_) | Role::Leaving(_) | Role::Halted => Phase::Election,
            Role::Leading(leader) => leader.phase(),
            Role::Following(learner) | Role::Observing(learner) => learner.phase(),
        }
    }

    /// Whether it serves clients.
    pub fn is_serving(&self) -> bool {
        self.phase() == Phase::Broadcast
    }

    /// Whom it follows; itself if it leads.
    pub fn leader(&self) -> Option<Sid> {
        match &self.role {
            Role::Leading(_) => Some(self.local.sid),
            Role::Following(learner) | Role::Observing(learner) => Some(learner.leader()),
            _ => None,
        }
    }

    /// Its promise, as far as it is durable.
    pub fn accepted_epoch(&self) -> Epoch {
        self.local.accepted_epoch
    }

    /// The epoch of its history, as far as it is durable.
    pub fn current_epoch(&self) -> Epoch {
        self.local.current_epoch
    }

    /// The last zxid of its applied state, which is what it claims in a vote: the marker of the epoch for a leader that
    /// serves and has delivered nothing yet.
    pub fn last_zxid(&self) -> Zxid {
        self.local.log.applied()
    }

    /// The last zxid it knows to be committed and has applied.
    pub fn last_committed(&self) -> Zxid {
        self.local.committed
    }

    /// The election round it is in, or was in last (`logicalclock`).
    pub fn round(&self) -> u64 {
        self.local.round
    }

    /// The vote it tells others: its proposal while it looks, else what it settled on.
    pub fn vote(&self) -> Vote {
        match &self.role {
            Role::Looking(election) => election.notification(&self.local).vote,
            _ => self.local.vote,
        }
    }

    /// What it believes about its learners; nothing unless it leads.
    pub fn learners(&self) -> &[Progress] {
        match &self.role {
            Role::Leading(leader) => leader.learners(),
            _ => &[],
        }
    }

    /// How many `sync`s wait at a leader for what was proposed before them.
    pub fn pending_syncs(&self) -> usize {
        match &self.role {
            Role::Leading(leader) => leader.pending_syncs(),
            _ => 0,
        }
    }

    /// How far its history can be cut back: a TRUNC to anything before this asks for the leader's state instead.
    pub fn base(&self) -> Zxid {
        self.local.log.base()
    }

    /// The txns in memory from which it would serve a DIFF.
    pub fn window(&self) -> &VecDeque<Txn> {
        self.local.log.window()
    }

    /// The txns that are logged and not applied.
    pub fn pending(&self) -> &VecDeque<Txn> {
        self.local.log.pending()
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = &self.local;
        write!(f, "{} {:?} {:?}", local.sid, self.state(), self.phase())?;
        if let Some(leader) = self.leader().filter(|leader| *leader != local.sid) {
            write!(f, " of {leader}")?;
        }
        match &self.role {
            Role::Leaving(Leaving { stage: LeavingStage::Draining { .. }, .. }) => {
                f.write_str(", leaving: drains its log")?
            }
            Role::Leaving(Leaving { stage: LeavingStage::Reloading, .. }) => f.write_str(", leaving: reloads")?,
            Role::Leaving(_) => f.write_str(", leaving: pauses")?,
            Role::Halted => f.write_str(", halted")?,
            _ => {}
        }
        writeln!(f)?;
        writeln!(f, "  epochs     accepted {}, current {}", local.accepted_epoch, local.current_epoch)?;
        writeln!(f, "  history    applied {}, committed {}", local.log.applied(), local.committed)?;
        let window = local.log.window();
        match (window.front(), window.back()) {
            (Some(min), Some(max)) => writeln!(f, "  window     {} to {}, {} txns", min.zxid, max.zxid, window.len())?,
            _ => writeln!(f, "  window     empty")?,
        }
        let pending: Vec<String> = local.log.pending().iter().map(|txn| txn.zxid.to_string()).collect();
        if !pending.is_empty() {
            writeln!(f, "  pending    {}", pending.join(" "))?;
        }
        let Vote { leader, zxid, peer_epoch } = self.vote();
        writeln!(f, "  election   round {}, vote {leader} ({peer_epoch}, {zxid})", local.round)?;
        for learner in self.learners() {
            write!(f, "  learner    {} {:?}", learner.sid, learner.stage)?;
            if let Some(mode) = learner.mode {
                write!(f, ", by {mode} from {}", learner.last_zxid)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
