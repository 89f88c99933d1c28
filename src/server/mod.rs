//! The real server: the replica between sockets, a disk and a clock. The only module that knows tokio.
//!
//! ```text
//! client port ──┐                              ┌─▶ disk thread: file operations, one sync for many writes
//! quorum links ─┼─▶ driver: owns the replica ──┼─▶ sockets
//! election port ┘   (one thread, no locks)     └─▶ metrics
//! ```
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the adapter is where sockets, files and clocks are"
)]

pub mod admin;
mod boot;
mod clients;
mod clock;
pub mod config;
mod date;
mod descriptors;
mod desk;
mod disk;
mod driver;
mod election;
#[cfg(test)]
mod fixture;
mod folders;
pub mod metrics;
mod milestones;
mod ports;
mod quorum;
mod refusal;
pub mod report;
mod status;
pub mod tally;
pub mod words;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{self, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tracing::info;

use crate::replica::{Replica, Service};
use crate::zab::HaltReason;
use crate::zk::service::{Answer, Call};

pub use clients::{Connection, Reply, Words};
pub use descriptors::raise_limit;
pub use desk::{FourLetters, Operated};
pub use refusal::Refusal;
pub use status::{Counters, LearnerStatus, Status};

use clients::Clients;
use clock::Clock;
use config::{ClientOptions, ServerConfig};
use disk::Disk;
use driver::{Driver, Inbox, Order};
use election::Election;
use milestones::Milestones;
use ports::{bind, listening};
use quorum::Quorum;
use report::{Detail, Reset, Surveyed};

/// Events that may wait for the driver before the sockets do.
const EVENTS: usize = 1024;
/// How long the clients of a server that stops may take to read their last answers.
const FAREWELL: Duration = Duration::from_secs(2);

/// A running server. Dropped, it ends as if it had been killed; see [`Server::stop`].
pub struct Server {
    client_address: Option<SocketAddr>,
    desk: Desk,
    /// Kept, for the driver ends when nobody can give it orders any more.
    orders: Option<mpsc::UnboundedSender<Order>>,
    driver: Option<JoinHandle<HaltReason>>,
    clients: Arc<Clients>,
    runtime: Option<Runtime>,
}

/// Where questions to a running server are asked.
#[derive(Clone)]
pub struct Desk {
    orders: mpsc::WeakUnboundedSender<Order>,
}

impl Server {
    /// Recovers what is on disk and opens the ports. `fresh` makes a service without any state, `words` answers what comes
    /// instead of a client's first frame.
    pub fn start<S>(
        config: &ServerConfig,
        words: Arc<dyn Words>,
        fresh: impl Fn() -> S + Send + 'static,
    ) -> io::Result<Server>
    where
        S: Service<Call = Call, Answer = Answer, Image: Send + 'static> + Surveyed + Send + 'static,
        S::Effect: Send,
    {
        let runtime = runtime::Builder::new_multi_thread().thread_name("zabsim-io").enable_all().build()?;
        let (events, events_queue) = mpsc::channel(EVENTS);
        let (orders, orders_queue) = mpsc::unbounded_channel();
        let (news, news_queue) = mpsc::unbounded_channel();
        let desk = Desk { orders: orders.downgrade() };
        let sid = config.peer.sid;

        let (version, data) = (env!("CARGO_PKG_VERSION"), config.store.data_dir.display());
        match config.members.len() {
            0 => info!(version, %data, "a standalone server starts"),
            n => info!(version, %data, server = sid.0, "a server of {n} starts"),
        }
        let clock = Clock::start();
        let (disk, recovered, service) = Disk::open(config, fresh, news)?;
        let client_options = ClientOptions {
            outstanding_limit: config.outstanding_limit(),
            max_connections_in_all: descriptors::most_connections(config.clients.max_connections_in_all),
            ..config.clients.clone()
        };
        let clients = Clients::new(&client_options, words, desk.clone(), events.clone());
        let (client_address, election) = runtime.block_on(async {
            let client_address = match &config.clients.address {
                Some(address) => {
                    let listener = bind(address, "clientPort").await?;
                    let bound = listener.local_addr()?;
                    tokio::spawn(clients.clone().serve(listener));
                    Some(bound)
                }
                None => None,
            };
            if let Some(own) = config.members.iter().find(|member| member.sid == sid) {
                // Opened only by who leads; that it cannot be is better known now.
                let own = (listening(&own.quorum, config.quorum.listen_on_all_ips), format!("server.{}", sid.0));
                drop(bind(&own.0, &own.1).await?);
            }
            io::Result::Ok((client_address, Election::start(config, events.clone()).await?))
        })?;
        let quorum = Quorum::new(config, runtime.handle().clone(), events, S::check);

        let handle = runtime.handle().clone();
        let peer = config.peer.clone();
        let milestones = Milestones::new(peer.ensemble.clone());
        let driver = thread::Builder::new().name("zabsim-driver".to_owned()).spawn(move || {
            let mut effects = Vec::new();
            let replica = Replica::new(peer, recovered, service, clock.now(), &mut effects);
            let inbox = Inbox { events: events_queue, news: news_queue, orders: orders_queue };
            Driver::new(replica, clock, disk, election, quorum, milestones).run(&handle, inbox, effects)
        })?;
        let ports =
            config.members.iter().find(|it| it.sid == sid).map(|it| (it.quorum.to_string(), it.election.to_string()));
        let (quorum, election) = ports.unzip();
        info!(clients = client_address.map(|it| it.to_string()), quorum, election, "listening");
        Ok(Server { client_address, desk, orders: Some(orders), driver: Some(driver), clients, runtime: Some(runtime) })
    }

