//! Which requests an operation is made of. Every write leaves its serial in the client's own node; beside that, clients make
//! and delete ephemerals, compare and set what they share, append to a queue and take from it, watch, and end their sessions.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::sim::{Op, Znode};
use crate::zab::Payload;
use crate::zk::model::{Acl, Create, CreateKind, CreateMode, ErrorCode, MultiOp, Request};

/// A request that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) purpose: Purpose,
    /// The operation that its answer answers.
    pub(super) answers: Option<u32>,
    /// Whether it asks for a watch.
    pub(super) watches: bool,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A write with the client's serial.
    Write(Write),
    Exists(Znode),
    Data(Znode),
    Items,
    Sync,
    SetWatches,
    /// Nothing hangs on its answer.
    Other,
}

/// How the serial gets into the client's node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Write {
    Set,
    Create,
    /// With something else, all or nothing.
    Multi,
}

impl Asked {
    /// A request beside the operation.
    pub(super) fn side(purpose: Purpose) -> Asked {
        Asked { purpose, answers: None, watches: false }
    }
}

/// What a client does, drawn from its number and the serial of the operation.
#[derive(Clone, Debug)]
pub(super) struct Script {
    client: u8,
    /// Whether it has seen to it that there is something to share.
    has_begun: bool,
    /// The version of what is shared, when it was seen last.
    shared: i32,
    /// The first item of the queue, when it was seen last.
    first: Option<u32>,
}

impl Script {
    pub(super) fn new(client: u8) -> Script {
        Script { client, has_begun: false, shared: 0, first: None }
    }

    pub(super) fn on_connection_lost(&mut self) {
        self.has_begun = false;
    }

    pub(super) fn on_session_over(&mut self) {
        self.first = None;
    }

    pub(super) fn on_shared(&mut self, version: i32) {
        self.shared = version;
    }

    pub(super) fn on_items(&mut self, first: Option<u32>) {
        self.first = first;
    }

    fn draw(&self, serial: u32, of: u64) -> u64 {
        xxh3_64_with_seed(&serial.to_le_bytes(), u64::from(self.client) << 8 | of)
    }

    /// The requests of an operation, sent without waiting for answers.
    pub(super) fn begin(&mut self, op: Op, serial: u32) -> Vec<(Request, Asked)> {
        let mut requests = Vec::new();
        if !std::mem::replace(&mut self.has_begun, true) {
            for znode in [Znode::Shared, Znode::Queue] {
                let create = create(znode.to_string(), CreateMode::Persistent, 0);
                requests.push((Request::Create(create), Asked::side(Purpose::Other)));
            }
        }
        let own = Znode::Own(self.client);
        let read_own = (get_data(own, false), Asked::side(Purpose::Data(own)));
        match op {
            Op::Write => {
                let (request, write) = self.write(serial);
                let asked = Asked { answers: Some(serial), ..Asked::side(Purpose::Write(write)) };
                // What is read behind a write in the same breath shows it.
                requests.extend([(request, asked), read_own]);
            }
            Op::Read | Op::Sync => {
                if op == Op::Sync {
                    requests.push((Request::Sync { path: own.to_string() }, Asked::side(Purpose::Sync)));
                }
                let (request, asked) = read_own;
                requests.push((request, Asked { answers: Some(serial), ..asked }));
                requests.push(self.look(serial));
            }
        }
        requests
    }

    /// A look at something that others change, often with a watch.
    fn look(&self, serial: u32) -> (Request, Asked) {
        let draw = self.draw(serial, 1);
        let watch = draw & 3 > 0;
        let (request, purpose) = match draw >> 2 & 3 {
            0 => (get_data(Znode::Shared, watch), Purpose::Data(Znode::Shared)),
            1 => (Request::GetChildren { path: Znode::Queue.to_string(), watch }, Purpose::Items),
            _ => {
                let znode = Znode::Ephemeral((draw >> 8 & 3) as u8);
                (Request::Exists { path: znode.to_string(), watch }, Purpose::Exists(znode))
            }
        };
        (request, Asked { watches: watch, ..Asked::side(purpose) })
    }

    fn write(&self, serial: u32) -> (Request, Write) {
        let shared = || Znode::Shared.to_string();
        let set_shared = MultiOp::SetData { path: shared(), data: Some(data(serial)), version: -1 };
        let other = match self.draw(serial, 2) % 10 {
            0 | 1 => {
                let path = Znode::Ephemeral(self.client & 3).to_string();
                vec![MultiOp::Create(create(path, CreateMode::Ephemeral, serial))]
            }
            2 => vec![MultiOp::Delete { path: Znode::Ephemeral(self.client & 3).to_string(), version: -1 }],
            3 => vec![set_shared],
            4 => vec![MultiOp::Check { path: shared(), version: self.shared }, set_shared],
            5 => vec![MultiOp::Create(create(Znode::ITEM.into(), CreateMode::PersistentSequential, serial))],
            6 => match self.first {
                Some(item) => vec![MultiOp::Delete { path: Znode::Item(item).to_string(), version: -1 }],
                None => Vec::new(),
            },
            _ => Vec::new(),
        };
        if other.is_empty() {
            return (self.set(serial), Write::Set);
        }
        let path = Znode::Own(self.client).to_string();
        let mut ops = vec![MultiOp::SetData { path, data: Some(data(serial)), version: -1 }];
        ops.extend(other);
        (Request::Multi(ops), Write::Multi)
    }

    fn set(&self, serial: u32) -> Request {
        Request::SetData { path: Znode::Own(self.client).to_string(), data: Some(data(serial)), version: -1 }
    }

    /// What to try next where a write was refused.
    pub(super) fn on_answer(&mut self, asked: &Asked, outcome: Result<(), ErrorCode>) -> Option<(Request, Asked)> {
        let (Purpose::Write(write), Some(serial), Err(error)) = (asked.purpose, asked.answers, outcome) else {
            return None;
        };
        let (request, next) = match (write, error) {
            (Write::Set, ErrorCode::NoNode) => {
                let path = Znode::Own(self.client).to_string();
                (Request::Create(create(path, CreateMode::Persistent, serial)), Write::Create)
            }
            (Write::Create, ErrorCode::NodeExists) | (Write::Multi, _) => (self.set(serial), Write::Set),
            // The session is over.
            _ => return None,
        };
        Some((request, Asked { purpose: Purpose::Write(next), ..*asked }))
    }

    /// What follows an operation that is done: now and then, the end of the session.
    pub(super) fn after(&self, serial: u32) -> Option<(Request, Asked)> {
        self.draw(serial, 3).is_multiple_of(40).then(|| (Request::CloseSession, Asked::side(Purpose::Other)))
    }
}

fn get_data(znode: Znode, watch: bool) -> Request {
    Request::GetData { path: znode.to_string(), watch }
}

fn data(serial: u32) -> Payload {
    Payload::new(&serial.to_be_bytes())
}

fn create(path: String, mode: CreateMode, serial: u32) -> Create {
    let (kind, acl) = (CreateKind::Create, Some(vec![Acl::open()]));
    Create { kind, path, data: Some(data(serial)), acl, flags: mode as i32, ttl: -1 }
}
