//! D11, faithful files: the history that a server reads from the bytes of its files is the one that was written to its disk. The
//! world, which knows both, compares them at each recovery.

use super::{Property, Sink};
use crate::sim::Node;

/// Remembers nothing: the world compares.
#[derive(Clone, Debug, Default)]
pub struct FaithfulFiles;

impl FaithfulFiles {
    /// A server read its files.
    pub fn on_recovered(&self, node: Node, out: &mut Sink) {
        out.check(Property::D11, true, [node], || unreachable!("it holds"));
    }

    /// What it read is not what was written.
    pub fn on_differ(&self, node: Node, out: &mut Sink) {
        out.check(Property::D11, false, [node], || {
            ("files that say what was written to them".into(), format!("{node} reads something else"))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{fires, p};
    use crate::sim::{Event, TreeEvent};

    #[test]
    fn files_that_say_something_else_are_noticed() {
        fires(Property::D11, |story| story.event(Event::Tree(TreeEvent::FilesDiffer { node: p(2) })));
    }
}
