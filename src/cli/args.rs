//! What can be said on the command line.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::behaviour::Behaviour;
use super::fuzz::{FuzzArgs, MergeArgs};
use super::mutants::MutantsArgs;
use super::ranges::{Seeds, parse_seeds, parse_span};
use super::render::NARROWEST;
use crate::scenario::parse_seed;
use crate::shrink::Options;
use crate::sim::Node;

const EXIT_CODES: &str = "\
Exit codes: 0 all held, or violated as promised · 1 safety violated or a promise broken · 2 usage, a bad file, or a trace that \
ends before its run did · 3 liveness violated · 4 panic in the core · 5 replay diverged · 6 a campaign that found \
nothing so far and did not finish";

const NAMES: &str = "\
Names: p3 is a server; p1>p3#2 the second connection that p1 as a learner made to p3 as its leader; e2 an epoch; 2:1f the zxid of \
the txn with the (hexadecimal) counter 1f of epoch 2.";

/// A deterministic simulation testbed for Zab, the atomic broadcast protocol of ZooKeeper.
#[derive(Debug, Parser)]
#[command(name = "zabsim", version, about, after_help = EXIT_CODES, max_term_width = 110)]
pub(super) struct Cli {
    /// Columns that text may take, instead of those of the terminal (100 in a pipe, where diagrams have no limit).
    #[arg(long, global = true, display_order = 100, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(i64::from(NARROWEST)..))]
    pub width: Option<u16>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a scenario with a seed, check every step, say what happened.
    #[command(after_help = NAMES)]
    Run(RunArgs),
    /// Execute a trace again and compare every step.
    #[command(after_help = NAMES)]
    Replay(ReplayArgs),
    /// Draw a trace.
    #[command(after_help = NAMES)]
    Diagram(DiagramArgs),
    /// Make the trace of a failing run short, and its scenario simple.
    Shrink(ShrinkArgs),
    /// Run many seeds, each with a scenario of its own, and keep what fails in folders.
    Fuzz(FuzzArgs),
    /// Report what the shards of a campaign came to together.
    Merge(MergeArgs),
    /// Switch bugs of ZooKeeper back on: list them, measure what it costs to find them (in builds with `--features mutants`).
    Mutants(MutantsArgs),
    /// List the habits of ZooKeeper's releases, which `--profile` and `--habit` give to servers.
    Profiles {
        /// JSON instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Run a ZooKeeper server.
    #[cfg(feature = "server")]
    #[command(after_help = super::serve::EXAMPLES)]
    Serve(super::serve::ServeArgs),
    /// Run a local ensemble of ZooKeeper servers.
    #[cfg(feature = "server")]
    #[command(after_help = super::ensemble::EXAMPLES)]
    Ensemble(super::ensemble::EnsembleArgs),
    /// Measure how fast ZooKeeper servers are, these or others.
    #[cfg(feature = "server")]
    #[command(after_help = super::bench::EXAMPLES)]
    Bench(super::bench::BenchArgs),
    /// Read scenarios and report what is wrong with them, without running them.
    Check {
        /// Scenario files.
        #[arg(required = true)]
        scenarios: Vec<PathBuf>,
    },
    /// Print the JSON Schema of scenarios, for editors.
    Schema,
    /// List the words that a scenario can use: faults, moments, situations, properties.
    Words(WordsArgs),
    /// List the scenarios of a directory, each with the first sentence of its moral.
    Scenarios {
        /// Where they are.
        #[arg(default_value = "scenarios")]
        directory: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Scenario files.
    #[arg(required = true)]
    pub scenarios: Vec<PathBuf>,
    /// A number, or a commit hash of 40 digits.
    #[arg(long, default_value = "1", value_parser = parse_seed, conflicts_with = "seeds", allow_hyphen_values = true)]
    pub seed: u64,
    /// Many seeds: A..=B are those from A to B, A..B the same without B.
    #[arg(long, value_name = "A..=B", value_parser = parse_seeds, allow_hyphen_values = true)]
    pub seeds: Option<Seeds>,
    /// Write the trace to this file, whatever comes of the run. For one scenario and one seed.
    #[arg(long, value_name = "FILE", conflicts_with = "seeds")]
    pub trace: Option<PathBuf>,
    /// Where a run that fails writes its trace unasked, as SCENARIO-SEED.jsonl; of many runs the first of each kind of failure.
    #[arg(long, value_name = "DIRECTORY", default_value = "out")]
    pub trace_dir: PathBuf,
    /// Runs at the same time (default: one per processor). The result does not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), allow_negative_numbers = true)]
    pub jobs: Option<u16>,
    #[command(flatten)]
    pub behaviour: Behaviour,
    /// JSON instead of text.
    #[arg(long)]
    pub json: bool,
    /// Say nothing if every promise was kept.
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// The trace.
    pub trace: PathBuf,
    /// Stop after this step and print the state of every peer.
    #[arg(long, value_name = "STEP", allow_negative_numbers = true)]
    pub until: Option<u64>,
    /// Draw the steps from this one on.
    #[arg(long, value_name = "STEP", allow_negative_numbers = true)]
    pub from: Option<u64>,
    /// Walk: Enter takes a step, a number goes there, p prints the peers, q quits.
    #[arg(long, conflicts_with_all = ["json", "until"])]
    pub step: bool,
    /// JSON instead of text.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(super) struct DiagramArgs {
    /// The trace.
    #[arg(required_unless_present = "legend")]
    pub trace: Option<PathBuf>,
    /// The kind of picture.
    #[arg(long, default_value = "text")]
    pub format: Format,
    /// Only what this peer takes part in, for example p1 (may be repeated).
    #[arg(long, value_name = "PEER", value_parser = parse_peer)]
    pub peer: Vec<Node>,
    /// Only this message, for example PROPOSAL or NOTIFICATION (may be repeated).
    #[arg(long, value_name = "NAME")]
    pub message: Vec<String>,
    /// Everything but this message, for example PING (may be repeated).
    #[arg(long, value_name = "NAME")]
    pub without: Vec<String>,
    /// Only the steps from A to B; A..B is the same without B. Either may be left out.
    #[arg(long, value_name = "A..=B", value_parser = parse_span, allow_hyphen_values = true)]
    pub span: Option<RangeInclusive<u64>>,
    /// Write to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print what the signs of the text picture mean.
    #[arg(long)]
    pub legend: bool,
}

#[derive(Debug, Args)]
pub(super) struct WordsArgs {
    /// Only these.
    pub kind: Option<WordKind>,
    /// JSON instead of text.
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum WordKind {
    /// What can go wrong: `do = { crash = … }`, and the weights of `[random]`.
    Faults,
    /// What a fault can wait for: `when = "…"`.
    Whens,
    /// What a run can come to: `[promise] reaches`.
    Situations,
    /// What is checked: `[promise] violates`, `[promise] only`.
    Properties,
    /// In what releases of ZooKeeper differ: `habits = [ … ]`.
    Habits,
}

#[derive(Debug, Args)]
pub(super) struct ShrinkArgs {
    /// The trace of a run that failed.
    #[arg(value_name = "TRACE")]
    pub input: PathBuf,
    /// Where shrunk.jsonl and scenario.toml go (default: a directory in out/, named after the trace and the property).
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write the trace to this file, and the scenario beside it.
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    pub trace: Option<PathBuf>,
    /// Write a Rust test as well, which replays the trace and names the property.
    #[arg(long)]
    pub test: bool,
    /// How many steps all trials together may execute.
    #[arg(long, value_name = "STEPS", default_value_t = Options::default().budget)]
    pub budget: u64,
    /// How many other seeds each simpler scenario gets.
    #[arg(long, value_name = "N", default_value_t = Options::default().seeds)]
    pub seeds: u64,
    /// JSON instead of text.
    #[arg(long)]
    pub json: bool,
    /// Only write the files.
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Format {
    /// One line per event, one lane per peer.
    Text,
    /// A Mermaid sequence diagram.
    Mermaid,
    /// A space-time picture.
    Svg,
}

fn parse_peer(text: &str) -> Result<Node, String> {
    Node::try_from(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn one_seed_and_many_exclude_each_other() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' '));
        assert!(parse("zabsim run a.toml --seed 3 --seeds 1..4").is_err());
        assert!(parse("zabsim run a.toml --seeds 1..4 --trace x").is_err());
        assert!(parse("zabsim run").is_err());
        assert!(parse("zabsim diagram").is_err());
        assert!(parse("zabsim diagram --legend").is_ok());
        assert!(parse("zabsim diagram t --peer p99").is_err());
        assert!(parse("zabsim replay t --step --until 4").is_err());
        assert!(parse("zabsim run a.toml --width 39").is_err());
    }
}
