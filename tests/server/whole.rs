//! Whole servers: the tree of ZooKeeper behind real ports.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::{fs, io};

use zabsim::server::config::{Address, Purge, ServerConfig};
use zabsim::server::report::Reset;
use zabsim::server::tally::Tally;
use zabsim::server::{Counters, Server};
use zabsim::zab::{self, HaltReason, Payload, PeerState};
use zabsim::zk::model::{Acl, ConnectRequest, Create, CreateKind, Reply, Request, Response, SessionId};
use zabsim::zk::store::encode_record;
use zabsim::zk::wire;

use crate::support::{Client, Folder, config, members, wait_for};

/// A session on one connection.
pub struct Session {
    pub client: Client,
    xid: i32,
}

impl Session {
    fn open(server: &Server) -> io::Result<Session> {
        Session::open_at(server.client_address().expect("a client port"), 10_000)
    }

    fn open_for(server: &Server, timeout: i32) -> io::Result<Session> {
        Session::open_at(server.client_address().expect("a client port"), timeout)
    }

    fn open_at(address: SocketAddr, timeout: i32) -> io::Result<Session> {
        let mut client = Client::connect(address)?;
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: 0,
            timeout,
            session: SessionId(0),
            password: vec![0; 16],
            read_only: Some(false),
        };
        let mut bytes = Vec::new();
        wire::encode_connect_request(&request, &mut bytes);
        client.send(&bytes)?;
        let response = wire::decode_connect_response(&client.receive_frame()?).unwrap();
        assert_ne!(response.session, SessionId(0));
        Ok(Session { client, xid: 0 })
    }

    /// Sends requests all at once.
    pub fn post(&mut self, requests: &[Request]) {
        let mut frames = Vec::new();
        for request in requests {
            self.xid += 1;
            let mut bytes = Vec::new();
            wire::encode_request(self.xid, request, &mut bytes);
            frames.extend((bytes.len() as u32).to_be_bytes());
            frames.extend(bytes);
        }
        self.client.send_raw(&frames);
    }

    pub fn ask(&mut self, request: &Request) -> io::Result<Reply> {
        self.xid += 1;
        let mut bytes = Vec::new();
        wire::encode_request(self.xid, request, &mut bytes);
        self.client.send(&bytes)?;
        let reply = wire::decode_reply(request.op(), &self.client.receive_frame()?).unwrap();
        assert_eq!(reply.xid, self.xid);
        Ok(reply)
    }

    pub fn create(&mut self, path: &str, data: &str) -> io::Result<i32> {
        self.create_with(path, data, 0)
    }

    /// A node that goes with the session.
    pub fn create_ephemeral(&mut self, path: &str) -> io::Result<i32> {
        self.create_with(path, "", 1)
    }

    fn create_with(&mut self, path: &str, data: &str, flags: i32) -> io::Result<i32> {
        let data = Some(Payload::new(data.as_bytes()));
        let create = Create {
            kind: CreateKind::Create,
            path: path.to_owned(),
            data,
            acl: Some(vec![Acl::open()]),
            flags,
            ttl: -1,
        };
        self.ask(&Request::Create(create)).map(|reply| reply.error)
    }

    /// What a node holds, after everything that was committed before.
    pub fn data(&mut self, path: &str) -> io::Result<Option<String>> {
        assert_eq!(self.ask(&Request::Sync { path: path.to_owned() })?.error, 0);
        let reply = self.ask(&Request::GetData { path: path.to_owned(), watch: false })?;
        Ok(match reply.response {
            Some(Response::Data { data, .. }) => data.map(|data| String::from_utf8(data.as_bytes().to_vec()).unwrap()),
            _ => None,
        })
    }
}

pub fn open_when_served(server: &Server) -> Session {
    open_for_when_served(server, 10_000)
}

/// With a time-out in milliseconds.
pub fn open_for_when_served(server: &Server, timeout: i32) -> Session {
    wait_for("a server that serves", || Session::open_for(server, timeout).ok())
}

