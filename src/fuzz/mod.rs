//! Many runs: seeds in, report out.

pub mod campaign;
pub mod inputs;
pub mod parallel;
#[cfg(feature = "mutants")]
pub mod score;
pub mod swarm;
pub mod tally;
pub mod trial;
