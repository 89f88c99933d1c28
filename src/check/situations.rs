//! `Situations`: notices which [`Situation`]s a run comes to. It sees each event before the ghost does.

use super::Ghost;
use super::reached::{Reached, Situation};
use crate::sim::{DiskWrite, Event, Fault, Loss, Node, Op, PacketKind};
use crate::zab::{Epoch, LeaveReason, MemberSet, Milestone, PeerState, Phase, Reason, SyncMode, WriteError, Zxid};

/// What has to be remembered to notice them.
#[derive(Clone, Debug)]
pub struct Situations {
    reached: Reached,
    nodes: usize,
    /// Learners that receive a snapshot, and those of them that only observe.
    in_snap: MemberSet,
    observers_in_snap: MemberSet,
    /// Learners that were told to cut their history and have not acknowledged NEWLEADER.
    in_trunc: MemberSet,
    /// Leaders to whom a learner has told its epoch.
    reached_by_learners: MemberSet,
    /// Nodes with a snapshot written and not adopted.
    unsynced_snapshot: MemberSet,
    /// Which nodes each direction is cut to.
    cuts: Vec<MemberSet>,
    established: Epoch,
    servers: Vec<Option<Node>>,
}

impl Situations {
    /// Of so many nodes and clients.
    pub fn new(nodes: usize, clients: usize) -> Situations {
        Situations {
            reached: Reached::default(),
            nodes,
            in_snap: MemberSet::EMPTY,
            observers_in_snap: MemberSet::EMPTY,
            in_trunc: MemberSet::EMPTY,
            reached_by_learners: MemberSet::EMPTY,
            unsynced_snapshot: MemberSet::EMPTY,
            cuts: vec![MemberSet::EMPTY; nodes],
            established: Epoch(0),
            servers: vec![None; clients],
        }
    }

    /// What was reached.
    pub fn reached(&self) -> &Reached {
        &self.reached
    }

    /// An event, before the ghost takes it.
    pub fn on_event(&mut self, ghost: &Ghost, event: &Event) {
        use Situation::*;
        match *event {
            Event::Delivered { node, zxid, .. }
                if ghost.peer(node).serving.is_some()
                    && ghost.peer(node).disk.durable.history.last_zxid(&ghost.chosen) < zxid =>
            {
                self.reached.add(CommitBeforeLocalSync);
            }
            Event::Proposed { .. } => {
                if !self.observers_in_snap.is_empty() {
                    self.reached.add(ObserverSnapUnderLoad);
                }
                if !self.in_trunc.is_empty() {
                    self.reached.add(TruncUnderLoad);
                }
            }
            Event::Received { to, packet, .. } => match packet.kind {
                PacketKind::Snap => {
                    self.in_snap.insert(to.index());
                    if !ghost.is_voter(to) {
                        self.observers_in_snap.insert(to.index());
                    }
                }
                PacketKind::Trunc => self.in_trunc.insert(to.index()),
                PacketKind::NewLeader => self.leaves_snap(to),
                PacketKind::FollowerInfo | PacketKind::ObserverInfo => self.reached_by_learners.insert(to.index()),
                _ => {}
            },
            Event::Sent { from, packet, .. } if packet.kind == PacketKind::Ack && packet.zxid.is_marker() => {
                remove(&mut self.in_trunc, from);
                if ghost.peer(from).before_wipe.is_some() {
                    self.reached.add(DatalessRejoined);
                }
            }
            Event::FastForwarded { .. } => self.reached.add(TailFastForwarded),
            Event::Written { node, write, .. } => match write {
                DiskWrite::WriteSnapshot { .. } => self.unsynced_snapshot.insert(node.index()),
                DiskWrite::Truncate { to } => self.on_cut(ghost, node, to, LoneTailTruncated),
                DiskWrite::InstallSnapshot { .. } => self.on_cut(ghost, node, Zxid::ZERO, LoneTailReplaced),
                _ => {}
            },
            Event::Synced { node, write, lie, .. } => {
                if matches!(write, DiskWrite::InstallSnapshot { .. }) {
                    remove(&mut self.unsynced_snapshot, node);
                }
                if lie {
                    self.reached.add(DiskLied);
                }
            }
            Event::Milestone { node, milestone } => self.on_milestone(ghost, node, milestone),
            Event::NotificationReceived { replayed: true, .. } => self.reached.add(ReplayedNotification),
            Event::Disconnected { reason, .. } => match reason {
                Reason::LearnerAhead => self.reached.add(LearnerAheadRefused),
                Reason::StaleEpoch => self.reached.add(StaleEpochRefused),
                Reason::SyncLimit => self.reached.add(SyncLimitMissed),
                _ => {}
            },
            Event::CloseNoticed { at, .. } if self.in_snap.contains(at.index()) => {
                self.reached.add(SnapInterrupted);
                self.leaves_snap(at);
            }
            Event::WriteFailed { node, error, .. } => {
                self.reached.add(match error {
                    WriteError::Full => DiskFull,
                    WriteError::Failed => SyncFailed,
                });
                if self.in_trunc.contains(node.index()) {
                    self.reached.add(TruncFailed);
                }
                if self.unsynced_snapshot.contains(node.index()) {
                    self.reached.add(SnapshotFailed);
                }
            }
            Event::Recovered { node, current_epoch, snapshot, last_zxid, boot: true, .. } => {
                if current_epoch.is_some_and(|current| last_zxid.epoch() > current) {
                    self.reached.add(EpochWindowRestart);
                }
                if ghost.peer(node).disk.snapshot().is_some_and(|newest| newest > snapshot) {
                    self.reached.add(SnapshotIgnored);
                }
            }
            Event::Crashed { node, loss, inside } => {
                if inside {
                    self.reached.add(CrashInsideStep);
                }
                if matches!(loss, Loss::Power { torn: true, .. }) && ghost.peer(node).disk.has_unsynced() {
                    self.reached.add(TornWrite);
                }
                self.on_end_of_process(ghost, node);
            }
            Event::Halted { node, .. } => self.on_end_of_process(ghost, node),
            Event::Lost { .. } => self.reached.add(UnsyncedWritesLost),
            Event::Fault(fault) => self.on_fault(fault),
            Event::Invoked { client, server, .. } => {
                let before = self.servers[usize::from(client)].replace(server);
                if before.is_some_and(|before| before != server) {
                    self.reached.add(SessionMoved);
                }
            }
            Event::Replied { server, op: Op::Sync, .. }
                if ghost.peer(server).participates.is_some_and(|epoch| epoch < self.established) =>
            {
                self.reached.add(StaleSyncRead);
            }
            Event::Refused { .. } => self.reached.add(ClientRefused),
            Event::Abandoned { .. } => self.reached.add(UnknownOutcome),
            _ => {}
        }
    }

