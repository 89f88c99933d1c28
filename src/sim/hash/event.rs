//! An event as words.

use super::Words;
use super::action::{loss, mode, op, pack};
use crate::sim::{DiskWrite, Event, Fault, Packet};
use crate::zab::{HaltReason, LeaveReason, Milestone, Notification, PeerState, Reason, WriteError, Zxid};

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
        NotificationLost { from, to } => out.tagged(66, small(from.index(), to.index())),
        LinkOpened { link } => {
            out.tagged(67, small(0, 0));
            out.put(pack(link, 0));
        }
        ConnectFailed { dialer, acceptor } => out.tagged(68, small(dialer.index(), acceptor.index())),
        Sent { link, from, packet } => fold_packet(69, from.index(), pack(link, 0), packet, out),
        Received { link, to, packet } => fold_packet(70, to.index(), pack(link, 0), packet, out),
        Disconnected { link, by, reason } => {
            out.tagged(71, small(by.index(), 0));
            out.put(pack(link, 0));
            fold_reason(reason, out);
        }
        CloseNoticed { link, at } => {
            out.tagged(72, small(at.index(), 0));
            out.put(pack(link, 0));
        }
        Written { node, id, write } => fold_write(73, node.index(), 0, id.0, write, out),
        Synced { node, id, write, lie } => fold_write(74, node.index(), lie.into(), id.0, write, out),
        WriteFailed { node, id, error } => {
            let error = match error {
                WriteError::Failed => 0,
                WriteError::Full => 1,
            };
            out.tagged(75, small(node.index(), error));
            out.put(id.0);
        }
        Recovered { node, accepted_epoch, current_epoch, snapshot, last_zxid, digest, boot } => {
            out.tagged(76, small(node.index(), boot.into()));
            out.epoch(accepted_epoch);
            out.epoch(current_epoch);
            out.zxid(snapshot);
            out.zxid(last_zxid);
            out.put(digest);
        }
        Proposed { node, zxid, digest } => {
            out.tagged(77, small(node.index(), 0));
            out.zxid(zxid);
            out.put(digest);
        }
        Delivered { node, zxid, digest, state, in_order } => {
            out.tagged(78, small(node.index(), in_order.into()));
            out.zxid(zxid);
            out.put(digest);
            out.put(state);
        }
        FastForwarded { node, zxid, digest, state } => {
            out.tagged(79, small(node.index(), 0));
            out.zxid(zxid);
            out.put(digest);
            out.put(state);
        }
        Restored { node, zxid, state } => {
            out.tagged(80, small(node.index(), 0));
            out.zxid(zxid);
            out.put(state);
        }
        Serving { node, state } => out.tagged(81, small(node.index(), state.map_or(255, peer_state).into())),
        Milestone { node, milestone } => fold_milestone(node.index(), milestone, out),
        Started { node } => out.tagged(83, small(node.index(), 0)),
        Crashed { node, loss: lost, inside } => {
            out.tagged(84, small(node.index(), inside.into()));
            out.put(loss(lost));
        }
        Lost { node, write } => fold_write(85, node.index(), 0, 0, write, out),
        Halted { node, reason } => {
            let reason = match reason {
                HaltReason::Stopped => 0,
                HaltReason::WriteFailed => 1,
                HaltReason::EpochsInverted => 2,
            };
            out.tagged(86, small(node.index(), reason));
        }
        Fault(fault) => fold_fault(fault, out),
        Invoked { client, server, op: what, serial } => {
            out.tagged(88, small(client.into(), server.index()));
            out.put(u64::from(serial) << 8 | u64::from(op(what)));
        }
        Replied { client, server, op: what, serial, zxid, seen } => {
            out.tagged(89, small(client.into(), server.index()));
            out.put(u64::from(serial) << 8 | u64::from(op(what)));
            out.zxid(zxid);
            out.put(seen.into());
        }
        Refused { client, server, serial } => {
            out.tagged(90, small(client.into(), server.index()));
            out.put(serial.into());
        }
        Abandoned { client, server, serial } => {
            out.tagged(91, small(client.into(), server.index()));
            out.put(serial.into());
        }
        StageEntered { stage } => out.tagged(92, small(stage as usize, 0)),
    }
}

