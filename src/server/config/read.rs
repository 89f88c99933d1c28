//! From the text of a `zoo.cfg` to a [`ServerConfig`].

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::complaint::{Complaint, Source};
use super::members::{Address, Members};
use super::reader::Reader;
use super::{
    AdminOptions, ClientOptions, Purge, QuorumOptions, Secret, ServerConfig, StoreOptions, TreeOptions, Whitelist,
};
use crate::server::words::WORDS;
use crate::zab::{Config, Duration, Ensemble, Limits, MOST_TICKS, MemberRole, Ratio, Sid};
use crate::zk::service::tree::due::Sweep;
use crate::zk::store::Beginning;
use crate::zk::wire::Dialect;

/// What a configuration came to: the server, and what is odd about its files.
pub type Read = Result<(ServerConfig, Vec<Complaint>), Vec<Complaint>>;

const WORD: &str = "4lw.commands.whitelist";
/// The largest whole number of Java, in which ZooKeeper counts.
const MOST: u32 = i32::MAX as u32;
const MOST_MILLISECONDS: u64 = i32::MAX as u64;
const MOST_KILOBYTES: i64 = 1 << 40;

impl ServerConfig {
    /// Reads a configuration out of a text; `open` reads the files that it names.
    pub fn parse(source: Source, open: &mut dyn FnMut(&Path) -> io::Result<String>) -> Read {
        let mut reader = Reader::new(source).map_err(|complaint| vec![complaint])?;
        let members = members(&mut reader, open);
        let standalone = is_standalone(&mut reader, &members);
        let store = store(&mut reader);
        let limits = limits(&mut reader, standalone);
        let quorum = QuorumOptions {
            listen_on_all_ips: reader.flag("quorumListenOnAllIPs", false),
            leader_serves: reader.yes_no("leaderServes", true),
        };
        observer_without_log(&mut reader);
        let admin = admin(&mut reader);
        let tree = tree(&mut reader);
        let sid = sid(&mut reader, &members, standalone, store.as_ref(), open);
        let clients = clients(&mut reader, &members, sid, standalone, limits.tick_time);
        if let Some(algorithm) = reader.take("electionAlg").filter(|it| it.value != "3") {
            reader.wrong(&algorithm, "expected 3, the only election there is");
        }
        let peer = peer(&mut reader, &members, sid, standalone, limits);
        reader.finish();
        let Reader { source, mut errors, mut warnings, .. } = reader;
        // The file itself from top to bottom, then what it lacks, then settings and other files.
        let place = |it: &Complaint| {
            let elsewhere = Some(&it.source.path).filter(|path| **path != source.path).cloned();
            (elsewhere, it.span.as_ref().map_or(usize::MAX, |span| span.start))
        };
        errors.sort_by_cached_key(place);
        warnings.sort_by_cached_key(place);
        let (Some(peer), Some(store), true) = (peer, store, errors.is_empty()) else { return Err(errors) };
        let (text, members) = if standalone { (String::new(), Vec::new()) } else { (members.text(), members.servers) };
        Ok((ServerConfig { peer, standalone, members, text, quorum, clients, tree, store, admin }, warnings))
    }
}

/// The list of servers, out of this file or out of the one that `dynamicConfigFile` names.
fn members(reader: &mut Reader, open: &mut dyn FnMut(&Path) -> io::Result<String>) -> Members {
    let members = Members::read(reader);
    let Some(named) = reader.take("dynamicConfigFile") else { return members };
    if !members.is_empty() {
        reader.error(
            &named,
            "servers are listed here and in a dynamic file",
            "remove `dynamicConfigFile`, or the servers here",
        );
        return members;
    }
    let text = match open(Path::new(&named.value)) {
        Ok(text) => text,
        Err(error) => {
            reader.error(
                &named,
                format!("cannot read `{}`: {error}", named.value),
                "name the file that lists the servers",
            );
            return members;
        }
    };
    let mut dynamic = match Reader::new(Source::new(named.value.as_str(), text)) {
        Ok(dynamic) => dynamic,
        Err(complaint) => {
            reader.errors.push(complaint);
            return members;
        }
    };
    let mut members = Members::read(&mut dynamic);
    members.version = version_of(&named.value);
    let version = members.version;
    if let Some(inside) = dynamic.take("version").filter(|it| u64::from_str_radix(&it.value, 16) != Ok(version)) {
        let message = format!("the name of the file says version {version:x}, and this line another");
        dynamic.error(&inside, message, "remove the line: the version is what follows the last dot of the file's name");
    }
    dynamic.finish();
    reader.errors.append(&mut dynamic.errors);
    reader.warnings.append(&mut dynamic.warnings);
    members
}