#[test]
fn what_one_server_takes_every_server_has_also_after_all_were_stopped() {
    let folder = Folder::new("whole");
    let everybody = members(3);
    let boot = || -> Vec<Server> {
        (1..=3).map(|sid| Server::boot(&config(sid, &everybody, folder.path())).unwrap()).collect()
    };
    let servers = boot();
    for (index, server) in servers.iter().enumerate() {
        let mut session = open_when_served(server);
        assert_eq!(session.create(&format!("/made-at-{index}"), &format!("by {index}")).unwrap(), 0);
    }
    let read_everywhere = |servers: &[Server]| {
        for server in servers {
            let mut session = open_when_served(server);
            for index in 0..3 {
                let data = session.data(&format!("/made-at-{index}")).unwrap();
                assert_eq!(data, Some(format!("by {index}")));
            }
        }
    };
    read_everywhere(&servers);
    for server in servers {
        assert_eq!(server.stop(), HaltReason::Stopped);
    }
    read_everywhere(&boot());
}

/// The names in a server's folder that begin so, sorted.
fn files(config: &ServerConfig, start: &str) -> Vec<String> {
    let entries = fs::read_dir(config.store.data_dir.join("version-2")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(start)).collect();
    names.sort();
    names
}

#[test]
fn a_snapshot_comes_after_so_many_bytes_and_old_ones_go_at_intervals() {
    let folder = Folder::new("purge");
    let mut config = config(1, &members(0), folder.path());
    config.peer.limits.snap_size_limit = Some(2000);
    let grow = |server: &Server, rounds: std::ops::Range<u32>| {
        let mut session = open_when_served(server);
        rounds.for_each(|round| assert_eq!(session.create(&format!("/{round}"), &"x".repeat(1000)).unwrap(), 0));
    };
    let server = Server::boot(&config).unwrap();
    // One that would begin while the last one is still being written is left out.
    let mut rounds = 0;
    wait_for("six snapshots", || {
        grow(&server, rounds..rounds + 2);
        rounds += 2;
        (files(&config, "snapshot.").len() >= 6).then_some(())
    });
    assert_eq!(server.stop(), HaltReason::Stopped);
    let (snapshots, logs) = (files(&config, "snapshot."), files(&config, "log."));
    config.store.purge = Some(Purge { retain: 3, interval: zab::Duration::from_millis(300) });
    let server = Server::boot(&config).unwrap();
    wait_for("the purge at the start", || {
        let newest = files(&config, "snapshot.") == snapshots[snapshots.len() - 3..];
        (newest && files(&config, "log.").len() < logs.len()).then_some(())
    });
    grow(&server, rounds..rounds + 12);
    wait_for("the next purges", || (files(&config, "snapshot.").len() == 3).then_some(()));
    assert_eq!(server.stop(), HaltReason::Stopped);
    let server = Server::boot(&config).unwrap();
    let mut session = open_when_served(&server);
    (0..rounds + 12)
        .for_each(|round| assert!(session.data(&format!("/{round}")).unwrap().is_some(), "/{round} is there"));
}

/// ZooKeeper's servers refuse a log without a snapshot: a follower that has only ever logged must have one all the same.
#[test]
fn a_new_server_writes_down_that_it_has_nothing() {
    let folder = Folder::new("beginning");
    let mut config = config(1, &members(3), folder.path());
    let boot =
        |config: &ServerConfig| Server::boot(config).map(|server| assert_eq!(server.stop(), HaltReason::Stopped));
    config.store.beginning.new_if_empty = false;
    boot(&config).unwrap();
    assert!(files(&config, "snapshot.").is_empty(), "it may have lost everything");
    let initialize = config.store.data_dir.join("initialize");
    fs::write(&initialize, "").unwrap();
    boot(&config).unwrap();
    assert_eq!((files(&config, "snapshot."), initialize.exists()), (vec!["snapshot.0".to_owned()], false));
    boot(&config).unwrap();

    let version = config.store.data_dir.join("version-2");
    let mut log = b"ZKLG\0\0\0\x02\0\0\0\0\0\0\0\0".to_vec();
    let mut txn = vec![0; 36];
    txn[12..20].copy_from_slice(&0x1_0000_0001i64.to_be_bytes());
    txn[28..32].copy_from_slice(&(-1i32).to_be_bytes());
    encode_record(&txn, &mut log);
    fs::write(version.join("log.100000001"), log).unwrap();
    fs::remove_file(version.join("snapshot.0")).unwrap();
    let refused = boot(&config).unwrap_err().to_string();
    assert!(refused.contains("log.100000001") && refused.contains("snapshot.trust.empty"), "{refused}");
    config.store.beginning.trust_log = true;
    boot(&config).unwrap();
}

