//! `Checkers`: all checkers, and the one place that says which event concerns which of them.

use super::ghost::{Block, Cause, Ghost, Recovery, Verdict};
use super::links::Links;
use super::reached::Reached;
use super::situations::Situations;
use super::*;
use crate::sim::{
    Digest, DiskWrite, Event, Fault, LinkKey, Op, Packet, PacketKind, ServiceKind, Setup, Stage, TreeEvent, World,
};
use crate::zab::{Duration, Epoch, Instant, LeaveReason, Milestone, PeerState, Phase, SyncMode, Zxid};

/// All checkers of one run.
#[derive(Clone, Debug)]
pub struct Checkers {
    ghost: Ghost,
    links: Links,
    out: Sink,
    situations: Situations,
    d5: d5_full_restart::FullRestart,
    d10: d10_restart_idempotence::RestartIdempotence,
    service: ServiceKind,
    e3: e3_promise::Promise,
    e4: e4_fresh_epoch::FreshEpoch,
    e5: e5_best_history::BestHistory,
    e6: e6_ordered_votes::OrderedVotes,
    e7: e7_sound_election::SoundElection,
    e9: e9_commit_rule::CommitRule,
    k1: k1_monotonic_reads::MonotonicReads,
    k2: k2_read_your_writes::ReadYourWrites,
    k3: k3_linearizable::Linearizable,
    k6: k6_honest_reads::HonestReads,
    k7: k7_watches::Watches,
    l2: l2_progress::Progress,
    l4: l4_no_livelock::NoLivelock,
    l6: l6_recovery_time::RecoveryTime,
    patience: l6_recovery_time::Patience,
}

use c1_legal_packets::LegalPackets as C1;
use c2_contiguous_proposals::ContiguousProposals as C2;
use c3_matching_commits::MatchingCommits as C3;
use c4_ack_order::AckOrder as C4;
use c5_synced_followers::SyncedFollowers as C5;
use c6_truncation_target::TruncationTarget as C6;
use c7_honest_snapshots::HonestSnapshots as C7;
use c8_no_aborts::NoAborts as C8;
use d1_leader_completeness::LeaderCompleteness as D1;
use d2_committed_log::CommittedLog as D2;
use d3_committed_monotonic::CommittedMonotonic as D3;
use d4_quorum_durability::QuorumDurability as D4;
use d6_ack_durability::AckDurability as D6;
use d7_history_before_epoch::HistoryBeforeEpoch as D7;
use d8_honest_claims::HonestClaims as D8;
use d9_no_holes::NoHoles as D9;
use d11_faithful_files::FaithfulFiles as D11;
use e1_ascending_epochs::AscendingEpochs as E1;
use e2_ordered_epochs::OrderedEpochs as E2;
use e8_pure_quorums::PureQuorums as E8;
use k4_observers::Observers as K4;
use k5_session_closure::SessionClosure as K5;
use l1_leader_after_heal::LeaderAfterHeal as L1;
use l3_join::Join as L3;
use l5_restartability::Restartability as L5;
use s1_single_primary::SinglePrimary as S1;
use s2_integrity::Integrity as S2;
use s3_unique_zxids::UniqueZxids as S3;
use s4_agreement::Agreement as S4;
use s5_total_order::TotalOrder as S5;
use s6_local_primary_order::LocalPrimaryOrder as S6;
use s7_global_primary_order::GlobalPrimaryOrder as S7;
use s8_primary_integrity::PrimaryIntegrity as S8;
use s9_initial_history::InitialHistory as S9;
use s10_commit_consistency::CommitConsistency as S10;
use s11_history_consistency::HistoryConsistency as S11;
use s12_process_consistency::ProcessConsistency as S12;

