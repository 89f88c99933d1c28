//! S2, integrity. Checked for every role; what a node applies without serving counts as soon as it serves, so it is checked
//! when it is applied.

use super::ghost::Applied;
use super::{Property, Sink};

/// Remembers nothing: the ghost knows every broadcast.
#[derive(Clone, Debug, Default)]
pub struct Integrity;

impl Integrity {
    /// A txn was applied.
    pub fn on_applied(&self, applied: &Applied, out: &mut Sink) {
        let held = applied.known.position.is_some() && applied.known.variant == 0;
        out.check(Property::S2, held, [applied.node], || {
            let seen = match applied.known.position {
                None => format!("{} applied {}, which nobody broadcast", applied.node, applied.zxid),
                Some(_) => format!("{} applied {} with payload {:016x}", applied.node, applied.zxid, applied.digest),
            };
            ("a txn that some primary broadcast, with that payload".into(), seen)
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{fires, p};

    #[test]
    fn a_txn_out_of_nowhere_is_noticed() {
        fires(Property::S2, |story| story.delivered(p(1), 1, 3, 777));
    }

    #[test]
    fn a_changed_payload_is_noticed() {
        fires(Property::S2, |story| {
            story.proposed(p(3), 1, 3);
            story.delivered(p(1), 1, 3, 777);
        });
    }
}
