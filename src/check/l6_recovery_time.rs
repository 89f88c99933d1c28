//! L6, recovery time: a metric, and a violation only where the run sets a budget.

use super::{End, Property, Sink};
use crate::zab::{Duration, Instant};

/// When the heal began, and when a leader first served after it.
#[derive(Clone, Debug, Default)]
pub struct RecoveryTime {
    healed: Option<Instant>,
    served: Option<Instant>,
}

impl RecoveryTime {
    /// The heal begins; whether a leader serves already.
    pub fn on_converge(&mut self, now: Instant, led: bool) {
        *self = RecoveryTime { healed: Some(now), served: led.then_some(now) };
    }

    /// A leader begins to serve.
    pub fn on_leader_serving(&mut self, now: Instant) {
        self.served.get_or_insert(now);
    }

    /// How long it took, once it did.
    pub fn metric(&self) -> Option<Duration> {
        Some(self.served?.since(self.healed?))
    }

    /// The bound is over.
    pub fn on_end(&self, end: &End, no_excuse: &str, out: &mut Sink) {
        let Some(budget) = end.recovery else { return };
        out.check(Property::L6, self.metric().is_some_and(|took| took <= budget), [], || {
            let seen = self.metric().map_or("there was none".into(), |took| format!("it took {took}"));
            (format!("an established leader within {budget} of the heal, since {no_excuse}"), seen)
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Property;
    use crate::check::test_support::{ends_badly, p};

    #[test]
    fn a_late_leader_is_noticed() {
        ends_badly(Property::L6, |story| {
            story.leader_is_late();
            story.lead(p(3), 2, &[1, 2]);
        });
    }

    #[test]
    fn no_leader_at_all_is_noticed() {
        ends_badly(Property::L6, |story| story.leader_is_late());
    }
}
