//! `Event`: everything that happened in a step, as checkers, diagrams and summaries see it.
//!
//! Events are `Copy` and small; a packet is seen by its name, zxid and epoch, a txn by its zxid and digest.

use super::action::{DiskMode, LinkKey, Loss, Node, Op, Stage};
use super::tree::TreeEvent;
use crate::zab::{Epoch, HaltReason, Milestone, Notification, PeerState, Reason, WriteError, WriteId, Zxid};

/// The digest of a txn's payload, or of a service's state.
pub type Digest = u64;

/// A packet as seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Packet {
    /// Its kind.
    pub kind: PacketKind,
    /// The zxid it carries ([`Message::zxid`](crate::zab::Message::zxid)).
    pub zxid: Zxid,
    /// The epoch it carries beside the zxid: `current_epoch` of ACKEPOCH, `accepted_epoch` of FOLLOWERINFO.
    pub epoch: Option<Epoch>,
    /// The payload's digest, of PROPOSAL and INFORM.
    pub digest: Digest,
}

/// The kinds of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are ZooKeeper's and documented on `Message`")]
pub enum PacketKind {
    FollowerInfo,
    ObserverInfo,
    LeaderInfo,
    AckEpoch,
    Diff,
    Trunc,
    Snap,
    SnapChunk,
    SnapDone,
    NewLeader,
    UpToDate,
    RequestWrite,
    RequestSync,
    Proposal,
    Ack,
    Commit,
    Inform,
    Ping,
    Sync,
    Revalidate,
}

