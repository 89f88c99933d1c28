//! The options of one peer, under ZooKeeper's names (`QuorumPeerConfig`), validated on construction.

use std::fmt;

use super::{Conduct, Duration, Ensemble, Sid};

/// A fraction, exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    /// Above the line.
    pub numerator: u32,
    /// Below the line; never 0 in a validated [`Config`].
    pub denominator: u32,
}

impl Ratio {
    /// `numerator / denominator`.
    pub const fn new(numerator: u32, denominator: u32) -> Ratio {
        Ratio { numerator, denominator }
    }

    /// This share of `n`, rounded down.
    pub fn of(self, n: u64) -> u64 {
        (u128::from(n) * u128::from(self.numerator) / u128::from(self.denominator.max(1))) as u64
    }
}

/// How long things may take, and how much is kept. The defaults are ZooKeeper's, with the sample file's limits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// The unit of the limits below (`tickTime`).
    pub tick_time: Duration,
    /// Ticks for connecting, discovery and synchronisation (`initLimit`).
    pub init_limit: u32,
    /// Ticks of silence allowed in broadcast (`syncLimit`).
    pub sync_limit: u32,
    /// Ticks for connecting to the leader; 0 means `init_limit` (`connectToLearnerMasterLimit`).
    pub connect_limit: u32,
    /// The pause between two attempts to connect (`leaderConnectDelayDuringRetryMs`).
    pub connect_retry_delay: Duration,
    /// How long a peer waits after a proposal has a quorum, lest a better one arrives (`finalizeWait`).
    pub finalize_wait: Duration,
    /// The first wait for notifications (`fastleader.minNotificationInterval`).
    pub min_notification_interval: Duration,
    /// The longest wait for notifications (`fastleader.maxNotificationInterval`).
    pub max_notification_interval: Duration,
    /// Give up leading if a voter is looking again after this long without a quorum of epochs
    /// (`leader.maxTimeToWaitForEpoch`, off by default).
    pub max_time_to_wait_for_epoch: Option<Duration>,
    /// The pause of an observer before it looks again. ZooKeeper draws it from [0, 200 ms); the host draws it here
    /// (`observer.election.DelayMs`).
    pub observer_election_delay: Duration,
    /// Txns kept in memory for DIFF (`commitLogCount`, 500).
    pub commit_log_count: usize,
    /// Txns between two snapshots (`snapCount`); a host adds its own jitter.
    pub snap_count: u32,
    /// Bytes of txns between two snapshots, if that bound comes first (`snapSizeLimitInKb`, 4 GiB); `None` for no bound.
    pub snap_size_limit: Option<u64>,
    /// How much log is worth sending from disk, as a share of the newest snapshot; `None` disables it
    /// (`snapshotSizeFactor`, 0.33).
    pub snapshot_size_factor: Option<Ratio>,
    /// Always synchronise by SNAP (`forceSnapshotSync`).
    pub force_snapshot_sync: bool,
    /// Observers that may be in a SNAP at once (`leader.maxConcurrentSnapSyncs`).
    pub max_concurrent_snap_syncs: u32,
    /// Observers that may be in a DIFF or TRUNC at once (`leader.maxConcurrentDiffSyncs`).
    pub max_concurrent_diff_syncs: u32,
    /// The counter at which an epoch is used up; 2^32 − 1 in ZooKeeper, small in a simulation that wants to reach it.
    pub counter_limit: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            tick_time: Duration::from_millis(2000),
            init_limit: 10,
            sync_limit: 5,
            connect_limit: 0,
            connect_retry_delay: Duration::from_millis(100),
            finalize_wait: Duration::from_millis(200),
            min_notification_interval: Duration::from_millis(200),
            max_notification_interval: Duration::from_secs(60),
            max_time_to_wait_for_epoch: None,
            observer_election_delay: Duration::from_millis(100),
            commit_log_count: 500,
            snap_count: 100_000,
            snap_size_limit: Some(4 << 30),
            snapshot_size_factor: Some(Ratio::new(33, 100)),
            force_snapshot_sync: false,
            max_concurrent_snap_syncs: 10,
            max_concurrent_diff_syncs: 100,
            counter_limit: u32::MAX,
        }
    }
}

impl Limits {
    /// `tickTime × initLimit`.
    pub fn init_time(&self) -> Duration {
        self.tick_time * u64::from(self.init_limit)
    }