    /// The history of `node` is cut after `to`, or makes room for one that it was sent.
    fn on_cut(&mut self, ghost: &Ghost, node: Node, to: Zxid, situation: Situation) {
        let lost = ghost.peer(node).disk.written.history.last_txn(&ghost.chosen);
        let alone = ghost
            .peers()
            .all(|(other, peer)| other == node || peer.disk.written.history.len_through(lost, &ghost.chosen).is_none());
        if lost > to && alone {
            self.reached.add(situation);
        }
    }

    fn leaves_snap(&mut self, node: Node) {
        remove(&mut self.in_snap, node);
        remove(&mut self.observers_in_snap, node);
    }

    fn on_milestone(&mut self, ghost: &Ghost, node: Node, milestone: Milestone) {
        use Situation::*;
        let leads = |node: Node| matches!(ghost.peer(node).state, Some((PeerState::Leading, _)));
        match milestone {
            Milestone::SyncPlanned { mode, .. } => self.reached.add(match mode {
                SyncMode::EmptyDiff => SyncEmptyDiff,
                SyncMode::Diff => SyncDiff,
                SyncMode::DiskDiff => SyncDiskDiff,
                SyncMode::Trunc => SyncTrunc,
                SyncMode::TruncDiff => SyncTruncDiff,
                SyncMode::Snap => SyncSnap,
            }),
            Milestone::Entered { state: PeerState::Leading, phase: Phase::Discovery, .. } => {
                remove(&mut self.reached_by_learners, node);
                if ghost.peers().any(|(other, _)| other != node && leads(other)) {
                    self.reached.add(TwoLeaders);
                }
            }
            Milestone::Established { epoch, .. } => {
                if epoch > self.established.next() {
                    self.reached.add(EpochSkipped);
                }
                self.established = self.established.max(epoch);
            }
            Milestone::Elected { vote, .. } => {
                let leader = ghost.ensemble.position(vote.leader).filter(|&leader| leader < self.nodes).map(Node::at);
                if leader.is_some_and(|l| l != node && ghost.peer(l).serving == Some(PeerState::Leading)) {
                    self.reached.add(OutOfRoundJoin);
                }
            }
            Milestone::Left { reason } => {
                let situation = match reason {
                    LeaveReason::StaleEpoch => Some(StaleEpochRefused),
                    LeaveReason::EpochTimeout => Some(EpochTimeout),
                    LeaveReason::DisloyalVoter => Some(DisloyalVoter),
                    LeaveReason::EpochAckTimeout => Some(EpochAckTimeout),
                    LeaveReason::NewLeaderTimeout => Some(NewLeaderTimeout),
                    LeaveReason::QuorumLost => Some(QuorumLost),
                    LeaveReason::CounterExhausted => Some(CounterExhausted),
                    _ => None,
                };
                situation.into_iter().for_each(|situation| self.reached.add(situation));
                self.on_role_lost(ghost, node);
            }
            _ => {}
        }
    }

