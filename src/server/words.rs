//! Four-letter words (`FourLetterCommands`): what a server answers to somebody with a terminal, and to every monitoring tool.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::config::{Member, ServerConfig};
use super::date::Date;
use super::metrics::metrics;
use super::report::{ConnectionReport, Detail, Mode, Observed, Report, Reset, version};
use super::tally::Sizes;
use crate::zab::{Duration, MemberRole};
use crate::zk::service::watches::WatchSummary;

/// Every word, with what it tells.
pub const WORDS: [(&str, &str); 18] = [
    ("conf", "the configuration"),
    ("cons", "every connection"),
    ("crst", "sets the counters of connections back"),
    ("dirs", "how much room data and logs take"),
    ("dump", "sessions and their ephemeral nodes"),
    ("envi", "version and surroundings"),
    ("gtmk", "the trace mask, which has no effect"),
    ("hash", "digests of the tree in the past, by zxid"),
    ("isro", "whether the server only reads"),
    ("mntr", "the numbers"),
    ("ruok", "whether the process is there"),
    ("srst", "sets the counters of the server back"),
    ("srvr", "the server"),
    ("stat", "the server and its connections"),
    ("stmk", "the trace mask, which cannot be set"),
    ("wchc", "watches by session"),
    ("wchp", "watches by path"),
    ("wchs", "watches, counted"),
];

/// `ZooTrace`: session, warnings, invocation and so on. Tools ask for it, nothing here depends on it.
pub(super) const TRACE_MASK: u64 = 306;

const NOT_SERVING: &str = "This ZooKeeper instance is not currently serving requests\n";

/// Which word these four bytes are, if they are one; else they are the length of a frame.
pub fn word_of(bytes: [u8; 4]) -> Option<&'static str> {
    WORDS.iter().map(|(word, _)| *word).find(|word| word.as_bytes() == bytes)
}

/// What `server` answers to a word. It is the whole answer; the connection ends with it.
pub async fn answer(word: &'static str, server: &dyn Observed) -> String {
    let config = server.config();
    if !config.admin.words.allows(word) {
        return format!("{word} is not executed because it is not in the whitelist.\n");
    }
    match word {
        "ruok" => return "imok".into(),
        "gtmk" | "stmk" => return TRACE_MASK.to_string(),
        "envi" => return environment(config),
        _ => {}
    }
    let detail = match word {
        "mntr" => Detail::Process,
        "conf" | "dirs" => Detail::Folders,
        "dump" | "wchc" | "wchp" => Detail::Inventory,
        _ => Detail::Numbers,
    };
    let report = server.report(detail).await.filter(Report::is_serving);
    let Some(report) = report else { return if word == "isro" { "null".into() } else { NOT_SERVING.into() } };
    match word {
        "crst" => server.reset(Reset::Connections).await,
        "srst" => server.reset(Reset::Server).await,
        _ => {}
    }
    text(word, config, &report)
}

/// What a server that serves answers to a word.
pub fn text(word: &str, config: &ServerConfig, report: &Report) -> String {
    match word {
        "conf" => configuration(config, report),
        "cons" => written(|out| {
            report.connections.iter().try_for_each(|it| writeln!(out, " {}", Line(it)))?;
            writeln!(out)
        }),
        "crst" => "Connection stats reset.\n".into(),
        "srst" => "Server stats reset.\n".into(),
        "dirs" => format!("datadir_size: {}\nlogdir_size: {}\n", report.host.data_dir_size, report.host.log_dir_size),
        "dump" => dump(report),
        "hash" => {
            written(|out| report.digests.iter().try_for_each(|(zxid, digest)| writeln!(out, "{:x}: {digest}", zxid.0)))
        }
        "isro" => "rw".into(),
        "mntr" => monitor(config, report),
        "srvr" => server(config, report, ""),
        "stat" => {
            let lines: String = report.connections.iter().map(|it| format!(" {}\n", Short(it))).collect();
            server(config, report, &format!("Clients:\n{lines}\n"))
        }
        "wchc" => listed(report.inventory.watches.iter().map(|(id, paths)| (Session(*id), paths.as_slice()))),
        "wchp" => watches_by_path(report),
        "wchs" => watch_summary(report),
        _ => unreachable!("{word} is no word of the table"),
    }
}

fn written(write: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut text = String::new();
    write(&mut text).expect("a string takes everything");
    text
}