impl Checkers {
    /// For a run that starts with `setup`.
    pub fn new(setup: &Setup) -> Checkers {
        let (nodes, clients) = (setup.nodes.len(), usize::from(setup.clients));
        Checkers {
            ghost: Ghost::new(setup),
            links: Links::new(nodes),
            out: Sink::only(&setup.only),
            situations: Situations::new(nodes, clients),
            d5: Default::default(),
            d10: Default::default(),
            service: setup.service,
            e3: Default::default(),
            e4: e4_fresh_epoch::FreshEpoch::new(nodes),
            e5: e5_best_history::BestHistory::new(nodes),
            e6: e6_ordered_votes::OrderedVotes::new(nodes),
            e7: e7_sound_election::SoundElection::new(nodes),
            e9: e9_commit_rule::CommitRule::new(nodes),
            k1: k1_monotonic_reads::MonotonicReads::new(clients),
            k2: k2_read_your_writes::ReadYourWrites::new(clients),
            k3: k3_linearizable::Linearizable::new(clients),
            k6: k6_honest_reads::HonestReads::new(clients),
            k7: k7_watches::Watches::new(clients),
            l2: Default::default(),
            l4: Default::default(),
            l6: Default::default(),
            patience: l6_recovery_time::Patience::new(setup),
        }
    }

    /// Looks at what the last step of `world` brought.
    pub fn step(&mut self, world: &World) {
        let (step, at) = (world.step(), world.now());
        for event in world.events() {
            self.on_event(step, at, event, world);
        }
    }

    /// What was violated, in the order found; at most a few of each property.
    pub fn violations(&self) -> &[Violation] {
        self.out.violations()
    }

    /// How often a property was checked.
    pub fn checked(&self, property: Property) -> u64 {
        self.out.checked(property)
    }

    /// Which situations chaos came to. How a run is healed and restarted is the same for all, and tells nothing of its faults.
    pub fn reached(&self) -> &Reached {
        self.situations.reached()
    }

    /// What the checkers remember.
    pub fn ghost(&self) -> &Ghost {
        &self.ghost
    }

    /// How long it took from the heal until a leader served (L6).
    pub fn recovery_time(&self) -> Option<Duration> {
        self.l6.metric()
    }

    /// A stage ended: liveness of [`Stage::Converge`], completeness of [`Stage::Epilogue`]. To be called at the end of each.
    pub fn finish(&mut self, world: &World, end: End) {
        self.on_end(world.step(), world.now(), &end, world);
    }

    /// [`Checkers::finish`] without a world.
    pub fn on_end(&mut self, step: u64, at: Instant, end: &End, view: &impl View) {
        let out = &mut self.out;
        out.begin(step, at);
        self.ghost.settle_tree();
        K5.on_settled(&mut self.ghost, out);
        let no_excuse = end.no_excuse(&self.ghost, view);
        self.patience.on_step(step + 1, out);
        match end.stage {
            Stage::Chaos => {}
            Stage::Epilogue => self.d5.on_end(no_excuse.is_some() && !end.converged, out),
            Stage::Converge => {
                L5.on_end(view, end, out);
                let Some(no_excuse) = no_excuse else { return };
                self.l4.on_end(end, &no_excuse, out);
                self.l6.on_end(end, &no_excuse, out);
                let found = !L1.on_end(&self.ghost, end, &no_excuse, out)
                    || !self.l2.on_end(&self.ghost, end, &no_excuse, out)
                    || !L3.on_end(&self.ghost, end, &no_excuse, out);
                if !found && !end.converged {
                    out.check(Property::L3, false, [], || {
                        let expected = format!("the whole core is in step at one moment, since {no_excuse}");
                        (expected, "at the end it nearly was, but the run never saw it".into())
                    });
                }
            }
        }
    }

