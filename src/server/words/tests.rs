//! Every word, as tools read it.

use super::*;
use crate::server::fixture::{Fixed, block_on, config};
use crate::zab::Phase;

fn said(word: &'static str) -> String {
    block_on(answer(word, &Fixed::leader()))
}

#[test]
fn every_word_asks_for_all_that_it_shows() {
    let leader = Fixed::leader();
    let report = leader.report.as_ref().unwrap();
    for (word, _) in WORDS.into_iter().filter(|(word, _)| !matches!(*word, "ruok" | "gtmk" | "stmk" | "envi")) {
        assert_eq!(said(word), text(word, &leader.config, report), "{word}");
    }
}

#[test]
fn the_server() {
    insta::assert_snapshot!(said("srvr"), @r"
    Zookeeper version: 3.9.2-zabsim-0.1.0, built on 11/21/2026 00:00 UTC
    Latency min/avg/max: 0/2.1765/11
    Received: 17
    Sent: 18
    Connections: 2
    Outstanding: 0
    Zxid: 0x200000009
    Mode: leader
    Node count: 8
    Proposal sizes last/min/max: 47/30/100
    ");
    assert_eq!(
        said("stat").replace(
            "Clients:\n /127.0.0.1:53148[0](queued=0,recved=1,sent=0)\n \
        /127.0.0.1:53138[1](queued=0,recved=17,sent=18)\n\n",
            ""
        ),
        said("srvr")
    );
}

#[test]
fn the_numbers() {
    insta::assert_snapshot!(said("mntr"), @r"
    zk_version	3.9.2-zabsim-0.1.0, built on 11/21/2026 00:00 UTC
    zk_server_state	leader
    zk_peer_state	leading - broadcast
    zk_uptime	325000
    zk_avg_latency	2.1765
    zk_max_latency	11
    zk_min_latency	0
    zk_packets_received	17
    zk_packets_sent	18
    zk_bytes_received_count	0
    zk_response_bytes	0
    zk_last_client_response_size	-1
    zk_max_client_response_size	-1
    zk_min_client_response_size	-1
    zk_num_alive_connections	2
    zk_connection_request_count	0
    zk_connection_drop_count	0
    zk_outstanding_requests	0
    zk_znode_count	8
    zk_watch_count	2
    zk_ephemerals_count	1
    zk_approximate_data_size	195
    zk_global_sessions	1
    zk_local_sessions	0
    zk_digest_mismatches_count	0
    zk_open_file_descriptor_count	55
    zk_max_file_descriptor_count	20000
    zk_looking_count	0
    zk_learner_proposal_received_count	0
    zk_learner_commit_received_count	0
    zk_proposal_count	9
    zk_commit_count	0
    zk_diff_count	0
    zk_snap_count	0
    zk_fsync_threshold_exceed_count	0
    zk_quorum_size	3
    zk_learners	2
    zk_synced_followers	2
    zk_synced_non_voting_followers	0
    zk_synced_observers	0
    zk_pending_syncs	1
    zk_leader_uptime	320000
    zk_last_proposal_size	47
    zk_max_proposal_size	100
    zk_min_proposal_size	30
    zk_avg_dbinittime	0.0
    zk_min_dbinittime	0
    zk_max_dbinittime	0
    zk_cnt_dbinittime	1
    zk_sum_dbinittime	0
    zk_avg_fsynctime	7.0
    zk_min_fsynctime	7
    zk_max_fsynctime	7
    zk_cnt_fsynctime	1
    zk_sum_fsynctime	7
    zk_avg_snapshottime	0.0
    zk_min_snapshottime	0
    zk_max_snapshottime	0
    zk_cnt_snapshottime	0
    zk_sum_snapshottime	0
    zk_avg_sync_processor_batch_size	0.0
    zk_min_sync_processor_batch_size	0
    zk_max_sync_processor_batch_size	0
    zk_cnt_sync_processor_batch_size	0
    zk_sum_sync_processor_batch_size	0
    zk_avg_election_time	0.0
    zk_min_election_time	0
    zk_max_election_time	0
    zk_cnt_election_time	0
    zk_sum_election_time	0
    zk_avg_readlatency	0.0
    zk_min_readlatency	0
    zk_max_readlatency	0
    zk_cnt_readlatency	0
    zk_sum_readlatency	0
    zk_p50_readlatency	0
    zk_p95_readlatency	0
    zk_p99_readlatency	0
    zk_p999_readlatency	0
    zk_avg_updatelatency	15.0
    zk_min_updatelatency	2
    zk_max_updatelatency	40
    zk_cnt_updatelatency	3
    zk_sum_updatelatency	45
    zk_p50_updatelatency	3
    zk_p95_updatelatency	40
    zk_p99_updatelatency	40
    zk_p999_updatelatency	40
    zk_avg_quorum_ack_latency	0.0
    zk_min_quorum_ack_latency	0
    zk_max_quorum_ack_latency	0
    zk_cnt_quorum_ack_latency	0
    zk_sum_quorum_ack_latency	0
    zk_p50_quorum_ack_latency	0
    zk_p95_quorum_ack_latency	0
    zk_p99_quorum_ack_latency	0
    zk_p999_quorum_ack_latency	0
    ");
}

#[test]
fn the_configuration() {
    insta::assert_snapshot!(said("conf"), @r"
    clientPort=2183
    secureClientPort=-1
    dataDir=/data/version-2
    dataDirSize=597
    dataLogDir=/data/version-2
    dataLogSize=67109477
    tickTime=500
    maxClientCnxns=60
    minSessionTimeout=1000
    maxSessionTimeout=10000
    clientPortListenBacklog=-1
    serverId=3
    initLimit=10
    syncLimit=5
    electionAlg=3
    electionPort=3888
    quorumPort=2888
    peerType=0
    membership: 
    server.1=zoo1:2888:3888:participant
    server.2=zoo2:2888:3888:participant
    server.3=zoo3:2888:3888:participant
    version=0
    ");
}

#[test]
fn connections_sessions_and_watches() {
    let all: String =
        ["cons", "dump", "wchs", "wchc", "wchp"].map(|word| format!("── {word}\n{}", said(word))).concat();
    insta::assert_snapshot!(all, @r"
    ── cons
     /127.0.0.1:53148[0](queued=0,recved=1,sent=0)
     /127.0.0.1:53138[1](queued=0,recved=17,sent=18,sid=0x30001b002cb0000,lop=SETD,est=1795247539163,to=10000,lcxid=0x10,lzxid=0x200000009,lresp=300000,llat=4,minlat=0,avglat=2,maxlat=11)

    ── dump
    SessionTracker dump:
    Session Sets (1)/(1):
    1 expire at Sat Nov 21 09:44:00 UTC 2026:
    	0x30001b002cb0000
    ephemeral nodes dump:
    Sessions with Ephemerals (1):
    0x30001b002cb0000:
    	/a/e
    Connections dump:
    Connections Sets (1)/(2):
    2 expire at Sat Nov 21 09:44:10 UTC 2026:
    	ip: /127.0.0.1:53148 sessionId: 0x0
    	ip: /127.0.0.1:53138 sessionId: 0x30001b002cb0000
    ── wchs
    1 connections watching 2 paths
    Total watches:2
    ── wchc
    0x30001b002cb0000
    	/a
    	/nope

    ── wchp
    /a
    	0x30001b002cb0000
    /nope
    	0x30001b002cb0000
    ");
}

#[test]
fn little_words() {
    let words = ["ruok", "isro", "gtmk", "stmk", "hash", "dirs"];
    assert_eq!(
        words.map(said),
        ["imok", "rw", "306", "306", "80: 271292528688\n", "datadir_size: 597\nlogdir_size: 67109477\n"]
    );
    assert!(said("envi").starts_with("Environment:\nzookeeper.version=3.9.2-zabsim-"));
}

#[test]
fn counters_begin_again_when_they_are_told_to() {
    let server = Fixed::leader();
    assert_eq!(block_on(answer("srst", &server)), "Server stats reset.\n");
    assert_eq!(block_on(answer("crst", &server)), "Connection stats reset.\n");
    assert_eq!(*server.resets.lock().unwrap(), [Reset::Server, Reset::Connections]);
}

#[test]
fn what_is_not_on_the_list_is_not_answered() {
    let server = Fixed { config: config("4lw.commands.whitelist=mntr\n"), ..Fixed::leader() };
    assert_eq!(block_on(answer("ruok", &server)), "ruok is not executed because it is not in the whitelist.\n");
    assert!(block_on(answer("mntr", &server)).starts_with("zk_version\t"));
}

#[test]
fn a_server_without_a_leader_says_so() {
    let report = Fixed::leader().report.map(|report| Report { phase: Phase::Synchronization, ..report });
    for report in [report, None] {
        let server = Fixed { report, ..Fixed::leader() };
        let said = |word| block_on(answer(word, &server));
        assert_eq!((said("srvr"), said("srst")), (NOT_SERVING.into(), NOT_SERVING.into()));
        assert_eq!((said("isro"), said("ruok")), ("null".into(), "imok".into()));
        assert!(server.resets.lock().unwrap().is_empty(), "nothing was reset");
    }
}

#[test]
fn four_letters_are_a_word_or_a_length() {
    assert_eq!((word_of(*b"mntr"), word_of([0, 0, 0, 45]), word_of(*b"MNTR")), (Some("mntr"), None, None));
}

/// What clients match the first line of `srvr` and the version of `envi` against.
#[test]
fn clients_can_read_the_version() {
    for dialect in [crate::zk::wire::Dialect::V38, crate::zk::wire::Dialect::V39] {
        let version = version(dialect);
        let (name, built) = version.split_once(", built on ").unwrap();
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-') && name.starts_with("3."));
        let shape: String = built.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "00/00/0000 00:00 UTC");
    }
}