fn server(config: &ServerConfig, report: &Report, clients: &str) -> String {
    let traffic = &report.traffic;
    written(|out| {
        writeln!(out, "Zookeeper version: {}", version(config.tree.dialect))?;
        out.write_str(clients)?;
        let (min, max) = (traffic.min_latency.as_millis(), traffic.max_latency.as_millis());
        writeln!(out, "Latency min/avg/max: {min}/{}/{max}", traffic.average())?;
        writeln!(out, "Received: {}", traffic.received)?;
        writeln!(out, "Sent: {}", traffic.sent)?;
        writeln!(out, "Connections: {}", report.connections.len())?;
        writeln!(out, "Outstanding: {}", report.outstanding)?;
        writeln!(out, "Zxid: {:#x}", report.last_zxid.0)?;
        writeln!(out, "Mode: {}", report.mode.word())?;
        writeln!(out, "Node count: {}", report.tree.nodes)?;
        if report.leading.is_some() {
            let Sizes { last, min, max } = report.tally.proposals;
            writeln!(out, "Proposal sizes last/min/max: {last}/{min}/{max}")?;
        }
        Ok(())
    })
}

fn monitor(config: &ServerConfig, report: &Report) -> String {
    written(|out| {
        writeln!(out, "zk_version\t{}", version(config.tree.dialect))?;
        writeln!(out, "zk_server_state\t{}", report.mode.word())?;
        if report.mode != Mode::Standalone {
            writeln!(out, "zk_peer_state\t{}", report.peer_state())?;
        }
        let metrics = metrics(report, config.peer.ensemble.participants().count());
        metrics.iter().try_for_each(|metric| writeln!(out, "zk_{}\t{}", metric.name, metric.value))
    })
}

fn configuration(config: &ServerConfig, report: &Report) -> String {
    let ServerConfig { peer, store, clients, .. } = config;
    let version = |folder: &std::path::Path| folder.join("version-2").display().to_string();
    let port = clients.address.as_ref().map_or(0, |address| address.port);
    let mut text = written(|out| {
        writeln!(out, "clientPort={port}")?;
        writeln!(out, "secureClientPort=-1")?;
        writeln!(out, "dataDir={}", version(&store.data_dir))?;
        writeln!(out, "dataDirSize={}", report.host.data_dir_size)?;
        writeln!(out, "dataLogDir={}", version(&store.log_dir))?;
        writeln!(out, "dataLogSize={}", report.host.log_dir_size)?;
        writeln!(out, "tickTime={}", peer.limits.tick_time.as_millis())?;
        writeln!(out, "maxClientCnxns={}", clients.max_connections)?;
        writeln!(out, "minSessionTimeout={}", clients.min_session_timeout.as_millis())?;
        writeln!(out, "maxSessionTimeout={}", clients.max_session_timeout.as_millis())?;
        writeln!(out, "clientPortListenBacklog=-1")?;
        // ZooKeeper calls a standalone server 0 here.
        writeln!(out, "serverId={}", if config.standalone { 0 } else { peer.sid.0 })
    });
    if let Some(own) = config.members.iter().find(|member: &&Member| member.sid == peer.sid) {
        text += &written(|out| {
            writeln!(out, "initLimit={}", peer.limits.init_limit)?;
            writeln!(out, "syncLimit={}", peer.limits.sync_limit)?;
            writeln!(out, "electionAlg=3")?;
            writeln!(out, "electionPort={}", own.election.port)?;
            writeln!(out, "quorumPort={}", own.quorum.port)?;
            writeln!(out, "peerType={}", u8::from(own.role == MemberRole::Observer))?;
            write!(out, "membership: \n{}", config.text)
        });
    }
    text
}

fn environment(config: &ServerConfig) -> String {
    written(|out| {
        writeln!(out, "Environment:")?;
        writeln!(out, "zookeeper.version={}", version(config.tree.dialect))?;
        writeln!(out, "zabsim.version={}", env!("CARGO_PKG_VERSION"))?;
        surroundings().iter().try_for_each(|(name, value)| writeln!(out, "{name}={value}"))
    })
}

/// What the process sees of its host, under the names of Java's properties.
pub(super) fn surroundings() -> Vec<(&'static str, String)> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let kernel = |file: &str| std::fs::read_to_string(format!("/proc/sys/kernel/{file}")).unwrap_or_default();
    vec![
        ("host.name", kernel("hostname").trim().to_owned()),
        ("os.name", std::env::consts::OS.to_owned()),
        ("os.arch", std::env::consts::ARCH.to_owned()),
        ("os.version", kernel("osrelease").trim().to_owned()),
        ("user.name", variable("USER")),
        ("user.home", variable("HOME")),
        ("user.dir", std::env::current_dir().unwrap_or_default().display().to_string()),
    ]
}

