//! S6, local primary order, in the form that can fail: the txn applied before one of epoch e is the one its primary broadcast
//! before it, or, for the first of e, one of an earlier epoch. A published form quantifies `\E txn1, txn2` over possibly equal
//! txns and is true of everything.

use super::ghost::{Applied, Verdict};
use super::{Ghost, Property, Sink};

/// Remembers nothing: the ghost knows every primary's order.
#[derive(Clone, Debug, Default)]
pub struct LocalPrimaryOrder;

impl LocalPrimaryOrder {
    /// A txn was applied; `in_order` says whether it was prepared on the state it was applied to.
    pub fn on_applied(&self, ghost: &Ghost, applied: &Applied, in_order: bool, out: &mut Sink) {
        let Some(position) = applied.known.position else { return };
        let same_epoch = applied.before.epoch() == applied.zxid.epoch() && !applied.before.is_marker();
        let dense =
            same_epoch && applied.before.next() == applied.zxid && position + 1 == applied.zxid.counter() as usize;
        let expected = match position {
            _ if dense => Some(position),
            _ if same_epoch => ghost.broadcasts.position(applied.before).map(|before| before + 1),
            _ => Some(0),
        };
        let ordered = expected == Some(position) && (in_order || applied.verdict == Verdict::Applied);
        out.check(Property::S6, ordered, [applied.node], || {
            let expected = format!("broadcast number {} of {}", expected.unwrap_or(0) + 1, applied.zxid.epoch());
            let on = if in_order { "" } else { ", which was prepared on another state" };
            (
                expected,
                format!(
                    "{} applies {} (number {}) after {}{on}",
                    applied.node,
                    applied.zxid,
                    position + 1,
                    applied.before
                ),
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, p};
    use crate::sim::Event;

    #[test]
    fn a_txn_that_overtakes_is_noticed() {
        fires(Property::S6, |story| {
            story.proposed(p(3), 1, 3);
            story.proposed(p(3), 1, 4);
            story.delivered(p(3), 1, 4, 1004);
        });
    }

    #[test]
    fn a_txn_delivered_on_another_state_than_it_was_prepared_on_is_noticed() {
        fires(Property::S6, |story| {
            story.proposed(p(3), 1, 3);
            (1..=3).for_each(|n| story.append(p(n), 1, 3));
            story.committed(p(3), 1, 3, &[1, 2, 3]);
            let zxid = Story::zxid(1, 3);
            story.event(Event::Delivered { node: p(3), zxid, digest: 1003, state: 1003, in_order: false });
        });
    }
}
