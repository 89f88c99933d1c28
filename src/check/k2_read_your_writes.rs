//! K2, read your writes, and FIFO order of one client: the state behind an answer contains every write of the client that was
//! acknowledged to it, the answered one included, and what was contained once stays so. A write with an unknown outcome may be
//! contained or not.

use super::{Property, Sink};
use crate::sim::{Node, Op};

#[derive(Clone, Copy, Debug, Default)]
struct Session {
    /// The largest serial that must be contained.
    must: u32,
    /// The largest serial of a write that was sent.
    sent: u32,
}

/// What each client knows to be contained.
#[derive(Clone, Debug)]
pub struct ReadYourWrites {
    sessions: Vec<Session>,
}

impl ReadYourWrites {
    /// Of so many clients.
    pub fn new(clients: usize) -> ReadYourWrites {
        ReadYourWrites { sessions: vec![Session::default(); clients] }
    }

    /// A client sent an operation.
    pub fn on_invoked(&mut self, client: u8, op: Op, serial: u32) {
        if op == Op::Write {
            self.sessions[usize::from(client)].sent = serial;
        }
    }

    /// A server answered from a state whose last write of the client is `seen`.
    pub fn on_replied(&mut self, client: u8, server: Node, op: Op, serial: u32, seen: u32, out: &mut Sink) {
        let session = &mut self.sessions[usize::from(client)];
        if op == Op::Write {
            session.must = session.must.max(serial);
        }
        let (must, sent) = (session.must, session.sent);
        session.must = must.max(seen.min(sent));
        out.check(Property::K2, (must..=sent.max(must)).contains(&seen), [server], || {
            let expected = format!("the writes of client {client} up to number {must}, and none after {sent}");
            (expected, format!("{server} answers operation {serial} with those up to {seen}"))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{fires, p};
    use crate::sim::Op;

    #[test]
    fn a_read_without_the_clients_own_write_is_noticed() {
        fires(Property::K2, |story| {
            story.invoked(0, p(1), Op::Read, 3);
            story.replied(0, p(1), Op::Read, 3, (1, 2), 1);
        });
    }

    #[test]
    fn what_an_answer_contained_stays_contained() {
        fires(Property::K2, |story| {
            story.invoked(0, p(1), Op::Write, 3);
            story.invoked(0, p(1), Op::Read, 4);
            story.replied(0, p(1), Op::Read, 4, (1, 2), 3);
            story.replied(0, p(1), Op::Read, 4, (1, 2), 2);
        });
    }

    #[test]
    fn an_answer_without_the_very_write_it_answers_is_noticed() {
        fires(Property::K2, |story| {
            story.invoked(2, p(1), Op::Write, 3);
            story.replied(2, p(1), Op::Write, 3, (1, 2), 0);
        });
    }

    #[test]
    fn a_write_that_was_never_sent_is_noticed() {
        fires(Property::K2, |story| {
            story.invoked(0, p(1), Op::Read, 3);
            story.replied(0, p(1), Op::Read, 3, (1, 2), 3);
        });
    }
}
