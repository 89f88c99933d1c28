//! Many runs: seeds in, report out.

pub mod swarm;
