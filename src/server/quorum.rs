//! The quorum port: links on which packets arrive in order or not at all.
//!
//! A link is two tasks. The reader turns bytes into messages for the driver, the writer messages into bytes, as many at once as
//! wait. Whatever goes wrong on either side ends the link, and the driver hears of it once.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::runtime;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::config::{Address, ServerConfig};
use super::driver::Event;
use super::milestones::unknown_txn;
use super::{bind, listening, std_duration};
use crate::zab::{LinkId, Message, Request, Sid, Txn};
use crate::zk::wire::{LinkDecoder, Sender, SyncOf, encode_message};

/// Bytes that may wait on one link. Far beyond what the core lets a learner lag in broadcast (syncLimit), yet a bound.
const MOST_QUEUED: usize = 1 << 30;
/// How long the last packets of a link that we close may take.
const LINGER: Duration = Duration::from_secs(5);
/// Bytes written at once.
const WRITE: usize = 256 << 10;
const READ: usize = 64 << 10;

/// Why the service does not know a txn, if it does not.
type Check = fn(&Txn) -> Result<(), String>;

/// The links of a server, kept by its driver.
pub(super) struct Quorum {
    /// Where this server listens while it leads; nowhere if it stands alone.
    own: Option<Address>,
    /// The quorum addresses of all members.
    members: BTreeMap<Sid, Address>,
    /// The configuration, for NEWLEADER.
    text: Arc<str>,
    /// What bounds the packets of others (`jute.maxbuffer`).
    max_buffer: usize,
    check: Check,
    /// How long a connection to a leader may take (`connectToLearnerMasterLimit`).
    budget: Duration,
    runtime: runtime::Handle,
    events: mpsc::Sender<Event>,
    links: BTreeMap<LinkId, Link>,
    last_link: u64,
    listening: Option<AbortHandle>,
    /// The number of the last dial: the peer no longer waits for an earlier one.
    dial: u64,
}

struct Link {
    queue: mpsc::UnboundedSender<Message>,
    queued: Arc<AtomicUsize>,
    reader: AbortHandle,
    /// Taken when the link is closed by us, to let it write what is queued.
    writer: Option<JoinHandle<()>>,
}

/// What came of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Sent {
    Queued,
    /// The link was full and is closed now: the peer must hear of it.
    Closed,
    /// There is no such link any more.
    Unknown,
}

impl Quorum {
    pub(super) fn new(
        config: &ServerConfig,
        runtime: runtime::Handle,
        events: mpsc::Sender<Event>,
        check: Check,
    ) -> Quorum {
        let members: BTreeMap<Sid, Address> =
            config.members.iter().map(|member| (member.sid, member.quorum.clone())).collect();
        let on_all = config.quorum.listen_on_all_ips;
        Quorum {
            own: members.get(&config.peer.sid).map(|address| listening(address, on_all)),
            members,
            text: config.text.as_str().into(),
            max_buffer: config.clients.max_buffer,
            check,
            budget: std_duration(config.peer.limits.connect_time()),
            runtime,
            events,
            links: BTreeMap::new(),
            last_link: 0,
            listening: None,
            dial: 0,
        }
    }

    /// Opens the quorum port. What accepts retries for as long as the peer wants the port: there is no other answer.
    pub(super) fn listen(&mut self) {
        let Some(own) = self.own.clone() else { return };
        let task = self.runtime.spawn(accept(own, self.events.clone()));
        if let Some(before) = self.listening.replace(task.abort_handle()) {
            before.abort();
        }
    }

