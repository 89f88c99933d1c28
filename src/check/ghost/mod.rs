//! Ghost state: what the checkers remember. Updated only from events, kept by no peer, and it outlives every crash.
//!
//! *Delivered* is what clients may have seen: `Delivered` events while the node serves, and everything applied so far at the
//! moment when it begins to serve. What a peer replays at boot, fast-forwards when a role ends or applies while it is being
//! synchronised is merely *applied*: it may still have to be cut off, and no property of delivery holds for it.

mod broadcasts;
mod chosen;
mod disk;
mod history;
mod tree;

pub use broadcasts::{Broadcast, Broadcasts, First, Initial, Known, Reign};
pub use chosen::{Chosen, Link};
pub use disk::{Content, Disk};
pub use history::{Entry, History};
pub use tree::{Life, Moment, Stray, Tree};

use crate::sim::{Change, Digest, DiskWrite, Node, PacketKind, Setup, Stage};
use crate::zab::{Ensemble, Epoch, MemberSet, PeerState, Phase, WriteId, Zxid};

/// One node, over all its incarnations.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// What its disk truly holds.
    pub disk: Disk,
    /// What its service applied.
    pub applied: History,
    /// How many of `chosen` it delivered, ever.
    pub delivered: usize,
    /// In which role it serves clients.
    pub serving: Option<PeerState>,
    /// Whether its process runs.
    pub up: bool,
    /// Its state and phase, as it said.
    pub state: Option<(PeerState, Phase)>,
    /// The epoch whose NEWLEADER it acknowledged, or that it leads beyond discovery, until that role ends.
    pub participates: Option<Epoch>,
    /// (acceptedEpoch, currentEpoch) as written when its role began.
    pub at_role_start: (Epoch, Epoch),
    /// What a wiped disk held, until the node was synchronised again: till then it is mute in elections, so that no quorum
    /// can form that forgets what it had acknowledged.
    pub before_wipe: Option<History>,
    /// The content of the snapshot on its way to it.
    offered: Option<(Zxid, History)>,
}

impl Peer {
    fn end_role(&mut self) {
        self.participates = None;
    }
}

/// How a delivery relates to `chosen`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not a delivery: the node does not serve.
    Applied,
    /// It is what was chosen.
    Agrees,
    /// It is the first to have it: `chosen` grew without a leader's decision.
    Extends,
    /// Something else was chosen there.
    Conflicts,
}

/// One txn was applied.
#[derive(Clone, Copy, Debug)]
pub struct Applied {
    /// By whom.
    pub node: Node,
    /// The txn.
    pub zxid: Zxid,
    /// Its payload's digest.
    pub digest: Digest,
    /// The service's digest afterwards.
    pub state: Digest,
    /// Its index in what the node applied.
    pub index: usize,
    /// The zxid applied before.
    pub before: Zxid,
    /// What is known of it.
    pub known: Known,
    /// Whether it was delivered, and how that fits.
    pub verdict: Verdict,
}

/// A block of txns became committed at once: an established leader's initial history, or what a peer serves.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// How many were chosen before.
    pub chosen: usize,
    /// How many of them the peer has.
    pub agreed: usize,
    /// How many txns the peer has.
    pub len: usize,
    /// How that fits.
    pub verdict: Verdict,
}

/// Everything that is remembered.
#[derive(Clone, Debug)]
pub struct Ghost {
    /// Who votes.
    pub ensemble: Ensemble,
    /// What was committed.
    pub chosen: Chosen,
    /// What was broadcast.
    pub broadcasts: Broadcasts,
    /// What the chosen txns made of ZooKeeper's tree, as far as it was settled.
    pub tree: Tree,
    /// The stage of the run.
    pub stage: Stage,
    peers: Vec<Peer>,
    /// Whether disks may hold something else than what was written to them: releases have such habits.
    doubts_disks: bool,
}

impl Ghost {
    /// Before the first step: nobody runs, the disks hold what the setup says.
    pub fn new(setup: &Setup) -> Ghost {
        let mut ghost = Ghost {
            ensemble: setup.ensemble.clone(),
            chosen: Chosen::default(),
            broadcasts: Broadcasts::default(),
            tree: Tree::default(),
            stage: Stage::Chaos,
            peers: vec![Peer::default(); setup.nodes.len()],
            doubts_disks: !setup.conduct.habits.is_empty(),
        };
        for (peer, node) in ghost.peers.iter_mut().zip(&setup.nodes) {
            let mut history = History::default();
            for &(epoch, count) in &node.history.txns {
                for zxid in (1..=count).map(|counter| Zxid::new(epoch, counter)) {
                    ghost.broadcasts.add_before(zxid);
                    history.push(zxid, 0, &ghost.chosen);
                }
            }
            let (accepted, current) = (node.history.accepted_epoch, node.history.current_epoch);
            peer.disk.load(Content { history, accepted, current });
            peer.disk.doubt(ghost.doubts_disks);
        }
        ghost
    }

