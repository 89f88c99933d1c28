//! Phase 3: broadcast. The leader's pipeline of proposals and the rule by which they are committed (`Leader.propose`,
//! `Leader.processAck`, `Leader.tryToCommit`).
//!
//! ```text
//! learner          leader                      followers             observers
//!   REQUEST ─────►   prepares, logs
//!                    PROPOSAL z ────────────►    log, sync
//!                    ◄───────────────── ACK z
//!                    a quorum has z durable, its own ack counting like any other
//!                    COMMIT z ──────────────►    deliver
//!                    INFORM z ──────────────────────────────────►      log, deliver
//! ```

use std::collections::VecDeque;

use super::ensemble::Acks;
use super::{Sid, Verifiers, Zxid};

/// The proposals of a leader that are not committed: one set of acknowledgements each, in zxid order. The txns themselves
/// are the pending part of the leader's [`Log`](super::log::Log), at the same indices.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pipeline {
    /// The zxid before the oldest proposal: the last one committed, or the epoch's marker.
    committed: Zxid,
    acks: VecDeque<Acks>,
}

impl Pipeline {
    /// Empty, right after the marker of an epoch.
    pub fn new(marker: Zxid) -> Pipeline {
        Pipeline { committed: marker, acks: VecDeque::new() }
    }

    /// The last zxid proposed (`lastProposed`).
    pub fn last_proposed(&self) -> Zxid {
        Zxid(self.committed.0 + self.acks.len() as i64)
    }

    /// The zxid that the next proposal gets.
    pub fn next(&self) -> Zxid {
        self.last_proposed().next()
    }

    /// The last zxid committed (`lastCommitted`).
    pub fn last_committed(&self) -> Zxid {
        self.committed
    }

    /// A proposal was made.
    pub fn push(&mut self) {
        self.acks.push_back(Acks::default());
    }

    /// `sid` has `zxid` durable. An acknowledgement of what is committed already, or of the marker, says nothing new.
    pub fn ack(&mut self, verifiers: &Verifiers, sid: Sid, zxid: Zxid) {
        if zxid > self.committed && zxid <= self.last_proposed() {
            let index = (zxid.0 - self.committed.0 - 1) as usize;
            verifiers.add_ack(&mut self.acks[index], sid);
        }
    }

    /// `sid` has everything up to `zxid` durable.
    pub fn ack_through(&mut self, verifiers: &Verifiers, sid: Sid, zxid: Zxid) {
        let known = usize::try_from(zxid.0.saturating_sub(self.committed.0)).unwrap_or(0);
        self.acks.iter_mut().take(known).for_each(|acks| verifiers.add_ack(acks, sid));
    }

    /// What `sid` acknowledged before is no longer certain: it may be told to cut its log back, and gets every proposal
    /// again.
    pub fn forget(&mut self, verifiers: &Verifiers, sid: Sid) {
        let mut gone = Acks::default();
        verifiers.add_ack(&mut gone, sid);
        for acks in &mut self.acks {
            acks.current.0 &= !gone.current.0;
            acks.proposed.0 &= !gone.proposed.0;
        }
    }

    /// Commits the oldest proposal if every active configuration has a quorum for it.
    pub fn commit(&mut self, verifiers: &Verifiers) -> Option<(Zxid, Acks)> {
        let acks = self.acks.pop_front_if(|acks| verifiers.has_all_quorums(*acks))?;
        self.committed = self.committed.next();
        Some((self.committed, acks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zab::{Ensemble, Epoch, MemberRole};

    #[test]
    fn proposals_commit_in_order_once_a_quorum_has_them() {
        let roles = (1..=3).map(|sid| (Sid(sid), MemberRole::Participant));
        let verifiers = Verifiers::of(Ensemble::majority(roles.chain([(Sid(4), MemberRole::Observer)])).unwrap());
        let z = |c| Zxid::new(Epoch(2), c);
        let mut pipeline = Pipeline::new(z(0));
        pipeline.push();
        pipeline.push();
        assert_eq!(pipeline.last_proposed(), z(2));
        pipeline.ack(&verifiers, Sid(1), z(2));
        pipeline.ack(&verifiers, Sid(2), z(2));
        assert_eq!(pipeline.commit(&verifiers), None, "z2 has its quorum but z1 does not");
        pipeline.ack(&verifiers, Sid(1), z(1));
        pipeline.ack(&verifiers, Sid(4), z(1));
        assert_eq!(pipeline.commit(&verifiers), None, "an observer does not count");
        pipeline.ack(&verifiers, Sid(3), z(1));
        assert_eq!(pipeline.commit(&verifiers).map(|c| c.0), Some(z(1)));
        assert_eq!(pipeline.commit(&verifiers).map(|c| c.0), Some(z(2)), "what waited follows at once");
        pipeline.ack(&verifiers, Sid(3), z(1));
        pipeline.ack(&verifiers, Sid(3), z(7));
        pipeline.push();
        pipeline.push();
        pipeline.ack(&verifiers, Sid(1), z(4));
        pipeline.ack_through(&verifiers, Sid(2), Zxid(i64::MIN));
        pipeline.ack_through(&verifiers, Sid(2), z(3));
        assert_eq!(pipeline.commit(&verifiers), None);
        pipeline.ack_through(&verifiers, Sid(3), z(9));
        assert_eq!(pipeline.commit(&verifiers).map(|c| c.0), Some(z(3)), "of what was not proposed nothing is known");
        assert_eq!(pipeline.commit(&verifiers).map(|c| c.0), Some(z(4)));
        assert_eq!((pipeline.last_committed(), pipeline.next()), (z(4), z(5)));
    }
}
