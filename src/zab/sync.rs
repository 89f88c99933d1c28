//! Phase 2: synchronisation. The leader brings every learner to its own history; when a quorum has it, the leader is
//! established.
//!
//! ```text
//! leader                                        learner
//!   DIFF | TRUNC | SNAP chunks SNAPDONE ──────►   plans nothing, does as told
//!   (PROPOSAL COMMIT)*  what is missing ──────►   queued
//!   PROPOSAL*           what is under way ────►   queued
//!   NEWLEADER ────────────────────────────────►   history durable, then currentEpoch durable, then
//!   ◄──────────────────────────── ACK(e:0)
//!   a quorum acknowledged: established
//!   UPTODATE ─────────────────────────────────►   serves; logs what is left
//!   ◄──────────────────────────── ACK(e:0)        (a second one, ignored)
//! ```
//!
//! [`SyncPlan::choose`] decides for the leader, [`LearnerSync`] obeys for the learner.

mod learner;
mod plan;

pub use learner::{LearnerSync, Leftovers, Synced};
pub use plan::{SyncPlan, SyncView};
