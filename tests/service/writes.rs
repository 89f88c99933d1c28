//! Writes, reads behind them, and who is answered.

use zabsim::zab::{Duration, Sid};
use zabsim::zk::model::{ErrorCode, MultiOp, MultiReadOp, MultiResult, Request, Response};
use zabsim::zk::service::config::ServiceConfig;

use crate::client::{Client, Got, create, exists, get, new_node, set, sync};
use crate::cluster::Cluster;

fn data(response: Option<Response>) -> Vec<u8> {
    let Some(Response::Data { data: Some(data), .. }) = response else { panic!("{response:?}") };
    data.as_bytes().to_vec()
}

/// The errors of all replies, 0 for success; nothing else may have come.
fn errors(got: Vec<Got>) -> Vec<i32> {
    got.into_iter().map(|got| if let Got::Reply(reply) = got { reply.error } else { panic!("{got:?}") }).collect()
}

#[test]
fn a_write_at_a_follower_is_seen_everywhere() {
    let mut cluster = Cluster::of(3);
    let follower = cluster.follower();
    let mut client = Client::new(&mut cluster, follower);
    assert_eq!(client.ask(&mut cluster, &create("/a", 0)), Ok(Some(Response::Path("/a".into()))));
    assert_eq!(client.ask(&mut cluster, &create("/a", 0)), Err(ErrorCode::NodeExists));
    assert!(client.ask(&mut cluster, &set("/a", "hi")).is_ok());
    for sid in cluster.sids() {
        let mut reader = Client::new(&mut cluster, sid);
        assert_eq!(data(reader.ask(&mut cluster, &get("/a", false)).unwrap()), b"hi");
    }
}

/// It costs the link and nothing else; the next one is taken.
#[test]
fn a_state_that_cannot_be_read_is_not_taken() {
    let mut cluster = Cluster::of(3);
    let (leader, follower) = (cluster.leader().unwrap(), cluster.follower());
    cluster.crash(follower);
    let mut client = Client::new(&mut cluster, leader);
    // More than the leader remembers txn by txn.
    (0..600).for_each(|number| drop(client.ask(&mut cluster, &create(&format!("/{number}"), 0)).unwrap()));
    cluster.garbled.insert(follower, 3);
    cluster.start(follower, |options| options);
    cluster.run_for(Duration::from_secs(5));
    assert!(cluster.is_serving(follower));
    assert_eq!(cluster.service(follower).figures().undecodable, 3);
    let [ours, theirs] = [follower, leader].map(|sid| cluster.service(sid).tree().digest());
    assert_eq!(ours, theirs);
}

#[test]
fn what_is_asked_after_a_write_waits_for_it() {
    let mut cluster = Cluster::of(3);
    let follower = cluster.follower();
    let mut client = Client::new(&mut cluster, follower);
    let mut other = Client::new(&mut cluster, follower);
    // All of it is sent before the leader hears of anything.
    client.post(&mut cluster, &exists("/a", false));
    client.post(&mut cluster, &create("/a", 0));
    client.post(&mut cluster, &exists("/a", false));
    client.post(&mut cluster, &set("/a", "1"));
    client.post(&mut cluster, &create("/a", 0));
    client.post(&mut cluster, &get("/a", false));
    assert_eq!(errors(client.all(&mut cluster)), [-101], "only the read before the first write can be answered");
    assert_eq!(cluster.service(follower).figures().outstanding, 5);
    other.post(&mut cluster, &exists("/a", false));
    assert_eq!(errors(other.all(&mut cluster)), [-101], "another session waits for nothing");
    cluster.settle();
    let got = client.all(&mut cluster);
    let Some(Got::Reply(last)) = got.last() else { panic!("{got:?}") };
    assert_eq!(data(last.response.clone()), b"1");
    assert_eq!(errors(got), [0, 0, 0, -110, 0]);
    assert_eq!(cluster.service(follower).figures().outstanding, 0);
}

#[test]
fn a_multi_is_done_as_a_whole_or_not_at_all() {
    let mut cluster = Cluster::of(3);
    let follower = cluster.follower();
    let mut client = Client::new(&mut cluster, follower);
    let check = |version| MultiOp::Check { path: "/a".into(), version };
    let done = Request::Multi(vec![MultiOp::Create(new_node("/a", 0)), check(0)]);
    let done = client.ask(&mut cluster, &done).unwrap();
    assert_eq!(done, Some(Response::Multi(vec![MultiResult::Created("/a".into()), MultiResult::Checked])));
    let undone = Request::Multi(vec![MultiOp::Create(new_node("/b", 0)), check(7), check(0)]);
    let undone = client.ask(&mut cluster, &undone).unwrap();
    assert_eq!(undone, Some(Response::Multi([0, -103, -2].map(MultiResult::Error).to_vec())));
    assert_eq!(client.ask(&mut cluster, &exists("/b", false)), Err(ErrorCode::NoNode));
    let read = |path: &str| MultiReadOp::GetChildren(path.to_owned());
    let read = client.ask(&mut cluster, &Request::MultiRead(vec![read("/a"), read("/b")])).unwrap();
    let each = vec![MultiResult::Children(vec![]), MultiResult::Error(-101)];
    assert_eq!(read, Some(Response::Multi(each)), "each read by itself");
}

