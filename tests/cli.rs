//! The command line: every command, every exit code, every kind of mistake in a file, and texts that others parse.
#![cfg(feature = "cli")]
#![allow(clippy::disallowed_methods, reason = "this test runs the binary")]

mod support;

use std::fs;
use std::io::Read;
use std::process::Stdio;

use support::{Ran, Scratch, ended, files, run, run_with_input, zabsim};

const ELECTION: &str = "scenarios/election-3.toml";
const TRACE: &str = "traces/sync-trunc.jsonl";
const COMMANDS: [&str; 14] = [
    "run",
    "replay",
    "diagram",
    "shrink",
    "fuzz",
    "merge",
    "mutants",
    "serve",
    "ensemble",
    "bench",
    "check",
    "schema",
    "scenarios",
    "words",
];

/// A scenario of which the healed core cannot converge: nothing is that fast.
const HOPELESS: &str = "# Nobody converges within a microsecond.\n[run]\nchaos = \"200ms\"\nconverge = \"1us\"\n";

#[test]
fn help_tells_every_command_and_every_exit_code() {
    let help = run("--help").exits(0);
    insta::assert_snapshot!(help.out);
    for command in COMMANDS {
        assert!(help.out.contains(&format!("\n  {command} ")), "{command}");
        let own = run(&format!("{command} --help")).exits(0);
        assert!(own.out.contains(&format!("Usage: zabsim {command}")), "{}", own.out);
    }
    assert!(run("--version").exits(0).out.starts_with("zabsim 0."));
}

#[cfg(not(feature = "mutants"))]
#[test]
fn a_build_without_mutants_says_how_to_get_them() {
    for command in ["mutants", "mutants zk-1154", "mutants --score --runs 3"] {
        let ran = run(command).exits(2);
        assert_eq!(ran.err.lines().count(), 1, "{command}: {}", ran.err);
        assert!(ran.err.contains("cargo build --release --features mutants"), "{command}: {}", ran.err);
    }
}

#[test]
fn a_command_line_that_is_none_is_a_mistake_of_usage() {
    for line in [
        "",
        "nonsense",
        "run",
        "run scenarios/election-3.toml --sed 1",
        "run scenarios/election-3.toml --seed 1 --seeds 1..2",
        "run scenarios/election-3.toml --seeds 5..5",
        "run scenarios/election-3.toml --seed deadbeef",
        "run scenarios/election-3.toml --seed -1",
        "run scenarios/election-3.toml --seeds -1..4",
        "run scenarios",
        "run traces/sync-trunc.jsonl",
        "run scenarios/election-3.toml --jobs 0",
        "run scenarios/no-such-scenario.toml",
        "run /dev/null",
        "replay",
        "replay no-such-trace.jsonl",
        "replay scenarios/election-3.toml",
        "replay traces",
        "replay traces/sync-trunc.jsonl --until -1",
        "replay traces/sync-trunc.jsonl --from 150",
        "replay traces/sync-trunc.jsonl --from 20 --until 19",
        "replay traces/sync-trunc.jsonl --step --from 150",
        "diagram",
        "diagram traces/sync-trunc.jsonl --message PROPOSL",
        "diagram traces/sync-trunc.jsonl --peer p0",
        "diagram traces/sync-trunc.jsonl --peer p4",
        "diagram traces/sync-trunc.jsonl --span 150..",
        "diagram traces/sync-trunc.jsonl --span ..1",
        "diagram scenarios/election-3.toml",
        "run scenarios/election-3.toml --width 3",
        "diagram traces/sync-trunc.jsonl --span 9..3",
        "diagram traces/sync-trunc.jsonl --format png",
        "check no-such-scenario.toml",
        "scenarios no-such-directory",
        "scenarios traces",
        "scenarios scenarios/election-3.toml",
        "words faultz",
    ] {
        let ran = run(line).exits(2);
        assert!(!ran.err.is_empty() && ran.out.is_empty(), "{line}: the message is on standard error: {ran:?}");
        assert!(!ran.err.contains("panicked"), "{line}: {}", ran.err);
    }
}

