//! What many runs came to. Sums, and the first few of each kind of failure: tallies of parts add up to the tally of the
//! whole, in whatever order.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::trial::{Symptom, Trial};
use crate::run::Verdict;
use crate::sim::Action;
use crate::trace::Trace;

/// So many failures of a kind are looked at; the later ones are counted.
pub const EXAMINED: usize = 4;

/// What many runs came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// How many runs.
    pub runs: u64,
    /// How many steps they made.
    pub steps: u64,
    /// How many runs came to each verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// The properties that some run of each scenario was judged by, by id.
    pub judged: BTreeMap<usize, BTreeSet<String>>,
    /// The situations that were reached.
    pub reached: BTreeMap<String, Reach>,
    /// How many runs had each value of each aspect.
    pub inputs: BTreeMap<String, BTreeMap<String, u64>>,
    /// Kinds of failure, by scenario, property and place.
    pub kinds: Vec<Kind>,
}

/// How often a situation was reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// In how many runs.
    pub runs: u64,
    /// In all of them together.
    pub times: u64,
}

/// A way of failing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Which scenario of the campaign, from 0.
    pub scenario: usize,
    /// As in a [`Symptom`].
    pub property: String,
    /// As in a [`Symptom`].
    pub place: String,
    /// What the runs came to.
    pub verdict: Verdict,
    /// How many runs failed so.
    pub runs: u64,
    /// The first of them, by number, at most [`EXAMINED`].
    pub examined: Vec<Example>,
}

/// A failing run that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Its number in the campaign.
    pub number: u64,
    /// Its seed.
    pub seed: u64,
    /// What was seen.
    pub said: String,
    /// How many actions it had until it failed.
    pub recorded: Option<u64>,
    /// How many of them are left in the shrunk trace; `None` if it could not be shrunk.
    pub actions: Option<u64>,
    /// See [`shape`]; empty if it could not be shrunk.
    pub shape: Vec<String>,
}

impl Tally {
    /// Counts a run of a scenario.
    pub fn add(&mut self, scenario: usize, trial: &Trial) {
        self.runs += 1;
        self.steps += trial.steps;
        *self.verdicts.entry(trial.verdict).or_default() += 1;
        let judged = self.judged.entry(scenario).or_default();
        for &id in &trial.judged {
            if !judged.contains(id) {
                judged.insert(id.to_owned());
            }
        }
        for (name, times) in &trial.reached {
            let reach = entry(&mut self.reached, name);
            reach.runs += 1;
            reach.times += times;
        }
        for (aspect, value) in &trial.inputs {
            *entry(entry(&mut self.inputs, aspect), value) += 1;
        }
        if let Some(symptom) = &trial.symptom {
            self.kind(scenario, &symptom.property, &symptom.place, trial.verdict).runs += 1;
        }
    }

    /// Whether the next failure of this kind is still worth a look.
    pub fn wants(&self, scenario: usize, symptom: &Symptom) -> bool {
        let kind = self.position(scenario, &symptom.property, &symptom.place);
        kind.is_err() || kind.is_ok_and(|at| self.kinds[at].examined.len() < EXAMINED)
    }

    /// Whether an example is the first of its shape in its kind.
    pub fn is_new(&self, scenario: usize, symptom: &Symptom, shape: &[String]) -> bool {
        let kind = self.position(scenario, &symptom.property, &symptom.place);
        !kind.is_ok_and(|at| self.kinds[at].examined.iter().any(|example| example.shape == shape))
    }

    /// Adds an example of the kind of failure that `trial` showed.
    pub fn examine(&mut self, scenario: usize, symptom: &Symptom, verdict: Verdict, example: Example) {
        self.kind(scenario, &symptom.property, &symptom.place, verdict).insert(vec![example]);
    }

    /// Adds what other runs of the same campaign came to.
    pub fn merge(&mut self, other: &Tally) {
        self.runs += other.runs;
        self.steps += other.steps;
        for (&verdict, runs) in &other.verdicts {
            *self.verdicts.entry(verdict).or_default() += runs;
        }
        for (&scenario, theirs) in &other.judged {
            self.judged.entry(scenario).or_default().extend(theirs.iter().cloned());
        }
        for (name, theirs) in &other.reached {
            let reach = entry(&mut self.reached, name);
            reach.runs += theirs.runs;
            reach.times += theirs.times;
        }
        for (aspect, values) in &other.inputs {
            let mine = entry(&mut self.inputs, aspect);
            values.iter().for_each(|(value, runs)| *entry(mine, value) += runs);
        }
        for theirs in &other.kinds {
            let kind = self.kind(theirs.scenario, &theirs.property, &theirs.place, theirs.verdict);
            kind.runs += theirs.runs;
            kind.insert(theirs.examined.clone());
        }
    }

    /// How many runs failed.
    pub fn failed(&self) -> u64 {
        self.verdicts.iter().filter(|(verdict, _)| !verdict.is_good()).map(|(_, runs)| runs).sum()
    }

    /// What it all comes to: a panic hides more than a violation, a violation more than a stall.
    pub fn worst(&self) -> Verdict {
        use Verdict::{LivenessViolated, Panicked, PromiseBroken, SafetyViolated};
        let order = [Panicked, SafetyViolated, PromiseBroken, LivenessViolated];
        order.into_iter().find(|verdict| self.verdicts.contains_key(verdict)).unwrap_or_default()
    }

