//! Servers on the loopback, and the other end of their ports.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use zabsim::server::config::{
    Address, AdminOptions, ClientOptions, Member, QuorumOptions, ServerConfig, StoreOptions, TreeOptions, Whitelist,
};
use zabsim::server::report::Detail;
use zabsim::server::{Desk, Reply, Server, Words};
use zabsim::zab::{self, Config, Ensemble, Limits, MemberRole, Sid};
use zabsim::zk::service::tree::due::Sweep;
use zabsim::zk::store::Beginning;
use zabsim::zk::wire::Dialect;

use crate::tiny::Tiny;

/// Longer than anything here takes, on any machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A folder that goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A port that nobody else has: bound once, so that it is free, and below those the system gives away.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let offset = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + ((std::process::id() as u16 % 400) * 50 + offset) % 20_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// Members `1..=n` with ports of their own.
pub fn members(n: i64) -> Vec<Member> {
    let address = || Address::new("127.0.0.1", free_port());
    let member = |sid| Member {
        sid: Sid(sid),
        quorum: address(),
        election: address(),
        role: MemberRole::Participant,
        client: None,
    };
    (1..=n).map(member).collect()
}

/// Answers `ruok` with the server's role.
pub struct OneWord;

impl Words for OneWord {
    fn answer<'a>(&'a self, word: [u8; 4], desk: &'a Desk) -> Option<Reply<'a>> {
        (word == *b"ruok").then(|| -> Reply<'a> {
            Box::pin(async {
                format!("{:?}", desk.status(Detail::Numbers).await.map(|status| status.state)).into_bytes()
            })
        })
    }
}

/// The server `sid`, with its data in `folder`; without members it stands alone.
pub fn config(sid: i64, members: &[Member], folder: &Path) -> ServerConfig {
    let participants = members.iter().map(|member| (member.sid, member.role));
    let ensemble = Ensemble::majority(participants.chain([(Sid(sid), MemberRole::Participant)])).unwrap();
    let lines = members.iter().map(|member| format!("server.{}={member}\n", member.sid.0));
    let folder = folder.join(sid.to_string());
    ServerConfig {
        peer: Config::new(Sid(sid), ensemble, Limits::default()).unwrap(),
        standalone: members.is_empty(),
        members: members.to_vec(),
        text: lines.chain(["version=0".to_owned()]).collect(),
        quorum: QuorumOptions { listen_on_all_ips: false, leader_serves: true },
        clients: ClientOptions {
            address: Some(Address::new("127.0.0.1", 0)),
            max_connections: 60,
            max_connections_in_all: 0,
            min_session_timeout: zab::Duration::from_secs(4),
            max_session_timeout: zab::Duration::from_secs(40),
            max_buffer: 1 << 20,
            outstanding_limit: 1000,
        },
        tree: TreeOptions {
            skip_acl: false,
            super_digest: None,
            extended_types: false,
            enforce_quota: false,
            digest: true,
            sweep_interval: zab::Duration::from_secs(60),
            sweep: Sweep::default(),
            dialect: Dialect::V39,
        },
        store: StoreOptions {
            data_dir: folder.clone(),
            log_dir: folder,
            preallocate: 64 << 10,
            force_sync: true,
            slow_sync: zab::Duration::from_secs(1),
            purge: None,
            beginning: Beginning::DEFAULT,
        },
        admin: AdminOptions { address: None, metrics: None, words: Whitelist::All },
    }
}

pub fn start(config: &ServerConfig) -> Server {
    let sid = config.peer.sid;
    Server::start(config, Arc::new(OneWord), move || Tiny::new(sid)).unwrap()
}

/// Looks again and again until `look` sees something.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(start.elapsed() < PATIENCE, "waited too long for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A client of a [`Tiny`] service.
pub struct Client(TcpStream);

impl Client {
    pub fn connect(to: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect(to)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Client(stream))
    }

    /// The other end has nothing more to say.
    pub fn is_closed(&mut self) -> bool {
        self.0.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        match self.0.read(&mut [0]) {
            Ok(count) => count == 0,
            Err(error) => !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
        }
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// Sends a frame again and again, until nothing more can be sent for a while or `most` bytes are. Returns how many were.
    pub fn send_until_stuck(&mut self, frame: &[u8], most: usize) -> usize {
        let mut bytes = Vec::new();
        while bytes.len() < 1 << 16 {
            bytes.extend((frame.len() as u32).to_be_bytes());
            bytes.extend(frame);
        }
        self.0.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
        let mut sent = 0;
        while sent < most {
            match self.0.write(&bytes[sent % bytes.len()..]) {
                Ok(count) => sent += count,
                Err(_) => break,
            }
        }
        sent
    }

    pub fn read_to_end(&mut self) -> String {
        let mut text = String::new();
        self.0.read_to_string(&mut text).unwrap();
        text
    }

    pub fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        let mut bytes = (frame.len() as u32).to_be_bytes().to_vec();
        bytes.extend_from_slice(frame);
        self.0.write_all(&bytes)
    }

    pub fn receive_frame(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 4];
        self.0.read_exact(&mut length)?;
        let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// The numbers of one answer.
    pub fn receive(&mut self) -> io::Result<Vec<i32>> {
        let bytes = self.receive_frame()?;
        Ok(bytes[4..].chunks(4).map(|number| i32::from_be_bytes(number.try_into().unwrap())).collect())
    }

    pub fn send_number(&mut self, number: i32) -> io::Result<()> {
        let mut frame = vec![b'w'];
        frame.extend(number.to_be_bytes());
        self.send(&frame)
    }

    pub fn write(&mut self, number: i32) -> io::Result<()> {
        self.send_number(number)?;
        assert_eq!(self.receive()?, [number]);
        Ok(())
    }

    pub fn read(&mut self) -> io::Result<Vec<i32>> {
        self.send(b"read")?;
        self.receive()
    }
}

/// Writes once the server serves.
pub fn write_when_served(server: &Server, number: i32) -> Client {
    wait_for("a server that serves", || {
        let mut client = Client::connect(server.client_address()?).ok()?;
        client.write(number).ok()?;
        Some(client)
    })
}
