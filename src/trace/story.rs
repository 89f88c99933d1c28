//! `describe`: what happened, in plain words and ZooKeeper's vocabulary.

mod tree;

use super::names::*;
use crate::sim::{DiskMode, DiskWrite, Event, Fault, Loss, Op, Packet, PacketKind, Stage};
use crate::zab::{Milestone, Notification, WriteError, Zxid};

/// One sentence about an event, without a full stop.
pub fn describe(event: &Event) -> String {
    match *event {
        Event::NotificationSent { from, to, notification } => {
            format!("{from} notifies {to}: {}", notification_text(&notification))
        }
        Event::NotificationReceived { from, to, notification, replayed } => {
            let again = if replayed { " again" } else { "" };
            format!("{to} hears{again} from {from}: {}", notification_text(&notification))
        }
        Event::NotificationLost { from, to } => format!("a notification from {from} to {to} is lost"),

        Event::LinkOpened { link } => format!("{} is connected to {} ({link})", link.dialer, link.acceptor),
        Event::ConnectFailed { dialer, acceptor } => format!("{dialer} cannot connect to {acceptor}"),
        Event::Sent { link, from, packet } => format!("{from} sends {} {}", link.other(from), packet_text(&packet)),
        Event::Received { link, to, packet } => format!("{to} gets {} from {}", packet_text(&packet), link.other(to)),
        Event::Disconnected { link, by, reason } => {
            format!("{by} closes its link to {}: {}", link.other(by), disconnect_reason(reason))
        }
        Event::CloseNoticed { link, at } => format!("{at} notices that its link to {} is gone", link.other(at)),

        Event::Written { node, write, .. } => format!("{node} writes {}", write_text(&write)),
        Event::Synced { node, write, lie: false, .. } => format!("{node} has synced {}", write_text(&write)),
        Event::Synced { node, write, lie: true, .. } => {
            format!("{node} is told, falsely, that {} is synced", write_text(&write))
        }
        Event::WriteFailed { node, id, error } => format!("write {} of {node} fails: {}", id.0, write_error(error)),
        Event::Recovered { node, accepted_epoch, current_epoch, snapshot, last_zxid, boot, .. } => format!(
            "{node} {} its disk: accepted {}, current {}, {}last zxid {last_zxid}",
            if boot { "recovers from" } else { "reads again" },
            epoch(accepted_epoch),
            epoch(current_epoch),
            if snapshot == Zxid::ZERO { String::new() } else { format!("snapshot {snapshot}, ") },
        ),

        Event::Proposed { node, zxid, .. } => format!("{node} proposes {zxid}"),
        Event::Delivered { node, zxid, in_order: true, .. } => format!("{node} delivers {zxid}"),
        Event::Delivered { node, zxid, in_order: false, .. } => {
            format!("{node} delivers {zxid} on a state it was not prepared on")
        }
        Event::FastForwarded { node, zxid, .. } => format!("{node} applies {zxid}, logged but not known committed"),
        Event::Restored { node, zxid, .. } => format!("{node} restores the leader's snapshot {zxid}"),
        Event::Serving { node, state: Some(state) } => format!("{node} serves clients, {}", state_name(state)),
        Event::Serving { node, state: None } => format!("{node} serves clients no more"),
        Event::Milestone { node, milestone } => format!("{node} {}", milestone_text(&milestone)),

        Event::Started { node } => format!("{node} starts"),
        Event::Crashed { node, loss, inside } => {
            let inside = if inside { " between two outputs of this step" } else { "" };
            format!("{node} crashes{inside}: {}", loss_text(loss))
        }
        Event::Lost { node, write } => format!("{node} has lost {}", write_text(&write)),
        Event::Halted { node, reason } => format!("{node} exits: {}", halt_reason(reason)),
        Event::Fault(fault) => fault_text(&fault),

        Event::Invoked { client, server, op, serial } => {
            format!("client {client} asks {server} to {} (#{serial})", op_verb(op))
        }
        Event::Replied { client, server, op, serial, zxid, .. } => {
            format!("{server} answers client {client}: {} done at {zxid} (#{serial})", op_verb(op))
        }
        Event::Refused { client, server, serial } => format!("{server} refuses client {client} (#{serial})"),
        Event::Abandoned { client, server, serial } => {
            format!("client {client} loses {server}: outcome unknown (#{serial})")
        }
        Event::Tree(event) => tree::text(&event),
        Event::StageEntered { stage } => stage_text(stage).into(),
    }
}

