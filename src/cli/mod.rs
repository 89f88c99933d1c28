//! The front door: flags → one library call → render; exit codes.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the command line reads files, runs threads and shows progress; nothing below it may"
)]

mod args;
mod batch;
mod behaviour;
#[cfg(feature = "server")]
mod bench;
mod diagram;
mod engine;
#[cfg(feature = "server")]
mod ensemble;
mod files;
mod fuzz;
mod listing;
#[cfg_attr(not(feature = "mutants"), path = "mutants_absent.rs")]
mod mutants;
mod panics;
mod peers;
mod ranges;
mod render;
mod replay;
mod report;
mod run;
#[cfg(feature = "server")]
mod scratch;
#[cfg(feature = "server")]
mod serve;
mod shrink;
mod signals;
mod walk;
mod words;

use std::process::ExitCode;

use clap::Parser;

use crate::run::Verdict;
use args::{Cli, Command};
use render::Screen;

/// How a command ends; the number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// All held, or what was promised to be violated was.
    Good = 0,
    /// Safety was violated, or a promise of the scenario broken.
    Safety = 1,
    /// The command line or a file is wrong, or a trace ends before its run did.
    Usage = 2,
    /// Liveness was violated.
    Liveness = 3,
    /// The core panicked.
    Panic = 4,
    /// A replay was not as recorded.
    Diverged = 5,
    /// A campaign found nothing so far: it was interrupted, or shards of it are missing.
    Unfinished = 6,
}

impl Exit {
    /// What stands for a campaign of which this is a part: that nothing was found says nothing of the rest.
    fn of_a_part(self) -> Exit {
        if self == Exit::Good { Exit::Unfinished } else { self }
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Exit {
        match verdict {
            Verdict::Held | Verdict::ViolatedAsPromised => Exit::Good,
            Verdict::SafetyViolated | Verdict::PromiseBroken => Exit::Safety,
            Verdict::LivenessViolated => Exit::Liveness,
            Verdict::Panicked => Exit::Panic,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// How many runs at once if nobody says.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut screen = Screen::new(cli.width);
    let result = dispatch(&cli.command, &mut screen);
    let written = screen.end();
    match result.and_then(|exit| written.map(|()| exit)) {
        Ok(exit) => exit.into(),
        Err(error) => {
            screen.error(&error);
            Exit::Usage.into()
        }
    }
}

fn dispatch(command: &Command, screen: &mut Screen) -> anyhow::Result<Exit> {
    match command {
        Command::Run(args) => run::run(args, screen),
        Command::Replay(args) => replay::replay(args, screen),
        Command::Diagram(args) => diagram::diagram(args, screen),
        Command::Shrink(args) => shrink::shrink(args, screen),
        Command::Fuzz(args) => fuzz::fuzz(args, screen),
        Command::Merge(args) => fuzz::merge(args, screen),
        Command::Mutants(args) => mutants::mutants(args, screen),
        Command::Check { scenarios } => listing::check(scenarios, screen),
        Command::Profiles { json } => behaviour::profiles(*json, screen),
        Command::Schema => listing::schema(screen),
        Command::Scenarios { directory } => listing::scenarios(directory, screen),
        Command::Words(args) => words::words(args, screen),
        #[cfg(feature = "server")]
        Command::Serve(args) => serve::serve(args, screen),
        #[cfg(feature = "server")]
        Command::Ensemble(args) => ensemble::ensemble(args, screen),
        #[cfg(feature = "server")]
        Command::Bench(args) => bench::bench(args, screen),
    }
}
