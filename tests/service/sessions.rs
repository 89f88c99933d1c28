//! Sessions: how they begin, move, survive their leader, and end.

use zabsim::replica::Service;
use zabsim::zab::{Duration, Epoch, Sid, Zxid};
use zabsim::zk::model::{ErrorCode, Request, Response, SessionId};
use zabsim::zk::service::config::ServiceConfig;
use zabsim::zk::service::sessions::Tracker;
use zabsim::zk::service::{Answer, Call};

use crate::client::{Client, Got, create, exists, set, sync};
use crate::cluster::Cluster;

const SECOND: Duration = Duration::from_secs(1);

/// Pings every second for so many seconds.
fn keep_alive(cluster: &mut Cluster, client: &mut Client, seconds: u64) {
    for _ in 0..seconds {
        client.ask(cluster, &Request::Ping).unwrap();
        cluster.run_for(SECOND);
    }
}

#[test]
fn a_silent_session_ends_and_takes_its_nodes_along() {
    for at_leader in [true, false] {
        let mut cluster = Cluster::of(3);
        let at = if at_leader { cluster.leader().unwrap() } else { cluster.follower() };
        let mut silent = Client::new(&mut cluster, at);
        let follower = cluster.follower();
        let mut lively = Client::new(&mut cluster, follower);
        silent.ask(&mut cluster, &create("/e", 1)).unwrap();
        lively.ask(&mut cluster, &create("/f", 1)).unwrap();
        keep_alive(&mut cluster, &mut lively, 9);
        assert!(lively.ask(&mut cluster, &exists("/e", false)).is_ok(), "its time is not over");
        keep_alive(&mut cluster, &mut lively, 6);
        assert_eq!(lively.ask(&mut cluster, &exists("/e", false)), Err(ErrorCode::NoNode));
        assert!(lively.ask(&mut cluster, &exists("/f", false)).is_ok(), "a follower's PINGs tell the leader");
        assert_eq!(silent.all(&mut cluster), [Got::Closed]);
        assert!(silent.resume(&mut cluster, at).is_none(), "it is over");
        assert!(cluster.sids().iter().all(|sid| cluster.service(*sid).tree().sessions().len() == 1));
    }
}

#[test]
fn a_connection_in_use_that_is_not_read_keeps_its_session() {
    for at_leader in [true, false] {
        let mut cluster = Cluster::of(3);
        let at = if at_leader { cluster.leader().unwrap() } else { cluster.follower() };
        let mut client = Client::new(&mut cluster, at);
        client.ask(&mut cluster, &create("/e", 1)).unwrap();
        for _ in 0..30 {
            cluster.call(at, Call::Alive { conn: client.conn });
            cluster.run_for(SECOND);
        }
        assert!(client.ask(&mut cluster, &exists("/e", false)).is_ok(), "as long as its host says so");
        cluster.run_for(SECOND * 15);
        assert_eq!(client.all(&mut cluster), [Got::Closed]);
        cluster.call(at, Call::Alive { conn: client.conn });
        assert!(client.resume(&mut cluster, at).is_none(), "nothing revives it");
    }
}

#[test]
fn a_connection_without_a_session_is_closed_however_alive_it_is() {
    let mut cluster = Cluster::of(1);
    let conn = cluster.connect(Sid(1));
    for _ in 0..30 {
        cluster.call(Sid(1), Call::Alive { conn });
        cluster.run_for(SECOND);
    }
    assert_eq!(cluster.answer(conn), Some(Answer::Close { conn }));
}

#[test]
fn a_session_moves_with_its_client() {
    let mut cluster = Cluster::of(3);
    for (from, to) in [(1, 2), (2, 3), (3, 1)].map(|(from, to)| (Sid(from), Sid(to))) {
        let mut before = Client::new(&mut cluster, from);
        let path = format!("/{}", from.0);
        before.ask(&mut cluster, &create(&path, 1)).unwrap();
        let mut after = before.resume(&mut cluster, to).expect("it is alive");
        assert_eq!((after.session, after.timeout), (before.session, 10_000));
        after.ask(&mut cluster, &set(&path, "x")).unwrap();
        // The connection it left is still there, and asks for a write: the leader knows better, and nobody is answered.
        before.send(&mut cluster, &set(&path, "y"));
        assert_eq!(before.all(&mut cluster), [Got::Closed]);
        assert!(after.ask(&mut cluster, &exists(&path, false)).is_ok(), "the session lives");
        assert!(after.all(&mut cluster).is_empty());
    }
}

