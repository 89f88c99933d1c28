//! A configuration with everything, every mistake once, and what goes without saying.

use std::io;
use std::path::{Path, PathBuf};

use super::*;
use crate::zab::{MemberRole, Ratio, Sid};

const MINIMAL: &str = "dataDir=/var/lib/zookeeper\nclientPort=2181\n";
const THREE: &str = "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/data\nclientPort=2181\n\
                     server.1=127.0.0.1:39281:39381\nserver.2=127.0.0.1:39282:39382\nserver.3=127.0.0.1:39283:39383\n";

const PAIR: &str = "server.1=a:1:2;3\nserver.2=b:1:2;3\nserver.3=c:1:2;3\n";

/// Reads `text` where `myid` is 2 and `servers` a dynamic file.
fn parse(text: &str) -> Read {
    let mut open = |path: &Path| match path.to_str() {
        Some("/data/myid") => Ok("2\n".to_owned()),
        Some("/strange/myid") => Ok("seven\n".to_owned()),
        Some("servers") => {
            Ok("server.1=a:1:2;3\nserver.2=b:1:2:participant;h:4\nserver.4=c:1:2:observer\nserver.5=d:1:2\nversion=0\n"
                .to_owned())
        }
        Some("/conf.d/zoo.cfg.dynamic.10000000a" | "/conf.ab/servers" | "servers.cfg") => Ok(PAIR.to_owned()),
        Some("zoo.cfg.dynamic.5") => Ok(format!("{PAIR}version=6\n")),
        Some("sloppy") => Ok("server.1=a:1:2\ntickTime=3\n".to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    ServerConfig::parse(Source::new("zoo.cfg", text), &mut open)
}

fn good(text: &str) -> ServerConfig {
    match parse(text) {
        Ok((config, warnings)) => {
            assert_eq!(warnings, [], "nothing is odd about it");
            config
        }
        Err(errors) => panic!("{}", shown(&errors)),
    }
}

fn shown(complaints: &[Complaint]) -> String {
    complaints.iter().map(|complaint| format!("{complaint}\n")).collect()
}

fn errors(text: &str) -> String {
    shown(&parse(text).expect_err("it is wrong"))
}

fn warnings(text: &str) -> String {
    match parse(text) {
        Ok((_, warnings)) => shown(&warnings),
        Err(errors) => panic!("{}", shown(&errors)),
    }
}

#[test]
fn settings_beside_the_file_win_and_leave_its_lines_where_they_are() {
    // The file's last line would go on into the first setting.
    let file = "tickTime = 2000\nclientPort=x\nzookeeper.forceSync:maybe\ndataDir=/data\\";
    let read = |settings: &[&str]| {
        let settings: Vec<String> = settings.iter().map(|&it| it.to_owned()).collect();
        let mut open = |_: &Path| Err(io::Error::from(io::ErrorKind::NotFound));
        ServerConfig::parse(Source::new("zoo.cfg", file).with_settings(&settings), &mut open)
    };
    let (config, warnings) = read(&["tickTime=500", "forceSync=no", "clientPort=1"]).expect("it is mended");
    assert_eq!((config.peer.limits.tick_time.as_millis(), config.store.force_sync, warnings), (500, false, vec![]));
    let digest = "DigestAuthenticationProvider.superDigest=hunter2";
    let errors = read(&["initLimit=z", "forceSync=no", "syncLimit=y", digest]).expect_err("it is wrong");
    insta::assert_snapshot!(shown(&errors), @r#"
    zoo.cfg:2:12: `clientPort` cannot be `x` (expected a whole number from 0 to 65535)
    --set:1:11: `initLimit` cannot be `z` (expected a whole number from 1 to 1048576)
    --set:3:11: `syncLimit` cannot be `y` (expected a whole number from 1 to 1048576)
    --set: `DigestAuthenticationProvider.superDigest` in line 4 has no user and digest (expected USER:DIGEST, the digest being base64(sha1("USER:PASSWORD")))
    "#);
    let (_, warnings) = read(&["clientPort=1", "forceSync=no", "clientPort=2", "tickTimes=3"]).expect("it is odd");
    insta::assert_snapshot!(shown(&warnings), @r"
    --set:1:1: `clientPort` comes again below (the last one counts; remove the others)
    --set:4:1: unknown key `tickTimes`: it has no effect (did you mean `tickTime`?)
    ");
}

#[test]
fn two_lines_are_a_standalone_server_with_the_defaults_of_zookeeper() {
    let config = good(MINIMAL);
    assert!(config.standalone && config.members.is_empty() && config.text.is_empty());
    assert_eq!(config.peer.limits.tick_time, Duration::from_secs(3));
    assert_eq!(config.clients.address, Some(Address::new("0.0.0.0", 2181)));
    assert_eq!(
        (config.clients.min_session_timeout, config.clients.max_session_timeout),
        (Duration::from_secs(6), Duration::from_secs(60))
    );
    assert_eq!(
        (config.clients.max_connections, config.clients.max_buffer, config.clients.outstanding_limit),
        (60, 1_048_575, 1000)
    );
    assert!(config.store.force_sync && config.store.purge.is_none());
    assert_eq!(config.store.log_dir, PathBuf::from("/var/lib/zookeeper"));
    assert_eq!((config.store.preallocate, config.peer.limits.snap_size_limit), (64 << 20, Some(4 << 30)));
    assert_eq!(config.admin.address, Some(Address::new("0.0.0.0", 8080)));
    assert_eq!(config.admin.metrics, None);
    assert!(config.admin.words.allows("srvr") && !config.admin.words.allows("mntr"));
}

#[test]
fn the_text_that_servers_exchange_is_that_of_zookeeper() {
    let config = good(THREE);
    assert_eq!(
        config.text,
        "server.1=127.0.0.1:39281:39381:participant\nserver.2=127.0.0.1:39282:39382:participant\n\
         server.3=127.0.0.1:39283:39383:participant\nversion=0"
    );
    assert_eq!((config.text.len(), config.peer.sid, config.standalone), (138, Sid(2), false));
    assert_eq!(config.members[1].election, Address::new("127.0.0.1", 39382));
}

#[test]
fn groups_and_weights_are_part_of_it() {
    let config = good(&format!("{THREE}group.1=1:2\ngroup.2=3\nweight.1=3\n"));
    let tail = "participant\ngroup.1=1:2\ngroup.2=3\nweight.1=3\nweight.2=1\nweight.3=1\nversion=0";
    assert!(config.text.ends_with(tail), "{}", config.text);
}

#[test]
fn servers_may_be_listed_in_a_file_of_their_own() {
    let config = good("tickTime=500\ninitLimit=5\nsyncLimit=2\ndataDir=/data\ndynamicConfigFile=servers\n");
    assert_eq!(
        config.text,
        "server.1=a:1:2:participant;0.0.0.0:3\nserver.2=b:1:2:participant;h:4\nserver.4=c:1:2:observer\n\
         server.5=d:1:2:participant\nversion=0"
    );
    assert_eq!(config.clients.address, Some(Address::new("h", 4)));
    assert_eq!(config.members[2].role, MemberRole::Observer);
    let sloppy = errors(
        "initLimit=5\nsyncLimit=2\ndataDir=/data\nclientPort=1\ndynamicConfigFile=sloppy\nstandaloneEnabled=false",
    );
    insta::assert_snapshot!(sloppy, @"/data/myid:1:1: `2` is none of the listed servers (write this server's number, one of 1)");
}

/// Servers of ZooKeeper that could once be reconfigured compare it: with another one there is no leader for all.
#[test]
fn the_version_is_in_the_name_of_the_file() {
    let version = |file: &str| {
        let config = good(&format!("initLimit=5\nsyncLimit=2\ndataDir=/data\ndynamicConfigFile={file}\n"));
        (config.peer.ensemble.version(), config.text.lines().last().unwrap_or_default().to_owned())
    };
    assert_eq!(version("/conf.d/zoo.cfg.dynamic.10000000a"), (0x1_0000_000a, "version=10000000a".to_owned()));
    assert_eq!(version("servers.cfg"), (0, "version=0".to_owned()));
    assert_eq!(version("/conf.ab/servers"), (0, "version=0".to_owned()));
    insta::assert_snapshot!(
        errors("initLimit=5\nsyncLimit=2\ndataDir=/data\ndynamicConfigFile=zoo.cfg.dynamic.5\n"),
        @"zoo.cfg.dynamic.5:4:9: the name of the file says version 5, and this line another (remove the line: the version is what follows the last dot of the file's name)"
    );
}

#[test]
fn a_file_with_everything() {
    let config = good(
        r"# Everything that can be said.
tickTime : 500
initLimit = 20
syncLimit 10
connectToLearnerMasterLimit=3
dataDir=/data
dataLogDir=/log\ s
clientPort=2182
clientPortAddress=10.0.0.2
maxClientCnxns=0
minSessionTimeout=500
maxSessionTimeout=60000
server.1=zoo1:2888:3888
server.2=[fe80::1]:2888:3888:participant;[fe80::1]:2181
server.3=zoo3:\
         2888:3888
server.4=zoo4:2888:3888:OBSERVER
peerType=participant
electionAlg=3
leaderServes=no
snapCount=1000
snapSizeLimitInKb=-1
preAllocSize=128
zookeeper.commitLogCount=700
snapshotSizeFactor=0.5
autopurge.snapRetainCount=5
autopurge.purgeInterval=24
4lw.commands.whitelist=stat, ruok,mntr
admin.enableServer=true
admin.serverPort=8081
admin.serverAddress=127.0.0.1
metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider
metricsProvider.httpPort=7001
jute.maxbuffer=0x400000
zookeeper.forceSync=no
skipACL=yes
extendedTypesEnabled=TRUE
enforceQuota=true
digest.enabled=false
globalOutstandingLimit=77
zookeeper.DigestAuthenticationProvider.superDigest=super:D/InIHSb7yEEbrWz8b9l71RjZJU=
standaloneEnabled=true
reconfigEnabled=false
maxCnxns=500
fsync.warningthresholdms=20
znode.container.checkIntervalMs=1000
znode.container.maxNeverUsedIntervalMs=5000
quorumListenOnAllIPs=true
zabsim.dialect=3.8
fastleader.maxNotificationInterval=5000
observer.election.DelayMs=300
"
        .replace("clientPort=2182\nclientPortAddress=10.0.0.2\n", "")
        .as_str(),
    );
    assert_eq!(config.clients.address, Some(Address::new("fe80::1", 2181)));
    assert!(
        config.text.contains("server.2=[fe80::1]:2888:3888:participant;[fe80::1]:2181\nserver.3=zoo3:2888:3888:part")
    );
    let limits = &config.peer.limits;
    assert_eq!((limits.init_limit, limits.sync_limit, limits.connect_limit), (20, 10, 3));
    assert_eq!(
        (limits.snap_count, limits.commit_log_count, limits.snapshot_size_factor),
        (1000, 700, Some(Ratio::new(5, 10)))
    );
    assert_eq!(limits.observer_election_delay, Duration::from_millis(150));
    assert_eq!(config.store.log_dir, PathBuf::from("/log s"));
    assert_eq!(config.store.purge, Some(Purge { retain: 5, interval: Duration::from_secs(24 * 3600) }));
    assert_eq!((config.store.preallocate, limits.snap_size_limit, config.store.force_sync), (128 << 10, None, false));
    assert_eq!(config.clients.max_buffer, 4 << 20);
    assert_eq!((config.tree.dialect, config.tree.digest, config.tree.skip_acl), (Dialect::V38, false, true));
    assert_eq!((config.clients.max_connections_in_all, config.store.slow_sync), (500, Duration::from_millis(20)));
    assert_eq!((config.tree.sweep_interval, config.tree.sweep.never_used), (Duration::from_secs(1), Some(5000)));
    assert!(config.tree.enforce_quota && config.tree.extended_types);
    assert_eq!(config.admin.metrics, Some(Address::new("0.0.0.0", 7001)));
    assert!(config.admin.words.allows("mntr") && !config.admin.words.allows("srvr"));
    assert_eq!(config.quorum, QuorumOptions { listen_on_all_ips: true, leader_serves: false });
    assert!(!format!("{config:?}").contains("D/InIH"), "the superuser's digest is in no log");
}

#[test]
fn every_mistake_is_found_at_once_and_each_has_its_place() {
    insta::assert_snapshot!(errors(
        "tickTime=0\ninitLimit=ten\nsyncLimit=99999999\nclientPort=65536\nforceSync=true\nskipACL=maybe\ndigest.enabled=1\n\
         standaloneEnabled=perhaps\nelectionAlg=2\npeerType=boss\nsnapshotSizeFactor=.\nmaxClientCnxns=all\njute.maxbuffer=5\n\
         zabsim.dialect=3.7\nzookeeper.DigestAuthenticationProvider.superDigest=secret\n"
    ), @r#"
    zoo.cfg:1:10: `tickTime` cannot be `0` (expected a whole number from 1 to 2147483647)
    zoo.cfg:2:11: `initLimit` cannot be `ten` (expected a whole number from 1 to 1048576)
    zoo.cfg:3:11: `syncLimit` cannot be `99999999` (expected a whole number from 1 to 1048576)
    zoo.cfg:4:12: `clientPort` cannot be `65536` (expected a whole number from 0 to 65535)
    zoo.cfg:5:11: `forceSync` cannot be `true` (expected `yes` or `no`)
    zoo.cfg:6:9: `skipACL` cannot be `maybe` (expected `yes` or `no`)
    zoo.cfg:7:16: `digest.enabled` cannot be `1` (expected `true` or `false`)
    zoo.cfg:8:19: `standaloneEnabled` cannot be `perhaps` (expected `true` or `false`)
    zoo.cfg:9:13: `electionAlg` cannot be `2` (expected 3, the only election there is)
    zoo.cfg:10:10: `peerType` cannot be `boss` (expected `participant` or `observer`)
    zoo.cfg:11:20: `snapshotSizeFactor` cannot be `.` (expected a fraction such as 0.33, or -1 for none)
    zoo.cfg:12:16: `maxClientCnxns` cannot be `all` (expected a whole number from -2147483648 to 2147483647)
    zoo.cfg:13:16: `jute.maxbuffer` cannot be `5` (expected a number of bytes from 1024 to 2147483647)
    zoo.cfg:14:16: `zabsim.dialect` cannot be `3.7` (expected `3.9` or `3.8`)
    zoo.cfg: `dataDir` is not set (write dataDir=FOLDER: where snapshots and, without `dataLogDir`, logs are kept)
    zoo.cfg: `zookeeper.DigestAuthenticationProvider.superDigest` in line 15 has no user and digest (expected USER:DIGEST, the digest being base64(sha1("USER:PASSWORD")))
    "#);
    insta::assert_snapshot!(errors(
        "dataDir=/strange\nclientPort=2181\nserver.one=a:1:2\nserver.1=a:1\nserver.2=a:x:2\nserver.3=a:1:2:leader\n\
         server.4=a:1:2|b:1:2\nserver.5=:1:2\nserver.6=a:1:2;0\nserver.7=a:1:2\nserver.8=a:\\\n  1:0\nserver.9=i:1:2\n\
         group.x=1\ngroup.2=a\nweight.1=heavy\n"
    ), @r"
    zoo.cfg:3:12: `server.one` does not name a server (write server.N with a number N, the one in that server's file `myid`)
    zoo.cfg:4:10: `a:1` is no address of a server (write HOST:QUORUM_PORT:ELECTION_PORT, then perhaps :participant or :observer, then perhaps ;CLIENT_PORT)
    zoo.cfg:5:12: `x` is no quorum port: expected a number from 1 to 65535 (write HOST:QUORUM_PORT:ELECTION_PORT, then perhaps :participant or :observer, then perhaps ;CLIENT_PORT)
    zoo.cfg:6:16: `leader` is no role of a server (write HOST:QUORUM_PORT:ELECTION_PORT, then perhaps :participant or :observer, then perhaps ;CLIENT_PORT)
    zoo.cfg:7:10: a server has one address here, not several (write HOST:QUORUM_PORT:ELECTION_PORT, then perhaps :participant or :observer, then perhaps ;CLIENT_PORT)
    zoo.cfg:8:10: `:1:2` has no host (write HOST:QUORUM_PORT:ELECTION_PORT, then perhaps :participant or :observer, then perhaps ;CLIENT_PORT)
    zoo.cfg:9:16: `0` is no client port: expected a number from 1 to 65535 (write HOST:QUORUM_PORT:ELECTION_PORT, then perhaps :participant or :observer, then perhaps ;CLIENT_PORT)
    zoo.cfg:11:10: `0` is no election port: expected a number from 1 to 65535 (write HOST:QUORUM_PORT:ELECTION_PORT, then perhaps :participant or :observer, then perhaps ;CLIENT_PORT)
    zoo.cfg:14:9: `group.x` cannot be `1` (expected the numbers of servers, such as group.1=1:2:3)
    zoo.cfg:15:9: `group.2` cannot be `a` (expected the numbers of servers, such as group.1=1:2:3)
    zoo.cfg:16:10: `weight.1` cannot be `heavy` (expected a whole number, such as weight.1=2)
    zoo.cfg: `initLimit` is not set (initLimit=10 is usual: so many ticks of `tickTime`)
    zoo.cfg: `syncLimit` is not set (syncLimit=5 is usual: so many ticks of `tickTime`)
    /strange/myid:1:1: `seven` is none of the listed servers (write this server's number, one of 7, 9)
    ");
    insta::assert_snapshot!(errors("dataDir=C:\\users\n"), @r"
    zoo.cfg:1:11: `\u` must be followed by four hexadecimal digits (a backslash is written as two: `\\`)
    ");
    insta::assert_snapshot!(errors(&THREE.replace("/data", "/nowhere")), @r"
    /nowhere/myid: cannot read the file `myid`: entity not found (write this server's number into it, one of 1, 2, 3)
    ");
    insta::assert_snapshot!(errors(&format!("{THREE}minSessionTimeout=50000\ndynamicConfigFile=x")), @r"
    zoo.cfg:9:19: the shortest session is longer than the longest: 50s and 40s (minSessionTimeout is 2 ticks and maxSessionTimeout 20 ticks unless set)
    zoo.cfg:10:19: servers are listed here and in a dynamic file (remove `dynamicConfigFile`, or the servers here)
    ");
    insta::assert_snapshot!(errors(&format!("{THREE}server.2=a:1:2;2182\ngroup.1=1:2\n")), @r"
    zoo.cfg:5:12: clients connect to 0.0.0.0:2181 here and to 0.0.0.0:2182 in the list of servers (remove `clientPort`, or make both the same)
    zoo.cfg: every participant belongs to exactly one group, p3 does not (see server.N, group.N and weight.N)
    ");
    let shared = errors(&format!("{MINIMAL}server.1=a:1:2\nserver.2=a:2:3\nserver.3=b:5:5\nserver.4=b:1:2\n"));
    assert!(shared.contains("`server.2` has an address that is taken: a:2"), "{shared}");
    assert!(
        shared.contains("`server.3` has an address that is taken: b:5") && !shared.contains("`server.4`"),
        "{shared}"
    );
    insta::assert_snapshot!(errors(&format!("{MINIMAL}server.1=a:1:2\nserver.2=b:1:2:observer")), @r"
    zoo.cfg: observers need an ensemble to observe (list at least two participants)
    zoo.cfg: `initLimit` is not set (initLimit=10 is usual: so many ticks of `tickTime`)
    zoo.cfg: `syncLimit` is not set (syncLimit=5 is usual: so many ticks of `tickTime`)
    /var/lib/zookeeper/myid: cannot read the file `myid`: entity not found (write this server's number into it, one of 1, 2)
    ");
    insta::assert_snapshot!(errors(&format!("{MINIMAL}standaloneEnabled=false\n")), @r"
    zoo.cfg: `server.1` is not set (`standaloneEnabled` is false: list the servers as server.N=HOST:PORT:PORT)
    zoo.cfg: `initLimit` is not set (initLimit=10 is usual: so many ticks of `tickTime`)
    zoo.cfg: `syncLimit` is not set (syncLimit=5 is usual: so many ticks of `tickTime`)
    ");
    insta::assert_snapshot!(errors(&format!("{MINIMAL}dynamicConfigFile=there\n")), @r"
    zoo.cfg:3:19: cannot read `there`: entity not found (name the file that lists the servers)
    ");
}

#[test]
fn what_zookeeper_takes_for_another_number_is_taken_for_the_same() {
    let text = format!(
        "{MINIMAL}commitLogCount=499\nsnapCount=-1\nsnapshotSizeFactor=1.01\nautopurge.snapRetainCount=0\n\
         autopurge.purgeInterval=1\nmaxClientCnxns=-1\nzookeeper.maxCnxns=-5\n"
    );
    insta::assert_snapshot!(warnings(&text), @r"
    zoo.cfg:3:1: `commitLogCount` of 499 counts as 500 (ZooKeeper keeps no fewer)
    zoo.cfg:4:1: `snapCount` of -1 counts as 2 (ZooKeeper snapshots no more often)
    zoo.cfg:5:1: `snapshotSizeFactor` of 1.01 counts as 0.33 (ZooKeeper takes nothing above 1 for it)
    zoo.cfg:6:1: `autopurge.snapRetainCount` of 0 counts as 3 (ZooKeeper keeps no fewer)
    zoo.cfg:8:1: `maxClientCnxns` of -1 counts as 0 (that is no limit)
    zoo.cfg:9:1: `zookeeper.maxCnxns` of -5 counts as 0 (that is no limit)
    ");
    let (config, _) = parse(&text).unwrap();
    let limits = &config.peer.limits;
    let factor = Some(Ratio::new(33, 100));
    assert_eq!((limits.commit_log_count, limits.snap_count, limits.snapshot_size_factor), (500, 2, factor));
    assert_eq!(config.store.purge.map(|purge| purge.retain), Some(3));
    assert_eq!((config.clients.max_connections, config.clients.max_connections_in_all), (0, 0));

    let config = good(&format!("{MINIMAL}commitLogCount=500\nsnapCount=2\nsnapshotSizeFactor=1.0\nmaxClientCnxns=0\n"));
    assert_eq!(config.peer.limits.snapshot_size_factor, Some(Ratio::new(10, 10)));
}

/// A leader answers for every follower: each takes its share of what the leader may have under way.
#[test]
fn the_limit_of_requests_under_way_is_shared_by_the_followers() {
    let limit = |text: &str| good(&format!("{text}globalOutstandingLimit=100\n")).outstanding_limit();
    assert_eq!(limit(MINIMAL), 100);
    assert_eq!(limit(THREE), 50);
    assert_eq!(limit(&format!("{THREE}server.4=h:1:2\nserver.5=i:1:2\nserver.6=j:1:2:observer\n")), 25);
}

#[test]
fn what_would_be_dangerous_to_ignore_is_refused() {
    insta::assert_snapshot!(errors(&format!(
        "{MINIMAL}reconfigEnabled=true\nsslQuorum=true\nsecureClientPort=2281\nreadonlymode.enabled=true\nssl.keyStore.location=/k\n"
    )), @r"
    zoo.cfg:3:1: `reconfigEnabled` is not supported (members are listed as server.N in this file and the same everywhere: remove the key)
    zoo.cfg:4:1: `sslQuorum` is not supported (there is no TLS: remove the key and use a plain port, behind a proxy that ends TLS if need be)
    zoo.cfg:5:1: `secureClientPort` is not supported (there is no TLS: remove the key and use a plain port, behind a proxy that ends TLS if need be)
    zoo.cfg:6:1: `readonlymode.enabled` is not supported (a server without a quorum serves nobody: remove the key)
    zoo.cfg:7:1: `ssl.keyStore.location` is not supported (there is no TLS: remove the key and use a plain port, behind a proxy that ends TLS if need be)
    ");
    good(&format!("{MINIMAL}reconfigEnabled=false\nsslQuorum=FALSE\nsecureClientPort=\n"));
    for (key, harmless, other) in [
        ("audit.enable", "false", "true"),
        ("DigestAuthenticationProvider.digestAlg", "SHA1", "SHA3-256"),
        ("closeSessionTxn.enabled", "true", "false"),
    ] {
        good(&format!("{MINIMAL}{key}={harmless}\n"));
        assert!(errors(&format!("{MINIMAL}{key}={other}\n")).contains("is not supported"), "{key}");
    }
}

#[test]
fn what_a_folder_without_a_snapshot_is_taken_for_can_be_said() {
    let beginning = |keys: &str| good(&format!("{MINIMAL}{keys}")).store.beginning;
    assert_eq!(beginning(""), Beginning { new_if_empty: true, trust_log: false });
    let other = beginning("zookeeper.db.autocreate=false\nsnapshot.trust.empty=true\n");
    assert_eq!(other, Beginning { new_if_empty: false, trust_log: true });
}

/// `keys.txt` has what ZooKeeper 3.8.0 reads out of the file or as a system property, and what 3.9 added.
#[test]
fn no_key_of_zookeeper_is_unknown() {
    const KEYS: &str = include_str!("keys.txt");
    for key in KEYS.split_whitespace() {
        let said = |value: &str| match parse(&format!("{MINIMAL}{key}={value}\n")) {
            Ok((_, complaints)) | Err(complaints) => complaints.iter().map(ToString::to_string).collect::<String>(),
        };
        let said = said("3") + &said("true");
        assert!(!said.contains("unknown key"), "{said}");
    }
    assert!(KEYS.split_whitespace().count() > 150);
}

#[test]
fn what_has_no_effect_is_named() {
    insta::assert_snapshot!(warnings(&format!(
        "tickTme=500\nautopurge.interval=1\ncolour=blue\njvm.pause.monitor=true\n{THREE}clientPort=2182\nserver.4=d:1:2\npeerType=observer\n\
         4lw.commands.whitelist=stat,mntrr\n"
    )), @r"
    zoo.cfg:1:1: unknown key `tickTme`: it has no effect (did you mean `tickTime`?)
    zoo.cfg:2:1: unknown key `autopurge.interval`: it has no effect (did you mean `autopurge.purgeInterval`?)
    zoo.cfg:3:1: unknown key `colour`: it has no effect
    zoo.cfg:4:1: `jvm.pause.monitor` has no effect (it tunes Java's threads, buffers and caches; this server has none)
    zoo.cfg:9:1: `clientPort` comes again below (the last one counts; remove the others)
    zoo.cfg:15:1: `peerType` is not what the list of servers says, which counts (write `:observer` behind the server in the list, everywhere, or remove `peerType`)
    zoo.cfg:16:1: `mntrr` is no four-letter word (remove it from the list)
    zoo.cfg: an even number of participants survives no more losses than one less (list an odd number of them, three or more)
    ");
    insta::assert_snapshot!(warnings(&format!("{MINIMAL}syncEnabled=false\nmaxBatchSize=7\nobserver.syncEnabled=true\n")), @r"
    zoo.cfg:3:1: `syncEnabled=false` has no effect (an observer logs what it learns)
    zoo.cfg:4:1: `maxBatchSize` has no effect (it tunes Java's threads, buffers and caches; this server has none)
    ");
    insta::assert_snapshot!(warnings(&THREE.replace("clientPort=2181\n", "")), @r"
    zoo.cfg: `clientPort` is not set: no client can connect
    ");
}