/// What a packet says: `PROPOSAL 2:1`.
pub(super) fn packet_text(packet: &Packet) -> String {
    let name = packet_name(packet.kind);
    match packet.kind {
        PacketKind::FollowerInfo | PacketKind::ObserverInfo => {
            format!("{name} accepted={}", packet.epoch.unwrap_or(packet.zxid.epoch()))
        }
        PacketKind::LeaderInfo | PacketKind::NewLeader => format!("{name} {}", packet.zxid.epoch()),
        PacketKind::AckEpoch => format!("{name} {} last={}", epoch(packet.epoch), packet.zxid),
        PacketKind::SnapChunk | PacketKind::SnapDone | PacketKind::UpToDate | PacketKind::Sync => name.into(),
        PacketKind::RequestWrite => format!("{name} write"),
        PacketKind::RequestSync => format!("{name} sync"),
        _ => format!("{name} {}", packet.zxid),
    }
}

/// What a notification says: `LOOKING, round 1, votes for p3 (e1, 1:4)`.
pub(super) fn notification_text(notification: &Notification) -> String {
    let Notification { state, vote, round, .. } = notification;
    format!(
        "{}, round {round}, votes for {} ({}, {})",
        state_name(*state),
        who(vote.leader),
        vote.peer_epoch,
        vote.zxid
    )
}

fn milestone_text(milestone: &Milestone) -> String {
    match *milestone {
        Milestone::Entered { state, phase, epoch } => {
            let epoch = epoch.map_or(String::new(), |epoch| format!(", {epoch}"));
            format!("is {} in {}{epoch}", state_name(state), phase_name(phase))
        }
        Milestone::Proposed { vote, round } => {
            format!("votes for {} ({}, {}) in round {round}", who(vote.leader), vote.peer_epoch, vote.zxid)
        }
        Milestone::Elected { vote, round, supporters } => {
            format!("sees {} elected in round {round} by {}", who(vote.leader), members(supporters))
        }
        Milestone::EpochChosen { epoch, joined } => format!("chooses {epoch}, promised by {}", members(joined)),
        Milestone::EpochAcked { epoch, acked, last_zxid } => {
            format!("has {epoch} acknowledged by {}, initial history up to {last_zxid}", members(acked))
        }
        Milestone::SyncPlanned { learner, mode, learner_last, through } => {
            format!("will sync {} by {mode}, from {learner_last} to {through}", who(learner))
        }
        Milestone::Established { epoch, acks } => {
            format!("is established in {epoch}, NEWLEADER acknowledged by {}", members(acks))
        }
        Milestone::Committed { zxid, acks } => format!("commits {zxid}, acknowledged by {}", members(acks)),
        Milestone::QuorumChecked { synced } => format!("checks its quorum: in step are {}", members(synced)),
        Milestone::Left { reason } => format!("leaves its role: {}", leave_reason(reason)),
    }
}

fn write_text(write: &DiskWrite) -> String {
    match write {
        DiskWrite::AcceptedEpoch(epoch) => format!("acceptedEpoch {epoch}"),
        DiskWrite::CurrentEpoch(epoch) => format!("currentEpoch {epoch}"),
        DiskWrite::Append { zxid, .. } => format!("txn {zxid}"),
        DiskWrite::Truncate { to } => format!("the cut after {to}"),
        DiskWrite::WriteSnapshot { zxid } => format!("snapshot {zxid}"),
        DiskWrite::InstallSnapshot { zxid } => format!("the received snapshot {zxid}"),
    }
}

fn write_error(error: WriteError) -> &'static str {
    match error {
        WriteError::Failed => "EIO",
        WriteError::Full => "ENOSPC",
    }
}

