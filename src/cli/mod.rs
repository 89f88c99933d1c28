//! The front door: flags → one library call → render; exit codes.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the command line reads files, runs threads and shows progress; nothing below it may"
)]

mod args;
mod batch;
mod diagram;
mod engine;
mod files;
mod listing;
mod panics;
mod ranges;
mod render;
mod replay;
mod report;
mod run;
mod shrink;
mod walk;

use std::process::ExitCode;

use clap::Parser;
use serde::Serialize;

use args::{Cli, Command};
use render::Screen;

/// How a command ends; the number is the exit code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Exit {
    /// All held.
    #[default]
    Held = 0,
    /// Safety was violated, or a promise of the scenario broken.
    Safety = 1,
    /// The command line or a file is wrong.
    Usage = 2,
    /// Liveness was violated.
    Liveness = 3,
    /// The core panicked.
    Panic = 4,
    /// A replay was not as recorded.
    Diverged = 5,
}

impl Exit {
    /// In one or two words, as in a trace's footer.
    fn word(self) -> &'static str {
        match self {
            Exit::Held => "held",
            Exit::Safety => "safety",
            Exit::Usage => "usage",
            Exit::Liveness => "liveness",
            Exit::Panic => "panic",
            Exit::Diverged => "diverged",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut screen = Screen::new();
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
        Command::Check { scenarios } => listing::check(scenarios, screen),
        Command::Schema => listing::schema(screen),
        Command::Scenarios { directory } => listing::scenarios(directory, screen),
    }
}
