//! The simulated world.

mod action;
mod event;
mod rng;
mod world;

pub use action::{Action, DiskMode, LinkKey, Loss, Node, Op, Stage};
pub use event::{Digest, DiskWrite, Event, Fault, Packet, PacketKind};
pub use rng::{Rng, Stream};
pub use world::{Chance, Client, Drift, History, LinkState, NodeSetup, NodeState, Setup, World};
