//! What must hold. One property per file, each with its own small model; what several need is the [`Ghost`], which outlives
//! crashes and is updated from events alone.
//!
//! Checkers are strangers to the code they judge: they know the vocabulary of Zab (zxids, epochs, milestones), what the world
//! says happened, and no phase of the protocol. [`Checkers`] hands each event to exactly the checkers it concerns; no check
//! scans anything that grows with the run, and text is made only for a violation.

mod c1_legal_packets;
mod c2_contiguous_proposals;
mod c3_matching_commits;
mod c4_ack_order;
mod c5_synced_followers;
mod c6_truncation_target;
mod c7_honest_snapshots;
mod c8_no_aborts;
mod d10_restart_idempotence;
mod d11_faithful_files;
mod d1_leader_completeness;
mod d2_committed_log;
mod d3_committed_monotonic;
mod d4_quorum_durability;
mod d5_full_restart;
mod d6_ack_durability;
mod d7_history_before_epoch;
mod d8_honest_claims;
mod d9_no_holes;
mod e1_ascending_epochs;
mod e2_ordered_epochs;
mod e3_promise;
mod e4_fresh_epoch;
mod e5_best_history;
mod e6_ordered_votes;
mod e7_sound_election;
mod e8_pure_quorums;
mod e9_commit_rule;
mod end;
pub mod ghost;
mod k1_monotonic_reads;
mod k2_read_your_writes;
mod k3_linearizable;
mod k4_observers;
mod k5_session_closure;
mod k6_honest_reads;
mod k7_watches;
mod l1_leader_after_heal;
mod l2_progress;
mod l3_join;
mod l4_no_livelock;
mod l5_restartability;
mod l6_recovery_time;
mod links;
mod property;
mod reached;
mod routing;
mod s10_commit_consistency;
mod s11_history_consistency;
mod s12_process_consistency;
mod s1_single_primary;
mod s2_integrity;
mod s3_unique_zxids;
mod s4_agreement;
mod s5_total_order;
mod s6_local_primary_order;
mod s7_global_primary_order;
mod s8_primary_integrity;
mod s9_initial_history;
mod situations;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;
mod view;
mod violation;

pub use end::End;
pub use ghost::Ghost;
pub use property::Property;
pub use reached::{Reached, Situation};
pub use routing::Checkers;
pub use view::View;
pub use violation::{Sink, Violation};

use crate::sim::Node;
use crate::zab::MemberSet;

/// So many txns, for a sentence.
fn txns(count: usize) -> String {
    if count == 1 { "1 txn".into() } else { format!("{count} txns") }
}

/// The members of a set, for a sentence: `p1, p3`, or `nobody`.
fn names(members: MemberSet) -> String {
    let names: Vec<String> = members.iter().map(|i| Node::at(i).to_string()).collect();
    if names.is_empty() { "nobody".into() } else { names.join(", ") }
}
