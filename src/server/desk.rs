//! Where a running server is asked how it is: the driver's [`Status`] and the census of its service become a [`Report`], which
//! four-letter words, HTTP and Prometheus write down.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use super::clients::{Reply, Words};
use super::config::ServerConfig;
use super::report::{
    Census, ConnectionReport, Detail, Eventual, HostReport, Inventory, LeaderReport, Mode, Observed, Report, Reset,
    SessionReport, Surveyed, Traffic, TreeReport,
};
use super::status::{Counters, Status};
use super::{Desk, words};
use crate::zab::{Duration, MemberRole, PeerState};
use crate::zk::service::ConnId;
use crate::zk::service::zk::Zk;

/// A running server with its configuration.
#[derive(Clone)]
pub struct Operated {
    config: ServerConfig,
    desk: Desk,
}

impl Operated {
    /// The server behind `desk`.
    pub fn new(config: ServerConfig, desk: Desk) -> Operated {
        Operated { config, desk }
    }
}

impl Observed for Operated {
    fn config(&self) -> &ServerConfig {
        &self.config
    }

    fn report(&self, detail: Detail) -> Eventual<'_, Option<Report>> {
        Box::pin(async move {
            let status = self.desk.status(detail).await?;
            Some(report(&self.config, status))
        })
    }

    fn reset(&self, what: Reset) -> Eventual<'_, ()> {
        self.desk.reset(what);
        Box::pin(std::future::ready(()))
    }
}

/// The four-letter words of a server with this configuration.
pub struct FourLetters(pub ServerConfig);

impl Words for FourLetters {
    fn answer<'a>(&'a self, word: [u8; 4], desk: &'a Desk) -> Option<Reply<'a>> {
        let word = words::word_of(word)?;
        let server = Operated::new(self.0.clone(), desk.clone());
        Some(Box::pin(async move { words::answer(word, &server).await.into_bytes() }))
    }
}

fn report(config: &ServerConfig, status: Status) -> Report {
    let Status { census, counters, .. } = status;
    let mode = match status.state {
        PeerState::Looking => Mode::Looking,
        _ if config.standalone => Mode::Standalone,
        PeerState::Following => Mode::Follower,
        PeerState::Leading => Mode::Leader,
        PeerState::Observing => Mode::Observer,
    };
    let connections: Vec<ConnectionReport> = status
        .connections
        .iter()
        .map(|(conn, seen)| {
            let known = census.connections.get(conn);
            let latency = known.map(|(_, traffic)| *traffic).unwrap_or_default();
            ConnectionReport {
                from: seen.from,
                outstanding: seen.outstanding as u64,
                traffic: Traffic { received: seen.received, sent: seen.sent, ..latency },
                session: known.and_then(|(session, _)| *session),
            }
        })
        .collect();
    let is_synced = |role: MemberRole| {
        let of_role =
            status.learners.iter().filter(|it| config.peer.ensemble.role(it.sid) == Some(role) && it.is_synced);
        of_role.count() as u64
    };
    let leading = (mode == Mode::Leader).then(|| LeaderReport {
        learners: status.learners.len() as u64,
        synced_followers: is_synced(MemberRole::Participant),
        synced_observers: is_synced(MemberRole::Observer),
        proposals: counters.proposed,
    });
    Report {
        mode,
        phase: status.phase,
        leader: status.leader,
        last_zxid: status.last_zxid,
        uptime: status.uptime,
        traffic: traffic(&counters),
        outstanding: connections.iter().map(|it| it.outstanding).sum(),
        connections,
        tree: census.tree,
        leading,
        host: host(config),
        inventory: census.inventory,
    }
}

fn traffic(counters: &Counters) -> Traffic {
    Traffic {
        received: counters.received,
        sent: counters.sent,
        answered: counters.answered,
        min_latency: counters.min_latency,
        max_latency: counters.max_latency,
        total_latency: counters.total_latency,
    }
}

/// What the operating system knows; nothing where it does not tell.
fn host(config: &ServerConfig) -> HostReport {
    let proc = |file: &str| fs::read_to_string(format!("/proc/self/{file}")).unwrap_or_default();
    let (limits, status) = (proc("limits"), proc("status"));
    let after = |text: &str, start: &str, word: usize| {
        let line = text.lines().find_map(|line| line.strip_prefix(start).map(str::to_owned))?;
        line.split_whitespace().nth(word)?.parse().ok()
    };
    let size = |folder: &Path, prefix: &str| folder_size(&folder.join("version-2"), prefix).unwrap_or(0);
    HostReport {
        open_files: fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as u64),
        max_files: after(&limits, "Max open files", 0).unwrap_or(0),
        resident: after(&status, "VmRSS:", 0).unwrap_or(0_u64) * 1024,
        data_dir_size: size(&config.store.data_dir, "snapshot."),
        log_dir_size: size(&config.store.log_dir, "log."),
    }
}

/// The bytes of the files of one kind. One may be renamed or deleted meanwhile.
fn folder_size(folder: &Path, prefix: &str) -> io::Result<u64> {
    let entries = fs::read_dir(folder)?.filter_map(Result::ok);
    let of_kind = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    Ok(of_kind.filter_map(|entry| entry.metadata().ok()).map(|it| it.len()).sum())
}

impl Surveyed for Zk {
    fn survey(&self, detail: Detail) -> Census {
        let figures = self.figures();
        let tree = TreeReport {
            nodes: figures.nodes as u64,
            ephemerals: figures.ephemerals as u64,
            data_size: figures.data_size as u64,
            sessions: figures.sessions as u64,
            watches: figures.watches as u64,
            digest_mismatches: figures.digest_mismatches,
        };
        let connections: BTreeMap<ConnId, (Option<SessionReport>, Traffic)> = self
            .connections()
            .map(|it| {
                let latency = it.figures.latency;
                let traffic = Traffic {
                    received: it.figures.received,
                    sent: it.figures.sent,
                    answered: latency.count,
                    min_latency: latency.min,
                    max_latency: latency.max,
                    total_latency: latency.total,
                };
                let session = (it.session.0 != 0).then(|| SessionReport {
                    id: it.session.0,
                    timeout: milliseconds(it.timeout),
                    established: self.config().wall_clock(it.figures.established),
                    last_cxid: it.figures.last_xid,
                    last_zxid: it.figures.last_zxid,
                });
                (it.conn, (session, traffic))
            })
            .collect();
        let inventory = match detail {
            Detail::Numbers => Inventory::default(),
            Detail::All => inventory(self, &connections),
        };
        Census { tree, connections, inventory }
    }
}

fn inventory(zk: &Zk, connections: &BTreeMap<ConnId, (Option<SessionReport>, Traffic)>) -> Inventory {
    let mut watches = BTreeMap::<i64, Vec<String>>::new();
    for (conn, path) in zk.watches().pairs() {
        if let Some((Some(session), _)) = connections.get(&conn) {
            watches.entry(session.id).or_default().push(path);
        }
    }
    let tree = zk.tree();
    Inventory {
        watches,
        ephemerals: tree.owners().map(|session| (session.0, tree.ephemerals(session, ""))).collect(),
        sessions: tree.sessions().iter().map(|(id, timeout)| (id.0, milliseconds(*timeout))).collect(),
    }
}

fn milliseconds(timeout: i32) -> Duration {
    Duration::from_millis(u64::try_from(timeout).unwrap_or(0))
}
