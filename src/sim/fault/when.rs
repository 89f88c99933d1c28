//! Protocol situations a fault can wait for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sim::{DiskWrite, Event, Node, PacketKind, World};
use crate::zab::{Milestone, PeerState};

/// A situation: something just happened to a server, the *trigger*, with a *peer* on the other side if it was a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// A process began.
    Started,
    /// A process ended.
    Crashed,
    /// A server searches for a leader.
    Looking,
    /// An election ended for a server.
    Elected,
    /// An election ended for the one that won it.
    LeaderElected,
    /// A connection stands; the trigger is the learner.
    LinkOpened,
    /// A learner sent FOLLOWERINFO or OBSERVERINFO.
    LearnerSentInfo,
    /// A leader chose its epoch.
    EpochChosen,
    /// A leader sent LEADERINFO.
    LeaderSentLeaderinfo,
    /// A learner sent ACKEPOCH.
    LearnerSentAckepoch,
    /// A quorum acknowledged the epoch; the leader leaves discovery.
    EpochAcked,
    /// A leader sent DIFF.
    DiffSent,
    /// A leader sent TRUNC.
    TruncSent,
    /// A leader sent SNAP.
    SnapSent,
    /// A learner received a piece of a snapshot.
    SnapChunkReceived,
    /// A leader sent NEWLEADER.
    LeaderSentNewleader,
    /// A learner received NEWLEADER.
    NewleaderReceived,
    /// A learner acknowledged NEWLEADER.
    NewleaderAcked,
    /// A quorum acknowledged NEWLEADER; the leader is established.
    Established,
    /// A leader sent UPTODATE.
    UptodateSent,
    /// A learner received UPTODATE.
    UptodateReceived,
    /// A leader prepared a txn.
    LeaderProposed,
    /// A leader sent PROPOSAL.
    LeaderSentProposal,
    /// A leader wrote a txn to its log, not synced.
    LeaderLogged,
    /// A follower wrote a txn to its log, not synced, not acknowledged.
    FollowerLogged,
    /// A txn in a follower's log is durable.
    FollowerSynced,
    /// A follower sent ACK for a txn.
    FollowerAcked,
    /// A leader committed a txn.
    Committed,
    /// A leader sent COMMIT.
    LeaderSentCommit,
    /// A server delivered a txn.
    Delivered,
    /// acceptedEpoch was written, not synced.
    AcceptedEpochWritten,
    /// currentEpoch was written, not synced.
    CurrentEpochWritten,
    /// Either epoch was written, not synced.
    EpochFileWritten,
    /// A log was cut, not synced.
    Truncated,
    /// A snapshot was written, not synced.
    SnapshotWritten,
    /// A received snapshot is durable.
    SnapshotInstalled,
    /// A server began to serve clients.
    Serving,
    /// A leader began to serve clients.
    LeaderServing,
    /// A role ended.
    RoleLeft,
}

impl When {
    /// All of them.
    pub const ALL: [When; 39] = [
        When::Started,
        When::Crashed,
        When::Looking,
        When::Elected,
        When::LeaderElected,
        When::LinkOpened,
        When::LearnerSentInfo,
        When::EpochChosen,
        When::LeaderSentLeaderinfo,
        When::LearnerSentAckepoch,
        When::EpochAcked,
        When::DiffSent,
        When::TruncSent,
        When::SnapSent,
        When::SnapChunkReceived,
        When::LeaderSentNewleader,
        When::NewleaderReceived,
        When::NewleaderAcked,
        When::Established,
        When::UptodateSent,
        When::UptodateReceived,
        When::LeaderProposed,
        When::LeaderSentProposal,
        When::LeaderLogged,
        When::FollowerLogged,
        When::FollowerSynced,
        When::FollowerAcked,
        When::Committed,
        When::LeaderSentCommit,
        When::Delivered,
        When::AcceptedEpochWritten,
        When::CurrentEpochWritten,
        When::EpochFileWritten,
        When::Truncated,
        When::SnapshotWritten,
        When::SnapshotInstalled,
        When::Serving,
        When::LeaderServing,
        When::RoleLeft,
    ];

