//! Quotas (`Quotas`, `StatsTrack`): limits and counters are texts in znodes below `/zookeeper/quota`.

use std::collections::BTreeMap;
use std::fmt;

use super::path;

/// The name of the node with the limits of a subtree.
pub const LIMITS: &str = "zookeeper_limits";
/// The name of the node with its counters.
pub const STATS: &str = "zookeeper_stats";

/// Where the limits of a subtree stand.
pub fn limits_path(subtree: &str) -> String {
    format!("{}{subtree}/{LIMITS}", path::QUOTA)
}

/// Where its counters stand.
pub fn stats_path(subtree: &str) -> String {
    format!("{}{subtree}/{STATS}", path::QUOTA)
}

/// The subtree that a node of the name `name` speaks of.
pub fn subtree_of<'a>(node: &'a str, name: &str) -> Option<&'a str> {
    let subtree = node.strip_prefix(path::QUOTA)?.strip_suffix(name)?.strip_suffix('/')?;
    (!subtree.is_empty()).then_some(subtree)
}

/// Limits or counters: −1 where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatsTrack(BTreeMap<String, i64>);

impl StatsTrack {
    /// Nodes and bytes of a subtree.
    pub fn of(count: i64, bytes: i64) -> StatsTrack {
        StatsTrack(BTreeMap::from([(COUNT.to_owned(), count), (BYTES.to_owned(), bytes)]))
    }

    /// From the text of a node: `key=number`, separated by `,` or `;`. ZooKeeper fails where a number is none; here such a pair
    /// says nothing.
    pub fn parse(text: &[u8]) -> StatsTrack {
        let text = String::from_utf8_lossy(text);
        let pairs = text.split([',', ';']).filter_map(|pair| {
            let mut parts = pair.split('=');
            let (key, value) = (parts.next()?, parts.next()?);
            let value = if value.is_empty() { -1 } else { value.parse().ok()? };
            Some((key.to_owned(), value))
        });
        StatsTrack(pairs.collect())
    }

    /// Nodes, or a limit for them that is only reported.
    pub fn count(&self) -> i64 {
        self.value(COUNT)
    }

    /// Bytes, or a limit for them that is only reported.
    pub fn bytes(&self) -> i64 {
        self.value(BYTES)
    }

    /// The same with more nodes and bytes.
    #[must_use]
    pub fn plus(mut self, count: i64, bytes: i64) -> StatsTrack {
        let (count, bytes) = (self.count().wrapping_add(count), self.bytes().wrapping_add(bytes));
        self.0.insert(COUNT.to_owned(), count);
        self.0.insert(BYTES.to_owned(), bytes);
        self
    }

    /// Whether, with `self` as the limits, a subtree that has `counted` may not grow by this (`ZooKeeperServer.checkQuota`). Only
    /// hard limits refuse.
    pub fn forbids(&self, counted: &StatsTrack, count: i64, bytes: i64) -> bool {
        let exceeds = |limit: i64, has: i64, more: i64| limit > -1 && more != 0 && has.saturating_add(more) > limit;
        exceeds(self.value(COUNT_HARD), counted.count(), count)
            || exceeds(self.value(BYTES_HARD), counted.bytes(), bytes)
    }

    fn value(&self, key: &str) -> i64 {
        self.0.get(key).copied().unwrap_or(-1)
    }
}

/// Count and bytes first; an odd `=` behind them keeps parsers of 3.4 from reading on.
impl fmt::Display for StatsTrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{COUNT}={},{BYTES}={}", self.count(), self.bytes())?;
        let more = self.0.iter().filter(|(key, _)| ![COUNT, BYTES].contains(&key.as_str()));
        for (i, (key, value)) in more.enumerate() {
            write!(f, "{};{key}={value}", if i == 0 { "=" } else { "" })?;
        }
        Ok(())
    }
}

const COUNT: &str = "count";
const BYTES: &str = "bytes";
const COUNT_HARD: &str = "countHardLimit";
const BYTES_HARD: &str = "byteHardLimit";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_counters_are_texts() {
        let limits = StatsTrack::parse(b"count=4,bytes=5=;byteHardLimit=9;countHardLimit=10");
        assert_eq!((limits.count(), limits.bytes()), (4, 5));
        assert_eq!(limits.to_string(), "count=4,bytes=5=;byteHardLimit=9;countHardLimit=10");
        assert_eq!(StatsTrack::of(1, 2).plus(1, -2).to_string(), "count=2,bytes=0");
        assert_eq!(StatsTrack::parse(b"").to_string(), "count=-1,bytes=-1");
        assert_eq!(StatsTrack::parse(b"count=,bytes=x,\xff=,=,,;").count(), -1);
    }

    #[test]
    fn only_hard_limits_refuse_and_only_growth() {
        let counted = StatsTrack::of(3, 100);
        let soft = StatsTrack::parse(b"count=1,bytes=1");
        assert!(!soft.forbids(&counted, 1, 1000));
        let hard = StatsTrack::parse(b"countHardLimit=3;byteHardLimit=100");
        assert!(hard.forbids(&counted, 1, 0) && hard.forbids(&counted, 0, 1));
        assert!(!hard.forbids(&counted, 0, 0) && !hard.forbids(&StatsTrack::of(2, 99), 1, 1));
    }

    #[test]
    fn a_quota_names_its_subtree() {
        assert_eq!(subtree_of("/zookeeper/quota/a/b/zookeeper_limits", LIMITS), Some("/a/b"));
        assert_eq!(subtree_of("/zookeeper/quota/zookeeper_limits", LIMITS), None);
        assert_eq!(subtree_of("/zookeeper/quota/a/zookeeper_stats", LIMITS), None);
        assert_eq!(
            (limits_path("/a"), stats_path("/a")),
            ("/zookeeper/quota/a/zookeeper_limits".to_owned(), "/zookeeper/quota/a/zookeeper_stats".to_owned())
        );
    }
}
