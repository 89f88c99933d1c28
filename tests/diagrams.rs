//! Pictures of runs: three formats of the same story, filters, and the legend.
#![cfg(feature = "cli")]
#![allow(clippy::disallowed_methods, reason = "this test runs the binary")]

mod support;

use std::fs;

use support::{Scratch, run};

const TRACE: &str = "traces/sync-trunc.jsonl";

#[test]
fn diagrams_come_in_three_formats() {
    let text = run(&format!("diagram {TRACE} --span 1..7")).exits(0).out;
    insta::assert_snapshot!(text);
    let mermaid = run(&format!("diagram {TRACE} --format mermaid --span 20..60")).exits(0).out;
    assert!(mermaid.contains("sequenceDiagram") && mermaid.contains("participant p3"), "{mermaid}");
    let svg = run(&format!("diagram {TRACE} --format svg")).exits(0).out;
    assert!(svg.starts_with("<svg ") && svg.contains("TRUNC"), "{}", &svg[..200]);
    assert_well_formed(&svg);
    assert!(run("diagram --legend").exits(0).out.contains("received"));
}

/// The end of a picture tells what all of it leads to; a picture that stops before says nothing of it.
#[test]
fn a_diagram_ends_with_what_was_violated() {
    const VIOLATING: &str = "traces/open-defects/snapshots-survive-a-cut.jsonl";
    let last = |arguments: &str| run(&format!("diagram {arguments}")).exits(0).out.lines().last().unwrap().to_owned();
    let verdict = "!! S5 total order, step 93: expected txn number 1: 1:1; seen: p3 delivered 2:1";
    assert_eq!(last(VIOLATING), verdict);
    assert_eq!(last(&format!("{VIOLATING} --span 80..")), verdict);
    assert!(!last(&format!("{VIOLATING} --span ..=80")).contains("!!"));
    assert!(!last(TRACE).contains("!!"), "nothing is wrong in it");
    let narrow = run(&format!("diagram {VIOLATING} --width 60")).exits(0).out;
    assert!(narrow.contains("\n!! S5 total order, step 93: ") && !narrow.contains(verdict), "{narrow}");
    let svg = run(&format!("diagram {VIOLATING} --format svg")).exits(0).out;
    assert!(svg.contains("<text class=\"alarm\" x=\"20\"") && svg.contains(">!! S5 total order, step 93: "), "{svg}");
    assert_well_formed(&svg);
}

#[test]
fn a_diagram_shows_what_is_asked_for() {
    let only = run(&format!("diagram {TRACE} --message TRUNC --message newleader")).exits(0).out;
    assert!(only.contains("TRUNC") && only.contains("NEWLEADER") && !only.contains("notifies"), "{only}");
    let without = run(&format!("diagram {TRACE} --without NOTIFICATION --without PING")).exits(0).out;
    assert!(!without.contains("notifies") && without.contains("TRUNC"), "{without}");
    let none = run(&format!("diagram {TRACE} --message SNAP")).exits(0);
    assert_eq!(none.out.lines().count(), 1, "the heading: {}", none.out);
    assert!(none.err.starts_with("note: nothing in this trace passes all the filters"), "{}", none.err);
    let steps = |span: &str| run(&format!("diagram {TRACE} --span {span} --message NOTIFICATION")).exits(0).out;
    assert_eq!(steps("4..=9"), steps("4..10"));
    assert_ne!(steps("4..=9"), steps("4..9"));
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
fn the_legend_stands_in_the_documentation() {
    let legend = run("diagram --legend").exits(0).out;
    let told = fs::read_to_string("docs/diagram.md").unwrap();
    assert!(told.contains(&format!("```text\n{legend}```")), "docs/diagram.md should show\n\n{legend}");
    let help = run("replay --help").exits(0).out;
    assert!(help.contains("p1>p3#2 the second connection"), "{help}");
}