    /// To whom it happened in `event`, and who was on the other side; `None` if something else happened.
    pub fn matches(self, event: &Event, world: &World) -> Option<(Node, Option<Node>)> {
        match *event {
            Event::Sent { link, from, packet } => {
                let hit = match self {
                    When::LearnerSentInfo => {
                        matches!(packet.kind, PacketKind::FollowerInfo | PacketKind::ObserverInfo)
                    }
                    When::LeaderSentLeaderinfo => packet.kind == PacketKind::LeaderInfo,
                    When::LearnerSentAckepoch => packet.kind == PacketKind::AckEpoch,
                    When::DiffSent => packet.kind == PacketKind::Diff,
                    When::TruncSent => packet.kind == PacketKind::Trunc,
                    When::SnapSent => packet.kind == PacketKind::Snap,
                    When::LeaderSentNewleader => packet.kind == PacketKind::NewLeader,
                    When::NewleaderAcked => packet.kind == PacketKind::Ack && packet.zxid.is_marker(),
                    When::UptodateSent => packet.kind == PacketKind::UpToDate,
                    When::LeaderSentProposal => packet.kind == PacketKind::Proposal,
                    When::FollowerAcked => packet.kind == PacketKind::Ack && !packet.zxid.is_marker(),
                    When::LeaderSentCommit => packet.kind == PacketKind::Commit,
                    _ => false,
                };
                hit.then(|| (from, Some(link.other(from))))
            }
            Event::Received { link, to, packet } => {
                let hit = match self {
                    When::SnapChunkReceived => packet.kind == PacketKind::SnapChunk,
                    When::NewleaderReceived => packet.kind == PacketKind::NewLeader,
                    When::UptodateReceived => packet.kind == PacketKind::UpToDate,
                    _ => false,
                };
                hit.then(|| (to, Some(link.other(to))))
            }
            Event::LinkOpened { link } if self == When::LinkOpened => Some((link.dialer, Some(link.acceptor))),
            Event::Written { node, write, .. } => {
                let hit = match (self, write) {
                    (When::LeaderLogged, DiskWrite::Append { .. }) => state(world, node) == Some(PeerState::Leading),
                    (When::FollowerLogged, DiskWrite::Append { .. }) => {
                        state(world, node) == Some(PeerState::Following)
                    }
                    (When::AcceptedEpochWritten | When::EpochFileWritten, DiskWrite::AcceptedEpoch(_)) => true,
                    (When::CurrentEpochWritten | When::EpochFileWritten, DiskWrite::CurrentEpoch(_)) => true,
                    (When::Truncated, DiskWrite::Truncate { .. }) => true,
                    (When::SnapshotWritten, DiskWrite::WriteSnapshot { .. }) => true,
                    _ => false,
                };
                hit.then_some((node, None))
            }
            Event::Synced { node, write, .. } => {
                let hit = match (self, write) {
                    (When::FollowerSynced, DiskWrite::Append { .. }) => {
                        state(world, node) == Some(PeerState::Following)
                    }
                    (When::SnapshotInstalled, DiskWrite::InstallSnapshot { .. }) => true,
                    _ => false,
                };
                hit.then_some((node, None))
            }
            Event::Milestone { node, milestone } => self.happens_in(node, milestone).then_some((node, None)),
            Event::Proposed { node, .. } if self == When::LeaderProposed => Some((node, None)),
            Event::Delivered { node, .. } if self == When::Delivered => Some((node, None)),
            Event::Serving { node, state: Some(state) } => {
                let leads = state == PeerState::Leading;
                (self == When::Serving || self == When::LeaderServing && leads).then_some((node, None))
            }
            Event::Started { node } if self == When::Started => Some((node, None)),
            Event::Crashed { node, .. } | Event::Halted { node, .. } if self == When::Crashed => Some((node, None)),
            _ => None,
        }
    }

    fn happens_in(self, node: Node, milestone: Milestone) -> bool {
        match milestone {
            Milestone::Entered { state: PeerState::Looking, .. } => self == When::Looking,
            Milestone::Elected { vote, .. } => {
                self == When::Elected || self == When::LeaderElected && vote.leader == node.sid()
            }
            Milestone::EpochChosen { .. } => self == When::EpochChosen,
            Milestone::EpochAcked { .. } => self == When::EpochAcked,
            Milestone::Established { .. } => self == When::Established,
            Milestone::Committed { .. } => self == When::Committed,
            Milestone::Left { .. } => self == When::RoleLeft,
            _ => false,
        }
    }
}

fn state(world: &World, node: Node) -> Option<PeerState> {
    world.node(node).peer().map(|peer| peer.state())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_situation_is_forgotten() {
        assert!(When::ALL.iter().enumerate().all(|(index, &when)| when as usize == index));
        assert_eq!(When::ALL.len(), When::RoleLeft as usize + 1);
    }
}
