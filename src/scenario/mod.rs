//! Situations as TOML files, and what each promises.
//!
//! A scenario describes a cluster, its network, disks, clocks and clients, what goes wrong, and what must come of it. Each component
//! owns the struct its section is read into; nothing is copied from one form into another. The first comment of a file is its moral.

mod cluster;
mod error;
mod limits;
mod profile;
mod promise;
mod seed;
mod written;

pub use cluster::{ClusterOptions, Count, HistoryOptions};
pub use error::ScenarioError;
pub use limits::LimitsOptions;
pub use profile::{HabitName, Profile};
pub use promise::Promise;
pub use seed::{SeedError, parse_seed};

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sim::clocks::ClockOptions;
use crate::sim::fault::{FaultOptions, RandomOptions};
use crate::sim::latency::{DiskOptions, NetworkOptions};
use crate::sim::schedule::{Plan, RunOptions};
use crate::sim::workload::WorkloadOptions;
use crate::sim::{Node, NodeSetup, ServiceKind, Setup};
use crate::zab::{Conduct, Habits, Limits};
use error::Source;

/// One situation and what it promises.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "A zabsim scenario")]
pub struct Scenario {
    /// What the first comment of the file says.
    #[serde(skip)]
    pub moral: String,
    /// The text of the file, for traces.
    #[serde(skip)]
    pub text: String,
    /// A bug that is switched on, by name. Only builds with the feature `mutants` know any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutant: Option<String>,
    /// The release of ZooKeeper that the servers behave like, such as `apache-3.9.4`; the hardened protocol if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// Single habits of releases, by name, beside those of the profile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub habits: Vec<HabitName>,
    /// What the servers replicate: `ledger`, a hash chain, fast; or `zookeeper`, the whole server with its bytes and files.
    #[serde(default, skip_serializing_if = "ServiceKind::is_ledger")]
    pub service: ServiceKind,
    /// Who there is.
    #[serde(default)]
    pub cluster: ClusterOptions,
    /// What is on the disks at first, by server.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, HistoryOptions>")]
    pub history: BTreeMap<Node, HistoryOptions>,
    /// The times and sizes of every peer.
    #[serde(default = "limits::simulated", with = "LimitsOptions")]
    #[schemars(with = "LimitsOptions")]
    pub limits: Limits,
    /// The network between servers.
    #[serde(default)]
    pub network: NetworkOptions,
    /// The disks.
    #[serde(default)]
    pub disk: DiskOptions,
    /// The clocks.
    #[serde(default)]
    pub clocks: ClockOptions,
    /// The clients.
    #[serde(default)]
    pub workload: WorkloadOptions,
    /// The course of the run.
    #[serde(default)]
    pub run: RunOptions,
    /// What goes wrong, as written.
    #[serde(default, rename = "fault")]
    pub faults: Vec<FaultOptions>,
    /// What goes wrong at random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random: Option<RandomOptions>,
    /// What must come of it.
    #[serde(default)]
    pub promise: Promise,
}

/// The largest piece of a snapshot, in bytes. Even an empty snapshot is padded to more than one.
pub const LARGEST_CHUNK: u32 = 1 << 20;

/// What an empty file says.
impl Default for Scenario {
    fn default() -> Scenario {
        Scenario::parse("", "").expect("every section has a default")
    }
}

impl Scenario {
    /// Reads a scenario. `path` only names it in errors.
    pub fn parse(path: &str, text: &str) -> Result<Scenario, ScenarioError> {
        let source = Source { path, text };
        let mut scenario: Scenario = toml::from_str(text).map_err(|error| source.syntax(&error))?;
        scenario.moral = moral(text);
        scenario.text = text.to_owned();
        scenario.validate(&source)?;
        Ok(scenario)
    }

    /// The name of a scenario file: its stem.
    pub fn name(path: &Path) -> String {
        path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
    }

    /// The world of the run of `seed`.
    pub fn setup(&self, seed: u64) -> Setup {
        let count = self.cluster.participants.draw(seed);
        let total = count + usize::from(self.cluster.observers);
        let node = |index: usize| {
            let node = Node::at(index);
            NodeSetup {
                limits: self.limits.clone(),
                drift: self.clocks.drift_of(node, seed),
                history: self.history.get(&node).map(HistoryOptions::history).unwrap_or_default(),
                starts: !self.cluster.down.contains(&node),
            }
        };
        Setup {
            ensemble: self.cluster.ensemble(count).expect("every size was tried when the scenario was read"),
            nodes: (0..total).map(node).collect(),
            clients: self.workload.clients.saturating_add(1),
            fifo: self.network.fifo,
            snapshot_chunk: self.disk.snapshot_chunk as usize,
            service: self.service,
            conduct: self.conduct(),
            only: self.promise.only.clone(),
        }
    }

    /// How its peers behave.
    pub fn conduct(&self) -> Conduct {
        let mutant = Conduct::of(self.mutant.as_deref()).expect("the name was tried when the scenario was read");
        mutant.with(self.all_habits())
    }

    /// The habits of its profile and its own.
    pub fn all_habits(&self) -> Habits {
        let profile = self.profile.map_or(Habits::NONE, |profile| profile.0.habits());
        self.habits.iter().map(|name| name.0).collect::<Habits>().with(profile)
    }

