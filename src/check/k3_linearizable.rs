//! K3, linearizable writes, incrementally: the service is one append-only history, so a run is linearizable exactly when each
//! write's zxid is above those of all writes acknowledged before it was asked for, and is chosen.
//!
//! `sync` in ZooKeeper does not ask a quorum whether the leader is still one: on a server of a deposed leader it completes at
//! once. So a synced read must hold every write acknowledged before it, up to the epoch in which its server serves; what a
//! later leader acknowledged meanwhile it may miss ("sync does not prove that the leader still has a quorum").

use super::{Ghost, Property, Sink};
use crate::sim::{Node, Op};
use crate::zab::Zxid;

/// The last write acknowledged to anybody, now and when each pending operation was asked for.
#[derive(Clone, Debug)]
pub struct Linearizable {
    acknowledged: Zxid,
    when_asked: Vec<Zxid>,
}

impl Linearizable {
    /// Of so many clients.
    pub fn new(clients: usize) -> Linearizable {
        Linearizable { acknowledged: Zxid::ZERO, when_asked: vec![Zxid::ZERO; clients] }
    }

    /// A client sent an operation.
    pub fn on_invoked(&mut self, client: u8) {
        self.when_asked[usize::from(client)] = self.acknowledged;
    }

    /// A server answered.
    pub fn on_replied(&mut self, ghost: &Ghost, client: u8, server: Node, op: Op, zxid: Zxid, out: &mut Sink) {
        let before = self.when_asked[usize::from(client)];
        match op {
            Op::Read => {}
            Op::Write => {
                self.acknowledged = self.acknowledged.max(zxid);
                out.check(Property::K3, zxid > before, [server], || {
                    (
                        format!("a place after {before}, acknowledged before the write was asked for"),
                        format!("{server} answers with {zxid}"),
                    )
                });
                out.check(Property::K3, ghost.chosen.contains(zxid), [server], || {
                    ("only committed writes are acknowledged".into(), format!("{server} acknowledges {zxid}"))
                });
            }
            Op::Sync => {
                let deposed = ghost.peer(server).participates.is_some_and(|epoch| epoch < before.epoch());
                out.check(Property::K3, zxid >= before || deposed, [server], || {
                    (
                        format!("a state that holds {before}, acknowledged before the sync"),
                        format!("{server} answers from one at {zxid}"),
                    )
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, p};
    use crate::sim::Op;

    #[test]
    fn a_synced_read_of_the_past_is_noticed() {
        fires(Property::K3, |story| {
            story.invoked(2, p(2), Op::Sync, 1);
            story.replied(2, p(2), Op::Sync, 1, (1, 1), 0);
        });
    }

    #[test]
    fn an_acknowledged_write_that_is_not_committed_is_noticed() {
        fires(Property::K3, |story| {
            story.invoked(1, p(2), Op::Write, 1);
            story.replied(1, p(2), Op::Write, 1, (1, 3), 1);
        });
    }

    #[test]
    fn a_write_before_one_that_was_acknowledged_already_is_noticed() {
        fires(Property::K3, |story| {
            story.invoked(2, p(2), Op::Write, 1);
            story.replied(2, p(2), Op::Write, 1, (1, 2), 1);
        });
    }

    #[test]
    fn a_synced_read_of_a_deposed_leaders_server_may_miss_what_the_next_one_acknowledged() {
        let mut story = Story::serving();
        story.leaves(p(1));
        story.leaves(p(2));
        story.lead(p(2), 2, &[1]);
        story.write();
        story.invoked(2, p(3), Op::Sync, 1);
        story.replied(2, p(3), Op::Sync, 1, (1, 2), 0);
        story.assert_legal();
    }
}
