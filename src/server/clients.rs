//! The client port: frames in, frames out, and nobody served faster than they read.
//!
//! A connection is one task. What it reads goes to the driver in batches; what the driver answers is queued in an [`Outbox`] and
//! written together. Bytes stay in the socket, and so with the client, while its answers wait to be read or, with
//! `globalOutstandingLimit` requests under way, while it has requests of its own among them. Its pings stay there with them: who
//! is held back lives by what arrives all the same, and by the answers that leave ([`Call::Alive`]).

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{io, mem};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::time::{self, sleep, timeout};
use tracing::{debug, warn};

use super::Desk;
use super::config::ClientOptions;
use super::driver::Event;
use super::{ports, tally};
use crate::zab::{Duration, Instant};
use crate::zk::model::OpCode;
use crate::zk::service::front::connection::Latency;
use crate::zk::service::{Call, ConnId};

/// Requests of one client that wait for the driver beyond this many stop its reading: nobody else's should wait behind them.
const UNTAKEN: usize = 32;
/// Requests handed over at once. With [`UNTAKEN`] it bounds the answers that may come before anybody has seen how long they are.
const GROUP: usize = 16;
/// Answers that wait for their client beyond this many bytes stop its reading.
const UNREAD: usize = 1 << 20;
/// Of a client that lets more bytes than these wait, some must leave within [`PATIENCE`].
const MOST_UNREAD: usize = 64 << 20;
/// How long a connection may last without a first request, and how long a closed one may take to read what it is owed.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
/// How often a connection that is held back is looked at for signs of life; well within the shortest session.
const SIGNS: std::time::Duration = std::time::Duration::from_millis(250);
/// Taken from the socket at once, and at most while a connection is held back.
const READ: usize = 16 << 10;

/// What all client connections of a server share.
pub(super) struct Clients {
    /// The longest frame taken (`jute.maxbuffer`).
    max_frame: usize,
    /// Connections from one address (`maxClientCnxns`); 0 for no limit.
    max_per_address: usize,
    /// Connections from everywhere (`maxCnxns`); 0 for no limit.
    max_in_all: usize,
    /// Requests under way beyond which clients that have some wait (`globalOutstandingLimit`).
    outstanding_limit: usize,
    words: Arc<dyn Words>,
    desk: Desk,
    events: mpsc::Sender<Event>,
    next: AtomicU64,
    addresses: Mutex<BTreeMap<IpAddr, usize>>,
    /// Requests under way, of all connections: written by the driver alone.
    outstanding: AtomicUsize,
    /// Somebody has left.
    left: Notify,
    /// Fewer are under way than the limit again.
    relieved: Notify,
}

/// Answers to what comes instead of the first frame's length: four letters.
pub trait Words: Send + Sync + 'static {
    /// The whole answer, or `None` if these four bytes are a length.
    fn answer<'a>(&'a self, word: [u8; 4], desk: &'a Desk) -> Option<Reply<'a>>;
}

/// A whole answer, when it is ready.
pub type Reply<'a> = Pin<Box<dyn Future<Output = Vec<u8>> + Send + 'a>>;

impl Clients {
    pub(super) fn new(
        options: &ClientOptions,
        words: Arc<dyn Words>,
        desk: Desk,
        events: mpsc::Sender<Event>,
    ) -> Arc<Clients> {
        Arc::new(Clients {
            max_frame: options.max_buffer,
            max_per_address: options.max_connections,
            max_in_all: options.max_connections_in_all,
            outstanding_limit: options.outstanding_limit,
            words,
            desk,
            events,
            next: AtomicU64::new(1),
            addresses: Mutex::default(),
            outstanding: AtomicUsize::new(0),
            left: Notify::new(),
            relieved: Notify::new(),
        })
    }

