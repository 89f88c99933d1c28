//! Every message between peers, named as in ZooKeeper (`Leader`, `FastLeaderElection.Notification`).

use std::fmt;

use super::vote::{PeerState, Vote};
use super::{Epoch, Payload, Sid, Txn, Zxid};

/// A quorum link as its host numbers it; never used twice by one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// The format of the notifications that this crate sends (`Notification.CURRENTVERSION`).
pub const NOTIFICATION_VERSION: u32 = 2;

/// A datagram of the election plane: lossy, duplicated, the latest one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Notification {
    /// The state of the sender.
    pub state: PeerState,
    /// Whom it proposes, or whom it settled on.
    pub vote: Vote,
    /// Its election round (`electionEpoch`, `logicalclock`).
    pub round: u64,
    /// The notification format of the sender.
    pub version: u32,
    /// The version of the sender's configuration.
    pub config_version: u64,
}

/// A packet of the quorum plane: FIFO on its link.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// Follower to leader: who I am and what I promised (CEPOCH in the paper).
    FollowerInfo {
        /// The follower.
        sid: Sid,
        /// Its promise, f.p.
        accepted_epoch: Epoch,
        /// The version of its configuration.
        config_version: u64,
    },
    /// Observer to leader: the same, from one that does not count.
    ObserverInfo {
        /// The observer.
        sid: Sid,
        /// Its promise.
        accepted_epoch: Epoch,
        /// The version of its configuration.
        config_version: u64,
    },
    /// Leader to learner: the epoch I propose (NEWEPOCH in the paper).
    LeaderInfo {
        /// e'.
        epoch: Epoch,
    },
    /// Learner to leader: promised; this is my history (ACK-E in the paper).
    AckEpoch {
        /// Its last logged zxid.
        last_zxid: Zxid,
        /// The epoch of that history, f.a; `None` (−1 on the wire) when the promise is an old one and must not count.
        current_epoch: Option<Epoch>,
    },
    /// Leader to learner: your history is a prefix of mine; PROPOSAL and COMMIT of the rest follow.
    Diff {
        /// The last txn the leader knows committed; informative.
        zxid: Zxid,
    },
    /// Leader to learner: cut your log after this txn.
    Trunc {
        /// The last txn to keep.
        zxid: Zxid,
    },
    /// Leader to learner: forget your history, a snapshot follows in chunks.
    Snap {
        /// The last txn that the snapshot contains.
        zxid: Zxid,
    },
    /// A piece of the snapshot.
    SnapChunk {
        /// The service's bytes.
        chunk: Payload,
    },
    /// The end of the snapshot (`BenWasHere`).
    SnapDone,
    /// Leader to learner: that was everything up to my epoch.
    NewLeader {
        /// The new epoch.
        epoch: Epoch,
    },
    /// Leader to learner: a quorum has my history, serve.
    UpToDate,
    /// Learner to leader: a client of mine wants this.
    Request(Request),
    /// Leader to follower: log this.
    Proposal {
        /// The txn.
        txn: Txn,
    },
    /// Follower to leader: logged and durable. Also acknowledges NEWLEADER, with the epoch's marker.
    Ack {
        /// What is acknowledged.
        zxid: Zxid,
    },
    /// Leader to follower: a quorum has it, deliver.
    Commit {
        /// The txn.
        zxid: Zxid,
    },
    /// Leader to observer: log and deliver.
    Inform {
        /// The txn.
        txn: Txn,
    },
    /// A sign of life, leader to learner and back.
    Ping {
        /// The last txn the leader proposed; echoed.
        zxid: Zxid,
        /// On the way back: the sessions that the learner heard of since the last one, as the service writes them.
        sessions: Payload,
    },
    /// Between the services of a learner and its leader, beside the history: whether a session is alive, and the answer.
    Revalidate(Payload),
    /// Leader to learner: every commit before your oldest `sync` has been sent.
    Sync,
}

/// What a learner forwards to the leader.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// A write, as the service understands it.
    Write(Payload),
    /// The `sync` operation.
    Sync,
}

impl Message {
    /// The name ZooKeeper gives the packet.
    pub fn name(&self) -> &'static str {
        match self {
            Message::FollowerInfo { .. } => "FOLLOWERINFO",
            Message::ObserverInfo { .. } => "OBSERVERINFO",
            Message::LeaderInfo { .. } => "LEADERINFO",
            Message::AckEpoch { .. } => "ACKEPOCH",
            Message::Diff { .. } => "DIFF",
            Message::Trunc { .. } => "TRUNC",
            Message::Snap { .. } => "SNAP",
            Message::SnapChunk { .. } => "SNAPCHUNK",
            Message::SnapDone => "SNAPDONE",
            Message::NewLeader { .. } => "NEWLEADER",
            Message::UpToDate => "UPTODATE",
            Message::Request(_) => "REQUEST",
            Message::Proposal { .. } => "PROPOSAL",
            Message::Ack { .. } => "ACK",
            Message::Commit { .. } => "COMMIT",
            Message::Inform { .. } => "INFORM",
            Message::Ping { .. } => "PING",
            Message::Revalidate(_) => "REVALIDATE",
            Message::Sync => "SYNC",
        }
    }

    /// The zxid of the packet as it stands on the wire; [`Zxid::MISSING`] where there is none.
    pub fn zxid(&self) -> Zxid {
        match self {
            Message::FollowerInfo { accepted_epoch: epoch, .. }
            | Message::ObserverInfo { accepted_epoch: epoch, .. }
            | Message::LeaderInfo { epoch }
            | Message::NewLeader { epoch } => Zxid::marker(*epoch),
            Message::AckEpoch { last_zxid: zxid, .. }
            | Message::Diff { zxid }
            | Message::Trunc { zxid }
            | Message::Snap { zxid }
            | Message::Ack { zxid }
            | Message::Commit { zxid }
            | Message::Ping { zxid, .. } => *zxid,
            Message::Proposal { txn } | Message::Inform { txn } => txn.zxid,
            Message::SnapChunk { .. }
            | Message::SnapDone
            | Message::UpToDate
            | Message::Request(_)
            | Message::Revalidate(_) => Zxid::MISSING,
            Message::Sync => Zxid::ZERO,
        }
    }
}

/// `PROPOSAL 2:1`, `NEWLEADER e3`: how a message stands in a golden conversation and in a diagram.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            Message::FollowerInfo { accepted_epoch, .. } | Message::ObserverInfo { accepted_epoch, .. } => {
                write!(f, "{name} accepted={accepted_epoch}")
            }
            Message::LeaderInfo { epoch } | Message::NewLeader { epoch } => write!(f, "{name} {epoch}"),
            Message::AckEpoch { last_zxid, current_epoch: Some(epoch) } => write!(f, "{name} {epoch} last={last_zxid}"),
            Message::AckEpoch { last_zxid, current_epoch: None } => write!(f, "{name} - last={last_zxid}"),
            Message::SnapChunk { .. }
            | Message::SnapDone
            | Message::UpToDate
            | Message::Sync
            | Message::Revalidate(_) => f.write_str(name),
            Message::Request(Request::Write(_)) => write!(f, "{name} write"),
            Message::Request(Request::Sync) => write!(f, "{name} sync"),
            _ => write!(f, "{name} {}", self.zxid()),
        }
    }
}
