//! What the leader believes about one learner (`LearnerHandler`): a small machine of its own.
//!
//! | stage | the leader | ends when |
//! |---|---|---|
//! | `Connected` | reads | FOLLOWERINFO or OBSERVERINFO |
//! | `Joined` | waits for the epoch | it is chosen: LEADERINFO |
//! | `Invited` | reads | ACKEPOCH |
//! | `Compared` | waits for a quorum of histories | it is complete: synchronisation is planned |
//! | `Fetching` | waits for the host to read log or state | it has |
//! | `Forwarding` | sends what is proposed and committed meanwhile | NEWLEADER is due ([`Habit::NewleaderTrails`](super::Habit)) |
//! | `Syncing` | reads, holds COMMITs back | ACK of NEWLEADER |
//! | `Acked` | waits for a quorum of those | the leader is established: UPTODATE |
//! | `Active` | reads | the end |

use super::storage::ReadId;
use super::{Duration, Instant, LinkId, Sid, SyncMode, Zxid};

/// One learner of this leader.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Progress {
    /// The link; it identifies the learner before it has said its sid.
    pub link: LinkId,
    /// Who it is, [`Sid::NONE`] before it has said.
    pub sid: Sid,
    /// Whether it came as an observer (OBSERVERINFO).
    pub is_observer: bool,
    /// How far it is.
    pub stage: ProgressStage,
    /// Its last zxid, as ACKEPOCH told.
    pub last_zxid: Zxid,
    /// How much longer than initLimit it may take until it has acknowledged NEWLEADER: a large state travels for long.
    pub transfer: Duration,
    /// How it is being synchronised.
    pub mode: Option<SyncMode>,
    /// Whether new proposals, commits and informs are sent to it.
    pub is_forwarding: bool,
    /// The last proposal whose ACK overtook that of NEWLEADER.
    pub early_ack: Option<Zxid>,
    /// COMMITs that wait for its UPTODATE, in their order.
    pub held: Vec<Zxid>,
    /// When the link is given up: silence while reading (T6), too long a wait otherwise (T7 to T9). While forwarding: when
    /// NEWLEADER leaves.
    pub give_up: Instant,
    /// The tick up to which it counts as in step (T11).
    pub tick_deadline: u32,
    /// Proposals that it should acknowledge soon (T12).
    pub sync_limit: SyncLimit,
}

/// How far a learner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the table at the top of the file tells each stage")]
pub enum ProgressStage {
    Connected,
    Joined,
    Invited,
    Compared,
    Fetching { read: ReadId },
    Forwarding,
    Syncing,
    Acked,
    Active,
}

impl Progress {
    /// A learner that has just connected.
    pub fn new(link: LinkId, give_up: Instant, tick_deadline: u32) -> Progress {
        Progress {
            link,
            sid: Sid::NONE,
            is_observer: false,
            stage: ProgressStage::Connected,
            last_zxid: Zxid::MISSING,
            transfer: Duration::ZERO,
            mode: None,
            is_forwarding: false,
            early_ack: None,
            held: Vec::new(),
            give_up,
            tick_deadline,
            sync_limit: SyncLimit::default(),
        }
    }

    /// Whether NEWLEADER was sent, so that pings are.
    pub fn is_sending(&self) -> bool {
        matches!(self.stage, ProgressStage::Syncing | ProgressStage::Acked | ProgressStage::Active)
    }

    /// Whether COMMITs wait for its UPTODATE. Before that no follower does more than to remember them, and followers up to 3.9.2
    /// are lost over one for a proposal that came before NEWLEADER (ZOOKEEPER-4394). INFORMs bring their txns with them.
    pub fn holds_commits(&self) -> bool {
        !self.is_observer && matches!(self.stage, ProgressStage::Syncing | ProgressStage::Acked)
    }

    /// Whether NEWLEADER was acknowledged: only proposals sent from then on are timed (`SyncLimitCheck.start`). What it
    /// got while it was being synchronised it acknowledges when that is over, however long it takes.
    pub fn is_timed(&self) -> bool {
        matches!(self.stage, ProgressStage::Acked | ProgressStage::Active)
    }

    /// Whether a snapshot or diff is on its way.
    pub fn is_in_sync_transfer(&self, snap: bool) -> bool {
        matches!(self.stage, ProgressStage::Syncing | ProgressStage::Fetching { .. } | ProgressStage::Forwarding)
            && self.mode.is_some_and(|mode| (mode == SyncMode::Snap) == snap)
    }
}

/// At most two proposals whose acknowledgement is timed (`LearnerHandler.SyncLimitCheck`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SyncLimit {
    current: Option<(Zxid, Instant)>,
    next: Option<(Zxid, Instant)>,
}

impl SyncLimit {
    /// A proposal was sent.
    pub fn on_proposal(&mut self, zxid: Zxid, now: Instant) {
        if self.current.is_none() {
            self.current = Some((zxid, now));
        } else {
            self.next = Some((zxid, now));
        }
    }

    /// A proposal was acknowledged.
    pub fn on_ack(&mut self, zxid: Zxid) {
        if self.current.is_some_and(|(z, _)| z == zxid) {
            self.current = self.next.take();
        } else if self.next.is_some_and(|(z, _)| z == zxid) {
            self.next = None;
        }
    }

    /// Whether the learner keeps up.
    pub fn holds(&self, now: Instant, limit: Duration) -> bool {
        self.current.is_none_or(|(_, since)| now.since(since) < limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zab::Epoch;

    #[test]
    fn the_oldest_timed_proposal_decides() {
        let z = |c| Zxid::new(Epoch(1), c);
        let limit = Duration(100);
        let mut check = SyncLimit::default();
        check.on_proposal(z(1), Instant(0));
        check.on_proposal(z(2), Instant(10));
        check.on_proposal(z(3), Instant(20));
        assert!(check.holds(Instant(99), limit) && !check.holds(Instant(100), limit));
        check.on_ack(z(1));
        assert!(check.holds(Instant(119), limit), "the most recent of the others is timed next");
        assert!(!check.holds(Instant(120), limit));
        check.on_ack(z(2));
        assert!(!check.holds(Instant(120), limit), "an untimed acknowledgement changes nothing");
        check.on_ack(z(3));
        assert!(check.holds(Instant(1000), limit));
    }
}
