//! `zabsim fuzz` and `zabsim merge`: the same report whatever the jobs, the shards and the interruptions; a folder for
//! every failure; and forms for machines.
#![cfg(feature = "cli")]
#![allow(clippy::disallowed_methods, reason = "this test runs the binary")]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use support::{Ran, Scratch, ended, zabsim};

/// Links without order: something breaks under every seed.
fn no_order() -> String {
    let text = fs::read_to_string("scenarios/fifo-off.toml").unwrap();
    text.split("[promise]").next().unwrap().to_owned()
}

/// No disk fills up by itself: the promise is broken under every seed.
const CALM: &str = "# Calm.\n[run]\nchaos = \"100ms\"\n\n[promise]\nreaches = [\"disk-full\"]\n";

/// A directory with two scenarios that fail.
fn scratch(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    scratch.file("no-order.toml", &no_order());
    scratch.file("calm.toml", CALM);
    scratch
}

fn command(scratch: &Scratch, arguments: &str) -> Command {
    let mut command = zabsim();
    command.current_dir(scratch.path(".")).args(arguments.split_whitespace());
    command
}

fn run(scratch: &Scratch, arguments: &str) -> Ran {
    ended(&mut command(scratch, arguments))
}

const BOTH: &str = "fuzz no-order.toml calm.toml --seeds 1..=6 --keep-going --budget 15000 --json";

#[test]
fn the_report_does_not_depend_on_the_jobs() {
    let scratch = scratch("fuzz-jobs");
    let reports = [1, 2, 5].map(|jobs| {
        let report = run(&scratch, &format!("{BOTH} --jobs {jobs} --out jobs")).exits(1);
        assert!(report.err.is_empty(), "quiet in a pipe: {}", report.err);
        fs::remove_dir_all(scratch.path("jobs")).unwrap();
        report.out
    });
    assert!(reports.iter().all(|report| *report == reports[0]));
    let drawn =
        [1, 2].map(|jobs| run(&scratch, &format!("fuzz --runs 8 --jobs {jobs} --out drawn-{jobs}")).exits(0).out);
    assert_eq!(drawn[0], drawn[1]);
    for part in
        ["drawn scenarios, seeds from 1: 8 runs", "no failure", "situations reached", "participants ", "struck by"]
    {
        assert!(drawn[0].contains(part), "{part} in\n{}", drawn[0]);
    }
}

#[test]
fn without_keep_going_the_first_failure_by_seed_ends_it() {
    let scratch = scratch("fuzz-first");
    let line =
        |jobs| format!("fuzz calm.toml no-order.toml --runs 9 --budget 15000 --json --jobs {jobs} --out first-{jobs}");
    for jobs in [1, 3] {
        let report = run(&scratch, &line(jobs)).exits(1).json();
        assert_eq!((&report["runs"], &report["planned"]), (&1.into(), &9.into()));
        assert_eq!(report["failures"][0]["property"], "promise");
        assert_eq!(report["failures"][0]["line"], 5);
    }
    let again = run(&scratch, &line(1)).exits(1);
    assert!(again.err.contains("holds the whole of this campaign"), "{}", again.err);
    assert_eq!(again.json()["runs"], 1);
}

#[test]
fn shards_merged_are_one_process() {
    let scratch = scratch("fuzz-shards");
    let whole = run(&scratch, &format!("{BOTH} --out whole")).exits(1).out;
    let runs = (1..=4).map(|shard| {
        let report = run(&scratch, &format!("{BOTH} --shard {shard}/4 --out shard-{shard}")).exits(0).json();
        report["runs"].as_u64().unwrap()
    });
    assert_eq!(runs.sum::<u64>(), 12);
    let merged = run(&scratch, "merge shard-3 shard-1 shard-4 shard-2 --json").exits(1);
    assert!(merged.err.is_empty(), "{}", merged.err);
    let renamed = (1..=4).fold(merged.out, |text, n| text.replace(&format!("shard-{n}/"), "whole/"));
    assert_eq!(renamed, whole);

    let part = run(&scratch, "merge shard-1 shard-3 shard-4").exits(1).out;
    assert!(part.lines().next().unwrap().ends_with("FAILURES, UNFINISHED: shard 2/4 is missing"), "{part}");
    for (line, what) in [
        ("merge shard-1 shard-1", "are the same shard"),
        ("merge shard-1 whole", "whole is one of 1 shards, shard-1 one of 4"),
        ("merge shard-1 nowhere", "cannot read nowhere/campaign.json"),
    ] {
        let refused = run(&scratch, line).exits(2);
        assert!(refused.err.contains(what), "{line}: {}", refused.err);
    }
    run(&scratch, "fuzz --runs 2 --shard 2/4 --out other").exits(0);
    let refused = run(&scratch, "merge shard-1 other").exits(2);
    assert!(refused.err.contains("are not of one campaign (scenarios: no-order.toml calm.toml there, drawn here)"));
}