/// The version of a dynamic configuration: what follows the last dot of its file's name, if that is hexadecimal
/// (`QuorumPeerConfig.getVersionFromFilename`). Servers that may be reconfigured name their files so, and go on to have
/// that version when `reconfigEnabled` is switched off.
fn version_of(file: &str) -> u64 {
    let suffix = file.rsplit_once('.').and_then(|(_, suffix)| i64::from_str_radix(suffix, 16).ok());
    suffix.and_then(|version| u64::try_from(version).ok()).unwrap_or(0)
}

/// One participant, or no list at all, is a server of its own (`QuorumPeerConfig.isDistributed`).
fn is_standalone(reader: &mut Reader, members: &Members) -> bool {
    let allowed = reader.flag("standaloneEnabled", true);
    let observers = members.servers.len() - members.voters();
    let path = reader.source.clone();
    match members.voters() {
        0 | 1 if observers > 0 && (allowed || members.voters() == 0) => {
            reader
                .errors
                .push(path.lacks("observers need an ensemble to observe").help("list at least two participants"));
            false
        }
        0 if !allowed && reader.errors.is_empty() => {
            reader.lacks("server.1", "`standaloneEnabled` is false: list the servers as server.N=HOST:PORT:PORT");
            false
        }
        0 => true,
        1 => allowed,
        n => {
            let warning = match n {
                2 => "two participants survive the loss of none",
                n if n.is_multiple_of(2) => "an even number of participants survives no more losses than one less",
                _ => return false,
            };
            reader.warnings.push(path.lacks(warning).help("list an odd number of them, three or more"));
            false
        }
    }
}

fn limits(reader: &mut Reader, standalone: bool) -> Limits {
    let default = Limits::default();
    let milliseconds =
        |reader: &mut Reader, key: &str| reader.number(key, 0..=MOST_MILLISECONDS).map(Duration::from_millis);
    let tick_time =
        reader.number("tickTime", 1..=MOST_MILLISECONDS).map_or(Duration::from_secs(3), Duration::from_millis);
    let mut ticks = |key: &str, sample: u32| {
        let had = reader.errors.len();
        let ticks = reader.number(key, 1..=MOST_TICKS);
        if ticks.is_none() && reader.errors.len() == had && !standalone {
            reader.lacks(key, format!("{key}={sample} is usual: so many ticks of `tickTime`"));
        }
        ticks.unwrap_or(sample)
    };
    let (init_limit, sync_limit) = (ticks("initLimit", 10), ticks("syncLimit", 5));
    let factor = snapshot_size_factor(reader);
    let limits = Limits {
        tick_time,
        init_limit,
        sync_limit,
        connect_limit: reader.number("connectToLearnerMasterLimit", 0..=MOST_TICKS).unwrap_or(0),
        connect_retry_delay: milliseconds(reader, "leaderConnectDelayDuringRetryMs")
            .unwrap_or(default.connect_retry_delay),
        finalize_wait: default.finalize_wait,
        min_notification_interval: reader
            .number("fastleader.minNotificationInterval", 1..=MOST_MILLISECONDS)
            .map_or(default.min_notification_interval, Duration::from_millis),
        max_notification_interval: reader
            .number("fastleader.maxNotificationInterval", 1..=MOST_MILLISECONDS)
            .map_or(default.max_notification_interval, Duration::from_millis),
        max_time_to_wait_for_epoch: reader
            .number("leader.maxTimeToWaitForEpoch", -1..=MOST_MILLISECONDS as i64)
            .and_then(|it| u64::try_from(it).ok().map(Duration::from_millis)),
        // ZooKeeper draws from zero to this: the middle.
        observer_election_delay: milliseconds(reader, "observer.election.DelayMs")
            .map_or(default.observer_election_delay, |it| Duration(it.0 / 2)),
        commit_log_count: reader
            .at_least("commitLogCount", 500, 1 << 30, "ZooKeeper keeps no fewer")
            .map_or(default.commit_log_count, |count| count as usize),
        snap_count: reader
            .at_least("snapCount", 2, MOST, "ZooKeeper snapshots no more often")
            .unwrap_or(default.snap_count),
        snap_size_limit: snap_size_limit(reader),
        snapshot_size_factor: factor.unwrap_or(default.snapshot_size_factor),
        force_snapshot_sync: reader.flag("forceSnapshotSync", default.force_snapshot_sync),
        max_concurrent_snap_syncs: reader
            .number("leader.maxConcurrentSnapSyncs", 1..=i32::MAX as u32)
            .unwrap_or(default.max_concurrent_snap_syncs),
        max_concurrent_diff_syncs: reader
            .number("leader.maxConcurrentDiffSyncs", 1..=i32::MAX as u32)
            .unwrap_or(default.max_concurrent_diff_syncs),
        counter_limit: default.counter_limit,
    };
    if limits.max_notification_interval < limits.min_notification_interval {
        let help = "fastleader.maxNotificationInterval must not be below fastleader.minNotificationInterval";
        reader.errors.push(reader.source.lacks("the longest wait for notifications is below the shortest").help(help));
        return Limits { max_notification_interval: limits.min_notification_interval, ..limits };
    }
    limits
}