    /// One event of a step. Events come in order, cause before effect.
    pub fn on_event(&mut self, step: u64, at: Instant, event: &Event, view: &impl View) {
        self.out.begin(step, at);
        if self.ghost.stage == Stage::Chaos {
            self.situations.on_event(&self.ghost, event);
        }
        let (ghost, out) = (&mut self.ghost, &mut self.out);
        self.patience.on_step(step, out);
        match *event {
            Event::Sent { link, from, packet } => self.on_sent(link, from, &packet),
            Event::Received { link, to, packet } => self.on_received(link, to, &packet),
            Event::Written { node, id, write } => {
                let agreed = self.before_write(node, write);
                self.ghost.written(node, id, write);
                self.after_write(node, write, agreed);
            }
            Event::Synced { node, id, write, lie } => {
                if !lie {
                    ghost.synced(node, id);
                    if let DiskWrite::CurrentEpoch(epoch) = write {
                        D7.on_current_epoch(ghost, node, epoch, out);
                    }
                }
            }
            Event::Delivered { node, zxid, digest, state, in_order } => {
                self.on_applied(node, zxid, digest, state, in_order, Cause::Committed);
            }
            Event::FastForwarded { node, zxid, digest, state } => {
                self.on_applied(node, zxid, digest, state, true, Cause::Logged);
            }
            Event::Proposed { node, zxid, digest } => {
                let broadcast = ghost.proposed(node, zxid, digest);
                S3.on_proposed(node, zxid, broadcast, out);
                S8.on_proposed(ghost, node, zxid, out);
            }
            Event::Milestone { node, milestone } => self.on_milestone(node, milestone, view),
            Event::Serving { node, state } => self.on_serving(node, state),
            Event::Restored { node, zxid, state } => {
                let offered = ghost.restored(node, zxid);
                D9.on_restored(node, zxid, offered, out);
                self.d10.on_state(ghost, node, state, out);
            }
            Event::NotificationReceived { from, to, notification, .. } => {
                self.e7.on_heard(from, to, notification);
                self.patience.on_heard(from, to, notification, step, at);
            }
            Event::Disconnected { link, by, reason } => {
                if reason.is_protocol_error() {
                    C1.on_disconnected(link, by, reason, out);
                    C2.on_disconnected(link, by, reason, out);
                    C3.on_disconnected(link, by, reason, out);
                }
            }
            Event::WriteFailed { node, .. } => ghost.write_failed(node),
            Event::Lost { node, write } => ghost.lost(node, write),
            Event::Recovered { node, accepted_epoch, current_epoch, snapshot, last_zxid, digest, boot } => {
                let (accepted, current) = (accepted_epoch, current_epoch);
                let facts = Recovery { accepted, current, snapshot, last_zxid, digest, boot };
                self.on_recovered(node, &facts);
                self.ghost.believe(node, &facts, |see| view.each_on_disk(node, see));
            }
            Event::Started { node } => {
                ghost.started(node);
                self.on_process(node);
            }
            Event::Crashed { node, .. } => {
                ghost.ended(node);
                self.patience.on_end_of_role(node, out);
            }
            Event::Halted { node, reason } => {
                ghost.ended(node);
                self.patience.on_end_of_role(node, out);
                C8.on_halted(node, reason, out);
                L5.on_halted(node, reason, out);
            }
            Event::Fault(Fault::Wiped { node }) => ghost.wiped(node),
            Event::Invoked { client, op, serial, .. } => {
                self.k2.on_invoked(client, op, serial);
                self.k3.on_invoked(client);
                if op == Op::Write && ghost.stage == Stage::Converge {
                    self.l2.on_write_asked();
                }
            }
            Event::Replied { client, server, op, serial, zxid, seen } => {
                self.k1.on_replied(client, server, zxid, out);
                self.k2.on_replied(client, server, op, serial, seen, out);
                self.k3.on_replied(ghost, client, server, op, zxid, out);
            }
            Event::Tree(ref event) => self.on_tree(event),
            Event::StageEntered { stage } => self.on_stage(stage),
            Event::NotificationLost { .. }
            | Event::NotificationSent { .. }
            | Event::LinkOpened { .. }
            | Event::ConnectFailed { .. }
            | Event::CloseNoticed { .. }
            | Event::Refused { .. }
            | Event::Abandoned { .. }
            | Event::Fault(_) => {}
        }
    }

    fn on_sent(&mut self, link: LinkKey, from: Node, packet: &Packet) {
        let out = &mut self.out;
        if let Some(of) = self.links.of(link) {
            C1.on_sent(of, link, from, packet, out);
        }
        match packet.kind {
            PacketKind::Ack => {
                D6.on_ack_sent(&self.ghost, from, packet.zxid, out);
                self.e3.on_sent(&self.ghost, from, packet, out);
                if packet.zxid.is_marker() {
                    self.ghost.new_leader_acked(from, packet.zxid.epoch());
                    S11.on_log(&self.ghost, from, out);
                    S12.on_log(&self.ghost, from, out);
                }
            }
            PacketKind::Commit | PacketKind::Inform => self.e9.on_told(from, packet.zxid, out),
            PacketKind::LeaderInfo => self.e3.on_sent(&self.ghost, from, packet, out),
            PacketKind::AckEpoch => {
                self.e3.on_sent(&self.ghost, from, packet, out);
                D8.on_claim(&self.ghost, from, packet.zxid, out);
            }
            PacketKind::Snap => self.ghost.snapshot_offered(from, link.other(from), packet.zxid),
            _ => {}
        }
    }

