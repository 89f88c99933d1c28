//! The clock of a server: nanoseconds since it started, and never back.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::zab::Instant;

/// Reads the time as the core counts it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: tokio::time::Instant,
}

impl Clock {
    /// It is zero now.
    pub(super) fn start() -> Clock {
        Clock { start: tokio::time::Instant::now() }
    }

    pub(super) fn now(self) -> Instant {
        Instant(u64::try_from(self.start.elapsed().as_nanos()).expect("no server runs for 584 years"))
    }

    /// The unix time in milliseconds at which it was zero, by the calendar of this moment.
    pub(super) fn wall_clock_base(self) -> i64 {
        let millis = |time: std::time::Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()) - millis(self.start.elapsed())
    }

    /// The same moment for a timer.
    pub(super) fn deadline(self, at: Instant) -> tokio::time::Instant {
        self.start + std::time::Duration::from_nanos(at.0)
    }
}