/// What is wrong and what to type instead.
#[test]
fn mistakes_have_hints() {
    for (line, hint) in [
        ("run scenarios/election-3.toml --seed -1", "expected a seed: a decimal number below 2^64"),
        ("run scenarios/election-3.toml --seeds 4..4", "4..=4"),
        ("run scenarios", "scenarios is a directory; name scenario files, such as scenarios/*.toml"),
        (
            "run traces/sync-trunc.jsonl",
            "is a trace, not a scenario; to execute it again: zabsim replay traces/sync-trunc.jsonl",
        ),
        ("check traces/sync-trunc.jsonl", "is a trace, not a scenario"),
        ("replay traces", "traces is a directory; name a trace in it"),
        (
            "replay scenarios/election-3.toml",
            "to run it and get a trace: zabsim run scenarios/election-3.toml --trace FILE",
        ),
        ("diagram scenarios/election-3.toml", "is a scenario, not a trace"),
        ("replay traces/sync-trunc.jsonl --from 150", "the trace has the steps 1 to 1"),
        (
            "diagram traces/sync-trunc.jsonl --span 150..=151",
            "--span 150..=151 is outside: the trace has the steps 1 to 1",
        ),
        ("diagram traces/sync-trunc.jsonl --peer p4", "there is no p4: the trace has the servers p1 to p3"),
        ("scenarios traces", "there are no scenarios (*.toml) in traces"),
    ] {
        let ran = run(line).exits(2);
        assert!(ran.err.contains(hint), "{line}: {hint:?} in {}", ran.err);
    }
}

#[test]
fn a_run_that_holds_exits_0_and_says_so_on_one_screen() {
    let ran = run(&format!("run {ELECTION} --seed 42")).exits(0);
    assert!(ran.out.starts_with("election-3 · seed 42 · all held\n"), "{}", ran.out);
    for fact in ["led", "synced", "faults", "clients", "committed", "checked", "reached", "hash"] {
        assert!(ran.out.contains(&format!("\n  {fact} ")), "{fact} in\n{}", ran.out);
    }
    assert!(ran.out.lines().count() < 40 && ran.err.is_empty(), "{ran:?}");
    let quiet = run(&format!("run {ELECTION} --seed 42 --quiet")).exits(0);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
}

/// In a directory of its own, for a failing run writes its trace to `out/`.
fn failing(scratch: &Scratch, name: &str, text: &str, more: &[&str]) -> Ran {
    scratch.file(&format!("{name}.toml"), text);
    ended(zabsim().current_dir(scratch.path(".")).args(["run", &format!("{name}.toml")]).args(more))
}

/// A scenario of the project without its promise.
fn without_promise(name: &str) -> String {
    let text = fs::read_to_string(format!("scenarios/{name}.toml")).unwrap();
    text.split("[promise]").next().unwrap().to_owned()
}

#[test]
fn a_violation_exits_1_with_its_steps_and_the_command_that_shows_it_again() {
    let scratch = Scratch::new("violation");
    let ran = failing(&scratch, "no-order", &without_promise("fifo-off"), &["--seed", "3"]).exits(1);
    assert!(ran.out.starts_with("no-order · seed 3 · SAFETY VIOLATED\n"), "{}", ran.out);
    for word in ["\n  rule ", "\n  expected ", "\n  seen ", "The last steps", "no-order-3.jsonl"] {
        assert!(ran.out.contains(word), "{word} in\n{}", ran.out);
    }
    let command = ran.out.trim_end().lines().last().unwrap().trim();
    assert!(command.starts_with("zabsim replay out/no-order-3.jsonl --from "), "{command}");
    let again = ended(zabsim().current_dir(scratch.path(".")).args(command.split_whitespace().skip(1))).exits(1);
    let rule = ran.out.lines().find(|line| line.starts_with("  rule")).unwrap();
    assert!(again.out.contains(rule), "{rule} in\n{}", again.out);
}

