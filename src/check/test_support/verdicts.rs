//! What a story is held to.

use std::collections::BTreeSet;

use super::{Story, set};
use crate::check::{End, Property};
use crate::sim::Stage;
use crate::zab::Duration;

impl Story {
    /// The property fired, and before it exactly these, in this order.
    fn assert_fired(&self, property: Property, before: &[Property]) {
        let mut fired: Vec<Property> = self.checkers.violations().iter().map(|v| v.property).collect();
        let mut seen = BTreeSet::new();
        fired.retain(|&property| seen.insert(property));
        let text: Vec<String> = self.checkers.violations().iter().map(ToString::to_string).collect();
        let text = text.join("\n");
        let at = fired.iter().position(|&p| p == property);
        let at = at.unwrap_or_else(|| panic!("{property} stayed silent; found:\n{text}"));
        assert_eq!(&fired[..at], before, "what fired before {property}:\n{text}");
        assert!(text.contains(property.name()));
    }
}

/// In the legal story that serves, the property is checked and holds; then comes what breaks it, and it is the first to fire.
pub fn fires(property: Property, bad: impl FnOnce(&mut Story)) {
    fires_in(Story::serving(), property, bad);
}

/// The same in a legal story of one's own.
pub fn fires_in(story: Story, property: Property, bad: impl FnOnce(&mut Story)) {
    fires_after(&[], story, property, bad);
}

/// The same where others fire before; the test says why they must.
pub fn fires_after(before: &[Property], mut story: Story, property: Property, bad: impl FnOnce(&mut Story)) {
    story.assert_legal();
    assert!(story.checkers.checked(property) > 0, "{property} was never checked");
    bad(&mut story);
    story.assert_fired(property, before);
}

pub(super) fn end(stage: Stage, converged: bool) -> End {
    End {
        stage,
        converged,
        core: set(&[1, 2, 3, 4]),
        bound: Duration::from_secs(30),
        elections: 5,
        recovery: Some(Duration::from_micros(900)),
    }
}

/// A converged end is found fault with by nobody; after `bad` the end violates `property`.
pub fn ends_badly(property: Property, bad: impl FnOnce(&mut Story)) {
    let mut story = Story::serving();
    story.enter(Stage::Converge);
    story.write();
    let mut good = Story::serving();
    good.enter(Stage::Converge);
    good.write();
    good.stage_ends(Stage::Converge, true);
    good.assert_legal();
    assert!(good.checkers.checked(property) > 0);
    if property == Property::L2 {
        story = Story::serving();
        story.enter(Stage::Converge);
    }
    bad(&mut story);
    story.stage_ends(Stage::Converge, false);
    story.assert_fired(property, &[]);
}
