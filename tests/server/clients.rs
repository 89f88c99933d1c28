//! The client port: words, limits, and clients that do not read.

use crate::support::{Client, Folder, config, members, start, wait_for, write_when_served};

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
