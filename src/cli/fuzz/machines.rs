//! The report for other programs: JUnit, SARIF, annotations of GitHub Actions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use anyhow::Result;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use serde_json::{Value, json};

use super::report::{Failure, FuzzReport};
use super::state::digest;
use crate::check::Property;
use crate::fuzz::swarm;

/// What else a run is held to.
const OTHERS: [(&str, &str, &str); 3] = [
    ("panic", "no panic", "the core never panics"),
    ("promise", "kept promises", "what a scenario promises comes"),
    ("stalled", "convergence", "the healed core converges within the bound"),
];

/// Everything a run is held to: id, name, statement.
fn rules() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    Property::all().iter().map(|property| (property.id(), property.name(), property.statement())).chain(OTHERS)
}

/// A suite for each scenario, with a case for everything a run is held to; what no run was judged by is skipped.
pub(super) fn junit(report: &FuzzReport) -> Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites = suites(report);
    let cases = rules().count();
    let failed: usize = suites.iter().map(|suite| suite.failures.len()).sum();
    let skipped = |suite: &Suite| rules().filter(|(id, ..)| !suite.is_judged(id)).count();
    let all_skipped: usize = suites.iter().map(skipped).sum();
    let counted = |element: &mut BytesStart<'_>, suites: usize, failed: usize, skipped: usize| {
        element.push_attribute(("tests", (suites * cases).to_string().as_str()));
        element.push_attribute(("failures", failed.to_string().as_str()));
        element.push_attribute(("skipped", skipped.to_string().as_str()));
    };
    let mut root = BytesStart::new("testsuites");
    root.push_attribute(("name", "zabsim fuzz"));
    counted(&mut root, suites.len(), failed, all_skipped);
    writer.write_event(Event::Start(root))?;
    for suite in &suites {
        let Suite { name, failures, .. } = suite;
        let number = skipped(suite);
        let mut element = BytesStart::new("testsuite");
        element.push_attribute(("name", name.as_str()));
        counted(&mut element, 1, failures.len(), number);
        writer.write_event(Event::Start(element))?;
        for (id, rule, _) in rules() {
            let mut case = BytesStart::new("testcase");
            case.push_attribute(("classname", name.as_str()));
            case.push_attribute(("name", format!("{id} {rule}").as_str()));
            if !suite.is_judged(id) {
                writer.write_event(Event::Start(case))?;
                let mut skipped = BytesStart::new("skipped");
                skipped.push_attribute(("message", "no run was judged by it"));
                writer.write_event(Event::Empty(skipped))?;
                writer.write_event(Event::End(BytesEnd::new("testcase")))?;
                continue;
            }
            let Some(found) = failures.get(id) else {
                writer.write_event(Event::Empty(case))?;
                continue;
            };
            writer.write_event(Event::Start(case))?;
            let mut failure = BytesStart::new("failure");
            failure.push_attribute(("type", id));
            failure.push_attribute(("message", headline(found[0]).as_str()));
            writer.write_event(Event::Start(failure))?;
            let details: Vec<String> = found.iter().map(|failure| details(failure)).collect();
            writer.write_event(Event::Text(BytesText::new(&legal(&details.join("\n")))))?;
            writer.write_event(Event::End(BytesEnd::new("failure")))?;
            writer.write_event(Event::End(BytesEnd::new("testcase")))?;
        }
        writer.write_event(Event::End(BytesEnd::new("testsuite")))?;
    }
    writer.write_event(Event::End(BytesEnd::new("testsuites")))?;
    Ok(String::from_utf8(writer.into_inner())? + "\n")
}

/// A scenario.
struct Suite<'r> {
    name: String,
    /// What failed in it, by id.
    failures: BTreeMap<&'r str, Vec<&'r Failure>>,
    judged: &'r BTreeSet<String>,
    /// Nobody promised anything of drawn scenarios, and what they stall in is for the properties to tell.
    is_drawn: bool,
}