    /// Where clients connect, if anywhere.
    pub fn client_address(&self) -> Option<SocketAddr> {
        self.client_address
    }

    /// Where to ask it.
    pub fn desk(&self) -> Desk {
        self.desk.clone()
    }

    /// How it is; `None` once it has ended.
    pub fn status(&self) -> Option<Status> {
        self.runtime.as_ref()?.block_on(self.desk.status(Detail::Numbers))
    }

    /// Stops it cleanly: it leaves its role, everything queued for the disk becomes durable, clients get what they are owed.
    pub fn stop(mut self) -> HaltReason {
        self.desk.stop();
        self.end()
    }

    /// Waits until it ends: by [`Desk::stop`], or because it cannot go on.
    pub fn wait(mut self) -> HaltReason {
        self.end()
    }

    fn end(&mut self) -> HaltReason {
        let Some(driver) = self.driver.take() else { return HaltReason::Stopped };
        let reason = driver.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        if let Some(runtime) = self.runtime.take() {
            let _ = runtime.block_on(async { timeout(FAREWELL, self.clients.gone()).await });
            runtime.shutdown_timeout(FAREWELL);
        }
        reason
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Without anybody to give orders the driver ends at once.
        self.orders = None;
        if let Some(driver) = self.driver.take() {
            drop(driver.join());
        }
    }
}

impl Desk {
    /// How the server is; `None` once it has ended.
    pub async fn status(&self, detail: Detail) -> Option<Status> {
        let (reply, answer) = oneshot::channel();
        self.orders.upgrade()?.send(Order::Status(detail, reply)).ok()?;
        answer.await.ok()
    }

    /// Sets counters back to zero.
    pub fn reset(&self, what: Reset) {
        if let Some(orders) = self.orders.upgrade() {
            // A server that has ended counts nothing.
            let _ = orders.send(Order::Reset(what));
        }
    }

    /// Asks it to stop cleanly.
    pub fn stop(&self) {
        if let Some(orders) = self.orders.upgrade() {
            // A server that has ended has stopped.
            let _ = orders.send(Order::Stop);
        }
    }
}

fn std_duration(duration: crate::zab::Duration) -> Duration {
    Duration::from_nanos(duration.as_nanos())
}