    /// A node.
    pub fn peer(&self, node: Node) -> &Peer {
        &self.peers[node.index()]
    }

    /// A node, to settle its histories.
    pub fn peer_mut(&mut self, node: Node) -> &mut Peer {
        &mut self.peers[node.index()]
    }

    /// All nodes.
    pub fn peers(&self) -> impl Iterator<Item = (Node, &Peer)> {
        self.peers.iter().enumerate().map(|(i, peer)| (Node::at(i), peer))
    }

    /// Those who vote.
    pub fn voters(&self) -> MemberSet {
        self.ensemble.voting()
    }

    /// Whether a node votes.
    pub fn is_voter(&self, node: Node) -> bool {
        self.voters().contains(node.index())
    }

    /// Whether the participants in `set` are a quorum; who does not vote is left out.
    pub fn has_quorum(&self, set: MemberSet) -> bool {
        self.ensemble.has_quorum(set.intersection(self.voters()))
    }

    /// The participants whose durable history begins with these `len` txns.
    pub fn holders(&self, len: usize, hash: u64) -> MemberSet {
        let holds = |history: &History| history.begins_with(len, hash, &self.chosen);
        let voters = self.voters().iter().filter(|&i| {
            self.peers
                .get(i)
                .is_some_and(|peer| holds(&peer.disk.durable.history) || peer.before_wipe.as_ref().is_some_and(holds))
        });
        voters.collect()
    }

    /// How many of `chosen` the node's log holds, process view.
    pub fn agreed_log(&mut self, node: Node) -> usize {
        self.peers[node.index()].disk.written.history.agreed(&self.chosen)
    }

    /// How many of `chosen` the node has applied, now.
    pub fn agreed_applied(&mut self, node: Node) -> usize {
        self.peers[node.index()].applied.agreed(&self.chosen)
    }

    pub(super) fn proposed(&mut self, node: Node, zxid: Zxid, digest: Digest) -> Broadcast {
        let delivered = self.peers[node.index()].applied.agreed(&self.chosen);
        self.broadcasts.add(node, zxid, digest, delivered)
    }

    pub(super) fn tree_proposed(&mut self, zxid: Zxid, digest: Digest, change: Change) {
        self.tree.proposed(zxid, digest, change);
    }

    /// Everything chosen happens to the tree.
    pub(super) fn settle_tree(&mut self) {
        self.tree.settle(&self.chosen);
    }

    /// The last txn that a node applied.
    pub fn last_applied(&self, node: Node) -> Zxid {
        self.peers[node.index()].applied.last_zxid(&self.chosen)
    }

    pub(super) fn written(&mut self, node: Node, id: WriteId, write: DiskWrite) {
        let Peer { disk, applied, .. } = &mut self.peers[node.index()];
        disk.write(id, write, applied, &mut self.broadcasts, &self.chosen);
    }

    pub(super) fn synced(&mut self, node: Node, id: WriteId) {
        self.peers[node.index()].disk.sync(id, &self.chosen);
    }

    pub(super) fn write_failed(&mut self, node: Node) {
        self.peers[node.index()].disk.fail();
    }

    pub(super) fn lost(&mut self, node: Node, write: DiskWrite) {
        self.peers[node.index()].disk.lose(write);
    }

    pub(super) fn recovered(&mut self, node: Node, facts: Recovery) {
        let is_voter = self.is_voter(node);
        let peer = &mut self.peers[node.index()];
        if facts.boot {
            peer.disk.reboot(facts.last_zxid, facts.accepted, facts.current, &self.chosen);
        }
        // Nobody counts on the disk of an observer: it may hold less than was applied, or a snapshot beyond its log
        // (ZOOKEEPER-1552). Whatever it holds must have been chosen.
        let differs = peer.disk.written.history.last_zxid(&self.chosen) != facts.last_zxid;
        if !is_voter && differs && self.chosen.contains(facts.last_zxid) {
            peer.disk.hold_chosen(self.chosen.count_through(facts.last_zxid));
        }
        peer.disk.written.history.settle(&self.chosen);
        peer.applied = peer.disk.written.history.clone();
        if facts.last_zxid.is_marker() && facts.last_zxid == facts.snapshot {
            peer.applied.set_label(facts.last_zxid);
            peer.disk.written.history.set_label(facts.last_zxid);
            if facts.boot {
                peer.disk.durable.history.set_label(facts.last_zxid);
            }
        }
    }

