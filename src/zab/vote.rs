//! Votes and the order that elects (`Vote`, `FastLeaderElection.totalOrderPredicate`).

use super::{Ensemble, Epoch, Sid, Zxid};

/// The state of a server (`QuorumPeer.ServerState`); the discriminants are on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerState {
    /// Searching for a leader.
    Looking = 0,
    /// Following a leader.
    Following = 1,
    /// Leading.
    Leading = 2,
    /// Observing a leader.
    Observing = 3,
}

/// Whom a server proposes as leader, and why that one. Compared as (peer epoch, zxid, sid).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Vote {
    /// The proposed leader.
    pub leader: Sid,
    /// Its last logged zxid.
    pub zxid: Zxid,
    /// Its current epoch.
    pub peer_epoch: Epoch,
}

impl Vote {
    /// The vote of a server that may not be voted for: below every other.
    pub const NOBODY: Vote = Vote { leader: Sid::NONE, zxid: Zxid::NONE, peer_epoch: Epoch(0) };

    /// Whether `self` should replace `current`: it must be strictly greater, and its leader must have weight.
    pub fn beats(&self, current: &Vote, ensemble: &Ensemble) -> bool {
        ensemble.weight(self.leader) != 0 && self.rank() > current.rank()
    }

    fn rank(&self) -> (Epoch, Zxid, Sid) {
        (self.peer_epoch, self.zxid, self.leader)
    }
}

/// A vote as somebody else cast it, remembered while counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CastVote {
    /// Whom.
    pub vote: Vote,
    /// In which round (`electionEpoch`).
    pub round: u64,
    /// The state of the sender when it cast it.
    pub state: PeerState,
    /// The notification format of the sender; 0 where ZooKeeper does not record it.
    pub version: u32,
}

impl CastVote {
    /// Whether two votes count as the same one (`Vote.equals`). Two settled votes need not agree on zxid and round; if
    /// exactly one comes from a server too old to say its version, the leader alone decides.
    pub fn agrees_with(&self, other: &CastVote) -> bool {
        if self.state == PeerState::Looking || other.state == PeerState::Looking {
            self.vote == other.vote && self.round == other.round
        } else if (self.version > 0) == (other.version > 0) {
            self.vote.leader == other.vote.leader && self.vote.peer_epoch == other.vote.peer_epoch
        } else {
            self.vote.leader == other.vote.leader
        }
    }
}
