//! `Campaign`: which runs belong together, and how far they are. Two processes with the same campaign make the same
//! runs.

use serde::{Deserialize, Serialize};

use super::tally::Tally;

/// Which runs belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// The version of this crate.
    pub zabsim: String,
    /// What is run under each seed; if empty, what each seed draws.
    pub scenarios: Vec<Member>,
    /// The first seed.
    pub first_seed: u64,
    /// How many runs there are in all shards together; `None` if only time ends them.
    pub runs: Option<u64>,
    /// Which part of them, if not all.
    pub shard: Option<Shard>,
    /// The bug that is switched on.
    pub mutant: Option<String>,
    /// How servers behave and what is judged, as said on the command line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub behaviour: String,
    /// Whether it goes on after a failure.
    pub keep_going: bool,
    /// How many steps the shrinking of one failure may execute.
    pub budget: u64,
}

/// A scenario of a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The file.
    pub path: String,
    /// Its name, unique among the scenarios of the campaign.
    pub name: String,
    /// A hash of what it says.
    pub digest: String,
}

/// Every `of`-th seed, beginning with the `index`-th, which counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Which one.
    pub index: u64,
    /// Of how many.
    pub of: u64,
}

impl Shard {
    /// The only one.
    pub const WHOLE: Shard = Shard { index: 1, of: 1 };
}

/// One run of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its number among all runs of all shards, from 0.
    pub number: u64,
    /// Which scenario, from 0.
    pub scenario: usize,
    /// The seed.
    pub seed: u64,
}

impl Campaign {
    /// The run at a position among those of this shard. Seeds are outermost: every scenario gets its turn early.
    pub fn place(&self, position: u64) -> Place {
        let (count, Shard { index, of }) = (self.count(), self.shard.unwrap_or(Shard::WHOLE));
        let turn = position / count * of + (index - 1);
        let scenario = position % count;
        Place { number: turn * count + scenario, scenario: scenario as usize, seed: self.first_seed + turn }
    }

    /// How many runs this shard has: those of its seeds, to the last seed there is if only time ends them.
    pub fn len(&self) -> u64 {
        let (count, Shard { index, of }) = (self.count(), self.shard.unwrap_or(Shard::WHOLE));
        let runs = self.runs.unwrap_or_else(|| (u64::MAX - self.first_seed).saturating_mul(count));
        let (turns, rest) = (runs / count, runs % count);
        let mine = turns.saturating_sub(index - 1).div_ceil(of);
        let last = if turns % of == index - 1 { rest } else { 0 };
        mine * count + last
    }

    /// Whether there is nothing to run.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn count(&self) -> u64 {
        self.scenarios.len().max(1) as u64
    }

    /// In what `self` differs from `other`, in words; `None` if it does not.
    pub fn difference(&self, other: &Campaign) -> Option<String> {
        let runs = |runs: Option<u64>| runs.map_or("without a limit".into(), |runs| runs.to_string());
        let shard = |shard: Option<Shard>| shard.map_or("none".into(), |shard| format!("{}/{}", shard.index, shard.of));
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "none".into());
        let paths = |campaign: &Campaign| match campaign.scenarios.as_slice() {
            [] => "drawn".to_owned(),
            some => some.iter().map(|member| member.path.as_str()).collect::<Vec<_>>().join(" "),
        };
        let on = |on: bool| if on { "yes" } else { "no" }.to_owned();
        let aspects = [
            ("version", self.zabsim.clone(), other.zabsim.clone()),
            ("scenarios", paths(self), paths(other)),
            ("first seed", self.first_seed.to_string(), other.first_seed.to_string()),
            ("runs", runs(self.runs), runs(other.runs)),
            ("shard", shard(self.shard), shard(other.shard)),
            ("mutant", name(&self.mutant), name(&other.mutant)),
            ("behaviour", self.behaviour.clone(), other.behaviour.clone()),
            ("--keep-going", on(self.keep_going), on(other.keep_going)),
            ("--budget", self.budget.to_string(), other.budget.to_string()),
        ];
        let differs = aspects.into_iter().find(|(_, mine, theirs)| mine != theirs);
        let differs = differs.map(|(what, mine, theirs)| format!("{what}: {mine} there, {theirs} here"));
        differs.or_else(|| (self != other).then(|| "the text of a scenario has changed".to_owned()))
    }
}

