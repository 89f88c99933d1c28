//! The smallest service with clients: an agreed list of numbers. A client writes one with `w`, and reads all with `r`. With
//! `e` it asks for so many events of a million bytes.

use std::collections::BTreeSet;

use zabsim::replica::{Ask, Asks, Service};
use zabsim::server::report::Surveyed;
use zabsim::zab::{Epoch, Instant, Payload, PeerState, Rejected, Sid, Txn, Zxid};
use zabsim::zk::model::SessionId;
use zabsim::zk::service::{Answer, Call, ConnId};
use zabsim::zk::wire::Forwarded;

/// Its txns are ZooKeeper's error txns, whose body is one number: header (session, cxid, zxid, time, type), then the number.
const ERROR: i32 = -1;

#[derive(Clone, Debug)]
pub struct Tiny {
    sid: Sid,
    list: Vec<i32>,
    is_serving: bool,
    open: BTreeSet<ConnId>,
}

impl Tiny {
    pub fn new(sid: Sid) -> Tiny {
        Tiny { sid, list: Vec::new(), is_serving: false, open: BTreeSet::new() }
    }

    fn answer(&self, conn: ConnId, number: Option<i32>, asks: &mut Asks<Tiny>) {
        // A reply header's place: an xid that is no watch event's.
        let mut bytes = 0i32.to_be_bytes().to_vec();
        match number {
            Some(number) => bytes.extend(number.to_be_bytes()),
            None => self.list.iter().for_each(|number| bytes.extend(number.to_be_bytes())),
        }
        asks.push(Ask::Answer(Answer::Frame { conn, bytes }));
    }
}

/// A request names the connection of its client as its session, and the number as its cxid.
fn request(conn: ConnId, number: i32) -> Payload {
    let session = SessionId(conn.0 as i64);
    Forwarded { session, cxid: number, op: ERROR, record: &[], auth: Vec::new() }.to_payload()
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn int(bytes: &[u8], at: usize) -> i32 {
    i32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

impl Surveyed for Tiny {}

impl Service for Tiny {
    type Effect = ();
    type Call = Call;
    type Answer = Answer;
    type Image = Vec<Payload>;

    fn prepare(&mut self, _: Instant, zxid: Zxid, from: Sid, request: &Payload) -> Payload {
        let Forwarded { session, cxid: number, .. } = Forwarded::read(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        bytes.extend(session.0.to_be_bytes());
        bytes.extend(number.to_be_bytes());
        bytes.extend(zxid.0.to_be_bytes());
        // The place of the time says whose client it was.
        bytes.extend(from.0.to_be_bytes());
        bytes.extend(ERROR.to_be_bytes());
        bytes.extend(number.to_be_bytes());
        Payload::new(&bytes)
    }

    /// A release that does not know negative numbers, though it writes them when a client says so.
    fn check(txn: &Txn) -> Result<(), String> {
        let number = int(txn.payload.as_bytes(), 32);
        if number < 0 { Err(format!("{number} is negative")) } else { Ok(()) }
    }

    fn apply(&mut self, _: Instant, txn: &Txn, committed: bool, asks: &mut Asks<Tiny>) {
        let bytes = txn.payload.as_bytes();
        let (conn, from, number) = (ConnId(long(bytes, 0)), long(bytes, 20), int(bytes, 32));
        self.list.push(number);
        if committed && from == self.sid.0 as u64 && self.open.contains(&conn) {
            self.answer(conn, Some(number), asks);
        }
    }

    fn serve(&mut self, _: Instant, serving: Option<PeerState>, _: Epoch, _: Option<Sid>, asks: &mut Asks<Tiny>) {
        self.is_serving = serving.is_some();
        if !self.is_serving {
            asks.extend(std::mem::take(&mut self.open).into_iter().map(|conn| Ask::Answer(Answer::Close { conn })));
        }
    }

    fn call(&mut self, _: Instant, call: Call, asks: &mut Asks<Tiny>) {
        match call {
            Call::Connected { conn, .. } => drop(self.open.insert(conn)),
            Call::Alive { .. } => {}
            Call::Closed { conn } => drop(self.open.remove(&conn)),
            Call::Frame { conn, bytes } => match bytes.first() {
                Some(b'w') if self.is_serving => asks.push(Ask::Submit(request(conn, int(&bytes, 1)))),
                Some(b'r') if self.is_serving => self.answer(conn, None, asks),
                Some(b'e') if self.is_serving => {
                    let event = || Answer::Frame { conn, bytes: vec![0xff; 1_000_000] };
                    asks.extend((0..int(&bytes, 1)).map(|_| Ask::Answer(event())));
                    self.answer(conn, None, asks);
                }
                _ => {
                    self.open.remove(&conn);
                    asks.push(Ask::Answer(Answer::Close { conn }));
                }
            },
        }
    }

    fn rejected(&mut self, _: Instant, _: &Rejected, asks: &mut Asks<Tiny>) {
        asks.extend(std::mem::take(&mut self.open).into_iter().map(|conn| Ask::Answer(Answer::Close { conn })));
    }

    /// As ZooKeeper writes a snapshot, with a session for each number, no ACL and no node.
    fn freeze(&self) -> Vec<Payload> {
        let mut bytes = (self.list.len() as i32).to_be_bytes().to_vec();
        for (index, number) in self.list.iter().enumerate() {
            bytes.extend((index as i64).to_be_bytes());
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(0i32.to_be_bytes());
        bytes.extend(b"\0\0\0\x01/");
        bytes.chunks(7).map(Payload::new).collect()
    }

    fn restore(&mut self, _: Zxid, pieces: &[&[u8]]) -> Result<(), String> {
        let bytes = pieces.concat();
        self.list = (0..int(&bytes, 0) as usize).map(|index| int(&bytes, 4 + index * 12 + 8)).collect();
        Ok(())
    }

    fn digest(&self) -> u64 {
        self.list.len() as u64
    }
}
