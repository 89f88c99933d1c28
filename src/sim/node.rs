//! One server of the world: its process, while there is one, its disk and its clock.

use std::collections::VecDeque;

use super::clock::Clock;
use super::disk::Disk;
use super::machine::Machine;
use super::{Digest, Loss, Node};
use crate::replica::{Replica, Service};
use crate::zab::{Config, Instant, Peer, Zxid};
use crate::zk::service::Call;

/// A server.
#[derive(Clone, Debug)]
pub struct NodeState {
    pub(super) config: Config,
    /// The process, while it runs.
    pub(super) replica: Option<Box<Replica<Machine>>>,
    pub(super) disk: Disk,
    pub(super) clock: Clock,
    pub(super) paused: bool,
    pub(super) serving: bool,
    pub(super) incarnation: u32,
    /// The crash that waits for a step with more than so many outputs.
    pub(super) doom: Option<(u8, Loss)>,
    /// The earliest wake-up that a schedule knows of, in virtual time.
    pub(super) armed: Option<Instant>,
    /// In what its files differed from what was written to its disk, when that was seen last.
    pub(super) differs: Option<String>,
    /// What clients did that its process has not come to.
    pub(super) calls: VecDeque<Call>,
}

impl NodeState {
    pub(super) fn new(config: Config, disk: Disk, clock: Clock) -> NodeState {
        NodeState {
            config,
            replica: None,
            disk,
            clock,
            paused: false,
            serving: false,
            incarnation: 0,
            doom: None,
            armed: None,
            differs: None,
            calls: VecDeque::new(),
        }
    }

    /// Whether its process runs.
    pub fn is_up(&self) -> bool {
        self.replica.is_some()
    }

    /// Whether its machine stands still.
    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Whether something can happen to its process.
    pub(super) fn is_running(&self) -> bool {
        self.is_up() && !self.paused
    }

    /// How often its process was started.
    pub fn incarnation(&self) -> u32 {
        self.incarnation
    }

    /// Its process; `None` while down.
    pub fn replica(&self) -> Option<&Replica<Machine>> {
        self.replica.as_deref()
    }

    /// Its peer; `None` while down.
    pub fn peer(&self) -> Option<&Peer> {
        self.replica.as_ref().map(|replica| replica.peer())
    }

    /// Its disk.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The digest of the applied state.
    pub fn digest(&self) -> Option<Digest> {
        self.replica.as_ref().map(|replica| replica.service().digest())
    }

    /// The last txn of the applied state.
    pub fn last_applied(&self) -> Option<Zxid> {
        self.replica.as_ref().map(|replica| replica.service().last_zxid())
    }

    /// Whom it follows, or itself.
    pub fn leader(&self) -> Option<Node> {
        self.peer().and_then(Peer::leader).map(Node::of)
    }

    /// Whether it serves clients.
    pub fn is_serving(&self) -> bool {
        self.serving
    }

    /// How many writes are issued and not yet synced.
    pub fn unsynced(&self) -> u16 {
        self.disk.unsynced()
    }

    /// Whether it has lost its data and was not synchronised since, or would be there again if its power failed now.
    pub fn may_be_dataless(&self) -> bool {
        self.disk.may_be_dataless()
    }

    /// What its clock shows at a virtual time.
    pub fn local_time(&self, at: Instant) -> Instant {
        self.clock.to_local(at)
    }

    /// The virtual time of its next timer, if it has one.
    pub fn next_wake(&self) -> Option<Instant> {
        let (deadline, _) = self.replica.as_ref()?.next_timeout()?;
        (deadline != Instant::NEVER).then(|| self.clock.to_virtual(deadline))
    }
}
