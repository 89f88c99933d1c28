//! Who there is, and what their disks hold at first.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::error::{ScenarioError, Source};
use super::servers;
use crate::sim::{History, Node, Rng, Stream};
use crate::zab::{Ensemble, EnsembleError, Epoch, MemberRole, Sid, Zxid};

/// The members of the ensemble: participants `p1` to `pn`, then observers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClusterOptions {
    /// How many vote: a number, or a range such as `"3..7"` of which each seed draws one.
    pub participants: Count,
    /// How many only listen.
    pub observers: u8,
    /// The weights of participants; 1 for those that are not named.
    #[schemars(with = "BTreeMap<String, u32>")]
    pub weights: BTreeMap<Node, u32>,
    /// The groups of a hierarchical quorum; one group of everybody if there are only weights.
    #[schemars(with = "Vec<Vec<String>>")]
    pub groups: Vec<Vec<Node>>,
    /// Who is not started at first.
    #[schemars(with = "Vec<String>")]
    pub down: Vec<Node>,
}

impl Default for ClusterOptions {
    fn default() -> ClusterOptions {
        ClusterOptions {
            participants: Count { low: 3, high: 3 },
            observers: 0,
            weights: BTreeMap::new(),
            groups: Vec::new(),
            down: Vec::new(),
        }
    }
}

/// A number, or a range of which each seed draws one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Count {
    /// The least.
    pub low: u8,
    /// The greatest.
    pub high: u8,
}

#[derive(Deserialize, Serialize)]
#[serde(untagged, expecting = "expected a number of servers, or a range such as \"3..7\"")]
enum Written {
    Number(u8),
    Range(String),
}

impl TryFrom<Written> for Count {
    type Error = String;

    fn try_from(written: Written) -> Result<Count, String> {
        match written {
            Written::Number(n) => Ok(Count { low: n, high: n }),
            Written::Range(text) => {
                let ends = text.split_once("..").and_then(|(low, high)| low.parse().ok().zip(high.parse().ok()));
                let range = ends.filter(|(low, high)| low <= high).map(|(low, high)| Count { low, high });
                range.ok_or_else(|| format!("expected a range such as \"3..7\", not {text:?}"))
            }
        }
    }
}

impl From<Count> for Written {
    fn from(count: Count) -> Written {
        if count.low == count.high {
            Written::Number(count.low)
        } else {
            Written::Range(format!("{}..{}", count.low, count.high))
        }
    }
}

impl JsonSchema for Count {
    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number, or a range of which each seed draws one.",
            "anyOf": [
                { "type": "integer", "minimum": 1, "maximum": 64 },
                { "type": "string", "pattern": "^[0-9]+\\.\\.[0-9]+$" },
            ],
        })
    }
}

impl Count {
    /// The number of the run of `seed`.
    pub fn draw(self, seed: u64) -> usize {
        Rng::new(seed, Stream::Scenario, 0).range(self.low.into(), self.high.into()) as usize
    }
}

impl ClusterOptions {
    /// The ensemble with `participants` voting members.
    pub fn ensemble(&self, participants: usize) -> Result<Ensemble, EnsembleError> {
        let sid = |index: usize| Sid(index as i64 + 1);
        let voting = (0..participants).map(|index| (sid(index), MemberRole::Participant));
        let observing = (0..usize::from(self.observers)).map(|i| (sid(participants + i), MemberRole::Observer));
        if self.groups.is_empty() && self.weights.is_empty() {
            return Ensemble::majority(voting.chain(observing));
        }
        let weights = self.weights.iter().map(|(node, &weight)| (node.sid(), weight.into())).collect();
        let groups: Vec<Vec<Sid>> = if self.groups.is_empty() {
            vec![(0..participants).map(sid).collect()]
        } else {
            self.groups.iter().map(|group| group.iter().map(|node| node.sid()).collect()).collect()
        };
        Ensemble::hierarchical(voting.chain(observing), &groups, &weights)
    }

    /// How many servers there are at least, over all seeds.
    pub fn smallest(&self) -> usize {
        usize::from(self.participants.low) + usize::from(self.observers)
    }

