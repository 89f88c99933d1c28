//! The election port: one connection between any two servers, and a mailbox of one slot for each (`QuorumCnxManager`).
//!
//! ```text
//! smaller sid dials:  ── hello ──▶  larger sid closes it and dials back  ── hello ──▶  kept
//! larger sid dials:   ── hello ──▶  kept
//! ```
//!
//! A new connection replaces the old one. What waits in the slot goes first; if nothing does, the last one sent goes once more:
//! nobody knows whether it arrived.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use super::config::{Address, ServerConfig};
use super::driver::Event;
use super::ports::{self, bind, listening};
use super::std_duration;
use crate::zab::{Notification, Sid};
use crate::zk::wire::{Hello, MAX_NOTIFICATION, Missing, decode_notification, encode_notification};

/// How long a dial may take (`zookeeper.cnxTimeout`).
const DIAL: Duration = Duration::from_secs(5);
/// Servers that are no members and yet connect; more are turned away.
const MOST_STRANGERS: usize = 64;

/// Who this server is at the election port, and where the others are.
struct Directory {
    sid: Sid,
    /// Our own address, as others can dial it.
    own: String,
    members: BTreeMap<Sid, Address>,
    /// The configuration that every notification carries.
    text: String,
    /// Its version.
    version: u64,
}

/// Something the election plane is to do.
enum Errand {
    Post {
        to: Sid,
        notification: Notification,
    },
    Accepted {
        stream: TcpStream,
        hello: Hello,
    },
    Dialed {
        to: Sid,
        stream: io::Result<TcpStream>,
    },
    /// The reader or the writer of a connection ended.
    Ended {
        sid: Sid,
        connection: u64,
    },
}

/// The election plane, for the driver.
#[derive(Clone)]
pub(super) struct Election {
    errands: mpsc::UnboundedSender<Errand>,
}

impl Election {
    /// Opens the election port; notifications that arrive become events. A server that stands alone has no such port.
    pub(super) async fn start(config: &ServerConfig, events: mpsc::Sender<Event>) -> io::Result<Election> {
        let sid = config.peer.sid;
        let (errands, queue) = mpsc::unbounded_channel();
        let members: BTreeMap<Sid, Address> =
            config.members.iter().map(|member| (member.sid, member.election.clone())).collect();
        let own = members.get(&sid).map(Address::to_string).unwrap_or_default();
        if let Some(address) = members.get(&sid) {
            let listener =
                bind(&listening(address, config.quorum.listen_on_all_ips), &format!("server.{}", sid.0)).await?;
            let patience = std_duration(config.peer.limits.sync_time());
            tokio::spawn(accept(listener, patience, errands.clone()));
        }
        let directory =
            Directory { sid, own, members, text: config.text.clone(), version: config.peer.ensemble.version() };
        let plane = Plane { directory, events, errands: errands.clone(), peers: BTreeMap::new(), connections: 0 };
        tokio::spawn(plane.run(queue));
        Ok(Election { errands })
    }

    /// Puts a notification into the mailbox of another server, and dials if there is no connection.
    pub(super) fn post(&self, to: Sid, notification: Notification) {
        // It fails only when the runtime is going down.
        let _ = self.errands.send(Errand::Post { to, notification });
    }
}

async fn accept(listener: TcpListener, patience: Duration, errands: mpsc::UnboundedSender<Errand>) {
    loop {
        let (mut stream, from) = match ports::accept(&listener).await {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "cannot accept on the election port");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let errands = errands.clone();
        tokio::spawn(async move {
            match timeout(patience, read_hello(&mut stream)).await {
                Ok(Ok(hello)) => drop(errands.send(Errand::Accepted { stream, hello })),
                Ok(Err(error)) => warn!(%from, %error, "no hello on the election port"),
                Err(_) => warn!(%from, "no hello on the election port in time"),
            }
        });
    }
}

/// Reads exactly the hello: what follows it are frames.
async fn read_hello(stream: &mut TcpStream) -> io::Result<Hello> {
    let mut bytes = Vec::new();
    loop {
        match Hello::decode(&bytes) {
            Ok(hello) => return Ok(hello),
            Err(Missing::Wrong(error)) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            Err(Missing::Bytes(count)) => {
                let read = bytes.len();
                bytes.resize(read + count, 0);
                stream.read_exact(&mut bytes[read..]).await?;
            }
        }
    }
}

