//! `Story`: events by hand. Each verb is one thing that happens, or a legal sequence of them; no world is needed.
//!
//! [`Story::serving`] is legal through and through: p1 to p3 are elected, synchronised and serve, p4 observes, p3 leads epoch 1,
//! (1,1) and (1,2) are written by client 0 and delivered everywhere. Every checker sees it and must stay silent.

pub mod tree;
mod verdicts;

pub use verdicts::{ends_badly, fires, fires_after, fires_in};

use std::collections::BTreeMap;

use super::{Checkers, View};
use crate::sim::{
    DiskWrite, Drift, Event, Fault, History, LinkKey, Loss, Node, NodeSetup, Op, Packet, PacketKind, ServiceKind,
    Setup, Stage,
};
use crate::zab::*;

pub fn p(number: usize) -> Node {
    Node::at(number - 1)
}

fn set(numbers: &[usize]) -> MemberSet {
    numbers.iter().map(|n| n - 1).collect()
}

#[derive(Default)]
pub struct FakeView {
    pub window: Vec<Zxid>,
    pub down: Vec<Node>,
    pub cut: Option<(Node, Node)>,
}

impl View for FakeView {
    fn each_in_window(&self, _: Node, see: &mut dyn FnMut(Zxid)) {
        self.window.iter().for_each(|&zxid| see(zxid));
    }

    fn is_live(&self, node: Node) -> bool {
        !self.down.contains(&node)
    }

    fn is_cut(&self, from: Node, to: Node) -> bool {
        self.cut == Some((from, to))
    }
}

pub struct Story {
    pub checkers: Checkers,
    pub view: FakeView,
    step: u64,
    next_write: u64,
    generations: BTreeMap<(Node, Node), u16>,
    epoch: u32,
    leader: usize,
    followers: Vec<usize>,
    written: u32,
    serial: u32,
    /// (epoch, last counter, txns) of what everybody holds.
    pub end: (u32, u32),
    round: u64,
}

const NODES: usize = 4;
const MEMBERS: [(Sid, MemberRole); NODES] = [
    (Sid(1), MemberRole::Participant),
    (Sid(2), MemberRole::Participant),
    (Sid(3), MemberRole::Participant),
    (Sid(4), MemberRole::Observer),
];

impl Story {
    fn new(ensemble: Ensemble) -> Story {
        let node = NodeSetup {
            limits: Limits::default(),
            drift: Drift { numerator: 1, denominator: 1 },
            history: History::default(),
            starts: true,
        };
        let setup = Setup {
            ensemble,
            nodes: vec![node; NODES],
            clients: 3,
            fifo: true,
            snapshot_chunk: 64,
            service: ServiceKind::ZooKeeper,
            conduct: Conduct::default(),
            only: Vec::new(),
        };
        Story {
            checkers: Checkers::new(&setup),
            view: FakeView::default(),
            step: 0,
            next_write: 1,
            generations: BTreeMap::new(),
            epoch: 0,
            leader: 3,
            followers: Vec::new(),
            written: 0,
            serial: 0,
            end: (0, 0),
            round: 0,
        }
    }

    pub fn serving() -> Story {
        Story::serving_with(Ensemble::majority(MEMBERS).unwrap())
    }

    /// The same where p2 has no weight.
    pub fn serving_with_weights() -> Story {
        let groups = [MEMBERS.map(|(sid, _)| sid).to_vec()];
        Story::serving_with(Ensemble::hierarchical(MEMBERS, &groups, &BTreeMap::from([(Sid(2), 0)])).unwrap())
    }

    fn serving_with(ensemble: Ensemble) -> Story {
        let mut story = Story::new(ensemble);
        for n in 1..=NODES {
            story.starts(p(n));
            story.boots(p(n), 0, 0, Zxid::ZERO, 1000);
        }
        story.lead(p(3), 1, &[1, 2, 4]);
        story.write();
        story.write();
        story
    }