/// In bytes; zero and less switch it off.
fn snap_size_limit(reader: &mut Reader) -> Option<u64> {
    let kilobytes = reader.number("snapSizeLimitInKb", i64::MIN..=MOST_KILOBYTES).unwrap_or(4 << 20);
    u64::try_from(kilobytes).ok().filter(|&limit| limit > 0).map(|limit| limit * 1024)
}

/// An observer that logs nothing is not supported; what it would save does no harm.
fn observer_without_log(reader: &mut Reader) {
    for key in ["syncEnabled", "observer.syncEnabled"] {
        let property = reader.take(key);
        if let (Some(property), false) = (property, reader.flag(key, true)) {
            reader.warn(
                &property,
                format!("`{}=false` has no effect", property.key),
                "an observer logs what it learns",
            );
        }
    }
}

/// A decimal fraction, exactly; negative switches it off.
fn snapshot_size_factor(reader: &mut Reader) -> Option<Option<Ratio>> {
    let property = reader.take("snapshotSizeFactor")?;
    let digits = property.value.strip_prefix('-').unwrap_or(&property.value);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = format!("{whole}{fraction}");
    let denominator = 10_u32.checked_pow(u32::try_from(fraction.len()).unwrap_or(u32::MAX));
    let is_number = !all_digits.is_empty() && all_digits.bytes().all(|digit| digit.is_ascii_digit());
    match (all_digits.parse().ok().filter(|_| is_number), denominator) {
        (Some(_), Some(_)) if property.value.starts_with('-') => Some(None),
        (Some(numerator), Some(denominator)) if numerator > denominator => {
            let message = format!("`{}` of {} counts as 0.33", property.key, property.value);
            reader.warn(&property, message, "ZooKeeper takes nothing above 1 for it");
            None
        }
        (Some(numerator), Some(denominator)) => Some(Some(Ratio::new(numerator, denominator))),
        _ => {
            reader.wrong(&property, "expected a fraction such as 0.33, or -1 for none");
            None
        }
    }
}

fn store(reader: &mut Reader) -> Option<StoreOptions> {
    let data_dir = reader.text("dataDir").map(PathBuf::from);
    if data_dir.is_none() {
        reader.lacks("dataDir", "write dataDir=FOLDER: where snapshots and, without `dataLogDir`, logs are kept");
    }
    let log_dir = reader.text("dataLogDir").map(PathBuf::from).or_else(|| data_dir.clone());
    let preallocate = reader.number("preAllocSize", 0..=MOST_KILOBYTES.unsigned_abs()).unwrap_or(65536) * 1024;
    let force_sync = reader.yes_no("forceSync", true);
    let slow_sync = reader.number("fsync.warningthresholdms", 0..=MOST_MILLISECONDS).unwrap_or(1000);
    let hours = reader.number("autopurge.purgeInterval", 0..=24 * 365).unwrap_or(0);
    let retain = reader.at_least("autopurge.snapRetainCount", 3, MOST, "ZooKeeper keeps no fewer").unwrap_or(3);
    let retain = retain as usize;
    let new_if_empty = reader.flag("db.autocreate", Beginning::DEFAULT.new_if_empty);
    let beginning =
        Beginning { new_if_empty, trust_log: reader.flag("snapshot.trust.empty", Beginning::DEFAULT.trust_log) };
    Some(StoreOptions {
        data_dir: data_dir?,
        log_dir: log_dir?,
        preallocate,
        force_sync,
        slow_sync: Duration::from_millis(slow_sync),
        purge: (hours > 0).then(|| Purge { retain, interval: Duration::from_secs(hours * 3600) }),
        beginning,
    })
}