fn dump(report: &Report) -> String {
    let inventory = &report.inventory;
    written(|out| {
        writeln!(out, "SessionTracker dump:")?;
        match &inventory.expiries {
            Some(expiries) => {
                let sessions: usize = expiries.values().map(Vec::len).sum();
                writeln!(out, "Session Sets ({})/({sessions}):", expiries.len())?;
                for (end, ids) in expiries {
                    writeln!(out, "{} expire at {}:", ids.len(), Date(*end))?;
                    ids.iter().try_for_each(|id| writeln!(out, "\t{}", Session(*id)))?;
                }
            }
            None => {
                writeln!(out, "Global Sessions({}):", inventory.sessions.len())?;
                for (id, timeout) in &inventory.sessions {
                    writeln!(out, "{}\t{}ms", Session(*id), timeout.as_millis())?;
                }
            }
        }
        writeln!(out, "ephemeral nodes dump:")?;
        writeln!(out, "Sessions with Ephemerals ({}):", inventory.ephemerals.len())?;
        for (id, paths) in &inventory.ephemerals {
            writeln!(out, "{}:", Session(*id))?;
            paths.iter().try_for_each(|path| writeln!(out, "\t{path}"))?;
        }
        writeln!(out, "Connections dump:")?;
        let mut sets = BTreeMap::<i64, Vec<&ConnectionReport>>::new();
        report.connections.iter().for_each(|it| sets.entry(it.silent_until.unwrap_or(0)).or_default().push(it));
        writeln!(out, "Connections Sets ({})/({}):", sets.len(), report.connections.len())?;
        sets.iter().try_for_each(|(end, connections)| {
            writeln!(out, "{} expire at {}:", connections.len(), Date(*end))?;
            connections.iter().try_for_each(|it| {
                let session = Session(it.session.map_or(0, |session| session.id));
                writeln!(out, "\tip: /{} sessionId: {session}", it.from)
            })
        })
    })
}

fn watch_summary(report: &Report) -> String {
    let WatchSummary { connections, paths, watches } = report.tree.watched;
    format!("{connections} connections watching {paths} paths\nTotal watches:{watches}\n")
}

fn watches_by_path(report: &Report) -> String {
    let by_path = by_path(report);
    let sessions: Vec<(&str, Vec<String>)> = by_path
        .into_iter()
        .map(|(path, ids)| (path, ids.iter().map(|id| Session(*id).to_string()).collect()))
        .collect();
    listed(sessions.iter().map(|(path, ids)| (path, ids.as_slice())))
}

/// Which sessions watch each path.
pub(super) fn by_path(report: &Report) -> BTreeMap<&str, Vec<i64>> {
    let mut by_path = BTreeMap::<&str, Vec<i64>>::new();
    for (id, paths) in &report.inventory.watches {
        paths.iter().for_each(|path| by_path.entry(path).or_default().push(*id));
    }
    by_path
}

/// Heads, each with its indented lines, and an empty line at the end.
fn listed<'a>(groups: impl Iterator<Item = (impl fmt::Display, &'a [String])>) -> String {
    written(|out| {
        for (head, lines) in groups {
            writeln!(out, "{head}")?;
            lines.iter().try_for_each(|line| writeln!(out, "\t{line}"))?;
        }
        writeln!(out)
    })
}

/// A session's id.
struct Session(i64);

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// A connection as in `stat`.
struct Short<'a>(&'a ConnectionReport);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Head(self.0))?;
        f.write_str(")")
    }
}

/// What `stat` and `cons` have in common.
struct Head<'a>(&'a ConnectionReport);

impl fmt::Display for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ConnectionReport { from, outstanding, traffic, session, .. } = self.0;
        // In the brackets Java has what it waits for: 1 is to read.
        let reads = u8::from(session.is_some());
        write!(f, "/{from}[{reads}](queued={outstanding},recved={},sent={}", traffic.received, traffic.sent)
    }
}

/// A connection as in `cons`.
struct Line<'a>(&'a ConnectionReport);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Head(self.0))?;
        if let Some(session) = &self.0.session {
            let traffic = &self.0.traffic;
            let whole = |duration: Duration| duration.as_millis();
            let last = &self.0.last;
            write!(f, ",sid={},lop={},est={}", Session(session.id), last.op, session.established)?;
            write!(f, ",to={}", whole(session.timeout))?;
            write!(f, ",lcxid={:#x},lzxid={:#x}", session.last_cxid, session.last_zxid)?;
            write!(f, ",lresp={},llat={}", whole(last.at), whole(last.took))?;
            let average = (traffic.total_latency.as_millis()).checked_div(traffic.answered).unwrap_or(0);
            let (min, max) = (whole(traffic.min_latency), whole(traffic.max_latency));
            write!(f, ",minlat={min},avglat={average},maxlat={max}")?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests;
