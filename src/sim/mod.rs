//! The simulated world.

mod action;
pub mod clocks;
mod event;
pub mod fault;
pub mod latency;
mod rng;
pub mod schedule;
pub mod text;
pub mod workload;
mod world;

pub use action::{Action, DiskMode, LinkKey, Loss, Node, Op, Stage};
pub use event::{Digest, DiskWrite, Event, Fault, Packet, PacketKind};
pub use rng::{Rng, Stream};
pub use schedule::{Schedule, Seeded};
pub use world::{Chance, Client, Drift, History, LinkState, NodeSetup, NodeState, Setup, World};
