//! The real server: the replica between sockets, a disk and a clock. The only module that knows tokio.
//!
//! ```text
//! client port ──┐                              ┌─▶ disk thread: file operations, one sync for many writes
//! quorum links ─┼─▶ driver: owns the replica ──┼─▶ sockets
//! election port ┘   (one thread, no locks)     └─▶ metrics
//! ```

pub mod config;

pub mod metrics;

pub mod report;

pub mod words;
