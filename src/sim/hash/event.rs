//! An event as words.

use super::action::{loss, mode, op, pack};
use super::{Words, epoch, tagged, tree, vote, zxid};
use crate::sim::{DiskWrite, Event, Fault, Op, Packet};
use crate::zab::{HaltReason, LeaveReason, Milestone, Notification, Reason, WriteError, Zxid};

/// Tags are part of the format of a trace: append, never renumber.
pub(super) fn fold(event: &Event, out: &mut Words) {
    use Event::*;
    match *event {
        NotificationSent { from, to, notification } => {
            fold_notification([64, from.index() as u8, to.index() as u8, 0], notification, out);
        }
        NotificationReceived { from, to, notification, replayed } => {
            fold_notification([65, from.index() as u8, to.index() as u8, replayed.into()], notification, out);
        }
        NotificationLost { from, to } => out.put([small(66, from.index(), to.index())]),
        LinkOpened { link } => out.put([small(67, 0, 0), pack(link, 0)]),
        ConnectFailed { dialer, acceptor } => out.put([small(68, dialer.index(), acceptor.index())]),
        Sent { link, from, packet } => fold_packet(69, from.index(), pack(link, 0), packet, out),
        Received { link, to, packet } => fold_packet(70, to.index(), pack(link, 0), packet, out),
        Disconnected { link, by, reason: why } => {
            out.put([small(71, by.index(), 0), pack(link, 0)]);
            out.put(reason(why));
        }
        CloseNoticed { link, at } => out.put([small(72, at.index(), 0), pack(link, 0)]),
        Written { node, id, write } => fold_write(73, node.index(), 0, id.0, write, out),
        Synced { node, id, write, lie } => fold_write(74, node.index(), lie.into(), id.0, write, out),
        WriteFailed { node, id, error } => {
            let error = match error {
                WriteError::Failed => 0,
                WriteError::Full => 1,
            };
            out.put([small(75, node.index(), error), id.0]);
        }
        Recovered { node, accepted_epoch, current_epoch, snapshot, last_zxid, digest, boot } => {
            out.put([small(76, node.index(), boot.into()), epoch(accepted_epoch), epoch(current_epoch)]);
            out.put([zxid(snapshot), zxid(last_zxid), digest]);
        }
        Proposed { node, zxid: z, digest } => out.put([small(77, node.index(), 0), zxid(z), digest]),
        Delivered { node, zxid: z, digest, state, in_order } => {
            out.put([small(78, node.index(), in_order.into()), zxid(z), digest, state]);
        }
        FastForwarded { node, zxid: z, digest, state } => {
            out.put([small(79, node.index(), 0), zxid(z), digest, state]);
        }
        Restored { node, zxid: z, state } => out.put([small(80, node.index(), 0), zxid(z), state]),
        Serving { node, state } => {
            out.put([small(81, node.index(), state.map_or(255, |state| state as usize))]);
        }
        Milestone { node, milestone } => fold_milestone(node.index(), milestone, out),
        Started { node } => out.put([small(83, node.index(), 0)]),
        Crashed { node, loss: lost, inside } => out.put([small(84, node.index(), inside.into()), loss(lost)]),
        Lost { node, write } => fold_write(85, node.index(), 0, 0, write, out),
        Halted { node, reason } => {
            let reason = match reason {
                HaltReason::Stopped => 0,
                HaltReason::WriteFailed => 1,
                HaltReason::EpochsInverted => 2,
                HaltReason::CommitMismatch => 3,
            };
            out.put([small(86, node.index(), reason)]);
        }
        Fault(fault) => fold_fault(fault, out),
        Invoked { client, server, op: what, serial } => {
            out.put([small(88, client.into(), server.index()), operation(serial, what)]);
        }
        Replied { client, server, op: what, serial, zxid: z, seen } => {
            let who = small(89, client.into(), server.index());
            out.put([who, operation(serial, what), zxid(z), seen.into()]);
        }
        Refused { client, server, serial } => {
            out.put([small(90, client.into(), server.index()), serial.into()]);
        }
        Abandoned { client, server, serial } => {
            out.put([small(91, client.into(), server.index()), serial.into()]);
        }
        StageEntered { stage } => out.put([small(92, stage as usize, 0)]),
        Tree(event) => tree::fold(event, out),
    }
}

fn small(tag: u8, a: usize, b: usize) -> u64 {
    tagged(tag, [a as u8, b as u8])
}

fn operation(serial: u32, what: Op) -> u64 {
    u64::from(serial) << 8 | u64::from(op(what))
}

fn fold_notification(head: [u8; 4], notification: Notification, out: &mut Words) {
    let Notification { state, vote: whom, round, version, config_version } = notification;
    let [tag, from, to, replayed] = head;
    out.put([tagged(tag, [from, to, replayed, state as u8]), round, version.into(), config_version]);
    out.put(vote(whom));
}

fn fold_packet(tag: u8, node: usize, link: u64, packet: Packet, out: &mut Words) {
    let Packet { kind, zxid: z, epoch: e, digest } = packet;
    out.put([small(tag, node, kind as usize), link, zxid(z), epoch(e), digest]);
}