/// As before a read: a leader need not ask anybody.
#[test]
fn a_leader_syncs_nobody_whose_session_went_elsewhere() {
    let mut cluster = Cluster::of(3);
    let (leader, follower) = (cluster.leader().unwrap(), cluster.follower());
    let mut before = Client::new(&mut cluster, leader);
    assert_eq!(before.ask(&mut cluster, &sync("/")), Ok(Some(Response::Path("/".into()))));
    before.resume(&mut cluster, follower).expect("it is alive");
    before.send(&mut cluster, &sync("/"));
    assert_eq!(before.all(&mut cluster), [Got::Closed]);
}

#[test]
fn a_client_that_comes_back_replaces_its_connection() {
    let mut cluster = Cluster::of(3);
    for sid in cluster.sids() {
        let mut before = Client::new(&mut cluster, sid);
        before.post(&mut cluster, &create(&format!("/{}", sid.0), 0));
        let mut after = before.resume(&mut cluster, sid).expect("it is alive");
        assert_eq!(before.all(&mut cluster), [Got::Closed], "closed before its write was applied");
        assert!(after.all(&mut cluster).is_empty(), "and nobody is told of that write");
        after.ask(&mut cluster, &exists(&format!("/{}", sid.0), false)).expect("which was done nevertheless");
    }
}

/// ZooKeeper's `CommitProcessor` knows sessions only: what a client asked for before it lost its connection, here or at another server,
/// comes before what it asks now. Else it would look for a node that it made, miss it, and make another.
#[test]
fn who_comes_back_reads_what_it_wrote_before() {
    for from_follower in [false, true] {
        let mut cluster = Cluster::of(3);
        let (leader, follower) = (cluster.leader().unwrap(), cluster.follower());
        let mut before = Client::new(&mut cluster, if from_follower { follower } else { leader });
        cluster.settle();
        // Without its followers the leader commits nothing.
        cluster.frozen = cluster.sids().into_iter().filter(|sid| *sid != leader).collect();
        before.post(&mut cluster, &create("/a", 0));
        cluster.settle();
        let mut after = before.resume(&mut cluster, leader).unwrap();
        after.send(&mut cluster, &exists("/a", false));
        assert!(after.all(&mut cluster).is_empty(), "not known yet");
        cluster.frozen.clear();
        cluster.settle();
        let got = after.all(&mut cluster);
        assert!(matches!(&got[..], [Got::Reply(reply)] if reply.error == 0), "{got:?}");
    }
}

/// What a learner gets as the state of an epoch's beginning it shows its clients as such: with any other server they must be welcome.
#[test]
fn a_leader_has_seen_the_beginning_of_its_epoch() {
    let mut cluster = Cluster::of(3);
    let (leader, follower) = (cluster.leader().unwrap(), cluster.follower());
    let client = Client::new(&mut cluster, follower);
    cluster.crash(leader);
    cluster.run_for(Duration::from_secs(5));
    let leader = cluster.leader().expect("two are enough");
    let beginning = Zxid::marker(Epoch(2));
    assert!(Client::join(&mut cluster, leader, client.session, &client.password, beginning.0).is_some());
}

/// `ZooKeeperServer.loadData`: nobody else would ever end them.
#[test]
fn nodes_of_sessions_that_nobody_knows_go() {
    let mut cluster = Cluster::of(1);
    let mut client = Client::new(&mut cluster, Sid(1));
    client.ask(&mut cluster, &create("/e", 1)).unwrap();
    let zxid = cluster.service(Sid(1)).tree().last_processed();
    let bytes: Vec<u8> = cluster.service(Sid(1)).freeze().into_iter().flat_map(|it| it.as_bytes().to_vec()).collect();
    // One session of twelve bytes, behind their number.
    let without = [&[0; 4][..], &bytes[4 + 12..]].concat();
    for (state, left) in [(&bytes, 1), (&without, 0)] {
        cluster.crash(Sid(1));
        cluster.start_with(Sid(1), |options| options, Some((zxid, state)));
        cluster.run_for(Duration::from_secs(3));
        assert_eq!(cluster.service(Sid(1)).tree().ephemeral_count(), left);
    }
}

