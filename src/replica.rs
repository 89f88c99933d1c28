//! `Replica`: one server between its sockets and its disk, a [`Peer`] and the service it replicates.

use crate::zab::{
    Config, Input, Instant, Output, Outputs, Payload, Peer, Recovered, SnapshotImage, Timer, Txn, Write, WriteId, Zxid,
};

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

/// A [`Peer`] with the service it replicates. Driven like a peer; what concerns the service is answered here, so that both
/// hosts are left with sockets, disk and clock.
#[derive(Clone, Debug)]
pub struct Replica<S: Service> {
    peer: Peer,
    service: S,
    /// Buffers to use again.
    spare: Vec<Outputs>,
}

/// What is left for the host to do, in order.
#[derive(Clone, Debug)]
pub enum Effect<S: Service> {
    /// An output of the peer that only a host can execute.
    Output(Output),
    /// Write this snapshot of the service's state: the host's form of [`Write::WriteSnapshot`].
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

impl<S: Service> Replica<S> {
    /// A server that boots: `service` is in the state that `recovered` describes.
    pub fn new(config: Config, recovered: Recovered, service: S, now: Instant, out: &mut Vec<Effect<S>>) -> Replica<S> {
        let mut outputs = Outputs::new();
        let peer = Peer::new(config, recovered, now, &mut outputs);
        let mut replica = Replica { peer, service, spare: Vec::new() };
        replica.settle(now, outputs, out);
        replica
    }

    /// Takes one input; appends what the host must do.
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut Vec<Effect<S>>) {
        let mut outputs = self.spare.pop().unwrap_or_default();
        self.peer.handle(now, input, &mut outputs);
        self.settle(now, outputs, out);
    }

    /// The answer to [`Output::Reload`]: `service` is in the state that `recovered` describes.
    pub fn reloaded(&mut self, now: Instant, recovered: Recovered, service: S, out: &mut Vec<Effect<S>>) {
        self.service = service;
        self.handle(now, Input::Reloaded(Box::new(recovered)), out);
    }

    /// Answers what the service can answer, passes on the rest.
    fn settle(&mut self, now: Instant, mut outputs: Outputs, out: &mut Vec<Effect<S>>) {
        for output in outputs.drain(..) {
            match output {
                Output::Prepare { zxid, request } => {
                    let payload = self.service.prepare(zxid, &request);
                    out.push(Effect::Proposed { txn: Txn { zxid, payload: payload.clone() } });
                    self.handle(now, Input::Prepared { zxid, payload }, out);
                }
                Output::ReadSnapshot { read } => {
                    let image = SnapshotImage { zxid: self.peer.last_zxid(), chunks: self.service.snapshot() };
                    self.handle(now, Input::SnapshotRead { read, image }, out);
                }
                Output::Deliver(txn) => self.apply(txn, true, out),
                Output::FastForward(txn) => self.apply(txn, false, out),
                Output::Restore(image) => {
                    self.service.restore(&image);
                    out.push(Effect::Restored { zxid: image.zxid, digest: self.service.digest() });
                }
                Output::Persist { id, write: Write::WriteSnapshot { zxid } } => {
                    out.push(Effect::Snapshot { id, zxid, chunks: self.service.snapshot() });
                }
                Output::Serve { serving } => {
                    self.service.forget_prepared();
                    out.push(Effect::Output(Output::Serve { serving }));
                }
                output => out.push(Effect::Output(output)),
            }
        }
        self.spare.push(outputs);
    }

    fn apply(&mut self, txn: Txn, committed: bool, out: &mut Vec<Effect<S>>) {
        let effect = self.service.apply(&txn);
        out.push(Effect::Applied { txn, effect, digest: self.service.digest(), committed });
    }

    /// The protocol's side.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The service's side.
    pub fn service(&self) -> &S {
        &self.service
    }

    /// When it wants to be woken, and why.
    pub fn next_timeout(&self) -> Option<(Instant, Timer)> {
        self.peer.next_timeout()
    }
}
