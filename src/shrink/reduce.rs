//! Fewer actions: what belongs together first, then delta debugging (Zeller and Hildebrandt) down to single actions and
//! pairs; and plainer ones, where others do as well.
//!
//! A script is gone through from the front. Before each place stands one world that took everything before it, hence a
//! trial costs one clone and the actions behind. Whatever is left out takes with it what it made possible.

use super::course::{Course, Entry};
use super::groups::Group;
use super::player::Player;
use super::rewrite::{fuss, plainer, with_stand_in};
use crate::sim::Node;

/// Pairs are tried in scripts up to this length: their number grows with its square.
const SHORT: usize = 160;
/// One server is tried in the place of another in scripts up to this length.
const MEDIUM: usize = 400;
/// Through the whole script, and in parts of it down to one in so many.
const WINDOWS: usize = 8;
/// The members of a group are tried all at once, and in parts down to one in so many.
const PARTS: usize = 8;

/// The shortest script that was found within the budget. The one given fails.
pub(super) fn reduce(player: &mut Player, script: Vec<Entry>) -> Vec<Entry> {
    let mut reducer = Reducer { player, script };
    reducer.hasten_all();
    loop {
        let before = reducer.measure();
        reducer.leave_out_groups();
        let mut size = reducer.script.len() / 2;
        while size > 0 {
            reducer.leave_out(size, |_| true);
            size /= 2;
        }
        reducer.hasten();
        reducer.replace_servers();
        reducer.make_plain();
        if reducer.measure() == before && !reducer.leave_out_pairs() {
            return reducer.script;
        }
    }
}

struct Reducer<'r, 'a, 'w> {
    player: &'r mut Player<'a, 'w>,
    script: Vec<Entry>,
}

impl Reducer<'_, '_, '_> {
    /// What gets less with each round: actions, then those that wait for a moment, then what is not plain.
    fn measure(&self) -> (usize, usize, usize) {
        let waiting = self.script.iter().filter(|entry| entry.at != Entry::SOON).count();
        (self.script.len(), waiting, self.script.iter().map(|entry| fuss(entry.action)).sum())
    }

    /// Tries `suffix` behind the first `kept` entries, which `course` has taken. Keeps it if it is less than what
    /// stands there.
    fn settle<'e>(&mut self, course: &Course, kept: usize, suffix: impl Iterator<Item = &'e Entry>) -> bool {
        let Some(suffix) = self.player.attempt(course, suffix, &mut ()) else { return false };
        let before = self.measure();
        let old = self.script.split_off(kept);
        self.script.extend(suffix);
        if self.measure() < before {
            self.player.meter.actions(self.script.len());
            return true;
        }
        self.script.truncate(kept);
        self.script.extend(old);
        false
    }

    /// Without waiting for any moment: then only timers move the clock, and a timer that is still needed is due.
    fn hasten_all(&mut self) {
        let soon: Vec<Entry> = self.script.iter().map(|entry| Entry { at: Entry::SOON, ..*entry }).collect();
        let start = self.player.start();
        self.settle(&start, 0, soon.iter());
    }

    fn hasten(&mut self) {
        let mut size = self.script.len();
        while size > 0 && self.measure().1 > 0 {
            let mut course = self.player.start();
            let mut at = 0;
            while at < self.script.len() {
                let end = (at + size).min(self.script.len());
                let mut script = self.script[at..].to_vec();
                script[..end - at].iter_mut().for_each(|entry| entry.at = Entry::SOON);
                self.settle(&course, at, script.iter());
                if end >= self.script.len() {
                    break;
                }
                self.player.advance(&mut course, &self.script[at..end]);
                at = end;
            }
            size /= 2;
        }
    }

    fn leave_out_groups(&mut self) {
        for group in Group::all(&self.script) {
            let members = self.script.iter().filter(|entry| group.has(entry)).count();
            let mut size = members;
            while size > members / PARTS {
                self.leave_out(size, |entry| group.has(entry));
                size /= 2;
            }
        }
    }

    /// Goes through the script and leaves out `size` actions at a time, of those that `may_go`.
    fn leave_out(&mut self, size: usize, may_go: impl Fn(&Entry) -> bool) {
        let mut course = self.player.start();
        let mut at = 0;
        loop {
            let last = self.script.len() - self.player.pinned().min(self.script.len());
            let Some(first) = (at..last).find(|&index| may_go(&self.script[index])) else { return };
            let mut end = first;
            let mut chosen = 0;
            while end < last && chosen < size {
                chosen += usize::from(may_go(&self.script[end]));
                end += 1;
            }
            self.player.advance(&mut course, &self.script[at..first]);
            let script = self.script[first..].to_vec();
            let rest = script.iter().enumerate().filter(|&(index, entry)| index >= end - first || !may_go(entry));
            at = first;
            if !self.settle(&course, first, rest.map(|(_, entry)| entry)) {
                self.player.advance(&mut course, &script[..end - first]);
                at = end;
            }
        }
    }

    /// Lets one server do what two did: then it need be brought there only once.
    fn replace_servers(&mut self) {
        let nodes: Vec<Node> = (0..self.player.setup.nodes.len()).map(Node::at).collect();
        let pairs = || nodes.iter().flat_map(|&node| nodes.iter().map(move |&other| (node, other)));
        for (node, stand_in) in pairs().filter(|(node, stand_in)| node != stand_in) {
            let mut size = self.script.len();
            while size > self.script.len() / WINDOWS && self.script.len() <= MEDIUM {
                let mut course = self.player.start();
                let mut at = 0;
                while at + self.player.pinned() < self.script.len() {
                    let end = (at + size).min(self.script.len());
                    let rewritten =
                        self.script[at..end].iter().filter_map(|entry| with_stand_in(entry, node, stand_in));
                    let script: Vec<Entry> = rewritten.chain(self.script[end..].iter().copied()).collect();
                    if !self.settle(&course, at, script.iter()) {
                        let next = (at + size.div_ceil(2)).min(self.script.len() - self.player.pinned());
                        self.player.advance(&mut course, &self.script[at..next]);
                        at = next;
                    }
                }
                size /= 2;
            }
        }
    }

    fn make_plain(&mut self) {
        let mut course = self.player.start();
        for at in 0..self.script.len() {
            while let Some(action) = self.script.get(at).and_then(|entry| plainer(entry.action)) {
                let mut script = self.script[at..].to_vec();
                script[0].action = action;
                if !self.settle(&course, at, script.iter()) {
                    break;
                }
            }
            if at + self.player.pinned() < self.script.len() {
                self.player.advance(&mut course, &self.script[at..=at]);
            }
        }
    }

    /// Two at once, where neither can go alone: what opens and what closes, what one server and then another does.
    fn leave_out_pairs(&mut self) -> bool {
        let before = self.script.len();
        let mut course = self.player.start();
        let mut first = 0;
        while first + self.player.pinned() < self.script.len() && self.script.len() <= SHORT {
            let mut second = first + 1;
            while second + self.player.pinned() < self.script.len() {
                let script = self.script[first + 1..].to_vec();
                let skipped = second - first - 1;
                let rest = script.iter().enumerate().filter(|&(index, _)| index != skipped).map(|(_, entry)| entry);
                if !self.settle(&course, first, rest) {
                    second += 1;
                }
            }
            if first + self.player.pinned() < self.script.len() {
                self.player.advance(&mut course, &self.script[first..=first]);
            }
            first += 1;
        }
        self.script.len() < before
    }
}
