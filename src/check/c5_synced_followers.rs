//! C5, synced followers: looked at when the leader takes the ACK, by which time the learner may have crashed or moved on; then
//! there is nothing to compare.

use super::{Ghost, Property, Sink};
use crate::sim::LinkKey;
use crate::zab::Epoch;

/// Remembers nothing: the ghost knows every disk.
#[derive(Clone, Debug, Default)]
pub struct SyncedFollowers;

impl SyncedFollowers {
    /// A leader receives the ACK of NEWLEADER.
    pub fn on_new_leader_ack(&self, ghost: &Ghost, link: LinkKey, epoch: Epoch, out: &mut Sink) {
        let learner = ghost.peer(link.dialer);
        let Some(initial) = ghost.broadcasts.reign(epoch).and_then(|reign| reign.initial) else { return };
        if learner.participates != Some(epoch) || initial.leader != link.acceptor {
            return;
        }
        let history = &learner.disk.durable.history;
        let held = history.begins_with(initial.len, initial.hash, &ghost.chosen);
        out.check(Property::C5, held, [link.dialer, link.acceptor], || {
            let expected = format!("{} holds the {} txns of {epoch}'s initial history", link.dialer, initial.len);
            (expected, format!("it holds {} up to {}", history.len(), history.last_zxid(&ghost.chosen)))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, p};
    use crate::sim::PacketKind;

    #[test]
    fn a_counted_follower_without_the_history_is_noticed() {
        fires(Property::C5, |story| {
            story.role_ends();
            story.lead(p(3), 2, &[1]);
            story.forgets(p(2));
            story.connect(p(2), p(3));
            story.new_leader_acked(p(2), p(3), 2);
            story.received(p(2), p(3), PacketKind::Ack, Story::zxid(2, 0));
        });
    }
}
