//! `World::apply(Action)`: the only mutator. (Stub with the agreed signatures.)
#![allow(unused_variables, missing_docs)]
use super::{Action, Digest, Event, LinkKey, Node, Op, PacketKind};
use crate::zab::{Ensemble, Epoch, Instant, Limits, Peer, Zxid};

/// Everything a world is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    pub ensemble: Ensemble,
    pub nodes: Vec<NodeSetup>,
    pub clients: u8,
    pub fifo: bool,
    pub snapshot_chunk: usize,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSetup {
    pub limits: Limits,
    pub drift: Drift,
    pub history: History,
    pub starts: bool,
}
/// A local clock advances `numerator / denominator` of virtual time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drift {
    pub numerator: u32,
    pub denominator: u32,
}
/// What is on the disk before the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    pub accepted_epoch: Epoch,
    pub current_epoch: Epoch,
    /// (epoch, last counter): txns (e,1)..=(e,n) for each.
    pub txns: Vec<(Epoch, u32)>,
    pub snapshot_at: Option<Zxid>,
    pub purged: bool,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chance {
    Packet { link: LinkKey, to: Node, kind: PacketKind },
    Notification { from: Node, to: Node },
    Dial { dialer: Node, acceptor: Node },
    Close { link: LinkKey, at: Node },
    Sync { node: Node, writes: u16 },
    Read { node: Node },
    Wake { node: Node, at: Instant },
    ClientFree { client: u8 },
    Up { node: Node },
    Down { node: Node },
}
#[derive(Clone, Debug)]
pub struct World {}
impl World {
    pub fn new(setup: &Setup) -> World {
        todo!()
    }
    pub fn is_enabled(&self, action: &Action) -> bool {
        todo!()
    }
    pub fn apply(&mut self, at: Instant, action: &Action) {
        todo!()
    }
    pub fn events(&self) -> &[Event] {
        todo!()
    }
    pub fn chances(&mut self) -> std::vec::Drain<'_, Chance> {
        todo!()
    }
    pub fn now(&self) -> Instant {
        todo!()
    }
    pub fn step(&self) -> u64 {
        todo!()
    }
    pub fn hash(&self) -> u64 {
        todo!()
    }
    pub fn setup(&self) -> &Setup {
        todo!()
    }
    pub fn node(&self, node: Node) -> &NodeState {
        todo!()
    }
    pub fn is_cut(&self, from: Node, to: Node) -> bool {
        todo!()
    }
    pub fn links(&self) -> std::slice::Iter<'_, LinkState> {
        todo!()
    }
    pub fn client(&self, client: u8) -> &Client {
        todo!()
    }
}
#[derive(Clone, Debug)]
pub struct NodeState {}
impl NodeState {
    pub fn is_up(&self) -> bool {
        todo!()
    }
    pub fn is_paused(&self) -> bool {
        todo!()
    }
    /// None while down.
    pub fn peer(&self) -> Option<&Peer> {
        todo!()
    }
    /// Digest of the applied state.
    pub fn digest(&self) -> Option<Digest> {
        todo!()
    }
    pub fn is_serving(&self) -> bool {
        todo!()
    }
    /// How many writes are issued and not yet synced.
    pub fn unsynced(&self) -> u16 {
        todo!()
    }
    /// Whether it has lost its data and was not synchronised since.
    pub fn is_dataless(&self) -> bool {
        todo!()
    }
}
#[derive(Clone, Debug)]
pub struct LinkState {}
impl LinkState {
    pub fn key(&self) -> LinkKey {
        todo!()
    }
    /// Packets in flight towards `to`.
    pub fn in_flight(&self, to: Node) -> u16 {
        todo!()
    }
}
#[derive(Clone, Debug)]
pub struct Client {}
impl Client {
    /// Where its session is.
    pub fn server(&self) -> Option<Node> {
        todo!()
    }
    /// The operation it waits for.
    pub fn pending(&self) -> Option<(Op, u32)> {
        todo!()
    }
}
