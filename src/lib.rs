//! A deterministic simulation testbed for Zab.

pub mod zab;

pub mod replica;

#[cfg(feature = "sim")]
pub mod check;

#[cfg(feature = "sim")]
pub mod sim;

#[cfg(feature = "sim")]
pub mod scenario;

#[cfg(feature = "sim")]
pub mod run;
