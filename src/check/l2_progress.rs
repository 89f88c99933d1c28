//! L2, progress: the first write after the heal is the probe. If clients wrote nothing since, there is nothing to check.

use super::{End, Ghost, Property, Sink};
use crate::zab::Zxid;

/// The probe.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    asked: bool,
    committed: Option<Zxid>,
}

impl Progress {
    /// The heal begins.
    pub fn on_converge(&mut self) {
        *self = Progress::default();
    }

    /// A client asked for a write.
    pub fn on_write_asked(&mut self) {
        self.asked = true;
    }

    /// A leader committed.
    pub fn on_committed(&mut self, zxid: Zxid) {
        self.committed.get_or_insert(zxid);
    }

    /// The bound is over and there is a leader.
    pub fn on_end(&self, ghost: &Ghost, end: &End, no_excuse: &str, out: &mut Sink) -> bool {
        if !self.asked {
            return true;
        }
        let index = self.committed.map(|zxid| ghost.chosen.count_through(zxid));
        let behind = index.and_then(|len| end.nodes().find(|&node| ghost.peer(node).delivered < len));
        let held = end.converged || index.is_some() && behind.is_none();
        out.check(Property::L2, held, [], || {
            let seen = match (self.committed, behind) {
                (Some(zxid), Some(node)) => format!("{zxid} is committed, but {node} did not deliver it"),
                _ => "nothing was committed".into(),
            };
            (format!("a write after the heal is delivered everywhere, since {no_excuse}"), seen)
        });
        held
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{ends_badly, p};
    use crate::sim::Op;

    #[test]
    fn a_write_that_never_commits_is_noticed() {
        ends_badly(Property::L2, |story| story.invoked(0, p(1), Op::Write, 3));
    }

    #[test]
    fn a_write_that_one_node_never_delivers_is_noticed() {
        ends_badly(Property::L2, |story| story.write_without(p(1)));
    }
}
