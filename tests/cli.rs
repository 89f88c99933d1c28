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
const COMMANDS: [&str; 7] = ["run", "replay", "diagram", "shrink", "check", "schema", "scenarios"];

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
        "run scenarios/election-3.toml --jobs 0",
        "run scenarios/no-such-scenario.toml",
        "replay",
        "replay no-such-trace.jsonl",
        "replay scenarios/election-3.toml",
        "diagram",
        "diagram traces/sync-trunc.jsonl --message PROPOSL",
        "diagram traces/sync-trunc.jsonl --peer p0",
        "diagram traces/sync-trunc.jsonl --span 9..3",
        "diagram traces/sync-trunc.jsonl --format png",
        "check no-such-scenario.toml",
        "scenarios no-such-directory",
    ] {
        let ran = run(line).exits(2);
        assert!(!ran.err.is_empty() && ran.out.is_empty(), "{line}: the message is on standard error: {ran:?}");
        assert!(!ran.err.contains("panicked"), "{line}: {}", ran.err);
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
fn a_batch_counts_its_failures_and_names_the_first() {
    let scratch = Scratch::new("batch");
    let text = "# Calm.\n[run]\nchaos = \"200ms\"\n[promise]\nreaches = [\"disk-full\"]\n";
    let ran = failing(&scratch, "calm", text, &["--seeds", "3..=5"]).exits(1);
    assert!(ran.out.starts_with("1 scenario × seeds 3 to 5: 3 runs"), "{}", ran.out);
    assert!(ran.out.contains("calm seed 3 · safety (and 2 more seeds)"), "{}", ran.out);
    assert!(ran.out.contains("zabsim run calm.toml --seed 3"), "{}", ran.out);
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

#[test]
fn a_trace_that_is_cut_off_says_where() {
    let scratch = Scratch::new("cut");
    let text = fs::read_to_string(TRACE).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let path = scratch.file("cut.jsonl", &format!("{}\n{}", lines[..9].join("\n"), &lines[9][..30]));
    let ran = run(&format!("replay {path}")).exits(2);
    assert!(ran.err.contains("cut.jsonl:10:31: the last line is cut off"), "{}", ran.err);
    let path = scratch.file("whole-lines.jsonl", &format!("{}\n", lines[..9].join("\n")));
    assert!(run(&format!("replay {path}")).exits(0).out.contains("replayed all of 8 steps"));
}

#[test]
fn replay_until_prints_every_peer() {
    let ran = run("replay traces/observer-snap.jsonl --until 120").exits(0);
    for peer in ["p1", "p2", "p3", "p4"] {
        assert!(ran.out.contains(&format!("\n\n{peer} ")), "{peer} in\n{}", ran.out);
    }
    assert!(ran.out.contains("after step 120") && ran.out.contains("replayed 120 of "), "{}", ran.out);
    assert!(ran.out.contains("accepted e2") && ran.out.contains("Leading"), "{}", ran.out);
    let json = run("replay traces/observer-snap.jsonl --until 120 --json").exits(0).json();
    assert_eq!(json["steps"], 120);
    assert!(json["peers"].as_str().unwrap().contains("p4"));
    let beyond = run("replay traces/observer-snap.jsonl --until 999999").exits(0);
    assert!(beyond.out.contains("replayed all of "), "{}", beyond.out);
}

#[test]
fn replay_walks_forward_and_back() {
    let walked = run_with_input(&format!("replay {TRACE} --step --from 10"), "\n4\np\nx\n999999\nq\n").exits(0);
    let steps: Vec<&str> = walked
        .out
        .lines()
        .filter(|line| line.contains("{\""))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(steps[..3], ["10", "11", "4"], "{}", walked.out);
    assert!(walked.out.contains("p3 ") && walked.out.contains("the end of the trace"), "{}", walked.out);
    assert!(walked.err.contains("a number: go there"), "{}", walked.err);
}

#[test]
fn diagrams_come_in_three_formats() {
    let text = run(&format!("diagram {TRACE} --span 1..6")).exits(0).out;
    insta::assert_snapshot!(text);
    let mermaid = run(&format!("diagram {TRACE} --format mermaid --span 20..60")).exits(0).out;
    assert!(mermaid.contains("sequenceDiagram") && mermaid.contains("participant p3"), "{mermaid}");
    let svg = run(&format!("diagram {TRACE} --format svg")).exits(0).out;
    assert!(svg.starts_with("<svg ") && svg.contains("TRUNC"), "{}", &svg[..200]);
    assert_well_formed(&svg);
    assert!(run("diagram --legend").exits(0).out.contains("received"));
}

#[test]
fn a_diagram_shows_what_is_asked_for() {
    let only = run(&format!("diagram {TRACE} --message TRUNC --message newleader")).exits(0).out;
    assert!(only.contains("TRUNC") && only.contains("NEWLEADER") && !only.contains("notifies"), "{only}");
    let without = run(&format!("diagram {TRACE} --without NOTIFICATION --without PING")).exits(0).out;
    assert!(!without.contains("notifies") && without.contains("TRUNC"), "{without}");
    let none = run(&format!("diagram {TRACE} --span 999999..")).exits(0).out;
    assert_eq!(none.lines().count(), 1, "the heading: {none}");
    let scratch = Scratch::new("diagram");
    for format in ["text", "svg", "mermaid"] {
        let path = scratch.path(&format!("a.{format}"));
        let said = run(&format!("diagram {TRACE} --format {format} --out {path}")).exits(0);
        let direct = run(&format!("diagram {TRACE} --format {format}")).exits(0);
        assert_eq!((said.out.as_str(), fs::read_to_string(&path).unwrap()), ("", direct.out), "{format}");
    }
}

/// Every element is closed, in order; every attribute is quoted; every ampersand begins an entity.
fn assert_well_formed(xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        let text = &rest[..start];
        assert!(!text.contains('>'), "a stray > in {text}");
        assert_entities(text);
        let end = rest[start..].find('>').expect("every tag ends") + start;
        let tag = &rest[start + 1..end];
        assert_entities(tag);
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes come in pairs: {tag}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name.trim()));
        } else if !tag.ends_with('/') && !tag.starts_with(['?', '!']) {
            open.push(tag.split_whitespace().next().unwrap());
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} stay open, then {rest}");
}

fn assert_entities(text: &str) {
    for (at, _) in text.match_indices('&') {
        let known = ["&amp;", "&lt;", "&gt;", "&quot;", "&#"];
        assert!(known.iter().any(|entity| text[at..].starts_with(entity)), "{text}");
    }
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
            let keys = schema["$defs"][name]["properties"].as_object().unwrap();
            for key in value.as_table().into_iter().flatten().map(|(key, _)| key) {
                assert!(keys.contains_key(key), "{}: [{section}] {key}", path.display());
            }
        }
    }
}

#[test]
fn scenarios_are_listed_each_with_its_moral() {
    let listed = run("scenarios").exits(0).out;
    let names: Vec<String> = files("scenarios", "toml").iter().map(|path| support::stem(path)).collect();
    let shown: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(shown, names);
    assert!(listed.lines().all(|line| line.split_whitespace().count() > 4), "{listed}");
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
