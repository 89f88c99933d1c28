//! A deterministic simulation testbed for Zab, the atomic broadcast protocol of ZooKeeper.
//!
//! ```text
//! scenario + seed ─▶ run ─▶ sim::World::apply(Action) ─▶ Events ─▶ check ─▶ Outcome
//!                              │  every node: replica::Replica = zab::Peer + a service
//!                              └─▶ trace: the actions, replayable without the generator
//! ```
//!
//! Modules import only modules above them: [`zab`] (the protocol, pure), [`replica`], [`sim`] (the world), [`check`] (what must
//! hold), [`scenario`] (situations as files), [`run`] (one run), [`trace`] (runs as files), [`shrink`] (short ones).

pub mod zab;

pub mod replica;

#[cfg(feature = "sim")]
pub mod sim;

#[cfg(feature = "sim")]
pub mod check;

#[cfg(feature = "sim")]
pub mod scenario;

#[cfg(feature = "sim")]
pub mod run;

#[cfg(feature = "sim")]
pub mod trace;

#[cfg(feature = "sim")]
pub mod shrink;

#[cfg(feature = "cli")]
pub mod cli;