#[test]
fn two_campaigns_do_not_share_a_directory_at_once() {
    let scratch = scratch("fuzz-locked");
    let mut child = command(&scratch, "fuzz --time 1h").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !Path::new(&scratch.path("out/fuzz/campaign.json")).exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let refused = run(&scratch, "fuzz --time 1s");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(refused.exits(2).err.contains("another zabsim fuzz is at work in out/fuzz"));
    run(&scratch, "fuzz --runs 1 --out other").exits(0);
    assert_eq!(run(&scratch, "fuzz --time 1h --seed 2").exits(2).err.matches("holds another campaign").count(), 1);
}

#[test]
fn a_part_of_a_campaign_is_not_the_whole_of_it() {
    let scratch = scratch("fuzz-partial");
    run(&scratch, "fuzz --runs 4 --shard 1/4 --out shard-1").exits(0);
    let part = run(&scratch, "merge shard-1").exits(6);
    let first = part.out.lines().next().unwrap();
    assert!(first.contains("1 of 4 runs, "), "{first}");
    assert!(
        first.ends_with("· no failure so far, UNFINISHED: shards 2/4, 3/4, 4/4 are missing")
            && part.err.contains("--partial"),
        "{part:?}"
    );
    assert_eq!(run(&scratch, "merge shard-1 --partial").exits(0).out, part.out);
    let json = run(&scratch, "merge shard-1 --json").exits(6).json();
    assert_eq!(json["unfinished"], serde_json::json!(["shards 2/4, 3/4, 4/4 are missing"]));
}

/// Killed after its first failure was saved, whenever that is.
#[test]
fn a_killed_campaign_goes_on_and_ends_as_if_nothing_had_been() {
    let (one, two) = (scratch("fuzz-whole"), scratch("fuzz-killed"));
    let line = "fuzz no-order.toml --runs 30 --keep-going --budget 15000 --json --jobs 2";
    let whole = run(&one, line).exits(1).out;
    let mut child = command(&two, line).stdout(Stdio::null()).spawn().unwrap();
    let position = || {
        let text = fs::read_to_string(two.path("out/fuzz/campaign.json")).unwrap_or_default();
        let state: Value = serde_json::from_str(&text).unwrap_or_default();
        state["position"].as_u64().unwrap_or_default()
    };
    while position() == 0 {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(position() < 30, "it was killed too late for this test to show anything");
    let written = || fs::metadata(two.path("out/fuzz/C2-1/trace.jsonl")).unwrap().modified().unwrap();
    let before = written();
    assert_eq!(run(&two, line).exits(1).out, whole);
    assert_eq!(written(), before, "what was done is not done again");
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_it_with_what_was_found() {
    let scratch = scratch("fuzz-interrupted");
    let child = command(&scratch, "fuzz --time 1h").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !Path::new(&scratch.path("out/fuzz/campaign.json")).exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(200));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(6), "{out}{err}");
    assert!(
        out.starts_with("drawn scenarios, seeds from 1: ") && err.contains("the same command goes on"),
        "{out}{err}"
    );
    let first = out.lines().next().unwrap();
    assert!(first.contains("no failure so far, UNFINISHED: interrupted after "), "{first}");
    let merged = run(&scratch, "merge out/fuzz").exits(6);
    assert_eq!(merged.out, out, "campaign.json holds the same");
}