struct Plane {
    directory: Directory,
    events: mpsc::Sender<Event>,
    errands: mpsc::UnboundedSender<Errand>,
    peers: BTreeMap<Sid, Peer>,
    connections: u64,
}

#[derive(Default)]
struct Peer {
    mailbox: Arc<Mailbox>,
    live: Option<Connection>,
    is_dialing: bool,
    /// It could not be reached the last time, which has been told.
    is_unreachable: bool,
}

/// Ends with its tasks when dropped.
struct Connection {
    number: u64,
    tasks: [AbortHandle; 2],
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Plane {
    async fn run(mut self, mut queue: mpsc::UnboundedReceiver<Errand>) {
        while let Some(errand) = queue.recv().await {
            match errand {
                // Of a stranger nobody knows more than where it connected from.
                Errand::Post { to, .. } if self.is_stranger(to) && !self.peers.contains_key(&to) => {
                    debug!(server = to.0, "it is no member, and has left");
                }
                Errand::Post { to, notification } => {
                    let peer = self.peers.entry(to).or_default();
                    peer.mailbox.put(notification);
                    if peer.live.is_none() {
                        self.dial(to, None);
                    }
                }
                Errand::Accepted { stream, hello } => self.accepted(stream, hello),
                Errand::Dialed { to, stream } => self.dialed(to, stream),
                Errand::Ended { sid, connection } => {
                    if let Some(peer) = self.peers.get_mut(&sid) {
                        peer.live.take_if(|live| live.number == connection);
                    }
                    self.forget_stranger(sid);
                }
            }
        }
    }

    fn is_stranger(&self, sid: Sid) -> bool {
        !self.directory.members.contains_key(&sid)
    }

    /// Who has left has no claim on one of the places for strangers.
    fn forget_stranger(&mut self, sid: Sid) {
        if self.is_stranger(sid) && self.peers.get(&sid).is_some_and(|it| it.live.is_none() && !it.is_dialing) {
            self.peers.remove(&sid);
        }
    }

    fn accepted(&mut self, stream: TcpStream, hello: Hello) {
        let sid = hello.sid;
        if sid == self.directory.sid {
            return warn!(server = sid.0, "another server has our id: two files `myid` hold the same number");
        }
        let strangers = self.peers.keys().filter(|sid| self.is_stranger(**sid)).count();
        if !self.peers.contains_key(&sid) && self.is_stranger(sid) && strangers >= MOST_STRANGERS {
            return warn!(server = sid.0, "too many servers that are no members connect to the election port");
        }
        if sid < self.directory.sid {
            self.peers.entry(sid).or_default().live = None;
            self.dial(sid, hello.address);
            // If it did not say where, it is not dialled at all.
            self.forget_stranger(sid);
        } else {
            self.keep(sid, stream);
        }
    }

    /// A member is dialled where the configuration says, anybody else where its hello says.
    fn dial(&mut self, to: Sid, told: Option<String>) {
        let Some(address) = self.directory.members.get(&to).map(Address::to_string).or(told) else {
            return debug!(server = to.0, "its address is not known");
        };
        let errands = self.errands.clone();
        let peer = self.peers.entry(to).or_default();
        if std::mem::replace(&mut peer.is_dialing, true) {
            return;
        }
        let mut hello = Vec::new();
        Hello { sid: self.directory.sid, address: Some(self.directory.own.clone()) }.encode(&mut hello);
        tokio::spawn(async move {
            let stream = timeout(DIAL, async {
                let mut stream = TcpStream::connect(&address).await?;
                stream.set_nodelay(true)?;
                stream.write_all(&hello).await?;
                Ok(stream)
            });
            let stream = stream.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            let _ = errands.send(Errand::Dialed { to, stream });
        });
    }

    fn dialed(&mut self, to: Sid, stream: io::Result<TcpStream>) {
        if let Some(peer) = self.peers.get_mut(&to) {
            peer.is_dialing = false;
        }
        match stream {
            // To a larger one the hello was a request to be called back.
            Ok(stream) if to > self.directory.sid => drop(stream),
            Ok(stream) => self.keep(to, stream),
            Err(error) => {
                self.unreachable(to, &error);
                self.forget_stranger(to);
            }
        }
    }

    /// Told once, until it can be reached again: it is dialled for every vote.
    fn unreachable(&mut self, to: Sid, error: &io::Error) {
        let address = self.directory.members.get(&to).map(Address::to_string);
        let was = self.peers.get_mut(&to).map(|peer| std::mem::replace(&mut peer.is_unreachable, true));
        match was {
            Some(false) => warn!(server = to.0, address, %error, "cannot reach the election port of another server"),
            _ => debug!(server = to.0, address, %error, "still cannot reach its election port"),
        }
    }

    fn keep(&mut self, sid: Sid, stream: TcpStream) {
        let errands = self.errands.clone();
        self.connections += 1;
        let number = self.connections;
        let peer = self.peers.entry(sid).or_default();
        peer.live = None;
        let filled = peer.mailbox.hand_over();
        peer.is_unreachable = false;
        info!(server = sid.0, "connected for elections");
        let (reader, writer) = stream.into_split();
        let (events, mailbox, text) = (self.events.clone(), peer.mailbox.clone(), self.directory.text.clone());
        let version = self.directory.version;
        let ended = Errand::Ended { sid, connection: number };
        let done = errands.clone();
        let read = tokio::spawn(async move {
            if let Err(error) = receive(sid, version, reader, events).await {
                debug!(server = sid.0, %error, "its connection for elections ended");
            }
            let _ = done.send(ended);
        });
        let write = tokio::spawn(async move {
            if let Err(error) = deliver(writer, &mailbox, filled, &text).await {
                debug!(server = sid.0, %error, "its connection for elections ended");
            }
            let _ = errands.send(Errand::Ended { sid, connection: number });
        });
        peer.live = Some(Connection { number, tasks: [read.abort_handle(), write.abort_handle()] });
    }
}

/// One slot (`queueSendMap`) and the last one taken from it (`lastMessageSent`).
#[derive(Default)]
struct Mailbox {
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    unsent: Option<Notification>,
    sent: Option<Notification>,
    /// Of the connection that may take: one that was replaced may still be running for a moment.
    filled: Arc<Notify>,
}

impl Mailbox {
    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, notification: Notification) {
        let mut slots = self.slots();
        slots.unsent = Some(notification);
        slots.filled.notify_one();
    }

