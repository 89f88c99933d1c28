//! What can be said to `zabsim fuzz` and `zabsim merge`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use super::super::behaviour::Behaviour;
use super::super::ranges::{Seeds, parse_seeds};
use crate::fuzz::campaign::Shard;
use crate::scenario::parse_seed;

/// So many steps make most failures as short as they get, in seconds.
const BUDGET: u64 = 5_000_000;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("extent").required(true).multiple(true).args(["seeds", "runs", "time"]))]
pub(in crate::cli) struct FuzzArgs {
    /// Scenario files; without any, every seed draws a scenario of its own.
    pub scenarios: Vec<PathBuf>,
    /// These seeds: A..=B are those from A to B, A..B the same without B.
    #[arg(long, value_name = "A..B", value_parser = parse_seeds, allow_hyphen_values = true)]
    #[arg(conflicts_with_all = ["seed", "runs"])]
    pub seeds: Option<Seeds>,
    /// So many runs.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), allow_negative_numbers = true)]
    pub runs: Option<u64>,
    /// No longer than this, for example 90s, 10m or 2h.
    #[arg(long, value_parser = parse_time)]
    pub time: Option<Duration>,
    /// The first seed: a number, or a commit hash of 40 digits.
    #[arg(long, default_value = "1", value_parser = parse_seed, allow_hyphen_values = true)]
    pub seed: u64,
    /// Runs at the same time (default: one per processor). The result does not depend on it.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Every N-th seed from the I-th on, as a task of an array: it keeps going, and its status is 0 whatever it finds.
    #[arg(long, value_name = "I/N", value_parser = parse_shard)]
    pub shard: Option<Shard>,
    /// Do not stop at the first failure.
    #[arg(long)]
    pub keep_going: bool,
    /// Switch on a bug, by name (in builds with the feature `mutants`).
    #[arg(long, value_name = "NAME")]
    pub mutant: Option<String>,
    #[command(flatten)]
    pub behaviour: Behaviour,
    /// Where failures and campaign.json go. The same command with the same directory goes on where it stopped.
    #[arg(long, value_name = "DIR", default_value = "out/fuzz")]
    pub out: PathBuf,
    /// How many steps the shrinking of one failure may execute.
    #[arg(long, value_name = "STEPS", default_value_t = BUDGET)]
    pub budget: u64,
    #[command(flatten)]
    pub forms: Forms,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct MergeArgs {
    /// Directories of the shards of one campaign.
    #[arg(required = true, value_name = "DIR")]
    pub directories: Vec<PathBuf>,
    /// Accept a part of a campaign: missing or interrupted shards do not change the exit code.
    #[arg(long)]
    pub partial: bool,
    #[command(flatten)]
    pub forms: Forms,
}

/// In which forms the report is wanted.
#[derive(Debug, Args)]
pub(in crate::cli) struct Forms {
    /// JSON instead of text.
    #[arg(long)]
    pub json: bool,
    /// Write a JUnit report as well.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write a SARIF report as well.
    #[arg(long, value_name = "FILE")]
    pub sarif: Option<PathBuf>,
    /// Print an annotation for GitHub Actions for each kind of failure as well.
    #[arg(long, conflicts_with = "json")]
    pub github: bool,
}

impl Forms {
    /// A report that has nowhere to go should not cost a night. What is in `out` gets its directories.
    pub(super) fn assert_writable(&self, out: Option<&Path>) -> Result<()> {
        for path in self.junit.iter().chain(&self.sarif) {
            let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
            let Some(directory) = directory.filter(|directory| !out.is_some_and(|out| directory.starts_with(out)))
            else {
                continue;
            };
            ensure!(
                directory.is_dir(),
                "cannot write {}: there is no directory {}",
                path.display(),
                directory.display()
            );
        }
        Ok(())
    }
}

fn parse_time(text: &str) -> Result<Duration, String> {
    let units = [("s", 1), ("m", 60), ("h", 3600)];
    let parsed = units.iter().find_map(|(unit, seconds)| {
        let number = text.strip_suffix(unit)?.parse::<u64>().ok()?;
        number.checked_mul(*seconds)
    });
    let parsed = parsed.filter(|&seconds| seconds > 0).map(Duration::from_secs);
    parsed.ok_or_else(|| format!("expected a time such as 90s, 10m or 2h, not {text:?}"))
}

fn parse_shard(text: &str) -> Result<Shard, String> {
    let parsed = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
    let shard = parsed.map(|(index, of)| Shard { index, of }).filter(|shard| (1..=shard.of).contains(&shard.index));
    shard.ok_or_else(|| format!("expected a shard such as 1/4, counted from 1, not {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_shards_are_read_or_refused() {
        assert_eq!(["90s", "10m", "2h"].map(|text| parse_time(text).unwrap().as_secs()), [90, 600, 7200]);
        assert!(
            ["", "0s", "0h", "10", "m", "1.5h", "-1s", "99999999999999999999h"]
                .iter()
                .all(|text| parse_time(text).is_err())
        );
        assert_eq!(parse_shard("2/4"), Ok(Shard { index: 2, of: 4 }));
        assert!(["", "0/4", "5/4", "1/0", "1", "a/b"].iter().all(|text| parse_shard(text).is_err()));
    }
}
