//! S7, global primary order.

use super::ghost::Applied;
use super::{Property, Sink};

/// Remembers nothing: the ghost knows what was applied before.
#[derive(Clone, Debug, Default)]
pub struct GlobalPrimaryOrder;

impl GlobalPrimaryOrder {
    /// A txn was applied.
    pub fn on_applied(&self, applied: &Applied, out: &mut Sink) {
        out.check(Property::S7, applied.zxid > applied.before, [applied.node], || {
            (format!("a zxid above {}", applied.before), format!("{} applies {}", applied.node, applied.zxid))
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{fires, p};

    #[test]
    fn a_step_back_to_an_earlier_epoch_is_noticed() {
        fires(Property::S7, |story| {
            story.role_ends();
            story.lead(p(3), 2, &[1, 2]);
            story.write();
            story.leaves(p(1));
            story.fast_forwarded(p(1), 1, 1);
        });
    }
}
