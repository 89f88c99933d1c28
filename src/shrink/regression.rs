//! A Rust test that says what a trace shows.

use super::{Shrunk, Target};

/// The text of a test file that replays the trace named `trace`, which lies beside it, and asserts what goes wrong at which step.
pub fn regression_test(shrunk: &Shrunk, trace: &str) -> String {
    let Shrunk { target, violation, .. } = shrunk;
    let header = &shrunk.trace.header;
    let origin = format!("Shrunk by zabsim {} from {}, seed {}.", env!("CARGO_PKG_VERSION"), header.scenario, header.seed);
    match (target, violation) {
        (Target::Broken(property) | Target::Unmet { property, .. }, Some(violation)) => {
            let (id, name, step) = (property.id(), property.name(), violation.step);
            let test = format!("{}_{}_is_violated_at_step_{step}", id.to_lowercase(), identifier(name));
            format!(
                "//! {id} {name} is violated at step {step}: {}.\n//! {origin}\n{IMPORTS}use zabsim::check::Property;\n\n\
                 #[test]\nfn {test}() {{\n{READ}    \
                 let mut replay = Replay::new(&trace);\n    \
                 replay.run_until(u64::MAX, |_, _| ()).expect(\"{CHANGED}\");\n    \
                 let violations = replay.checkers().violations();\n    \
                 let found = violations.iter().map(|violation| (violation.property, violation.step));\n    \
                 assert!(found.clone().any(|found| found == (Property::{id}, {step})), \"{{:?}}\", found.collect::<Vec<_>>());\n}}\n",
                property.statement(),
            )
            .replace("TRACE", trace)
        }
        _ => {
            let said = match target {
                Target::Panic { said, .. } => said.as_str(),
                _ => "",
            };
            format!(
                "//! The core panics at step {}: {said}\n//! {origin}\n{IMPORTS}\n\
                 #[test]\n#[should_panic(expected = {said:?})]\nfn the_core_panics() {{\n{READ}    \
                 let _ = Replay::new(&trace).run_until(u64::MAX, |_, _| ());\n}}\n",
                shrunk.trace.last_step(),
            )
            .replace("TRACE", trace)
        }
    }
}

const IMPORTS: &str = "\nuse zabsim::trace::{Replay, Trace};\n";
const READ: &str = "    let bytes: &[u8] = include_bytes!(\"TRACE\");\n    let trace = Trace::read(bytes).expect(\"it is a trace\");\n";
const CHANGED: &str = "the core has changed since: shrink the failure again, or take this test out if it was mended";

fn identifier(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}
