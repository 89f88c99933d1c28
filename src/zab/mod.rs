//! The protocol: four phases, pure state machines, no IO, clock, randomness, threads or hashing order.
//!
//! | | Looking | Leading | Following, Observing |
//! |---|---|---|---|
//! | 0 election | [`election`]: votes until a quorum agrees | | |
//! | 1 discovery | | [`discovery`], [`leader`]: collects promises and histories, chooses the epoch | [`learner`]: FOLLOWERINFO, ACKEPOCH |
//! | 2 synchronisation | | [`sync`]: DIFF, TRUNC or SNAP, then NEWLEADER, UPTODATE | [`sync`]: makes it durable, acknowledges |
//! | 3 broadcast | | [`broadcast`]: PROPOSAL, ACK, COMMIT, INFORM | [`learner`], [`observer`]: log, acknowledge, deliver |
//!
//! [`Peer`] is the door: one [`Input`] in, [`Outputs`] out. Sources are cited where things are implemented: the Zab paper
//! (Junqueira, Reed, Serafini, DSN 2011) by section, ZooKeeper by class and issue.

pub mod broadcast;
mod conduct;
mod config;
pub mod discovery;
pub mod election;
mod ensemble;
mod habit;
mod input;
pub mod leader;
pub mod learner;
mod local;
mod log;
mod message;
#[cfg(feature = "mutants")]
mod mutant;
pub mod observer;
mod output;
mod peer;
pub mod progress;
pub mod quorum;
mod release;
mod storage;
pub mod sync;
mod time;
mod timer;
mod txn;
mod vote;
mod zxid;

pub use conduct::Conduct;
pub(crate) use conduct::mutant;
pub use config::{Config, ConfigError, Limits, MOST_TICKS, Ratio};
pub use ensemble::{Acks, Ensemble, EnsembleError, MemberRole, Sid, Verifiers};
pub use habit::{Habit, Habits};
pub use input::Input;
pub use local::Local;
pub use log::Log;
pub use message::{LinkId, Message, NOTIFICATION_VERSION, Notification, Request};
#[cfg(feature = "mutants")]
pub use mutant::{Mutant, Place};
pub use output::{HaltReason, LeaveReason, Milestone, Output, Outputs, Phase, Reason, Rejected, SyncMode};
pub use peer::Peer;
pub use quorum::MemberSet;
pub use release::Release;
pub use storage::{LogSlice, ReadId, Recovered, SnapshotImage, Write, WriteError, WriteId};
pub use time::{Duration, Instant, ParseTimeError};
pub use timer::{Timer, earliest};
pub use txn::{Payload, Txn};
pub use vote::{CastVote, PeerState, Vote};
pub use zxid::{Epoch, Zxid};
