//! D9, no holes: in the log, in what is applied, in snapshots, and in the committed window that DIFF is served from. A history
//! goes on with the next counter, or with the first txn of a later epoch; epochs nobody kept anything of leave no hole.

use super::ghost::Applied;
use super::{Ghost, Property, Sink, View};
use crate::sim::Node;
use crate::zab::Zxid;

/// Remembers nothing: the ghost knows every log; the window is looked at when it is used.
#[derive(Clone, Debug, Default)]
pub struct NoHoles;

impl NoHoles {
    /// A txn is about to be appended to a log.
    pub fn on_append(&self, ghost: &Ghost, node: Node, zxid: Zxid, out: &mut Sink) {
        let last = ghost.peer(node).disk.written.history.last_zxid(&ghost.chosen);
        out.check(Property::D9, zxid.follows(last), [node], || {
            (format!("the log to go on after {last}"), format!("{node} appends {zxid}"))
        });
    }

    /// A txn was applied.
    pub fn on_applied(&self, applied: &Applied, out: &mut Sink) {
        out.check(Property::D9, applied.zxid.follows(applied.before), [applied.node], || {
            (
                format!("the applied state to go on after {}", applied.before),
                format!("{} applies {}", applied.node, applied.zxid),
            )
        });
    }

    /// A state was restored; whether some leader sent it that one.
    pub fn on_restored(&self, node: Node, zxid: Zxid, offered: bool, out: &mut Sink) {
        out.check(Property::D9, offered, [node], || {
            ("a snapshot that a leader sent".into(), format!("{node} restores one at {zxid} that nobody sent"))
        });
    }

    /// A leader serves a learner from its window.
    pub fn on_diff(&self, ghost: &Ghost, view: &impl View, node: Node, out: &mut Sink) {
        let mut gap = None;
        let mut last: Option<Zxid> = None;
        view.each_in_window(node, &mut |zxid| {
            if let Some(before) = last.filter(|&before| !zxid.follows(before)) {
                gap.get_or_insert((before, zxid));
            }
            last = Some(zxid);
        });
        out.check(Property::D9, gap.is_none(), [node], || {
            let (before, after) = gap.expect("the check failed over it");
            ("a contiguous window of committed txns".into(), format!("{after} comes after {before} in that of {node}"))
        });
        let applied = ghost.peer(node).applied.last_txn(&ghost.chosen);
        out.check(Property::D9, last.is_none_or(|last| last == applied), [node], || {
            let last = last.expect("an empty window passes");
            (format!("a window that ends in {applied}, the last applied txn"), format!("that of {node} ends in {last}"))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{Story, fires, fires_after, fires_in, p};
    use crate::sim::Event;

    #[test]
    fn a_hole_in_a_log_is_noticed() {
        fires(Property::D9, |story| {
            story.proposed(p(3), 1, 3);
            story.proposed(p(3), 1, 4);
            story.append(p(3), 1, 4);
        });
    }

    #[test]
    fn a_window_with_a_hole_or_that_ends_too_early_is_noticed_when_a_diff_is_served_from_it() {
        let windows = [([(1, 1), (1, 2)], true), ([(1, 0), (1, 2)], false), ([(1, 0), (1, 1)], false)];
        for (window, legal) in windows {
            let mut story = Story::serving();
            story.view.window = window.iter().map(|&(epoch, counter)| Story::zxid(epoch, counter)).collect();
            if legal {
                story.plans_diff(p(3), p(1));
                story.assert_legal();
            } else {
                fires_in(story, Property::D9, |story| story.plans_diff(p(3), p(1)));
            }
        }
    }

    #[test]
    fn a_state_that_nobody_sent_is_noticed() {
        fires(Property::D9, |story| {
            story.event(Event::Restored { node: p(1), zxid: Story::zxid(1, 2), state: 1002 });
        });
    }

    #[test]
    fn a_hole_in_what_is_applied_is_noticed() {
        // The primary broadcast something between the two, says S6.
        fires_after(&[Property::S6], Story::serving(), Property::D9, |story| {
            story.proposed(p(3), 1, 3);
            story.proposed(p(3), 1, 4);
            story.fast_forwarded(p(1), 1, 4);
        });
    }
}