    fn on_received(&mut self, link: LinkKey, to: Node, packet: &Packet) {
        let (ghost, out) = (&self.ghost, &mut self.out);
        // What a learner told counts even if it has dialled again since.
        match packet.kind {
            PacketKind::FollowerInfo | PacketKind::ObserverInfo => {
                self.e4.on_info(to, link.other(to), packet.epoch.unwrap_or(packet.zxid.epoch()));
            }
            PacketKind::AckEpoch => self.e5.on_ack_epoch(to, link.other(to), packet.epoch, packet.zxid),
            PacketKind::LeaderInfo => self.e3.on_leader_info(to, packet.zxid.epoch()),
            _ => {}
        }
        let Some(of) = self.links.of(link) else { return };
        match packet.kind {
            PacketKind::Proposal => C2.on_received(of, link, packet.zxid, out),
            PacketKind::Commit => C3.on_received(of, link, packet.zxid, out),
            PacketKind::Ack => {
                C4.on_received(of, link, packet.zxid, out);
                if packet.zxid.is_marker() {
                    C5.on_new_leader_ack(ghost, link, packet.zxid.epoch(), out);
                }
            }
            PacketKind::Inform => {
                C2.on_received(of, link, packet.zxid, out);
                K4.on_inform(ghost, to, packet.zxid, out);
            }
            PacketKind::Trunc => C6.on_received(ghost, link, packet.zxid, out),
            _ => {}
        }
    }

    /// Gives back how much of `chosen` the log held.
    fn before_write(&mut self, node: Node, write: DiskWrite) -> usize {
        let (ghost, out) = (&mut self.ghost, &mut self.out);
        match write {
            DiskWrite::Append { zxid, .. } => D9.on_append(ghost, node, zxid, out),
            DiskWrite::AcceptedEpoch(_) | DiskWrite::CurrentEpoch(_) => E1.on_write(ghost, node, write, out),
            DiskWrite::WriteSnapshot { zxid } => C7.on_snapshot(ghost, node, zxid, out),
            DiskWrite::Truncate { .. } | DiskWrite::InstallSnapshot { .. } => return ghost.agreed_log(node),
        }
        0
    }

    fn after_write(&mut self, node: Node, write: DiskWrite, agreed_before: usize) {
        let (ghost, out) = (&mut self.ghost, &mut self.out);
        match write {
            DiskWrite::Append { .. } => {
                S11.on_log(ghost, node, out);
                S12.on_log(ghost, node, out);
            }
            DiskWrite::CurrentEpoch(_) => E2.on_write(ghost, node, write, out),
            DiskWrite::Truncate { .. } | DiskWrite::InstallSnapshot { .. } => {
                D2.on_replaced(ghost, node, agreed_before, write, out);
                S11.on_log(ghost, node, out);
                S12.on_log(ghost, node, out);
            }
            DiskWrite::AcceptedEpoch(_) | DiskWrite::WriteSnapshot { .. } => {}
        }
    }

    fn on_applied(&mut self, node: Node, zxid: Zxid, digest: Digest, state: Digest, in_order: bool, cause: Cause) {
        let (ghost, out) = (&mut self.ghost, &mut self.out);
        let applied = ghost.applied(node, zxid, digest, state, cause);
        if cause == Cause::Committed && ghost.peer(node).serving.is_none() {
            let fits = ghost.agreed_applied(node) == applied.index + 1;
            out.check(Property::S5, fits, [node], || {
                (format!("{zxid} is committed before {node} is told to deliver it"), "it is delivered first".into())
            });
        }
        S2.on_applied(&applied, out);
        S4.on_applied(ghost, &applied, out);
        S5.on_applied(ghost, &applied, out);
        S6.on_applied(ghost, &applied, in_order, out);
        S7.on_applied(&applied, out);
        S8.on_applied(ghost, &applied, out);
        D9.on_applied(&applied, out);
        K4.on_applied(ghost, &applied, out);
        if applied.verdict == Verdict::Extends {
            D4.on_chosen(ghost, node, out);
            self.e9.on_undecided(node, zxid, out);
        }
        self.d10.on_state(ghost, node, state, out);
    }

