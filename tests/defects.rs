//! Open defects: what the releases' habits lead to, each with a short trace and a place in `docs/open-defects.md`. With the habits
//! its property breaks at the last step; without them, and without any one of them, the same actions do not break it.
//!
//! When the core changes: `UPDATE_TRACES=1 cargo test --test defects` records those anew that it plays in another way, and redraws
//! the pictures; the words beside them are yours to check.
#![cfg(feature = "cli")]
#![allow(clippy::disallowed_methods, reason = "this test reads traces and runs the binary")]

mod support;

use std::path::PathBuf;

use support::{run, shrunk_traces, stem, updates_traces};
use zabsim::shrink::{Converged, elsewhere};
use zabsim::sim::Setup;
use zabsim::trace::{Replay, Trace};
use zabsim::zab::{Habits, Release};

const DOC: &str = "docs/open-defects.md";

fn defects() -> Vec<(PathBuf, Trace)> {
    shrunk_traces("traces/open-defects")
}

/// What the same actions violate with only these habits.
fn violated(trace: &Trace, habits: Habits) -> Vec<&'static str> {
    let conduct = trace.header.setup.conduct.with(habits);
    let (violations, converged) = elsewhere(trace, &Setup { conduct, ..trace.header.setup.clone() });
    let stalled = (converged == Converged::No).then_some("stalled");
    violations.iter().map(|violation| violation.property.id()).chain(stalled).collect()
}

#[test]
fn with_the_habits_the_property_breaks_at_the_last_step() {
    for (path, trace) in defects() {
        let name = path.display();
        let footer = trace.footer.as_ref().expect("whoever shrinks a trace ends it");
        let mut replay = Replay::new(&trace);
        replay.run_until(u64::MAX, |_, _| ()).unwrap_or_else(|diverged| panic!("{name}: {diverged}"));
        let found: Vec<(&str, u64)> =
            replay.checkers().violations().iter().map(|it| (it.property.id(), it.step)).collect();
        let first = footer.violations.first().map(|id| (id.as_str(), trace.last_step()));
        assert_eq!(found.first().copied(), first, "{name}");
        assert_eq!(replay.judge().0, footer.verdict, "{name}");
    }
}

#[test]
fn every_habit_of_a_trace_is_needed() {
    for (path, trace) in defects() {
        let name = path.display();
        let habits = trace.header.setup.conduct.habits;
        assert!(!habits.is_empty() && trace.header.mutants.is_empty(), "{name}");
        let shared = Release::ALL.into_iter().filter(|release| habits.without(release.habits()).is_empty()).count();
        assert!(shared > 0, "{name}: no release has all of them");
        assert_eq!(violated(&trace, Habits::NONE), [""; 0], "{name}: the hardened protocol");
        let property =
            trace.footer.as_ref().and_then(|footer| footer.violations.first()).expect("it violates something");
        for habit in habits.iter() {
            let without = violated(&trace, habits.without(Habits::of(&[habit])));
            assert!(!without.contains(&property.as_str()), "{name}: {habit} is not needed");
        }
    }
}

#[test]
fn the_readme_shows_a_defect_as_it_is_replayed() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let command = "replay traces/open-defects/snapshots-survive-a-cut.jsonl";
    let shown = format!("```text\n$ zabsim {command}\n{}```", run(command).exits(1).out);
    assert!(readme.contains(&shown), "README.md should show\n\n{shown}");
}

/// What is no finding is not what the documented hunt finds.
#[test]
fn the_hunt_that_is_told_leaves_out_what_is_no_finding() {
    for path in ["README.md", DOC] {
        let told = std::fs::read_to_string(path).unwrap();
        let hunts: Vec<&str> = told.lines().filter(|line| line.contains("zabsim fuzz --profile apache-")).collect();
        let wide = hunts.iter().filter(|line| !line.contains("--only"));
        assert!(wide.clone().count() > 0, "{path} tells how to look for more");
        for hunt in wide {
            assert!(hunt.contains("--mend observer-acks-early"), "{path}: {hunt}");
        }
    }
}

#[test]
fn every_trace_is_told_and_the_pictures_are_what_is_printed() {
    let told = std::fs::read_to_string(DOC).unwrap();
    for (path, trace) in defects() {
        let replay = format!("zabsim replay traces/open-defects/{}.jsonl", stem(&path));
        assert!(told.contains(&replay), "{DOC}: no word on {}", path.display());
        let section = told.split("\n## ").find(|section| section.contains(&replay)).expect("it was found");
        for habit in trace.header.setup.conduct.habits.iter() {
            assert!(section.contains(&format!("`{habit}`")), "{DOC}: {} needs {habit}", path.display());
        }
        let property = &trace.footer.as_ref().unwrap().violations[0];
        assert!(section.contains(property.as_str()), "{DOC}: {} violates {property}", path.display());
    }
    let pictures = pictures(&told);
    assert!(pictures.len() >= defects().len(), "every one has its picture");
    if updates_traces() {
        let redrawn =
            pictures.iter().fold(told.clone(), |told, (command, shown)| told.replace(shown, &run(command).out));
        return std::fs::write(DOC, redrawn).unwrap();
    }
    for (command, shown) in pictures {
        assert_eq!(shown, run(command).out, "{DOC}: {command}");
    }
}

/// Commands, and what they print as the text has it.
fn pictures(told: &str) -> Vec<(&str, &str)> {
    let blocks = told.match_indices("\n```text\n").map(|(at, fence)| (&told[..at], &told[at + fence.len()..]));
    blocks
        .map(|(before, block)| {
            let command = before.lines().rev().find_map(|line| line.strip_prefix("    zabsim "));
            (command.expect("a command above"), &block[..block.find("```").expect("a block ends")])
        })
        .collect()
}
