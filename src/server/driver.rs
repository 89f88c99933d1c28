//! The driver: one thread that owns the replica. Everything reaches it as an event, everything leaves it as an effect.
//!
//! ```text
//! take what is there ─▶ feed each, execute its effects ─▶ one batch to the disk, one flush per client ─▶ arm the timer
//! ```
//!
//! No decision of the protocol is made here: what a branch in this file decides, no simulated run ever saw.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::net::IpAddr;

use tokio::net::TcpStream;
use tokio::runtime;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep_until;
use tracing::info;

use super::clients::Outbox;
use super::clock::Clock;
use super::disk::{Disk, News};
use super::election::Election;
use super::milestones::{Hex, Milestones};
use super::quorum::{Quorum, Sent};
use super::report::{Detail, Reset, Surveyed};
use super::status::{Counters, LearnerStatus, Status};
use super::tally::{Meter, Tally};
use crate::replica::{Effect, Replica, Service};
use crate::zab::{HaltReason, Input, Instant, LinkId, Message, Notification, Output, Sid};
use crate::zk::model::OpCode;
use crate::zk::service::{Answer, Call, ConnId};

/// Arrivals, and steps of the replica, before what they led to is handed on. Few, so that disk, clients and driver work at the same
/// time: with many, all requests under way go through the server as one crowd, and whoever does not have it waits.
const BATCH: u32 = 64;

/// What the sockets have to say. Their tasks wait while the driver is behind.
pub(super) enum Event {
    /// A client connected.
    Opened { conn: ConnId, from: IpAddr, outbox: Outbox },
    /// What came from a client.
    Calls { conn: ConnId, calls: Vec<Call> },
    /// A notification arrived on the election connection of `from`.
    Notification { from: Sid, notification: Notification },
    /// Somebody connected to the quorum port.
    Accepted { stream: TcpStream },
    /// What came of a dial.
    Dialed { dial: u64, to: Sid, stream: io::Result<TcpStream> },
    /// What came on a link.
    Received { link: LinkId, messages: Vec<Message> },
    /// A link ended.
    Ended { link: LinkId, why: String },
}

/// What those who run the server ask. One is answered between two batches.
pub(super) enum Order {
    /// How are you?
    Status(Detail, oneshot::Sender<Status>),
    /// Count from zero again.
    Reset(Reset),
    /// Stop cleanly.
    Stop,
}

/// Everything that reaches the driver.
pub(super) struct Inbox<S> {
    pub(super) events: mpsc::Receiver<Event>,
    pub(super) news: mpsc::UnboundedReceiver<News<S>>,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
}

/// A replica between its ports and its disk.
pub(super) struct Driver<S: Service<Call = Call, Answer = Answer>> {
    pub(super) replica: Replica<S>,
    pub(super) clock: Clock,
    pub(super) disk: Disk<S::Image>,
    pub(super) election: Election,
    pub(super) quorum: Quorum,
    clients: BTreeMap<ConnId, Outbox>,
    /// Clients that are owed bytes at the end of the batch.
    unflushed: BTreeSet<ConnId>,
    /// What executing effects led to, for the next step.
    own: VecDeque<Input>,
    counters: Counters,
    meter: Meter,
    milestones: Milestones,
    /// In this batch.
    steps: u32,
    halted: Option<HaltReason>,
}

/// What one wait brought.
enum Arrival<S> {
    Event(Event),
    News(News<S>),
    Order(Order),
    /// The timer is due.
    Due,
    /// Nobody is left who could give orders.
    Abandoned,
}