    /// Takes connections until it is dropped.
    pub(super) async fn serve(self: Arc<Clients>, listener: TcpListener) {
        loop {
            match ports::accept(&listener).await {
                Ok((stream, from)) => {
                    let Some(seat) = Seat::take(&self, from.ip()) else {
                        warn!(from = %from.ip(), "a client is turned away: too many connections (maxClientCnxns, maxCnxns, open files)");
                        continue;
                    };
                    tokio::spawn(async move {
                        if let Err(error) = seat.clients.converse(stream, from).await {
                            debug!(%from, %error, "client connection ended");
                        }
                        drop(seat);
                    });
                }
                Err(error) => {
                    // Out of descriptors, most likely: it passes when somebody leaves.
                    warn!(%error, "cannot accept a client");
                    sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn converse(self: &Arc<Clients>, mut stream: TcpStream, from: SocketAddr) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut first = [0; 4];
        timeout(PATIENCE, stream.read_exact(&mut first)).await??;
        if let Some(answer) = self.words.answer(first, &self.desk) {
            stream.write_all(&answer.await).await?;
            return stream.shutdown().await;
        }
        let conn = ConnId(self.next.fetch_add(1, Ordering::Relaxed));
        let (queue, answers) = mpsc::unbounded_channel();
        let gate = Arc::new(Gate::default());
        let outbox = Outbox::new(self.clone(), gate.clone(), queue, from);
        if self.events.send(Event::Opened { conn, from: from.ip(), outbox }).await.is_err() {
            return Ok(());
        }
        let (reader, writer) = stream.split();
        let ended = tokio::select! {
            ended = self.read(conn, &gate, reader, first) => ended,
            ended = write(&gate, writer, answers, from) => ended,
            () = gate.linger() => Ok(()),
        };
        let _ = self.events.send(Event::Calls { conn, calls: vec![Call::Closed { conn }] }).await;
        ended
    }

    /// Reads frames until the client ends.
    async fn read(&self, conn: ConnId, gate: &Gate, reader: ReadHalf<'_>, first: [u8; 4]) -> io::Result<()> {
        let mut intake = Intake { conn, reader, buffer: BytesMut::with_capacity(READ), is_over: false };
        intake.buffer.extend_from_slice(&first);
        let mut is_new = true;
        loop {
            let mut calls = Vec::new();
            while calls.len() < GROUP
                && let Some(bytes) = self.take_frame(&mut intake.buffer)?
            {
                calls.push(Call::Frame { conn, bytes });
            }
            if !calls.is_empty() {
                is_new = false;
                gate.untaken.fetch_add(calls.len(), Ordering::AcqRel);
                if self.events.send(Event::Calls { conn, calls }).await.is_err() {
                    return Ok(());
                }
                self.room(gate, &mut intake).await?;
            } else if intake.is_over {
                return Ok(());
            } else if is_new {
                timeout(PATIENCE, intake.read()).await??;
            } else {
                intake.read().await?;
            }
        }
    }

    fn take_frame(&self, buffer: &mut BytesMut) -> io::Result<Option<Vec<u8>>> {
        let Some(length) = buffer.first_chunk::<4>().map(|length| i32::from_be_bytes(*length)) else { return Ok(None) };
        let length = usize::try_from(length).ok().filter(|&length| length <= self.max_frame);
        let Some(length) = length else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame longer than jute.maxbuffer"));
        };
        if buffer.len() < 4 + length {
            return Ok(None);
        }
        buffer.advance(4);
        let frame = buffer[..length].to_vec();
        buffer.advance(length);
        Ok(Some(frame))
    }

    /// Waits until this connection may be read again. Meanwhile it is not silent while its bytes come or answers leave.
    async fn room(&self, gate: &Gate, intake: &mut Intake<'_>) -> io::Result<()> {
        let look = sleep(SIGNS);
        tokio::pin!(look);
        let mut seen = (gate.written.load(Ordering::Acquire), intake.buffer.len());
        loop {
            let (relieved, changed) = (self.relieved.notified(), gate.changed.notified());
            tokio::pin!(relieved, changed);
            // Enabled before looking, or what happens in between would be missed.
            relieved.as_mut().enable();
            changed.as_mut().enable();
            let crowded = self.outstanding.load(Ordering::Acquire) >= self.outstanding_limit;
            let has_some = gate.outstanding.load(Ordering::Acquire) > 0;
            let is_ahead = gate.untaken.load(Ordering::Acquire) > UNTAKEN;
            if gate.unread.load(Ordering::Acquire) <= UNREAD && !is_ahead && !(crowded && has_some) {
                return Ok(());
            }
            tokio::select! {
                () = relieved => {}
                () = changed => {}
                () = &mut look => {
                    let now = (gate.written.load(Ordering::Acquire), intake.buffer.len());
                    if now != seen {
                        seen = now;
                        let conn = intake.conn;
                        // A driver that has ended ends all connections by itself.
                        let _ = self.events.send(Event::Calls { conn, calls: vec![Call::Alive { conn }] }).await;
                    }
                    look.as_mut().reset(time::Instant::now() + SIGNS);
                }
                read = intake.read(), if intake.buffer.len() < READ && !intake.is_over => read?,
            }
        }
    }

    /// Waits until no connection is left.
    pub(super) async fn gone(&self) {
        loop {
            let left = self.left.notified();
            if self.addresses().is_empty() {
                return;
            }
            left.await;
        }
    }

    fn addresses(&self) -> MutexGuard<'_, BTreeMap<IpAddr, usize>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn relieve(&self, answered: usize) {
        let before = self.outstanding.fetch_sub(answered, Ordering::AcqRel);
        if before >= self.outstanding_limit && before - answered < self.outstanding_limit {
            self.relieved.notify_waiters();
        }
    }
}

/// The reading half of a connection.
struct Intake<'a> {
    conn: ConnId,
    reader: ReadHalf<'a>,
    /// Read, and not handed over.
    buffer: BytesMut,
    /// The client says nothing more.
    is_over: bool,
}