    /// A new connection sends what waits; if nothing does, the last one sent once more. Returns what wakes it.
    fn hand_over(&self) -> Arc<Notify> {
        let mut slots = self.slots();
        slots.unsent = slots.unsent.or(slots.sent);
        slots.filled = Arc::default();
        slots.filled.clone()
    }

    fn take(&self, filled: &Arc<Notify>) -> Option<Notification> {
        let mut slots = self.slots();
        if !Arc::ptr_eq(&slots.filled, filled) {
            return None;
        }
        let taken = slots.unsent.take()?;
        slots.sent = Some(taken);
        Some(taken)
    }
}

/// Writes what comes into the mailbox, for as long as the connection stands.
async fn deliver(mut writer: OwnedWriteHalf, mailbox: &Mailbox, filled: Arc<Notify>, text: &str) -> io::Result<()> {
    let mut frame = Vec::new();
    loop {
        if let Some(notification) = mailbox.take(&filled) {
            frame.clear();
            encode_notification(&notification, text, &mut frame);
            writer.write_all(&frame).await?;
        } else {
            filled.notified().await;
        }
    }
}

/// Reads notifications until the other end closes.
async fn receive(from: Sid, version: u64, mut reader: OwnedReadHalf, events: mpsc::Sender<Event>) -> io::Result<()> {
    let mut frame = Vec::new();
    loop {
        let length =
            usize::try_from(reader.read_i32().await?).ok().filter(|length| (1..=MAX_NOTIFICATION).contains(length));
        let Some(length) = length else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no length of a notification"));
        };
        frame.resize(length, 0);
        reader.read_exact(&mut frame).await?;
        match decode_notification(&frame, version) {
            Ok(notification) => {
                if events.send(Event::Notification { from, notification }).await.is_err() {
                    return Ok(());
                }
            }
            Err(error) => warn!(server = from.0, %error, "what it sent is no notification"),
        }
    }
}