#[test]
fn a_failure_has_a_folder_with_everything() {
    let scratch = scratch("fuzz-folder");
    let told = run(&scratch, "fuzz no-order.toml --seeds 1..9 --budget 200000").exits(1).out;
    assert!(told.contains("C2 contiguous proposals · safety · 1 run in no-order"), "{told}");
    let file = |name: &str| fs::read_to_string(scratch.path(&format!("out/fuzz/C2-1/{name}"))).expect(name);
    assert_eq!(file("seed"), "1\n");
    assert_eq!(file("scenario.toml"), no_order());
    let readme = file("README.md");
    assert!(
        readme.contains("zabsim run scenario.toml --seed 1") && readme.contains("C2 contiguous proposals"),
        "{readme}"
    );
    assert!(file("diagram.txt").lines().count() > 5 && file("diagram.svg").starts_with("<svg"));
    assert!(file("trace.jsonl").lines().count() > 5 * file("shrunk.jsonl").lines().count());
    let lines: Vec<&str> = told.lines().map(str::trim).filter(|line| line.starts_with("zabsim ")).collect();
    assert_eq!(lines.len(), 2, "{told}");
    for line in lines {
        let again = run(&scratch, line.strip_prefix("zabsim ").unwrap()).exits(1);
        assert!(again.out.contains("C2 contiguous proposals"), "{line}: {}", again.out);
    }
}

/// The cause is in the short trace: its folder tells it, and so does the scenario beside it, as far as that fails with it alone.
#[test]
fn the_folder_of_a_failure_names_the_habits_that_it_takes() {
    let scratch = Scratch::new("fuzz-habits");
    scratch.file(
        "observer.toml",
        "# An observer.\n[cluster]\nparticipants = 3\nobservers = 1\n\n[run]\nchaos = \"200ms\"\n",
    );
    let line = "fuzz observer.toml --profile apache-3.9.4 --only S10 --runs 40 --budget 300000 --json";
    let report = run(&scratch, line).exits(1).json();
    let folder = report["failures"][0]["examples"][0]["folder"].as_str().unwrap().to_owned();
    let file = |name: &str| fs::read_to_string(scratch.path(&format!("{folder}/{name}"))).expect(name);
    let readme = file("README.md");
    assert!(readme.contains("It takes: habit `observer-acks-early`.\n"), "{readme}");
    let shrunk = file("shrunk.toml");
    assert!(shrunk.contains("habits = [\"observer-acks-early\"]") && !shrunk.contains("profile"), "{shrunk}");
    let again = readme.lines().find_map(|line| line.strip_prefix("zabsim run shrunk.toml ")).expect(&readme);
    let again = again.split('#').next().unwrap().trim();
    assert!(
        run(&scratch, &format!("run {folder}/shrunk.toml {again}")).exits(1).out.contains("S10 commit consistency")
    );
}

#[test]
fn a_failure_of_a_known_shape_is_counted_and_has_no_folder() {
    let scratch = scratch("fuzz-shapes");
    let report = run(&scratch, "fuzz no-order.toml --seeds 1..=8 --keep-going --budget 100000 --json").exits(1).json();
    let failures = report["failures"].as_array().unwrap();
    let examples = |failure: &Value| failure["examples"].as_array().unwrap().clone();
    let runs: u64 = failures.iter().map(|failure| failure["runs"].as_u64().unwrap()).sum();
    let shown: usize = failures.iter().map(|failure| examples(failure).len()).sum();
    assert_eq!(runs, 8);
    assert!(shown < 8, "some are alike: {failures:?}");
    for failure in failures {
        let mut shapes: Vec<String> = examples(failure).iter().map(|it| it["shape"].to_string()).collect();
        let all = shapes.len();
        shapes.sort();
        shapes.dedup();
        assert_eq!(shapes.len(), all, "{failure}");
        assert!(examples(failure).iter().all(|it| Path::new(&scratch.path(it["folder"].as_str().unwrap())).is_dir()));
    }
    assert_eq!(fs::read_dir(scratch.path("out/fuzz")).unwrap().count(), shown + 2, "and campaign.json with its lock");
}

