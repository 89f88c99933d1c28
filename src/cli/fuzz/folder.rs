//! The folder of a failure: everything that a person needs to see it again, and to understand it.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;

use super::super::engine::{self, Loaded, Watch};
use super::super::files::{self, Draft};
use super::super::panics;
use super::super::render::{plural, violation_text};
use crate::fuzz::tally::shape;
use crate::fuzz::trial::Trial;
use crate::scenario::{HabitName, Promise, Scenario};
use crate::shrink::{self, Options, Shrunk};
use crate::trace::diagram::{Moment, Pick, TextDiagram, svg, verdict};
use crate::trace::{Replay, Trace};

/// A failing run, looked at.
pub(super) struct Examined {
    /// How many actions it had until it failed, and how many are left; `None` if it could not be shrunk.
    pub actions: Option<(u64, u64)>,
    pub shape: Vec<String>,
}

/// Runs it again with a recorder, shrinks it, and writes the folder if `is_new` says so of its shape.
pub(super) fn examine(
    loaded: &Loaded,
    seed: u64,
    budget: u64,
    folder: &Path,
    is_new: impl FnOnce(&[String]) -> bool,
) -> Result<Examined> {
    let recorded = folder.join("trace.jsonl");
    let mut watch = Watch::new(loaded, seed);
    let report = engine::record(loaded, seed, &recorded, &mut watch)?;
    let trace = files::read_trace(&recorded)?;
    let options = Options { budget, ..Options::default() };
    // A failure is kept even where the shrinker fails over it.
    let shrunk = panics::catch(|| shrink::shrink(&trace, &options, &|tries| panics::catch(tries), &mut ()))
        .and_then(|shrunk| shrunk.map_err(|error| error.to_string()));
    let shape = shrunk.as_ref().map_or_else(|_| Vec::new(), |shrunk| shape(&shrunk.trace));
    let actions = shrunk.as_ref().ok().map(|shrunk| (shrunk.recorded, shrunk.trace.last_step()));
    if !is_new(&shape) {
        std::fs::remove_dir_all(folder)?;
        return Ok(Examined { actions, shape });
    }
    files::write(&folder.join("scenario.toml"), &loaded.scenario.text)?;
    files::write(&folder.join("seed"), &format!("{seed}\n"))?;
    let mut story = String::new();
    let _ = writeln!(story, "# {} · seed {seed} · {}\n", loaded.name, report.verdict.word());
    for finding in &report.violations {
        let _ = writeln!(story, "```text\n{}```\n", anstream::adapter::strip_str(&violation_text(finding, None)));
    }
    for promise in &report.broken_promises {
        let _ = writeln!(story, "Broken promise: {promise}.\n");
    }
    if let Some(panic) = &report.panic {
        let _ = writeln!(story, "The core panicked: {panic}\n");
    }
    let taken = shrunk.as_ref().map_or(&trace.header, |shrunk| &shrunk.trace.header);
    // Where the budget did not last for the trace, the scenario beside it may know better.
    let simple = shrunk.as_ref().ok().and_then(|shrunk| shrunk.scenario.as_ref());
    let simple: Option<Vec<HabitName>> = simple.map(|(it, _)| it.all_habits().iter().map(HabitName).collect());
    let fewest = simple.filter(|simple| simple.len() < taken.habits.len());
    if let Some(taken) = deviations(&taken.mutants, fewest.as_ref().unwrap_or(&taken.habits)) {
        let _ = writeln!(story, "{}: {taken}.\n", if shrunk.is_ok() { "It takes" } else { "The servers have" });
    }
    let _ = writeln!(
        story,
        "To see it again, in this folder (`zabsim run` writes a trace of its own to `out/` here):\n\n```sh"
    );
    let _ = writeln!(story, "zabsim run scenario.toml --seed {seed}");
    match &shrunk {
        Ok(shrunk) => tell_shrunk(shrunk, &loaded.scenario, folder, &mut story)?,
        Err(error) => {
            let _ = writeln!(story, "zabsim replay trace.jsonl --from {}\n```\n", watch.tail.first_step().max(1));
            let _ = writeln!(story, "There is no shorter trace: {error}.");
            draw(&trace, folder)?;
        }
    }
    files::write(&folder.join("README.md"), &story)?;
    Ok(Examined { actions, shape })
}

