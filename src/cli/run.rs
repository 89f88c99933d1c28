//! `zabsim run` with one scenario and one seed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::args::RunArgs;
use super::engine::{self, Loaded, Watch};
use super::files::Draft;
use super::render::{Screen, run_text};
use super::report::Report;
use super::{Exit, batch};
use crate::trace::{Footer, HexHash, Recorder};

/// Where the traces of failing runs go.
const OUT: &str = "out";

pub(super) fn run(args: &RunArgs, screen: &mut Screen) -> Result<Exit> {
    let mut loaded = Vec::new();
    let mut wrong = false;
    for path in &args.scenarios {
        match engine::load(path) {
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
        Some(path) => recorded(loaded, args.seed, path, &mut watch)?,
        None => engine::run(loaded, args.seed, &mut watch),
    };
    if args.trace.is_none() && report.verdict != Exit::Held {
        // A run is cheap and the same every time: record it once it is known to be worth it.
        watch = Watch::new(loaded, args.seed);
        report = recorded(loaded, args.seed, &trace_path(loaded, args.seed), &mut watch)?;
    }
    if args.quiet && report.verdict == Exit::Held {
        return Ok(Exit::Held);
    }
    report.replay = reproduction(loaded, &report, watch.tail.first_step());
    if args.json {
        screen.json(&report);
    } else {
        let last_steps = if report.verdict == Exit::Held { String::new() } else { watch.tail.text() };
        screen.text(&run_text(&report, &last_steps));
    }
    Ok(report.verdict)
}

fn recorded(loaded: &Loaded, seed: u64, path: &Path, watch: &mut Watch) -> Result<Report> {
    let context = || format!("cannot write {}", path.display());
    let recorder = Recorder::new(Draft::create(path)?, &engine::header(loaded, seed)).with_context(context)?;
    watch.recorder = Some(recorder);
    let mut report = engine::run(loaded, seed, watch);
    if let Some(recorder) = watch.recorder.take() {
        let draft = recorder.finish(Some(&footer(&report))).with_context(context)?;
        draft.publish()?;
    }
    report.trace = Some(path.display().to_string());
    Ok(report)
}

fn footer(report: &Report) -> Footer {
    Footer {
        verdict: report.verdict.word().into(),
        steps: report.steps,
        hash: u64::from_str_radix(&report.hash, 16).map_or(HexHash(0), HexHash),
        violations: report.violations.iter().map(|finding| finding.property.clone()).collect(),
        panic: report.panic.clone(),
    }
}

fn trace_path(loaded: &Loaded, seed: u64) -> PathBuf {
    Path::new(OUT).join(format!("{}-{seed}.jsonl", loaded.name))
}

/// The one command that shows it again: the trace if there is one, else the seed.
fn reproduction(loaded: &Loaded, report: &Report, first_shown: u64) -> String {
    match &report.trace {
        Some(trace) if report.verdict != Exit::Held => format!("zabsim replay {} --from {first_shown}", quoted(trace)),
        _ => format!("zabsim run {} --seed {}", quoted(&loaded.path), report.seed),
    }
}

/// For a shell.
pub(super) fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if !path.is_empty() && path.chars().all(plain) { path.into() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_survives_the_shell() {
        assert_eq!(quoted("out/a-1.jsonl"), "out/a-1.jsonl");
        assert_eq!(quoted("my runs/it's.toml"), r"'my runs/it'\''s.toml'");
    }
}