impl<S> Driver<S>
where
    S: Service<Call = Call, Answer = Answer, Image: Send + 'static> + Surveyed,
{
    /// A replica that has just been made, with the effects of that.
    pub(super) fn new(
        replica: Replica<S>,
        clock: Clock,
        disk: Disk<S::Image>,
        election: Election,
        quorum: Quorum,
        milestones: Milestones,
    ) -> Driver<S> {
        Driver {
            replica,
            clock,
            disk,
            election,
            quorum,
            clients: BTreeMap::new(),
            unflushed: BTreeSet::new(),
            own: VecDeque::new(),
            counters: Counters::default(),
            meter: Meter::default(),
            milestones,
            steps: 0,
            halted: None,
        }
    }

    /// Runs until the replica halts. `effects` are those of its making.
    pub(super) fn run(
        mut self,
        runtime: &runtime::Handle,
        mut inbox: Inbox<S>,
        mut effects: Vec<Effect<S>>,
    ) -> HaltReason {
        self.execute(&mut effects);
        loop {
            self.finish_batch(&mut effects);
            if let Some(reason) = self.halted {
                return reason;
            }
            let mut arrival = Some(runtime.block_on(self.wait(&mut inbox)));
            self.steps = 0;
            self.replica.set_wall_clock(self.clock.wall_clock_base());
            while self.steps < BATCH {
                let Some(next) = arrival.take().or_else(|| inbox.poll()) else { break };
                self.steps += 1;
                self.take(next, &mut effects);
                self.feed_own(&mut effects);
                if self.halted.is_some() {
                    break;
                }
            }
            if self.halted.is_none()
                && let Some(order) = inbox.order()
            {
                self.take(order, &mut effects);
            }
            // Under load no wait ends by the timer.
            if self.replica.next_timeout().is_some_and(|(at, _)| at <= self.clock.now()) {
                self.feed(Input::Wake, &mut effects);
            }
        }
    }

    async fn wait(&self, inbox: &mut Inbox<S>) -> Arrival<S> {
        let due = self.replica.next_timeout().map(|(at, _)| self.clock.deadline(at));
        let timer = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(news) = inbox.news.recv() => Arrival::News(news),
            Some(event) = inbox.events.recv() => Arrival::Event(event),
            order = inbox.orders.recv() => order.map_or(Arrival::Abandoned, Arrival::Order),
            () = timer => Arrival::Due,
        }
    }

    fn take(&mut self, arrival: Arrival<S>, effects: &mut Vec<Effect<S>>) {
        match arrival {
            Arrival::Due => {}
            Arrival::Abandoned => self.halted = Some(HaltReason::Stopped),
            Arrival::Order(Order::Status(detail, reply)) => {
                // Who asked may have gone.
                let _ = reply.send(self.status(detail));
            }
            Arrival::Order(Order::Reset(Reset::Server)) => {
                self.counters = Counters::default();
                self.meter.reset();
                self.disk.reset();
            }
            Arrival::Order(Order::Reset(Reset::Connections)) => {
                self.clients.values_mut().for_each(|outbox| outbox.view.reset());
            }
            Arrival::Order(Order::Stop) => self.feed(Input::Stop, effects),
            Arrival::News(news) => self.take_news(news, effects),
            Arrival::Event(event) => self.take_event(event, effects),
        }
    }

    fn take_news(&mut self, news: News<S>, effects: &mut Vec<Effect<S>>) {
        match news {
            News::Persisted { through } => self.feed(Input::Persisted { through }, effects),
            News::WriteFailed { id, error } => self.feed(Input::WriteFailed { id, error }, effects),
            News::Purged { base } => self.feed(Input::Purged { base }, effects),
            News::LogRead { read, slice } => self.feed(Input::LogRead { read, slice }, effects),
            News::Reloaded { recovered, service } => {
                self.replica.reloaded(self.clock.now(), recovered, *service, effects);
                self.execute(effects);
            }
            News::Unreadable => self.halted = Some(HaltReason::WriteFailed),
        }
    }

    fn take_event(&mut self, event: Event, effects: &mut Vec<Effect<S>>) {
        match event {
            Event::Calls { conn, calls } => {
                for call in calls {
                    self.call(conn, call, effects);
                }
            }
            Event::Received { link, messages } => {
                for message in messages {
                    if !self.quorum.stands(link) {
                        break;
                    }
                    self.meter.received(&message);
                    self.feed(Input::Received { link, message }, effects);
                }
            }
            Event::Opened { conn, from, outbox } => {
                self.meter.tally.connection_requests += 1;
                self.clients.insert(conn, outbox);
                self.call(conn, Call::Connected { conn, from }, effects);
            }
            Event::Notification { from, notification } => {
                self.feed(Input::Notification { from, notification }, effects);
            }
            Event::Accepted { stream } => {
                if let Some(link) = self.quorum.accepted(stream) {
                    self.feed(Input::Accepted { link }, effects);
                }
            }
            Event::Dialed { dial, to, stream } => match self.quorum.dialed(dial, stream) {
                Some(Some(link)) => self.feed(Input::Connected { to, link }, effects),
                Some(None) => self.feed(Input::ConnectFailed { to }, effects),
                None => {}
            },
            Event::Ended { link, why } => {
                if self.quorum.ended(link) {
                    self.milestones.ended(self.replica.peer(), link, &why);
                    self.feed(Input::Closed { link }, effects);
                }
            }
        }
    }

    /// A connection that we have closed says nothing more, not even that it is closed.
    fn call(&mut self, conn: ConnId, call: Call, effects: &mut Vec<Effect<S>>) {
        let now = self.clock.now();
        match &call {
            Call::Closed { .. } => {
                if self.clients.remove(&conn).is_none() {
                    return;
                }
                self.meter.tally.connection_drops += 1;
            }
            Call::Connected { .. } => {}
            Call::Alive { .. } if !self.clients.contains_key(&conn) => return,
            Call::Alive { .. } => {}
            Call::Frame { bytes, .. } => {
                let Some(outbox) = self.clients.get_mut(&conn) else { return };
                outbox.received(now, bytes);
                // With its length before it.
                self.meter.tally.bytes_received += 4 + bytes.len() as u64;
                self.counters.received += 1;
            }
        }
        self.steps += 1;
        self.replica.call(now, call, effects);
        self.execute(effects);
    }

    fn feed(&mut self, input: Input, effects: &mut Vec<Effect<S>>) {
        self.steps += 1;
        self.replica.handle(self.clock.now(), input, effects);
        self.execute(effects);
    }

    fn feed_own(&mut self, effects: &mut Vec<Effect<S>>) {
        while let Some(input) = self.own.pop_front() {
            self.feed(input, effects);
        }
    }

    /// Executes effects in order; nothing after a halt.
    fn execute(&mut self, effects: &mut Vec<Effect<S>>) {
        for effect in effects.drain(..) {
            if self.halted.is_some() {
                break;
            }
            match effect {
                Effect::Output(output) => self.execute_output(output),
                Effect::Snapshot { id, zxid, image, digest } => {
                    info!(zxid = %Hex(zxid), "writing a snapshot");
                    self.disk.write_snapshot(id, zxid, image, digest);
                }
                Effect::Answer(answer) => self.answer(answer),
                Effect::Applied { txn, committed, digest, .. } => {
                    self.counters.applied += u64::from(committed);
                    self.meter.applied(txn.zxid, digest);
                }
                Effect::Proposed { txn } => {
                    self.counters.proposed += 1;
                    Milestones::proposed(&txn);
                    self.meter.proposed(self.clock.now(), txn.zxid, txn.payload.as_bytes().len());
                }
                Effect::Restored { zxid, .. } => info!(zxid = %Hex(zxid), "the leader's state is in memory"),
            }
        }
    }

    fn execute_output(&mut self, output: Output) {
        match output {
            Output::Send { link, message } => match self.quorum.send(link, message) {
                Sent::Queued | Sent::Unknown => {}
                Sent::Closed => self.own.push_back(Input::Closed { link }),
            },
            Output::Persist { id, write } => {
                Milestones::writing(&write);
                self.disk.write(id, write);
            }
            Output::Notify { to, notification } if to == self.replica.peer().sid() => {
                self.own.push_back(Input::Notification { from: to, notification });
            }
            Output::Notify { to, notification } => self.election.post(to, notification),
            Output::Listen => self.quorum.listen(),
            Output::Unlisten => self.quorum.unlisten(),
            Output::Connect { to } => self.quorum.connect(to),
            Output::Disconnect { link, reason } => {
                self.milestones.disconnected(self.replica.peer(), link, reason);
                self.quorum.disconnect(link);
            }
            Output::Reload => self.disk.reload(),
            Output::ReadLog { read, from, size_factor } => self.disk.read_log(read, from, size_factor),
            Output::Serve { serving } => {
                self.meter.serving(self.clock.now(), serving);
                Milestones::serving(serving);
            }
            Output::Halt(reason) => {
                Milestones::halted(reason);
                self.halted = Some(reason);
            }
            Output::Milestone(milestone) => {
                self.meter.milestone(self.clock.now(), &milestone);
                self.milestones.tell(self.replica.peer(), &milestone);
            }
            // The service has heard of these.
            Output::Synced { .. } | Output::Reject(_) => {}
            Output::ReadSnapshot { .. }
            | Output::Restore(_)
            | Output::Prepare { .. }
            | Output::Deliver(_)
            | Output::FastForward(_)
            | Output::Heard { .. }
            | Output::Touched { .. } => unreachable!("a replica answers {output:?} itself"),
        }
    }

    fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Frame { conn, bytes } => {
                let Some(outbox) = self.clients.get_mut(&conn) else { return };
                self.counters.sent += 1;
                let answer = outbox.push(&bytes, self.clock.now());
                self.meter.sent(answer.map(|it| it.op), bytes.len());
                // Credentials are checked before requests are counted (`ZooKeeperServer.processPacket`).
                if let Some(answer) = answer.filter(|it| it.op != Some(OpCode::Auth)) {
                    self.counters.answered(answer.took);
                    self.meter.answered(answer.op, answer.took);
                }
                self.unflushed.insert(conn);
            }
            Answer::Close { conn } => {
                let closed = self.clients.remove(&conn).is_some();
                self.meter.tally.connection_drops += u64::from(closed);
            }
        }
    }

    /// The end of a batch: what was written together is synced together, what is owed to a client is sent at once.
    fn finish_batch(&mut self, effects: &mut Vec<Effect<S>>) {
        self.feed_own(effects);
        self.disk.submit();
        while let Some(conn) = self.unflushed.pop_first() {
            if let Some(outbox) = self.clients.get_mut(&conn) {
                outbox.flush();
            }
        }
    }

    fn status(&self, detail: Detail) -> Status {
        let peer = self.replica.peer();
        Status {
            sid: peer.sid(),
            state: peer.state(),
            phase: peer.phase(),
            leader: peer.leader(),
            current_epoch: peer.current_epoch(),
            accepted_epoch: peer.accepted_epoch(),
            last_zxid: peer.last_zxid(),
            learners: peer.learners().iter().map(LearnerStatus::of).collect(),
            counters: self.counters,
            tally: Tally { disk: self.disk.tally(), ..self.meter.tally.clone() },
            digests: self.meter.digests.iter().copied().collect(),
            leader_uptime: self.meter.leader_uptime(self.clock.now()),
            pending_syncs: peer.pending_syncs(),
            connections: self.clients.iter().map(|(&conn, outbox)| (conn, outbox.view.clone())).collect(),
            census: self.replica.service().survey(detail),
            uptime: self.clock.now().since(Instant::ZERO),
        }
    }
}

