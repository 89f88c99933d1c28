//! A server with something of everything, for the tests of what operators see.

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;

use super::config::{ServerConfig, Source};
use super::report::{
    ConnectionReport, Detail, Eventual, HostReport, Inventory, LastReport, LeaderReport, Mode, Observed, Report, Reset,
    SessionReport, Traffic, TreeReport,
};
use super::tally::Tally;
use crate::zab::{Duration, Phase, Sid, Zxid};
use crate::zk::service::watches::WatchSummary;

const SESSION: i64 = 0x0300_01b0_02cb_0000;

/// What it answers is always the same; what was reset is kept.
pub(super) struct Fixed {
    pub config: ServerConfig,
    pub report: Option<Report>,
    pub resets: Mutex<Vec<Reset>>,
}

impl Fixed {
    /// The third of three servers, which leads.
    pub fn leader() -> Fixed {
        Fixed { config: config("4lw.commands.whitelist=*\n"), report: Some(report()), resets: Mutex::default() }
    }
}

impl Observed for Fixed {
    fn config(&self) -> &ServerConfig {
        &self.config
    }

    fn report(&self, detail: Detail) -> Eventual<'_, Option<Report>> {
        let report = self.report.clone().map(|report| match detail {
            Detail::Inventory => Report { host: HostReport::default(), ..report },
            Detail::Numbers => Report { inventory: Inventory::default(), host: HostReport::default(), ..report },
            Detail::Process => {
                let HostReport { open_files, max_files, resident, .. } = report.host;
                let host = HostReport { open_files, max_files, resident, ..HostReport::default() };
                Report { inventory: Inventory::default(), host, ..report }
            }
            Detail::Folders => {
                let host = HostReport { open_files: 0, max_files: 0, resident: 0, ..report.host };
                Report { inventory: Inventory::default(), host, ..report }
            }
        });
        Box::pin(std::future::ready(report))
    }

    fn reset(&self, what: Reset) -> Eventual<'_, ()> {
        self.resets.lock().unwrap().push(what);
        Box::pin(std::future::ready(()))
    }
}

/// Runs what needs no runtime of its own.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

pub(super) fn config(more: &str) -> ServerConfig {
    let text = format!(
        "tickTime=500\ninitLimit=10\nsyncLimit=5\ndataDir=/data\nclientPort=2183\nserver.1=zoo1:2888:3888\n\
         server.2=zoo2:2888:3888\nserver.3=zoo3:2888:3888\n{more}"
    );
    let myid = |_: &std::path::Path| io::Result::Ok("3".to_owned());
    ServerConfig::parse(Source::new("zoo.cfg", text), &mut { myid }).expect("it is right").0
}

fn report() -> Report {
    let traffic = Traffic {
        received: 17,
        sent: 18,
        answered: 17,
        min_latency: Duration::from_micros(200),
        max_latency: Duration::from_millis(11),
        total_latency: Duration::from_millis(37),
    };
    let session = SessionReport {
        id: SESSION,
        timeout: Duration::from_secs(10),
        established: 1_795_247_539_163,
        last_cxid: 16,
        last_zxid: 0x2_0000_0009,
    };
    let silent = Traffic { received: 1, ..Traffic::default() };
    let connection = |port, traffic, session| ConnectionReport {
        from: ([127, 0, 0, 1], port).into(),
        outstanding: 0,
        traffic,
        session,
        silent_until: Some(1_795_254_250_000),
        last: LastReport {
            op: session.map_or("NA", |_| "SETD"),
            at: Duration::from_secs(300),
            took: Duration::from_millis(4),
        },
    };
    let mut tally = Tally::default();
    [100, 30, 47].into_iter().for_each(|length| tally.proposals.add(length));
    [2, 3, 40].into_iter().for_each(|took| tally.updates.add(took));
    tally.disk.syncs.add(7);
    Report {
        mode: Mode::Leader,
        phase: Phase::Broadcast,
        leader: Some(Sid(3)),
        last_zxid: Zxid(0x2_0000_0009),
        uptime: Duration::from_secs(325),
        traffic,
        outstanding: 0,
        connections: vec![connection(53148, silent, None), connection(53138, traffic, Some(session))],
        tree: TreeReport {
            nodes: 8,
            ephemerals: 1,
            data_size: 195,
            sessions: 1,
            watches: 2,
            watched: WatchSummary { connections: 1, paths: 2, watches: 2 },
            digest_mismatches: 0,
        },
        leading: Some(LeaderReport {
            learners: 2,
            synced_followers: 2,
            synced_observers: 0,
            proposals: 9,
            pending_syncs: 1,
            uptime: Duration::from_secs(320),
        }),
        tally,
        digests: vec![(Zxid(0x80), 271_292_528_688)],
        host: HostReport {
            open_files: 55,
            max_files: 20_000,
            resident: 20 << 20,
            data_dir_size: 597,
            log_dir_size: 67_109_477,
            last_snapshot: Some((Zxid(0x2_0000_0001), 1_795_254_351)),
        },
        inventory: Inventory {
            watches: BTreeMap::from([(SESSION, vec!["/a".to_owned(), "/nope".to_owned()])]),
            ephemerals: BTreeMap::from([(SESSION, vec!["/a/e".to_owned()])]),
            sessions: BTreeMap::from([(SESSION, Duration::from_secs(10))]),
            silences: BTreeMap::new(),
            expiries: Some(BTreeMap::from([(1_795_254_240_000, vec![SESSION])])),
        },
    }
}