#[test]
fn a_promise_that_is_not_kept_exits_1() {
    let scratch = Scratch::new("promise");
    let text = "# Calm.\n[run]\nchaos = \"200ms\"\n[promise]\nreaches = [\"disk-full\"]\n";
    let ran = failing(&scratch, "calm", text, &[]).exits(1);
    assert!(ran.out.contains("PROMISE BROKEN") && ran.out.contains("disk-full was never reached"), "{}", ran.out);
    let replayed = run(&format!("replay {}", scratch.path("out/calm-1.jsonl"))).exits(1);
    assert!(replayed.out.contains("broken promise: disk-full was never reached"), "{}", replayed.out);
    assert!(replayed.out.ends_with("verdict promise\n") && replayed.err.is_empty(), "{replayed:?}");
    let part = run(&format!("replay {} --until 9", scratch.path("out/calm-1.jsonl"))).exits(0);
    assert!(!part.out.contains("promise") && part.err.is_empty(), "the run was not over: {part:?}");
}

/// A violation that is promised is told apart from a run in which all held, wherever a verdict stands.
#[test]
fn a_promised_violation_has_a_verdict_of_its_own() {
    let scratch = Scratch::new("as-promised");
    let path = scratch.path("a.jsonl");
    let line = format!("run scenarios/fifo-off.toml --seed 1 --trace {path}");
    assert!(run(&line).exits(0).out.starts_with("fifo-off · seed 1 · violated as promised\n"));
    assert_eq!(run(&format!("{line} --json")).exits(0).json()["verdict"], "as-promised");
    assert!(fs::read_to_string(&path).unwrap().lines().last().unwrap().starts_with("{\"verdict\":\"as-promised\","));
    assert!(run(&format!("replay {path}")).exits(0).out.ends_with("\nverdict as-promised\n"));
    let batch = run(&format!("run scenarios/fifo-off.toml {ELECTION} --seeds 1..=2")).exits(0);
    for row in ["\n  held                   2\n", "\n  as-promised            2\n", "all kept their promises"] {
        assert!(batch.out.contains(row), "{row:?} in {}", batch.out);
    }
    assert_eq!(run("run scenarios/fifo-off.toml --quiet").exits(0).out, "");
}

#[test]
fn one_step_shows_a_property_once() {
    let found = run("run scenarios/fifo-off.toml --seed 1 --json").exits(0).json()["violations"].clone();
    let mut seen: Vec<String> =
        found.as_array().unwrap().iter().map(|it| format!("{} {}", it["property"], it["step"])).collect();
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert!(all > 1 && seen.len() == all, "{seen:?}");
}

#[test]
fn a_run_that_does_not_converge_exits_3_and_so_does_its_replay() {
    let scratch = Scratch::new("liveness");
    let ran = failing(&scratch, "hopeless", HOPELESS, &["--seed", "2"]).exits(3);
    assert!(ran.out.contains("LIVENESS VIOLATED"), "{}", ran.out);
    run(&format!("replay {}", scratch.path("out/hopeless-2.jsonl"))).exits(3);
}

/// The clock of the world is at its end: what the servers ask for lies beyond. Until the core brings one up by itself, this is
/// how a trace comes to a step that cannot be executed, and whatever happens must be orderly.
#[test]
fn an_absurd_trace_ends_orderly() {
    let scratch = Scratch::new("absurd");
    let text = fs::read_to_string(TRACE).unwrap();
    let (header, rest) = text.split_once('\n').unwrap();
    let starts: Vec<String> = rest
        .lines()
        .filter(|line| line.contains("\"start\""))
        .map(|line| {
            let (before, after) = line.split_once(",\"t\":\"").unwrap();
            let (_, after) = after.split_once('"').unwrap();
            format!("{before},\"t\":\"18446744073.709551614s\"{after}")
        })
        .collect();
    let path = scratch.file("end-of-time.jsonl", &format!("{header}\n{}\n", starts.join("\n")));
    for command in ["replay", "diagram", "diagram --format svg", "diagram --format mermaid"] {
        let ran = run(&format!("{command} {path}"));
        assert!([4, 5].contains(&ran.code), "{command}: {ran:?}");
        assert!(!ran.err.contains("RUST_BACKTRACE"), "{command}: {}", ran.err);
    }
}

