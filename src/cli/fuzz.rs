//! `zabsim fuzz`: many seeds, every failure in a folder; `zabsim merge`: the report of all shards.

mod args;
mod folder;
mod machines;
mod report;
mod state;
mod text;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

pub(super) use args::{FuzzArgs, MergeArgs};

use super::engine::Loaded;
use super::render::{Screen, plural, thousands};
use super::signals::when_asked_to_stop;
use super::{Exit, engine, files, panics};
use crate::fuzz::campaign::{Campaign, Member, Place, Progress, Shard};
use crate::fuzz::tally::Example;
use crate::fuzz::trial::Trial;
use crate::fuzz::{parallel, swarm};
use crate::scenario::Scenario;
use crate::zab::Conduct;
use args::Forms;
use report::FuzzReport;

/// A killed campaign loses no more than this.
const SAVED_EVERY: Duration = Duration::from_secs(3);

pub(super) fn fuzz(args: &FuzzArgs, screen: &mut Screen) -> Result<Exit> {
    Conduct::of(args.mutant.as_deref()).map_err(anyhow::Error::msg)?;
    let mut scenarios = Vec::new();
    let mut wrong = false;
    for path in &args.scenarios {
        let loaded = engine::load(path).and_then(|loaded| args.behaviour.rewrite(loaded));
        match loaded.and_then(|loaded| mutated(loaded, args.mutant.as_deref())) {
            Ok(scenario) => scenarios.push(scenario),
            Err(error) => {
                screen.error(&error);
                wrong = true;
            }
        }
    }
    if wrong {
        return Ok(Exit::Usage);
    }
    name_apart(&mut scenarios);
    if scenarios.is_empty() {
        args.behaviour.assert_mendable(&Scenario::default())?;
    }
    args.forms.assert_writable(Some(&args.out))?;
    let interrupted = interruption()?;
    let _lock = state::lock(&args.out)?;
    let mut progress = state::resume(&args.out, campaign(args, &scenarios)?)?;
    progress.is_out_of_time = is_time_over(args, progress.millis);
    // Before anything else: a directory that cannot be written should not cost a night.
    state::write(&args.out, &progress)?;
    let mut hunt = Hunt { args, scenarios: &scenarios, progress, interrupted, failed: None };
    hunt.run(screen)?;
    let Progress { campaign, tally, .. } = &hunt.progress;
    let unfinished: Vec<String> = hunt.progress.interruption().into_iter().collect();
    // An engine that runs an array of tasks takes any other status for a crash, which an interruption is to it.
    let worst = if args.shard.is_some() { Exit::Good } else { tally.worst().into() };
    let exit = if unfinished.is_empty() { worst } else { worst.of_a_part() };
    let report = FuzzReport::new(campaign, tally, std::slice::from_ref(&args.out), promise_line, unfinished);
    publish(&report, &args.forms, screen)?;
    Ok(exit)
}

pub(super) fn merge(args: &MergeArgs, screen: &mut Screen) -> Result<Exit> {
    args.forms.assert_writable(None)?;
    let mut parts: Vec<(Progress, PathBuf)> = Vec::new();
    for directory in &args.directories {
        parts.push((state::read(directory)?, directory.clone()));
    }
    parts.sort_by_key(|(part, _)| part.campaign.shard);
    let whole = |part: &Progress| Campaign { shard: None, ..part.campaign.clone() };
    let (first, rest) = parts.split_first().context("no directory is given")?;
    let campaign = whole(&first.0);
    let shown = first.1.display();
    if let Some((part, other)) = rest.iter().find(|(part, _)| campaign.difference(&whole(part)).is_some()) {
        let difference = campaign.difference(&whole(part)).unwrap_or_default();
        bail!("{shown} and {} are not of one campaign ({difference})", other.display());
    }
    let shard = |part: &Progress| part.campaign.shard.unwrap_or(Shard::WHOLE);
    let of = shard(&first.0).of;
    if let Some((part, other)) = rest.iter().find(|(part, _)| shard(part).of != of) {
        bail!("{shown} is one of {of} shards, {} one of {}", other.display(), shard(part).of);
    }
    if let Some(pair) = parts.windows(2).find(|pair| shard(&pair[0].0) == shard(&pair[1].0)) {
        bail!("{} and {} are the same shard", pair[0].1.display(), pair[1].1.display());
    }
    let missing: Vec<String> = (1..=of)
        .filter(|&index| !parts.iter().any(|(part, _)| shard(part).index == index))
        .map(|index| format!("{index}/{of}"))
        .collect();
    let mut unfinished: Vec<String> = parts.iter().filter_map(|(part, _)| part.interruption()).collect();
    match missing.as_slice() {
        [] => {}
        [one] => unfinished.push(format!("shard {one} is missing")),
        many => unfinished.push(format!("shards {} are missing", many.join(", "))),
    }
    let mut tally = first.0.tally.clone();
    rest.iter().for_each(|(part, _)| tally.merge(&part.tally));
    let directories: Vec<PathBuf> = parts.into_iter().map(|(_, directory)| directory).collect();
    let worst = Exit::from(tally.worst());
    let exit = if unfinished.is_empty() || args.partial { worst } else { worst.of_a_part() };
    publish(&FuzzReport::new(&campaign, &tally, &directories, promise_line, unfinished), &args.forms, screen)?;
    if exit == Exit::Unfinished {
        screen.note("note: this is not the whole campaign; --partial accepts it");
    }
    Ok(exit)
}

