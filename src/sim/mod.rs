//! The simulated world: deterministic, and every choice in it is an [`Action`].

mod action;
mod chance;
mod client;
mod clock;
pub mod clocks;
mod disk;
mod event;
pub mod fault;
mod hash;
pub mod latency;
mod ledger;
mod mailbox;
mod network;
mod node;
mod packet;
mod rng;
pub mod schedule;
mod setup;
pub mod text;
pub mod workload;
mod world;

pub use action::{Action, DiskMode, LinkKey, Loss, Node, Op, Stage};
pub use chance::Chance;
pub use client::Client;
pub use disk::Disk;
pub use event::{Digest, DiskWrite, Event, Fault, Packet, PacketKind};
pub use ledger::{Applied, Ledger};
pub use network::LinkState;
pub use node::NodeState;
pub use rng::{Rng, STREAM_VERSION, Stream};
pub use schedule::{Schedule, Seeded};
pub use setup::{Drift, History, NodeSetup, Setup};
pub use world::World;
