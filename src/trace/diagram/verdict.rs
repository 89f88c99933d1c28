//! What a run violated, as the last lines of its picture.

use super::super::{Replay, Trace};

/// Begins each of them.
const SIGN: &str = "!!";

/// A line for each property that the footer names, by its first violation. Nothing before the end of the trace: a picture that stops
/// before it has not seen what was violated.
pub fn verdict(trace: &Trace, replay: &Replay<'_>) -> Vec<String> {
    let Some(footer) = trace.footer.as_ref().filter(|_| replay.next_step().is_none()) else { return Vec::new() };
    let found = |id: &String| replay.checkers().violations().iter().find(|it| it.property.id() == id);
    let violations = footer.violations.iter().filter_map(found);
    violations
        .map(|it| {
            let (id, name, step) = (it.property.id(), it.property.name(), it.step);
            format!("{SIGN} {id} {name}, step {step}: expected {}; seen: {}", it.expected, it.seen)
        })
        .collect()
}