impl Suite<'_> {
    fn is_judged(&self, id: &str) -> bool {
        let judged = match id {
            "panic" => true,
            "promise" | "stalled" => !self.is_drawn,
            id => self.judged.contains(id),
        };
        judged || self.failures.contains_key(id)
    }
}

fn suites(report: &FuzzReport) -> Vec<Suite<'_>> {
    let paths = match report.scenarios.as_slice() {
        [] => vec![swarm::NAME.to_owned()],
        some => some.to_vec(),
    };
    let failed = |path: &String| {
        let mut failed: BTreeMap<&str, Vec<&Failure>> = BTreeMap::new();
        let own = |failure: &&Failure| failure.file.as_ref().unwrap_or(&failure.scenario) == path;
        report.failures.iter().filter(own).for_each(|it| failed.entry(&it.property).or_default().push(it));
        failed
    };
    let is_drawn = report.scenarios.is_empty();
    let suite = |(path, judged): (String, _)| Suite { name: legal(&path), failures: failed(&path), judged, is_drawn };
    paths.into_iter().zip(&report.judged).map(suite).collect()
}

/// XML has no way to say a control character, escaped or not.
fn legal(text: &str) -> String {
    text.replace(|c: char| c.is_control() && !matches!(c, '\n' | '\t'), "\u{fffd}")
}

fn headline(failure: &Failure) -> String {
    let runs = if failure.runs == 1 { "1 run".into() } else { format!("{} runs", failure.runs) };
    legal(&format!("{} {}: {} ({runs} of {})", failure.property, failure.name, failure.statement, failure.scenario))
}

fn details(failure: &Failure) -> String {
    let mut text = String::new();
    for example in &failure.examples {
        let _ = writeln!(text, "seed {}: {}\n{}", example.seed, example.said, example.reproduce);
        if let Some(replay) = &example.replay {
            let _ = writeln!(text, "{replay}");
        }
    }
    text
}

/// Static Analysis Results Interchange Format 2.1.0.
pub(super) fn sarif(report: &FuzzReport) -> Value {
    let rules: Vec<Value> = rules()
        .map(|(id, name, statement)| json!({ "id": id, "name": name, "shortDescription": { "text": statement } }))
        .collect();
    let results: Vec<Value> = report
        .failures
        .iter()
        .map(|failure| {
            let (file, line) = place(failure);
            json!({
                "ruleId": failure.property,
                "level": "error",
                "message": { "text": format!("{}\n{}", headline(failure), details(failure)) },
                "locations": [{
                    "physicalLocation": { "artifactLocation": { "uri": uri(&file) }, "region": { "startLine": line } },
                }],
                "occurrenceCount": failure.runs,
                "partialFingerprints": fingerprints(failure),
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "zabsim", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "results": results,
        }],
    })
}

/// What makes this the alert of last time, whatever seeds there were and however often it failed. The first is what GitHub goes by.
fn fingerprints(failure: &Failure) -> Value {
    let shape = failure.examples.first().map_or_else(String::new, |example| example.shape.join(","));
    let told = format!("{}:{shape}", failure.property);
    json!({ "primaryLocationLineHash": format!("{}:1", digest(&told)), "shape/v2": told })
}

/// Where to look: the scenario that was given, else the one that was written.
fn place(failure: &Failure) -> (String, usize) {
    let written = || failure.examples.first().map_or_else(String::new, |it| format!("{}/scenario.toml", it.folder));
    (failure.file.clone().unwrap_or_else(written), failure.line.unwrap_or(1))
}

/// A path as a relative reference (RFC 3986).
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(byte.into());
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// Workflow commands, one per failure.
pub(super) fn github(report: &FuzzReport) -> String {
    let mut out = String::new();
    for failure in &report.failures {
        let (file, line) = place(failure);
        let title = format!("{} {}", failure.property, failure.name);
        let message = format!("{}\n{}", headline(failure), details(failure));
        let (file, title) = (attribute(&file), attribute(&title));
        let _ = writeln!(out, "::error file={file},line={line},title={title}::{}", data(message.trim_end()));
    }
    out
}

/// As the runner of GitHub Actions reads it back.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn attribute(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
