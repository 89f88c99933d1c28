//! `zabsim run` with many scenarios or seeds: one run is one thread, and the result does not depend on how many there are.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::Exit;
use super::args::RunArgs;
use super::engine::{self, Loaded, Watch};
use super::ranges::Seeds;
use super::render::{Screen, batch_text};
use super::report::{BatchReport, Count, Failure, Ran, Report};
use super::run::{replay_command, run_command, trace_path};
use crate::fuzz::parallel;
use crate::run::Verdict;

pub(super) fn batch(scenarios: &[Loaded], args: &RunArgs, screen: &mut Screen) -> Result<Exit> {
    let seeds = args.seeds.clone().unwrap_or(args.seed..=args.seed);
    if args.trace.is_some() {
        bail!(
            "--trace is for one scenario and one seed; of a batch, the first of each kind of failure is in --trace-dir"
        );
    }
    let count = (seeds.end() - seeds.start()).checked_add(1);
    let runs = count.and_then(|count| count.checked_mul(scenarios.len() as u64));
    let Some(runs) = runs else { bail!("more than 2^64 runs take too long") };
    let jobs = args.jobs.map_or_else(super::processors, usize::from);

    let bar = progress(runs, args);
    let mut tally = Tally { lists_results: args.json, ..Tally::default() };
    // Seeds outermost: every scenario gets its turn early.
    let scenario = |index| (index % scenarios.len() as u64) as usize;
    let seed = |index| seeds.start() + index / scenarios.len() as u64;
    let _ = parallel::ordered(
        0..runs,
        jobs,
        |index| engine::run_unwatched(&scenarios[scenario(index)], seed(index)),
        |index, report| {
            tally.add(index, scenario(index), report);
            bar.set_message(tally.failed());
            bar.inc(1);
            ControlFlow::Continue(())
        },
    );
    bar.finish_and_clear();

    let exit = tally.worst();
    let mut report = tally.report(scenarios, &seeds);
    record_failures(&mut report.failures, scenarios, args, screen);
    if args.json {
        screen.json(&report);
    } else if !args.quiet || exit != Exit::Good {
        screen.text(&batch_text(&report, screen.width()));
    }
    Ok(exit)
}

/// Runs the first of each kind again, this time with a recorder.
fn record_failures(failures: &mut [Failure], scenarios: &[Loaded], args: &RunArgs, screen: &mut Screen) {
    let mut taken = BTreeSet::new();
    for failure in failures {
        let loaded = &scenarios[failure.index];
        // Files of the same name in several directories must not share a trace.
        let names = (1..).map(|n| if n == 1 { loaded.name.clone() } else { format!("{}-{n}", loaded.name) });
        let mut paths = names.map(|name| trace_path(&args.trace_dir, &name, failure.seed));
        let Some(path) = paths.find(|path| taken.insert(path.clone())) else { continue };
        let mut watch = Watch::new(loaded, failure.seed);
        match engine::record(loaded, failure.seed, &path, &mut watch) {
            Ok(report) => {
                failure.replay = report.trace.as_deref().map(|trace| replay_command(trace, watch.tail.first_step()));
                failure.trace = report.trace;
            }
            Err(error) => return screen.note(format_args!("note: no traces of the failures: {error:#}")),
        }
    }
}

/// On a terminal; `indicatif` is silent in a pipe.
fn progress(runs: u64, args: &RunArgs) -> ProgressBar {
    if args.quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} runs  {per_sec}  {eta}  {msg}")
        .expect("the template is a constant");
    ProgressBar::new(runs).with_style(style)
}

/// Sums, minima and ordered maps only: the order in which runs end does not show.
#[derive(Debug, Default)]
struct Tally {
    lists_results: bool,
    runs: u64,
    steps: u64,
    verdicts: BTreeMap<Verdict, u64>,
    results: BTreeMap<u64, Ran>,
    reached: BTreeMap<String, u64>,
    failures: BTreeMap<(usize, String), Kind>,
}

/// One way of failing.
#[derive(Debug)]
struct Kind {
    verdict: Verdict,
    first: u64,
    seeds: u64,
}

impl Tally {
    fn add(&mut self, index: u64, scenario: usize, report: Report) {
        let Report { verdict, steps, seed, .. } = report;
        // Only JSON lists them, and there may be millions.
        if self.lists_results {
            self.results.insert(index, Ran { scenario: report.scenario, seed, verdict, steps, hash: report.hash });
        }
        self.runs += 1;
        self.steps += report.steps;
        *self.verdicts.entry(report.verdict).or_default() += 1;
        for Count { what, times } in report.reached {
            *self.reached.entry(what).or_default() += times;
        }
        if report.verdict.is_good() {
            return;
        }
        let finding = report.panic.map(|panic| format!("the core panicked: {panic}"));
        let finding = finding
            .or_else(|| report.violations.first().map(|f| format!("{} {}: {}", f.property, f.name, f.statement)));
        let finding = finding.or_else(|| report.broken_promises.into_iter().next()).unwrap_or_default();
        let fresh = Kind { verdict: report.verdict, first: report.seed, seeds: 0 };
        let kind = self.failures.entry((scenario, finding)).or_insert(fresh);
        kind.first = kind.first.min(report.seed);
        kind.seeds += 1;
    }

    fn failed(&self) -> String {
        let failed: u64 = self.verdicts.iter().filter(|(verdict, _)| !verdict.is_good()).map(|(_, times)| times).sum();
        if failed == 0 { String::new() } else { format!("{failed} failed") }
    }

    /// A panic hides more than a violation, a violation more than a stall.
    fn worst(&self) -> Exit {
        use Verdict::{LivenessViolated, Panicked, PromiseBroken, SafetyViolated};
        let order = [Panicked, SafetyViolated, PromiseBroken, LivenessViolated];
        order.into_iter().find(|verdict| self.verdicts.contains_key(verdict)).map_or(Exit::Good, Exit::from)
    }

    fn report(self, scenarios: &[Loaded], seeds: &Seeds) -> BatchReport {
        let never = engine::situations().filter(|name| !self.reached.contains_key(*name)).map(str::to_owned).collect();
        let mut failures: Vec<Failure> = self
            .failures
            .into_iter()
            .map(|((scenario, finding), kind)| Failure {
                scenario: scenarios[scenario].name.clone(),
                seed: kind.first,
                verdict: kind.verdict,
                finding,
                seeds: kind.seeds,
                reproduce: run_command(&scenarios[scenario], kind.first),
                index: scenario,
                trace: None,
                replay: None,
            })
            .collect();
        failures.sort_by(|a, b| (a.seed, &a.scenario).cmp(&(b.seed, &b.scenario)));
        BatchReport {
            scenarios: scenarios.len(),
            first_seed: *seeds.start(),
            last_seed: *seeds.end(),
            runs: self.runs,
            steps: self.steps,
            verdicts: self
                .verdicts
                .iter()
                .map(|(verdict, &times)| Count { what: verdict.word().into(), times })
                .collect(),
            results: self.results.into_values().collect(),
            reached: self.reached.into_iter().map(|(what, times)| Count { what, times }).collect(),
            never_reached: never,
            failures,
        }
    }
}
