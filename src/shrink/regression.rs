//! A Rust test that says what a trace shows.

use super::{Shrunk, Target};

/// The text of a test file that replays the trace named `trace`, which lies beside it, and asserts what goes wrong at
/// which step. `None` if no property speaks of it.
pub fn regression_test(shrunk: &Shrunk, trace: &str) -> Option<String> {
    let last = shrunk.trace.last_step();
    let (version, scenario) = (env!("CARGO_PKG_VERSION"), &shrunk.trace.header.scenario);
    let origin = format!("//! Shrunk by zabsim {version} from a run of {scenario}.");
    let read =
        format!("    let bytes: &[u8] = include_bytes!({trace:?});\n    let trace = Trace::read(bytes).unwrap();\n");
    if let Target::Panic { said, .. } = &shrunk.target {
        return Some(format!(
            "//! The core panics at step {last}: {said}\n{origin}\n\nuse zabsim::trace::{{Replay, Trace}};\n\n\
             #[test]\n#[should_panic(expected = {said:?})]\nfn panics_at_step_{last}() {{\n{read}    \
             let _ = Replay::new(&trace).run_until(u64::MAX, |_, _| ());\n}}\n",
        ));
    }
    let (property, step) = (shrunk.target.property()?, shrunk.violation.as_ref()?.step);
    let (id, name, statement) = (property.id(), property.name(), property.statement());
    let test = format!("{}_{}_is_violated_at_step_{step}", id.to_lowercase(), identifier(name));
    Some(format!(
        "//! {id} {name} is violated at step {step}: {statement}.\n{origin}\n\n\
         use zabsim::check::Property;\nuse zabsim::trace::{{Replay, Trace}};\n\n\
         #[test]\nfn {test}() {{\n{read}    \
         let mut replay = Replay::new(&trace);\n    \
         replay.run_until(u64::MAX, |_, _| ()).expect(\"the core has changed: run the scenario in the trace again\");\n    \
         let found: Vec<_> = replay.checkers().violations().iter().map(|found| (found.property, found.step)).collect();\n    \
         assert!(found.contains(&(Property::{id}, {step})), \"{{found:?}}\");\n}}\n",
    ))
}

fn identifier(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}
