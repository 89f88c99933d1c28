//! The whole server in the world.

use super::*;
use crate::sim::{ServiceKind, TreeEvent};

pub(in crate::sim) fn zookeeper() -> Setup {
    Setup { service: ServiceKind::ZooKeeper, clients: 3, ..setup(3, 1) }
}

#[test]
fn clients_write_read_watch_move_and_end_their_sessions() {
    let mut run = Run::new(&zookeeper(), 3);
    run.run_until(4_000 * MILLI);
    assert_eq!(run.serving(), 4, "{}", run.world.peers_report());
    for (what, least) in [("written", 500), ("read", 200), ("joined", 500), ("fired", 50), ("session over", 5)] {
        assert!(run.count(what) >= least, "{what}: {}", run.count(what));
    }
    let services = (0..4).map(|index| run.world.node(Node::at(index)).replica().unwrap().service());
    let (last, trees): (Vec<_>, Vec<_>) =
        services.map(|service| (service.last_zxid(), service.tree().unwrap())).unzip();
    assert!(trees.iter().all(|tree| tree.digest_mismatches() == 0 && tree.find("/shared").is_some()));
    assert!(last.iter().max().unwrap().counter() - last.iter().min().unwrap().counter() < 10);
}

#[test]
fn a_lost_leader_costs_no_session_and_no_write() {
    let mut run = Run::new(&zookeeper(), 5);
    run.run_until(2_000 * MILLI);
    let written: Vec<u32> = (0..3).map(|client| run.world.client(client).last_write()).collect();
    let joined = run.count("joined");
    let leader = run.leader().unwrap();
    run.apply(2_000 * MILLI, Action::Crash { node: leader, loss: Loss::Power { kept: 0, torn: true } });
    run.run_until(5_000 * MILLI);
    assert!(run.count("joined") > joined);
    let leader = run.world.node(run.leader().unwrap());
    let tree = leader.replica().unwrap().service().tree().unwrap();
    for (client, serial) in (0..).zip(written) {
        let data = tree.find(&format!("/c{client}")).unwrap().data().unwrap().to_vec();
        assert!(u32::from_be_bytes(data.try_into().unwrap()) >= serial);
    }
}

#[test]
fn a_server_that_stands_still_answers_when_it_goes_on() {
    let mut run = Run::new(&Setup { clients: 1, ..zookeeper() }, 7);
    run.run_until(1_000 * MILLI);
    let node = Node::at(1);
    run.apply(1_000 * MILLI, Action::Pause { node });
    run.apply(1_000 * MILLI, Action::Invoke { client: 0, server: node, op: Op::Read });
    assert!(run.world.events().iter().all(|event| !matches!(event, Event::Tree(_) | Event::Refused { .. })));
    assert_eq!(run.world.client(0).pending().unwrap().0, Op::Read);
    let read = run.count("read");
    run.apply(1_001 * MILLI, Action::Resume { node });
    // Its session is asked for at the leader first, unless it was there already.
    run.run_until(1_020 * MILLI);
    assert!(run.count("read") > read);
}

/// What a run under this service shows more than others.
pub(super) fn name(event: &TreeEvent) -> Option<&'static str> {
    match event {
        TreeEvent::Joined { .. } => Some("joined"),
        TreeEvent::Fired { .. } => Some("fired"),
        TreeEvent::SessionOver { .. } => Some("session over"),
        _ => None,
    }
}
