//! The protocol.

mod config;
mod ensemble;
mod input;
mod message;
mod output;
mod peer;
pub mod quorum;
mod storage;
mod time;
mod txn;
mod vote;
mod zxid;

pub use config::{Config, ConfigError, Limits, Ratio};
pub use ensemble::{Acks, Ensemble, EnsembleError, MemberRole, Sid, Verifiers};
pub use input::Input;
pub use message::{LinkId, Message, NOTIFICATION_VERSION, Notification, Request};
pub use output::{HaltReason, LeaveReason, Milestone, Output, Outputs, Phase, Reason, Rejected, SyncMode};
pub use peer::{Peer, Timer};
pub use quorum::MemberSet;
pub use storage::{LogSlice, ReadId, Recovered, SnapshotImage, Write, WriteError, WriteId};
pub use time::{Duration, Instant, ParseTimeError};
pub use txn::{Payload, Txn};
pub use vote::{CastVote, PeerState, Vote};
pub use zxid::{Epoch, Zxid};
