//! What a server is told about its service, under ZooKeeper's names.

use crate::zab::{Duration, Instant, Sid};
use crate::zk::wire::Dialect;

use super::prepare::Rules;
use super::tree::due::Sweep;

/// The options of one server's service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceConfig {
    /// This server: the top byte of the session ids it gives out. Standalone servers are 1.
    pub sid: Sid,
    /// The width of the buckets in which sessions expire (`tickTime`).
    pub tick_time: Duration,
    /// The shortest session time-out a client can have (`minSessionTimeout`).
    pub min_session_timeout: Duration,
    /// The longest (`maxSessionTimeout`).
    pub max_session_timeout: Duration,
    /// The unix time in milliseconds at [`Instant::ZERO`].
    pub wall_clock_base: i64,
    /// Who may do what, and what is refused.
    pub rules: Rules,
    /// Which ZooKeeper it behaves like. From 3.9 on, events of what a client may not read are left out.
    pub dialect: Dialect,
    /// How many requests may wait for their answer before clients are read from no more (`globalOutstandingLimit`).
    pub global_outstanding_limit: usize,
    /// What `/zookeeper/config` holds.
    pub config_text: String,
    /// Whether this is the only server, by configuration.
    pub standalone: bool,
    /// Whether a leader of others takes clients (`leaderServes`).
    pub leader_serves: bool,
    /// How often a leader looks for nodes that nobody needs (`znode.container.checkIntervalMs`).
    pub sweep_interval: Duration,
    /// Which of them go.
    pub sweep: Sweep,
}

impl ServiceConfig {
    /// ZooKeeper's defaults for one server.
    pub fn new(sid: Sid, tick_time: Duration) -> ServiceConfig {
        ServiceConfig {
            sid,
            tick_time,
            min_session_timeout: tick_time * 2,
            max_session_timeout: tick_time * 20,
            wall_clock_base: 0,
            rules: Rules::default(),
            dialect: Dialect::default(),
            global_outstanding_limit: 1000,
            config_text: String::new(),
            standalone: false,
            leader_serves: true,
            sweep_interval: Duration::from_secs(60),
            sweep: Sweep::default(),
        }
    }

    /// Unix time in milliseconds.
    pub fn wall_clock(&self, now: Instant) -> i64 {
        self.wall_clock_base.saturating_add((now.0 / 1_000_000) as i64)
    }

    /// The same of so many milliseconds after [`Instant::ZERO`].
    pub fn wall_clock_of(&self, millis: u64) -> i64 {
        self.wall_clock_base.saturating_add(i64::try_from(millis).unwrap_or(i64::MAX))
    }

    /// The time-out of a session whose client asked for `asked` milliseconds.
    pub fn negotiate(&self, asked: i32) -> i32 {
        let shortest = millis(self.min_session_timeout);
        asked.clamp(shortest, millis(self.max_session_timeout).max(shortest))
    }

    /// How many requests may wait on this server, one of `voters` (L5): a leader answers for every follower.
    pub fn outstanding_limit(&self, voters: usize) -> usize {
        if self.standalone || voters <= 2 {
            self.global_outstanding_limit
        } else {
            (self.global_outstanding_limit / (voters - 1)).max(1)
        }
    }
}

/// As the wire has it.
fn millis(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_lasts_between_two_and_twenty_ticks() {
        let config = ServiceConfig::new(Sid(1), Duration::from_millis(2000));
        assert_eq!(
            [-1, 0, 4000, 10_000, 40_001].map(|asked| config.negotiate(asked)),
            [4000, 4000, 4000, 10_000, 40_000]
        );
        let upside_down = ServiceConfig { max_session_timeout: Duration::from_millis(5), ..config };
        assert_eq!(upside_down.negotiate(10_000), 4000, "no panic where the limits contradict each other");
    }

    #[test]
    fn the_limit_of_an_ensemble_is_shared_by_its_followers() {
        let config = ServiceConfig::new(Sid(1), Duration::from_millis(2000));
        assert_eq!([1, 2, 3, 5].map(|voters| config.outstanding_limit(voters)), [1000, 1000, 500, 250]);
    }
}