    /// What a seeded schedule draws from.
    pub fn plan(&self) -> Plan<'_> {
        Plan {
            network: &self.network,
            disk: &self.disk,
            clocks: &self.clocks,
            workload: &self.workload,
            run: &self.run,
            faults: &self.faults,
            random: self.random.as_ref(),
        }
    }

    /// The JSON Schema of scenario files.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Scenario).to_value()
    }

    /// What the types alone cannot say.
    fn validate(&self, source: &Source) -> Result<(), ScenarioError> {
        if let Err(error) = Conduct::of(self.mutant.as_deref()) {
            return Err(source.at("", "mutant", error));
        }
        self.cluster.validate(source)?;
        self.limits.validate().map_err(|error| {
            let key = match &error {
                crate::zab::ConfigError::Zero(key) => key,
                _ => "max_notification_interval",
            };
            source.at("limits", key, error.to_string())
        })?;
        let total = self.cluster.smallest();
        let known = |node: &Node| node.index() < total;
        for (node, history) in &self.history {
            if !known(node) {
                return Err(source.stranger(&format!("history.{node}"), *node, total));
            }
            history.validate(*node, source)?;
        }
        if let Some(node) = self.clocks.ppm.keys().find(|node| !known(node)) {
            return Err(source.stranger("clocks", *node, total));
        }
        let latencies = [
            ("network", "latency", Some(self.network.latency)),
            ("network", "election_latency", self.network.election_latency),
            ("disk", "sync", Some(self.disk.sync)),
            ("disk", "install", Some(self.disk.install)),
            ("disk", "read", Some(self.disk.read)),
            ("workload", "think", Some(self.workload.think)),
            ("run", "boot", Some(self.run.boot)),
        ];
        for (section, key, latency) in latencies {
            if let Some(Err(message)) = latency.map(|latency| latency.validate()) {
                return Err(source.at(section, key, message.to_owned()));
            }
        }
        if !(1..=LARGEST_CHUNK).contains(&self.disk.snapshot_chunk) {
            let message = format!("a piece of a snapshot has 1 to {LARGEST_CHUNK} bytes");
            return Err(source.at("disk", "snapshot_chunk", message));
        }
        if self.workload.clients > 100 {
            return Err(source.at("workload", "clients", "at most 100 clients".to_owned()));
        }
        let mix = self.workload.mix;
        if (mix.write, mix.read, mix.sync) == (0, 0, 0) {
            return Err(source.at("workload", "mix", "clients must do something: all weights are 0".to_owned()));
        }
        self.validate_faults(source, total)?;
        self.promise.validate(source)
    }

    fn validate_faults(&self, source: &Source, total: usize) -> Result<(), ScenarioError> {
        use crate::sim::fault::{Injection, Selector};
        for (index, fault) in self.faults.iter().enumerate() {
            let triggers = [fault.at.is_some(), fault.when.is_some(), fault.every.is_some()];
            let says = |needle: &str, message: &str| Err(source.in_fault(index, needle, message.to_owned()));
            match triggers.into_iter().filter(|&given| given).count() {
                0 => return says("[[fault]]", "a fault needs one of `at`, `when` and `every`"),
                1 => {}
                _ => return says("[[fault]]", "a fault has only one of `at`, `when` and `every`"),
            }
            if fault.nth == 0 {
                return says("nth", "`nth` counts from 1");
            }
            let selectors = fault.what.selectors().into_iter().chain(fault.node).chain(fault.peer);
            for selector in selectors {
                match selector {
                    Selector::Node(node) if node.index() >= total => {
                        return says(&format!("\"{node}\""), &format!("there is no {node}: {}", servers(total)));
                    }
                    Selector::Trigger | Selector::Peer if fault.when.is_none() => {
                        let name = String::from(selector);
                        return says(&format!("\"{name}\""), &format!("\"{name}\" means nothing without `when`"));
                    }
                    _ => {}
                }
            }
            if let Injection::Invoke { client, .. } = fault.what
                && client >= self.workload.clients
            {
                return says("client", &format!("there are {} clients, counted from 0", self.workload.clients));
            }
        }
        if let Some(random) = &self.random {
            if random.every.0.0 == 0 {
                return Err(source.at("random", "every", "the pause between faults must not be 0".to_owned()));
            }
            if random.weights.as_ref().is_some_and(|weights| weights.values().all(|&weight| weight == 0)) {
                return Err(source.at("random", "weights", "no kind of fault has any weight".to_owned()));
            }
        }
        if self.faults.len() > 1000 {
            return Err(source.in_fault(1000, "[[fault]]", "at most 1000 faults".to_owned()));
        }
        Ok(())
    }
}

/// `"the servers are p1 to p4"`.
fn servers(total: usize) -> String {
    format!("the servers are p1 to p{total}")
}

/// The first block of comments, without its marks.
fn moral(text: &str) -> String {
    let lines = text.lines().skip_while(|line| line.trim().is_empty());
    let comments = lines.map_while(|line| line.trim_start().strip_prefix('#'));
    comments.map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
}

#[cfg(test)]
mod tests;