fn tree(reader: &mut Reader) -> TreeOptions {
    let super_digest = reader.take("DigestAuthenticationProvider.superDigest");
    if let Some(property) = super_digest.as_ref().filter(|it| it.value.matches(':').count() != 1) {
        // Its line is named and not shown: it may hold the password itself.
        let place = reader.source.at(property.key_span.clone(), "");
        let (line, _) = place.place().unwrap_or_default();
        let message = format!("`{}` in line {line} has no user and digest", property.key);
        let complaint = Complaint { message, span: None, ..place };
        let help = "expected USER:DIGEST, the digest being base64(sha1(\"USER:PASSWORD\"))";
        reader.errors.push(complaint.help(help));
    }
    TreeOptions {
        skip_acl: reader.yes_no("skipACL", false),
        super_digest: super_digest.map(|property| Secret(property.value)),
        extended_types: reader.flag("extendedTypesEnabled", false),
        enforce_quota: reader.flag("enforceQuota", false),
        digest: reader.flag("digest.enabled", true),
        sweep_interval: Duration::from_millis(
            reader.number("znode.container.checkIntervalMs", 1..=MOST_MILLISECONDS).unwrap_or(60_000),
        ),
        sweep: Sweep {
            never_used: reader
                .number("znode.container.maxNeverUsedIntervalMs", 0..=i64::MAX)
                .filter(|&milliseconds| milliseconds > 0),
            most: reader.number("znode.container.maxPerMinute", 1..=i32::MAX as usize).unwrap_or(Sweep::default().most),
        },
        dialect: reader.choice("zabsim.dialect", Dialect::V39, &[("3.9", Dialect::V39), ("3.8", Dialect::V38)]),
    }
}

fn admin(reader: &mut Reader) -> AdminOptions {
    let address = |reader: &mut Reader, host: &str, port: &str, default: u16| {
        let port = reader.number(port, 0..=u16::MAX).unwrap_or(default);
        Address::new(reader.text(host).unwrap_or_else(|| "0.0.0.0".into()), port)
    };
    let admin = address(reader, "admin.serverAddress", "admin.serverPort", 8080);
    let enabled = reader.flag("admin.enableServer", true);
    let class = reader.take("metricsProvider.className");
    let wants_metrics = reader.take("metricsProvider.httpPort").is_some()
        || class.is_some_and(|class| class.value.ends_with("PrometheusMetricsProvider"));
    let metrics = address(reader, "metricsProvider.httpHost", "metricsProvider.httpPort", 7000);
    let words = match reader.take(WORD) {
        None => Whitelist::Only(BTreeSet::from(["srvr".to_owned()])),
        Some(property) => {
            let words: BTreeSet<String> =
                property.value.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect();
            for unknown in words.iter().filter(|word| *word != "*" && !WORDS.iter().any(|(known, _)| known == word)) {
                reader.warn(&property, format!("`{unknown}` is no four-letter word"), "remove it from the list");
            }
            if words.contains("*") { Whitelist::All } else { Whitelist::Only(words) }
        }
    };
    AdminOptions { address: enabled.then_some(admin), metrics: wants_metrics.then_some(metrics), words }
}

/// Who this server is: the first line of `myid`.
fn sid(
    reader: &mut Reader,
    members: &Members,
    standalone: bool,
    store: Option<&StoreOptions>,
    open: &mut dyn FnMut(&Path) -> io::Result<String>,
) -> Option<Sid> {
    if standalone {
        return Some(Sid(1));
    }
    if members.servers.is_empty() {
        return None;
    }
    let path = store?.data_dir.join("myid");
    let known: Vec<String> = members.servers.iter().map(|member| member.sid.0.to_string()).collect();
    let known = known.join(", ");
    let text = match open(&path) {
        Ok(text) => text,
        Err(error) => {
            let source = Source::new(path.display().to_string(), "");
            let help = format!("write this server's number into it, one of {known}");
            reader.errors.push(source.lacks(format!("cannot read the file `myid`: {error}")).help(help));
            return None;
        }
    };
    let line = text.lines().next().unwrap_or_default().trim().to_owned();
    let found = line.parse().ok().map(Sid).filter(|&sid| members.of(sid).is_some());
    if found.is_none() {
        let source = Source::new(path.display().to_string(), text);
        let end = source.text.find('\n').unwrap_or(source.text.len());
        let message = format!("`{line}` is none of the listed servers");
        reader.errors.push(source.at(0..end, message).help(format!("write this server's number, one of {known}")));
    }
    found
}

