//! A whole ZooKeeper server out of its configuration: replica, service, ports, and what operators ask.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::net::TcpListener;
use tracing::{error, info, warn};

use super::config::{Address, ServerConfig};
use super::desk::{FourLetters, Operated};
use super::ports::bind;
use super::report::Observed;
use super::{Server, admin};
use crate::zab::Limits;
use crate::zk::service::zk::Zk;

impl Server {
    /// Starts the server that `config` describes. It is ready when it serves, which [`Server::status`] and the admin endpoint tell.
    ///
    /// A port of the server or of Prometheus that is taken is an error. One of the admin endpoint is a warning, as in ZooKeeper.
    pub fn boot(config: &ServerConfig) -> io::Result<Server> {
        let started = Instant::now();
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let service = config.service(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX));
        // The ids of new sessions begin with the time, so that a service made later gives out none of an earlier one.
        let now = move || crate::zab::Instant(u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX));
        let words = Arc::new(FourLetters(config.clone()));
        let mut drawn = config.clone();
        scatter_snapshots(&mut drawn.peer.limits, RandomState::new().hash_one(()));
        let server = Server::start(&drawn, words, move || Zk::new(service.clone(), now()))?;
        let observed: Arc<dyn Observed> = Arc::new(Operated::new(config.clone(), server.desk()));
        if let Some(address) = &config.admin.address {
            match server.open(address, "admin.serverPort") {
                Ok(listener) => {
                    info!(address = %listener.local_addr()?, "HTTP commands are under /commands");
                    server.attend("admin", admin::serve(listener, observed.clone()));
                }
                Err(error) => warn!(%error, "no admin endpoint; without one: admin.enableServer=false"),
            }
        }
        if let Some(address) = &config.admin.metrics {
            let listener = server.open(address, "metricsProvider.httpPort")?;
            info!(address = %listener.local_addr()?, "metrics are under /metrics");
            server.attend("metrics", admin::serve_metrics(listener, observed));
        }
        Ok(server)
    }

    fn open(&self, address: &Address, key: &str) -> io::Result<TcpListener> {
        self.runtime.as_ref().ok_or(io::ErrorKind::NotConnected)?.block_on(bind(address, key))
    }

    /// Runs an endpoint beside the server, until the server ends.
    fn attend(&self, name: &'static str, endpoint: impl Future<Output = io::Result<()>> + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(async move {
                if let Err(error) = endpoint.await {
                    error!(%error, name, "an endpoint ended");
                }
            });
        }
    }
}

/// Snapshots come after half of `snapCount` txns to all of them, and the same of `snapSizeLimitInKb`
/// (`SyncRequestProcessor`): the servers of an ensemble log the same txns, and should not all write snapshots at the same
/// moment.
fn scatter_snapshots(limits: &mut Limits, random: u64) {
    let less = |most: u64, random: u64| most - random % (most / 2 + 1);
    limits.snap_count = u32::try_from(less(limits.snap_count.into(), random)).unwrap_or(limits.snap_count);
    limits.snap_size_limit = limits.snap_size_limit.map(|most| less(most, random.rotate_left(32)));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn snapshots_come_after_half_of_what_is_configured_to_all_of_it() {
        let drawn = |snap_count: u32, random: u64| {
            let mut limits = Limits { snap_count, snap_size_limit: Some(2000), ..Limits::default() };
            scatter_snapshots(&mut limits, random);
            (limits.snap_count, limits.snap_size_limit.unwrap())
        };
        let counts: BTreeSet<u32> = (0..1000).map(|random| drawn(100, random).0).collect();
        assert_eq!(counts, (50..=100).collect());
        let sizes: BTreeSet<u64> = (0..2000).map(|random| drawn(100, random << 32).1).collect();
        assert_eq!(sizes, (1000..=2000).collect());
        assert_eq!([1, 2, 3].map(|most| drawn(most, 1).0), [1, 1, 2], "never after none");
        let mut unbounded = Limits { snap_size_limit: None, ..Limits::default() };
        scatter_snapshots(&mut unbounded, 7);
        assert_eq!(unbounded.snap_size_limit, None);
    }
}