impl Intake<'_> {
    /// Waits for bytes; what is not waited for to the end loses none.
    async fn read(&mut self) -> io::Result<()> {
        self.buffer.reserve(READ);
        self.is_over = self.reader.read_buf(&mut self.buffer).await? == 0;
        Ok(())
    }
}

/// Writes what is queued until nothing more can be, or too much waits and none of it leaves: a client is judged by what it reads,
/// not by how much it is sent at once.
async fn write(
    gate: &Gate,
    mut writer: WriteHalf<'_>,
    mut answers: mpsc::UnboundedReceiver<Vec<u8>>,
    to: SocketAddr,
) -> io::Result<()> {
    while let Some(mut bytes) = answers.recv().await {
        // Small ones leave together; to join large ones would only copy them.
        while bytes.len() < READ
            && let Ok(more) = answers.try_recv()
        {
            bytes.extend_from_slice(&more);
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let Ok(count) = timeout(PATIENCE, writer.write(rest)).await else {
                if gate.unread.load(Ordering::Acquire) <= MOST_UNREAD {
                    continue;
                }
                warn!(from = %to, "closed a client that does not read what it is sent");
                return Err(io::ErrorKind::TimedOut.into());
            };
            let count = count?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            rest = &rest[count..];
            gate.written(count);
        }
    }
    writer.shutdown().await
}

/// What the task of a connection and the driver tell each other.
#[derive(Default)]
struct Gate {
    /// Bytes answered and not yet in the socket.
    unread: AtomicUsize,
    /// Bytes that are in the socket: while their number grows, somebody reads them.
    written: AtomicU64,
    /// Requests read that the driver has not come to.
    untaken: AtomicUsize,
    /// Requests under way: written by the driver alone.
    outstanding: AtomicUsize,
    changed: Notify,
    closing: Notify,
}

impl Gate {
    fn written(&self, count: usize) {
        self.written.fetch_add(count as u64, Ordering::AcqRel);
        let before = self.unread.fetch_sub(count, Ordering::AcqRel);
        if before > UNREAD && before - count <= UNREAD {
            self.changed.notify_one();
        }
    }

    /// Ends some time after the driver has closed the connection.
    async fn linger(&self) {
        self.closing.notified().await;
        sleep(PATIENCE).await;
    }
}

/// The driver's end of a connection. Dropping it closes the connection after what was queued.
pub(super) struct Outbox {
    clients: Arc<Clients>,
    gate: Arc<Gate>,
    queue: mpsc::UnboundedSender<Vec<u8>>,
    pending: Vec<u8>,
    /// When the requests under way arrived; they are answered in their order.
    arrivals: VecDeque<(Instant, Option<OpCode>)>,
    /// The first frame came.
    greeted: bool,
    pub(super) view: Connection,
}

