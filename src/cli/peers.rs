//! How everything stands after a step, in plain data.

use std::collections::VecDeque;

use serde::Serialize;

use crate::sim::{Disk, DiskMode, Node, NodeState, Stage, World};
use crate::trace::{phase_name, state_name};
use crate::zab::progress::{Progress, ProgressStage};
use crate::zab::{Peer, Sid, Txn, Zxid};

/// Everything.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    /// The step it is after.
    #[serde(skip)]
    pub step: u64,
    pub time: String,
    pub stage: Stage,
    pub peers: Vec<PeerNow>,
    pub links: Vec<LinkNow>,
}

/// One server.
#[derive(Debug, Serialize)]
pub(super) struct PeerNow {
    pub peer: Node,
    pub process: Process,
    /// How often the process was started.
    pub starts: u32,
    /// What the process knows; none while it is down.
    pub role: Option<RoleNow>,
    pub disk: DiskNow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Process {
    Down,
    /// The machine stands still.
    Paused,
    /// It runs and serves no clients.
    Running,
    Serving,
}

/// What a process knows.
#[derive(Debug, Serialize)]
pub(super) struct RoleNow {
    pub state: &'static str,
    pub phase: &'static str,
    pub leader: Option<Node>,
    pub accepted_epoch: u32,
    pub current_epoch: u32,
    /// The end of the state that the protocol takes for applied; for a leader without a txn of its epoch, the epoch's marker.
    pub applied: String,
    /// None before it knows anything to be committed.
    pub committed: Option<String>,
    /// The txns in memory that DIFF is served from.
    pub window: Option<Txns>,
    /// Logged, not applied.
    pub pending: Option<Txns>,
    pub round: u64,
    pub vote: VoteNow,
    pub learners: Vec<LearnerNow>,
}

/// Consecutive txns; none if there are none.
#[derive(Debug, Serialize)]
pub(super) struct Txns {
    pub first: String,
    pub last: String,
    pub count: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct VoteNow {
    pub leader: Option<Node>,
    pub epoch: u32,
    pub zxid: String,
}

/// What a leader believes about a learner.
#[derive(Debug, Serialize)]
pub(super) struct LearnerNow {
    /// None before it has said who it is.
    pub learner: Option<Node>,
    pub stage: &'static str,
    /// How it was or is brought up to date.
    pub sync: Option<String>,
    /// From which zxid.
    pub from: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct DiskNow {
    pub mode: DiskMode,
    pub accepted_epoch: Option<u32>,
    pub current_epoch: Option<u32>,
    pub log: Option<Txns>,
    /// Ascending.
    pub snapshots: Vec<String>,
    /// Writes that a power failure could take.
    pub unsynced: u16,
}

/// A connection, with the packets on their way.
#[derive(Debug, Serialize)]
pub(super) struct LinkNow {
    pub link: String,
    pub learner: Node,
    pub leader: Node,
    pub to_leader: u16,
    pub to_learner: u16,
    pub broken: bool,
}

impl Standing {
    /// After the last step of `world`.
    pub(super) fn of(world: &World) -> Standing {
        let link = |link: &crate::sim::LinkState| {
            let key = link.key();
            LinkNow {
                link: key.to_string(),
                learner: key.dialer,
                leader: key.acceptor,
                to_leader: link.in_flight(key.acceptor),
                to_learner: link.in_flight(key.dialer),
                broken: !link.is_sound(),
            }
        };
        Standing {
            step: world.step(),
            time: world.now().to_string(),
            stage: world.stage(),
            peers: (0..world.nodes()).map(Node::at).map(|node| PeerNow::of(node, world.node(node))).collect(),
            links: world.links().map(link).collect(),
        }
    }
}

impl PeerNow {
    fn of(peer: Node, node: &NodeState) -> PeerNow {
        let process = match (node.is_up(), node.is_paused(), node.is_serving()) {
            (false, ..) => Process::Down,
            (true, true, _) => Process::Paused,
            (true, false, false) => Process::Running,
            (true, false, true) => Process::Serving,
        };
        let (starts, role, disk) = (node.incarnation(), node.peer().map(RoleNow::of), DiskNow::of(node.disk()));
        PeerNow { peer, process, starts, role, disk }
    }
}

impl RoleNow {
    fn of(peer: &Peer) -> RoleNow {
        let vote = peer.vote();
        RoleNow {
            state: state_name(peer.state()),
            phase: phase_name(peer.phase()),
            leader: peer.leader().and_then(known),
            accepted_epoch: peer.accepted_epoch().0,
            current_epoch: peer.current_epoch().0,
            applied: peer.last_zxid().to_string(),
            committed: Some(peer.last_committed()).filter(|&zxid| zxid != Zxid::ZERO).map(|zxid| zxid.to_string()),
            window: Txns::of(peer.window()),
            pending: Txns::of(peer.pending()),
            round: peer.round(),
            vote: VoteNow { leader: known(vote.leader), epoch: vote.peer_epoch.0, zxid: vote.zxid.to_string() },
            learners: peer.learners().iter().map(LearnerNow::of).collect(),
        }
    }
}

impl LearnerNow {
    fn of(progress: &Progress) -> LearnerNow {
        let stage = match progress.stage {
            ProgressStage::Connected => "connected",
            ProgressStage::Joined => "waits for the epoch",
            ProgressStage::Invited => "was told the epoch",
            ProgressStage::Compared => "has told its history",
            ProgressStage::Fetching { .. } => "waits for what is read from the leader's disk",
            ProgressStage::Forwarding => "is being brought up to date",
            ProgressStage::Syncing => "is being synchronised",
            ProgressStage::Acked => "has acknowledged NEWLEADER",
            ProgressStage::Active => "is up to date",
        };
        LearnerNow {
            learner: known(progress.sid),
            stage,
            sync: progress.mode.map(|mode| mode.to_string()),
            from: progress.mode.map(|_| progress.last_zxid.to_string()),
        }
    }
}

impl DiskNow {
    fn of(disk: &Disk) -> DiskNow {
        DiskNow {
            mode: disk.mode(),
            accepted_epoch: disk.accepted_epoch().map(|epoch| epoch.0),
            current_epoch: disk.current_epoch().map(|epoch| epoch.0),
            log: Txns::of(disk.log()),
            snapshots: disk.snapshots().filter(|&zxid| zxid != Zxid::ZERO).map(|zxid| zxid.to_string()).collect(),
            unsynced: disk.unsynced(),
        }
    }
}

impl Txns {
    fn of(txns: &VecDeque<Txn>) -> Option<Txns> {
        let (first, last) = (txns.front()?.zxid.to_string(), txns.back()?.zxid.to_string());
        Some(Txns { first, last, count: txns.len() })
    }
}

/// A peer that knows of nobody votes for nobody.
fn known(sid: Sid) -> Option<Node> {
    (1..=64).contains(&sid.0).then(|| Node::of(sid))
}
