//! `zabsim shrink`: a failing trace, made short.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::args::ShrinkArgs;
use super::files::{Draft, quoted};
use super::render::{Screen, bold, plural, thousands, violation_text};
use super::report::Finding;
use super::{Exit, engine, files, panics};
use crate::run::Verdict;
use crate::shrink::{self, Options, Progress, ShrinkError, Shrunk, Target, Watch, regression_test};
use crate::trace::Trace;

/// What came of it, as JSON.
#[derive(Debug, Serialize)]
struct Report {
    property: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    violation: Option<Finding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    panic: Option<String>,
    /// Until it failed.
    recorded_actions: u64,
    actions: u64,
    /// Of these, those that are no part of how every run ends.
    script: u64,
    executed_steps: u64,
    /// Whether the budget was spent before nothing more could be left out.
    exhausted: bool,
    trace: String,
    replay: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<String>,
}

/// Where everything goes.
struct Places {
    trace: PathBuf,
    scenario: PathBuf,
    test: PathBuf,
}

impl Places {
    fn new(args: &ShrinkArgs, target: &Target) -> Places {
        if let Some(trace) = &args.trace {
            return Places {
                trace: trace.clone(),
                scenario: trace.with_extension("toml"),
                test: trace.with_extension("rs"),
            };
        }
        let stem = args.input.file_stem().map_or_else(|| "trace".into(), |stem| stem.to_string_lossy());
        let folder = args.out.clone().unwrap_or_else(|| Path::new("out").join(format!("{stem}-{target}")));
        Places {
            trace: folder.join("shrunk.jsonl"),
            scenario: folder.join("scenario.toml"),
            test: folder.join("shrunk.rs"),
        }
    }
}

pub(super) fn shrink(args: &ShrinkArgs, screen: &mut Screen) -> Result<Exit> {
    let trace = files::read_trace(&args.input)?;
    let options = Options { budget: args.budget, seeds: args.seeds };
    let mut bar = Bar::new(args);
    let catch = |tries: &mut dyn FnMut()| panics::catch(tries);
    let shrunk = shrink::shrink(&trace, &options, &catch, &mut bar);
    bar.0.finish_and_clear();
    let shrunk = shrunk.map_err(|error| explained(&error, &trace, &args.input))?;
    let report = write(args, &shrunk)?;
    if args.json {
        screen.json(&report);
    } else if !args.quiet {
        tell(&report, &shrunk, screen);
    }
    Ok(Exit::Good)
}

/// What is wrong with a trace, and why that may be.
fn explained(error: &ShrinkError, trace: &Trace, path: &Path) -> anyhow::Error {
    let verdict = trace.footer.as_ref().map(|footer| footer.verdict);
    let why = match (error, verdict) {
        (ShrinkError::NothingWrong, Some(Verdict::PromiseBroken)) => {
            ": its scenario broke a promise, which shows in whole runs, not in actions"
        }
        (ShrinkError::NothingWrong, Some(Verdict::LivenessViolated)) => {
            ": the core did not converge, but its faults permitted that"
        }
        (ShrinkError::NothingWrong, Some(Verdict::Panicked)) => ": the core does not panic any more",
        (ShrinkError::NothingWrong, _) => ": there is nothing to look for in a shorter one",
        _ => "",
    };
    anyhow!("{}: {error}{why}", path.display())
}

fn write(args: &ShrinkArgs, shrunk: &Shrunk) -> Result<Report> {
    let places = Places::new(args, &shrunk.target);
    let shown = |path: &Path| path.display().to_string();
    let draft = shrunk.trace.write(Draft::create(&places.trace)?);
    draft.with_context(|| format!("cannot write {}", places.trace.display()))?.publish()?;
    if let Some((scenario, _)) = &shrunk.scenario {
        files::write(&places.scenario, &scenario.text)?;
    }
    let name = places.trace.file_name().unwrap_or_default().to_string_lossy();
    let test = args.test.then(|| regression_test(shrunk, &name)).flatten();
    if let Some(test) = &test {
        files::write(&places.test, test)?;
    }
    let Progress { spent, budget, .. } = shrunk.progress;
    let run = |seed| format!("zabsim run {} --seed {seed}", quoted(&places.scenario));
    Ok(Report {
        property: shrunk.target.to_string(),
        violation: shrunk.violation.as_ref().map(engine::finding),
        panic: shrunk.trace.footer.as_ref().and_then(|footer| footer.panic.clone()),
        recorded_actions: shrunk.recorded,
        actions: shrunk.trace.last_step(),
        script: shrunk.script,
        executed_steps: spent,
        exhausted: spent >= budget,
        trace: shown(&places.trace),
        replay: format!("zabsim replay {} --from 1", quoted(&places.trace)),
        scenario: shrunk.scenario.as_ref().map(|_| shown(&places.scenario)),
        run: shrunk.scenario.as_ref().map(|&(_, seed)| run(seed)),
        test: test.map(|_| shown(&places.test)),
    })
}

fn tell(report: &Report, shrunk: &Shrunk, screen: &mut Screen) {
    let Report { recorded_actions, actions, script, .. } = *report;
    let closing = match actions - script {
        0 => String::new(),
        rest => format!(", then {} until the end shows it", plural(rest, "action")),
    };
    let from = thousands(recorded_actions);
    screen.line(format_args!("{} from {from} actions to {}{closing}", bold("shrunk"), thousands(script)));
    if report.exhausted {
        screen.line("the budget is spent: with a greater --budget it may become shorter");
    }
    if let Some(finding) = &report.violation {
        screen.text(&violation_text(finding, screen.width()));
    }
    if let Some(panic) = &report.panic {
        screen.line(format_args!("the core panics: {panic}"));
    }
    screen.line(format_args!("trace:     {}\n           {}", report.trace, report.replay));
    match (&report.scenario, &report.run) {
        (Some(scenario), Some(run)) => screen.line(format_args!("scenario:  {scenario}\n           {run}")),
        _ if report.exhausted => {}
        _ => screen.line(format_args!(
            "no scenario: {} does not fail in this way under seed {} any more",
            shrunk.trace.header.scenario, shrunk.trace.header.seed
        )),
    }
    if let Some(test) = &report.test {
        screen.line(format_args!("test:      {test}"));
    }
}

/// On a terminal; `indicatif` is silent in a pipe.
struct Bar(ProgressBar);

impl Bar {
    fn new(args: &ShrinkArgs) -> Bar {
        if args.quiet {
            return Bar(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{bar:30} {human_pos} of at most {human_len} steps  {elapsed}  {msg}")
            .expect("the template is a constant");
        Bar(ProgressBar::new(args.budget).with_style(style))
    }
}

impl Watch for Bar {
    fn tried(&mut self, progress: &Progress) {
        if self.0.is_hidden() {
            return;
        }
        self.0.set_position(progress.spent);
        self.0.set_message(match progress.actions {
            0 => format!("scenario simplified {}", plural(progress.simplified, "time")),
            actions => plural(actions, "action"),
        });
    }
}
