//! `zabsim run` with one scenario and one seed.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::args::RunArgs;
use super::engine::{self, Loaded, Watch};
use super::files::quoted;
use super::render::{Screen, run_text};
use super::report::Report;
use super::{Exit, batch};

pub(super) fn run(args: &RunArgs, screen: &mut Screen) -> Result<Exit> {
    let mut loaded = Vec::new();
    let mut wrong = false;
    for path in &args.scenarios {
        match engine::load(path).and_then(|scenario| args.behaviour.rewrite(scenario)) {
            Ok(scenario) => loaded.push(scenario),
            Err(error) => {
                screen.error(&error);
                wrong = true;
            }
        }
    }
    match loaded.as_slice() {
        _ if wrong => Ok(Exit::Usage),
        [one] if args.seeds.is_none() => single(one, args, screen),
        many => batch::batch(many, args, screen),
    }
}

fn single(loaded: &Loaded, args: &RunArgs, screen: &mut Screen) -> Result<Exit> {
    let mut watch = Watch::new(loaded, args.seed);
    let mut report = match &args.trace {
        Some(path) => engine::record(loaded, args.seed, path, &mut watch)?,
        None => engine::run(loaded, args.seed, &mut watch),
    };
    if args.trace.is_none() && !report.verdict.is_good() {
        // A run is cheap and the same every time: record it once it is known to be worth it.
        watch = Watch::new(loaded, args.seed);
        match engine::record(loaded, args.seed, &trace_path(&args.trace_dir, &loaded.name, args.seed), &mut watch) {
            Ok(recorded) => report = recorded,
            Err(error) => screen.note(format_args!("note: no trace of this failure: {error:#}")),
        }
    }
    if args.quiet && report.verdict.is_good() {
        return Ok(Exit::Good);
    }
    report.replay = reproduction(loaded, &report, watch.tail.first_step());
    if args.json {
        screen.json(&report);
    } else {
        let last_steps = if report.verdict.is_good() { String::new() } else { watch.tail.text(screen.width()) };
        screen.text(&run_text(&report, &last_steps, screen.width()));
    }
    Ok(report.verdict.into())
}

/// Where the trace of a failing run goes.
pub(super) fn trace_path(directory: &Path, name: &str, seed: u64) -> PathBuf {
    directory.join(format!("{name}-{seed}.jsonl"))
}

/// The one command that shows it again: the trace if there is one, else the seed.
fn reproduction(loaded: &Loaded, report: &Report, first_shown: u64) -> String {
    match &report.trace {
        Some(trace) if !report.verdict.is_good() => replay_command(trace, first_shown),
        _ => run_command(loaded, report.seed),
    }
}

pub(super) fn replay_command(trace: &str, from: u64) -> String {
    format!("zabsim replay {} --from {}", quoted(Path::new(trace)), from.max(1))
}

pub(super) fn run_command(loaded: &Loaded, seed: u64) -> String {
    format!("zabsim run {} --seed {seed}{}", quoted(Path::new(&loaded.path)), loaded.flags)
}