    /// p2 is about to leave the discovery of epoch 2, by what p1 told it before it went over to p3, who leads epoch 3 and has
    /// committed (3,1). If `forgetful`, p2 lacks (1,2) and so did p1 when it told.
    pub fn overtaken(forgetful: bool) -> Story {
        let mut story = Story::serving();
        story.role_ends();
        if forgetful {
            story.forgets(p(1));
            story.forgets(p(2));
        }
        story.begins_to_lead(p(2));
        story.persist(p(2), DiskWrite::AcceptedEpoch(Epoch(2)));
        story.joins(p(1), p(2), 2);
        if forgetful {
            story.append(p(1), 1, 2);
            story.fast_forwarded(p(1), 1, 2);
        }
        story.lead(p(3), 3, &[1]);
        story.write();
        story.leader = 2;
        story
    }

    pub fn zxid(epoch: u32, counter: u32) -> Zxid {
        Zxid::new(Epoch(epoch), counter)
    }

    pub fn event(&mut self, event: Event) {
        self.step += 1;
        self.checkers.on_event(self.step, Instant(self.step * 1000), &event, &self.view);
    }

    pub fn milestone(&mut self, node: Node, milestone: Milestone) {
        self.event(Event::Milestone { node, milestone });
    }

    pub fn enter(&mut self, stage: Stage) {
        self.event(Event::StageEntered { stage });
    }

    pub fn stage_ends(&mut self, stage: Stage, converged: bool) {
        self.step += 1;
        self.checkers.on_end(self.step, Instant(self.step * 1000), &verdicts::end(stage, converged), &self.view);
    }

    // Processes and disks.

    pub fn starts(&mut self, node: Node) {
        self.event(Event::Started { node });
    }

    pub fn ends(&mut self, node: Node) {
        self.event(Event::Crashed { node, loss: Loss::Process, inside: false });
    }

    pub fn boots(&mut self, node: Node, accepted: u32, current: u32, last_zxid: Zxid, digest: u64) {
        let (accepted_epoch, current_epoch) = (Some(Epoch(accepted)), Some(Epoch(current)));
        let (snapshot, boot) = (Zxid::ZERO, true);
        self.event(Event::Recovered { node, accepted_epoch, current_epoch, snapshot, last_zxid, digest, boot });
    }

    /// A learner reads its disk again after its log was cut.
    pub fn reloads(&mut self, node: Node, last_zxid: Zxid, digest: u64) {
        let disk = &self.checkers.ghost().peer(node).disk.durable;
        let (accepted_epoch, current_epoch) = (Some(disk.accepted), Some(disk.current));
        let (snapshot, boot) = (Zxid::ZERO, false);
        self.event(Event::Recovered { node, accepted_epoch, current_epoch, snapshot, last_zxid, digest, boot });
    }

    pub fn written(&mut self, node: Node, write: DiskWrite) {
        self.next_write += 1;
        self.event(Event::Written { node, id: WriteId(self.next_write), write });
    }

    pub fn persist_with(&mut self, node: Node, write: DiskWrite, lie: bool) {
        self.written(node, write);
        self.event(Event::Synced { node, id: WriteId(self.next_write), write, lie });
    }

    pub fn persist(&mut self, node: Node, write: DiskWrite) {
        self.persist_with(node, write, false);
    }

    fn append_of(epoch: u32, counter: u32) -> DiskWrite {
        DiskWrite::Append { zxid: Story::zxid(epoch, counter), digest: digest(epoch, counter) }
    }

    pub fn append(&mut self, node: Node, epoch: u32, counter: u32) {
        self.persist(node, Story::append_of(epoch, counter));
    }

    pub fn append_with_a_lie(&mut self, node: Node, epoch: u32, counter: u32) {
        self.persist_with(node, Story::append_of(epoch, counter), true);
    }