#[test]
fn a_sync_brings_a_slow_follower_up_to_date() {
    let mut cluster = Cluster::of(3);
    let (leader, slow) = (cluster.leader().unwrap(), cluster.follower());
    let mut writer = Client::new(&mut cluster, leader);
    let mut reader = Client::new(&mut cluster, slow);
    cluster.frozen.insert(slow);
    writer.ask(&mut cluster, &create("/a", 0)).expect("the leader and the other follower are a quorum");
    reader.post(&mut cluster, &exists("/a", false));
    reader.post(&mut cluster, &sync("/a"));
    reader.post(&mut cluster, &exists("/a", false));
    assert_eq!(errors(reader.all(&mut cluster)), [-101], "the past, until it hears from the leader");
    cluster.frozen.clear();
    cluster.settle();
    assert_eq!(errors(reader.all(&mut cluster)), [0, 0]);
    let mut at_leader = Client::new(&mut cluster, leader);
    assert_eq!(at_leader.ask(&mut cluster, &sync("/x")), Ok(Some(Response::Path("/x".into()))));
}

#[test]
fn requests_under_way_beyond_the_limit_stop_the_reading() {
    let mut cluster = Cluster::with(3, |config| ServiceConfig { global_outstanding_limit: 4, ..config });
    let follower = cluster.follower();
    let mut busy = Client::new(&mut cluster, follower);
    let idle = Client::new(&mut cluster, follower);
    busy.post(&mut cluster, &create("/a", 0));
    assert!(cluster.service(follower).may_read(busy.conn, 3), "one of two");
    busy.post(&mut cluster, &create("/b", 0));
    assert!(!cluster.service(follower).may_read(busy.conn, 3));
    assert!(cluster.service(follower).may_read(idle.conn, 3), "who waits for nothing is read from");
    cluster.settle();
    assert!(cluster.service(follower).may_read(busy.conn, 3));
}

#[test]
fn containers_that_nobody_needs_go() {
    let mut cluster = Cluster::of(1);
    let mut client = Client::new(&mut cluster, Sid(1));
    let mut container = new_node("/c", 4);
    container.kind = zabsim::zk::model::CreateKind::Container;
    client.ask(&mut cluster, &Request::Create(container)).unwrap();
    client.ask(&mut cluster, &create("/c/child", 0)).unwrap();
    client.ask(&mut cluster, &Request::Delete { path: "/c/child".into(), version: -1 }).unwrap();
    for _ in 0..13 {
        client.ask(&mut cluster, &Request::Ping).unwrap();
        cluster.run_for(Duration::from_secs(5));
    }
    assert_eq!(client.ask(&mut cluster, &exists("/c", false)), Err(ErrorCode::NoNode));
}

#[test]
fn an_answer_that_nobody_could_hold_is_an_error() {
    let mut cluster = Cluster::of(1);
    let mut client = Client::new(&mut cluster, Sid(1));
    client.ask(&mut cluster, &create("/a", 0)).unwrap();
    client.ask(&mut cluster, &set("/a", &"x".repeat(1_000_000))).unwrap();
    let reads = |count| Request::MultiRead(vec![MultiReadOp::GetData("/a".into()); count]);
    let Ok(Some(Response::Multi(results))) = client.ask(&mut cluster, &reads(50)) else { panic!("refused") };
    assert!(results.len() == 50 && results.iter().all(|result| matches!(result, MultiResult::Data { .. })));
    assert_eq!(client.ask(&mut cluster, &reads(400)), Err(ErrorCode::BadArguments));
    assert!(client.ask(&mut cluster, &exists("/a", false)).is_ok(), "the connection goes on");
}

/// `Time.currentWallTime`, for each request: a machine may have slept since its server started.
#[test]
fn a_node_is_as_old_as_the_calendar_says() {
    let mut cluster = Cluster::of(1);
    let mut client = Client::new(&mut cluster, Sid(1));
    let mut made = |cluster: &mut Cluster, path: &str| {
        client.ask(cluster, &create(path, 0)).unwrap();
        cluster.service(Sid(1)).tree().find(path).expect("it was made").stat_persisted().ctime
    };
    let before = made(&mut cluster, "/before");
    cluster.set_wall_clock(Sid(1), 1_000_000_000_000);
    let since = (cluster.now.0 / 1_000_000) as i64;
    assert_eq!(made(&mut cluster, "/after"), 1_000_000_000_000 + since);
    assert_ne!(before, 1_000_000_000_000 + since);
}
