//! The last moments of a run, kept while it is under way.

use std::collections::VecDeque;

use super::{Lanes, Moment, Pick, TextDiagram};

/// The newest moments, and what the lanes were before them.
#[derive(Clone, Debug)]
pub struct Tail {
    before: Lanes,
    moments: VecDeque<Moment>,
    most: usize,
}

impl Tail {
    /// Keeps the last `most` moments of a run of so many peers.
    pub fn new(nodes: usize, most: usize) -> Tail {
        Tail { before: Lanes::new(nodes), moments: VecDeque::with_capacity(most), most }
    }

    /// Adds the newest.
    #[inline]
    pub fn push(&mut self, moment: Moment) {
        if self.moments.len() == self.most
            && let Some(oldest) = self.moments.pop_front()
        {
            self.before.see(&oldest.event);
        }
        self.moments.push_back(moment);
    }

    /// They in text, with the line over the lanes, wrapped at a width if there is one.
    pub fn text(&self, width: Option<usize>) -> String {
        let mut diagram = TextDiagram::continued(self.before.clone(), Pick::default()).within(width);
        let mut out = diagram.heading();
        out.push('\n');
        for line in self.moments.iter().filter_map(|moment| diagram.line(moment)) {
            out += &line;
            out.push('\n');
        }
        out
    }

    /// The step of the oldest moment kept.
    pub fn first_step(&self) -> u64 {
        self.moments.front().map_or(0, |moment| moment.step)
    }
}
