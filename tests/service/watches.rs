//! Events, and what they must come before.

use zabsim::zab::{Duration, Sid};
use zabsim::zk::model::{Acl, EventType, Id, Request, Response, SetWatches};
use zabsim::zk::service::config::ServiceConfig;
use zabsim::zk::wire::Dialect;

use crate::client::{Client, Got, create, exists, get, new_node, set};
use crate::cluster::Cluster;

fn children(path: &str) -> Request {
    Request::GetChildren { path: path.into(), watch: true }
}

fn event(kind: EventType, path: &str) -> Got {
    Got::Event(kind, path.into())
}

#[test]
fn an_event_comes_before_whatever_shows_its_change() {
    let mut cluster = Cluster::of(3);
    for sid in cluster.sids() {
        let path = format!("/{}", sid.0);
        let mut watcher = Client::new(&mut cluster, sid);
        let mut writer = Client::new(&mut cluster, sid);
        writer.ask(&mut cluster, &create(&path, 0)).unwrap();
        watcher.ask(&mut cluster, &get(&path, true)).unwrap();
        writer.post(&mut cluster, &set(&path, "1"));
        watcher.post(&mut cluster, &create(&format!("{path}/x"), 0));
        watcher.post(&mut cluster, &get(&path, true));
        cluster.settle();
        let got = watcher.all(&mut cluster);
        assert_eq!(got[0], event(EventType::NodeDataChanged, &path));
        assert!(matches!(&got[1..], [Got::Reply(_), Got::Reply(_)]), "{got:?}");
        // Its own write as well.
        watcher.send(&mut cluster, &set(&path, "2"));
        let got = watcher.all(&mut cluster);
        assert!(matches!(&got[..], [Got::Event(..), Got::Reply(_)]), "{got:?}");
        watcher.send(&mut cluster, &set(&path, "3"));
        assert!(matches!(&watcher.all(&mut cluster)[..], [Got::Reply(_)]), "a watch is told once");
    }
}

#[test]
fn a_node_that_goes_is_told_once_to_who_watched_it_twice() {
    let mut cluster = Cluster::of(1);
    let mut client = Client::new(&mut cluster, Sid(1));
    client.ask(&mut cluster, &create("/a", 0)).unwrap();
    client.ask(&mut cluster, &get("/a", true)).unwrap();
    client.ask(&mut cluster, &children("/a")).unwrap();
    client.ask(&mut cluster, &children("/")).unwrap();
    client.send(&mut cluster, &Request::Delete { path: "/a".into(), version: -1 });
    let got = client.all(&mut cluster);
    assert_eq!(got[..2], [event(EventType::NodeDeleted, "/a"), event(EventType::NodeChildrenChanged, "/")]);
    assert_eq!(got.len(), 3);
    assert_eq!(cluster.service(Sid(1)).figures().watches, 0);
}

#[test]
fn the_end_of_a_session_is_an_event_for_others() {
    let mut cluster = Cluster::of(3);
    let (leader, follower) = (cluster.leader().unwrap(), cluster.follower());
    let mut owner = Client::new(&mut cluster, leader);
    let mut watcher = Client::new(&mut cluster, follower);
    assert!(watcher.ask(&mut cluster, &exists("/e", true)).is_err());
    owner.ask(&mut cluster, &create("/e", 1)).unwrap();
    assert_eq!(watcher.all(&mut cluster), [event(EventType::NodeCreated, "/e")]);
    watcher.ask(&mut cluster, &exists("/e", true)).unwrap();
    for _ in 0..16 {
        cluster.run_for(Duration::from_secs(1));
        watcher.send(&mut cluster, &Request::Ping);
    }
    let events: Vec<Got> = watcher.all(&mut cluster).into_iter().filter(|got| matches!(got, Got::Event(..))).collect();
    assert_eq!(events, [event(EventType::NodeDeleted, "/e")]);
}

