//! C5, synced followers: looked at when the leader takes the ACK, by which time the learner may have crashed or moved on; then
//! there is nothing to compare.

use super::{Ghost, Property, Sink, txns};
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
        if learner.participates != Some(epoch) || initial.leader != link.acceptor || !ghost.is_voter(link.dialer) {
            return; // an observer is no follower, and is not counted
        }
        let history = &learner.disk.durable.history;
        let held = history.begins_with(initial.len, initial.hash, &ghost.chosen);
        out.check(Property::C5, held, [link.dialer, link.acceptor], || {
            let expected = format!("{} holds the {} of {epoch}'s initial history", link.dialer, txns(initial.len));
            (expected, format!("it holds {} up to {}", txns(history.len()), history.last_zxid(&ghost.chosen)))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires_after, p};
    use crate::sim::PacketKind;

    #[test]
    fn a_counted_follower_without_the_history_is_noticed() {
        let mut story = Story::serving();
        story.role_ends();
        story.lead(p(3), 2, &[1]);
        // D6 looks at the follower when it sends the ACK, C5 when the leader takes it.
        fires_after(&[Property::D6], story, Property::C5, |story| {
            story.forgets(p(2));
            story.joins(p(2), p(3), 2);
            story.pass(p(3), p(2), PacketKind::Diff, Story::zxid(1, 2));
            story.pass(p(3), p(2), PacketKind::NewLeader, Story::zxid(2, 0));
            story.pass(p(2), p(3), PacketKind::Ack, Story::zxid(2, 0));
        });
    }
}
