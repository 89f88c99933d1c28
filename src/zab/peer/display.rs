//! A peer, printed for a person.

use std::fmt;

use super::{Leaving, LeavingStage, Peer, Role};

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
        writeln!(
            f,
            "  election   round {}, vote {} ({}, {})",
            local.round, local.vote.leader, local.vote.peer_epoch, local.vote.zxid
        )?;
        if let Role::Leading(leader) = &self.role {
            for learner in leader.learners() {
                write!(f, "  learner    {} {:?}", learner.sid, learner.stage)?;
                if let Some(mode) = learner.mode {
                    write!(f, ", by {mode} from {}", learner.last_zxid)?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}