#[test]
fn machines_get_what_they_can_read_whatever_the_names() {
    let scratch = Scratch::new("fuzz-machines");
    let odd = "it's 5% <a&b>, \"c\":d.toml";
    scratch.file(odd, CALM);
    let mut command = zabsim();
    command.current_dir(scratch.path(".")).args(["fuzz", odd, "--runs", "2", "--keep-going"]);
    let told = ended(command.args(["--junit", "j.xml", "--sarif", "s.json", "--github"])).exits(1).out;

    let annotation = told.lines().find(|line| line.starts_with("::error ")).expect(&told);
    let place =
        "::error file=it's 5%25 <a&b>%2C \"c\"%3Ad.toml,line=5,title=promise broken promise::promise broken promise: ";
    assert!(annotation.starts_with(place), "{annotation}");
    assert!(annotation.contains("%0Aseed 1: disk-full was never reached%0A"), "{annotation}");

    let sarif: Value = serde_json::from_str(&fs::read_to_string(scratch.path("s.json")).unwrap()).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "it%27s%205%25%20%3Ca%26b%3E%2C%20%22c%22%3Ad.toml");
    assert_eq!((&place["region"]["startLine"], &result["occurrenceCount"]), (&5.into(), &2.into()));
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(rules.len() > 50 && rules.iter().any(|rule| rule["id"] == result["ruleId"]));

    let text = fs::read_to_string(scratch.path("j.xml")).unwrap();
    let mut reader = quick_xml::Reader::from_str(&text);
    let (mut cases, mut failures, mut suites) = (0, 0, Vec::new());
    loop {
        match reader.read_event().expect(&text) {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => match tag.name().as_ref() {
                "testcase" => cases += 1,
                "failure" => failures += 1,
                "testsuite" => {
                    let name = tag.try_get_attribute("name").unwrap().unwrap();
                    suites.push(name.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap().into_owned());
                }
                _ => {}
            },
            _ => {}
        }
    }
    assert_eq!((cases, failures, suites), (rules.len(), 1, vec![odd.to_owned()]));
}

/// The ledger has no tree and no files, and `--only` leaves out the rest.
#[test]
fn what_no_run_was_judged_by_is_skipped() {
    let scratch = scratch("fuzz-judged");
    let judged = |flags: &str| {
        run(&scratch, &format!("fuzz calm.toml --runs 1 --keep-going --budget 15000 --junit j.xml {flags}"));
        fs::remove_dir_all(scratch.path("out")).unwrap();
        let text = fs::read_to_string(scratch.path("j.xml")).unwrap();
        let cases: Vec<&str> = text.split("<testcase ").skip(1).collect();
        let counted = format!("skipped=\"{}\"", cases.iter().filter(|case| case.contains("<skipped ")).count());
        assert_eq!(text.matches(&counted).count(), 2, "{counted} in\n{text}");
        let name = |case: &str| case.split("name=\"").nth(2).unwrap().split([' ', '"']).next().unwrap().to_owned();
        cases.iter().filter(|case| !case.contains("<skipped ")).map(|case| name(case)).collect::<Vec<String>>()
    };
    let ledger = judged("");
    assert!(["S1", "S4", "K2", "panic"].iter().all(|id| ledger.iter().any(|judged| judged == id)), "{ledger:?}");
    assert!(["K5", "K6", "K7", "D11"].iter().all(|id| ledger.iter().all(|judged| judged != id)), "{ledger:?}");
    let whole = judged("--service zookeeper");
    assert!(["K5", "D11"].iter().all(|id| whole.iter().any(|judged| judged == id)), "{whole:?}");
    assert_eq!(judged("--only K2"), ["K2", "panic", "promise", "stalled"]);
}

