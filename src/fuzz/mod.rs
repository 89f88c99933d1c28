//! Many runs: seeds in, report out.

pub mod parallel;
pub mod swarm;