    /// After everybody has judged what a node found on its disk: that is what there is, and what is judged from here on.
    /// `log` shows the zxids of the log.
    pub(super) fn believe(&mut self, node: Node, facts: &Recovery, log: impl FnOnce(&mut dyn FnMut(Zxid))) {
        if self.doubts_disks && facts.last_zxid != Zxid::MISSING {
            let peer = &mut self.peers[node.index()];
            let mut history = peer.disk.image(facts.snapshot, &self.chosen);
            log(&mut |zxid| {
                if zxid > facts.snapshot && zxid <= facts.last_zxid {
                    history.push(zxid, 0, &self.chosen);
                }
            });
            if facts.last_zxid.is_marker() {
                history.set_label(facts.last_zxid);
            }
            peer.disk.believe(&history);
            peer.applied = history;
        }
    }

    pub(super) fn applied(&mut self, node: Node, zxid: Zxid, digest: Digest, state: Digest, role: Cause) -> Applied {
        let known = self.broadcasts.know(zxid, digest);
        let peer = &mut self.peers[node.index()];
        let before = peer.applied.last_zxid(&self.chosen);
        let index = peer.applied.len();
        peer.applied.push(zxid, known.variant, &self.chosen);
        let verdict = if role == Cause::Logged || peer.serving.is_none() {
            Verdict::Applied
        } else if peer.applied.tail().is_empty() {
            Verdict::Agrees
        } else if peer.applied.tail().len() == 1 && index == self.chosen.len() {
            self.chosen.push(peer.applied.tail()[0], state);
            peer.applied.settle(&self.chosen);
            Verdict::Extends
        } else {
            Verdict::Conflicts
        };
        if matches!(verdict, Verdict::Agrees | Verdict::Extends) {
            peer.delivered = peer.delivered.max(index + 1);
        }
        Applied { node, zxid, digest, state, index, before, known, verdict }
    }

