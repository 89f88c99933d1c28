//! `Peer`: owns the role and routes inputs; the only place that assigns a role or phase.
use std::collections::VecDeque;
use std::fmt;

use super::*;

/// The timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// stub
    Tick,
}

/// A peer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Peer {}

#[allow(unused_variables, missing_docs)]
impl Peer {
    pub fn new(config: Config, recovered: Recovered, now: Instant, out: &mut Outputs) -> Peer {
        todo!()
    }
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut Outputs) {
        todo!()
    }
    pub fn next_timeout(&self) -> Option<(Instant, Timer)> {
        todo!()
    }
    pub fn sid(&self) -> Sid {
        todo!()
    }
    pub fn state(&self) -> PeerState {
        todo!()
    }
    pub fn phase(&self) -> Phase {
        todo!()
    }
    pub fn accepted_epoch(&self) -> Epoch {
        todo!()
    }
    pub fn current_epoch(&self) -> Epoch {
        todo!()
    }
    pub fn last_zxid(&self) -> Zxid {
        todo!()
    }
    pub fn last_committed(&self) -> Zxid {
        todo!()
    }
    pub fn window(&self) -> &VecDeque<Txn> {
        todo!()
    }
    pub fn leader(&self) -> Option<Sid> {
        todo!()
    }
    pub fn is_serving(&self) -> bool {
        todo!()
    }
}
impl fmt::Display for Peer {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}
