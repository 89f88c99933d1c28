//! Everything a peer can ask for.

use std::fmt;

use super::message::{LinkId, Message, Notification};
use super::quorum::MemberSet;
use super::storage::{ReadId, SnapshotImage, Write, WriteId};
use super::vote::{PeerState, Vote};
use super::{Epoch, Payload, Ratio, Sid, Txn, Zxid};

/// One request to the host. A host executes outputs in the order given; a crash may fall between any two.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// Put a notification into the mailbox of `to`: one slot, the newest replaces an unsent one; dial if there is no
    /// connection (`QuorumCnxManager.toSend`). To oneself it is a loopback, delivered like any other.
    Notify {
        /// The receiver.
        to: Sid,
        /// The notification.
        notification: Notification,
    },
    /// Open the quorum port.
    Listen,
    /// Close the quorum port.
    Unlisten,
    /// Connect to the quorum port of `to`. Answered by `Connected` or `ConnectFailed`.
    Connect {
        /// The leader.
        to: Sid,
    },
    /// Send a packet. Packets on one link arrive in order or not at all.
    Send {
        /// On which link.
        link: LinkId,
        /// The packet.
        message: Message,
    },
    /// Close a link. No `Closed` comes back for it.
    Disconnect {
        /// Which one.
        link: LinkId,
        /// Why.
        reason: Reason,
    },
    /// Make something durable. Answered by `Persisted` or `WriteFailed`.
    Persist {
        /// Ascending.
        id: WriteId,
        /// What.
        write: Write,
    },
    /// Forget the service's state and recover it from disk, as at boot. Answered by `Reloaded`.
    Reload,
    /// Read the log for a lagging learner. Answered by `LogRead`.
    ReadLog {
        /// Comes back with the answer.
        read: ReadId,
        /// Start at the last record at or before this zxid.
        from: Zxid,
        /// Refuse if the log files after the first one are larger than this share of the newest snapshot; a limit of 0
        /// bytes is no limit (`snapshotSizeFactor`, hazard D13).
        size_factor: Ratio,
    },
    /// Copy the service's state for a learner. Answered by `SnapshotRead`.
    ReadSnapshot {
        /// Comes back with the answer.
        read: ReadId,
    },
    /// Replace the service's state by the one received from the leader. Answered only where that fails, by `NotRestored`.
    Restore(SnapshotImage),
    /// Let the service turn a request into a txn against the latest *proposed* state. Answered by `Prepared` in the same step.
    Prepare {
        /// The zxid the txn will have.
        zxid: Zxid,
        /// The server whose client asked.
        from: Sid,
        /// The request.
        request: Payload,
    },
    /// Apply a committed txn to the service, answer its client.
    Deliver(Txn),
    /// Apply a txn that is in the log but not known to be committed: the state in memory catches up with the log when a
    /// role ends (`ZKDatabase.fastForwardDataBase`). Not visible to clients.
    FastForward(Txn),
    /// Whether clients are served from now on (attach or detach the client port).
    Serve {
        /// The epoch and role served in; `None` to stop.
        serving: Option<PeerState>,
    },
    /// A `sync` is complete: everything committed before it has been delivered.
    Synced {
        /// From [`Input::Sync`](super::Input::Sync).
        token: u64,
    },
    /// The service of another server said something, beside the history: a learner to its leader, or the other way.
    Heard {
        /// Who.
        from: Sid,
        /// What.
        what: Payload,
    },
    /// A learner's clients were heard of, as its service writes them (the data of a PING).
    Touched {
        /// Who.
        from: Sid,
        /// Which sessions.
        sessions: Payload,
    },
    /// A request or `sync` cannot be taken, since nothing is served; its client must try elsewhere.
    Reject(Rejected),
    /// End the process.
    Halt(HaltReason),
    /// Something worth knowing happened inside. Hosts execute nothing for it; checkers, diagrams and metrics read it.
    Milestone(Milestone),
}

/// What was refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Rejected {
    /// A write.
    Write(Payload),
    /// A `sync`, by its token.
    Sync(u64),
}

/// The outputs of a step, in order. Kept by the host and reused.
pub type Outputs = Vec<Output>;

/// Why a process ends itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HaltReason {
    /// It was asked to.
    Stopped,
    /// A write failed: what is on disk is unknown (`SyncRequestProcessor` exits the same way).
    WriteFailed,
    /// The promise on disk is below the adopted epoch: the disk lost a synced write (`QuorumPeer.loadDataBase` refuses
    /// to start). Or that epoch is below the history's, and this release does not adopt it.
    EpochsInverted,
    /// A COMMIT was not for the oldest pending proposal (`FollowerZooKeeperServer.commit`, exit code 12).
    CommitMismatch,
}