/// A write as seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiskWrite {
    /// acceptedEpoch.
    AcceptedEpoch(Epoch),
    /// currentEpoch.
    CurrentEpoch(Epoch),
    /// A txn appended to the log.
    Append {
        /// The txn.
        zxid: Zxid,
        /// Its payload's digest.
        digest: Digest,
    },
    /// The log cut after a txn; newer snapshots deleted.
    Truncate {
        /// The last txn kept.
        to: Zxid,
    },
    /// A snapshot written, not durable.
    WriteSnapshot {
        /// The last txn in it.
        zxid: Zxid,
    },
    /// A received snapshot made durable and adopted; the log starts anew after it.
    InstallSnapshot {
        /// The last txn in it.
        zxid: Zxid,
    },
}

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    // The election plane.
    /// A notification was put into a mailbox.
    NotificationSent {
        /// Sender.
        from: Node,
        /// Receiver.
        to: Node,
        /// What it says.
        notification: Notification,
    },
    /// A notification was handed to its receiver.
    NotificationReceived {
        /// Sender.
        from: Node,
        /// Receiver.
        to: Node,
        /// What it says.
        notification: Notification,
        /// Whether it had been delivered before, or an unsent newer one existed.
        replayed: bool,
    },
    /// A notification was lost.
    NotificationLost {
        /// Sender.
        from: Node,
        /// Receiver.
        to: Node,
    },

    // The quorum plane.
    /// A connection stands.
    LinkOpened {
        /// The link.
        link: LinkKey,
    },
    /// A connection attempt failed.
    ConnectFailed {
        /// The learner.
        dialer: Node,
        /// The leader.
        acceptor: Node,
    },
    /// A packet was sent.
    Sent {
        /// The link.
        link: LinkKey,
        /// Sender.
        from: Node,
        /// The packet.
        packet: Packet,
    },
    /// A packet is handed to its receiver, whose reaction follows.
    Received {
        /// The link.
        link: LinkKey,
        /// Receiver.
        to: Node,
        /// The packet.
        packet: Packet,
    },
    /// A peer closed a link.
    Disconnected {
        /// The link.
        link: LinkKey,
        /// Who closed it.
        by: Node,
        /// Why.
        reason: Reason,
    },
    /// A peer noticed that a link is gone.
    CloseNoticed {
        /// The link.
        link: LinkKey,
        /// Who noticed.
        at: Node,
    },

    // Disks.
    /// A write was issued: it survives the end of the process, not of the power.
    Written {
        /// The node.
        node: Node,
        /// Its number.
        id: WriteId,
        /// What.
        write: DiskWrite,
    },
    /// One write is durable (on a lying disk: is said to be). In order, one event per write, before the peer is told.
    Synced {
        /// The node.
        node: Node,
        /// Its number.
        id: WriteId,
        /// What.
        write: DiskWrite,
        /// Whether the disk lied.
        lie: bool,
    },
    /// A write failed.
    WriteFailed {
        /// The node.
        node: Node,
        /// Its number.
        id: WriteId,
        /// Why.
        error: WriteError,
    },
    /// A node read its disk, at boot or to reload.
    Recovered {
        /// The node.
        node: Node,
        /// Its promise.
        accepted_epoch: Option<Epoch>,
        /// The epoch of its history.
        current_epoch: Option<Epoch>,
        /// The snapshot it started from; [`Zxid::ZERO`] without one.
        snapshot: Zxid,
        /// The last zxid of its history.
        last_zxid: Zxid,
        /// The service's digest after replay.
        digest: Digest,
        /// Whether this is a boot (else a reload).
        boot: bool,
    },

    // The service.
    /// A leader prepared a txn and broadcasts it.
    Proposed {
        /// The leader.
        node: Node,
        /// The txn.
        zxid: Zxid,
        /// Its payload's digest.
        digest: Digest,
    },
    /// A committed txn was applied.
    Delivered {
        /// The node.
        node: Node,
        /// The txn.
        zxid: Zxid,
        /// Its payload's digest.
        digest: Digest,
        /// The service's digest afterwards.
        state: Digest,
        /// Whether the txn was prepared on the state it was applied to.
        in_order: bool,
    },
    /// A logged txn, not known to be committed, was applied because a role ended.
    FastForwarded {
        /// The node.
        node: Node,
        /// The txn.
        zxid: Zxid,
        /// Its payload's digest.
        digest: Digest,
        /// The service's digest afterwards.
        state: Digest,
    },
    /// The service's state was replaced by one received from a leader.
    Restored {
        /// The node.
        node: Node,
        /// The last txn in it.
        zxid: Zxid,
        /// The service's digest.
        state: Digest,
    },
    /// A node began or ended serving clients. When it begins, everything applied so far counts as delivered.
    Serving {
        /// The node.
        node: Node,
        /// The role, `None` when it ends.
        state: Option<PeerState>,
    },
    /// What the peer said of itself.
    Milestone {
        /// The node.
        node: Node,
        /// What.
        milestone: Milestone,
    },

    // Processes.
    /// A process began.
    Started {
        /// The node.
        node: Node,
    },
    /// A process ended. `Lost` events for its unsynced writes follow if the power failed.
    Crashed {
        /// The node.
        node: Node,
        /// What is lost.
        loss: Loss,
        /// Whether it fell between two outputs of a step.
        inside: bool,
    },
    /// An unsynced write did not survive.
    Lost {
        /// The node.
        node: Node,
        /// What.
        write: DiskWrite,
    },
    /// A process ended itself.
    Halted {
        /// The node.
        node: Node,
        /// Why.
        reason: HaltReason,
    },
    /// A fault outside processes began or ended: what the action said.
    Fault(Fault),

    // Clients.
    /// A client sent an operation. A write carries the client's next serial.
    Invoked {
        /// The client.
        client: u8,
        /// To which server.
        server: Node,
        /// What.
        op: Op,
        /// The serial of the client's operation, ascending over all its operations.
        serial: u32,
    },
    /// A server answered.
    Replied {
        /// The client.
        client: u8,
        /// The server.
        server: Node,
        /// What.
        op: Op,
        /// The serial of the operation.
        serial: u32,
        /// The server's last processed zxid when it answered; for a write the zxid of the txn.
        zxid: Zxid,
        /// The serial of this client's last write that the answering state contains.
        seen: u32,
    },
    /// A server refused, for it serves nobody, or its state is older than what the session has seen.
    Refused {
        /// The client.
        client: u8,
        /// The server.
        server: Node,
        /// The serial of the operation.
        serial: u32,
    },
    /// The connection to the server broke: the outcome of the operation is unknown.
    Abandoned {
        /// The client.
        client: u8,
        /// The server.
        server: Node,
        /// The serial of the operation.
        serial: u32,
    },

    /// Something happened to ZooKeeper's tree, a session or a watch.
    Tree(TreeEvent),

    // The run.
    /// The run entered a stage.
    StageEntered {
        /// The stage.
        stage: Stage,
    },
}

/// A fault outside processes, as it begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// See [`Action::Cut`](super::action::Action::Cut).
    Cut {
        /// The sending side.
        from: Node,
        /// The receiving side.
        to: Node,
    },
    /// A cut ended.
    Mended {
        /// The sending side.
        from: Node,
        /// The receiving side.
        to: Node,
    },
    /// A link was reset.
    Reset {
        /// The link.
        link: LinkKey,
        /// Packets lost.
        lost: u16,
    },
    /// A link became half open.
    HalfOpened {
        /// The link.
        link: LinkKey,
        /// Who notices.
        at: Node,
    },
    /// A machine stands still.
    Paused {
        /// The node.
        node: Node,
    },
    /// It goes on.
    Resumed {
        /// The node.
        node: Node,
    },
    /// A disk's content is gone.
    Wiped {
        /// The node.
        node: Node,
    },
    /// A disk behaves differently.
    Disk {
        /// The node.
        node: Node,
        /// How.
        mode: DiskMode,
    },
    /// A clock jumped.
    ClockJumped {
        /// The node.
        node: Node,
        /// Forward, in milliseconds.
        millis: u32,
    },
    /// A packet overtook others on a link whose FIFO is switched off.
    Overtaken {
        /// The link.
        link: LinkKey,
        /// Who receives it.
        to: Node,
        /// How many it overtook.
        skip: u16,
    },
}