#[test]
fn mistakes_in_a_scenario_have_a_place_a_caret_and_a_suggestion() {
    let scratch = Scratch::new("mistakes");
    let mut shown = String::new();
    for text in [
        "[cluster]\nparticipant = 3\n",
        "[clusters]\nparticipants = 3\n",
        "[cluster]\nparticipants = true\n",
        "[cluster]\nparticipants = \"7..3\"\n",
        "[cluster]\nparticipants = 65\n",
        "[cluster]\ndown = [\"p4\"]\n",
        "[cluster]\ndown = [\"p65\"]\n",
        "[cluster]\nweights = { p1 = 0, p2 = 0, p3 = 0 }\n",
        "[cluster\nparticipants = 3\n",
        "[run]\nchaos = \"5 parsecs\"\n",
        "[run]\nchaos = \"2000m\"\n",
        "[limits]\nsync_limit = 0\n",
        "[limits]\nsnapshot_size_factor = \"a third\"\n",
        "[network]\nlatency = { unifrom = [\"1ms\", \"2ms\"] }\n",
        "[network]\nloss = \"3/2\"\n",
        "[history.p1]\ntxns = [[2, 1], [1, 1]]\n",
        "[history.p9]\ntxns = [[1, 1]]\n",
        "[[fault]]\nat = \"1s\"\ndo = { crahs = { node = \"p1\" } }\n",
        "[[fault]]\ndo = { crash = { node = \"p1\" } }\n",
        "[[fault]]\nwhen = \"leader-crowned\"\ndo = { crash = { node = \"trigger\" } }\n",
        "[promise]\nviolates = [\"S99\"]\n",
        "[promise]\nreaches = [\"sync-trunk\"]\n",
    ] {
        scratch.file("a.toml", &format!("# A moral.\n{text}"));
        let ran = ended(zabsim().current_dir(scratch.path(".")).args(["check", "a.toml"])).exits(2);
        assert!(ran.err.contains("a.toml:") && ran.err.contains('^') && ran.out.is_empty(), "{text}{ran:?}");
        shown += &ran.err;
        let line = ended(zabsim().current_dir(scratch.path(".")).args(["run", "a.toml"])).exits(2).err;
        assert_eq!(line, ran.err, "run says the same as check");
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn check_reads_all_and_complains_about_all() {
    let scratch = Scratch::new("check");
    let bad = scratch.file("bad.toml", "# m\nx = 1\n");
    let worse = scratch.file("worse.toml", "# m\n[[[\n");
    let ran = run(&format!("check {bad} {ELECTION} {worse}")).exits(2);
    assert_eq!(ran.out, format!("ok {ELECTION}\n"));
    assert!(ran.err.contains("bad.toml") && ran.err.contains("worse.toml"), "{}", ran.err);
    let all: Vec<String> = files("scenarios", "toml").iter().map(|path| path.display().to_string()).collect();
    assert_eq!(run(&format!("check {}", all.join(" "))).exits(0).out.lines().count(), all.len());
}

#[test]
fn a_commit_hash_is_a_seed() {
    let hash = "00000000000000fe0123456789abcdef01234567";
    let by_hash = run(&format!("run {ELECTION} --seed {hash}")).exits(0).out;
    assert_eq!(by_hash, run(&format!("run {ELECTION} --seed 254")).exits(0).out);
    assert!(by_hash.starts_with("election-3 · seed 254 "), "{by_hash}");
}

/// The keys, in order, of everything in a JSON value.
fn shape(value: &serde_json::Value, path: &str, into: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            map.iter().for_each(|(key, value)| shape(value, &format!("{path}.{key}"), into))
        }
        serde_json::Value::Array(items) => match items.first() {
            Some(first) => shape(first, &format!("{path}[]"), into),
            None => into.push(format!("{path}[]")),
        },
        _ => into.push(path.to_owned()),
    }
}

#[test]
fn json_is_json_the_same_twice_and_keeps_its_keys() {
    let scratch = Scratch::new("json");
    scratch.file("no-order.toml", &without_promise("fifo-off"));
    let mut shapes = String::new();
    for (line, code) in [
        (format!("run {}/{ELECTION} --seed 1 --json", env!("CARGO_MANIFEST_DIR")), 0),
        ("run no-order.toml --seed 3 --json".into(), 1),
        ("run no-order.toml --seeds 1..4 --json".into(), 1),
        ("replay out/no-order-3.jsonl --json".into(), 1),
        ("replay out/no-order-3.jsonl --json --from 20 --until 22".into(), 0),
    ] {
        let once = || ended(zabsim().current_dir(scratch.path(".")).args(line.split(' '))).exits(code);
        let (one, two) = (once(), once());
        assert_eq!(one.out, two.out, "{line}");
        let mut keys = Vec::new();
        shape(&one.json(), "", &mut keys);
        keys.sort();
        keys.dedup();
        let shown = line.replace(concat!(env!("CARGO_MANIFEST_DIR"), "/"), "");
        shapes += &format!("{shown}\n  {}\n", keys.join("\n  "));
    }
    insta::assert_snapshot!(shapes);
}

