//! A client: one session that moves between servers and does one thing at a time.

use super::{Node, Op};
use crate::zab::Zxid;

/// A client's session.
#[derive(Clone, Debug, Default)]
pub struct Client {
    pub(super) server: Option<Node>,
    pub(super) pending: Option<(Op, u32)>,
    /// The serial of its last operation.
    pub(super) serial: u32,
    /// The last txn that any answer to it contained.
    pub(super) seen: Zxid,
    /// The serial of its last write that was answered.
    pub(super) last_write: u32,
}

impl Client {
    /// Where its session is.
    pub fn server(&self) -> Option<Node> {
        self.server
    }

    /// The operation it waits for.
    pub fn pending(&self) -> Option<(Op, u32)> {
        self.pending
    }

    /// The serial of its last operation, 0 before the first.
    pub fn serial(&self) -> u32 {
        self.serial
    }

    /// The last zxid that its session has seen: it refuses a server that is behind.
    pub fn last_seen(&self) -> Zxid {
        self.seen
    }

    /// The serial of its last acknowledged write, 0 before the first.
    pub fn last_write(&self) -> u32 {
        self.last_write
    }

    /// Whether it waits at `server` for operation `serial`.
    pub(super) fn awaits(&self, server: Node, serial: u32) -> Option<Op> {
        let (op, pending) = self.pending?;
        (self.server == Some(server) && pending == serial).then_some(op)
    }
}

/// The token of a `sync`: who asked, with which operation.
pub(super) fn token(client: u8, serial: u32) -> u64 {
    u64::from(client) << 32 | u64::from(serial)
}

/// Back from a token.
pub(super) fn of_token(token: u64) -> (u8, u32) {
    ((token >> 32) as u8, token as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_one_operation() {
        assert_eq!(of_token(token(200, u32::MAX)), (200, u32::MAX));
    }

    #[test]
    fn an_answer_from_elsewhere_or_to_an_older_operation_is_not_awaited() {
        let (here, there) = (Node::at(0), Node::at(1));
        let client = Client { server: Some(here), pending: Some((Op::Read, 7)), ..Client::default() };
        assert_eq!(client.awaits(here, 7), Some(Op::Read));
        assert_eq!((client.awaits(here, 6), client.awaits(there, 7)), (None, None));
    }
}