    fn on_serving(&mut self, node: Node, state: Option<PeerState>) {
        let (ghost, out) = (&mut self.ghost, &mut self.out);
        let Some(block) = ghost.serving(node, state) else { return };
        S4.on_serving(ghost, node, &block, out);
        S5.on_serving(ghost, node, &block, out);
        S10.on_serving(ghost, node, out);
        self.d5.on_serving(ghost, node, out);
        if state == Some(PeerState::Leading) {
            D3.on_leader_serving(ghost, node, &block, out);
            self.l6.on_leader_serving(out.now());
        }
        if block.verdict == Verdict::Extends {
            D4.on_chosen(ghost, node, out);
            self.e9.on_undecided(node, ghost.chosen.last(), out);
        }
    }

    fn on_milestone(&mut self, node: Node, milestone: Milestone, view: &impl View) {
        let (ghost, out) = (&mut self.ghost, &mut self.out);
        match milestone {
            Milestone::Committed { zxid, acks } => {
                E8.on_counted(ghost, node, acks, "a commit", out);
                self.e9.on_committed(ghost, node, zxid, acks, out);
                for i in acks.iter() {
                    let disk = &ghost.peer(Node::at(i)).disk;
                    let held = disk.durable.history.contains(zxid, &ghost.chosen)
                        || disk.durable.accepted > zxid.epoch()
                        || disk.durable.history.last_zxid(&ghost.chosen) >= zxid
                        || ghost.peer(Node::at(i)).before_wipe.is_some();
                    out.check(Property::E9, held, [node, Node::at(i)], || {
                        (
                            format!("{zxid} is synced at whom {node} counts for it"),
                            format!("{} has not synced it", Node::at(i)),
                        )
                    });
                }
                let verdict = ghost.committed(node, zxid);
                D3.on_committed(ghost, node, zxid, verdict != Verdict::Conflicts, out);
                if verdict == Verdict::Extends {
                    D4.on_chosen(ghost, node, out);
                }
                if ghost.stage == Stage::Converge {
                    self.l2.on_committed(zxid);
                }
            }
            Milestone::QuorumChecked { synced } => E8.on_counted(ghost, node, synced, "being in step", out),
            Milestone::Entered { state, phase, .. } => {
                ghost.entered(node, state, phase);
                self.e6.on_entered(node, state, phase);
                if phase == Phase::Discovery {
                    self.e4.on_role_start(node);
                    self.e5.on_role_start(node);
                    if state == PeerState::Leading {
                        self.l4.on_won();
                    }
                }
            }
            Milestone::Proposed { vote, round } => {
                // The first proposal of an election is a claim; a later one for oneself may be an echo of an earlier life.
                if self.e6.is_first(node) && vote.leader == node.sid() {
                    D8.on_claim(ghost, node, vote.zxid, out);
                    E2.on_vote(node, &vote, out);
                }
                self.e6.on_proposed(ghost, node, vote, round, out);
                self.e7.on_proposed(node, round);
            }
            Milestone::Elected { vote, round, supporters } => {
                E8.on_counted(ghost, node, supporters, "an election", out);
                self.e7.on_elected(ghost, node, vote, round, supporters, out);
                self.patience.on_elected(node, vote, supporters, out.now());
            }
            Milestone::EpochChosen { epoch, joined } => {
                E8.on_counted(ghost, node, joined, "a new epoch", out);
                self.e4.on_epoch_chosen(ghost, node, epoch, joined, out);
                self.patience.on_epoch_chosen(node);
            }
            Milestone::EpochAcked { epoch, acked, last_zxid } => {
                E8.on_counted(ghost, node, acked, "comparing histories", out);
                D8.on_claim(ghost, node, last_zxid, out);
                self.e5.on_epoch_acked(ghost, node, acked, last_zxid, out);
                self.e9.on_epoch_acked(node, epoch);
                ghost.epoch_acked(node, epoch);
                S1.on_epoch_acked(ghost, node, epoch, out);
                S9.on_epoch_acked(ghost, node, epoch, out);
                S11.on_log(ghost, node, out);
                D1.on_leader(ghost, node, epoch, out);
            }
            Milestone::SyncPlanned { mode, .. } => {
                if matches!(mode, SyncMode::Diff | SyncMode::DiskDiff | SyncMode::TruncDiff) {
                    D9.on_diff(ghost, view, node, out);
                }
            }
            Milestone::Established { epoch, acks } => {
                E8.on_counted(ghost, node, acks, "NEWLEADER", out);
                self.e9.on_established(ghost, node, epoch, acks, out);
                for i in acks.iter() {
                    let member = Node::at(i);
                    let peer = ghost.peer(member);
                    let held = peer.disk.durable.current >= epoch || peer.before_wipe.is_some();
                    out.check(Property::D6, held, [member, node], || {
                        (
                            format!("currentEpoch {epoch} is synced at whom {node} counts for NEWLEADER"),
                            format!("{} is, at {member}", peer.disk.durable.current),
                        )
                    });
                }
                D1.on_leader(ghost, node, epoch, out);
                let block = ghost.established(node, epoch);
                S1.on_established(ghost, node, epoch, out);
                S9.on_established(ghost, node, epoch, out);
                self.on_established(node, epoch, &block);
            }
            Milestone::Left { reason } => {
                if reason == LeaveReason::CounterExhausted {
                    self.l4.on_epoch_used_up();
                }
                ghost.left(node);
                self.patience.on_end_of_role(node, out);
                C8.on_left(node, reason, out);
            }
        }
    }