    pub(super) fn validate(&self, source: &Source) -> Result<(), ScenarioError> {
        let total = usize::from(self.participants.high) + usize::from(self.observers);
        if total > 64 {
            let message = format!("an ensemble has at most 64 members, not {total}");
            return Err(source.at("cluster", "participants", message));
        }
        for count in self.participants.low..=self.participants.high {
            self.ensemble(count.into()).map_err(|error| {
                let key = match error {
                    EnsembleError::UnknownMember(sid) => format!("p{}", sid.0),
                    EnsembleError::NotInOneGroup(_) => "groups".to_owned(),
                    EnsembleError::NoQuorumPossible => "weights".to_owned(),
                    EnsembleError::NoParticipant | EnsembleError::TooMany(_) => "participants".to_owned(),
                };
                source.at("cluster", &key, error.to_string()).with_help(&servers(self.smallest()))
            })?;
        }
        match self.down.iter().find(|node| node.index() >= self.smallest()) {
            Some(&node) => Err(source.stranger("cluster", node, self.smallest())),
            None => Ok(()),
        }
    }
}

/// What a disk holds before the run. Txns are made from their zxids: the same zxid is the same txn on every disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HistoryOptions {
    /// acceptedEpoch; the current epoch if absent.
    pub accepted: Option<u32>,
    /// currentEpoch; that of the last txn if absent.
    pub current: Option<u32>,
    /// Epochs and the last counter of each: `[[1, 5], [2, 3]]` is 1:1 to 1:5, then 2:1 to 2:3.
    pub txns: Vec<(u32, u32)>,
    /// The txn up to which a snapshot stands beside the log, as `[epoch, counter]`.
    pub snapshot: Option<(u32, u32)>,
    /// Whether the log before the snapshot is gone.
    pub purged: bool,
}

/// The longest history a scenario may start with.
const LONGEST: u64 = 1_000_000;

impl HistoryOptions {
    /// As the world wants it.
    pub fn history(&self) -> History {
        let last = self.txns.last().map_or(0, |txn| txn.0);
        let current = self.current.unwrap_or(last);
        History {
            accepted_epoch: Epoch(self.accepted.unwrap_or(current)),
            current_epoch: Epoch(current),
            txns: self.txns.iter().map(|&(epoch, count)| (Epoch(epoch), count)).collect(),
            snapshot_at: self.snapshot.map(|(epoch, counter)| Zxid::new(Epoch(epoch), counter)),
            purged: self.purged,
        }
    }

    /// As a scenario would say it.
    pub fn of(history: &History) -> HistoryOptions {
        HistoryOptions {
            accepted: Some(history.accepted_epoch.0),
            current: Some(history.current_epoch.0),
            txns: history.txns.iter().map(|&(epoch, count)| (epoch.0, count)).collect(),
            snapshot: history.snapshot_at.map(|zxid| (zxid.epoch().0, zxid.counter())),
            purged: history.purged,
        }
    }

    pub(super) fn validate(&self, node: Node, source: &Source) -> Result<(), ScenarioError> {
        self.check().map_err(|(key, wrong)| source.at(&format!("history.{node}"), key, wrong.to_owned()))
    }

    /// Whether some disk could hold it; if not, which key is wrong and why.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let fail = |key, wrong| Err((key, wrong));
        let history = self.history();
        if !self.txns.is_sorted_by(|a, b| a.0 < b.0) {
            return fail("txns", "epochs ascend");
        }
        if self.txns.iter().any(|&(epoch, count)| epoch == 0 || count == 0) {
            return fail("txns", "epochs and counters of txns start at 1");
        }
        if self.txns.iter().map(|txn| u64::from(txn.1)).sum::<u64>() > LONGEST {
            return fail("txns", "at most a million txns");
        }
        if history.accepted_epoch.0 > i32::MAX as u32 / 2 {
            return fail(if self.accepted.is_some() { "accepted" } else { "current" }, "this epoch is too late");
        }
        if history.accepted_epoch < history.current_epoch {
            return fail("accepted", "no peer adopts an epoch it has not promised: `accepted` is below `current`");
        }
        if self.txns.last().is_some_and(|txn| txn.0 > history.current_epoch.0) {
            return fail("current", "the last txn is of a later epoch than `current`");
        }
        match self.snapshot {
            Some((epoch, counter)) if !self.txns.iter().any(|t| t.0 == epoch && (1..=t.1).contains(&counter)) => {
                fail("snapshot", "the snapshot ends with a txn that is not in `txns`")
            }
            None if self.purged => fail("purged", "a purged log needs a snapshot before it"),
            _ => Ok(()),
        }
    }
}
