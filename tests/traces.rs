//! Every stored trace replays: each hash as recorded, each violation at its step, the verdict of its footer. And a trace that
//! was changed does not.
//!
//! The core may change on purpose, and with it what a seed comes to. `UPDATE_TRACES=1 cargo test --test traces` records all
//! stored traces again from the scenario and the seed in their headers; look at the difference before you commit it.
#![cfg(feature = "cli")]
#![allow(clippy::disallowed_methods, reason = "this test reads traces and runs the binary")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::Once;

use support::{Scratch, files, run, stem, trace as read, updates_traces};
use zabsim::trace::Replay;

fn stored() -> Vec<std::path::PathBuf> {
    static RECORDED: Once = Once::new();
    let paths = files("traces", "jsonl");
    if updates_traces() {
        RECORDED.call_once(|| paths.iter().for_each(|path| record_again(path)));
    }
    paths
}

fn record_again(path: &Path) {
    let name = stem(path);
    let header = fs::read_to_string(path).unwrap().lines().next().unwrap().to_owned();
    let header: serde_json::Value = serde_json::from_str(&header).unwrap();
    let scratch = Scratch::new(&format!("record-{name}"));
    let scenario = scratch.file(&format!("{name}.toml"), header["text"].as_str().unwrap());
    let ran = run(&format!("run {scenario} --seed {} --trace {}", header["seed"], path.display()));
    assert_eq!(ran.code, 0, "{name} no longer keeps its promise\n{}{}", ran.out, ran.err);
}

#[test]
fn every_trace_replays() {
    let mut complaints = Vec::new();
    for path in stored() {
        let mut complain = |what: String| complaints.push(format!("{}: {what}", path.display()));
        let trace = read(&path);
        let Some(footer) = &trace.footer else {
            complain("it has no footer".into());
            continue;
        };
        let mut replay = Replay::new(&trace);
        if let Err(diverged) = replay.run_until(u64::MAX, |_, _| ()) {
            complain(format!("{diverged}\n  action {:?}", diverged.action));
            continue;
        }
        let mut found: Vec<&str> = Vec::new();
        for id in replay.checkers().violations().iter().map(|violation| violation.property.id()) {
            if !found.contains(&id) {
                found.push(id);
            }
        }
        if found != footer.violations {
            complain(format!("it was recorded with {:?} violated, now it is {found:?}", footer.violations));
        }
        if (replay.at_step(), replay.world().hash()) != (footer.steps, footer.hash.0) {
            complain(format!("it ends at step {}, the footer says {}", replay.at_step(), footer.steps));
        }
        let ran = run(&format!("replay {} --json", path.display()));
        let verdict = ran.json()["verdict"].as_str().unwrap().to_owned();
        let is_good = footer.verdict.is_good();
        if verdict != footer.verdict.word() || (ran.code == 0) != is_good || !ran.err.is_empty() {
            complain(format!(
                "it was recorded with the verdict {:?}, now it is {verdict}\n{}",
                footer.verdict, ran.err
            ));
        }
    }
    let advice = "if the core changed on purpose: UPDATE_TRACES=1 cargo test --test traces";
    assert!(complaints.is_empty(), "\n{}\n{advice}\n", complaints.join("\n"));
}

/// Not the seed, not the scenario: the world of the header and the actions.
#[test]
fn a_replay_needs_neither_seed_nor_scenario() {
    for path in stored() {
        let mut trace = read(&path);
        trace.header.seed ^= 0xdead_beef;
        trace.header.stream += 1;
        trace.header.text = "no scenario".into();
        let mut replay = Replay::new(&trace);
        replay.run_until(u64::MAX, |_, _| ()).unwrap_or_else(|diverged| panic!("{}: {diverged}", path.display()));
    }
}

#[test]
fn traces_are_small_named_after_their_scenario_and_explained() {
    let readme = fs::read_to_string("traces/README.md").unwrap();
    for path in stored() {
        let name = stem(&path);
        let trace = read(&path);
        assert_eq!(trace.header.scenario, name, "{} is named as its scenario", path.display());
        assert!(trace.header.text.starts_with("# "), "{name}: its scenario begins with the moral");
        assert!(readme.contains(&format!("`{name}`")), "traces/README.md explains {name}");
        let size = fs::metadata(&path).unwrap().len();
        assert!(size < 300_000, "{name}: {size} bytes; make its scenario shorter");
    }
}

/// A stored trace with one line changed.
fn changed(name: &str, step: usize, change: impl Fn(&str) -> String) -> (Scratch, String) {
    let text = fs::read_to_string("traces/sync-trunc.jsonl").unwrap();
    let lines: Vec<String> =
        text.lines().enumerate().map(|(i, line)| if i == step { change(line) } else { line.into() }).collect();
    assert_ne!(lines.join("\n"), text.trim_end(), "the line was changed");
    let scratch = Scratch::new(name);
    let path = scratch.file("changed.jsonl", &(lines.join("\n") + "\n"));
    (scratch, path)
}