/// Why a peer closes a link. The first group is the ordinary course of things; the second says that the other side
/// broke the protocol, which no correct peer over FIFO links does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// We left the role the link belonged to.
    RoleEnded,
    /// Nobody waits for this connection any more.
    Unwanted,
    /// The same learner came back on a new link.
    Replaced,
    /// Silence beyond the read time-out.
    ReadTimeout,
    /// Discovery or synchronisation took longer than initLimit.
    InitTimeout,
    /// A proposal stayed unacknowledged longer than syncLimit.
    SyncLimit,
    /// The learner's history is more recent than ours.
    LearnerAhead,
    /// The leader proposes an epoch below our promise.
    StaleEpoch,
    /// The learner has activated a later configuration.
    LaterConfig,
    /// Too many snapshots or diffs are being sent to observers.
    Throttled,
    /// A packet that this role and phase does not take.
    Unexpected,
    /// A proposal that does not follow the last one.
    ProposalGap {
        /// The one before.
        last: Zxid,
        /// The one that came.
        got: Zxid,
    },
    /// A commit that does not match the oldest pending proposal.
    CommitMismatch {
        /// The oldest pending proposal, if there is one.
        head: Option<Zxid>,
        /// The commit.
        got: Zxid,
    },
    /// Our disk does not reach back to where we should cut: what is left is no history to go on from. It happens when the
    /// history to cut came as a snapshot; the next synchronisation sends another one.
    TruncateTarget {
        /// Asked for.
        asked: Zxid,
        /// What the log ended with afterwards.
        found: Zxid,
    },
    /// The state that the leader sent is none.
    UnreadableState,
}

impl Reason {
    /// Whether only a peer that breaks the protocol (or a network that breaks FIFO) can cause it.
    pub fn is_protocol_error(self) -> bool {
        matches!(
            self,
            Reason::Unexpected
                | Reason::ProposalGap { .. }
                | Reason::CommitMismatch { .. }
                | Reason::TruncateTarget { .. }
                | Reason::UnreadableState
        )
    }
}

/// Why a role ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeaveReason {
    /// The leader could not be reached.
    ConnectFailed,
    /// The link to the leader ended.
    LinkLost,
    /// The leader was silent too long.
    ReadTimeout,
    /// The leader proposed an epoch below our promise.
    StaleEpoch,
    /// The leader broke the protocol.
    ProtocolError,
    /// Not enough followers told their epoch within initLimit.
    EpochTimeout,
    /// A voter of ours is looking again while we still wait for epochs (`maxTimeToWaitForEpoch`).
    DisloyalVoter,
    /// Not enough followers acknowledged the epoch within initLimit.
    EpochAckTimeout,
    /// Not enough followers acknowledged NEWLEADER within initLimit.
    NewLeaderTimeout,
    /// Too few synced followers are left.
    QuorumLost,
    /// The counter of this epoch is used up.
    CounterExhausted,
    /// A learner has promised itself to a later epoch, and could never follow this one.
    LaterPromise,
    /// A COMMIT was not for the oldest pending proposal, and this release ends the process over it.
    CommitMismatch,
    /// The process is stopping.
    Stopping,
}

/// How far a role has come (`ZabState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Phase 0.
    Election,
    /// Phase 1.
    Discovery,
    /// Phase 2.
    Synchronization,
    /// Phase 3.
    Broadcast,
}

/// How a learner is brought up to date (`SyncMode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SyncMode {
    /// Nothing is missing.
    EmptyDiff,
    /// Missing txns from the window in memory.
    Diff,
    /// Missing txns from the log on disk, then the window.
    DiskDiff,
    /// Cut a tail.
    Trunc,
    /// Cut a tail, then missing txns.
    TruncDiff,
    /// The whole state.
    Snap,
}

/// What happened inside a peer, said at the moment it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Milestone {
    /// The peer entered a state and phase. Said on every change.
    Entered {
        /// The state.
        state: PeerState,
        /// The phase.
        phase: Phase,
        /// The epoch of the role, once known.
        epoch: Option<Epoch>,
    },
    /// The peer's proposal changed in an election.
    Proposed {
        /// The new proposal.
        vote: Vote,
        /// In which round.
        round: u64,
    },
    /// An election ended for this peer.
    Elected {
        /// The outcome.
        vote: Vote,
        /// The round of the outcome.
        round: u64,
        /// Whose votes made the quorum.
        supporters: MemberSet,
    },
    /// A leader chose its epoch.
    EpochChosen {
        /// The epoch.
        epoch: Epoch,
        /// Whose promises were counted.
        joined: MemberSet,
    },
    /// A leader's epoch and history were acknowledged: it leaves discovery.
    EpochAcked {
        /// The epoch.
        epoch: Epoch,
        /// Whose histories were compared.
        acked: MemberSet,
        /// The last zxid of the leader's history, which becomes the initial history of the epoch.
        last_zxid: Zxid,
    },
    /// A leader decided how to bring a learner up to date.
    SyncPlanned {
        /// The learner.
        learner: Sid,
        /// How.
        mode: SyncMode,
        /// The learner's last zxid.
        learner_last: Zxid,
        /// The last zxid covered by what is sent at once.
        through: Zxid,
    },
    /// A quorum acknowledged NEWLEADER: the leader is established, its history is committed.
    Established {
        /// The epoch.
        epoch: Epoch,
        /// Whose acknowledgements were counted.
        acks: MemberSet,
    },
    /// A leader committed a txn of its epoch.
    Committed {
        /// The txn.
        zxid: Zxid,
        /// Whose acknowledgements were counted.
        acks: MemberSet,
    },
    /// A leader looked whether a quorum is still with it.
    QuorumChecked {
        /// Who is in step.
        synced: MemberSet,
    },
    /// A role ended.
    Left {
        /// Why.
        reason: LeaveReason,
    },
}

impl fmt::Display for SyncMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SyncMode::EmptyDiff => "empty DIFF",
            SyncMode::Diff => "DIFF",
            SyncMode::DiskDiff => "DIFF from disk",
            SyncMode::Trunc => "TRUNC",
            SyncMode::TruncDiff => "TRUNC then DIFF",
            SyncMode::Snap => "SNAP",
        })
    }
}