impl<S> Inbox<S> {
    /// What is there already, but for orders. The disk comes first: others wait for its news.
    fn poll(&mut self) -> Option<Arrival<S>> {
        if let Ok(news) = self.news.try_recv() {
            return Some(Arrival::News(news));
        }
        self.events.try_recv().ok().map(Arrival::Event)
    }

    /// The next order. One is taken with each batch: clients do not wait for those who watch over the server, nor these for ever.
    fn order(&mut self) -> Option<Arrival<S>> {
        match self.orders.try_recv() {
            Ok(order) => Some(Arrival::Order(order)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Arrival::Abandoned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_client_waits_for_those_who_ask_how_the_server_is() {
        let (to_events, events) = mpsc::channel(1);
        let (_news, news) = mpsc::unbounded_channel();
        let (to_orders, orders) = mpsc::unbounded_channel();
        let mut inbox = Inbox::<()> { events, news, orders };
        to_orders.send(Order::Stop).unwrap();
        to_events.try_send(Event::Ended { link: LinkId(1), why: String::new() }).unwrap();
        assert!(matches!(inbox.poll(), Some(Arrival::Event(_))));
        assert!(inbox.poll().is_none(), "orders have a place of their own");
        assert!(matches!(inbox.order(), Some(Arrival::Order(Order::Stop))));
        assert!(inbox.order().is_none());
        drop(to_orders);
        assert!(matches!(inbox.order(), Some(Arrival::Abandoned)));
    }
}