fn publish(report: &FuzzReport, forms: &Forms, screen: &mut Screen) -> Result<()> {
    if let Some(path) = &forms.junit {
        files::write(path, &machines::junit(report)?)?;
    }
    if let Some(path) = &forms.sarif {
        files::write(path, &(serde_json::to_string_pretty(&machines::sarif(report))? + "\n"))?;
    }
    if forms.json {
        screen.json(report);
    } else {
        let width = screen.width();
        screen.text(&text::text(report, width));
    }
    if forms.github {
        screen.text(&machines::github(report));
    }
    Ok(())
}

/// Where a scenario says what it promises: its `[promise]`, or its first line. It may be gone when shards are merged.
fn promise_line(member: &Member) -> Option<usize> {
    let text = files::read_scenario(Path::new(&member.path)).unwrap_or_default();
    Some(text.lines().position(|line| line.trim() == "[promise]").map_or(1, |index| index + 1))
}

fn mutated(mut loaded: Loaded, mutant: Option<&str>) -> Result<Loaded> {
    if let Some(mutant) = mutant {
        loaded.scenario.mutant = Some(mutant.into());
        let text = loaded.scenario.written(&loaded.scenario.moral);
        loaded.scenario.text = text.with_context(|| format!("{} cannot be written with a mutant", loaded.path))?;
    }
    Ok(loaded)
}

/// Files of the same name in several directories must not share a folder.
fn name_apart(scenarios: &mut [Loaded]) {
    for index in 1..scenarios.len() {
        let (before, rest) = scenarios.split_at_mut(index);
        let mut names = (1..).map(|n| if n == 1 { rest[0].name.clone() } else { format!("{}-{n}", rest[0].name) });
        rest[0].name = names.find(|name| before.iter().all(|other| other.name != *name)).expect("there are more names");
    }
}

fn campaign(args: &FuzzArgs, scenarios: &[Loaded]) -> Result<Campaign> {
    let count = scenarios.len().max(1) as u64;
    let first_seed = args.seeds.as_ref().map_or(args.seed, |seeds| *seeds.start());
    let seeds = match &args.seeds {
        Some(seeds) => (seeds.end() - seeds.start()).checked_add(1),
        None => Some(args.runs.map_or(0, |runs| runs.div_ceil(count))),
    };
    let runs = seeds.and_then(|seeds| seeds.checked_mul(count));
    let Some(runs) = runs else { bail!("more than 2^64 runs take too long") };
    if args.seeds.is_none() && args.runs.is_some() && first_seed.checked_add(seeds.unwrap_or(0)).is_none() {
        bail!("--runs from --seed {first_seed} on goes beyond the last seed, {}", u64::MAX);
    }
    let runs = args.seeds.as_ref().map(|_| runs).or(args.runs);
    let member = |loaded: &Loaded| Member {
        path: loaded.path.clone(),
        name: loaded.name.clone(),
        digest: state::digest(&loaded.scenario.text),
    };
    Ok(Campaign {
        zabsim: env!("CARGO_PKG_VERSION").into(),
        scenarios: scenarios.iter().map(member).collect(),
        first_seed,
        runs,
        shard: args.shard,
        mutant: args.mutant.clone(),
        behaviour: args.behaviour.flags().trim_start().to_owned(),
        // A shard cannot know what another one found.
        keep_going: args.keep_going || args.shard.is_some(),
        budget: args.budget,
    })
}

fn is_time_over(args: &FuzzArgs, millis: u64) -> bool {
    args.time.is_some_and(|time| u128::from(millis) >= time.as_millis())
}

/// A campaign under way.
struct Hunt<'a> {
    args: &'a FuzzArgs,
    scenarios: &'a [Loaded],
    progress: Progress,
    /// Somebody wants it to end.
    interrupted: Arc<AtomicBool>,
    /// Why nothing more can be written.
    failed: Option<anyhow::Error>,
}