/// A client connection as an operator sees it.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The other end.
    pub from: SocketAddr,
    /// Frames received.
    pub received: u64,
    /// Frames sent.
    pub sent: u64,
    /// Requests under way.
    pub outstanding: usize,
    /// How long its requests took.
    pub latency: Latency,
    /// Its last answer.
    pub last: Option<LastAnswer>,
}

/// The last answer that a connection got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastAnswer {
    /// To what, if that is known.
    pub op: Option<OpCode>,
    /// When.
    pub at: Instant,
    /// How long it took.
    pub took: Duration,
}

impl Connection {
    /// Counts from zero again.
    pub(super) fn reset(&mut self) {
        (self.received, self.sent, self.latency, self.last) = (0, 0, Latency::default(), None);
    }
}

impl Outbox {
    fn new(clients: Arc<Clients>, gate: Arc<Gate>, queue: mpsc::UnboundedSender<Vec<u8>>, from: SocketAddr) -> Outbox {
        let view = Connection { from, received: 0, sent: 0, outstanding: 0, latency: Latency::default(), last: None };
        Outbox { clients, gate, queue, pending: Vec::new(), arrivals: VecDeque::new(), greeted: false, view }
    }

    /// A frame came: a greeting, and then requests.
    pub(super) fn received(&mut self, at: Instant, frame: &[u8]) {
        let greeted = mem::replace(&mut self.greeted, true);
        let op = if greeted { tally::op(frame) } else { Some(OpCode::CreateSession) };
        if self.gate.untaken.fetch_sub(1, Ordering::AcqRel) == UNTAKEN + 1 {
            self.gate.changed.notify_one();
        }
        self.arrivals.push_back((at, op));
        self.view.received += 1;
        self.clients.outstanding.fetch_add(1, Ordering::AcqRel);
        self.count();
    }

    /// Adds a frame to what is sent next; returns what it answers, if anything.
    pub(super) fn push(&mut self, frame: &[u8], now: Instant) -> Option<LastAnswer> {
        let length = u32::try_from(frame.len()).expect("frames are much shorter than 4 GiB");
        self.pending.extend_from_slice(&length.to_be_bytes());
        self.pending.extend_from_slice(frame);
        // Counted now and not when it is sent: the reader must not get ahead within a batch either.
        self.gate.unread.fetch_add(4 + frame.len(), Ordering::AcqRel);
        self.view.sent += 1;
        // What begins with the xid of a watch event answers nothing.
        let is_event = frame.starts_with(&(-1i32).to_be_bytes());
        let (arrived, op) = if is_event { None } else { self.arrivals.pop_front() }?;
        self.clients.relieve(1);
        self.count();
        self.gate.changed.notify_one();
        let answer = LastAnswer { op, at: now, took: now.since(arrived) };
        self.view.latency.add(answer.took);
        self.view.last = Some(answer);
        Some(answer)
    }

    /// Sends what was added.
    pub(super) fn flush(&mut self) {
        if !self.pending.is_empty() {
            // A connection that has ended says so by itself.
            let _ = self.queue.send(mem::take(&mut self.pending));
        }
    }

    fn count(&mut self) {
        self.view.outstanding = self.arrivals.len();
        self.gate.outstanding.store(self.arrivals.len(), Ordering::Release);
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.flush();
        self.clients.relieve(self.arrivals.len());
        self.gate.closing.notify_one();
    }
}

/// A place among the connections of one address, given back when dropped.
struct Seat {
    clients: Arc<Clients>,
    address: IpAddr,
}

impl Seat {
    fn take(clients: &Arc<Clients>, address: IpAddr) -> Option<Seat> {
        let mut addresses = clients.addresses();
        if clients.max_in_all > 0 && addresses.values().sum::<usize>() >= clients.max_in_all {
            return None;
        }
        let taken = addresses.entry(address).or_default();
        let most = clients.max_per_address;
        if most > 0 && *taken >= most {
            return None;
        }
        *taken += 1;
        Some(Seat { clients: clients.clone(), address })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut addresses = self.clients.addresses();
        if let Some(taken) = addresses.get_mut(&self.address) {
            *taken -= 1;
            if *taken == 0 {
                addresses.remove(&self.address);
                self.clients.left.notify_one();
            }
        }
    }
}