    fn on_established(&mut self, node: Node, epoch: Epoch, block: &Block) {
        // What was chosen before was judged then. The rest of the initial history becomes committed here, as a block.
        if block.verdict == Verdict::Extends {
            D4.on_chosen(&self.ghost, node, &mut self.out);
        }
        debug_assert!(self.ghost.broadcasts.reign(epoch).is_some(), "the ghost noted the establishment of {epoch}");
    }

    fn on_recovered(&mut self, node: Node, facts: &Recovery) {
        let (ghost, out) = (&mut self.ghost, &mut self.out);
        if facts.boot {
            E1.on_recovered(ghost, node, facts.accepted, facts.current, out);
            L5.on_boot(out);
        }
        if self.service == ServiceKind::ZooKeeper {
            D11.on_recovered(node, out);
        }
        ghost.recovered(node, *facts);
        E2.on_recovered(node, facts, out);
        self.d10.on_recovered(ghost, node, facts, out);
    }

    fn on_process(&mut self, node: Node) {
        self.e6.on_process(node);
        self.e7.on_process(node);
    }

    fn on_tree(&mut self, event: &TreeEvent) {
        let (ghost, out) = (&mut self.ghost, &mut self.out);
        if let TreeEvent::Change { zxid, digest, change, .. } = *event {
            return ghost.tree_proposed(zxid, digest, change);
        }
        ghost.settle_tree();
        K5.on_settled(ghost, out);
        match *event {
            TreeEvent::Change { .. } => {}
            TreeEvent::SessionClosed { node, session, left, .. } => K5.on_closed(node, session, left, out),
            TreeEvent::Joined { client, server, session } => {
                K5.on_joined(ghost, client, server, session, out);
                self.k7.on_joined(client, session);
            }
            TreeEvent::SessionOver { client, server, session } => {
                K5.on_over(ghost, client, server, session, out);
                self.k7.on_over(client);
            }
            TreeEvent::Saw { client, server, zxid, sight } => {
                K5.on_saw(ghost, server, zxid, &sight, out);
                self.k6.on_saw(ghost, client, server, zxid, &sight, out);
                self.k7.on_saw(ghost, client, server, zxid, &sight, out);
            }
            TreeEvent::Fired { client, server, znode, kind } => {
                self.k7.on_fired(ghost, client, server, znode, kind, out);
            }
            TreeEvent::FilesDiffer { node } => D11.on_differ(node, out),
        }
    }

    fn on_stage(&mut self, stage: Stage) {
        self.ghost.stage = stage;
        match stage {
            Stage::Chaos => {}
            Stage::Converge => {
                let led = self.ghost.peers().any(|(_, peer)| peer.serving == Some(PeerState::Leading));
                self.l2.on_converge();
                self.l4.on_converge();
                self.l6.on_converge(self.out.now(), led);
            }
            Stage::Epilogue => self.d5.on_epilogue(&self.ghost),
        }
    }
}
