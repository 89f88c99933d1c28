//! A deterministic simulation testbed for Zab, the atomic broadcast protocol of ZooKeeper.
//!
//! ```text
//! scenario + seed ─▶ run ─▶ sim::World::apply(Action) ─▶ Events ─▶ check ─▶ Outcome
//!                              │  every node: replica::Replica = zab::Peer + a service
//!                              └─▶ trace: the actions, replayable without the generator
//! ```
//!
//! A scenario is a text; the same text and seed always come to the same outcome:
//!
//! ```
//! # #[cfg(feature = "sim")]
//! # fn main() -> Result<(), zabsim::scenario::ScenarioError> {
//! use zabsim::run::{Options, Verdict, run};
//! use zabsim::scenario::Scenario;
//!
//! let text = r#"
//! ## A leader dies after a second, and comes back.
//! [cluster]
//! participants = 3
//!
//! [[fault]]
//! at = "1s"
//! do = { crash = { node = "leader", down = "500ms" } }
//!
//! [run]
//! chaos = "2s"
//! "#;
//! let scenario = Scenario::parse("leader-dies.toml", text)?;
//! let outcome = run(&scenario, 42, &Options::default(), &mut ());
//! println!("{} after {} steps, {} leaders", outcome.verdict.word(), outcome.steps, outcome.summary.leaders.len());
//! assert_eq!(outcome.verdict, Verdict::Held);
//! assert_eq!(outcome.hash, run(&scenario, 42, &Options::default(), &mut ()).hash);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sim"))]
//! # fn main() {}
//! ```
//!
//! Modules import only modules above them: [`zab`] (the protocol, pure), [`replica`] (a peer with its service), and, with the
//! feature `sim`, [`sim`] (the world), [`check`] (what must hold), [`scenario`] (situations as files), [`run`] (one run),
//! [`trace`] (runs as files), [`shrink`] (short ones); with the feature `cli`, [`cli`] (the command line).

pub mod zab;

pub mod replica;

#[cfg(feature = "zk")]
pub mod zk;

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

#[cfg(feature = "sim")]
pub mod fuzz;

#[cfg(feature = "server")]
pub mod server;

#[cfg(feature = "cli")]
pub mod cli;
