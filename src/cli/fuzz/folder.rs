//! The folder of a failure: everything that a person needs to see it again, and to understand it.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;

use super::super::engine::{self, Loaded, Watch};
use super::super::files::{self, Draft};
use super::super::panics;
use super::super::render::{plural, violation_text};
use crate::fuzz::tally::shape;
use crate::shrink::{self, Options, Shrunk};
use crate::trace::diagram::{Moment, Pick, TextDiagram, svg};
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
    let shrunk = shrink::shrink(&trace, &options, &|tries| panics::catch(tries), &mut ());
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
    let _ = writeln!(story, "To see it again, in this folder:\n\n```sh");
    let _ = writeln!(story, "zabsim run scenario.toml --seed {seed}");
    match &shrunk {
        Ok(shrunk) => tell_shrunk(shrunk, folder, &mut story)?,
        Err(error) => {
            let _ = writeln!(story, "zabsim replay trace.jsonl --from {}\n```\n", watch.tail.first_step().max(1));
            let _ = writeln!(story, "There is no shorter trace: {error}.");
            draw(&trace, folder)?;
        }
    }
    files::write(&folder.join("README.md"), &story)?;
    Ok(Examined { actions, shape })
}

fn tell_shrunk(shrunk: &Shrunk, folder: &Path, story: &mut String) -> Result<()> {
    let draft = shrunk.trace.write(Draft::create(&folder.join("shrunk.jsonl"))?)?;
    draft.publish()?;
    draw(&shrunk.trace, folder)?;
    let _ = writeln!(story, "zabsim replay shrunk.jsonl --from 1");
    if let Some((scenario, seed)) = &shrunk.scenario {
        files::write(&folder.join("shrunk.toml"), &scenario.text)?;
        let _ = writeln!(story, "zabsim run shrunk.toml --seed {seed}   # the simplest scenario that fails so");
    }
    let _ = writeln!(
        story,
        "```\n\n`trace.jsonl` has {} until it fails, `shrunk.jsonl` has {}. `diagram.txt` and `diagram.svg` are pictures of \
         the short one (`zabsim diagram --legend` explains the signs).",
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
    if let Err(engine::Broke::Panicked(panic)) = ended {
        let _ = writeln!(lines, "the core panics: {panic}");
    }
    files::write(&folder.join("diagram.txt"), &lines)?;
    let title = format!("{} · seed {}", trace.header.scenario, trace.header.seed);
    files::write(&folder.join("diagram.svg"), &svg(&title, nodes, &moments, &Pick::default()))
}
