//! `Property`: the catalogue of what must hold.

use std::fmt;

use crate::sim::ServiceKind;

/// Something that must hold. S: core safety, D: durability and recovery, E: epochs and election, C: the code's own states,
/// K: clients, L: liveness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// Single primary: in no epoch do two peers lead beyond discovery, nor are two established.
    S1,
    /// Integrity: whatever is delivered was broadcast, with the same payload.
    S2,
    /// Unique zxids: no zxid is broadcast for two txns or by two primaries.
    S3,
    /// Agreement: of two peers, one delivered a prefix of what the other delivered.
    S4,
    /// Total order: every peer delivers a prefix of the one sequence ever chosen.
    S5,
    /// Local primary order: a txn is delivered right after the one its primary broadcast before it.
    S6,
    /// Global primary order: zxids only ascend in what a peer delivers.
    S7,
    /// Primary integrity: a primary delivered every earlier-epoch txn that anybody ever delivers before its own first broadcast.
    S8,
    /// Initial history integrity: the initial history of an established epoch begins that of every later epoch.
    S9,
    /// Commit consistency: a peer that serves an epoch has delivered that epoch's initial history.
    S10,
    /// History consistency: of two peers that take part in an epoch, one's log is a prefix of the other's.
    S11,
    /// Process consistency: the log of a follower that acknowledged NEWLEADER is a prefix of its leader's.
    S12,
    /// Leader completeness: whoever leads beyond discovery, or is established, has everything chosen in its log.
    D1,
    /// Committed log durability: neither TRUNC nor SNAP removes a chosen txn from a log.
    D2,
    /// Committed log monotonicity: what a leader commits extends everything chosen before.
    D3,
    /// Quorum durability: what is committed is synced on the disks of a quorum of participants.
    D4,
    /// Full-restart completeness: after everybody died and a quorum restarted, nothing chosen is missing.
    D5,
    /// Ack durability: an ACK is sent only for what is synced on the sender's own disk.
    D6,
    /// History before epoch: currentEpoch is synced only after the epoch's initial history.
    D7,
    /// Honest claims: the zxid that a peer claims in a vote or ACKEPOCH is the end of its durable history.
    D8,
    /// No holes: log, applied state, snapshots and committed window are contiguous.
    D9,
    /// Restart idempotence: a restart yields the history on the disk, and the state that belongs to it.
    D10,
    /// Faithful files: what a server reads from its files is what was written to its disk.
    D11,
    /// Ascending epochs: acceptedEpoch and currentEpoch never decrease on a disk.
    E1,
    /// Ordered epochs: currentEpoch is not above acceptedEpoch, nor the history above currentEpoch once a peer votes.
    E2,
    /// Promise: after a promise for an epoch a peer acknowledges nothing of a lower one, and promises are durable before they are told.
    E3,
    /// Fresh epoch: a leader's epoch is above every promise it was told by a quorum.
    E4,
    /// Best history: a leader's history is at least as recent as each one that a quorum told it.
    E5,
    /// Ordered votes: within a round a proposal changes only to a greater one.
    E6,
    /// Sound election: an election ends only with the votes of a quorum, in one round or confirmed by the leader.
    E7,
    /// Pure quorums: who does not vote is counted nowhere.
    E8,
    /// Commit rule: a leader commits its own epoch's txns one after the other, each with a quorum.
    E9,
    /// Legal packets: every packet is legal for role and phase.
    C1,
    /// Contiguous proposals: each PROPOSAL follows the last one on its link.
    C2,
    /// Matching commits: each COMMIT is for the oldest pending proposal.
    C3,
    /// Ack order: a learner acknowledges proposals only after NEWLEADER.
    C4,
    /// Synced followers: a follower holds the initial history when the leader counts its NEWLEADER ack.
    C5,
    /// Truncation target: TRUNC names a txn of the learner's log, not before what it delivered.
    C6,
    /// Honest snapshots: a snapshot is of exactly what was applied, and while serving of nothing beyond what is committed.
    C7,
    /// No aborts: no peer ends itself or its role over legal input.
    C8,
    /// Monotonic reads: the zxids of a session's replies never decrease.
    K1,
    /// Read your writes: a reply's state holds every acknowledged write of its client.
    K2,
    /// Linearizable writes: a write or synced read comes after every write acknowledged before it was asked for.
    K3,
    /// Observers: an observer delivers what was committed, without a gap, and never first.
    K4,
    /// Session closure: no ephemeral node outlives its session.
    K5,
    /// Honest reads: an answer shows the state at the zxid it names, and what a client sees on a connection never goes back.
    K6,
    /// Watches: a client is told of the first change it watches for before it sees it, and of nothing else.
    K7,
    /// Leader after heal: a live connected quorum has exactly one leader with a synced quorum.
    L1,
    /// Progress: a write after the heal commits and is delivered everywhere.
    L2,
    /// Join: every live connected peer comes to serve everything chosen.
    L3,
    /// No livelock: after the heal there are few elections.
    L4,
    /// Restartability: a crashed peer can always start again.
    L5,
    /// Recovery time: after the heal a leader is established within the budget.
    L6,
}