#[test]
fn the_last_of_all_seeds_is_a_seed() {
    let ran = run(&format!("run {ELECTION} scenarios/election-5.toml --seed 18446744073709551615")).exits(0);
    assert!(ran.out.contains("seeds 18446744073709551615 to 18446744073709551615: 2 runs"), "{}", ran.out);
}

#[test]
fn a_batch_counts_its_failures_and_names_the_first() {
    let scratch = Scratch::new("batch");
    let text = "# Calm.\n[run]\nchaos = \"200ms\"\n[promise]\nreaches = [\"disk-full\"]\n";
    let ran = failing(&scratch, "calm", text, &["--seeds", "3..=5"]).exits(1);
    assert!(ran.out.starts_with("1 scenario × seeds 3 to 5: 3 runs"), "{}", ran.out);
    assert!(ran.out.contains("calm seed 3 · promise (and 2 more seeds)"), "{}", ran.out);
    assert!(ran.out.contains("\n  zabsim run calm.toml --seed 3\n"), "{}", ran.out);
    assert!(!ran.out.contains("\n  never reached\n"), "one scenario need not reach everything: {}", ran.out);
    let command = ran.out.trim_end().lines().last().unwrap().trim();
    assert!(command.starts_with("zabsim replay out/calm-3.jsonl --from "), "{command}");
    ended(zabsim().current_dir(scratch.path(".")).args(command.split_whitespace().skip(1))).exits(1);
    assert_eq!(fs::read_dir(scratch.path("out")).unwrap().count(), 1, "the first of its kind and no other");
}

#[test]
fn traces_of_failures_go_where_they_are_told() {
    let scratch = Scratch::new("trace-dir");
    fs::create_dir_all(scratch.path("twin")).unwrap();
    for name in ["no-order.toml", "twin/no-order.toml"] {
        scratch.file(name, &without_promise("fifo-off"));
    }
    let here = || {
        let mut command = zabsim();
        command.current_dir(scratch.path("."));
        command
    };
    let line = "run no-order.toml twin/no-order.toml --seeds 3..=3 --trace-dir new/place --json";
    let failures = ended(here().args(line.split(' '))).exits(1).json()["failures"].clone();
    let traces: Vec<&str> = failures.as_array().unwrap().iter().map(|it| it["trace"].as_str().unwrap()).collect();
    assert_eq!(traces, ["new/place/no-order-3.jsonl", "new/place/no-order-2-3.jsonl"]);
    traces.iter().for_each(|trace| drop(ended(here().args(["replay", trace])).exits(1)));
    // Nowhere to write is no reason to hide what was found.
    scratch.file("file", "");
    for line in ["run no-order.toml --seed 3 --trace-dir file", "run no-order.toml --seeds 3..=3 --trace-dir file"] {
        let ran = ended(here().args(line.split(' '))).exits(1);
        assert!(ran.err.starts_with("note: no trace") && ran.out.contains("C2 contiguous proposals"), "{ran:?}");
    }
}

#[test]
fn several_scenarios_tell_what_none_of_them_reached() {
    let ran = run(&format!("run {ELECTION} scenarios/election-5.toml")).exits(0);
    let (_, never) = ran.out.split_once("never reached").expect("a list");
    assert!(
        never.contains("epoch-skipped") && !never.contains("sync-trunc-diff"),
        "what cannot be is not missing: {never}"
    );
}