/// In what servers are not those of the hardened protocol.
fn deviations(mutants: &[String], habits: &[HabitName]) -> Option<String> {
    let mutants = mutants.iter().map(|mutant| format!("mutant `{mutant}`"));
    let habits = habits.iter().map(|habit| format!("habit `{}`", habit.0));
    let all: Vec<String> = mutants.chain(habits).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// The scenario of the short run with the habits that the short trace takes, if it fails in the same way with them alone.
fn with_habits_of(shrunk: &Shrunk, scenario: &Scenario, seed: u64) -> Option<Scenario> {
    let mut fewer = Scenario { profile: None, habits: shrunk.trace.header.habits.clone(), ..scenario.clone() };
    if fewer.habits.len() >= scenario.all_habits().iter().count() {
        return None;
    }
    fewer.text = fewer.written(&fewer.moral)?;
    let symptom = |scenario: &Scenario| {
        let symptom = Trial::run(scenario, seed, &|run| panics::catch(run)).symptom;
        symptom.map(|symptom| (symptom.property, symptom.place))
    };
    let failed = symptom(&fewer);
    (failed.is_some() && failed == symptom(scenario)).then_some(fewer)
}

/// Whether it says anything else than the scenario that it came from, but for its promises and its moral.
fn is_simpler(scenario: &Scenario, origin: &Scenario) -> bool {
    let said = |scenario: &Scenario| Scenario { promise: Promise::default(), ..scenario.clone() }.written("");
    said(scenario) != said(origin)
}

fn tell_shrunk(shrunk: &Shrunk, origin: &Scenario, folder: &Path, story: &mut String) -> Result<()> {
    let draft = shrunk.trace.write(Draft::create(&folder.join("shrunk.jsonl"))?)?;
    draft.publish()?;
    draw(&shrunk.trace, folder)?;
    let _ = writeln!(story, "zabsim replay shrunk.jsonl --from 1");
    if let Some((scenario, seed)) = &shrunk.scenario {
        let fewer = with_habits_of(shrunk, scenario, *seed);
        let scenario = fewer.as_ref().unwrap_or(scenario);
        files::write(&folder.join("shrunk.toml"), &scenario.text)?;
        let what = if is_simpler(scenario, origin) {
            "the simplest scenario that fails so"
        } else {
            "nothing simpler fails so"
        };
        let _ = writeln!(story, "zabsim run shrunk.toml --seed {seed}   # {what}");
    }
    let _ = writeln!(
        story,
        "```\n\n`trace.jsonl` has {} until it fails, `shrunk.jsonl` has {}. `diagram.txt` and `diagram.svg` are \
         pictures of the short one (`zabsim diagram --legend` explains the signs).",
        plural(shrunk.recorded, "action"),
        plural(shrunk.trace.last_step(), "action")
    );
    Ok(())
}

/// As text and as a picture. A trace of a panic is drawn up to it.
fn draw(trace: &Trace, folder: &Path) -> Result<()> {
    let mut replay = Replay::new(trace);
    let nodes = replay.world().setup().nodes.len();
    let mut moments: Vec<Moment> = Vec::new();
    let ended = engine::each_moment(&mut replay, &Pick::default(), |moment| {
        moments.push(*moment);
        true
    });
    let mut text = TextDiagram::new(nodes, Pick::default());
    let mut lines = text.heading() + "\n";
    for line in moments.iter().filter_map(|moment| text.line(moment)) {
        lines += &line;
        lines.push('\n');
    }
    let violated = verdict(trace, &replay);
    violated.iter().for_each(|line| lines += &(text.below(line) + "\n"));
    if let Err(engine::Broke::Panicked(panic)) = ended {
        let _ = writeln!(lines, "the core panics: {panic}");
    }
    files::write(&folder.join("diagram.txt"), &lines)?;
    let title = format!("{} · seed {}", trace.header.scenario, trace.header.seed);
    files::write(&folder.join("diagram.svg"), &svg(&title, nodes, &moments, &Pick::default(), &violated))
}