    /// Closes the quorum port.
    pub(super) fn unlisten(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
        }
    }

    /// Somebody connected; nobody gets in while the port is closed, though the news of it may still have been on its way.
    pub(super) fn accepted(&mut self, stream: TcpStream) -> Option<LinkId> {
        self.listening.as_ref()?;
        Some(self.open(stream, Sender::Learner))
    }

    /// Connects to the quorum port of a member. An earlier dial is given up.
    pub(super) fn connect(&mut self, to: Sid) {
        self.dial += 1;
        let (dial, events, budget) = (self.dial, self.events.clone(), self.budget);
        let address = self.members.get(&to).cloned();
        self.runtime.spawn(async move {
            let stream = match address {
                Some(Address { host, port }) => {
                    let connecting = TcpStream::connect((host.as_str(), port));
                    timeout(budget, connecting).await.unwrap_or_else(|late| Err(late.into()))
                }
                None => Err(io::Error::new(io::ErrorKind::NotFound, "no member")),
            };
            if let Err(error) = &stream {
                debug!(server = to.0, %error, "cannot reach the leader");
            }
            let _ = events.send(Event::Dialed { dial, to, stream }).await;
        });
    }

    /// A dial ended; `None` if nobody waits for it any more.
    pub(super) fn dialed(&mut self, dial: u64, stream: io::Result<TcpStream>) -> Option<Option<LinkId>> {
        (dial == self.dial).then(|| stream.ok().map(|stream| self.open(stream, Sender::Leader)))
    }

    fn open(&mut self, stream: TcpStream, other: Sender) -> LinkId {
        self.last_link += 1;
        let link = LinkId(self.last_link);
        if let Err(error) = stream.set_nodelay(true) {
            debug!(?link, %error, "no TCP_NODELAY");
        }
        let (reader, writer) = stream.into_split();
        let (queue, messages) = mpsc::unbounded_channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let (events, done, text) = (self.events.clone(), self.events.clone(), self.text.clone());
        let (decoder, check) = (LinkDecoder::with_max_buffer(other, self.max_buffer), self.check);
        let reading = self.runtime.spawn(async move {
            let ended = read(link, decoder, check, reader, &events).await;
            let why = ended.map_or_else(|error| error.to_string(), |()| "closed by the other end".to_owned());
            let _ = events.send(Event::Ended { link, why }).await;
        });
        let counter = queued.clone();
        let writing = self.runtime.spawn(async move {
            if let Err(error) = write(writer, messages, &text, &counter).await {
                let _ = done.send(Event::Ended { link, why: error.to_string() }).await;
            }
        });
        self.links.insert(link, Link { queue, queued, reader: reading.abort_handle(), writer: Some(writing) });
        link
    }

    /// Sends a packet after those before it.
    pub(super) fn send(&mut self, link: LinkId, message: Message) -> Sent {
        let Some(open) = self.links.get(&link) else { return Sent::Unknown };
        if open.queued.fetch_add(room_of(&message), Ordering::AcqRel) > MOST_QUEUED {
            warn!(?link, "too much is queued for a quorum link");
            self.links.remove(&link);
            return Sent::Closed;
        }
        // A link that has ended says so by itself.
        let _ = open.queue.send(message);
        Sent::Queued
    }

    /// Closes a link after what was sent on it.
    pub(super) fn disconnect(&mut self, link: LinkId) {
        let Some(mut open) = self.links.remove(&link) else { return };
        let Some(writer) = open.writer.take() else { return };
        self.runtime.spawn(async move {
            let writing = writer.abort_handle();
            if timeout(LINGER, writer).await.is_err() {
                writing.abort();
            }
        });
    }

    /// A link ended by itself. Returns whether that is news.
    pub(super) fn ended(&mut self, link: LinkId) -> bool {
        self.links.remove(&link).is_some()
    }

    /// Whether a link stands: what still arrives on another is nobody's business.
    pub(super) fn stands(&self, link: LinkId) -> bool {
        self.links.contains_key(&link)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.reader.abort();
        if let Some(writer) = &self.writer {
            writer.abort();
        }
    }
}

async fn accept(own: Address, events: mpsc::Sender<Event>) {
    let mut told = false;
    let listener = loop {
        match bind(&own, "server.N").await {
            Ok(listener) => break listener,
            Err(error) if !std::mem::replace(&mut told, true) => {
                warn!(%error, "nobody can follow until the quorum port is free");
            }
            Err(_) => {}
        }
        sleep(Duration::from_millis(200)).await;
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if events.send(Event::Accepted { stream }).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                warn!(%error, "cannot accept on the quorum port");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Reads messages until the other end closes.
async fn read(
    link: LinkId,
    mut decoder: LinkDecoder,
    check: Check,
    mut reader: OwnedReadHalf,
    events: &mpsc::Sender<Event>,
) -> io::Result<()> {
    let mut buffer = vec![0; READ];
    loop {
        let count = reader.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        decoder.feed(&buffer[..count]);
        let mut messages = Vec::new();
        let wrong = loop {
            match decoder.next_message() {
                Ok(Some(message)) => match known(&message, check) {
                    Ok(()) => messages.push(message),
                    Err(error) => break Some(error),
                },
                Ok(None) => break None,
                Err(error) => break Some(error.to_string()),
            }
        };
        if !messages.is_empty() && events.send(Event::Received { link, messages }).await.is_err() {
            return Ok(());
        }
        if let Some(error) = wrong {
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
    }
}

/// What a leader sends for the history is a txn that the service knows (`SerializeUtils.deserializeTxn`).
fn known(message: &Message, check: Check) -> Result<(), String> {
    match message {
        Message::Proposal { txn } | Message::Inform { txn } => check(txn).map_err(|why| unknown_txn(txn, &why)),
        _ => Ok(()),
    }
}

/// Writes what is queued until the queue is closed.
async fn write(
    mut writer: OwnedWriteHalf,
    mut messages: mpsc::UnboundedReceiver<Message>,
    text: &str,
    queued: &AtomicUsize,
) -> io::Result<()> {
    // A leader asks nothing about whose a `sync` is, and counts it by its place.
    let sync = SyncOf::default();
    let mut bytes = Vec::new();
    while let Some(message) = messages.recv().await {
        bytes.clear();
        let mut next = Some(message);
        let mut taken = 0;
        while let Some(message) = next.take() {
            taken += room_of(&message);
            encode_message(&message, text, &sync, &mut bytes);
            if bytes.len() < WRITE {
                next = messages.try_recv().ok();
            }
        }
        writer.write_all(&bytes).await?;
        queued.fetch_sub(taken, Ordering::AcqRel);
    }
    writer.shutdown().await
}

/// What a message holds while it waits. The pieces of a snapshot are left out: a state is sent whole or not at all.
fn room_of(message: &Message) -> usize {
    let payload = match message {
        Message::Proposal { txn } | Message::Inform { txn } => txn.payload.as_bytes().len(),
        Message::Request(Request::Write(payload)) | Message::Revalidate(payload) => payload.as_bytes().len(),
        _ => 0,
    };
    size_of::<Message>() + payload
}