#[test]
fn a_trace_is_written_when_asked_and_replays() {
    let scratch = Scratch::new("trace");
    let path = scratch.path("new/directory/a.jsonl");
    let ran = run(&format!("run {ELECTION} --seed 7 --trace {path} --json")).exits(0).json();
    let replayed = run(&format!("replay {path} --json")).exits(0).json();
    assert_eq!((&ran["hash"], &ran["steps"]), (&replayed["hash"], &replayed["steps"]));
    assert_eq!(ran["trace"].as_str(), Some(path.as_str()));
    let whole = fs::read_to_string(&path).unwrap();
    assert_eq!(
        whole.lines().count() as u64,
        2 + ran["steps"].as_u64().unwrap() + whole.matches("{\"end\"").count() as u64
    );
    let directory = fs::read_dir(scratch.path("new/directory")).unwrap();
    assert_eq!(directory.count(), 1, "nothing half-written is left behind");
}

/// What is no file must not be replaced by one, and a link keeps pointing where it points. Standard output is a pipe here; a
/// test with a real device would destroy it, should this ever fail.
#[test]
#[cfg(unix)]
fn what_is_no_ordinary_file_is_written_as_it_is() {
    use std::os::unix::fs::symlink;
    let scratch = Scratch::new("device");
    let traced = run(&format!("run {ELECTION} --quiet --trace /dev/stdout")).exits(0).out;
    assert!(traced.starts_with("{\"format\":") && traced.contains("\n{\"verdict\":\"held\""), "{traced}");
    let shown = run(&format!("diagram {TRACE} --format mermaid --out /dev/stdout")).exits(0).out;
    assert!(shown.starts_with("sequenceDiagram\n"), "{shown}");
    let link = scratch.path("link");
    symlink(scratch.file("real", "old"), &link).unwrap();
    run(&format!("diagram {TRACE} --out {link}")).exits(0);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(scratch.path("real")).unwrap().contains("what happened"));
}

#[test]
fn a_trace_that_is_cut_off_says_where() {
    let scratch = Scratch::new("cut");
    let text = fs::read_to_string(TRACE).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let path = scratch.file("cut.jsonl", &format!("{}\n{}", lines[..9].join("\n"), &lines[9][..30]));
    let ran = run(&format!("replay {path}")).exits(2);
    assert!(ran.err.contains("cut.jsonl:10:31: the last line is cut off"), "{}", ran.err);
    let path = scratch.file("whole-lines.jsonl", &format!("{}\n", lines[..9].join("\n")));
    let ran = run(&format!("replay {path}")).exits(2);
    assert!(ran.out.contains("replayed all of 8 steps") && ran.out.ends_with("verdict incomplete\n"), "{}", ran.out);
    assert!(ran.err.starts_with("incomplete: the trace stops after step 8, without the footer"), "{}", ran.err);
    assert_eq!(run(&format!("replay {path} --json")).exits(2).json()["verdict"], "incomplete");
    assert_eq!(run(&format!("replay {path} --until 7")).exits(0).err, "", "of what is there, nothing is missing");
    assert!(run(&format!("diagram {path}")).exits(0).err.starts_with("note: the trace stops after step 8"));
    assert_eq!(run(&format!("diagram {path} --span ..=7")).exits(0).err, "");
    let path = scratch.file("hole.jsonl", &format!("{}\n{}\n", lines[..9].join("\n"), lines[lines.len() - 1]));
    assert!(run(&format!("replay {path}")).exits(2).err.contains("the last step above it is 8"));
}

#[test]
fn replay_until_prints_every_peer() {
    let ran = run("replay traces/observer-snap.jsonl --until 120").exits(0);
    for peer in ["p1", "p2", "p3", "p4"] {
        assert!(ran.out.contains(&format!("\n\n{peer} ")), "{peer} in\n{}", ran.out);
    }
    insta::assert_snapshot!(ran.out);
    let json = run("replay traces/observer-snap.jsonl --until 120 --json").exits(0).json();
    assert_eq!((&json["steps"], &json["stage"]), (&120.into(), &"chaos".into()));
    assert_eq!((&json["peers"][2]["peer"], &json["peers"][2]["role"]["state"]), (&"p3".into(), &"LEADING".into()));
    assert_eq!((&json["peers"][3]["role"]["leader"], &json["peers"][3]["disk"]["log"]), (&"p3".into(), &().into()));
    assert_eq!((&json["links"][0]["link"], &json["links"][0]["to_leader"]), (&"p1>p3#1".into(), &1.into()));
    let looking = run("replay traces/observer-snap.jsonl --until 20").exits(0).out;
    assert!(looking.contains("LOOKING in election") && looking.contains("nothing known committed yet"), "{looking}");
    let beyond = run("replay traces/observer-snap.jsonl --until 999999").exits(0);
    assert!(beyond.out.contains("replayed all of "), "{}", beyond.out);
}

