//! The `[limits]` section: [`Limits`] of the core, which knows no serde, with the defaults of a simulation.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::sim::text::{self, Share, Time};
use crate::zab::{Duration, Limits, Ratio};

/// How [`Limits`] are written. A field that is missing here, or has another type, does not compile.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(remote = "Limits", deny_unknown_fields)]
pub struct LimitsOptions {
    /// The unit of the limits below (`tickTime`).
    #[serde(default = "tick_time", with = "text::duration")]
    #[schemars(with = "Time")]
    pub tick_time: Duration,
    /// Ticks for connecting, discovery and synchronisation (`initLimit`).
    #[serde(default = "init_limit")]
    pub init_limit: u32,
    /// Ticks of silence allowed in broadcast (`syncLimit`).
    #[serde(default = "sync_limit")]
    pub sync_limit: u32,
    /// Ticks for connecting to the leader; 0 means `init_limit`.
    #[serde(default)]
    pub connect_limit: u32,
    /// The pause between two attempts to connect.
    #[serde(default = "connect_retry_delay", with = "text::duration")]
    #[schemars(with = "Time")]
    pub connect_retry_delay: Duration,
    /// How long a peer waits after a proposal has a quorum, lest a better one arrives.
    #[serde(default = "finalize_wait", with = "text::duration")]
    #[schemars(with = "Time")]
    pub finalize_wait: Duration,
    /// The first wait for notifications.
    #[serde(default = "min_notification_interval", with = "text::duration")]
    #[schemars(with = "Time")]
    pub min_notification_interval: Duration,
    /// The longest wait for notifications.
    #[serde(default = "max_notification_interval", with = "text::duration")]
    #[schemars(with = "Time")]
    pub max_notification_interval: Duration,
    /// Give up leading if a voter is looking again after this long without a quorum of epochs; off if absent.
    #[serde(default, with = "optional_duration", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Time>")]
    pub max_time_to_wait_for_epoch: Option<Duration>,
    /// The pause of an observer before it looks again.
    #[serde(default = "observer_election_delay", with = "text::duration")]
    #[schemars(with = "Time")]
    pub observer_election_delay: Duration,
    /// Txns kept in memory for DIFF.
    #[serde(default = "commit_log_count")]
    pub commit_log_count: usize,
    /// Txns between two snapshots.
    #[serde(default = "snap_count")]
    pub snap_count: u32,
    /// Bytes of txns between two snapshots, if that bound comes first; none if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snap_size_limit: Option<u64>,
    /// How much log is worth sending from disk, as a share of the newest snapshot: "off" disables it.
    #[serde(default = "snapshot_size_factor", with = "size_factor")]
    #[schemars(with = "String")]
    pub snapshot_size_factor: Option<Ratio>,
    /// Always synchronise by SNAP.
    #[serde(default)]
    pub force_snapshot_sync: bool,
    /// Observers that may be in a SNAP at once.
    #[serde(default = "max_concurrent_snap_syncs")]
    pub max_concurrent_snap_syncs: u32,
    /// Observers that may be in a DIFF or TRUNC at once.
    #[serde(default = "max_concurrent_diff_syncs")]
    pub max_concurrent_diff_syncs: u32,
    /// The counter at which an epoch is used up.
    #[serde(default = "counter_limit")]
    pub counter_limit: u32,
}

/// ZooKeeper's defaults, with every time about a tenth or less: a simulated network answers within milliseconds.
pub fn simulated() -> Limits {
    Limits {
        tick_time: Duration::from_millis(100),
        init_limit: 10,
        sync_limit: 5,
        connect_retry_delay: Duration::from_millis(20),
        finalize_wait: Duration::from_millis(20),
        min_notification_interval: Duration::from_millis(20),
        max_notification_interval: Duration::from_secs(2),
        observer_election_delay: Duration::from_millis(10),
        commit_log_count: 50,
        snap_count: 100,
        snap_size_limit: None,
        ..Limits::default()
    }
}

macro_rules! defaults {
    ($($field:ident: $type:ty),* $(,)?) => {
        $(fn $field() -> $type { simulated().$field })*
    };
}

defaults! {
    tick_time: Duration,
    init_limit: u32,
    sync_limit: u32,
    connect_retry_delay: Duration,
    finalize_wait: Duration,
    min_notification_interval: Duration,
    max_notification_interval: Duration,
    observer_election_delay: Duration,
    commit_log_count: usize,
    snap_count: u32,
    snapshot_size_factor: Option<Ratio>,
    max_concurrent_snap_syncs: u32,
    max_concurrent_diff_syncs: u32,
    counter_limit: u32,
}

mod optional_duration {
    use super::*;

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        Time::deserialize(from).map(|time| Some(time.0))
    }

    pub fn serialize<S: Serializer>(duration: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        duration.map(Time).serialize(to)
    }
}

mod size_factor {
    use super::*;

    #[derive(Deserialize)]
    #[serde(try_from = "String")]
    struct SizeFactor(Option<Ratio>);

    impl TryFrom<String> for SizeFactor {
        type Error = String;

        fn try_from(text: String) -> Result<SizeFactor, String> {
            match text.split_once('/') {
                _ if text == "off" => Ok(SizeFactor(None)),
                Some((numerator, denominator)) => {
                    let ratio = numerator.parse().ok().zip(denominator.parse().ok());
                    ratio.map(|(n, d)| SizeFactor(Some(Ratio::new(n, d))))
                }
                .ok_or_else(|| format!("expected a fraction such as \"33/100\", or \"off\", not {text:?}")),
                None => Err(format!("expected a fraction such as \"33/100\", or \"off\", not {text:?}")),
            }
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Ratio>, D::Error> {
        SizeFactor::deserialize(from).map(|factor| factor.0)
    }

    pub fn serialize<S: Serializer>(factor: &Option<Ratio>, to: S) -> Result<S::Ok, S::Error> {
        match factor {
            None => "off".serialize(to),
            Some(ratio) => String::from(Share(*ratio)).serialize(to),
        }
    }
}