    /// Whether the service's digest after the first `len` txns is what others had; the first to tell is believed.
    pub(super) fn agrees_on_state(&mut self, len: usize, state: Digest) -> Result<(), Digest> {
        let Some(link) = len.checked_sub(1).and_then(|i| self.chosen.get(i)) else { return Ok(()) };
        match link.state {
            0 => self.chosen.tell_state(len - 1, state),
            known if known != state => return Err(known),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn snapshot_offered(&mut self, from: Node, to: Node, zxid: Zxid) {
        let mut content = self.peers[from.index()].applied.clone();
        content.cut(zxid, &self.chosen);
        content.set_label(if zxid.is_marker() { zxid } else { Zxid::ZERO });
        self.peers[to.index()].offered = Some((zxid, content));
    }

    /// Whether anybody offered what was restored.
    pub(super) fn restored(&mut self, node: Node, zxid: Zxid) -> bool {
        let peer = &mut self.peers[node.index()];
        match &peer.offered {
            Some((offered, content)) if *offered == zxid => {
                peer.applied = content.clone();
                peer.applied.settle(&self.chosen);
                true
            }
            _ => {
                peer.applied = History::of_chosen(self.chosen.count_through(zxid));
                false
            }
        }
    }

    /// Chooses everything in `history`, if it agrees so far.
    fn choose(&mut self, history: &mut History) -> Block {
        history.settle(&self.chosen);
        let mut block = Block {
            chosen: self.chosen.len(),
            agreed: history.len() - history.tail().len(),
            len: history.len(),
            verdict: Verdict::Agrees,
        };
        if !history.tail().is_empty() {
            if block.agreed < block.chosen {
                block.verdict = Verdict::Conflicts;
            } else {
                history.tail().iter().for_each(|&entry| self.chosen.push(entry, 0));
                history.settle(&self.chosen);
                block.verdict = Verdict::Extends;
            }
        }
        block
    }

    pub(super) fn serving(&mut self, node: Node, state: Option<PeerState>) -> Option<Block> {
        let peer = &mut self.peers[node.index()];
        peer.serving = state;
        state?;
        let mut applied = std::mem::take(&mut peer.applied);
        let block = self.choose(&mut applied);
        let peer = &mut self.peers[node.index()];
        if state == Some(PeerState::Leading)
            && let Some(epoch) = peer.participates
        {
            applied.set_label(Zxid::marker(epoch));
        }
        peer.applied = applied;
        if block.verdict != Verdict::Conflicts {
            peer.delivered = peer.delivered.max(block.len);
        }
        Some(block)
    }

    pub(super) fn entered(&mut self, node: Node, state: PeerState, phase: Phase) {
        let peer = &mut self.peers[node.index()];
        peer.state = Some((state, phase));
        match phase {
            Phase::Election => peer.end_role(),
            Phase::Discovery => peer.at_role_start = (peer.disk.written.accepted, peer.disk.written.current),
            _ => {}
        }
    }

    pub(super) fn left(&mut self, node: Node) {
        self.peers[node.index()].end_role();
    }

    pub(super) fn epoch_acked(&mut self, node: Node, epoch: Epoch) {
        let peer = &mut self.peers[node.index()];
        peer.participates = Some(epoch);
        peer.disk.written.history.settle(&self.chosen);
        let history = &peer.disk.written.history;
        let initial = Initial { leader: node, len: history.len(), hash: history.hash(&self.chosen) };
        let reign = self.broadcasts.reign_mut(epoch);
        reign.primaries.insert(node.index());
        reign.initial.get_or_insert(initial);
    }

    pub(super) fn new_leader_acked(&mut self, node: Node, epoch: Epoch) {
        let peer = &mut self.peers[node.index()];
        peer.participates = Some(epoch);
        peer.before_wipe = None;
    }

    /// How many of the chosen txns a leader of `epoch` must have: those of epochs below its own, as far as they were chosen before
    /// a later leader was established. What only the later one made part of its initial history, it need not know.
    pub fn owed_to(&self, epoch: Epoch) -> usize {
        let later = self.broadcasts.reigns().iter().rev().take_while(|reign| reign.epoch > epoch);
        let before = later.filter_map(|reign| reign.chosen_before).min().unwrap_or(usize::MAX);
        self.chosen.count_through(Zxid::marker(epoch)).min(before)
    }

    pub(super) fn established(&mut self, node: Node, epoch: Epoch) -> Block {
        let before = self.chosen.len();
        let reign = self.broadcasts.reign_mut(epoch);
        reign.established.insert(node.index());
        reign.chosen_before.get_or_insert(before);
        let mut log = std::mem::take(&mut self.peers[node.index()].disk.written.history);
        let block = self.choose(&mut log);
        self.peers[node.index()].disk.written.history = log;
        block
    }

    /// A leader decided that `zxid` is committed: is it next in its log after everything chosen, or chosen already, as its
    /// successor's initial history? A disk that refuses to write leaves a leader without the txn that its followers have: then
    /// its broadcast stands for its log.
    pub(super) fn committed(&mut self, node: Node, zxid: Zxid) -> Verdict {
        let peer = &mut self.peers[node.index()];
        if self.chosen.contains(zxid) {
            let agrees = peer.disk.written.history.agreed(&self.chosen) >= self.chosen.count_through(zxid);
            return if agrees { Verdict::Agrees } else { Verdict::Conflicts };
        }
        let agreed = peer.disk.written.history.agreed(&self.chosen);
        let next = match peer.disk.written.history.tail().front() {
            Some(next) => *next,
            None if self.broadcasts.is_by(node, zxid) && peer.applied.agreed(&self.chosen) == self.chosen.len() => {
                Entry { zxid, hash: history::link(self.chosen.hash_at(self.chosen.len()), zxid, 0) }
            }
            None => return Verdict::Conflicts,
        };
        let refused = peer.disk.written.history.tail().is_empty();
        if next.zxid != zxid || (agreed != self.chosen.len() && !refused) {
            return Verdict::Conflicts;
        }
        self.chosen.push(next, 0);
        self.peers[node.index()].disk.written.history.settle(&self.chosen);
        Verdict::Extends
    }

    pub(super) fn started(&mut self, node: Node) {
        let peer = &mut self.peers[node.index()];
        peer.up = true;
        peer.end_role();
        peer.serving = None;
        peer.state = None;
    }

    pub(super) fn ended(&mut self, node: Node) {
        self.started(node);
        self.peers[node.index()].up = false;
    }

    pub(super) fn wiped(&mut self, node: Node) {
        let peer = &mut self.peers[node.index()];
        let before_wipe = peer.before_wipe.take().or_else(|| Some(peer.disk.durable.history.clone()));
        *peer = Peer { before_wipe, ..Peer::default() };
        peer.disk.doubt(self.doubts_disks);
    }
}

/// What a node says it found on its disk.
#[derive(Clone, Copy, Debug)]
pub struct Recovery {
    /// acceptedEpoch.
    pub accepted: Option<Epoch>,
    /// currentEpoch.
    pub current: Option<Epoch>,
    /// The snapshot it began with.
    pub snapshot: Zxid,
    /// The end of its history.
    pub last_zxid: Zxid,
    /// The service's digest.
    pub digest: Digest,
    /// Whether at boot.
    pub boot: bool,
}

/// Why a txn was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It is committed, says the peer.
    Committed,
    /// It is in the log, and a role ended.
    Logged,
}

/// Whether a packet goes from learner to leader.
pub fn goes_up(kind: PacketKind) -> Option<bool> {
    use PacketKind::*;
    match kind {
        FollowerInfo | ObserverInfo | AckEpoch | RequestWrite | RequestSync | Ack => Some(true),
        LeaderInfo | Diff | Trunc | Snap | SnapChunk | SnapDone | NewLeader | UpToDate | Proposal | Commit | Inform
        | Sync => Some(false),
        Ping | Revalidate => None,
    }
}
