//! Every deadline of a peer carries its name.

use super::Instant;

/// Why a peer wants to be woken. T-numbers are those of ZooKeeper's time-outs as the documentation of each field tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// No notification came: send ours again.
    NotificationWait,
    /// No better vote came: decide.
    FinalizeWait,
    /// An observer pauses before it looks again.
    ObserverDelay,
    /// Try to connect to the leader again.
    ConnectRetry,
    /// The leader was not reached in time.
    ConnectBudget,
    /// The leader was silent too long.
    LeaderSilent,
    /// Too few promises, epoch acknowledgements or NEWLEADER acknowledgements in time.
    QuorumWait,
    /// Half a tick: ping, and every second time look for the quorum.
    HalfTick,
    /// A learner was silent, or waited, too long; or its NEWLEADER, which trails, is due.
    LearnerSilent,
    /// The service has something to do.
    Service,
}

/// A deadline with its name.
pub type Deadline = (Instant, Timer);

/// The earliest of two deadlines.
pub fn earliest(a: Option<Deadline>, b: Option<Deadline>) -> Option<Deadline> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
