//! `Replica`: one server between its sockets and its disk, a [`Peer`](crate::zab::Peer) and the service it replicates.

use crate::zab::{Config, Input, Instant, Output, Payload, Peer, Recovered, SnapshotImage, Timer, Txn, WriteId, Zxid};

/// The replicated state machine. Zab is primary-backup: the leader's service turns a request into an idempotent txn
/// against the latest *proposed* state, and every service applies txns in the order of the history.
pub trait Service: Clone {
    /// What applying a txn tells the host: replies, watch events, or nothing.
    type Effect;

    /// Turns a request into a txn's payload, against the state after every txn prepared so far.
    fn prepare(&mut self, zxid: Zxid, request: &Payload) -> Payload;

    /// Applies a txn.
    fn apply(&mut self, txn: &Txn) -> Self::Effect;

    /// Forgets what was prepared but not applied: leadership ended, or another leader took over.
    fn forget_prepared(&mut self);

    /// The whole state, in pieces for the wire and for a snapshot file.
    fn snapshot(&self) -> Vec<Payload>;

    /// Replaces the whole state.
    fn restore(&mut self, image: &SnapshotImage);

    /// A digest of the applied state: equal states, equal digests.
    fn digest(&self) -> u64;
}

/// stub
#[derive(Clone, Debug)]
pub struct Replica<S: Service> {
    #[allow(dead_code)]
    service: S,
}

/// What is left for the host to do, in order.
#[derive(Clone, Debug)]
pub enum Effect<S: Service> {
    /// An output of the peer that only a host can execute.
    Output(Output),
    /// Write this snapshot of the service's state: the host's form of [`Write::WriteSnapshot`](crate::zab::Write::WriteSnapshot).
    Snapshot {
        /// Answered by `Persisted` or `WriteFailed`.
        id: WriteId,
        /// The last txn in it.
        zxid: Zxid,
        /// The state.
        chunks: Vec<Payload>,
    },
    /// A leader prepared this txn and broadcasts it.
    Proposed {
        /// The txn.
        txn: Txn,
    },
    /// A txn was applied to the service.
    Applied {
        /// The txn.
        txn: Txn,
        /// What the service told.
        effect: S::Effect,
        /// Its digest afterwards.
        digest: u64,
        /// Whether the txn is known to be committed.
        committed: bool,
    },
    /// The service's state was replaced.
    Restored {
        /// The last txn in it.
        zxid: Zxid,
        /// Its digest.
        digest: u64,
    },
}

#[allow(unused_variables, missing_docs)]
impl<S: Service> Replica<S> {
    pub fn new(config: Config, recovered: Recovered, service: S, now: Instant, out: &mut Vec<Effect<S>>) -> Replica<S> {
        todo!()
    }
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut Vec<Effect<S>>) {
        todo!()
    }
    pub fn reloaded(&mut self, now: Instant, recovered: Recovered, service: S, out: &mut Vec<Effect<S>>) {
        todo!()
    }
    pub fn peer(&self) -> &Peer {
        todo!()
    }
    pub fn service(&self) -> &S {
        todo!()
    }
    pub fn next_timeout(&self) -> Option<(Instant, Timer)> {
        todo!()
    }
}