/// It is not replicated (ZOOKEEPER-2819): a server whose list was changed does not tell that of an older snapshot, or of its leader.
#[test]
fn each_server_tells_of_its_own_configuration() {
    let mut cluster = Cluster::with(3, |it| ServiceConfig { config_text: format!("of {}", it.sid.0), ..it });
    let follower = cluster.follower();
    let text = |cluster: &Cluster, sid: Sid| {
        let node = cluster.service(sid).tree().find("/zookeeper/config").expect("it is there");
        String::from_utf8(node.data().unwrap().to_vec()).unwrap()
    };
    assert_eq!(text(&cluster, follower), format!("of {}", follower.0));
    let leader = cluster.leader().unwrap();
    let state: Vec<u8> = cluster.service(leader).freeze().into_iter().flat_map(|it| it.as_bytes().to_vec()).collect();
    let zxid = cluster.service(leader).tree().last_processed();
    cluster.crash(follower);
    cluster.start_with(follower, |it| ServiceConfig { config_text: "new".into(), ..it }, Some((zxid, &state)));
    assert_eq!(text(&cluster, follower), "new");
}

#[test]
fn a_write_of_a_connection_that_is_gone_is_not_taken_for_one_of_its_successor() {
    let mut cluster = Cluster::of(3);
    let leader = cluster.leader().unwrap();
    let mut before = Client::new(&mut cluster, leader);
    let fresh = before.clone();
    // Without its followers the leader commits nothing.
    cluster.frozen = cluster.sids().into_iter().filter(|sid| *sid != leader).collect();
    before.post(&mut cluster, &create("/a", 0));
    before.drop_connection(&mut cluster);
    // A client that begins to count anew: request 1 again.
    let mut after = fresh.resume(&mut cluster, leader).unwrap();
    after.send(&mut cluster, &create("/a", 0));
    cluster.frozen.clear();
    cluster.settle();
    let got = after.all(&mut cluster);
    assert!(matches!(&got[..], [Got::Reply(reply)] if reply.error == -110), "{got:?}");
}

#[test]
fn nobody_resumes_without_the_password_or_from_the_future() {
    let mut cluster = Cluster::of(3);
    for sid in cluster.sids() {
        let client = Client::new(&mut cluster, sid);
        assert!(Client::join(&mut cluster, sid, client.session, &[7; 16], 0).is_none());
        let conn = cluster.connect(sid);
        let future = "00000000 7fffffffffffffff 00002710 0000000000000000 00000000 00";
        let digits: Vec<u8> = future.bytes().filter(|byte| *byte != b' ').collect();
        let bytes = digits.chunks(2).map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect();
        cluster.call(sid, Call::Frame { conn, bytes });
        assert_eq!(cluster.answer(conn), Some(Answer::Close { conn }), "closed without a word");
        assert!(Client::join(&mut cluster, sid, SessionId(77), &[7; 16], 0).is_none());
    }
}

#[test]
fn sessions_survive_their_leader() {
    let mut cluster = Cluster::of(3);
    let (leader, follower) = (cluster.leader().unwrap(), cluster.follower());
    let mut client = Client::new(&mut cluster, follower);
    client.ask(&mut cluster, &create("/e", 1)).unwrap();
    cluster.run_for(Duration::from_secs(8));
    cluster.crash(leader);
    cluster.run_for(Duration::from_secs(5));
    assert!(cluster.leader().is_some_and(|new| new != leader));
    assert_eq!(client.all(&mut cluster), [Got::Closed], "nothing is served between two leaders");
    let mut client = client.resume(&mut cluster, follower).expect("the new leader gives it its whole time again");
    assert!(client.ask(&mut cluster, &exists("/e", false)).is_ok());
    cluster.run_for(Duration::from_secs(13));
    assert!(client.resume(&mut cluster, follower).is_none());
    let mut other = Client::new(&mut cluster, follower);
    assert_eq!(other.ask(&mut cluster, &exists("/e", false)), Err(ErrorCode::NoNode), "the new leader lets it end");
}

#[test]
fn closing_a_session_ends_it_at_once() {
    let mut cluster = Cluster::of(3);
    let follower = cluster.follower();
    let mut client = Client::new(&mut cluster, follower);
    client.ask(&mut cluster, &create("/e", 1)).unwrap();
    client.send(&mut cluster, &Request::CloseSession);
    let got = client.all(&mut cluster);
    assert!(matches!(&got[..], [Got::Reply(reply), Got::Closed] if reply.error == 0), "{got:?}");
    assert!(cluster.sids().iter().all(|sid| cluster.service(*sid).tree().find("/e").is_none()));
    let leader = cluster.leader().unwrap();
    assert_eq!(cluster.service(leader).tracker(), Some(&Tracker::new(Duration::from_millis(2000))), "nothing is left");
}

