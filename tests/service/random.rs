//! Whatever clients do: every reply in its turn, every server in the same state.

use proptest::prelude::*;

use zabsim::zab::{Duration, Sid};
use zabsim::zk::model::{MultiOp, Request};

use crate::client::{Client, Got, create, exists, get, new_node, set, sync};
use crate::cluster::Cluster;

#[derive(Clone, Debug)]
enum Step {
    /// A client asks for something.
    Ask(usize, Request),
    /// Everything under way arrives.
    Settle,
    /// A client goes to another server without a word to the last one.
    Move(usize, i64),
    /// Seconds pass.
    Pause(u64),
    /// The leader is gone.
    Crash,
}

fn request() -> impl Strategy<Value = Request> {
    let path = prop::sample::select(vec!["/a", "/b", "/a/c", "/a/d", "/b/e"]);
    (path, 0..11u8, any::<bool>()).prop_map(|(path, which, watch)| match which {
        0 | 1 => create(path, 0),
        2 => create(path, 1),
        3 => create(path, 3),
        4 => set(path, "x"),
        5 => Request::Delete { path: path.into(), version: -1 },
        6 => get(path, watch),
        7 => exists(path, watch),
        8 => Request::GetChildren { path: path.into(), watch },
        9 => sync(path),
        _ => Request::Multi(vec![
            MultiOp::Create(new_node(path, 0)),
            MultiOp::SetData { path: path.into(), data: None, version: 0 },
        ]),
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..4usize, request()).prop_map(|(client, request)| Step::Ask(client, request)),
        4 => Just(Step::Settle),
        2 => (0..4usize, 1..=3i64).prop_map(|(client, to)| Step::Move(client, to)),
        1 => (1..9u64).prop_map(Step::Pause),
    ]
}

/// Some steps, and sometimes a crash in the midst of them.
fn story() -> impl Strategy<Value = Vec<Step>> {
    let crash = prop::option::of(any::<prop::sample::Index>());
    (prop::collection::vec(step(), 1..80), crash).prop_map(|(mut steps, crash)| {
        if let Some(at) = crash {
            let at = at.index(steps.len());
            steps.insert(at, Step::Crash);
        }
        steps
    })
}

/// Takes what came; a connection that is closed is replaced, by one of a new session if the old one is over.
fn read_all(cluster: &mut Cluster, client: &mut Client) {
    // `Client::got` complains about a reply out of turn.
    while let Some(got) = client.got(cluster) {
        if got == Got::Closed {
            let at = if cluster.sids().contains(&client.at) { client.at } else { cluster.sids()[0] };
            *client = client.resume(cluster, at).unwrap_or_else(|| Client::new(cluster, at));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_clients_do_servers_agree_and_answer_in_turn(steps in story()) {
        let mut cluster = Cluster::of(3);
        let mut clients: Vec<Client> = (0..4).map(|i| Client::new(&mut cluster, Sid(i % 3 + 1))).collect();
        for step in steps {
            match step {
                Step::Ask(client, request) => {
                    clients[client].post(&mut cluster, &request);
                }
                Step::Settle => cluster.settle(),
                Step::Move(client, to) if cluster.sids().contains(&Sid(to)) => {
                    let moved = clients[client].resume(&mut cluster, Sid(to));
                    clients[client] = moved.unwrap_or_else(|| Client::new(&mut cluster, Sid(to)));
                }
                Step::Move(..) => {}
                Step::Pause(seconds) => cluster.run_for(Duration::from_secs(seconds)),
                Step::Crash => {
                    let leader = cluster.leader().expect("somebody leads");
                    cluster.crash(leader);
                    cluster.run_for(Duration::from_secs(15));
                    for client in clients.iter_mut().filter(|client| client.at == leader) {
                        let at = cluster.sids()[0];
                        *client = client.resume(&mut cluster, at).unwrap_or_else(|| Client::new(&mut cluster, at));
                    }
                }
            }
            for client in &mut clients {
                read_all(&mut cluster, client);
            }
        }
        cluster.settle();
        let sids = cluster.sids();
        let first = cluster.service(sids[0]);
        for sid in &sids {
            let service = cluster.service(*sid);
            prop_assert_eq!(cluster.applied(*sid).last(), cluster.applied(sids[0]).last());
            prop_assert_eq!(service.tree().digest(), first.tree().digest());
            prop_assert_eq!(service.tree().sessions(), first.tree().sessions());
            prop_assert_eq!(service.figures().digest_mismatches, 0);
            prop_assert_eq!(service.figures().outstanding, 0, "everything is answered");
            prop_assert_eq!(service.figures().undecodable, 0);
        }
        // Nobody owns a node without a session.
        for owner in first.tree().owners() {
            prop_assert!(first.tree().sessions().contains_key(&owner));
        }
    }
}