    fn position(&self, scenario: usize, property: &str, place: &str) -> Result<usize, usize> {
        let key = (scenario, property, place);
        self.kinds.binary_search_by(|kind| (kind.scenario, &*kind.property, &*kind.place).cmp(&key))
    }

    fn kind(&mut self, scenario: usize, property: &str, place: &str, verdict: Verdict) -> &mut Kind {
        let at = self.position(scenario, property, place).unwrap_or_else(|at| {
            let (property, place) = (property.to_owned(), place.to_owned());
            self.kinds.insert(at, Kind { scenario, property, place, verdict, runs: 0, examined: Vec::new() });
            at
        });
        &mut self.kinds[at]
    }
}

fn entry<'m, V: Default>(map: &'m mut BTreeMap<String, V>, key: &str) -> &'m mut V {
    if !map.contains_key(key) {
        map.insert(key.to_owned(), V::default());
    }
    map.get_mut(key).expect("it was put there")
}

impl Kind {
    fn insert(&mut self, examples: Vec<Example>) {
        self.examined.extend(examples);
        self.examined.sort_by_key(|example| example.number);
        self.examined.truncate(EXAMINED);
    }

    /// Examples, one of each shape, the first of it.
    pub fn distinct(&self) -> impl Iterator<Item = &Example> {
        let mut seen = BTreeSet::new();
        self.examined.iter().filter(move |example| seen.insert(&example.shape))
    }
}

/// What a short trace is made of, whoever does it: the kinds of its actions, without repetition. The same bug has many
/// traces that differ in who is who, and in what comes first.
pub fn shape(trace: &Trace) -> Vec<String> {
    let kinds: BTreeSet<String> = trace.lines.iter().map(|line| kind(&line.action)).collect();
    kinds.into_iter().collect()
}

/// As it stands in a trace.
fn kind(action: &Action) -> String {
    match serde_json::to_value(action) {
        Ok(serde_json::Value::Object(map)) => map.keys().next().cloned().unwrap_or_default(),
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(seed: u64) -> Trial {
        let symptom = Symptom { property: format!("C{}", 1 + seed % 2), place: String::new(), said: "no".into() };
        let failed = seed.is_multiple_of(3);
        Trial {
            seed,
            verdict: if failed { Verdict::SafetyViolated } else { Verdict::Held },
            steps: seed * 10,
            judged: vec![if failed { "K2" } else { "S1" }],
            reached: vec![("torn-write".into(), seed)],
            inputs: vec![("participants", (seed % 5).to_string())],
            symptom: failed.then_some(symptom),
        }
    }

    fn tally(seeds: impl Iterator<Item = u64>) -> Tally {
        let mut tally = Tally::default();
        for seed in seeds {
            let trial = trial(seed);
            if let Some(symptom) = trial.symptom.as_ref().filter(|symptom| tally.wants(0, symptom)) {
                let shape = vec![format!("{}", seed % 4)];
                let example =
                    Example { number: seed, seed, said: symptom.said.clone(), recorded: None, actions: None, shape };
                tally.examine(0, symptom, trial.verdict, example);
            }
            tally.add(0, &trial);
        }
        tally
    }

    #[test]
    fn parts_add_up_to_the_whole_in_any_order() {
        let whole = tally(0..100);
        let parts: Vec<Tally> = (0..3).map(|shard| tally((0..100).filter(|seed| seed % 3 == shard))).collect();
        for order in [[0, 1, 2], [2, 0, 1]] {
            let mut sum = Tally::default();
            order.iter().for_each(|&part| sum.merge(&parts[part]));
            assert_eq!(sum, whole);
        }
        assert_eq!((whole.runs, whole.failed(), whole.worst()), (100, 34, Verdict::SafetyViolated));
        assert_eq!(whole.reached["torn-write"], Reach { runs: 100, times: 4950 });
    }

    #[test]
    fn the_first_few_of_a_kind_are_examined_and_each_shape_is_shown_once() {
        let whole = tally(0..100);
        let numbers = |kind: &Kind| kind.examined.iter().map(|example| example.number).collect::<Vec<_>>();
        assert_eq!(whole.kinds.iter().map(numbers).collect::<Vec<_>>(), [[0, 6, 12, 18], [3, 9, 15, 21]]);
        let shown: Vec<u64> = whole.kinds[0].distinct().map(|example| example.number).collect();
        assert_eq!(shown, [0, 6], "0 and 12 have one shape, and so do 6 and 18");
    }

    #[test]
    fn what_it_holds_survives_a_file() {
        let whole = tally(0..20);
        let text = serde_json::to_string(&whole).unwrap();
        assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), whole);
    }

    #[test]
    fn a_shape_forgets_who_is_who_and_how_often() {
        use crate::sim::Node;
        let kinds = |actions: &[Action]| actions.iter().map(kind).collect::<BTreeSet<_>>();
        let (a, b) = (Action::Wake { node: Node::at(0) }, Action::Wake { node: Node::at(1) });
        let sync = Action::SyncDone { node: Node::at(2) };
        assert_eq!(kinds(&[a, sync, b]), kinds(&[sync, b]));
        assert_ne!(kinds(&[a]), kinds(&[sync]));
    }
}
