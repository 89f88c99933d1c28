//! C6, truncation target. A learner that receives TRUNC has that txn, or the target is the marker of an epoch: then it keeps
//! everything before that epoch. It delivered nothing beyond the cut.

use super::{Ghost, Property, Sink};
use crate::sim::LinkKey;
use crate::zab::Zxid;

/// Remembers nothing: the ghost knows every log.
#[derive(Clone, Debug, Default)]
pub struct TruncationTarget;

impl TruncationTarget {
    /// A learner receives TRUNC.
    pub fn on_received(&self, ghost: &Ghost, link: LinkKey, zxid: Zxid, out: &mut Sink) {
        let learner = ghost.peer(link.dialer);
        let log = &learner.disk.written.history;
        out.check(
            Property::C6,
            zxid.is_marker() || log.contains(zxid, &ghost.chosen),
            [link.dialer, link.acceptor],
            || {
                let last = log.last_zxid(&ghost.chosen);
                (
                    format!("a txn of {}'s log, which ends in {last}", link.dialer),
                    format!("{} sends TRUNC {zxid}", link.acceptor),
                )
            },
        );
        let delivered =
            learner.delivered.checked_sub(1).and_then(|i| ghost.chosen.get(i)).map_or(Zxid::ZERO, |l| l.zxid);
        out.check(Property::C6, zxid >= delivered, [link.dialer, link.acceptor], || {
            (
                format!("a cut at or after {delivered}, which {} delivered", link.dialer),
                format!("{} sends TRUNC {zxid}", link.acceptor),
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires_in, p};
    use crate::sim::PacketKind;

    #[test]
    fn a_cut_at_a_strange_or_delivered_txn_is_noticed() {
        for counter in [9, 1] {
            let mut story = Story::serving();
            story.received(p(3), p(1), PacketKind::Trunc, Story::zxid(1, 2));
            fires_in(story, Property::C6, |story| {
                story.received(p(3), p(1), PacketKind::Trunc, Story::zxid(1, counter));
            });
        }
    }

    #[test]
    fn a_cut_at_the_marker_of_an_epoch_is_legal() {
        let mut story = Story::serving();
        story.received(p(3), p(1), PacketKind::Trunc, Story::zxid(2, 0));
        story.assert_legal();
    }
}