    pub fn append_unsynced(&mut self, node: Node, epoch: u32, counter: u32) {
        self.written(node, Story::append_of(epoch, counter));
    }

    /// The node's disk is replaced by a copy from before (1,2), and it restarts from that: no protocol survives it.
    pub fn forgets(&mut self, node: Node) {
        self.ends(node);
        self.event(Event::Fault(Fault::Wiped { node }));
        self.append(node, 1, 1);
        self.persist(node, DiskWrite::AcceptedEpoch(Epoch(1)));
        self.persist(node, DiskWrite::CurrentEpoch(Epoch(1)));
        self.starts(node);
        self.boots(node, 1, 1, Story::zxid(1, 1), 1001);
    }

    pub fn everybody_forgets(&mut self) {
        (1..=NODES).for_each(|n| self.forgets(p(n)));
        self.end = (1, 1);
    }

    // Packets.

    pub fn connect(&mut self, dialer: Node, acceptor: Node) {
        *self.generations.entry((dialer, acceptor)).or_default() += 1;
        self.event(Event::LinkOpened { link: self.link(dialer, acceptor) });
    }

    pub fn link(&self, dialer: Node, acceptor: Node) -> LinkKey {
        let generation = self.generations.get(&(dialer, acceptor)).copied().unwrap_or_default();
        LinkKey { dialer, acceptor, generation }
    }

    fn link_between(&self, from: Node, to: Node) -> LinkKey {
        let leader = p(self.leader);
        if to == leader { self.link(from, to) } else { self.link(to, from) }
    }

    fn packet(kind: PacketKind, zxid: Zxid) -> Packet {
        Packet { kind, zxid, epoch: None, digest: 0 }
    }

    pub fn sent(&mut self, from: Node, to: Node, kind: PacketKind, zxid: Zxid) {
        let link = self.link_between(from, to);
        self.event(Event::Sent { link, from, packet: Story::packet(kind, zxid) });
    }

    pub fn received(&mut self, from: Node, to: Node, kind: PacketKind, zxid: Zxid) {
        let link = self.link_between(from, to);
        self.event(Event::Received { link, to, packet: Story::packet(kind, zxid) });
    }

    pub fn pass(&mut self, from: Node, to: Node, kind: PacketKind, zxid: Zxid) {
        self.sent(from, to, kind, zxid);
        self.received(from, to, kind, zxid);
    }

    pub fn acks(&mut self, from: Node, to: Node, epoch: u32, counter: u32) {
        self.sent(from, to, PacketKind::Ack, Story::zxid(epoch, counter));
    }

    pub fn new_leader_acked(&mut self, from: Node, to: Node, epoch: u32) {
        self.acks(from, to, epoch, 0);
    }

    pub fn infos(&mut self, from: Node, to: Node, accepted: u32) {
        let kind = if from == p(NODES) { PacketKind::ObserverInfo } else { PacketKind::FollowerInfo };
        let packet = Packet { epoch: Some(Epoch(accepted)), ..Story::packet(kind, Story::zxid(accepted, 0)) };
        let link = self.link(from, to);
        self.event(Event::Sent { link, from, packet });
        self.event(Event::Received { link, to, packet });
    }

    pub fn ack_epochs(&mut self, from: Node, to: Node, current: Option<u32>, last: Zxid) {
        let packet = Packet { epoch: current.map(Epoch), ..Story::packet(PacketKind::AckEpoch, last) };
        let link = self.link(from, to);
        self.event(Event::Sent { link, from, packet });
        self.event(Event::Received { link, to, packet });
    }