fn fold_write(tag: u8, node: usize, flag: u8, id: u64, write: DiskWrite, out: &mut Words) {
    let (kind, what, digest) = match write {
        DiskWrite::AcceptedEpoch(epoch) => (0, u64::from(epoch.0), 0),
        DiskWrite::CurrentEpoch(epoch) => (1, u64::from(epoch.0), 0),
        DiskWrite::Append { zxid: z, digest } => (2, zxid(z), digest),
        DiskWrite::Truncate { to } => (3, zxid(to), 0),
        DiskWrite::WriteSnapshot { zxid: z } => (4, zxid(z), 0),
        DiskWrite::InstallSnapshot { zxid: z } => (5, zxid(z), 0),
    };
    out.put([tagged(tag, [node as u8, flag, kind]), id, what, digest]);
}

fn reason(reason: Reason) -> [u64; 3] {
    let (kind, a, b) = match reason {
        Reason::RoleEnded => (0, None, Zxid::ZERO),
        Reason::Unwanted => (1, None, Zxid::ZERO),
        Reason::Replaced => (20, None, Zxid::ZERO),
        Reason::ReadTimeout => (2, None, Zxid::ZERO),
        Reason::InitTimeout => (3, None, Zxid::ZERO),
        Reason::SyncLimit => (4, None, Zxid::ZERO),
        Reason::LearnerAhead => (5, None, Zxid::ZERO),
        Reason::StaleEpoch => (6, None, Zxid::ZERO),
        Reason::LaterConfig => (7, None, Zxid::ZERO),
        Reason::Throttled => (8, None, Zxid::ZERO),
        Reason::Unexpected => (9, None, Zxid::ZERO),
        Reason::ProposalGap { last, got } => (10, Some(last), got),
        Reason::CommitMismatch { head, got } => (11, head, got),
        Reason::TruncateTarget { asked, found } => (12, Some(asked), found),
        Reason::UnreadableState => (21, None, Zxid::ZERO),
    };
    [tagged(kind, [a.is_some().into()]), a.map_or(0, zxid), zxid(b)]
}

fn fold_milestone(node: usize, milestone: Milestone, out: &mut Words) {
    let head = |kind, a| tagged(82, [node as u8, kind, a]);
    match milestone {
        Milestone::Entered { state, phase, epoch: e } => {
            out.put([head(0, (state as u8) << 4 | phase as u8), epoch(e)]);
        }
        Milestone::Proposed { vote: whom, round } => {
            out.put([head(1, 0), round]);
            out.put(vote(whom));
        }
        Milestone::Elected { vote: whom, round, supporters } => {
            out.put([head(2, 0), round, supporters.0]);
            out.put(vote(whom));
        }
        Milestone::EpochChosen { epoch: e, joined } => out.put([head(3, 0), epoch(Some(e)), joined.0]),
        Milestone::EpochAcked { epoch: e, acked, last_zxid } => {
            out.put([head(4, 0), epoch(Some(e)), acked.0, zxid(last_zxid)]);
        }
        Milestone::SyncPlanned { learner, mode, learner_last, through } => {
            out.put([head(5, mode as u8), learner.0 as u64, zxid(learner_last), zxid(through)]);
        }
        Milestone::Established { epoch: e, acks } => out.put([head(6, 0), epoch(Some(e)), acks.0]),
        Milestone::Committed { zxid: z, acks } => out.put([head(7, 0), zxid(z), acks.0]),
        Milestone::QuorumChecked { synced } => out.put([head(8, 0), synced.0]),
        Milestone::Left { reason } => out.put([head(9, leave_reason(reason))]),
    }
}

fn leave_reason(reason: LeaveReason) -> u8 {
    match reason {
        LeaveReason::ConnectFailed => 0,
        LeaveReason::LinkLost => 1,
        LeaveReason::ReadTimeout => 2,
        LeaveReason::StaleEpoch => 3,
        LeaveReason::ProtocolError => 4,
        LeaveReason::DisloyalVoter => 5,
        LeaveReason::EpochTimeout => 6,
        LeaveReason::EpochAckTimeout => 7,
        LeaveReason::NewLeaderTimeout => 8,
        LeaveReason::QuorumLost => 9,
        LeaveReason::CounterExhausted => 10,
        LeaveReason::Stopping => 11,
        LeaveReason::LaterPromise => 12,
        LeaveReason::CommitMismatch => 13,
    }
}

fn fold_fault(fault: Fault, out: &mut Words) {
    let mut one = |kind, a: usize, b: usize, c: u64| {
        out.put([tagged(87, [kind, a as u8, b as u8]), c]);
    };
    match fault {
        Fault::Cut { from, to } => one(0, from.index(), to.index(), 0),
        Fault::Mended { from, to } => one(1, from.index(), to.index(), 0),
        Fault::Reset { link, lost } => one(2, 0, 0, pack(link, lost)),
        Fault::HalfOpened { link, at } => one(3, at.index(), 0, pack(link, 0)),
        Fault::Paused { node } => one(4, node.index(), 0, 0),
        Fault::Resumed { node } => one(5, node.index(), 0, 0),
        Fault::Wiped { node } => one(6, node.index(), 0, 0),
        Fault::Disk { node, mode: behaves } => one(7, node.index(), mode(behaves).into(), 0),
        Fault::ClockJumped { node, millis } => one(8, node.index(), 0, millis.into()),
        Fault::Overtaken { link, to, skip } => one(9, to.index(), 0, pack(link, skip)),
    }
}