pub(super) fn loss_text(loss: Loss) -> String {
    match loss {
        Loss::Process => "the process is killed".into(),
        Loss::Power { kept, torn } => {
            let torn = if torn { ", the next one in part" } else { "" };
            format!("power fails, {kept} unsynced writes survive{torn}")
        }
    }
}

pub(super) fn fault_text(fault: &Fault) -> String {
    match *fault {
        Fault::Cut { from, to } => format!("nothing gets from {from} to {to} any more"),
        Fault::Mended { from, to } => format!("packets get from {from} to {to} again"),
        Fault::Reset { link, lost: 1 } => format!("the link {link} is reset, 1 packet is lost"),
        Fault::Reset { link, lost } => format!("the link {link} is reset, {lost} packets are lost"),
        Fault::HalfOpened { link, at } => format!("the link {link} is half open, only {at} notices"),
        Fault::Paused { node } => format!("{node} stands still"),
        Fault::Resumed { node } => format!("{node} goes on"),
        Fault::Wiped { node } => format!("{node} has lost its disk"),
        Fault::Disk { node, mode: DiskMode::Healthy } => format!("the disk of {node} is healthy again"),
        Fault::Disk { node, mode: DiskMode::Full } => format!("the disk of {node} is full"),
        Fault::Disk { node, mode: DiskMode::Lying } => format!("the disk of {node} lies about syncs"),
        Fault::ClockJumped { node, millis } => format!("the clock of {node} jumps forward by {millis} ms"),
        Fault::Overtaken { link, to, skip } => {
            let others = if skip == 1 { "another".into() } else { format!("{skip} others") };
            format!("a packet from {} to {to} overtakes {others} ({link})", link.other(to))
        }
    }
}

pub(super) fn op_verb(op: Op) -> &'static str {
    match op {
        Op::Write => "write",
        Op::Read => "read",
        Op::Sync => "sync and read",
    }
}

pub(super) fn stage_text(stage: Stage) -> &'static str {
    match stage {
        Stage::Chaos => "faults begin",
        Stage::Converge => "a core is healed and must converge",
        Stage::Epilogue => "everything was killed, a quorum restarts",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Node;
    use crate::zab::{Epoch, MemberSet, PeerState, Phase, Sid, SyncMode, Vote};

    #[test]
    fn events_read_as_sentences() {
        let p = Node::at;
        let vote = Vote { leader: Sid(3), zxid: Zxid::new(Epoch(1), 4), peer_epoch: Epoch(1) };
        let notification = Notification { state: PeerState::Looking, vote, round: 2, version: 2, config_version: 0 };
        let set = MemberSet::from_iter([0, 2]);
        let say = |milestone| describe(&Event::Milestone { node: p(2), milestone });
        let lines = [
            describe(&Event::NotificationSent { from: p(0), to: p(2), notification }),
            say(Milestone::Elected { vote, round: 2, supporters: set }),
            say(Milestone::Entered { state: PeerState::Leading, phase: Phase::Discovery, epoch: Some(Epoch(2)) }),
            say(Milestone::SyncPlanned {
                learner: Sid(1),
                mode: SyncMode::TruncDiff,
                learner_last: vote.zxid,
                through: vote.zxid,
            }),
            say(Milestone::Proposed { vote: Vote::NOBODY, round: 1 }),
            describe(&Event::Crashed { node: p(1), loss: Loss::Power { kept: 2, torn: true }, inside: true }),
            describe(&Event::Replied { client: 0, server: p(1), op: Op::Write, serial: 7, zxid: vote.zxid, seen: 7 }),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        p1 notifies p3: LOOKING, round 2, votes for p3 (e1, 1:4)
        p3 sees p3 elected in round 2 by p1 p3
        p3 is LEADING in discovery, e2
        p3 will sync p1 by TRUNC then DIFF, from 1:4 to 1:4
        p3 votes for nobody (e0, none) in round 1
        p2 crashes between two outputs of this step: power fails, 2 unsynced writes survive, the next one in part
        p2 answers client 0: write done at 1:4 (#7)
        ");
    }
}