const TABLE: [(&str, &str, &str); Property::COUNT] = [
    ("S1", "single primary", "in no epoch do two peers lead beyond discovery, nor are two established"),
    ("S2", "integrity", "whatever is delivered was broadcast, with the same payload"),
    ("S3", "unique zxids", "no zxid is broadcast for two txns or by two primaries"),
    ("S4", "agreement", "of two peers, one delivered a prefix of what the other delivered"),
    ("S5", "total order", "every peer delivers a prefix of the one sequence ever chosen"),
    ("S6", "local primary order", "a txn is delivered right after the one its primary broadcast before it"),
    ("S7", "global primary order", "zxids only ascend in what a peer delivers"),
    (
        "S8",
        "primary integrity",
        "a primary delivered every earlier-epoch txn that anybody ever delivers before its own first broadcast",
    ),
    ("S9", "initial history integrity", "the initial history of an established epoch begins that of every later epoch"),
    ("S10", "commit consistency", "a peer that serves an epoch has delivered that epoch's initial history"),
    ("S11", "history consistency", "of two peers that take part in an epoch, one's log is a prefix of the other's"),
    ("S12", "process consistency", "the log of a follower that acknowledged NEWLEADER is a prefix of its leader's"),
    (
        "D1",
        "leader completeness",
        "whoever leads beyond discovery, or is established, has everything chosen in its log",
    ),
    ("D2", "committed log durability", "neither TRUNC nor SNAP removes a chosen txn from a log"),
    ("D3", "committed log monotonicity", "what a leader commits extends everything chosen before"),
    ("D4", "quorum durability", "what is committed is synced on the disks of a quorum of participants"),
    ("D5", "full-restart completeness", "after everybody died and a quorum restarted, nothing chosen is missing"),
    ("D6", "ack durability", "an ACK is sent only for what is synced on the sender's own disk"),
    ("D7", "history before epoch", "currentEpoch is synced only after the epoch's initial history"),
    ("D8", "honest claims", "the zxid that a peer claims in a vote or ACKEPOCH is the end of its durable history"),
    ("D9", "no holes", "log, applied state, snapshots and committed window are contiguous"),
    ("D10", "restart idempotence", "a restart yields the history on the disk, and the state that belongs to it"),
    ("D11", "faithful files", "what a server reads from its files is what was written to its disk"),
    ("E1", "ascending epochs", "acceptedEpoch and currentEpoch never decrease on a disk"),
    (
        "E2",
        "ordered epochs",
        "currentEpoch is not above acceptedEpoch, nor the history above currentEpoch once a peer votes",
    ),
    (
        "E3",
        "promise",
        "after a promise for an epoch a peer acknowledges nothing of a lower one, and promises are durable before they are told",
    ),
    ("E4", "fresh epoch", "a leader's epoch is above every promise it was told by a quorum"),
    ("E5", "best history", "a leader's history is at least as recent as each one that a quorum told it"),
    ("E6", "ordered votes", "within a round a proposal changes only to a greater one"),
    (
        "E7",
        "sound election",
        "an election ends only with the votes of a quorum, in one round or confirmed by the leader",
    ),
    ("E8", "pure quorums", "who does not vote is counted nowhere"),
    ("E9", "commit rule", "a leader commits its own epoch's txns one after the other, each with a quorum"),
    ("C1", "legal packets", "every packet is legal for role and phase"),
    ("C2", "contiguous proposals", "each PROPOSAL follows the last one on its link"),
    ("C3", "matching commits", "each COMMIT is for the oldest pending proposal"),
    ("C4", "ack order", "a learner acknowledges proposals only after NEWLEADER"),
    ("C5", "synced followers", "a follower holds the initial history when the leader counts its NEWLEADER ack"),
    ("C6", "truncation target", "TRUNC names a txn of the learner's log, not before what it delivered"),
    (
        "C7",
        "honest snapshots",
        "a snapshot is of exactly what was applied, and while serving of nothing beyond what is committed",
    ),
    ("C8", "no aborts", "no peer ends itself or its role over legal input"),
    ("K1", "monotonic reads", "the zxids of a session's replies never decrease"),
    ("K2", "read your writes", "a reply's state holds every acknowledged write of its client"),
    (
        "K3",
        "linearizable writes",
        "a write or synced read comes after every write acknowledged before it was asked for",
    ),
    ("K4", "observers", "an observer delivers what was committed, without a gap, and never first"),
    ("K5", "session closure", "no ephemeral node outlives its session"),
    ("K6", "honest reads", "an answer shows the state at the zxid it names, and a connection's answers never go back"),
    ("K7", "watches", "a client is told of the first change it watches for, before it sees it, and of nothing else"),
    ("L1", "leader after heal", "a live connected quorum has exactly one leader with a synced quorum"),
    ("L2", "progress", "a write after the heal commits and is delivered everywhere"),
    ("L3", "join", "every live connected peer comes to serve everything chosen"),
    ("L4", "no livelock", "after the heal there are few elections"),
    ("L5", "restartability", "a crashed peer can always start again"),
    ("L6", "recovery time", "after the heal a leader is established within the budget"),
];

