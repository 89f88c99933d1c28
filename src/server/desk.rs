//! Where a running server is asked how it is: the driver's [`Status`] and the census of its service become a [`Report`], which
//! four-letter words, HTTP and Prometheus write down.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::UNIX_EPOCH;
use std::{fs, io};

use tokio::task::spawn_blocking;

use super::clients::{Reply, Words};
use super::config::{ServerConfig, StoreOptions};
use super::report::{
    Census, ConnectionReport, Detail, Eventual, HostReport, Inventory, LastReport, LeaderReport, Mode, Observed,
    Report, Reset, SessionReport, Surveyed, Traffic, TreeReport,
};
use super::status::{Counters, Status};
use super::tally::op_word;
use super::{Desk, words};
use crate::zab::{Duration, Instant, MemberRole, PeerState, Zxid};
use crate::zk::service::ConnId;
use crate::zk::service::zk::Zk;
use crate::zk::store::FileName;

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
            Some(report(&self.config, status, host(&self.config.store, detail).await))
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

fn report(config: &ServerConfig, status: Status, host: HostReport) -> Report {
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
            let traffic = Traffic {
                received: seen.received,
                sent: seen.sent,
                answered: seen.latency.count,
                min_latency: seen.latency.min,
                max_latency: seen.latency.max,
                total_latency: seen.latency.total,
            };
            let (at, took) = seen.last.map(|it| (it.at.since(Instant::ZERO), it.took)).unwrap_or_default();
            ConnectionReport {
                from: seen.from,
                outstanding: seen.outstanding as u64,
                traffic,
                session: census.connections.get(conn).copied().flatten(),
                silent_until: census.inventory.silences.get(conn).copied(),
                last: LastReport { op: op_word(seen.last.and_then(|it| it.op)), at, took },
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
        pending_syncs: status.pending_syncs as u64,
        uptime: status.leader_uptime,
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
        tally: status.tally,
        digests: status.digests,
        host,
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

/// What the operating system knows; nothing where it does not tell. Its files are read where nobody waits for anything
/// else: a folder may be slow, and a process have many descriptors.
async fn host(store: &StoreOptions, detail: Detail) -> HostReport {
    let (data, log) = (store.data_dir.join("version-2"), store.log_dir.join("version-2"));
    let found = match detail {
        Detail::Numbers | Detail::Inventory => return HostReport::default(),
        Detail::Process => spawn_blocking(process),
        Detail::Folders => spawn_blocking(move || folders(&data, &log)),
    };
    // It fails only when the runtime is going down.
    found.await.unwrap_or_default()
}

fn process() -> HostReport {
    let proc = |file: &str| fs::read_to_string(format!("/proc/self/{file}")).unwrap_or_default();
    let (limits, status) = (proc("limits"), proc("status"));
    let after = |text: &str, start: &str, word: usize| {
        let line = text.lines().find_map(|line| line.strip_prefix(start).map(str::to_owned))?;
        line.split_whitespace().nth(word)?.parse().ok()
    };
    HostReport {
        open_files: fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as u64),
        max_files: after(&limits, "Max open files", 0).unwrap_or(0),
        resident: after(&status, "VmRSS:", 0).unwrap_or(0_u64) * 1024,
        ..HostReport::default()
    }
}

fn folders(data: &Path, log: &Path) -> HostReport {
    HostReport {
        data_dir_size: folder_size(data, "snapshot.").unwrap_or(0),
        log_dir_size: folder_size(log, "log.").unwrap_or(0),
        last_snapshot: last_snapshot(data),
        ..HostReport::default()
    }
}

/// The bytes of the files of one kind. One may be renamed or deleted meanwhile.
fn folder_size(folder: &Path, prefix: &str) -> io::Result<u64> {
    let entries = fs::read_dir(folder)?.filter_map(Result::ok);
    let of_kind = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    Ok(of_kind.filter_map(|entry| entry.metadata().ok()).map(|it| it.len()).sum())
}

/// The newest snapshot and when it was written.
fn last_snapshot(folder: &Path) -> Option<(Zxid, u64)> {
    let entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let snapshots = entries.filter_map(|entry| match FileName::of(&entry.file_name().to_string_lossy()) {
        FileName::Snapshot(zxid) => Some((zxid, entry)),
        _ => None,
    });
    let (zxid, entry) = snapshots.max_by_key(|(zxid, _)| *zxid)?;
    let written = entry.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((zxid, written.as_secs()))
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
            watched: self.watches().summary(),
            digest_mismatches: figures.digest_mismatches,
        };
        let connections: BTreeMap<ConnId, Option<SessionReport>> = self
            .connections()
            .map(|it| {
                let session = (it.session.0 != 0).then(|| SessionReport {
                    id: it.session.0,
                    timeout: milliseconds(it.timeout),
                    established: self.config().wall_clock(it.figures.established),
                    last_cxid: it.figures.last_xid,
                    last_zxid: it.figures.last_zxid,
                });
                (it.conn, session)
            })
            .collect();
        let inventory = match detail {
            Detail::Numbers | Detail::Process | Detail::Folders => Inventory::default(),
            Detail::Inventory => inventory(self, &connections),
        };
        Census { tree, connections, inventory }
    }
}

fn inventory(zk: &Zk, connections: &BTreeMap<ConnId, Option<SessionReport>>) -> Inventory {
    let mut watches = BTreeMap::<i64, Vec<String>>::new();
    for (conn, path) in zk.watches().pairs() {
        if let Some(Some(session)) = connections.get(&conn) {
            watches.entry(session.id).or_default().push(path.to_owned());
        }
    }
    let tree = zk.tree();
    Inventory {
        watches,
        ephemerals: tree.owners().map(|session| (session.0, tree.ephemerals(session, ""))).collect(),
        expiries: zk.tracker().map(|tracker| {
            let buckets = tracker.buckets();
            buckets.map(|(end, ids)| (zk.config().wall_clock_of(end), ids.iter().map(|id| id.0).collect())).collect()
        }),
        silences: zk
            .silences()
            .flat_map(|(end, conns)| conns.iter().map(move |conn| (*conn, zk.config().wall_clock_of(end))))
            .collect(),
        sessions: tree.sessions().iter().map(|(id, timeout)| (id.0, milliseconds(*timeout))).collect(),
    }
}

fn milliseconds(timeout: i32) -> Duration {
    Duration::from_millis(u64::try_from(timeout).unwrap_or(0))
}
