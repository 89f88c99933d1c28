//! The names of things, as ZooKeeper writes them.

use crate::sim::{Node, PacketKind};
use crate::zab::{Epoch, HaltReason, LeaveReason, MemberSet, PeerState, Phase, Reason, Sid};

/// The election plane's message, for filters.
pub(super) const NOTIFICATION: &str = "NOTIFICATION";

const PACKETS: [(PacketKind, &str); 20] = [
    (PacketKind::FollowerInfo, "FOLLOWERINFO"),
    (PacketKind::ObserverInfo, "OBSERVERINFO"),
    (PacketKind::LeaderInfo, "LEADERINFO"),
    (PacketKind::AckEpoch, "ACKEPOCH"),
    (PacketKind::Diff, "DIFF"),
    (PacketKind::Trunc, "TRUNC"),
    (PacketKind::Snap, "SNAP"),
    (PacketKind::SnapChunk, "SNAPCHUNK"),
    (PacketKind::SnapDone, "SNAPDONE"),
    (PacketKind::NewLeader, "NEWLEADER"),
    (PacketKind::UpToDate, "UPTODATE"),
    (PacketKind::RequestWrite, "REQUEST"),
    (PacketKind::RequestSync, "REQUEST"),
    (PacketKind::Proposal, "PROPOSAL"),
    (PacketKind::Ack, "ACK"),
    (PacketKind::Commit, "COMMIT"),
    (PacketKind::Inform, "INFORM"),
    (PacketKind::Ping, "PING"),
    (PacketKind::Sync, "SYNC"),
    (PacketKind::Revalidate, "REVALIDATE"),
];

/// The name of a packet.
pub fn packet_name(kind: PacketKind) -> &'static str {
    PACKETS[kind as usize].1
}

/// Every name that a message filter takes, in the order in which a leader's reign goes.
pub fn message_names() -> impl Iterator<Item = &'static str> {
    let again = PacketKind::RequestSync;
    std::iter::once(NOTIFICATION).chain(PACKETS.iter().filter(move |(kind, _)| *kind != again).map(|&(_, name)| name))
}

/// `LOOKING`, `FOLLOWING`, `LEADING`, `OBSERVING`.
pub fn state_name(state: PeerState) -> &'static str {
    match state {
        PeerState::Looking => "LOOKING",
        PeerState::Following => "FOLLOWING",
        PeerState::Leading => "LEADING",
        PeerState::Observing => "OBSERVING",
    }
}

/// `election`, `discovery`, `synchronization`, `broadcast`.
pub fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Election => "election",
        Phase::Discovery => "discovery",
        Phase::Synchronization => "synchronization",
        Phase::Broadcast => "broadcast",
    }
}

pub(super) fn who(sid: Sid) -> String {
    if (1..=64).contains(&sid.0) { Node::of(sid).to_string() } else { "nobody".into() }
}

pub(super) fn members(set: MemberSet) -> String {
    let names: Vec<String> = set.iter().map(|position| Node::at(position).to_string()).collect();
    if names.is_empty() { "nobody".into() } else { names.join(" ") }
}

pub(super) fn epoch(epoch: Option<Epoch>) -> String {
    epoch.map_or("-".into(), |epoch| epoch.to_string())
}

pub(super) fn disconnect_reason(reason: Reason) -> String {
    match reason {
        Reason::RoleEnded => "its role ended".into(),
        Reason::Unwanted => "nobody waits for it".into(),
        Reason::Replaced => "the same learner came back on a new link".into(),
        Reason::ReadTimeout => "silence beyond the read time-out".into(),
        Reason::InitTimeout => "initLimit has passed".into(),
        Reason::SyncLimit => "a proposal stayed unacknowledged beyond syncLimit".into(),
        Reason::LearnerAhead => "the learner's history is more recent".into(),
        Reason::StaleEpoch => "the proposed epoch is below the promise".into(),
        Reason::LaterConfig => "the learner has a later configuration".into(),
        Reason::Throttled => "too many observers are being synchronised".into(),
        Reason::Unexpected => "an unexpected packet".into(),
        Reason::ProposalGap { last, got } => format!("PROPOSAL {got} does not follow {last}"),
        Reason::CommitMismatch { head: Some(head), got } => format!("COMMIT {got} while {head} is the oldest pending"),
        Reason::CommitMismatch { head: None, got } => format!("COMMIT {got} while nothing is pending"),
        Reason::TruncateTarget { asked, found } => format!("no {asked} to cut at, the log ends with {found}"),
        Reason::UnreadableState => "the state that was sent is none".into(),
    }
}

pub(super) fn leave_reason(reason: LeaveReason) -> &'static str {
    match reason {
        LeaveReason::ConnectFailed => "the leader could not be reached",
        LeaveReason::LinkLost => "the link to the leader ended",
        LeaveReason::ReadTimeout => "the leader was silent too long",
        LeaveReason::StaleEpoch => "the leader's epoch is below the promise",
        LeaveReason::ProtocolError => "the leader broke the protocol",
        LeaveReason::EpochTimeout => "too few told their epoch within initLimit",
        LeaveReason::DisloyalVoter => "a voter is looking again",
        LeaveReason::EpochAckTimeout => "too few acknowledged the epoch within initLimit",
        LeaveReason::NewLeaderTimeout => "too few acknowledged NEWLEADER within initLimit",
        LeaveReason::QuorumLost => "too few synced followers are left",
        LeaveReason::CounterExhausted => "the counter of the epoch is used up",
        LeaveReason::LaterPromise => "a learner promised itself to a later epoch",
        LeaveReason::CommitMismatch => "a COMMIT was not for the oldest proposal",
        LeaveReason::Stopping => "it is stopping",
    }
}

pub(super) fn halt_reason(reason: HaltReason) -> &'static str {
    match reason {
        HaltReason::Stopped => "as asked",
        HaltReason::WriteFailed => "a write failed",
        HaltReason::CommitMismatch => "a COMMIT was not for the oldest pending proposal",
        HaltReason::EpochsInverted => "its epochs and its history contradict each other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_packets_is_in_the_order_of_the_enum() {
        assert!(PACKETS.iter().enumerate().all(|(i, (kind, _))| *kind as usize == i));
        assert_eq!(packet_name(PacketKind::Sync), "SYNC");
        assert_eq!(message_names().filter(|&name| name == "REQUEST").count(), 1);
    }
}
