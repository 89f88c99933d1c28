//! `zabsim shrink`: what it writes can be replayed, run, drawn and compiled, and it says what it cannot shrink.
#![cfg(feature = "cli")]
#![allow(clippy::disallowed_methods, reason = "this test runs the binary")]

mod support;

use std::fs;
use std::path::Path;

use support::{Scratch, run};

const FAILING: &str = "traces/fifo-off.jsonl";

#[test]
fn a_trace_becomes_short_and_its_scenario_simple() {
    let scratch = Scratch::new("shrink");
    let out = scratch.path("short");
    let told = run(&format!("shrink {FAILING} --out {out} --test")).exits(0);
    assert!(told.err.is_empty(), "no progress in a pipe: {}", told.err);
    for line in ["shrunk from ", "trace:", "scenario:", "test:", "zabsim replay ", "zabsim run "] {
        assert!(told.out.contains(line), "{line} in\n{}", told.out);
    }

    let trace = format!("{out}/shrunk.jsonl");
    let replayed = run(&format!("replay {trace} --json")).exits(0).json();
    let steps = replayed["steps"].as_u64().unwrap();
    let found = &replayed["violations"][0];
    assert!(steps < 60 && found["step"].as_u64() == Some(steps), "{replayed}");
    run(&format!("diagram {trace}")).exits(0);

    let property = found["property"].as_str().unwrap();
    let command = told.out.split("zabsim run ").nth(1).unwrap().lines().next().unwrap();
    let again = run(&format!("run {command} --json")).exits(0).json();
    assert_eq!(again["violations"][0]["property"], property);
    let scenario = fs::read_to_string(format!("{out}/scenario.toml")).unwrap();
    assert!(scenario.starts_with(&format!("# {property} ")), "{scenario}");
    run(&format!("check {out}/scenario.toml")).exits(0);

    let test = fs::read_to_string(format!("{out}/shrunk.rs")).unwrap();
    assert!(test.contains(&format!("(Property::{property}, {steps})")), "{test}");
    assert!(test.contains("include_bytes!(\"shrunk.jsonl\")"), "{test}");
}

#[test]
fn one_file_can_be_named_and_the_rest_lies_beside_it() {
    let scratch = Scratch::new("shrink-trace");
    let trace = scratch.path("fine.jsonl");
    let json = run(&format!("shrink {FAILING} --trace {trace} --json")).exits(0).json();
    assert_eq!((json["trace"].as_str(), json["test"].is_null()), (Some(trace.as_str()), true));
    assert!(json["actions"].as_u64() < json["recorded_actions"].as_u64(), "{json}");
    assert_eq!(json["exhausted"], false);
    assert!(Path::new(&trace).exists() && Path::new(&scratch.path("fine.toml")).exists());
    assert!(!Path::new(&scratch.path("fine.rs")).exists());
    let quiet = run(&format!("shrink {FAILING} --trace {trace} --quiet --budget 100000")).exits(0);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
}

#[test]
fn what_cannot_be_shrunk_is_said() {
    let refused = |arguments: &str, what: &str| {
        let ran = run(&format!("shrink {arguments}")).exits(2);
        assert!(ran.err.contains(what) && ran.out.is_empty(), "{arguments}: {ran:?}");
    };
    refused("traces/sync-trunc.jsonl", "nothing goes wrong in this trace: there is nothing to look for");
    refused("no-such-trace.jsonl", "cannot read no-such-trace.jsonl");
    refused("scenarios/fifo-off.toml", "is a scenario, not a trace");
    refused(&format!("{FAILING} --out a --trace b"), "cannot be used with");

    let scratch = Scratch::new("shrink-changed");
    let text = fs::read_to_string(FAILING).unwrap();
    let changed = |name: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        scratch.file(name, &text.replacen(from, to, 1))
    };
    let other = changed("other.jsonl", "\"h\":\"", "\"h\":\"0123456789abcdef\",\"x\":\"");
    refused(&other, "unknown field");
    let (start, _) = text.split_once("\"h\":\"").unwrap();
    let rest = &text[start.len() + 21..];
    let diverged = scratch.file("diverged.jsonl", &format!("{start}\"h\":\"0123456789abcdef{rest}"));
    refused(&diverged, "step 1 is not as recorded: record the run again");
}
