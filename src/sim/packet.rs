//! What of a message is seen from outside.

use super::ledger::digest_of;
use super::{Packet, PacketKind};
use crate::zab::{Message, Request};

/// The kind of a message.
pub(super) fn kind_of(message: &Message) -> PacketKind {
    match message {
        Message::FollowerInfo { .. } => PacketKind::FollowerInfo,
        Message::ObserverInfo { .. } => PacketKind::ObserverInfo,
        Message::LeaderInfo { .. } => PacketKind::LeaderInfo,
        Message::AckEpoch { .. } => PacketKind::AckEpoch,
        Message::Diff { .. } => PacketKind::Diff,
        Message::Trunc { .. } => PacketKind::Trunc,
        Message::Snap { .. } => PacketKind::Snap,
        Message::SnapChunk { .. } => PacketKind::SnapChunk,
        Message::SnapDone => PacketKind::SnapDone,
        Message::NewLeader { .. } => PacketKind::NewLeader,
        Message::UpToDate => PacketKind::UpToDate,
        Message::Request(Request::Write(_)) => PacketKind::RequestWrite,
        Message::Request(Request::Sync) => PacketKind::RequestSync,
        Message::Proposal { .. } => PacketKind::Proposal,
        Message::Ack { .. } => PacketKind::Ack,
        Message::Commit { .. } => PacketKind::Commit,
        Message::Inform { .. } => PacketKind::Inform,
        Message::Ping { .. } => PacketKind::Ping,
        Message::Sync => PacketKind::Sync,
        Message::Revalidate(_) => PacketKind::Revalidate,
    }
}

/// A message as an event shows it.
pub(super) fn packet_of(message: &Message) -> Packet {
    let epoch = match message {
        Message::FollowerInfo { accepted_epoch, .. } | Message::ObserverInfo { accepted_epoch, .. } => {
            Some(*accepted_epoch)
        }
        Message::AckEpoch { current_epoch, .. } => *current_epoch,
        _ => None,
    };
    let digest = match message {
        Message::Proposal { txn } | Message::Inform { txn } => digest_of(&txn.payload),
        _ => 0,
    };
    Packet { kind: kind_of(message), zxid: message.zxid(), epoch, digest }
}