    /// A learner dials the leader of `epoch` and tells all up to its history, which is what is on its disk.
    pub fn joins(&mut self, node: Node, leader: Node, epoch: u32) {
        self.leader = leader.index() + 1;
        let ghost = self.checkers.ghost();
        let disk = &ghost.peer(node).disk.durable;
        let (accepted, current) = (disk.accepted.0, disk.current.0);
        let last = if disk.history.is_empty() { Zxid::MISSING } else { disk.history.last_zxid(&ghost.chosen) };
        self.connect(node, leader);
        self.infos(node, leader, accepted);
        self.pass(leader, node, PacketKind::LeaderInfo, Story::zxid(epoch, 0));
        self.persist(node, DiskWrite::AcceptedEpoch(Epoch(epoch)));
        self.ack_epochs(node, leader, Some(current), last);
    }

    // Elections.

    fn notification(&self, state: PeerState, vote: Vote, round: u64) -> Notification {
        Notification { state, vote, round, version: NOTIFICATION_VERSION, config_version: 0 }
    }

    pub fn votes_for_itself(&mut self, node: Node, peer_epoch: u32, zxid: Zxid, round: u64) {
        let vote = Vote { leader: node.sid(), zxid, peer_epoch: Epoch(peer_epoch) };
        self.entered(node, PeerState::Looking, Phase::Election);
        self.milestone(node, Milestone::Proposed { vote, round });
    }

    fn vote_for(&self, leader: Node) -> Vote {
        let current = self.checkers.ghost().peer(leader).disk.durable.current;
        Vote { leader: leader.sid(), zxid: Story::zxid(self.end.0, self.end.1), peer_epoch: current }
    }

    pub fn hears(&mut self, from: Node, to: Node, state: PeerState, leader: Node, round: u64) {
        let notification = self.notification(state, self.vote_for(leader), round);
        self.event(Event::NotificationReceived { from, to, notification, replayed: false });
    }

    pub fn proposes(&mut self, node: Node, leader: Node, peer_epoch: u32, counter: u32, round: u64) {
        let vote = Vote { leader: leader.sid(), zxid: Story::zxid(1, counter), peer_epoch: Epoch(peer_epoch) };
        self.milestone(node, Milestone::Proposed { vote, round });
    }

    pub fn elected(&mut self, node: Node, leader: Node, round: u64, supporters: &[usize]) {
        let vote = self.vote_for(leader);
        self.milestone(node, Milestone::Elected { vote, round, supporters: set(supporters) });
    }

    fn entered(&mut self, node: Node, state: PeerState, phase: Phase) {
        self.milestone(node, Milestone::Entered { state, phase, epoch: None });
    }

    pub fn begins_to_lead(&mut self, node: Node) {
        self.leader = node.index() + 1;
        self.entered(node, PeerState::Leading, Phase::Discovery);
    }

    pub fn epoch_chosen(&mut self, node: Node, epoch: u32, joined: &[usize]) {
        self.milestone(node, Milestone::EpochChosen { epoch: Epoch(epoch), joined: set(joined) });
    }

    pub fn epoch_acked(&mut self, node: Node, epoch: u32, acked: &[usize]) {
        let ghost = self.checkers.ghost();
        let last_zxid = ghost.peer(node).disk.durable.history.last_zxid(&ghost.chosen);
        self.milestone(node, Milestone::EpochAcked { epoch: Epoch(epoch), acked: set(acked), last_zxid });
    }

    pub fn established(&mut self, node: Node, epoch: u32, acks: &[usize]) {
        self.milestone(node, Milestone::Established { epoch: Epoch(epoch), acks: set(acks) });
    }

    pub fn quorum_checked(&mut self, node: Node, synced: &[usize]) {
        self.milestone(node, Milestone::QuorumChecked { synced: set(synced) });
    }

    // Whole passages.

