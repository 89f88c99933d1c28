//! Whole servers: the tree of ZooKeeper behind real ports.

use std::io;

use zabsim::server::Server;
use zabsim::zab::{HaltReason, Payload};
use zabsim::zk::model::{Acl, ConnectRequest, Create, CreateKind, Reply, Request, Response, SessionId};
use zabsim::zk::wire;

use crate::support::{Client, Folder, config, members, wait_for};

/// A session on one connection.
struct Session {
    client: Client,
    xid: i32,
}

impl Session {
    fn open(server: &Server) -> io::Result<Session> {
        let mut client = Client::connect(server.client_address().expect("a client port"))?;
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: 0,
            timeout: 10_000,
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

    fn ask(&mut self, request: &Request) -> io::Result<Reply> {
        self.xid += 1;
        let mut bytes = Vec::new();
        wire::encode_request(self.xid, request, &mut bytes);
        self.client.send(&bytes)?;
        let reply = wire::decode_reply(request.op(), &self.client.receive_frame()?).unwrap();
        assert_eq!(reply.xid, self.xid);
        Ok(reply)
    }

    fn create(&mut self, path: &str, data: &str) -> io::Result<i32> {
        let data = Some(Payload::new(data.as_bytes()));
        let create = Create {
            kind: CreateKind::Create,
            path: path.to_owned(),
            data,
            acl: Some(vec![Acl::open()]),
            flags: 0,
            ttl: -1,
        };
        self.ask(&Request::Create(create)).map(|reply| reply.error)
    }

    /// What a node holds, after everything that was committed before.
    fn data(&mut self, path: &str) -> io::Result<Option<String>> {
        assert_eq!(self.ask(&Request::Sync { path: path.to_owned() })?.error, 0);
        let reply = self.ask(&Request::GetData { path: path.to_owned(), watch: false })?;
        Ok(match reply.response {
            Some(Response::Data { data, .. }) => data.map(|data| String::from_utf8(data.as_bytes().to_vec()).unwrap()),
            _ => None,
        })
    }
}

fn open_when_served(server: &Server) -> Session {
    wait_for("a server that serves", || Session::open(server).ok())
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
