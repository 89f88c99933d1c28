//! `zabsim mutants`: real bugs of ZooKeeper, switched back on: listed, scored, made into traces.

mod matrix;
mod page;
mod pool;
mod score;
mod spread;
mod text;
mod zoo;

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Args;
use serde::Serialize;

use super::Exit;
use super::behaviour::nearest;
use super::files;
use super::render::{Screen, WIDTH, bold, dim, wrapped};
use crate::fuzz::score::SEEDS;
use crate::shrink::Options;
use crate::zab::Mutant;

#[derive(Debug, Args)]
pub(super) struct MutantsArgs {
    /// Only these (default: all).
    #[arg(value_name = "NAME", value_parser = parse_mutant)]
    pub names: Vec<Mutant>,
    /// Measure what it costs to find each one. Exits with 1 if one is never found, if the unmutated core fails, or if the
    /// equivalent mutant does.
    #[arg(long)]
    pub score: bool,
    /// Write the shortest trace of each one into this directory, as NAME.jsonl.
    #[arg(long, value_name = "DIR", conflicts_with = "score")]
    pub traces: Option<PathBuf>,
    /// At most so many runs of each mutant and master. The unmutated core and the equivalent mutant get so many in all.
    #[arg(long, value_name = "N", default_value = "10000", value_parser = clap::value_parser!(u64).range(1..=SEEDS))]
    pub runs: u64,
    /// Independent hunts for each mutant: master M has the seeds from M million on.
    #[arg(long, value_name = "M", default_value = "20", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub masters: u64,
    /// Hunts at the same time (default: one per processor). Only wall times depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Make the first kill of each mutant short, and tell how short.
    #[arg(long, requires = "score")]
    pub shrink: bool,
    /// How many steps each shrinking may execute.
    #[arg(long, value_name = "STEPS", default_value_t = Options::default().budget / 5)]
    pub budget: u64,
    /// Of how many kills a trace of --traces is the shortest.
    #[arg(long, value_name = "N", default_value = "6", requires = "traces", value_parser = clap::value_parser!(u64).range(1..))]
    pub candidates: u64,
    /// JSON instead of text.
    #[arg(long)]
    pub json: bool,
    /// Write the score as a page with a picture of the matrix as well.
    #[arg(long, value_name = "FILE", requires = "score")]
    pub html: Option<PathBuf>,
    /// Show no progress.
    #[arg(long, short)]
    pub quiet: bool,
}

impl MutantsArgs {
    fn chosen(&self) -> Vec<Mutant> {
        Mutant::all().filter(|mutant| self.names.is_empty() || self.names.contains(mutant)).collect()
    }

    fn jobs(&self) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        self.jobs.map_or(processors, usize::from)
    }
}

fn parse_mutant(name: &str) -> Result<Mutant, String> {
    Mutant::from_name(name).ok_or_else(|| {
        let near = nearest(name, Mutant::all().map(Mutant::name));
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        format!("there is no mutant `{name}`{near} (`zabsim mutants` lists them)")
    })
}

pub(super) fn mutants(args: &MutantsArgs, screen: &mut Screen) -> Result<Exit> {
    if let Some(directory) = &args.traces {
        return zoo::write(args, directory, screen);
    }
    if !args.score {
        return list(args, screen);
    }
    let score = score::score(args);
    if let Some(path) = &args.html {
        files::write(path, &page::page(&score)).map_err(|error| anyhow!("{error:#}"))?;
    }
    if args.json {
        screen.json(&score);
    } else {
        screen.text(&text::text(&score));
    }
    Ok(if score.is_good() { Exit::Good } else { Exit::Safety })
}

/// One of the list.
#[derive(Debug, Serialize)]
struct Listed {
    mutant: &'static str,
    place: String,
    source: &'static str,
    story: &'static str,
    equivalent: bool,
}

fn list(args: &MutantsArgs, screen: &mut Screen) -> Result<Exit> {
    let listed: Vec<Listed> = args.chosen().into_iter().map(listed).collect();
    if args.json {
        screen.json(&listed);
        return Ok(Exit::Good);
    }
    let name = listed.iter().map(|it| it.mutant.len()).max().unwrap_or(0);
    let width = screen.width().unwrap_or(WIDTH);
    for Listed { mutant, place, source, story, .. } in &listed {
        screen.line(format_args!(
            "{}{}  {}",
            bold(mutant),
            " ".repeat(name - mutant.len()),
            dim(format_args!("{place}, {source}"))
        ));
        for line in wrapped(story, width.saturating_sub(4)) {
            screen.line(format_args!("    {line}"));
        }
    }
    Ok(Exit::Good)
}

fn listed(mutant: Mutant) -> Listed {
    Listed {
        mutant: mutant.name(),
        place: mutant.place().to_string(),
        source: mutant.source(),
        story: mutant.story(),
        equivalent: mutant.is_equivalent(),
    }
}
