//! S1, single primary. Two strengths: nobody else left discovery as leader of the epoch (fires early), and nobody else had a
//! quorum for NEWLEADER.

use super::{Ghost, Property, Sink, names};
use crate::sim::Node;
use crate::zab::Epoch;

/// Remembers nothing: the ghost knows every primary of every epoch.
#[derive(Clone, Debug, Default)]
pub struct SinglePrimary;

impl SinglePrimary {
    /// A leader left discovery; the ghost has noted it.
    pub fn on_epoch_acked(&self, ghost: &Ghost, node: Node, epoch: Epoch, out: &mut Sink) {
        let all = ghost.broadcasts.reign(epoch).map(|reign| reign.primaries).unwrap_or_default();
        out.check(Property::S1, all.len() <= 1, [node], || {
            (format!("one leader beyond discovery in {epoch}"), format!("there were {}", names(all)))
        });
    }

    /// A leader was established; the ghost has noted it.
    pub fn on_established(&self, ghost: &Ghost, node: Node, epoch: Epoch, out: &mut Sink) {
        let all = ghost.broadcasts.reign(epoch).map(|reign| reign.established).unwrap_or_default();
        out.check(Property::S1, all.len() <= 1, [node], || {
            (format!("one established leader in {epoch}"), format!("there were {}", names(all)))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, p};

    /// p1 comes to lead beyond the discovery of epoch 1, as p3 did.
    fn second_primary(story: &mut Story) {
        story.leaves(p(1));
        story.leaves(p(2));
        story.begins_to_lead(p(1));
        story.joins(p(2), p(1), 1);
        story.epoch_acked(p(1), 1, &[1, 2]);
    }

    #[test]
    fn a_second_leader_of_the_same_epoch_is_noticed() {
        fires(Property::S1, second_primary);
    }

    #[test]
    fn a_second_established_leader_of_the_same_epoch_is_noticed() {
        let mut story = Story::serving();
        second_primary(&mut story);
        story.established(p(1), 1, &[1, 2]);
        let seen: Vec<_> = story.checkers.violations().iter().map(|v| (v.property, v.expected.as_str())).collect();
        let [(Property::S1, discovery), (Property::S1, established)] = seen[..] else { panic!("{seen:?}") };
        assert!(discovery.contains("beyond discovery") && established.contains("established leader"));
    }
}
