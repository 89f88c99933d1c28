//! `Alarm`: a timer whose deadline moves with every packet, on a queue that must not grow with it.

use crate::zab::Instant;

/// A timer that is on the queue at most once. Deadlines move with every packet; the queue must not grow with them.
#[derive(Clone, Copy, Debug)]
pub struct Alarm {
    /// When it shall ring; may be set back without queueing it again.
    pub wanted: Instant,
    queued: Instant,
}

impl Alarm {
    /// It rings never.
    pub const OFF: Alarm = Alarm { wanted: Instant::NEVER, queued: Instant::NEVER };

    /// Sets it to `at`; tells whether it must be queued.
    pub fn set(&mut self, at: Instant) -> bool {
        self.wanted = at;
        let sooner = at < self.queued;
        if sooner {
            self.queued = at;
        }
        sooner
    }

    /// The queue came to `at`: whether it rings, or when to look again.
    pub fn due(&mut self, at: Instant) -> Ring {
        if at != self.queued {
            return Ring::Stale;
        }
        self.queued = Instant::NEVER;
        if self.wanted > at {
            if self.wanted == Instant::NEVER {
                return Ring::Stale;
            }
            self.queued = self.wanted;
            return Ring::Later(self.wanted);
        }
        self.wanted = Instant::NEVER;
        Ring::Now
    }
}

/// What a look at an alarm says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// It rings.
    Now,
    /// Look again then.
    Later(Instant),
    /// It has rung, or is on the queue elsewhere.
    Stale,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_that_moves_later_is_queued_once() {
        let mut alarm = Alarm::OFF;
        assert!(alarm.set(Instant(10)));
        assert!(!alarm.set(Instant(20)), "10 is on the queue and will look again");
        assert_eq!(alarm.due(Instant(10)), Ring::Later(Instant(20)));
        assert_eq!(alarm.due(Instant(20)), Ring::Now);
        assert_eq!(alarm.due(Instant(20)), Ring::Stale, "it rings once");
    }

    #[test]
    fn an_alarm_that_moves_sooner_rings_sooner() {
        let mut alarm = Alarm::OFF;
        assert!(alarm.set(Instant(10)));
        assert!(alarm.set(Instant(5)));
        assert_eq!(alarm.due(Instant(5)), Ring::Now);
        assert_eq!(alarm.due(Instant(10)), Ring::Stale);
    }
}
