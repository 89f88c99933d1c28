//! Who a client is, and when that counts.

use zabsim::zk::model::{Acl, Create, Id, Request, Response};

use crate::client::{Client, Got, create, get, new_node};
use crate::cluster::Cluster;

/// The errors of all replies, 0 for success; 1 for the end of the connection.
fn errors(got: Vec<Got>) -> Vec<i32> {
    let error = |got| match got {
        Got::Reply(reply) => reply.error,
        Got::Closed => 1,
        Got::Event(..) => panic!("{got:?}"),
    };
    got.into_iter().map(error).collect()
}

/// A node that is for whoever asks for it only.
fn own(path: &str) -> Request {
    let id = Id { scheme: "auth".into(), id: String::new() };
    Request::Create(Create { acl: Some(vec![Acl { id, ..Acl::open() }]), ..new_node(path, 0) })
}

/// `Request.authInfo` is taken when a request is submitted, however long it waits then.
#[test]
fn a_request_is_judged_by_what_its_client_said_before_it() {
    let mut cluster = Cluster::of(3);
    let follower = cluster.follower();
    let mut bob = Client::new(&mut cluster, follower);
    bob.authenticate(&mut cluster, b"bob:pw");
    assert_eq!(errors(bob.all(&mut cluster)), [0]);
    bob.ask(&mut cluster, &own("/bob")).unwrap();

    let mut client = Client::new(&mut cluster, follower);
    client.post(&mut cluster, &create("/a", 0));
    client.post(&mut cluster, &get("/bob", false));
    client.post(&mut cluster, &Request::WhoAmI);
    client.authenticate(&mut cluster, b"bob:pw");
    client.post(&mut cluster, &get("/bob", false));
    cluster.settle();
    let got = client.all(&mut cluster);
    let ids = got.iter().find_map(|got| match got {
        Got::Reply(reply) => match &reply.response {
            Some(Response::WhoAmI(ids)) => Some(ids.len()),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(ids, Some(1), "an address");
    assert_eq!(errors(got), [0, 0, -102, 0, 0], "the first answers the auth packet");
}

/// All of them go with every write.
#[test]
fn a_client_is_not_more_people_than_a_packet_can_name() {
    let mut cluster = Cluster::of(3);
    let follower = cluster.follower();
    let mut client = Client::new(&mut cluster, follower);
    let name = "n".repeat(1000);
    let auth = |number: usize| format!("{name}{number}:pw").into_bytes();
    for number in 0..40 {
        client.authenticate(&mut cluster, &auth(number));
        client.authenticate(&mut cluster, &auth(0));
    }
    assert_eq!(errors(client.all(&mut cluster)), [0; 80]);
    client.ask(&mut cluster, &own("/many")).unwrap();
    (0..100).for_each(|number| client.authenticate(&mut cluster, &auth(number)));
    let errors = errors(client.all(&mut cluster));
    let taken = errors.iter().take_while(|error| **error == 0).count();
    assert!((40..100).contains(&taken), "{taken}");
    assert_eq!(errors[taken..], [-115, 1]);
    assert!(cluster.is_serving(follower));
}
