//! The real server on the loopback: sockets, disks and clocks are real, the service is a tiny one.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the server is where sockets, files and clocks are"
)]

mod clients;
mod elections;
mod support;
mod tiny;
mod whole;

use std::sync::Arc;

use support::{Client, Folder, OneWord, config, members, start, wait_for, write_when_served};
use tiny::Tiny;
use zabsim::server::Server;
use zabsim::zab::{HaltReason, PeerState, Sid};

#[test]
fn a_server_that_stands_alone_elects_itself_and_keeps_what_it_acknowledged() {
    let folder = Folder::new("alone");
    let alone = members(0);
    let server = start(&config(1, &alone, folder.path()));
    let mut client = write_when_served(&server, 0);
    for number in 1..100 {
        client.send_number(number).unwrap();
    }
    for number in 1..100 {
        assert_eq!(client.receive().unwrap(), [number]);
    }
    assert_eq!(server.stop(), HaltReason::Stopped);
    let server = start(&config(1, &alone, folder.path()));
    let list = write_when_served(&server, 100).read().unwrap();
    assert_eq!(list.iter().filter(|&&number| number != 0).copied().collect::<Vec<_>>(), (1..=100).collect::<Vec<_>>());
}

#[test]
fn three_servers_elect_a_leader_and_all_take_writes() {
    let folder = Folder::new("three");
    let everybody = members(3);
    let servers: Vec<Server> = (1..=3).map(|sid| start(&config(sid, &everybody, folder.path()))).collect();
    let mut clients: Vec<Client> = servers.iter().map(|server| write_when_served(server, 0)).collect();
    for number in 1..=30 {
        clients[number as usize % 3].write(number).unwrap();
    }
    for client in &mut clients {
        // A server that has not heard of the last commits yet will.
        let list = wait_for("the last write", || {
            let list = client.read().unwrap();
            (list.last() == Some(&30)).then_some(list)
        });
        assert_eq!(list.into_iter().filter(|&number| number != 0).collect::<Vec<_>>(), (1..=30).collect::<Vec<_>>());
    }
    let leading = servers.iter().filter(|server| server.status().unwrap().state == PeerState::Leading);
    assert_eq!(leading.count(), 1);
    for server in servers {
        assert_eq!(server.stop(), HaltReason::Stopped);
    }
}

#[test]
fn a_killed_leader_is_replaced_and_comes_back_with_everything() {
    let folder = Folder::new("killed");
    let everybody = members(3);
    let mut servers: Vec<Server> = (1..=3).map(|sid| start(&config(sid, &everybody, folder.path()))).collect();
    servers.iter().for_each(|server| drop(write_when_served(server, 0)));
    let position = wait_for("a leader", || {
        servers.iter().position(|server| server.status().is_some_and(|status| status.state == PeerState::Leading))
    });
    let mut client = write_when_served(&servers[position], 1);
    client.write(2).unwrap();
    let killed = servers.remove(position);
    let sid = killed.status().unwrap().sid;
    drop(killed);
    write_when_served(&servers[0], 3);
    write_when_served(&servers[1], 4);
    let back = start(&config(sid.0, &everybody, folder.path()));
    let list = write_when_served(&back, 5).read().unwrap();
    let mut seen: Vec<i32> = list.into_iter().filter(|&number| number != 0).collect();
    // A write whose answer was lost with its server was written again.
    seen.dedup();
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    assert_eq!(back.status().unwrap().leader.map(|leader| leader == sid), Some(false));
    assert_ne!(back.status().unwrap().leader, Some(Sid::NONE));
}

/// To pass over a txn would be to go another way than the leader, unnoticed; ZooKeeper's followers leave such a leader as well.
#[test]
fn a_txn_that_a_server_does_not_know_is_neither_logged_nor_passed_over() {
    let folder = Folder::new("unknown-txn");
    let everybody = members(3);
    let boot = |sid| start(&config(sid, &everybody, folder.path()));
    let mut servers: Vec<Server> = (1..=3).map(boot).collect();
    servers.iter().for_each(|server| drop(write_when_served(server, 0)));
    let position = wait_for("a leader", || {
        servers.iter().position(|server| server.status().is_some_and(|status| status.state == PeerState::Leading))
    });
    let leader = servers.remove(position);
    let mut client = write_when_served(&leader, 1);
    assert!(client.write(-1).is_err(), "nobody follows who proposes that");
    let sid = leader.status().unwrap().sid;
    // Led by it again, or cut back, it would hold something else.
    [leader].into_iter().chain(servers).for_each(|server| assert_eq!(server.stop(), HaltReason::Stopped));

    let refused = Server::start(&config(sid.0, &everybody, folder.path()), Arc::new(OneWord), move || Tiny::new(sid));
    let told = refused.err().expect("it does not know what it wrote").to_string();
    assert!(told.contains("is no txn that this release knows (-1 is negative)"), "{told}");
    assert!(told.contains("/log.") || told.contains(" log."), "which file: {told}");
    let others: Vec<Server> = (1..=3).filter(|other| *other != sid.0).map(boot).collect();
    let list = write_when_served(&others[0], 2).read().unwrap();
    assert_eq!((list.contains(&-1), list.last()), (false, Some(&2)));
}