#[test]
fn watches_are_set_again_after_a_reconnection() {
    let mut cluster = Cluster::of(3);
    let (leader, follower) = (cluster.leader().unwrap(), cluster.follower());
    let mut client = Client::new(&mut cluster, leader);
    for path in ["/same", "/set", "/gone", "/parent"] {
        client.ask(&mut cluster, &create(path, 0)).unwrap();
    }
    client.ask(&mut cluster, &get("/same", true)).unwrap();
    let seen = cluster.service(leader).tree().last_processed().0;
    client.drop_connection(&mut cluster);
    assert_eq!(cluster.service(leader).figures().watches, 0, "a connection takes its watches along");
    let mut other = Client::new(&mut cluster, follower);
    other.ask(&mut cluster, &set("/set", "x")).unwrap();
    other.ask(&mut cluster, &Request::Delete { path: "/gone".into(), version: -1 }).unwrap();
    other.ask(&mut cluster, &create("/parent/child", 0)).unwrap();
    other.ask(&mut cluster, &create("/new", 0)).unwrap();
    let mut client = client.resume(&mut cluster, follower).unwrap();
    let paths = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
    client.send(
        &mut cluster,
        &Request::SetWatches(SetWatches {
            relative_zxid: seen,
            data: paths(&["/same", "/set", "/gone"]),
            exist: paths(&["/new", "/never"]),
            child: paths(&["/parent", "/same"]),
            persistent: paths(&["/gone"]),
            persistent_recursive: paths(&["/parent"]),
        }),
    );
    let got = client.all(&mut cluster);
    assert_eq!(
        got[..4],
        [
            event(EventType::NodeDataChanged, "/set"),
            event(EventType::NodeDeleted, "/gone"),
            event(EventType::NodeCreated, "/new"),
            event(EventType::NodeChildrenChanged, "/parent"),
        ]
    );
    assert!(matches!(&got[4..], [Got::Reply(_)]), "{got:?}");
    other.ask(&mut cluster, &set("/same", "x")).unwrap();
    other.ask(&mut cluster, &create("/never", 0)).unwrap();
    other.ask(&mut cluster, &create("/gone", 0)).unwrap();
    other.ask(&mut cluster, &set("/parent/child", "x")).unwrap();
    assert_eq!(
        client.all(&mut cluster),
        [
            event(EventType::NodeDataChanged, "/same"),
            event(EventType::NodeCreated, "/never"),
            event(EventType::NodeCreated, "/gone"),
            event(EventType::NodeDataChanged, "/parent/child"),
        ]
    );
}

#[test]
fn watches_are_added_asked_for_and_removed() {
    let mut cluster = Cluster::of(1);
    let mut client = Client::new(&mut cluster, Sid(1));
    let check = |kind| Request::CheckWatches { path: "/a".into(), kind };
    let remove = |kind| Request::RemoveWatches { path: "/a".into(), kind };
    let add = |mode| Request::AddWatch { path: "/a".into(), mode };
    assert_eq!(client.ask(&mut cluster, &add(0)), Ok(Some(Response::AddWatch)));
    assert!(client.ask(&mut cluster, &add(2)).is_err_and(|error| error.code() == -5), "there is no such mode");
    assert!(client.ask(&mut cluster, &check(3)).is_ok());
    assert!(client.ask(&mut cluster, &check(1)).is_err_and(|error| error.code() == -121));
    assert!(client.ask(&mut cluster, &check(9)).is_err_and(|error| error.code() == -5));
    assert!(client.ask(&mut cluster, &remove(3)).is_ok());
    assert!(client.ask(&mut cluster, &remove(3)).is_err_and(|error| error.code() == -121));
    client.send(&mut cluster, &create("/a", 0));
    assert!(matches!(&client.all(&mut cluster)[..], [Got::Reply(_)]));
}

#[test]
fn nobody_is_told_of_what_they_may_not_read() {
    for (dialect, told) in [(Dialect::V38, true), (Dialect::V39, false)] {
        let mut cluster = Cluster::with(1, |config| ServiceConfig { dialect, ..config });
        let mut owner = Client::new(&mut cluster, Sid(1));
        let mut curious = Client::new(&mut cluster, Sid(1));
        assert!(curious.ask(&mut cluster, &exists("/secret", true)).is_err());
        let mut secret = new_node("/secret", 0);
        secret.acl = Some(vec![Acl { perms: 31, id: Id { scheme: "digest".into(), id: "bob:x".into() } }]);
        owner.ask(&mut cluster, &Request::Create(secret)).unwrap();
        assert_eq!(curious.all(&mut cluster) == [event(EventType::NodeCreated, "/secret")], told, "{dialect:?}");
    }
}