#[test]
fn replay_walks_forward_and_back() {
    let walked = run_with_input(&format!("replay {TRACE} --step --from 10"), "\n4\np\nx\n999999\nq\n").exits(0);
    let steps: Vec<&str> = walked
        .out
        .lines()
        .filter_map(|line| line.strip_prefix("step ")?.split_once(": the notification from ").map(|(step, _)| step))
        .collect();
    assert_eq!(steps, ["10", "11", "4"], "{}", walked.out);
    assert!(!walked.out.contains('{'), "words, not data: {}", walked.out);
    assert!(walked.out.contains("p3 ") && walked.out.contains("the end of the trace"), "{}", walked.out);
    assert!(walked.err.contains("a number: go there"), "{}", walked.err);
}

#[test]
fn the_schema_knows_every_section_and_key_that_a_scenario_uses() {
    let schema = run("schema").exits(0).json();
    let sections = schema["properties"].as_object().unwrap();
    for section in
        ["cluster", "history", "limits", "network", "disk", "clocks", "workload", "run", "fault", "random", "promise"]
    {
        assert!(sections.contains_key(section), "{section}");
        assert!(sections[section].to_string().contains("description"), "{section} has a description");
    }
    for path in files("scenarios", "toml") {
        let table: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
        for (section, value) in &table {
            let known = sections.get(section).unwrap_or_else(|| panic!("{}: {section}", path.display()));
            let Some(name) = known["$ref"].as_str().and_then(|it| it.strip_prefix("#/$defs/")) else { continue };
            // What is no section has no keys, such as `service`.
            let Some(section_keys) = value.as_table() else { continue };
            let keys = schema["$defs"][name]["properties"].as_object().unwrap();
            for key in section_keys.keys() {
                assert!(keys.contains_key(key), "{}: [{section}] {key}", path.display());
            }
        }
    }
}

#[test]
fn scenarios_are_listed_each_with_its_moral() {
    let listed = run("scenarios").exits(0).out;
    let names: Vec<String> = files("scenarios", "toml").iter().map(|path| support::stem(path)).collect();
    assert!(listed.lines().all(|line| line.ends_with('.')), "whole sentences: {listed}");
    let shown: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(shown, names);
    assert!(listed.lines().all(|line| line.split_whitespace().count() > 4), "{listed}");
}

#[test]
fn text_keeps_to_its_width() {
    let longest = |out: &str| out.lines().map(|line| line.chars().count()).max().unwrap();
    for line in [
        "run scenarios/leader-crash.toml --width 60",
        "run scenarios/fifo-off.toml --width 60",
        "run scenarios/election-3.toml scenarios/election-5.toml --width 60",
        "diagram traces/sync-trunc.jsonl --width 80",
        "replay traces/sync-trunc.jsonl --from 1 --width 80",
        "words --width 60",
    ] {
        let width: usize = line.rsplit(' ').next().unwrap().parse().unwrap();
        let heading = |out: &str| out.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>();
        let out = heading(&run(line).exits(0).out);
        assert!((width - 15..=width + 12).contains(&longest(&out)), "{line}: {}\n{out}", longest(&out));
    }
    assert!(longest(&run("diagram traces/sync-trunc.jsonl").exits(0).out) > 110, "in a pipe nothing is broken");
}

