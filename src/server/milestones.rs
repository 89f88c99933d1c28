//! What the core tells of itself, as events of the log. Nothing a client sent is in them.

use tracing::{debug, info, warn};

use crate::zab::{LinkId, Milestone, Reason, Sid};

pub(super) fn log(sid: Sid, milestone: &Milestone) {
    match milestone {
        Milestone::Entered { state, phase, epoch } => {
            info!(%sid, ?state, ?phase, epoch = epoch.map(|e| e.0), "entered")
        }
        Milestone::Elected { vote, round, supporters } => {
            info!(%sid, leader = %vote.leader, zxid = %vote.zxid, round, ?supporters, "elected");
        }
        Milestone::EpochChosen { epoch, joined } => info!(%sid, %epoch, ?joined, "epoch chosen"),
        Milestone::EpochAcked { epoch, acked, last_zxid } => {
            info!(%sid, %epoch, ?acked, %last_zxid, "epoch acknowledged");
        }
        Milestone::SyncPlanned { learner, mode, learner_last, through } => {
            info!(%sid, %learner, %mode, %learner_last, %through, "synchronising a learner");
        }
        Milestone::Established { epoch, acks } => info!(%sid, %epoch, ?acks, "established"),
        Milestone::Left { reason } => info!(%sid, ?reason, "left its role"),
        Milestone::Proposed { vote, round } => debug!(%sid, leader = %vote.leader, round, "proposes"),
        Milestone::Committed { .. } | Milestone::QuorumChecked { .. } => {}
    }
}

pub(super) fn disconnected(link: LinkId, reason: Reason) {
    if reason.is_protocol_error() {
        warn!(link = link.0, ?reason, "closed a link whose other end breaks the protocol");
    } else {
        info!(link = link.0, ?reason, "closed a link");
    }
}