/// How far a campaign is; what is in its directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// [`FORMAT`].
    pub format: u32,
    /// Which campaign.
    pub campaign: Campaign,
    /// Which program made the runs: another one might make others.
    pub build: String,
    /// How long it took so far, in milliseconds of the clock on the wall.
    pub millis: u64,
    /// Whether it ended because that was as long as it was given.
    pub is_out_of_time: bool,
    /// The runs at the positions before this one are counted.
    pub position: u64,
    /// What they came to.
    pub tally: Tally,
}

/// The format of [`Progress`].
pub const FORMAT: u32 = 2;

impl Progress {
    /// Nothing done yet.
    pub fn new(campaign: Campaign, build: String) -> Progress {
        Progress {
            format: FORMAT,
            campaign,
            build,
            millis: 0,
            is_out_of_time: false,
            position: 0,
            tally: Tally::default(),
        }
    }

    /// Whether there is nothing left to run.
    pub fn is_complete(&self) -> bool {
        self.position >= self.campaign.len() || self.is_stopped()
    }

    /// Where it was interrupted, in words; `None` if it came to its end: its last run, its first failure, or its time.
    pub fn interruption(&self) -> Option<String> {
        let Campaign { shard, runs, .. } = &self.campaign;
        let which = shard.map_or_else(String::new, |shard| format!("shard {}/{} was ", shard.index, shard.of));
        let planned = runs.map_or_else(String::new, |_| format!(" of {}", self.campaign.len()));
        let noun = if self.position == 1 && runs.is_none() { "run" } else { "runs" };
        let is_over = self.is_complete() || self.is_out_of_time;
        (!is_over).then(|| format!("{which}interrupted after {}{planned} {noun}", self.position))
    }

    /// Whether a failure ended it.
    pub fn is_stopped(&self) -> bool {
        !self.campaign.keep_going && self.tally.failed() > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn campaign(scenarios: usize, runs: Option<u64>, shard: Option<Shard>) -> Campaign {
        let member =
            |index: usize| Member { path: format!("{index}.toml"), name: index.to_string(), digest: "1".into() };
        Campaign {
            zabsim: "0".into(),
            scenarios: (0..scenarios).map(member).collect(),
            first_seed: 7,
            runs,
            shard,
            mutant: None,
            behaviour: String::new(),
            keep_going: true,
            budget: 1,
        }
    }

    #[test]
    fn shards_share_all_runs_among_them() {
        for (scenarios, runs, of) in [(0, 10, 3), (1, 10, 10), (3, 20, 4), (3, 2, 4), (2, 9, 1), (5, 0, 2)] {
            let whole = campaign(scenarios, Some(runs), None);
            assert_eq!(whole.len(), runs);
            let mut all: Vec<Place> = Vec::new();
            for index in 1..=of {
                let shard = campaign(scenarios, Some(runs), Some(Shard { index, of }));
                let mine: Vec<Place> = (0..shard.len()).map(|position| shard.place(position)).collect();
                assert!(mine.is_sorted_by_key(|place| place.number));
                all.extend(mine);
            }
            all.sort_by_key(|place| place.number);
            assert_eq!(all, (0..runs).map(|position| whole.place(position)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn without_a_number_of_runs_it_goes_to_the_last_seed() {
        let endless = campaign(0, None, None);
        assert_eq!(endless.place(endless.len() - 1).seed, u64::MAX - 1);
        assert!(!endless.is_empty());
    }

    #[test]
    fn only_what_did_not_come_to_its_end_was_interrupted() {
        let mut progress = Progress::new(campaign(0, Some(10), Some(Shard { index: 2, of: 2 })), String::new());
        progress.position = 3;
        assert_eq!(progress.interruption().unwrap(), "shard 2/2 was interrupted after 3 of 5 runs");
        progress.is_out_of_time = true;
        assert_eq!(progress.interruption(), None);
        (progress.is_out_of_time, progress.position) = (false, 5);
        assert_eq!(progress.interruption(), None);
        let mut endless = Progress::new(campaign(0, None, None), String::new());
        endless.position = 1;
        assert_eq!(endless.interruption().unwrap(), "interrupted after 1 run");
    }

    #[test]
    fn a_difference_is_named() {
        let one = campaign(1, Some(10), None);
        assert_eq!(one.difference(&one), None);
        let runs = one.difference(&campaign(1, None, None)).unwrap();
        assert_eq!(runs, "runs: 10 there, without a limit here");
        let shard = one.difference(&campaign(1, Some(10), Some(Shard { index: 2, of: 4 }))).unwrap();
        assert_eq!(shard, "shard: none there, 2/4 here");
        let mut other = one.clone();
        other.scenarios[0].digest = "2".into();
        assert_eq!(one.difference(&other).unwrap(), "the text of a scenario has changed");
    }
}
