//! The rules of the house that a compiler does not check.
#![allow(clippy::disallowed_methods, reason = "this test reads the sources")]

use std::fs;
use std::path::{Path, PathBuf};

use zabsim::check::Property;

/// A module may import only modules before it; only `cli` imports `server`.
const ORDER: [&str; 12] =
    ["zab", "replica", "zk", "server", "sim", "check", "scenario", "run", "trace", "shrink", "fuzz", "cli"];

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new("src"), &mut found);
    assert!(found.len() > 30, "the sources are where this test looks for them");
    found
}

fn module(path: &Path) -> String {
    let first = path.components().nth(1).unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// Complains about all at once.
fn report(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Code without its tests and comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| (number + 1, line))
}

#[test]
fn modules_import_only_what_is_above_them() {
    let rank = |name: &str| ORDER.iter().position(|module| *module == name);
    let mut complaints = Vec::new();
    for (path, text) in sources() {
        let Some(own) = rank(&module(&path)) else { continue };
        for (number, line) in code(&text) {
            for used in line.split("crate::").skip(1) {
                let name: String = used.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                let Some(other) = rank(&name) else { continue };
                let server = ORDER[other] == "server" && ORDER[own] != "cli" && ORDER[own] != "server";
                if other > own || server {
                    complaints.push(format!("{}:{number}: imports {name}, which is below it", path.display()));
                }
            }
        }
    }
    report(complaints);
}

#[test]
fn no_file_outgrows_its_room() {
    let mut complaints = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().count();
        let cap = if path.ends_with("zab/peer.rs") { 400 } else { 600 };
        if lines > cap {
            complaints.push(format!("{}: {lines} lines, at most {cap}", path.display()));
        }
    }
    report(complaints);
}

#[test]
fn every_file_says_what_it_guarantees() {
    report(
        sources()
            .into_iter()
            .filter(|(_, text)| !text.starts_with("//!"))
            .map(|(path, _)| format!("{}: begin with a //! paragraph", path.display()))
            .collect(),
    );
}

#[test]
fn core_and_simulator_know_no_float_clock_or_hash_order() {
    let banned = ["f32", "f64", "HashMap", "HashSet", "SystemTime", "std::time", "std::thread", "std::fs", "std::env"];
    let mut complaints = Vec::new();
    for (path, text) in sources() {
        if !["zab", "zk", "replica", "sim", "check"].contains(&module(&path).as_str()) {
            continue;
        }
        for (number, line) in code(&text) {
            for word in banned.iter().filter(|word| line.contains(**word)) {
                complaints.push(format!("{}:{number}: {word}", path.display()));
            }
        }
    }
    report(complaints);
}

#[test]
fn randomness_has_one_door() {
    let mut complaints = Vec::new();
    for (path, text) in sources() {
        if path.ends_with("sim/rng.rs") {
            continue;
        }
        for (number, line) in code(&text) {
            let draws = |at: usize| !line[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
            if line.match_indices("rand::").any(|(at, _)| draws(at)) || line.contains("rand_chacha") {
                complaints.push(format!("{}:{number}: draws go through sim/rng.rs", path.display()));
            }
        }
    }
    report(complaints);
}

#[test]
fn the_protocol_knows_nothing_outside_itself() {
    let mut complaints = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| module(path) == "zab") {
        for (number, line) in code(&text) {
            for word in ["serde", "tokio", "println!", "eprintln!", "crate::sim", "crate::replica"] {
                if line.contains(word) && !line.contains("cfg_attr") {
                    complaints.push(format!("{}:{number}: {word}", path.display()));
                }
            }
        }
    }
    report(complaints);
}

#[test]
fn nothing_is_left_over() {
    let mut complaints = Vec::new();
    for (path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            for word in ["todo!(", "unimplemented!(", "dbg!(", "FIXME", "XXX", "#[ignore"] {
                if line.contains(word) {
                    complaints.push(format!("{}:{}: {word}", path.display(), number + 1));
                }
            }
        }
    }
    report(complaints);
}

#[test]
fn every_scenario_begins_with_its_moral() {
    let mut complaints = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir("scenarios").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "toml") {
            count += 1;
            if !fs::read_to_string(&path).unwrap().starts_with("# ") {
                complaints.push(format!("{}: the first line is a comment with the moral", path.display()));
            }
        }
    }
    assert!(count >= 24, "{count} scenarios, at least 24 are promised");
    report(complaints);
}

#[test]
fn every_property_has_its_file_and_a_test_in_which_it_fires() {
    let files: Vec<(PathBuf, String)> =
        sources().into_iter().filter(|(path, _)| path.parent() == Some(Path::new("src/check"))).collect();
    let mut complaints = Vec::new();
    for property in Property::all() {
        let prefix = format!("{}_", property.id().to_lowercase());
        let own = |path: &Path| path.file_name().unwrap().to_str().unwrap().starts_with(&prefix);
        let Some((path, text)) = files.iter().find(|(path, _)| own(path)) else {
            complaints.push(format!("{property:?}: no file src/check/{prefix}….rs"));
            continue;
        };
        let tests = text.split_once("#[cfg(test)]").map_or("", |(_, tests)| tests);
        let apart = fs::read_to_string(path.with_extension("").join("tests.rs")).unwrap_or_default();
        let tests = format!("{tests}{apart}");
        // Rustfmt may break the line before the property.
        let tests: String = tests.split_whitespace().collect();
        let noticed = ["fires(", "fires_in(story,", "ends_badly("]
            .iter()
            .any(|call| tests.contains(&format!("{call}Property::{property:?},")));
        // It may fire after others, named first.
        let after = tests.split("fires_after(").skip(1).filter_map(|call| call.split_once("|story|"));
        let noticed =
            noticed || after.into_iter().any(|(args, _)| args.ends_with(&format!(",Property::{property:?},")));
        if !noticed {
            complaints.push(format!("{}: no unit test in which {property:?} fires", path.display()));
        }
    }
    report(complaints);
}

#[test]
fn the_readme_knows_every_command_and_where_things_are() {
    let readme = fs::read_to_string("README.md").expect("there is a README.md");
    let args = fs::read_to_string("src/cli/args.rs").unwrap();
    let commands = args.split_once("enum Command {").unwrap().1.split_once("\n}").unwrap().0;
    let names: Vec<String> = commands
        .lines()
        .filter(|line| line.starts_with("    ") && line.as_bytes().get(4).is_some_and(u8::is_ascii_uppercase))
        .map(|line| line.trim().chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_lowercase())
        .collect();
    assert!(names.len() >= 6, "{names:?}");
    let mut complaints: Vec<String> = names
        .iter()
        .filter(|name| !readme.contains(&format!("zabsim {name}")))
        .map(|name| format!("README.md: no word on `zabsim {name}`"))
        .collect();
    for place in ["scenarios/", "cargo test", "cargo bench"] {
        if !readme.contains(place) {
            complaints.push(format!("README.md: no word on `{place}`"));
        }
    }
    report(complaints);
}
