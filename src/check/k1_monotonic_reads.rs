//! K1, monotonic reads: a client's session remembers the last zxid it saw, also after it moved to another server; a server that
//! is behind it must refuse.

use super::{Property, Sink};
use crate::sim::Node;
use crate::zab::Zxid;

/// The last zxid that each client saw.
#[derive(Clone, Debug)]
pub struct MonotonicReads {
    seen: Vec<Zxid>,
}

impl MonotonicReads {
    /// Of so many clients.
    pub fn new(clients: usize) -> MonotonicReads {
        MonotonicReads { seen: vec![Zxid::ZERO; clients] }
    }

    /// A server answered.
    pub fn on_replied(&mut self, client: u8, server: Node, zxid: Zxid, out: &mut Sink) {
        let seen = &mut self.seen[usize::from(client)];
        let before = *seen;
        *seen = before.max(zxid);
        out.check(Property::K1, zxid >= before, [server], || {
            (format!("an answer to client {client} at {before} or later"), format!("{server} answers at {zxid}"))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{fires, p};
    use crate::sim::Op;

    #[test]
    fn a_step_back_in_time_is_noticed() {
        fires(Property::K1, |story| {
            story.invoked(0, p(1), Op::Read, 3);
            story.replied(0, p(1), Op::Read, 3, (1, 1), 2);
        });
    }
}