#[test]
fn a_changed_hash_is_named() {
    let (_scratch, path) = changed("hash", 42, |line| {
        let (before, _) = line.split_once(",\"h\":").unwrap();
        format!("{before},\"h\":\"0123456789abcdef\"}}")
    });
    let ran = run(&format!("replay {path}")).exits(5);
    assert!(ran.err.contains("diverged: step 42 differs: the trace has the hash 0123456789abcdef"), "{}", ran.err);
    let json = run(&format!("replay {path} --json")).exits(5).json();
    assert_eq!((&json["diverged"]["step"], &json["verdict"]), (&42.into(), &"diverged".into()));
}

#[test]
fn a_changed_action_is_named() {
    let (_scratch, path) = changed("action", 17, |line| {
        let (before, hash) = line.split_once(",\"h\":").unwrap();
        let (start, _) = before.split_once(",\"a\":").unwrap();
        format!("{start},\"a\":{{\"clock_jump\":{{\"node\":\"p1\",\"millis\":5}}}},\"h\":{hash}")
    });
    let ran = run(&format!("replay {path}")).exits(5);
    assert!(ran.err.contains("diverged: step 17 differs"), "{}", ran.err);
    assert!(ran.err.contains("clock_jump"), "{}", ran.err);
    run(&format!("diagram {path}")).exits(5);
    run(&format!("diagram {path} --span ..16")).exits(0);
}

#[test]
fn a_changed_time_is_named() {
    let (_scratch, path) = changed("time", 30, |line| {
        let (before, rest) = line.split_once("s\",\"a\":").unwrap();
        let last = if before.ends_with('9') { '8' } else { '9' };
        format!("{}{last}s\",\"a\":{rest}", &before[..before.len() - 1])
    });
    let ran = run(&format!("replay {path}"));
    assert!(ran.code == 5 && ran.err.contains("step 30 differs") || ran.code == 2, "{ran:?}");
}

#[test]
fn a_changed_world_is_named() {
    let (_scratch, path) =
        changed("world", 0, |line| line.replacen("\"tick_time\":\"100ms\"", "\"tick_time\":\"1ms\"", 1));
    let ran = run(&format!("replay {path}")).exits(5);
    assert!(ran.err.contains("diverged: step "), "{}", ran.err);
}

/// Whatever stands on a line: a replay ends in an orderly way.
#[test]
fn no_change_of_a_trace_brings_the_program_down() {
    let trace = read(Path::new("traces/leader-lost-in-synchronization.jsonl"));
    for (i, line) in trace.lines.iter().enumerate() {
        for other in [&trace.lines[i / 2], &trace.lines[trace.lines.len() - 1 - i]] {
            let mut trace = trace.clone();
            trace.lines[i].action = other.action;
            let changed = line.action != other.action;
            let ended = Replay::new(&trace).run_until(u64::MAX, |_, _| ());
            assert_eq!(ended.map_err(|diverged| diverged.step), if changed { Err(line.step) } else { Ok(()) });
        }
    }
}

#[test]
fn actions_about_nobody_are_not_possible() {
    let strangers = [
        r#"{"deliver":{"link":"p9>p1#1","to":"p1","skip":0}}"#,
        r#"{"deliver":{"link":"p1>p64#65535","to":"p64","skip":65535}}"#,
        r#"{"notify":{"from":"p64","to":"p1"}}"#,
        r#"{"notify":{"from":"p1","to":"p64"}}"#,
        r#"{"wake":{"node":"p64"}}"#,
        r#"{"start":{"node":"p64"}}"#,
        r#"{"resume":{"node":"p64"}}"#,
        r#"{"wipe":{"node":"p64"}}"#,
        r#"{"sync_done":{"node":"p64"}}"#,
        r#"{"read_done":{"node":"p64"}}"#,
        r#"{"connect":{"dialer":"p64","acceptor":"p1"}}"#,
        r#"{"connect":{"dialer":"p1","acceptor":"p64"}}"#,
        r#"{"notice_close":{"link":"p64>p63#0","at":"p64"}}"#,
        r#"{"reset":{"link":"p64>p63#0","lose_up":1,"lose_down":1}}"#,
        r#"{"half_open":{"link":"p64>p63#0","at":"p63"}}"#,
        r#"{"cut":{"from":"p64","to":"p1"}}"#,
        r#"{"mend":{"from":"p1","to":"p64"}}"#,
        r#"{"clock_jump":{"node":"p64","millis":1}}"#,
        r#"{"invoke":{"client":255,"server":"p1","op":"write"}}"#,
        r#"{"invoke":{"client":0,"server":"p64","op":"write"}}"#,
        r#"{"replay_notification":{"from":"p64","to":"p1","age":255}}"#,
        r#"{"lose_notification":{"from":"p1","to":"p64"}}"#,
    ];
    let trace = read(Path::new("traces/sync-trunc.jsonl"));
    for action in strangers {
        let mut trace = trace.clone();
        trace.lines[60].action = serde_json::from_str(action).unwrap_or_else(|error| panic!("{action}: {error}"));
        let diverged = Replay::new(&trace).run_until(u64::MAX, |_, _| ()).unwrap_err();
        assert_eq!(diverged.step, trace.lines[60].step, "{action}");
    }
}