#[test]
fn every_word_of_a_scenario_is_listed_with_its_sentence() {
    let listed = run("words --json").exits(0).json();
    let kinds: Vec<&str> = listed.as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["faults", "whens", "situations", "properties", "habits"]);
    let words = |kind: usize| -> Vec<&str> {
        listed[kind]["words"].as_array().unwrap().iter().map(|word| word["word"].as_str().unwrap()).collect()
    };
    for path in files("scenarios", "toml") {
        let scenario = support::scenario(&support::stem(&path));
        for fault in &scenario.faults {
            assert!(words(0).contains(&fault.what.name()), "{:?}", fault.what);
            let when = fault.when.map(|when| serde_json::to_value(when).unwrap());
            assert!(when.is_none_or(|when| words(1).contains(&when.as_str().unwrap())), "{:?}", fault.when);
        }
        assert!(scenario.promise.reaches.iter().all(|name| words(2).contains(&name.as_str())), "{}", path.display());
        assert!(scenario.promise.violates.iter().all(|id| words(3).contains(&id.as_str())), "{}", path.display());
    }
    let situations = run("words situations").exits(0).out;
    assert!(situations.contains("\n  torn-write ") && !situations.contains("\n  crash-inside "), "{situations}");
}

#[test]
fn releases_are_listed_with_their_habits() {
    insta::assert_snapshot!(run("profiles").exits(0).out);
    let listed = run("profiles --json").exits(0).json();
    assert_eq!(listed[0]["habit"], "sync-in-memory");
    assert_eq!(listed.as_array().unwrap().len(), zabsim::zab::Habit::COUNT);
}

#[test]
fn a_profile_is_said_on_the_command_line_or_in_the_scenario() {
    let scratch = Scratch::new("profile");
    let (cold, named) = (scratch.path("cold.toml"), scratch.path("named.toml"));
    fs::write(&cold, "# m\n\n[run]\nchaos = \"2s\"\n\n[random]\n").unwrap();
    fs::write(&named, "# m\n\nprofile = \"apache-3.9.4\"\n\n[run]\nchaos = \"2s\"\n\n[random]\n").unwrap();
    let report = |line: String| run(&format!("run {line} --seed 3 --json --trace-dir {}", scratch.path("out"))).out;
    let hash = |line: String| serde_json::from_str::<serde_json::Value>(&report(line)).unwrap()["hash"].clone();
    assert_eq!(hash(format!("{cold} --profile apache-3.9.4")), hash(named.clone()));
    let all: String = zabsim::zab::Habit::all().map(|habit| format!(" --mend {habit}")).collect();
    assert_eq!(hash(format!("{named}{all}")), hash(cold.clone()), "a release without its habits is hardened");
    assert_ne!(hash(cold.clone()), hash(named), "and with them it is not");
    let unknown = run(&format!("run {cold} --profile apache-3.9.5")).exits(2).err;
    assert!(unknown.contains("unknown profile `apache-3.9.5`"), "{unknown}");

    let trace = scratch.path("a.jsonl");
    run(&format!("run {cold} --habit stale-acks --only K1 --trace {trace}")).exits(0);
    let header = fs::read_to_string(&trace).unwrap().lines().next().unwrap().to_owned();
    assert!(header.contains(r#""habits":["stale-acks"]"#) && header.contains(r#""only":["K1"]"#), "{header}");
    run(&format!("replay {trace}")).exits(0);
}

#[test]
fn colours_are_for_terminals() {
    let plain = ended(zabsim().env_remove("NO_COLOR").args(["run", ELECTION])).exits(0).out;
    assert!(!plain.contains('\x1b'), "a pipe is no terminal");
    let forced = ended(zabsim().env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1").args(["run", ELECTION])).exits(0).out;
    assert!(forced.contains('\x1b'), "{forced}");
    let told = ended(zabsim().env("NO_COLOR", "1").args(["run", ELECTION])).exits(0).out;
    assert_eq!(told, plain);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = zabsim()
        .args(["diagram", "traces/counter-exhaustion.jsonl"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 64];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn the_readme_shows_what_its_commands_print() {
    let readme = fs::read_to_string("README.md").unwrap();
    for (scenario, seed) in [("leader-crash", 42), ("fifo-off", 1)] {
        let printed = run(&format!("run scenarios/{scenario}.toml --seed {seed}")).exits(0).out;
        let shown = format!("```text\n{}\n```", printed.trim_end());
        assert!(readme.contains(&shown), "README.md should show\n\n{shown}\n");
    }
    let text = fs::read_to_string("scenarios/leader-lost-in-synchronization.toml").unwrap();
    assert!(readme.contains(&format!("```toml\n{}\n```", text.trim_end())), "README.md shows another scenario");
}