fn clients(
    reader: &mut Reader,
    members: &Members,
    sid: Option<Sid>,
    standalone: bool,
    tick: Duration,
) -> ClientOptions {
    let had = reader.errors.len();
    let port = reader.take("clientPort");
    let host = reader.text("clientPortAddress");
    let number = reader.number("clientPort", 0..=u16::MAX).filter(|&port| port > 0);
    let written = number.map(|port| Address::new(host.unwrap_or_else(|| "0.0.0.0".into()), port));
    let listed = sid.and_then(|sid| members.of(sid)).and_then(|member| member.client.clone());
    if let (Some(port), Some(written), Some(listed)) = (&port, &written, &listed)
        && written != listed
    {
        let message = format!("clients connect to {written} here and to {listed} in the list of servers");
        reader.error(port, message, "remove `clientPort`, or make both the same");
    }
    let address = written.or(listed);
    if address.is_none() && reader.errors.len() == had {
        match standalone {
            true => reader.lacks("clientPort", "clientPort=2181 is usual"),
            false => reader.warnings.push(reader.source.lacks("`clientPort` is not set: no client can connect")),
        }
    }
    let mut timeout = |key: &str, ticks: u64| {
        let given = reader.number(key, -1..=MOST_MILLISECONDS as i64);
        given.and_then(|it| u64::try_from(it).ok()).map_or(tick * ticks, Duration::from_millis)
    };
    let (min, max) = (timeout("minSessionTimeout", 2), timeout("maxSessionTimeout", 20));
    if min > max {
        let message = format!("the shortest session is longer than the longest: {min} and {max}");
        let help = "minSessionTimeout is 2 ticks and maxSessionTimeout 20 ticks unless set";
        let at = reader.take("minSessionTimeout").or_else(|| reader.take("maxSessionTimeout"));
        at.iter().for_each(|property| reader.error(property, message.as_str(), help));
    }
    ClientOptions {
        address,
        max_connections: reader.at_least("maxClientCnxns", 0, MOST, "that is no limit").unwrap_or(60) as usize,
        max_connections_in_all: reader.at_least("maxCnxns", 0, MOST, "that is no limit").unwrap_or(0) as usize,
        min_session_timeout: min,
        max_session_timeout: max,
        max_buffer: max_buffer(reader),
        outstanding_limit: reader.number("globalOutstandingLimit", 1..=i32::MAX as usize).unwrap_or(1000),
    }
}

/// ZooKeeper takes this one in hexadecimal as well.
fn max_buffer(reader: &mut Reader) -> usize {
    const DEFAULT: usize = 0xf_ffff;
    let Some(property) = reader.take("jute.maxbuffer") else { return DEFAULT };
    let parsed = match property.value.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => property.value.parse().ok(),
    };
    match parsed.filter(|bytes| (1024..=i32::MAX as u32).contains(bytes)) {
        Some(bytes) => bytes as usize,
        None => {
            reader.wrong(&property, format!("expected a number of bytes from 1024 to {}", i32::MAX));
            DEFAULT
        }
    }
}

fn peer(reader: &mut Reader, members: &Members, sid: Option<Sid>, standalone: bool, limits: Limits) -> Option<Config> {
    let wanted = reader.choice(
        "peerType",
        None,
        &[("participant", Some(MemberRole::Participant)), ("observer", Some(MemberRole::Observer))],
    );
    let ensemble = match standalone {
        true => Ensemble::majority([(Sid(1), MemberRole::Participant)]).map_err(|error| error.to_string()),
        false => members.ensemble(),
    };
    // Without a list that could be read there is nothing to say about who is in it.
    if members.servers.is_empty() && !standalone {
        return None;
    }
    let sid = sid?;
    match ensemble.and_then(|ensemble| Config::new(sid, ensemble, limits).map_err(|error| error.to_string())) {
        Ok(config) => {
            let listed = config.ensemble.role(sid);
            if let Some(property) =
                reader.take("peerType").filter(|_| wanted.is_some() && wanted != listed && !standalone)
            {
                let help = "write `:observer` behind the server in the list, everywhere, or remove `peerType`";
                reader.warn(&property, "`peerType` is not what the list of servers says, which counts", help);
            }
            Some(config)
        }
        Err(error) => {
            reader.errors.push(reader.source.lacks(error).help("see server.N, group.N and weight.N"));
            None
        }
    }
}
