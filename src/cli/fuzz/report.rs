//! What a campaign came to, in plain data: the same whatever the jobs and the shards, without wall-clock time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::super::engine;
use super::super::files::quoted;
use super::super::report::Count;
use crate::check::Property;
use crate::fuzz::campaign::{Campaign, Member};
use crate::fuzz::swarm;
use crate::fuzz::tally::{Example, Kind, Tally};
use crate::run::Verdict;

/// A campaign, or several shards of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct FuzzReport {
    /// Files; none if every seed drew its own.
    pub scenarios: Vec<String>,
    /// The properties that some run of each scenario was judged by; of drawn ones, that any was.
    #[serde(skip)]
    pub judged: Vec<BTreeSet<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutant: Option<String>,
    /// How servers behaved and what was judged, as said on the command line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub behaviour: String,
    pub first_seed: u64,
    /// How many runs were asked for; absent if only time ends them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned: Option<u64>,
    pub runs: u64,
    pub steps: u64,
    pub verdicts: Vec<Count>,
    /// Why it is not the whole campaign: what was interrupted, and which shards are missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unfinished: Vec<String>,
    pub failures: Vec<Failure>,
    pub reached: Vec<Reached>,
    /// Of the situations that some run could reach.
    pub never_reached: Vec<String>,
    /// How many runs had each value of each aspect of the input.
    pub inputs: BTreeMap<String, BTreeMap<String, u64>>,
}

/// A situation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Reached {
    pub what: String,
    pub runs: u64,
    pub times: u64,
}

/// A way of failing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Failure {
    pub scenario: String,
    /// The file, unless it was drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line of the file that promised something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The id of the property, or `panic`, `stalled`, `promise`.
    pub property: String,
    pub name: String,
    /// What should be.
    pub statement: String,
    pub verdict: Verdict,
    /// How many runs failed so.
    pub runs: u64,
    /// One of each shape among the first few.
    pub examples: Vec<Shown>,
}

/// A failing run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Shown {
    pub seed: u64,
    pub said: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_actions: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions: Option<u64>,
    pub shape: Vec<String>,
    pub folder: String,
    pub reproduce: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<String>,
}

/// The folder of a failure: the property and the seed, with the name of the scenario if there are several.
pub(super) fn folder(directory: &Path, campaign: &Campaign, property: &str, scenario: usize, seed: u64) -> PathBuf {
    directory.join(match campaign.scenarios.as_slice() {
        [] | [_] => format!("{property}-{seed}"),
        many => format!("{property}-{}-{seed}", many[scenario].name),
    })
}

impl FuzzReport {
    /// `directories` are searched for the folder of each failure; `line` tells where a file says what it promises.
    pub(super) fn new(
        campaign: &Campaign,
        tally: &Tally,
        directories: &[PathBuf],
        line: impl Fn(&Member) -> Option<usize>,
        unfinished: Vec<String>,
    ) -> FuzzReport {
        let reached = |(what, reach): (&String, &crate::fuzz::tally::Reach)| Reached {
            what: what.clone(),
            runs: reach.runs,
            times: reach.times,
        };
        let mut failures: Vec<(u64, Failure)> = tally
            .kinds
            .iter()
            .map(|kind| {
                let member = campaign.scenarios.get(kind.scenario);
                let shown = |example: &Example| shown(campaign, kind, example, directories);
                let (name, statement) = explained(kind);
                let failure = Failure {
                    scenario: member.map_or_else(|| swarm::NAME.into(), |member| member.name.clone()),
                    file: member.map(|member| member.path.clone()),
                    line: member.and_then(&line),
                    property: kind.property.clone(),
                    name,
                    statement,
                    verdict: kind.verdict,
                    runs: kind.runs,
                    examples: kind.distinct().map(shown).collect(),
                };
                (kind.examined.first().map_or(u64::MAX, |example| example.number), failure)
            })
            .collect();
        failures.sort_by_key(|(first, _)| *first);
        FuzzReport {
            scenarios: campaign.scenarios.iter().map(|member| member.path.clone()).collect(),
            judged: (0..campaign.scenarios.len().max(1))
                .map(|scenario| tally.judged.get(&scenario).cloned().unwrap_or_default())
                .collect(),
            mutant: campaign.mutant.clone(),
            behaviour: campaign.behaviour.clone(),
            first_seed: campaign.first_seed,
            planned: campaign.runs,
            runs: tally.runs,
            steps: tally.steps,
            verdicts: tally.verdicts.iter().map(|(it, &times)| Count { what: it.word().into(), times }).collect(),
            unfinished,
            failures: failures.into_iter().map(|(_, failure)| failure).collect(),
            reached: tally.reached.iter().map(reached).collect(),
            never_reached: engine::situations()
                .filter(|name| !tally.reached.contains_key(*name))
                .map(str::to_owned)
                .collect(),
            inputs: tally.inputs.clone(),
        }
    }
}

fn shown(campaign: &Campaign, kind: &Kind, example: &Example, directories: &[PathBuf]) -> Shown {
    let place = |directory: &PathBuf| folder(directory, campaign, &kind.property, kind.scenario, example.seed);
    let places: Vec<PathBuf> = directories.iter().map(place).collect();
    let there = places.iter().find(|place| place.is_dir()).or(places.first()).cloned().unwrap_or_default();
    let scenario = quoted(&there.join("scenario.toml"));
    let replay = |_| format!("zabsim replay {} --from 1", quoted(&there.join("shrunk.jsonl")));
    Shown {
        seed: example.seed,
        said: example.said.clone(),
        recorded_actions: example.recorded,
        actions: example.actions,
        shape: example.shape.clone(),
        folder: there.display().to_string(),
        reproduce: format!("zabsim run {scenario} --seed {}", example.seed),
        replay: example.actions.map(replay),
    }
}

/// The name of what was violated, and what should be.
fn explained(kind: &Kind) -> (String, String) {
    let text = |name: &str, statement: &str| (name.to_owned(), statement.to_owned());
    match (kind.property.as_str(), Property::from_id(&kind.property)) {
        (_, Some(property)) => text(property.name(), property.statement()),
        ("panic", _) => text(&format!("the core panics at {}", kind.place), "the core never panics"),
        ("promise", _) => text("broken promise", "what a scenario promises comes"),
        _ => text("stalled", "the healed core converges within the bound"),
    }
}
