//! The simulated world.

mod action;
mod event;
mod world;

pub use action::{Action, DiskMode, LinkKey, Loss, Node, Op, Stage};
pub use event::{Digest, DiskWrite, Event, Fault, Packet, PacketKind};
pub use world::{Chance, Client, Drift, History, LinkState, NodeSetup, NodeState, Setup, World};
