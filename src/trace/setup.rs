//! How a [`Setup`] stands in the header of a trace: what the seed drew, so that a replay draws nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use crate::scenario::{HistoryOptions, LARGEST_CHUNK, LimitsOptions};
use crate::sim::{Drift, Node, NodeSetup, ServiceKind, Setup};
use crate::zab::{Conduct, Ensemble, Limits, MemberRole, Sid, quorum::Group, quorum::Rule};

/// A world, as written.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    nodes: Vec<WrittenNode>,
    /// Of a hierarchical quorum: who belongs to each group, with which weight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<Vec<(Node, u64)>>>,
    /// The version of the configuration.
    #[serde(default, skip_serializing_if = "is_zero")]
    version: u64,
    clients: u8,
    fifo: bool,
    snapshot_chunk: u32,
    #[serde(default, skip_serializing_if = "ServiceKind::is_ledger")]
    service: ServiceKind,
    /// Those of most nodes: of all, as a rule.
    #[serde(with = "LimitsOptions")]
    limits: Limits,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct WrittenNode {
    node: Node,
    role: Role,
    starts: bool,
    /// Its clock runs the first for each of the second.
    drift: (u32, u32),
    #[serde(default, skip_serializing_if = "Option::is_none")]
    history: Option<HistoryOptions>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limits: Option<OwnLimits>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Role {
    Participant,
    Observer,
}

#[derive(Deserialize, Serialize)]
struct OwnLimits(#[serde(with = "LimitsOptions")] Limits);

fn is_zero(n: &u64) -> bool {
    *n == 0
}

pub(super) fn serialize<S: Serializer>(setup: &Setup, to: S) -> Result<S::Ok, S::Error> {
    let limits = setup.nodes.first().map_or_else(Limits::default, |node| node.limits.clone());
    let nodes = setup.nodes.iter().enumerate().map(|(index, node)| write_node(setup, index, node, &limits)).collect();
    let groups = match setup.ensemble.rule() {
        Rule::Majority { .. } => None,
        Rule::Groups(groups) => {
            let members = |group: &Group| group.members.iter().map(|&(i, w)| (Node::at(i), w)).collect();
            Some(groups.iter().map(members).collect())
        }
    };
    let Setup { ref ensemble, clients, fifo, snapshot_chunk, service, .. } = *setup;
    let snapshot_chunk = u32::try_from(snapshot_chunk).map_err(ser::Error::custom)?;
    Written { nodes, groups, version: ensemble.version(), clients, fifo, snapshot_chunk, service, limits }.serialize(to)
}

fn write_node(setup: &Setup, index: usize, node: &NodeSetup, limits: &Limits) -> WrittenNode {
    let own = Node::at(index);
    WrittenNode {
        node: own,
        role: if setup.ensemble.is_participant(own.sid()) { Role::Participant } else { Role::Observer },
        starts: node.starts,
        drift: (node.drift.numerator, node.drift.denominator),
        history: (node.history != Default::default()).then(|| HistoryOptions::of(&node.history)),
        limits: (node.limits != *limits).then(|| OwnLimits(node.limits.clone())),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Setup, D::Error> {
    Written::deserialize(from)?.setup().map_err(de::Error::custom)
}

impl Written {
    /// Says no to whatever a world could not be built from: a trace may have been edited.
    fn setup(self) -> Result<Setup, String> {
        let ensemble = self.ensemble()?;
        self.limits.validate().map_err(|error| error.to_string())?;
        if !(1..=LARGEST_CHUNK).contains(&self.snapshot_chunk) {
            return Err(format!("a piece of a snapshot has 1 to {LARGEST_CHUNK} bytes"));
        }
        let nodes = self.nodes.into_iter().map(|node| node.setup(&self.limits)).collect::<Result<_, String>>()?;
        let Written { clients, fifo, snapshot_chunk, service, .. } = self;
        Ok(Setup {
            ensemble,
            nodes,
            clients,
            fifo,
            snapshot_chunk: snapshot_chunk as usize,
            service,
            conduct: Conduct::default(),
            only: Vec::new(),
        })
    }

    fn ensemble(&self) -> Result<Ensemble, String> {
        if let Some((index, node)) = self.nodes.iter().enumerate().find(|(index, node)| node.node.index() != *index) {
            return Err(format!("the nodes are p1, p2 and so on: number {} is {}", index + 1, node.node));
        }
        let members = self.nodes.iter().map(|node| match node.role {
            Role::Participant => (node.node.sid(), MemberRole::Participant),
            Role::Observer => (node.node.sid(), MemberRole::Observer),
        });
        let built = match &self.groups {
            None => Ensemble::majority(members),
            Some(groups) => {
                let weights: BTreeMap<Sid, u64> = groups.iter().flatten().map(|&(node, w)| (node.sid(), w)).collect();
                let sids = |group: &Vec<(Node, u64)>| group.iter().map(|(node, _)| node.sid()).collect();
                Ensemble::hierarchical(members, &groups.iter().map(sids).collect::<Vec<_>>(), &weights)
            }
        };
        built.map(|ensemble| ensemble.with_version(self.version)).map_err(|error| error.to_string())
    }
}

impl WrittenNode {
    fn setup(self, limits: &Limits) -> Result<NodeSetup, String> {
        let (numerator, denominator) = self.drift;
        if numerator == 0 || denominator == 0 {
            return Err(format!("the clock of {} must advance", self.node));
        }
        let limits = self.limits.map_or_else(|| limits.clone(), |own| own.0);
        limits.validate().map_err(|error| format!("{}: {error}", self.node))?;
        let history = self.history.unwrap_or_default();
        history.check().map_err(|(key, wrong)| format!("history of {}: {key}: {wrong}", self.node))?;
        let drift = Drift { numerator, denominator };
        Ok(NodeSetup { limits, drift, history: history.history(), starts: self.starts })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Header, Trace, TraceError};
    use crate::scenario::Scenario;

    const EVERYTHING: &str = r#"# m
[cluster]
participants = "3..7"
observers = 1
groups = [["p1", "p2"], ["p3"]]
weights = { p2 = 3, p3 = 2 }
down = ["p2"]
[history.p1]
txns = [[1, 5], [3, 2]]
accepted = 9
snapshot = [1, 4]
purged = true
[limits]
tick_time = "1.5ms"
snapshot_size_factor = "2/7"
max_time_to_wait_for_epoch = "3s"
counter_limit = 77
[network]
fifo = false
[clocks]
drift = 5000
"#;

    fn header(text: &str, seed: u64) -> Header {
        Header::new("a", &Scenario::parse("a.toml", text).unwrap(), seed)
    }

    fn read(header: &str) -> Result<Trace, TraceError> {
        Trace::read(header.as_bytes())
    }

    #[test]
    fn a_header_brings_back_what_the_seed_drew() {
        let fixed = EVERYTHING.replace("\"3..7\"", "3");
        let drawn = "# m\n[cluster]\nparticipants = \"3..7\"\n";
        for text in [fixed.as_str(), drawn] {
            let scenario = Scenario::parse("a.toml", text).unwrap();
            for seed in 1..20 {
                let header = header(text, seed);
                assert_eq!(header.setup, scenario.setup(seed));
                let line = serde_json::to_string(&header).unwrap();
                assert_eq!(read(&format!("{line}\n")).unwrap().header, header, "{line}");
            }
        }
    }

    #[test]
    fn habits_stand_by_name_in_the_header_and_nowhere_if_there_are_none() {
        assert!(!serde_json::to_string(&header("# m\n", 1)).unwrap().contains("habits"));
        let header = header("# m\nprofile = \"apache-3.8.0\"\n[promise]\nonly = [\"K1\"]\n", 1);
        assert_eq!(header.setup.conduct.habits, crate::zab::Release::Apache380.habits());
        let line = serde_json::to_string(&header).unwrap();
        let back = read(&line).unwrap().header;
        assert_eq!((&back.setup.conduct, &back.setup.only), (&header.setup.conduct, &vec!["K1".to_owned()]));
        let unknown = line.replace("\"memory-lags\"", "\"memory-lag\"");
        assert!(read(&unknown).unwrap_err().to_string().contains("unknown habit `memory-lag`"));
    }

    #[test]
    fn limits_of_its_own_stay_with_their_node() {
        let mut header = header("# m\n", 1);
        header.setup.nodes[1].limits.snapshot_size_factor = None;
        let line = serde_json::to_string(&header).unwrap();
        assert_eq!(line.matches("counter_limit").count(), 2, "{line}");
        assert_eq!(read(&line).unwrap().header, header);
    }

    #[test]
    fn a_world_that_cannot_be_is_refused_with_a_reason() {
        let line =
            serde_json::to_string(&header("# m\n[history.p1]\ntxns = [[1, 5]]\n[clocks]\ndrift = 0\n", 1)).unwrap();
        let refused = |from: &str, to: &str| {
            assert!(line.contains(from), "{from} in {line}");
            read(&line.replacen(from, to, 1)).expect_err(to).to_string()
        };
        assert!(refused("[1000000,1000000]", "[0,1000000]").contains("the clock of p1 must advance"));
        assert!(refused("\"node\":\"p2\"", "\"node\":\"p3\"").contains("number 2 is p3"));
        assert!(refused("\"snapshot\":null", "\"snapshot\":[2,1]").contains("history of p1: snapshot"));
        assert!(refused("\"sync_limit\":5", "\"sync_limit\":0").contains("sync_limit must be greater than 0"));
        let chunk = format!("\"snapshot_chunk\":{}", header("# m\n", 1).setup.snapshot_chunk);
        assert!(refused(&chunk, "\"snapshot_chunk\":0").contains("1 to 1048576 bytes"));
        assert!(refused("\"fifo\":true,", "").contains("missing field `fifo`"));
        let observers = line.replace("participant", "observer");
        assert!(read(&observers).unwrap_err().to_string().contains("at least one participant"));
    }
}