    /// `leader` wins the election, and `learners`, who hold the same history, end up serving its `epoch`.
    pub fn lead(&mut self, leader: Node, epoch: u32, learners: &[usize]) {
        self.leader = leader.index() + 1;
        self.round += 1;
        let round = self.round;
        let voters: Vec<usize> = learners.iter().copied().filter(|&n| n != NODES).chain([self.leader]).collect();
        let everybody: Vec<usize> = learners.iter().copied().chain([self.leader]).collect();
        for &n in &everybody {
            self.entered(p(n), PeerState::Looking, Phase::Election);
            let (own, vote) = (self.vote_for(p(n)), self.vote_for(leader));
            if n != NODES {
                self.milestone(p(n), Milestone::Proposed { vote: own, round });
                self.votes_for_itself(p(n), own.peer_epoch.0, own.zxid, round);
            }
            self.milestone(p(n), Milestone::Proposed { vote, round });
            voters.iter().for_each(|&from| self.hears(p(from), p(n), PeerState::Looking, leader, round));
            self.elected(p(n), leader, round, &voters);
        }
        self.begins_to_lead(leader);
        for &n in learners {
            self.connect(p(n), leader);
            let accepted = self.checkers.ghost().peer(p(n)).disk.durable.accepted.0;
            self.infos(p(n), leader, accepted);
        }
        self.epoch_chosen(leader, epoch, &voters);
        self.persist(leader, DiskWrite::AcceptedEpoch(Epoch(epoch)));
        for &n in learners {
            self.pass(leader, p(n), PacketKind::LeaderInfo, Story::zxid(epoch, 0));
            self.persist(p(n), DiskWrite::AcceptedEpoch(Epoch(epoch)));
            let current = self.checkers.ghost().peer(p(n)).disk.durable.current.0;
            let last = Story::zxid(self.end.0, self.end.1);
            self.ack_epochs(p(n), leader, Some(current), last);
        }
        self.epoch_acked(leader, epoch, &voters);
        self.persist(leader, DiskWrite::CurrentEpoch(Epoch(epoch)));
        self.entered(leader, PeerState::Leading, Phase::Synchronization);
        let end = Story::zxid(self.end.0, self.end.1);
        for &n in learners {
            let (mode, learner) = (SyncMode::EmptyDiff, p(n).sid());
            self.milestone(leader, Milestone::SyncPlanned { learner, mode, learner_last: end, through: end });
            self.pass(leader, p(n), PacketKind::Diff, end);
            self.pass(leader, p(n), PacketKind::NewLeader, Story::zxid(epoch, 0));
            self.persist(p(n), DiskWrite::CurrentEpoch(Epoch(epoch)));
            self.pass(p(n), leader, PacketKind::Ack, Story::zxid(epoch, 0));
        }
        self.established(leader, epoch, &voters);
        self.entered(leader, PeerState::Leading, Phase::Broadcast);
        self.serves(leader, epoch);
        for &n in learners {
            self.pass(leader, p(n), PacketKind::UpToDate, Zxid::MISSING);
            self.pass(p(n), leader, PacketKind::Ack, Story::zxid(epoch, 0));
            self.serves(p(n), epoch);
        }
        self.quorum_checked(leader, &voters);
        (self.epoch, self.written, self.followers) = (epoch, 0, learners.to_vec());
    }

    pub fn serves(&mut self, node: Node, _epoch: u32) {
        let state = match node.index() + 1 {
            n if n == self.leader => PeerState::Leading,
            NODES => PeerState::Observing,
            _ => PeerState::Following,
        };
        self.event(Event::Serving { node, state: Some(state) });
    }

    pub fn leaves(&mut self, node: Node) {
        self.event(Event::Serving { node, state: None });
        self.milestone(node, Milestone::Left { reason: LeaveReason::LinkLost });
        self.entered(node, PeerState::Looking, Phase::Election);
    }

    pub fn role_ends(&mut self) {
        (1..=NODES).for_each(|n| self.leaves(p(n)));
    }

    pub fn leader_is_late(&mut self) {
        self.role_ends();
        self.enter(Stage::Converge);
        self.step += 1_000_000;
    }

    pub fn proposed(&mut self, node: Node, epoch: u32, counter: u32) {
        let zxid = Story::zxid(epoch, counter);
        self.event(Event::Proposed { node, zxid, digest: digest(epoch, counter) });
    }

