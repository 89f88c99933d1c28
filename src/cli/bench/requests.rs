//! What connections ask for.

use std::ops::Range;
use std::time::Instant;

use crate::zab::Payload;
use crate::zk::model::{Acl, Create, CreateKind, CreateMode, Request};

/// The node under which every connection has one of its own, for as long as the load lasts.
const PARENT: &str = "/zabsim-bench";
/// The node under which those are that stay.
const FILLED: &str = "/zabsim-fill";
/// How many of them are children of one node.
const CHILDREN: u32 = 1000;

/// The requests of one connection, in order.
pub(super) trait Requests {
    /// What to ask at `now`, if anything more.
    fn next(&mut self, now: Instant) -> Option<&Request>;

    /// Whether an answer at `now` counts.
    fn counts(&self, now: Instant) -> bool;
}

/// Sets and reads one node until the time is over.
pub(super) struct Steady {
    write: Request,
    read: Request,
    /// How many of a hundred requests read.
    reads: u64,
    count: u64,
    /// What is answered before does not count.
    from: Instant,
    until: Instant,
}

impl Steady {
    pub(super) fn new(path: &str, payload: &Payload, reads: u8, from: Instant, until: Instant) -> Steady {
        let write = Request::SetData { path: path.to_owned(), data: Some(payload.clone()), version: -1 };
        let read = Request::GetData { path: path.to_owned(), watch: false };
        Steady { write, read, reads: reads.into(), count: 0, from, until }
    }
}

impl Requests for Steady {
    fn next(&mut self, now: Instant) -> Option<&Request> {
        if now >= self.until {
            return None;
        }
        self.count += 1;
        // Spread evenly, not drawn: two runs do the same.
        let is_read = self.count * self.reads / 100 > (self.count - 1) * self.reads / 100;
        Some(if is_read { &self.read } else { &self.write })
    }

    fn counts(&self, now: Instant) -> bool {
        now >= self.from && now < self.until
    }
}

/// Creates nodes.
pub(super) struct Fill {
    /// Which are still to be created.
    numbers: Range<u32>,
    payload: Payload,
    request: Request,
}

impl Fill {
    pub(super) fn new(numbers: Range<u32>, payload: &Payload) -> Fill {
        Fill { numbers, payload: payload.clone(), request: Request::Ping }
    }

    /// The nodes that must be there before any of `count` others.
    pub(super) fn parents(count: u32) -> impl Iterator<Item = Request> {
        let inner = (0..count.div_ceil(CHILDREN)).map(|number| format!("{FILLED}/{number}"));
        std::iter::once(FILLED.to_owned())
            .chain(inner)
            .map(|path| create(path, &Payload::EMPTY, CreateMode::Persistent))
    }
}

impl Requests for Fill {
    fn next(&mut self, _: Instant) -> Option<&Request> {
        let number = self.numbers.next()?;
        let path = format!("{FILLED}/{}/{number}", number / CHILDREN);
        self.request = create(path, &self.payload, CreateMode::Persistent);
        Some(&self.request)
    }

    fn counts(&self, _: Instant) -> bool {
        true
    }
}

/// Makes the node of connection `number`, and what it is in.
pub(super) fn enter(number: usize, payload: &Payload) -> (String, [Request; 2]) {
    let path = format!("{PARENT}/{number}");
    let parent = create(PARENT.to_owned(), payload, CreateMode::Persistent);
    let own = create(path.clone(), payload, CreateMode::Ephemeral);
    (path, [parent, own])
}

/// Leaves nothing behind once the last one is gone.
pub(super) fn leave(path: &str) -> [Request; 2] {
    [path, PARENT].map(|path| Request::Delete { path: path.to_owned(), version: -1 })
}

fn create(path: String, payload: &Payload, mode: CreateMode) -> Request {
    let (data, acl) = (Some(payload.clone()), Some(vec![Acl::open()]));
    Request::Create(Create { kind: CreateKind::Create, path, data, acl, flags: mode as i32, ttl: 0 })
}