fn small(a: usize, b: usize) -> [u8; 7] {
    [a as u8, b as u8, 0, 0, 0, 0, 0]
}

fn peer_state(state: PeerState) -> u8 {
    state as u8
}

fn fold_notification(head: [u8; 4], notification: Notification, out: &mut Words) {
    let Notification { state, vote, round, version, config_version } = notification;
    let [tag, from, to, replayed] = head;
    out.tagged(tag, [from, to, replayed, peer_state(state), 0, 0, 0]);
    out.vote(vote);
    out.put(round);
    out.put(version.into());
    out.put(config_version);
}

fn fold_packet(tag: u8, node: usize, link: u64, packet: Packet, out: &mut Words) {
    let Packet { kind, zxid, epoch, digest } = packet;
    out.tagged(tag, small(node, kind as usize));
    out.put(link);
    out.zxid(zxid);
    out.epoch(epoch);
    out.put(digest);
}

fn fold_write(tag: u8, node: usize, flag: u8, id: u64, write: DiskWrite, out: &mut Words) {
    let (kind, what, digest) = match write {
        DiskWrite::AcceptedEpoch(epoch) => (0, u64::from(epoch.0), 0),
        DiskWrite::CurrentEpoch(epoch) => (1, u64::from(epoch.0), 0),
        DiskWrite::Append { zxid, digest } => (2, zxid.0 as u64, digest),
        DiskWrite::Truncate { to } => (3, to.0 as u64, 0),
        DiskWrite::WriteSnapshot { zxid } => (4, zxid.0 as u64, 0),
        DiskWrite::InstallSnapshot { zxid } => (5, zxid.0 as u64, 0),
    };
    out.tagged(tag, [node as u8, flag, kind, 0, 0, 0, 0]);
    out.put(id);
    out.put(what);
    out.put(digest);
}

fn fold_reason(reason: Reason, out: &mut Words) {
    let (kind, a, b) = match reason {
        Reason::RoleEnded => (0, None, Zxid::ZERO),
        Reason::Unwanted => (1, None, Zxid::ZERO),
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
    };
    out.tagged(kind, [a.is_some().into(), 0, 0, 0, 0, 0, 0]);
    out.zxid(a.unwrap_or(Zxid::ZERO));
    out.zxid(b);
}

fn fold_milestone(node: usize, milestone: Milestone, out: &mut Words) {
    let mut head = |kind, a| out.tagged(82, [node as u8, kind, a, 0, 0, 0, 0]);
    match milestone {
        Milestone::Entered { state, phase, epoch } => {
            head(0, peer_state(state) << 4 | phase as u8);
            out.epoch(epoch);
        }
        Milestone::Proposed { vote, round } => {
            head(1, 0);
            out.vote(vote);
            out.put(round);
        }
        Milestone::Elected { vote, round, supporters } => {
            head(2, 0);
            out.vote(vote);
            out.put(round);
            out.put(supporters.0);
        }
        Milestone::EpochChosen { epoch, joined } => {
            head(3, 0);
            out.epoch(Some(epoch));
            out.put(joined.0);
        }
        Milestone::EpochAcked { epoch, acked, last_zxid } => {
            head(4, 0);
            out.epoch(Some(epoch));
            out.put(acked.0);
            out.zxid(last_zxid);
        }
        Milestone::SyncPlanned { learner, mode, learner_last, through } => {
            head(5, mode as u8);
            out.put(learner.0 as u64);
            out.zxid(learner_last);
            out.zxid(through);
        }
        Milestone::Established { epoch, acks } => {
            head(6, 0);
            out.epoch(Some(epoch));
            out.put(acks.0);
        }
        Milestone::Committed { zxid, acks } => {
            head(7, 0);
            out.zxid(zxid);
            out.put(acks.0);
        }
        Milestone::QuorumChecked { synced } => {
            head(8, 0);
            out.put(synced.0);
        }
        Milestone::Left { reason } => head(9, leave_reason(reason)),
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
    }
}

fn fold_fault(fault: Fault, out: &mut Words) {
    let mut one = |kind, a: usize, b: usize, c: u64| {
        out.tagged(87, [kind, a as u8, b as u8, 0, 0, 0, 0]);
        out.put(c);
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
        Fault::Overtaken { link, skip } => one(9, 0, 0, pack(link, skip)),
    }
}