impl Hunt<'_> {
    fn run(&mut self, screen: &mut Screen) -> Result<()> {
        let total = self.progress.campaign.len();
        if self.progress.is_complete() || self.progress.is_out_of_time {
            if self.progress.position > 0 {
                let place = files::quoted(&self.args.out);
                screen.note(format_args!(
                    "note: {place} holds the whole of this campaign, nothing was run; to run it again, remove it"
                ));
            }
            return Ok(());
        }
        let interrupted = Arc::clone(&self.interrupted);
        let started = Instant::now();
        let before = Duration::from_millis(self.progress.millis);
        let bar = Bar::new(self, total);
        let mut saved = Instant::now();
        let jobs = self.args.jobs.map_or_else(super::processors, usize::from);
        let campaign = self.progress.campaign.clone();
        let (scenarios, args) = (self.scenarios, self.args);
        let stopped = parallel::ordered(
            self.progress.position..total,
            jobs,
            |position| {
                let place = campaign.place(position);
                match scenarios.get(place.scenario) {
                    Some(loaded) => Trial::run(&loaded.scenario, place.seed, &|run| panics::catch(run)),
                    None => {
                        let scenario = drawn(place.seed, args);
                        Trial::run(&scenario, place.seed, &|run| panics::catch(run)).excused()
                    }
                }
            },
            |position, trial| {
                let place = campaign.place(position);
                let is_bad = trial.symptom.is_some();
                if let Err(error) = self.take(place, &trial) {
                    self.failed = Some(error);
                    return ControlFlow::Break(());
                }
                self.progress.position = position + 1;
                self.progress.millis = u64::try_from((before + started.elapsed()).as_millis()).unwrap_or(u64::MAX);
                self.progress.is_out_of_time = is_time_over(args, self.progress.millis);
                bar.show(&self.progress, started.elapsed());
                if is_bad || saved.elapsed() >= SAVED_EVERY {
                    saved = Instant::now();
                    if let Err(error) = state::write(&self.args.out, &self.progress) {
                        self.failed = Some(error);
                        return ControlFlow::Break(());
                    }
                }
                let is_over = self.progress.is_out_of_time || interrupted.load(Ordering::Relaxed);
                if is_over || self.progress.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        bar.0.finish_and_clear();
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        state::write(&self.args.out, &self.progress)?;
        if stopped.is_break() && interrupted.load(Ordering::Relaxed) && !self.progress.is_complete() {
            screen.note("interrupted: the same command goes on where this one stopped");
        }
        Ok(())
    }

    /// Counts a run, and looks at it if it failed in a way that was not seen often yet.
    fn take(&mut self, place: Place, trial: &Trial) -> Result<()> {
        let Place { number, scenario, seed } = place;
        if let Some(symptom) = trial.symptom.as_ref().filter(|symptom| self.progress.tally.wants(scenario, symptom)) {
            let Progress { campaign, tally, .. } = &self.progress;
            let folder = report::folder(&self.args.out, campaign, &symptom.property, scenario, seed);
            let written;
            let loaded = match self.scenarios.get(scenario) {
                Some(loaded) => loaded,
                None => {
                    written = drawn_scenario(seed, self.args)?;
                    &written
                }
            };
            let is_new = |shape: &[String]| tally.is_new(scenario, symptom, shape);
            let examined = folder::examine(loaded, seed, campaign.budget, &folder, is_new)?;
            let (recorded, actions) = examined.actions.unzip();
            let said = symptom.said.clone();
            let example = Example { number, seed, said, recorded, actions, shape: examined.shape };
            self.progress.tally.examine(scenario, symptom, trial.verdict, example);
        }
        self.progress.tally.add(scenario, trial);
        Ok(())
    }
}

/// What the seed draws, with what the command line adds.
fn drawn(seed: u64, args: &FuzzArgs) -> Scenario {
    let mut scenario = swarm::draw(seed);
    scenario.mutant.clone_from(&args.mutant);
    args.behaviour.apply(&mut scenario);
    scenario
}

/// With its text, as its file would have it.
fn drawn_scenario(seed: u64, args: &FuzzArgs) -> Result<Loaded> {
    let mut scenario = drawn(seed, args);
    let text = scenario.written(&scenario.moral);
    scenario.text = text.with_context(|| format!("the scenario drawn from seed {seed} cannot be written"))?;
    Ok(Loaded { path: String::new(), name: swarm::NAME.into(), scenario, flags: String::new() })
}

/// Becomes true at Ctrl-C, or when the process is asked to end. Who insists ends it at once: what was saved is whole.
fn interruption() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&flag);
    when_asked_to_stop(move || {
        if seen.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })?;
    Ok(flag)
}

/// On a terminal; `indicatif` is silent in a pipe.
struct Bar(ProgressBar, u64);

impl Bar {
    fn new(hunt: &Hunt, total: u64) -> Bar {
        let style = |template| ProgressStyle::with_template(template).expect("the template is a constant");
        let bar = if hunt.progress.campaign.runs.is_some() {
            ProgressBar::new(total)
                .with_style(style("{bar:20} {human_pos} of {human_len} runs  {per_sec}  {eta}  {msg}"))
        } else {
            ProgressBar::new_spinner().with_style(style("{spinner} {human_pos} runs  {per_sec}  {elapsed}  {msg}"))
        };
        Bar(bar.with_position(hunt.progress.position), hunt.progress.tally.steps)
    }

    fn show(&self, progress: &Progress, elapsed: Duration) {
        if self.0.is_hidden() {
            return;
        }
        let tally = &progress.tally;
        let rate = u128::from(tally.steps - self.1) * 1000 / elapsed.as_millis().max(1);
        self.0.set_position(progress.position);
        self.0.set_message(format!(
            "{} steps/s  {} of {} situations  {}",
            thousands(u64::try_from(rate).unwrap_or(u64::MAX)),
            tally.reached.len(),
            engine::situations().count(),
            plural(tally.failed(), "failure")
        ));
    }
}
