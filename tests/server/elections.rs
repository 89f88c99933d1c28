//! The election port, with a peer made by hand at its other end.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

use zabsim::server::config::{Address, Member};
use zabsim::zab::Sid;

use crate::support::{Folder, PATIENCE, config, members, start, wait_for};

/// The election connection of a hand-made peer.
struct Wire(TcpStream);

impl Wire {
    fn dial(address: &Address) -> Wire {
        Wire::over(TcpStream::connect((address.host.as_str(), address.port)).unwrap())
    }

    fn over(stream: TcpStream) -> Wire {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Wire(stream)
    }

    fn say_hello(&mut self, as_member: &Member) {
        let address = as_member.election.to_string();
        let mut hello = (-65536i64).to_be_bytes().to_vec();
        hello.extend(as_member.sid.0.to_be_bytes());
        hello.extend((address.len() as u32).to_be_bytes());
        hello.extend(address.as_bytes());
        self.0.write_all(&hello).unwrap();
    }

    fn hear_hello(&mut self) -> i64 {
        let mut start = [0; 20];
        self.0.read_exact(&mut start).unwrap();
        assert_eq!(start[..8], (-65536i64).to_be_bytes());
        let mut address = vec![0; u32::from_be_bytes(start[16..].try_into().unwrap()) as usize];
        self.0.read_exact(&mut address).unwrap();
        i64::from_be_bytes(start[8..16].try_into().unwrap())
    }

    /// The state and the leader of the next notification, and the configuration it carries.
    fn hear_notification(&mut self) -> (i32, i64, String) {
        let mut length = [0; 4];
        self.0.read_exact(&mut length).unwrap();
        let mut body = vec![0; u32::from_be_bytes(length) as usize];
        self.0.read_exact(&mut body).unwrap();
        let state = i32::from_be_bytes(body[..4].try_into().unwrap());
        let leader = i64::from_be_bytes(body[4..12].try_into().unwrap());
        assert_eq!(body[36..40], 2i32.to_be_bytes(), "the version that carries a configuration");
        (state, leader, String::from_utf8(body[44..].to_vec()).unwrap())
    }

    /// A LOOKING vote of `sid` for itself.
    fn vote(&mut self, sid: i64) -> io::Result<()> {
        let mut body = 0i32.to_be_bytes().to_vec();
        [sid, 0, 1, 0].iter().for_each(|number| body.extend(number.to_be_bytes()));
        body.extend(2i32.to_be_bytes());
        body.extend(0i32.to_be_bytes());
        self.0.write_all(&(body.len() as u32).to_be_bytes())?;
        self.0.write_all(&body)
    }

    fn is_closed(&mut self) -> bool {
        self.0.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        match self.0.read(&mut [0]) {
            Ok(count) => count == 0,
            Err(error) => !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
        }
    }
}

fn listen(member: &Member) -> TcpListener {
    TcpListener::bind((member.election.host.as_str(), member.election.port)).unwrap()
}

#[test]
fn the_larger_sid_calls_back_and_says_again_what_may_have_been_lost() {
    let folder = Folder::new("call-back");
    let everybody = members(3);
    let small = listen(&everybody[0]);
    let server = start(&config(2, &everybody, folder.path()));

    // Two dials one and keeps the connection: it is the larger.
    let mut kept = Wire::over(small.accept().unwrap().0);
    assert_eq!(kept.hear_hello(), 2);
    let (state, leader, text) = kept.hear_notification();
    assert_eq!((state, leader), (0, 2), "it proposes itself");
    assert!(text.starts_with("server.1=127.0.0.1:") && text.ends_with("\nversion=0"), "{text}");

    // One dials as well: its hello is a request to be called back, and the first connection is given up.
    let mut request = Wire::dial(&everybody[1].election);
    request.say_hello(&everybody[0]);
    assert!(request.is_closed());
    let mut again = Wire::over(small.accept().unwrap().0);
    assert_eq!(again.hear_hello(), 2);
    assert_eq!(again.hear_notification(), (0, 2, text), "nothing new: the last one once more");
    drop(server);
}

#[test]
fn the_smaller_sid_closes_what_it_dialled_and_keeps_what_it_accepted() {
    let folder = Folder::new("called-back");
    let everybody = members(3);
    let large = listen(&everybody[2]);
    let server = start(&config(2, &everybody, folder.path()));

    let mut request = Wire::over(large.accept().unwrap().0);
    assert_eq!(request.hear_hello(), 2);
    assert!(request.is_closed(), "a hello and no more");

    let mut kept = Wire::dial(&everybody[1].election);
    kept.say_hello(&everybody[2]);
    let (state, leader, _) = kept.hear_notification();
    assert_eq!((state, leader), (0, 2), "what waited in the mailbox");
    kept.vote(3).unwrap();
    let adopted = std::iter::repeat_with(|| kept.hear_notification()).find(|&(_, leader, _)| leader == 3);
    assert!(adopted.is_some(), "it follows the larger sid's vote, on the same connection");

    // A second connection replaces the first, and hears the last vote again.
    let mut second = Wire::dial(&everybody[1].election);
    second.say_hello(&everybody[2]);
    assert_eq!(second.hear_notification().1, 3);
    drop(server);
}

#[test]
fn who_says_hello_wrongly_is_shown_the_door() {
    let folder = Folder::new("no-hello");
    let everybody = members(3);
    let server = start(&config(2, &everybody, folder.path()));
    let mut stranger = Wire::dial(&everybody[1].election);
    stranger.0.write_all(&(-7i64).to_be_bytes()).unwrap();
    assert!(stranger.is_closed());
    let mut impostor = Wire::dial(&everybody[1].election);
    impostor.say_hello(&everybody[1]);
    assert!(impostor.is_closed(), "a second server with our sid");
    drop(server);
}

#[test]
fn servers_that_are_no_members_leave_room_for_the_next_ones() {
    let folder = Folder::new("strangers");
    let everybody = members(3);
    let server = start(&config(2, &everybody, folder.path()));
    let connect = |sid: i64| {
        let mut wire = Wire::dial(&everybody[1].election);
        wire.say_hello(&Member { sid: Sid(sid), ..everybody[0].clone() });
        wire.vote(sid).and_then(|()| wire.0.read_exact(&mut [0; 4])).map(|()| wire)
    };
    let crowd: Vec<Wire> = (100..164).map(|sid| connect(sid).unwrap()).collect();
    assert!(connect(200).is_err(), "there are as many as there may be");
    drop(crowd);
    wait_for("an answer for an observer that is not listed", || connect(200).ok());
    drop(server);
}