/// An alert is the same one tomorrow: neither seeds nor counts are in its fingerprint, and it stands at the file that was given.
#[test]
fn an_alert_keeps_its_fingerprint() {
    let scratch = scratch("fuzz-fingerprints");
    let alert = |seeds: &str| {
        run(
            &scratch,
            &format!("fuzz calm.toml --seeds {seeds} --keep-going --budget 15000 --sarif s.json --out {seeds}"),
        )
        .exits(1);
        let sarif: Value = serde_json::from_str(&fs::read_to_string(scratch.path("s.json")).unwrap()).unwrap();
        sarif["runs"][0]["results"][0].clone()
    };
    let (one, other) = (alert("1..3"), alert("7..=7"));
    assert_eq!(one["partialFingerprints"], other["partialFingerprints"]);
    let hash = one["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap();
    assert!(hash.len() == 18 && hash.ends_with(":1"), "{hash}");
    assert_eq!(one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "calm.toml");
}

#[test]
fn another_campaign_in_the_same_directory_is_refused() {
    let scratch = scratch("fuzz-other");
    run(&scratch, "fuzz --runs 2").exits(0);
    for (line, what) in [
        ("fuzz --runs 3", "out/fuzz holds another campaign (runs: 2 there, 3 here)"),
        ("fuzz --runs 2 --seed 9", "(first seed: 1 there, 9 here)"),
        ("fuzz calm.toml --runs 2", "(scenarios: drawn there, calm.toml here)"),
    ] {
        let refused = run(&scratch, line).exits(2);
        assert!(refused.err.contains(what) && refused.err.contains("--out"), "{line}: {}", refused.err);
    }
    let text = fs::read_to_string(scratch.path("out/fuzz/campaign.json")).unwrap();
    let build = text.lines().find(|line| line.contains("\"build\"")).unwrap();
    scratch.file("out/fuzz/campaign.json", &text.replace(build, "  \"build\": \"0\","));
    assert!(run(&scratch, "fuzz --runs 2").exits(2).err.contains("another build of zabsim"));
    for damaged in ["{}", &text[..text.len() / 2]] {
        scratch.file("out/fuzz/campaign.json", damaged);
        let refused = run(&scratch, "fuzz --runs 2").exits(2).err;
        assert!(refused.contains("out/fuzz/campaign.json: ") && refused.contains("it is damaged"), "{refused}");
        assert!(refused.contains("rm -r out/fuzz"), "{refused}");
    }
}

#[test]
fn a_command_line_that_is_none_is_refused() {
    let scratch = scratch("fuzz-usage");
    for (line, what) in [
        ("fuzz", "required"),
        ("fuzz --runs 0", "0"),
        ("fuzz --runs 2 --seeds 1..3", "cannot be used with"),
        ("fuzz --seeds 1..3 --seed 3", "cannot be used with"),
        ("fuzz --seeds 3..3", "contains no seed"),
        ("fuzz --time 10", "expected a time such as 90s, 10m or 2h"),
        ("fuzz --runs 2 --shard 3/2", "expected a shard such as 1/4"),
        ("fuzz --runs 2 --json --github", "cannot be used with"),
        ("fuzz --runs 2 --seed 18446744073709551615", "goes beyond the last seed"),
        ("fuzz --runs 2 --mutant no-such-mutant", "no-such-mutant"),
        ("fuzz no-such.toml --runs 2", "cannot read no-such.toml"),
        ("fuzz calm.toml --runs 2 --out calm.toml", "calm.toml is not a directory"),
        ("fuzz --runs 2 --mend stale-acks", "--mend takes a habit away from servers that have some"),
        ("fuzz calm.toml --runs 2 --mend stale-acks", "give them those of a release with --profile"),
        ("fuzz --time 0s", "expected a time such as 90s"),
        ("fuzz --runs 2 --junit nowhere/x.xml", "cannot write nowhere/x.xml: there is no directory nowhere"),
        ("merge calm.toml --sarif nowhere/x.json", "there is no directory nowhere"),
        ("fuzz --runs 2 --habit stale-ack", "unknown habit `stale-ack`; did you mean `stale-acks`?"),
        ("fuzz --runs 2 --habit nope", "unknown habit `nope`; `zabsim profiles` lists them"),
        ("merge", "required"),
    ] {
        let refused = run(&scratch, line).exits(2);
        assert!(refused.err.contains(what) && refused.out.is_empty(), "{line}: {refused:?}");
    }
    assert!(!Path::new(&scratch.path("nowhere")).exists());
}