/// Not one write is lost by a `dataLogDir` that is new: who forgets to move the logs is told so.
#[test]
fn files_that_would_be_left_behind_keep_a_server_from_starting() {
    let folder = Folder::new("misplaced");
    let together = config(1, &members(0), folder.path());
    let server = Server::boot(&together).unwrap();
    assert_eq!(open_when_served(&server).create("/a", "logged").unwrap(), 0);
    assert_eq!(server.stop(), HaltReason::Stopped);

    let mut apart = together.clone();
    apart.store.log_dir = folder.path().join("logs");
    let refused = |config: &ServerConfig| match Server::boot(config) {
        Ok(_) => panic!("it starts without its files"),
        Err(error) => error.to_string(),
    };
    let logs = files(&together, "log.");
    let told = refused(&apart);
    assert!(told.contains(&logs[0]) && told.contains("move every log.*") && told.contains("`dataLogDir`"), "{told}");
    let (data, log) = (together.store.data_dir.join("version-2"), apart.store.log_dir.join("version-2"));
    logs.iter().for_each(|name| fs::rename(data.join(name), log.join(name)).unwrap());
    fs::copy(data.join("snapshot.0"), log.join("snapshot.0")).unwrap();
    let told = refused(&apart);
    assert!(told.contains("snapshot.0 is a snapshot") && told.contains("move every snapshot.*"), "{told}");
    fs::remove_file(log.join("snapshot.0")).unwrap();
    let server = Server::boot(&apart).unwrap();
    assert_eq!(open_when_served(&server).data("/a").unwrap().as_deref(), Some("logged"));
    assert_eq!(server.stop(), HaltReason::Stopped);

    // Two names of one folder are one folder, as before.
    let mut linked = apart.clone();
    linked.store.data_dir = folder.path().join("link");
    std::os::unix::fs::symlink(&apart.store.log_dir, &linked.store.data_dir).unwrap();
    fs::copy(data.join("snapshot.0"), log.join("snapshot.0")).unwrap();
    let server = Server::boot(&linked).unwrap();
    assert_eq!(open_when_served(&server).data("/a").unwrap().as_deref(), Some("logged"));
}

#[test]
fn a_leader_that_does_not_serve_leaves_clients_to_its_followers() {
    let folder = Folder::new("leader-serves");
    let everybody = members(3);
    let servers: Vec<Server> = (1..=3)
        .map(|sid| {
            let mut config = config(sid, &everybody, folder.path());
            config.quorum.leader_serves = false;
            Server::boot(&config).unwrap()
        })
        .collect();
    let is_leading = |server: &&Server| server.status().is_some_and(|it| it.state == PeerState::Leading);
    let leader = wait_for("a leader", || servers.iter().find(is_leading));
    let follower = servers.iter().find(|server| !is_leading(server)).unwrap();
    let mut session = open_when_served(follower);
    assert_eq!(session.create("/a", "by the follower").unwrap(), 0);
    assert!(Session::open(leader).is_err(), "it leads, and takes no clients");
}

#[test]
fn there_is_room_for_so_many_clients_in_all() {
    let folder = Folder::new("max-cnxns");
    let mut config = config(1, &members(0), folder.path());
    config.clients.max_connections_in_all = 2;
    let server = Server::boot(&config).unwrap();
    let _first = open_when_served(&server);
    let second = open_when_served(&server);
    assert!(Session::open(&server).is_err());
    drop(second);
    open_when_served(&server);
}

