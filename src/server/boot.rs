//! A whole ZooKeeper server out of its configuration: replica, service, ports, and what operators ask.

use std::io;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::net::TcpListener;
use tracing::{error, warn};

use super::config::{Address, ServerConfig};
use super::desk::{FourLetters, Operated};
use super::report::Observed;
use super::{Server, admin, bind};
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
        let server = Server::start(config, words, move || Zk::new(service.clone(), now()))?;
        let observed: Arc<dyn Observed> = Arc::new(Operated::new(config.clone(), server.desk()));
        if let Some(address) = &config.admin.address {
            match server.open(address, "admin.serverPort") {
                Ok(listener) => server.attend("admin", admin::serve(listener, observed.clone())),
                Err(error) => warn!(%error, "no admin endpoint; without one: admin.enableServer=false"),
            }
        }
        if let Some(address) = &config.admin.metrics {
            server.attend("metrics", admin::serve_metrics(server.open(address, "metricsProvider.httpPort")?, observed));
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
