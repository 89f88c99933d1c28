//! What a world is built from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::zab::{Conduct, Ensemble, Epoch, Limits, Zxid};

/// Everything a world is built from. The sids of the ensemble are 1 to the number of nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Who belongs to it.
    pub ensemble: Ensemble,
    /// One per member, in its order.
    pub nodes: Vec<NodeSetup>,
    /// How many clients there are.
    pub clients: u8,
    /// Whether links keep packets in order. Zab needs it; a scenario may switch it off to show what it protects.
    pub fifo: bool,
    /// The size of a piece of a snapshot, in bytes. A snapshot always has at least two.
    pub snapshot_chunk: usize,
    /// What is replicated.
    pub service: ServiceKind,
    /// How its peers behave.
    pub conduct: Conduct,
    /// The ids of the properties that checkers report; of all if empty. The world does not look at it.
    pub only: Vec<String>,
}

/// What the servers replicate, and how close to a real server they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ServiceKind {
    /// A hash chain, which shows a broken order at once. Packets and disks hold values, not bytes: fast.
    #[default]
    Ledger,
    /// The whole server: ZooKeeper's tree, sessions and watches, its bytes on every link, its files on every disk.
    ZooKeeper,
}

impl ServiceKind {
    /// Its name in scenarios and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            ServiceKind::Ledger => "ledger",
            ServiceKind::ZooKeeper => "zookeeper",
        }
    }

    /// The one of that name.
    pub fn from_name(name: &str) -> Option<ServiceKind> {
        [ServiceKind::Ledger, ServiceKind::ZooKeeper].into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it is the default.
    pub fn is_ledger(&self) -> bool {
        *self == ServiceKind::Ledger
    }
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSetup {
    /// Its options.
    pub limits: Limits,
    /// How fast its clock runs.
    pub drift: Drift,
    /// What is on its disk.
    pub history: History,
    /// Whether it is meant to run from the beginning. The world starts nobody by itself: it raises a
    /// [`Chance::Down`](super::Chance::Down) for each of these, and whoever chooses applies `Start`.
    pub starts: bool,
}

/// A local clock advances `numerator / denominator` of virtual time. Neither is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Above the line.
    pub numerator: u32,
    /// Below the line.
    pub denominator: u32,
}

impl Drift {
    /// A clock that runs as it should.
    pub const NONE: Drift = Drift { numerator: 1, denominator: 1 };
}

impl Default for Drift {
    fn default() -> Drift {
        Drift::NONE
    }
}

/// What is on the disk before the run. The default is a new server's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The promise.
    pub accepted_epoch: Epoch,
    /// The epoch of the history.
    pub current_epoch: Epoch,
    /// `(epoch, count)`, ascending: the txns (e,1) to (e,count) of each. The payload of a txn follows from the txns before it.
    pub txns: Vec<(Epoch, u32)>,
    /// The last txn of the only snapshot.
    pub snapshot_at: Option<Zxid>,
    /// Whether the log begins only after the snapshot.
    pub purged: bool,
}