    /// A role ended, or the process that played it.
    fn on_role_lost(&mut self, ghost: &Ghost, node: Node) {
        if self.in_trunc.contains(node.index()) {
            self.reached.add(Situation::TruncInterrupted);
            remove(&mut self.in_trunc, node);
        }
        let situation = match ghost.peer(node).state {
            Some((PeerState::Leading, Phase::Discovery)) if !self.reached_by_learners.contains(node.index()) => {
                Situation::LeaderLostInElection
            }
            Some((PeerState::Leading, Phase::Discovery)) => Situation::LeaderLostInDiscovery,
            Some((PeerState::Leading, Phase::Synchronization)) => Situation::LeaderLostInSynchronization,
            Some((PeerState::Leading, Phase::Broadcast)) => Situation::LeaderLostInBroadcast,
            _ => return,
        };
        self.reached.add(situation);
    }

    fn on_end_of_process(&mut self, ghost: &Ghost, node: Node) {
        self.on_role_lost(ghost, node);
        if ghost.peer(node).state.is_some_and(|(state, _)| state == PeerState::Looking) {
            self.reached.add(Situation::CandidateLost);
        }
        if self.unsynced_snapshot.contains(node.index()) {
            self.reached.add(Situation::CrashBetweenSnapshotAndSync);
            remove(&mut self.unsynced_snapshot, node);
        }
        if self.in_snap.contains(node.index()) {
            self.reached.add(Situation::SnapInterrupted);
            self.leaves_snap(node);
        }
        if ghost.peers().all(|(other, peer)| other == node || !peer.up) {
            self.reached.add(Situation::EverybodyDown);
        }
    }

    fn on_fault(&mut self, fault: Fault) {
        use Situation::*;
        match fault {
            Fault::Cut { from, to } => {
                self.cuts[from.index()].insert(to.index());
                if !self.cuts[to.index()].contains(from.index()) {
                    self.reached.add(OneWayCut);
                }
            }
            Fault::Mended { from, to } => remove(&mut self.cuts[from.index()], to),
            Fault::Reset { lost, .. } => {
                if lost > 0 {
                    self.reached.add(LinkReset);
                }
            }
            Fault::HalfOpened { .. } => self.reached.add(HalfOpen),
            Fault::Paused { .. } => self.reached.add(Paused),
            Fault::Wiped { .. } => self.reached.add(DiskWiped),
            Fault::ClockJumped { .. } => self.reached.add(ClockJumped),
            Fault::Overtaken { .. } => self.reached.add(Overtaken),
            Fault::Resumed { .. } | Fault::Disk { .. } => {}
        }
    }
}

fn remove(set: &mut MemberSet, node: Node) {
    set.0 &= !(1 << node.index());
}

#[cfg(test)]
mod tests {
    use crate::check::Situation;
    use crate::check::test_support::{Story, p};
    use crate::sim::{Event, Fault, Loss};

    #[test]
    fn a_run_tells_what_it_came_to() {
        let mut story = Story::serving();
        assert!(story.checkers.reached().has(Situation::SyncEmptyDiff));
        story.append_unsynced(p(1), 1, 3);
        let loss = Loss::Power { kept: 0, torn: true };
        story.event(Event::Crashed { node: p(1), loss, inside: true });
        story.event(Event::Fault(Fault::Cut { from: p(1), to: p(2) }));
        story.event(Event::Crashed { node: p(3), loss, inside: false });
        for situation in
            [Situation::TornWrite, Situation::CrashInsideStep, Situation::OneWayCut, Situation::LeaderLostInBroadcast]
        {
            assert!(story.checkers.reached().has(situation), "{situation}");
        }
        assert!(!story.checkers.reached().has(Situation::EverybodyDown));
    }
}