    /// `tickTime × syncLimit`.
    pub fn sync_time(&self) -> Duration {
        self.tick_time * u64::from(self.sync_limit)
    }

    /// The budget for connecting to a leader (T4).
    pub fn connect_time(&self) -> Duration {
        self.tick_time * u64::from(if self.connect_limit > 0 { self.connect_limit } else { self.init_limit })
    }
}

/// One peer: who it is, with whom, and its limits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// This peer.
    pub sid: Sid,
    /// Everybody.
    pub ensemble: Ensemble,
    /// Times and sizes.
    pub limits: Limits,
    /// How it behaves; the hardened protocol unless said otherwise.
    pub conduct: Conduct,
}

/// Why a [`Config`] cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// This peer is no member of its ensemble.
    NotAMember(Sid),
    /// A limit that must not be zero is; its key.
    Zero(&'static str),
    /// A limit in ticks is beyond [`MOST_TICKS`]; its key.
    TooManyTicks(&'static str),
    /// The longest notification interval is below the shortest.
    Intervals,
}

/// No limit is longer than this many ticks.
pub const MOST_TICKS: u32 = 1 << 20;

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::NotAMember(sid) => write!(f, "{sid} is not a member of its own ensemble"),
            ConfigError::Zero(key) => write!(f, "{key} must be greater than 0"),
            ConfigError::TooManyTicks(key) => write!(f, "{key} must be at most {MOST_TICKS} ticks"),
            ConfigError::Intervals => {
                f.write_str("max_notification_interval must not be below min_notification_interval")
            }
        }
    }
}

impl std::error::Error for ConfigError {}

impl Limits {
    /// Whether a peer can work with these limits at all.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let positive = [
            // A ping is due every half tick, so a tick of 1 ns has none.
            ("tick_time", self.tick_time.0 / 2),
            ("init_limit", self.init_limit.into()),
            ("sync_limit", self.sync_limit.into()),
            ("finalize_wait", self.finalize_wait.0),
            ("min_notification_interval", self.min_notification_interval.0),
            ("commit_log_count", self.commit_log_count as u64),
            ("snap_count", self.snap_count.into()),
            ("counter_limit", self.counter_limit.into()),
            ("snapshot_size_factor", self.snapshot_size_factor.map_or(1, |r| r.denominator.into())),
        ];
        if let Some((key, _)) = positive.into_iter().find(|&(_, value)| value == 0) {
            return Err(ConfigError::Zero(key));
        }
        let ticks =
            [("init_limit", self.init_limit), ("sync_limit", self.sync_limit), ("connect_limit", self.connect_limit)];
        if let Some((key, _)) = ticks.into_iter().find(|&(_, ticks)| ticks > MOST_TICKS) {
            return Err(ConfigError::TooManyTicks(key));
        }
        if self.max_notification_interval < self.min_notification_interval {
            return Err(ConfigError::Intervals);
        }
        Ok(())
    }
}

impl Config {
    /// A configuration that a peer can work with.
    pub fn new(sid: Sid, ensemble: Ensemble, limits: Limits) -> Result<Config, ConfigError> {
        limits.validate()?;
        if ensemble.role(sid).is_none() {
            return Err(ConfigError::NotAMember(sid));
        }
        Ok(Config { sid, ensemble, limits, conduct: Conduct::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zab::MemberRole;

    #[test]
    fn a_config_that_cannot_work_is_refused() {
        let ensemble = Ensemble::majority([(Sid(1), MemberRole::Participant)]).unwrap();
        let with = |limits| Config::new(Sid(1), ensemble.clone(), limits).map(drop);
        assert_eq!(with(Limits::default()), Ok(()));
        assert_eq!(with(Limits { init_limit: 0, ..Limits::default() }), Err(ConfigError::Zero("init_limit")));
        let endless = Limits { sync_limit: u32::MAX, ..Limits::default() };
        assert_eq!(with(endless), Err(ConfigError::TooManyTicks("sync_limit")));
        let shrinking = Limits { max_notification_interval: Duration(1), ..Limits::default() };
        assert_eq!(with(shrinking), Err(ConfigError::Intervals));
        let stranger = Config::new(Sid(2), ensemble.clone(), Limits::default());
        assert_eq!(stranger, Err(ConfigError::NotAMember(Sid(2))));
    }

    #[test]
    fn a_ratio_rounds_down() {
        assert_eq!((Ratio::new(33, 100).of(10), Ratio::new(1, 3).of(u64::MAX)), (3, u64::MAX / 3));
    }
}
