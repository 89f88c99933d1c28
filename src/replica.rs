//! `Replica`: one server between its sockets and its disk, a [`Peer`] and the service it replicates.

mod service;

use std::collections::VecDeque;

use crate::zab::{
    Config, Input, Instant, Message, Output, Outputs, Peer, PeerState, Recovered, SnapshotImage, Timer, Txn, Write,
    WriteId, Zxid, earliest,
};

pub use service::{Ask, Asks, Service};

/// A [`Peer`] with the service it replicates. Driven like a peer; what concerns the service is answered here, so that both
/// hosts are left with sockets, disk and clock.
#[derive(Clone, Debug)]
pub struct Replica<S: Service> {
    peer: Peer,
    service: S,
    /// What the service asked of the peer, for the end of the step.
    asked: VecDeque<Input>,
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
        image: S::Image,
        /// Its digest.
        digest: u64,
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
    /// The service has this for a client of this server.
    Answer(S::Answer),
}

impl<S: Service> Replica<S> {
    /// A server that boots: `service` is in the state that `recovered` describes.
    pub fn new(config: Config, recovered: Recovered, service: S, now: Instant, out: &mut Vec<Effect<S>>) -> Replica<S> {
        let mut outputs = Outputs::new();
        let peer = Peer::new(config, recovered, now, &mut outputs);
        let mut replica = Replica { peer, service, asked: VecDeque::new(), spare: Vec::new() };
        replica.settle(now, outputs, out);
        replica.do_as_asked(now, out);
        replica
    }

    /// Takes one input; appends what the host must do.
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut Vec<Effect<S>>) {
        if matches!(input, Input::Wake) && self.service.next_timeout().is_some_and(|at| now >= at) {
            self.consult(out, |service, asks| service.wake(now, asks));
        }
        self.step(now, input, out);
        self.do_as_asked(now, out);
    }

    /// A client of this server did something.
    pub fn call(&mut self, now: Instant, call: S::Call, out: &mut Vec<Effect<S>>) {
        self.consult(out, |service, asks| service.call(now, call, asks));
        self.do_as_asked(now, out);
    }

    /// The answer to [`Output::Reload`]: `service` is in the state that `recovered` describes, and gives that to the one
    /// that is here.
    pub fn reloaded(&mut self, now: Instant, recovered: Recovered, service: S, out: &mut Vec<Effect<S>>) {
        self.service.reload(service);
        self.handle(now, Input::Reloaded(Box::new(recovered)), out);
    }

    /// What the service asks of the peer waits for the end of the step: the outputs of one come before those of the next.
    fn do_as_asked(&mut self, now: Instant, out: &mut Vec<Effect<S>>) {
        while let Some(input) = self.asked.pop_front() {
            self.step(now, input, out);
        }
    }

    fn step(&mut self, now: Instant, input: Input, out: &mut Vec<Effect<S>>) {
        let mut outputs = self.spare.pop().unwrap_or_default();
        self.peer.handle(now, input, &mut outputs);
        self.settle(now, outputs, out);
    }

    /// Answers what the service can answer, passes on the rest.
    fn settle(&mut self, now: Instant, mut outputs: Outputs, out: &mut Vec<Effect<S>>) {
        for output in outputs.drain(..) {
            match output {
                Output::Prepare { zxid, from, request } => {
                    let payload = self.service.prepare(now, zxid, from, &request);
                    out.push(Effect::Proposed { txn: Txn { zxid, payload: payload.clone() } });
                    self.step(now, Input::Prepared { zxid, payload }, out);
                }
                Output::ReadSnapshot { read } => {
                    let image = SnapshotImage {
                        zxid: self.peer.last_zxid(),
                        chunks: self.service.freeze().into_iter().collect(),
                    };
                    self.step(now, Input::SnapshotRead { read, image }, out);
                }
                Output::Deliver(txn) => self.apply(now, txn, true, out),
                Output::FastForward(txn) => self.apply(now, txn, false, out),
                Output::Restore(image) => match self.service.restore(image.zxid, &image.pieces()) {
                    Ok(()) => out.push(Effect::Restored { zxid: image.zxid, digest: self.service.digest() }),
                    Err(_) => self.step(now, Input::NotRestored, out),
                },
                Output::Persist { id, write: Write::WriteSnapshot { zxid } } => {
                    let (image, digest) = (self.service.freeze(), self.service.digest());
                    out.push(Effect::Snapshot { id, zxid, image, digest });
                }
                Output::Serve { serving } => {
                    out.push(Effect::Output(Output::Serve { serving }));
                    let (epoch, leader) = (self.peer.current_epoch(), self.peer.leader());
                    self.consult(out, |service, asks| service.serve(now, serving, epoch, leader, asks));
                }
                Output::Synced { token } => {
                    out.push(Effect::Output(Output::Synced { token }));
                    self.consult(out, |service, asks| service.synced(now, token, asks));
                }
                Output::Reject(rejected) => {
                    self.consult(out, |service, asks| service.rejected(now, &rejected, asks));
                    out.push(Effect::Output(Output::Reject(rejected)));
                }
                Output::Heard { from, what } => {
                    self.consult(out, |service, asks| service.heard(now, from, &what, asks));
                }
                Output::Touched { from, sessions } => self.service.touched(now, from, &sessions),
                Output::Send { link, message: Message::Ping { zxid, .. } }
                    if self.peer.state() != PeerState::Leading =>
                {
                    let sessions = self.service.take_touched();
                    out.push(Effect::Output(Output::Send { link, message: Message::Ping { zxid, sessions } }));
                }
                output => out.push(Effect::Output(output)),
            }
        }
        self.spare.push(outputs);
    }

    fn apply(&mut self, now: Instant, txn: Txn, committed: bool, out: &mut Vec<Effect<S>>) {
        let mut asks = Asks::<S>::new();
        let effect = self.service.apply(now, &txn, committed, &mut asks);
        out.push(Effect::Applied { txn, effect, digest: self.service.digest(), committed });
        self.take(asks, out);
    }

    fn consult(&mut self, out: &mut Vec<Effect<S>>, say: impl FnOnce(&mut S, &mut Asks<S>)) {
        let mut asks = Asks::<S>::new();
        say(&mut self.service, &mut asks);
        self.take(asks, out);
    }

    fn take(&mut self, asks: Asks<S>, out: &mut Vec<Effect<S>>) {
        for ask in asks {
            match ask {
                Ask::Submit(request) => self.asked.push_back(Input::Submit { request }),
                Ask::Sync { token } => self.asked.push_back(Input::Sync { token }),
                Ask::Tell { to, what } => self.asked.push_back(Input::Tell { to, what }),
                Ask::Answer(answer) => out.push(Effect::Answer(answer)),
            }
        }
    }

    /// The host looked at the calendar: [`Service::set_wall_clock`].
    pub fn set_wall_clock(&mut self, base: i64) {
        self.service.set_wall_clock(base);
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
        let service = self.service.next_timeout().map(|at| (at, Timer::Service));
        earliest(self.peer.next_timeout(), service)
    }
}
