//! What a replica replicates, and what passes between it and the peer.

use crate::zab::{Epoch, Instant, Payload, PeerState, Rejected, Sid, Txn, Zxid};

/// The replicated state machine. Zab is primary-backup: the leader's service turns a request into an idempotent txn
/// against the latest *proposed* state, and every service applies txns in the order of the history.
///
/// Clients, timers and the services of other servers reach it through the methods that take [`Asks`]: what it wants of its
/// peer and of its host goes there, in order. A service that has none of these leaves them as they are.
pub trait Service: Clone {
    /// What applying a txn tells the host.
    type Effect;
    /// What a host hands over from the clients of this server.
    type Call;
    /// What it gets back for them.
    type Answer;
    /// The whole state at one moment, in pieces for the wire and for a snapshot file. They can be made while txns go on.
    type Image: IntoIterator<Item = Payload>;

    /// Turns a request of a client of `from` into a txn's payload, against the state after every txn prepared so far.
    fn prepare(&mut self, now: Instant, zxid: Zxid, from: Sid, request: &Payload) -> Payload;

    /// Whether a txn is one that this service knows; if not, a sentence says why. A host asks this of what another server or a
    /// disk gives it, and takes nothing else: once it is in the history, [`Service::apply`] cannot refuse it.
    fn check(txn: &Txn) -> Result<(), String> {
        let _ = txn;
        Ok(())
    }

    /// Applies a txn; `committed` says whether clients may see it.
    fn apply(&mut self, now: Instant, txn: &Txn, committed: bool, asks: &mut Asks<Self>) -> Self::Effect;

    /// The peer serves in this state and epoch from now on, or no longer does. What was prepared and not applied is forgotten:
    /// leadership ended, or another leader took over.
    fn serve(
        &mut self,
        now: Instant,
        serving: Option<PeerState>,
        epoch: Epoch,
        leader: Option<Sid>,
        asks: &mut Asks<Self>,
    );

    /// The whole state as it is now. Everybody waits for this, and for nobody who makes pieces of it.
    fn freeze(&self) -> Self::Image;

    /// Replaces the whole state by the one of `zxid` that the pieces are together. Where they are none, it stays as it is, and a
    /// sentence says what is wrong.
    fn restore(&mut self, zxid: Zxid, pieces: &[&[u8]]) -> Result<(), String>;

    /// The snapshot that was just restored has this digest once the txn `until` is applied. It was perhaps written while the
    /// state went on changing, and is none before.
    fn expect_digest(&mut self, until: Zxid, digest: u64) {
        let _ = (until, digest);
    }

    /// Replaces the whole state by that of `read`, a new service that was brought to what is on disk. What belongs to the
    /// server and not to the state stays: clients above all, who may connect to one that does not serve.
    fn reload(&mut self, read: Self) {
        *self = read;
    }

    /// A digest of the applied state: equal states, equal digests.
    fn digest(&self) -> u64;

    /// A client of this server did something.
    fn call(&mut self, now: Instant, call: Self::Call, asks: &mut Asks<Self>) {
        let _ = (now, call, asks);
    }

    /// A `sync` that this service asked for is complete.
    fn synced(&mut self, now: Instant, token: u64, asks: &mut Asks<Self>) {
        let _ = (now, token, asks);
    }

    /// A request or `sync` that this service asked for was refused: nothing is served.
    fn rejected(&mut self, now: Instant, rejected: &Rejected, asks: &mut Asks<Self>) {
        let _ = (now, rejected, asks);
    }

    /// The service of another server says something: the leader's to a learner, or the other way.
    fn heard(&mut self, now: Instant, from: Sid, what: &Payload, asks: &mut Asks<Self>) {
        let _ = (now, from, what, asks);
    }

    /// A leader's service learns which sessions a learner heard of.
    fn touched(&mut self, now: Instant, from: Sid, sessions: &Payload) {
        let _ = (now, from, sessions);
    }

    /// Which sessions a learner heard of since it was asked last: goes into the answer to a PING.
    fn take_touched(&mut self) -> Payload {
        Payload::EMPTY
    }

    /// What unix time, in milliseconds, it was at [`Instant::ZERO`], as far as the host knows by now: a clock may be set, and a machine
    /// may sleep.
    fn set_wall_clock(&mut self, base: i64) {
        let _ = base;
    }

    /// When it wants to be woken.
    fn next_timeout(&self) -> Option<Instant> {
        None
    }

    /// A timer may be due.
    fn wake(&mut self, now: Instant, asks: &mut Asks<Self>) {
        let _ = (now, asks);
    }
}

/// What a service wants done, in order.
pub type Asks<S> = Vec<Ask<<S as Service>::Answer>>;

/// Something a service wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask<A> {
    /// A write, for the leader's service to prepare.
    Submit(Payload),
    /// Tell me when everything committed before now has been applied here. Answered by [`Service::synced`].
    Sync {
        /// Comes back.
        token: u64,
    },
    /// Say this to the service of another server: a learner to its leader, or the other way.
    Tell {
        /// To whom.
        to: Sid,
        /// What.
        what: Payload,
    },
    /// For a client of this server.
    Answer(A),
}
