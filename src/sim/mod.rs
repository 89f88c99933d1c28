//! The simulated world: deterministic, and every choice in it is an [`Action`].

mod action;
mod chance;
mod client;
mod clock;
mod disk;
mod event;
mod hash;
mod ledger;
mod mailbox;
mod network;
mod node;
mod packet;
mod rng;
mod setup;
mod world;

pub use action::{Action, DiskMode, LinkKey, Loss, Node, Op, Stage};
pub use chance::Chance;
pub use client::Client;
pub use disk::Disk;
pub use event::{Digest, DiskWrite, Event, Fault, Packet, PacketKind};
pub use ledger::{Applied, Ledger};
pub use network::LinkState;
pub use node::NodeState;
pub use rng::{Rng, Stream};
pub use setup::{Drift, History, NodeSetup, Setup};
pub use world::World;
