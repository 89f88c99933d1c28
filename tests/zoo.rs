//! The zoo: real bugs of ZooKeeper, each with the shortest trace that shows it. With the mutant the same property breaks at the
//! last step; without it the same actions break nothing.
//!
//! When the core changes: `UPDATE_TRACES=1 cargo test --features mutants --test zoo` records those anew that it plays in another way.
//! Where that does not come to the same, and when the swarm changes: `zabsim mutants --traces traces/zoo` looks for them.
#![cfg(all(feature = "mutants", feature = "cli"))]
#![allow(clippy::disallowed_methods, reason = "this test reads traces and runs the binary")]

mod support;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use support::{Scratch, run, shrunk_traces, stem};
use zabsim::check::Violation;
use zabsim::run::Verdict;
use zabsim::shrink::{Converged, elsewhere};
use zabsim::sim::Setup;
use zabsim::trace::{Replay, Trace};
use zabsim::zab::{Conduct, Mutant};

/// Nothing is wrong with it.
const WITHOUT_TRACE: [&str; 1] = ["zk-1552-equivalent"];

fn zoo() -> Vec<(PathBuf, Trace)> {
    shrunk_traces("traces/zoo")
}

/// Complains about all at once.
fn report(complaints: Vec<String>) {
    let advice = "after a change on purpose: UPDATE_TRACES=1 cargo test --features mutants --test zoo";
    assert!(complaints.is_empty(), "\n{}\n{advice}\n", complaints.join("\n"));
}

fn found(violations: &[Violation]) -> Vec<(&'static str, u64)> {
    violations.iter().map(|violation| (violation.property.id(), violation.step)).collect()
}

#[test]
fn every_mutant_that_can_be_found_has_its_trace() {
    let there: BTreeSet<String> = zoo().iter().map(|(path, _)| stem(path)).collect();
    let mutants = Mutant::all().map(Mutant::name).filter(|name| !WITHOUT_TRACE.contains(name));
    assert_eq!(there, mutants.map(str::to_owned).collect());
    for (path, trace) in zoo() {
        assert_eq!(trace.header.mutants, [stem(&path)], "{}", path.display());
    }
}

#[test]
fn with_the_mutant_its_property_breaks_at_the_last_step() {
    let mut complaints = Vec::new();
    for (path, trace) in zoo() {
        let mut complain = |what: String| complaints.push(format!("{}: {what}", path.display()));
        let footer = trace.footer.as_ref().expect("whoever shrinks a trace ends it");
        let mut replay = Replay::new(&trace);
        let ended = catch_unwind(AssertUnwindSafe(|| replay.run_until(u64::MAX, |_, _| ())));
        match (footer.verdict, ended) {
            (Verdict::Panicked, Err(_)) => {}
            (Verdict::Panicked, Ok(_)) => complain("it panics no more".into()),
            (_, Err(_)) => complain("it panics".into()),
            (_, Ok(Err(diverged))) => complain(diverged.to_string()),
            (verdict, Ok(Ok(()))) => {
                let found = found(replay.checkers().violations());
                let first = footer.violations.first().map(|id| (id.as_str(), trace.last_step()));
                if found.first().copied() != first || replay.judge().0 != verdict {
                    complain(format!("it was recorded with {first:?}, now it is {found:?}"));
                }
            }
        }
    }
    report(complaints);
}

#[test]
fn without_the_mutant_nothing_breaks() {
    let mut complaints = Vec::new();
    for (path, trace) in zoo() {
        let name = path.display();
        let hardened = Setup { conduct: Conduct::default(), ..trace.header.setup.clone() };
        let (violations, converged) = elsewhere(&trace, &hardened);
        if !violations.is_empty() || converged == Converged::No {
            complaints.push(format!("{name}: {:?}, converged: {converged:?}", found(&violations)));
        }
        // Whoever plays a trace like this plays the mutant's as it was recorded.
        let is_step = trace.ends.is_empty() && trace.footer.as_ref().is_some_and(|footer| footer.panic.is_none());
        if is_step && elsewhere(&trace, &trace.header.setup).0.is_empty() {
            complaints.push(format!("{name}: the actions do not show the mutant either"));
        }
    }
    report(complaints);
}

#[test]
fn traces_of_the_zoo_are_short() {
    let mut lengths: Vec<u64> = zoo().iter().map(|(_, trace)| trace.last_step()).collect();
    lengths.sort();
    let median = lengths[lengths.len() / 2];
    assert!(median <= 60, "the median is {median}: {lengths:?}");
}

#[test]
fn mutants_are_listed_with_place_source_and_story() {
    let listed = run("mutants").exits(0).out;
    let json = run("mutants --json").exits(0).json();
    assert_eq!(json.as_array().unwrap().len(), Mutant::COUNT);
    for mutant in Mutant::all() {
        let line = format!("{}, {}", mutant.place(), mutant.source());
        assert!(listed.contains(mutant.name()) && listed.contains(&line), "{mutant} in\n{listed}");
    }
    let ran = run("mutants zk-115").exits(2);
    assert!(ran.err.contains("did you mean `zk-115"), "{}", ran.err);
    let strange = run("mutants --score nope").exits(2).err;
    assert!(strange.contains("`zabsim mutants` lists them") && !strange.contains("did you mean"), "{strange}");
}

#[test]
fn a_score_counts_kills_and_compares_with_the_unmutated_core() {
    let scratch = Scratch::new("score");
    let page = scratch.path("score.html");
    let command = format!("mutants --score zk-4646 zk-2325 --runs 60 --masters 2 --json --html {page}");
    let score = run(&command).exits(0).json();
    let of =
        |name: &str| score["mutants"].as_array().unwrap().iter().find(|row| row["mutant"] == name).unwrap().clone();
    let zk_4646 = of("zk-4646");
    assert_eq!((&zk_4646["killed"], &zk_4646["published_ms"]), (&2.into(), &109_000.into()));
    assert_eq!(of("zk-2325")["first"]["D10"], 2);
    let kills = zk_4646["kills"].as_array().unwrap();
    assert!(kills[0]["seed"].as_u64().unwrap() < 2_000_000 && kills[1]["seed"].as_u64().unwrap() >= 2_000_000);
    assert_eq!((&score["unmutated"]["runs"], &score["unmutated"]["failed"]), (&60.into(), &serde_json::json!([])));

    let one_job = run(&format!("{command} --jobs 1")).exits(0).json();
    assert_eq!(one_job["mutants"][0]["steps"], score["mutants"][0]["steps"], "the result does not depend on threads");

    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.starts_with("<!doctype html>") && !page.contains("<script") && !page.contains("http"), "{page}");
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());

    let text = run("mutants --score zk-3109 --runs 2 --masters 1").exits(1).out;
    assert!(text.contains("survives") && text.contains("unmutated core"), "who survives is told\n{text}");
}

#[test]
fn a_trace_can_be_made_again() {
    let scratch = Scratch::new("zoo");
    let told = run(&format!(
        "mutants zk-2325 --traces {} --runs 100 --masters 1 --candidates 1 --budget 100000",
        scratch.path("zoo")
    ));
    let told = told.exits(0);
    assert!(told.out.starts_with("zk-2325  D10"), "{told:?}");
    run(&format!("replay {}/zk-2325.jsonl", scratch.path("zoo"))).exits(1);
}
