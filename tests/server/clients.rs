//! The client port: words, limits, and clients that do not read.

use std::thread::sleep;
use std::time::Duration;

use zabsim::server::Server;
use zabsim::zab;
use zabsim::zk::model::Request;

use crate::support::{Client, Folder, config, members, start, wait_for, write_when_served};
use crate::whole::{Session, open_for_when_served, open_when_served};

#[test]
fn a_word_is_answered_and_the_connection_ends() {
    let folder = Folder::new("words");
    let server = start(&config(1, &members(0), folder.path()));
    let mut client = write_when_served(&server, 7);
    let ask = |word: &[u8]| {
        let mut asker = Client::connect(server.client_address().unwrap()).unwrap();
        asker.send_raw(word);
        asker.read_to_end()
    };
    assert_eq!(ask(b"ruok"), "Some(Leading)");
    client.write(8).unwrap();
}

#[test]
fn a_frame_longer_than_jute_maxbuffer_ends_its_connection() {
    let folder = Folder::new("long-frame");
    let mut config = config(1, &members(0), folder.path());
    config.clients.max_buffer = 100;
    let server = start(&config);
    let mut modest = write_when_served(&server, 1);
    let mut greedy = Client::connect(server.client_address().unwrap()).unwrap();
    greedy.send_raw(&101u32.to_be_bytes());
    assert!(greedy.is_closed());
    modest.write(2).unwrap();
}

#[test]
fn an_address_has_so_many_connections_and_no_more() {
    let folder = Folder::new("connections");
    let mut config = config(1, &members(0), folder.path());
    config.clients.max_connections = 2;
    let server = start(&config);
    let mut first = write_when_served(&server, 1);
    let second = wait_for("a place", || {
        let mut client = Client::connect(server.client_address()?).ok()?;
        client.write(2).ok()?;
        Some(client)
    });
    let mut third = Client::connect(server.client_address().unwrap()).unwrap();
    assert!(third.is_closed());
    drop(first.read());
    drop(second);
    wait_for("the place of the second", || Client::connect(server.client_address()?).ok()?.write(3).ok());
}

#[test]
fn who_does_not_read_is_not_read_and_nobody_else_waits() {
    let folder = Folder::new("back-pressure");
    let mut config = config(1, &members(0), folder.path());
    config.clients.outstanding_limit = 10;
    let server = start(&config);
    let mut writer = write_when_served(&server, 0);
    (1..200).for_each(|number| writer.write(number).unwrap());
    // Each of these small requests has an answer of 800 bytes: the answers fill every buffer on the way, then the server
    // stops reading, and the requests fill the others.
    let mut deaf = Client::connect(server.client_address().unwrap()).unwrap();
    let sent = deaf.send_until_stuck(b"r", 40_000_000);
    assert!(sent < 40_000_000, "the server read without end");
    // It waits for its client, and has not given it up: that is for connections that nobody reads events from.
    assert_eq!(server.status().unwrap().connections.len(), 2);
    for number in 200..300 {
        writer.write(number).unwrap();
    }
    // What was taken is answered, in full.
    assert_eq!(deaf.receive().unwrap().len(), 200);
}

const LARGE: usize = 1_000_000;

/// A server where sessions are short, with a large node, and a session with an ephemeral node.
fn short_sessions(folder: &Folder) -> (Server, Session) {
    let mut config = config(1, &members(0), folder.path());
    config.peer.limits.tick_time = zab::Duration::from_millis(200);
    config.clients.min_session_timeout = zab::Duration::from_secs(2);
    let server = Server::boot(&config).unwrap();
    let mut session = open_for_when_served(&server, 2000);
    assert_eq!(session.create("/large", &"x".repeat(LARGE)).unwrap(), 0);
    assert_eq!(session.create_ephemeral("/mine").unwrap(), 0);
    (server, session)
}

fn large() -> Request {
    Request::GetData { path: "/large".into(), watch: false }
}

fn is_there(server: &Server) -> bool {
    open_when_served(server).data("/mine").unwrap().is_some()
}

#[test]
fn whose_pings_wait_behind_its_answers_lives_by_what_it_reads() {
    let folder = Folder::new("reads-slowly");
    let (server, mut session) = short_sessions(&folder);
    session.post(&vec![large(); 40]);
    // Twice the time-out; more is still to come than the buffers on the way hold.
    for _ in 0..20 {
        assert!(session.client.receive_frame().unwrap().len() > LARGE);
        sleep(Duration::from_millis(200));
    }
    assert!(is_there(&server), "its session is alive");
    (20..40).for_each(|_| assert!(session.client.receive_frame().unwrap().len() > LARGE));
}

#[test]
fn who_reads_nothing_for_a_while_lives_by_its_pings() {
    let folder = Folder::new("pings-and-does-not-read");
    let (server, mut session) = short_sessions(&folder);
    session.post(&vec![large(); 40]);
    for _ in 0..20 {
        session.post(&[Request::Ping]);
        sleep(Duration::from_millis(200));
    }
    assert!(is_there(&server), "its session is alive");
    (0..40).for_each(|_| assert!(session.client.receive_frame().unwrap().len() > LARGE));
    (0..20).for_each(|_| assert!(session.client.receive_frame().unwrap().len() < 100, "a ping's answer"));
    wait_for("its session to expire once it is silent", || (!is_there(&server)).then_some(()));
}

/// A frame that asks a tiny service for so many events.
fn events(count: i32) -> Vec<u8> {
    [b"e".as_slice(), &count.to_be_bytes()].concat()
}

#[test]
fn who_reads_is_not_closed_however_much_it_is_sent() {
    let folder = Folder::new("asks-for-much");
    let server = start(&config(1, &members(0), folder.path()));
    let mut client = write_when_served(&server, 7);
    client.send(&events(100)).unwrap();
    (0..100).for_each(|_| assert_eq!(client.receive_frame().unwrap().len(), LARGE));
    assert!(client.receive().unwrap().contains(&7));
}

#[test]
fn who_lets_too_much_wait_and_reads_none_of_it_is_closed() {
    let folder = Folder::new("reads-no-events");
    let server = start(&config(1, &members(0), folder.path()));
    let mut modest = write_when_served(&server, 7);
    let mut deaf = Client::connect(server.client_address().unwrap()).unwrap();
    modest.send(&events(40)).unwrap();
    deaf.send(&events(100)).unwrap();
    wait_for("both", || (server.status()?.connections.len() == 2).then_some(()));
    wait_for("the end of the one", || (server.status()?.connections.len() == 1).then_some(()));
    (0..40).for_each(|_| assert_eq!(modest.receive_frame().unwrap().len(), LARGE));
    assert!(modest.receive().unwrap().contains(&7));
}

#[test]
fn many_large_answers_come_one_after_the_other() {
    let folder = Folder::new("reads-much");
    let (server, mut session) = short_sessions(&folder);
    session.post(&vec![large(); 100]);
    // What the buffers on the way take, and what a few groups of requests are answered with: not a hundred megabytes.
    sleep(Duration::from_millis(500));
    let waiting = server.status().unwrap().connections.iter().map(|(_, it)| it.sent).max();
    assert!(waiting.is_some_and(|sent| sent < 80), "{waiting:?} answers of a megabyte");
    (0..100).for_each(|_| assert!(session.client.receive_frame().unwrap().len() > LARGE));
}
