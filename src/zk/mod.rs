//! What ZooKeeper adds to the protocol, still pure: no IO, no clock.
//!
//! | module | turns |
//! |---|---|
//! | [`model`] | nothing: the vocabulary of clients, txns and the tree |
//! | [`wire`] | bytes ↔ types: jute, client frames, quorum packets, notifications, txns |
//! | [`service`] | requests → txns → replies and watch events: the replicated state machine |
//! | [`store`] | bytes ↔ durable history, in ZooKeeper's files |
//!
//! Each imports only those above it.

pub mod model;

pub mod wire;

pub mod service;

pub mod store;