const ALL: [Property; Property::COUNT] = {
    use Property::*;
    [
        S1, S2, S3, S4, S5, S6, S7, S8, S9, S10, S11, S12, D1, D2, D3, D4, D5, D6, D7, D8, D9, D10, D11, E1, E2, E3,
        E4, E5, E6, E7, E8, E9, C1, C2, C3, C4, C5, C6, C7, C8, K1, K2, K3, K4, K5, K6, K7, L1, L2, L3, L4, L5, L6,
    ]
};

impl Property {
    /// How many there are.
    pub const COUNT: usize = Property::L6 as usize + 1;

    /// All of them, in the order of the catalogue.
    pub fn all() -> &'static [Property] {
        &ALL
    }

    /// Its short name, such as `S1`.
    pub fn id(self) -> &'static str {
        TABLE[self as usize].0
    }

    /// Its name in words.
    pub fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// What it says, in one sentence.
    pub fn statement(self) -> &'static str {
        TABLE[self as usize].2
    }

    /// The property with that id, in either case.
    pub fn from_id(id: &str) -> Option<Property> {
        ALL.into_iter().find(|p| p.id().eq_ignore_ascii_case(id))
    }

    /// Whether it speaks of liveness.
    pub fn is_liveness(self) -> bool {
        self >= Property::L1
    }

    /// Whether servers that replicate `service` have what it speaks of: the ledger has neither sessions, nodes and watches, nor
    /// files.
    pub fn is_applicable(self, service: ServiceKind) -> bool {
        let is_zookeepers = matches!(self, Property::D11 | Property::K5 | Property::K6 | Property::K7);
        !is_zookeepers || service == ServiceKind::ZooKeeper
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_variants_names_and_read_back() {
        for (i, &property) in Property::all().iter().enumerate() {
            assert_eq!((property as usize, property.id()), (i, format!("{property:?}").as_str()));
            assert_eq!(Property::from_id(&property.id().to_lowercase()), Some(property));
        }
        assert_eq!(Property::from_id("S13"), None);
    }
}