    pub fn committed(&mut self, node: Node, epoch: u32, counter: u32, acks: &[usize]) {
        self.milestone(node, Milestone::Committed { zxid: Story::zxid(epoch, counter), acks: set(acks) });
    }

    pub fn delivered(&mut self, node: Node, epoch: u32, counter: u32, digest: u64) {
        let (zxid, state) = (Story::zxid(epoch, counter), 1000 + u64::from(counter) + 100 * u64::from(epoch - 1));
        self.event(Event::Delivered { node, zxid, digest, state, in_order: true });
    }

    pub fn fast_forwarded(&mut self, node: Node, epoch: u32, counter: u32) {
        let (zxid, state) = (Story::zxid(epoch, counter), 1000 + u64::from(counter) + 100 * u64::from(epoch - 1));
        self.event(Event::FastForwarded { node, zxid, digest: digest(epoch, counter), state });
    }

    pub fn plans_diff(&mut self, leader: Node, learner: Node) {
        let (mode, zxid) = (SyncMode::Diff, Story::zxid(1, 2));
        let milestone =
            Milestone::SyncPlanned { learner: learner.sid(), mode, learner_last: Zxid::ZERO, through: zxid };
        self.milestone(leader, milestone);
    }

    pub fn write(&mut self) {
        self.write_to(&self.followers.clone());
    }

    /// A write that one follower does not hear of.
    pub fn write_without(&mut self, node: Node) {
        let others: Vec<usize> = self.followers.iter().copied().filter(|&n| p(n) != node).collect();
        self.write_to(&others);
    }

    fn write_to(&mut self, learners: &[usize]) {
        let (leader, epoch) = (p(self.leader), self.epoch);
        self.written += 1;
        self.serial += 1;
        let counter = self.written;
        let zxid = Story::zxid(epoch, counter);
        let followers: Vec<usize> = learners.iter().copied().filter(|&n| n != NODES).collect();
        let acks: Vec<usize> = followers.iter().copied().chain([self.leader]).collect();
        self.invoked(0, leader, Op::Write, self.serial);
        self.proposed(leader, epoch, counter);
        self.append(leader, epoch, counter);
        for &n in &followers {
            self.pass(leader, p(n), PacketKind::Proposal, zxid);
            self.append(p(n), epoch, counter);
            self.pass(p(n), leader, PacketKind::Ack, zxid);
        }
        self.committed(leader, epoch, counter, &acks);
        self.delivered(leader, epoch, counter, digest(epoch, counter));
        for &n in learners {
            let kind = if n == NODES { PacketKind::Inform } else { PacketKind::Commit };
            self.pass(leader, p(n), kind, zxid);
            if n == NODES {
                self.append(p(n), epoch, counter);
            }
            self.delivered(p(n), epoch, counter, digest(epoch, counter));
        }
        self.replied(0, leader, Op::Write, self.serial, (epoch, counter), self.serial);
        self.invoked(1, leader, Op::Sync, self.serial);
        self.replied(1, leader, Op::Sync, self.serial, (epoch, counter), 0);
        self.end = (epoch, counter);
    }

    pub fn invoked(&mut self, client: u8, server: Node, op: Op, serial: u32) {
        self.event(Event::Invoked { client, server, op, serial });
    }

    pub fn replied(&mut self, client: u8, server: Node, op: Op, serial: u32, zxid: (u32, u32), seen: u32) {
        let zxid = Story::zxid(zxid.0, zxid.1);
        self.event(Event::Replied { client, server, op, serial, zxid, seen });
    }

    pub fn assert_legal(&self) {
        let found = self.checkers.violations();
        assert!(found.is_empty(), "a legal story was found fault with:\n{}", found[0]);
    }
}

fn digest(epoch: u32, counter: u32) -> u64 {
    u64::from(epoch) * 1000 + u64::from(counter)
}