#[test]
fn a_state_that_is_read_again_costs_nobody_the_connection() {
    let mut cluster = Cluster::of(3);
    let (leader, at) = (cluster.leader().unwrap(), cluster.follower());
    let mut before = Client::new(&mut cluster, at);
    before.ask(&mut cluster, &create("/x", 0)).unwrap();
    let others: Vec<Sid> = cluster.sids().into_iter().filter(|sid| *sid != at && *sid != leader).collect();
    others.into_iter().chain([leader]).for_each(|sid| cluster.crash(sid));
    let early = cluster.connect(at);
    let figures = cluster.service(at).figures();
    cluster.reload(at);
    assert!(cluster.service(at).tree().find("/x").is_some(), "it is on disk");
    assert_eq!(cluster.service(at).figures(), figures, "they are the server's");
    assert_eq!(cluster.service(at).connections().map(|view| view.conn).collect::<Vec<_>>(), [early]);
    cluster.call(at, Call::Frame { conn: early, bytes: vec![0; 44] });
    assert_eq!(cluster.answer(early), Some(Answer::Close { conn: early }), "nothing is served, and it is told");
}

#[test]
fn connections_without_a_word_are_closed() {
    let mut cluster = Cluster::of(1);
    let conn = cluster.connect(Sid(1));
    cluster.run_for(Duration::from_secs(9));
    assert_eq!(cluster.answer(conn), None);
    cluster.run_for(Duration::from_secs(12));
    assert_eq!(cluster.answer(conn), Some(Answer::Close { conn }));
}

/// A client that begins to count anew, at the leader: its first write has the number of the one that it asked for at a follower.
#[test]
fn a_write_that_another_server_forwarded_is_not_taken_for_an_own_one() {
    let mut cluster = Cluster::of(3);
    let (leader, follower) = (cluster.leader().unwrap(), cluster.follower());
    let mut before = Client::new(&mut cluster, follower);
    let fresh = before.clone();
    before.post(&mut cluster, &create("/a", 0));
    cluster.frozen = cluster.sids().into_iter().filter(|sid| *sid != leader).collect();
    cluster.settle();
    let mut after = fresh.resume(&mut cluster, leader).unwrap();
    after.send(&mut cluster, &create("/a", 0));
    cluster.frozen.clear();
    cluster.settle();
    let got = after.all(&mut cluster);
    assert!(matches!(&got[..], [Got::Reply(reply)] if reply.error == ErrorCode::NodeExists.code()), "{got:?}");
}

#[test]
fn a_connection_that_its_session_has_left_reads_nothing_at_the_leader() {
    let mut cluster = Cluster::of(3);
    let (leader, follower) = (cluster.leader().unwrap(), cluster.follower());
    let mut before = Client::new(&mut cluster, leader);
    before.resume(&mut cluster, follower).expect("it is alive");
    before.send(&mut cluster, &exists("/", false));
    assert_eq!(before.all(&mut cluster), [Got::Closed]);
}

#[test]
fn a_session_that_is_resumed_at_a_learner_keeps_its_time_out() {
    let mut cluster = Cluster::of(3);
    let follower = cluster.follower();
    let before = Client::new(&mut cluster, follower);
    before.resume(&mut cluster, follower).expect("it is alive");
    cluster.run_for(Duration::from_secs(14));
    assert!(cluster.sids().iter().all(|sid| cluster.service(*sid).tree().sessions().is_empty()));
}

#[test]
fn who_asks_who_it_is_is_shown_no_digest() {
    let mut cluster = Cluster::of(1);
    let mut client = Client::new(&mut cluster, Sid(1));
    client.send(&mut cluster, &Request::Auth { kind: 0, scheme: "digest".into(), auth: b"bob:pw".to_vec() });
    client.all(&mut cluster);
    let Ok(Some(Response::WhoAmI(infos))) = client.ask(&mut cluster, &Request::WhoAmI) else { panic!("no answer") };
    assert!(infos.iter().any(|info| info.auth_scheme == "digest" && info.user == "bob"), "{infos:?}");
    assert!(infos.iter().all(|info| !info.user.contains(':')), "{infos:?}");
}