/// A host may have no IPv6; where it has, clients come by both.
#[test]
fn a_port_without_an_address_is_there_for_both_families() {
    let folder = Folder::new("families");
    let mut config = config(1, &members(0), folder.path());
    config.clients.address = Some(Address::new("0.0.0.0", 0));
    config.clients.max_connections = 1;
    let server = Server::boot(&config).unwrap();
    let port = server.client_address().unwrap().port();
    let at = |host: IpAddr| SocketAddr::new(host, port);
    let (four, six) = (at(Ipv4Addr::LOCALHOST.into()), at(Ipv6Addr::LOCALHOST.into()));
    let _four = wait_for("a server that serves", || Session::open_at(four, 10_000).ok());
    let seen = server.status().unwrap().connections.iter().map(|(_, it)| it.from.ip()).collect::<Vec<_>>();
    assert_eq!(seen, [four.ip()], "not as an address of IPv6 that stands for it");
    assert!(Session::open_at(four, 10_000).is_err(), "its address has one already");
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
        Session::open_at(six, 10_000).unwrap();
    }
}

#[test]
fn what_a_server_counts_is_set_back_when_it_is_told_to() {
    let folder = Folder::new("counters");
    let server = Server::boot(&config(1, &members(0), folder.path())).unwrap();
    let mut session = open_when_served(&server);
    assert_eq!(session.create("/a", "data").unwrap(), 0);
    let status = server.status().unwrap();
    assert!(status.tally.updates.summary.count >= 2 && status.tally.proposals.last > 0, "a session and a node");
    assert!(status.tally.disk.syncs.count >= 2 && status.tally.commits >= 2);
    assert_eq!(
        i64::try_from(status.tally.response_bytes),
        Ok(status.tally.responses.last),
        "of the node, not of the greeting"
    );
    let answers =
        |server: &Server| server.status().unwrap().connections.iter().map(|(_, it)| it.latency.count).sum::<u64>();
    assert_eq!(answers(&server), 2);
    server.desk().reset(Reset::Connections);
    server.desk().reset(Reset::Server);
    assert_eq!(answers(&server), 0);
    let status = server.status().unwrap();
    assert_eq!((status.counters, status.tally.updates.summary.count), (Counters::default(), 0));
    assert_eq!((status.tally.proposals.last, status.tally.disk.syncs.count), (-1, 0));
    session.ask(&Request::Ping).unwrap();
    let Tally { reads, updates, response_bytes, bytes_received, .. } = server.status().unwrap().tally;
    assert_eq!((reads.summary.count, updates.summary.count), (1, 0), "a request is no greeting");
    assert_eq!(
        (bytes_received, response_bytes),
        (4 + 8, 0),
        "a length, an xid, an operation; and no answer that counts"
    );
}

/// ZooKeeper writes a snapshot while its tree changes: what it holds may be later than its name, up to the txn that its digest
/// is of. Until that is applied again, no txn's digest is that of the tree.
#[test]
fn a_snapshot_that_is_later_than_its_name_is_compared_at_its_digest() {
    let folder = Folder::new("fuzzy");
    let config = config(1, &members(0), folder.path());
    let mismatches = |server: &Server| server.status().unwrap().census.tree.digest_mismatches;
    let server = Server::boot(&config).unwrap();
    let mut session = open_when_served(&server);
    ["/a", "/b", "/c"].iter().for_each(|path| assert_eq!(session.create(path, "data").unwrap(), 0));
    assert_eq!(server.stop(), HaltReason::Stopped);
    let server = Server::boot(&config).unwrap();
    let newest = "snapshot.100000004";
    wait_for("a snapshot of the restarted server", || files(&config, newest).pop());
    assert_eq!(mismatches(&server), 0);
    assert_eq!(server.stop(), HaltReason::Stopped);

    let version = config.store.data_dir.join("version-2");
    fs::rename(version.join(newest), version.join("snapshot.100000002")).unwrap();
    let server = Server::boot(&config).unwrap();
    assert_eq!(mismatches(&server), 0, "/c was there when /b was created, and that is as it should be");
    assert_eq!(open_when_served(&server).data("/c").unwrap().as_deref(), Some("data"));
}
