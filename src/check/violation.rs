//! `Violation`: a property that did not hold, in words a person understands; and the `Sink` that collects them.

use std::fmt;

use super::property::Property;
use crate::sim::Node;
use crate::zab::Instant;

/// A property did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub property: Property,
    /// At which step.
    pub step: u64,
    /// At which virtual time.
    pub at: Instant,
    /// Who is involved, the one that did it first.
    pub nodes: Vec<Node>,
    /// What should be.
    pub expected: String,
    /// What is.
    pub seen: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} violated at step {}, {}", self.property.id(), self.property.name(), self.step, self.at)?;
        for (i, node) in self.nodes.iter().enumerate() {
            write!(f, "{}{node}", if i == 0 { ", by " } else { " and " })?;
        }
        write!(f, "\n  rule:     {}", self.property.statement())?;
        write!(f, "\n  expected: {}\n  seen:     {}", self.expected, self.seen)
    }
}

/// More than this of one property say nothing new.
const MOST_PER_PROPERTY: usize = 4;

/// Collects what the checkers find, and counts what they looked at.
#[derive(Clone, Debug)]
pub struct Sink {
    step: u64,
    at: Instant,
    violations: Vec<Violation>,
    checked: [u64; Property::COUNT],
    /// What is reported, a bit each.
    judged: u64,
}

impl Default for Sink {
    fn default() -> Sink {
        Sink { step: 0, at: Instant::ZERO, violations: Vec::new(), checked: [0; Property::COUNT], judged: u64::MAX }
    }
}

const _: () = assert!(Property::COUNT <= u64::BITS as usize, "every property has its bit");

impl Sink {
    /// Reports only properties with these ids; all if there are none.
    pub fn only(ids: &[String]) -> Sink {
        let named = ids.iter().filter_map(|id| Property::from_id(id));
        let judged = if ids.is_empty() { u64::MAX } else { named.fold(0, |all, it| all | 1 << it as u64) };
        Sink { judged, ..Sink::default() }
    }

    /// The step that the next checks belong to.
    pub fn begin(&mut self, step: u64, at: Instant) {
        (self.step, self.at) = (step, at);
    }

    /// Virtual time.
    pub fn now(&self) -> Instant {
        self.at
    }

    /// Counts a check; if it failed, `tell` says what was expected and what was seen.
    #[inline]
    pub fn check<const N: usize>(
        &mut self,
        property: Property,
        held: bool,
        nodes: [Node; N],
        tell: impl FnOnce() -> (String, String),
    ) {
        self.checked[property as usize] += 1;
        if !held {
            let (expected, seen) = tell();
            self.report(property, &nodes, expected, seen);
        }
    }

    /// A property that failed in a step is reported once for it: whatever else fails over the same cause says nothing new.
    #[cold]
    fn report(&mut self, property: Property, nodes: &[Node], expected: String, seen: String) {
        let before = self.violations.iter().filter(|v| v.property == property);
        let told = before.clone().any(|v| v.step == self.step) || self.judged & 1 << property as u64 == 0;
        if !told && before.count() < MOST_PER_PROPERTY {
            let (step, at, nodes) = (self.step, self.at, nodes.to_vec());
            self.violations.push(Violation { property, step, at, nodes, expected, seen });
        }
    }

    /// In the order found.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// How often a property was checked.
    pub fn checked(&self, property: Property) -> u64 {
        self.checked[property as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(sink: &mut Sink, step: u64, property: Property) {
        sink.begin(step, Instant(step));
        sink.check(property, false, [Node::at(2), Node::at(0)], || ("this".into(), "that".into()));
    }

    #[test]
    fn a_property_is_reported_once_per_step_and_a_few_times_in_all() {
        let mut sink = Sink::default();
        fail(&mut sink, 1, Property::S1);
        fail(&mut sink, 1, Property::S1);
        fail(&mut sink, 1, Property::S2);
        (2..20).for_each(|step| fail(&mut sink, step, Property::S1));
        let found: Vec<_> = sink.violations().iter().map(|v| (v.step, v.property)).collect();
        assert_eq!(found[..3], [(1, Property::S1), (1, Property::S2), (2, Property::S1)]);
        assert_eq!((found.len(), sink.checked(Property::S1)), (MOST_PER_PROPERTY + 1, 20));
    }

    #[test]
    fn it_tells_who_did_it_and_then_who_else_is_involved() {
        let mut sink = Sink::default();
        fail(&mut sink, 7, Property::S3);
        let text = sink.violations()[0].to_string();
        assert!(text.starts_with("S3 unique zxids violated at step 7") && text.contains(", by p3 and p1\n"), "{text}");
    }
}
