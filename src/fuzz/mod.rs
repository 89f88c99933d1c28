//! Many runs: seeds in, report out.

#[cfg(feature = "mutants")]
pub mod score;
pub mod swarm;
