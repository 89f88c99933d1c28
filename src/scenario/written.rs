//! A scenario as the text of a file: what differs from the defaults, below a comment.

use std::fmt::Write;

use toml::{Table, Value};

use super::Scenario;
use crate::sim::fault::RandomOptions;

/// The order in which scenarios are written.
const SECTIONS: [&str; 10] =
    ["cluster", "history", "limits", "network", "disk", "clocks", "workload", "fault", "random", "run"];

impl Scenario {
    /// The text of a file that means this scenario, below a comment; `None` if reading it would not give it back.
    pub fn written(&self, comment: &str) -> Option<String> {
        text(self, comment)
    }
}

fn text(scenario: &Scenario, comment: &str) -> Option<String> {
    let usual = Scenario { random: Some(RandomOptions::default()), ..Scenario::parse("", "").ok()? };
    let usual = Table::try_from(usual).ok()?;
    let mut table = Table::try_from(scenario).ok()?;
    for (section, value) in table.iter_mut() {
        if let (Value::Table(value), Some(Value::Table(usual))) = (value, usual.get(section)) {
            value.retain(|key, value| usual.get(key) != Some(value));
        }
    }
    let mut text: String = comment.lines().map(|line| format!("# {line}").trim_end().to_owned() + "\n").collect();
    // What is in no section stands before the first one.
    let rank = |key: &String, value: &Value| match value {
        value if is_section(value) => 1 + SECTIONS.iter().position(|name| name == key).unwrap_or(SECTIONS.len()),
        _ => 0,
    };
    let mut sections: Vec<(String, Value)> = table.into_iter().collect();
    sections.sort_by_key(|(key, value)| rank(key, value));
    for (key, value) in sections {
        match value {
            Value::Table(table) if table.is_empty() && key != "random" => {}
            Value::Table(table) => write_section(&mut text, &format!("[{key}]"), &table),
            Value::Array(ref faults) if faults.iter().all(Value::is_table) => {
                let faults = faults.clone();
                for fault in faults.into_iter().filter_map(|fault| fault.as_table().cloned()) {
                    write_section(&mut text, &format!("[[{key}]]"), &pruned(fault));
                }
            }
            value => {
                let _ = writeln!(text, "\n{key} = {value}");
            }
        }
    }
    let read = Scenario::parse("", &text).ok()?;
    let same = Scenario { moral: scenario.moral.clone(), text: scenario.text.clone(), ..read };
    (same == *scenario).then_some(text)
}

/// Whether it has a header of its own.
fn is_section(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(Value::is_table),
        value => value.is_table(),
    }
}

fn write_section(text: &mut String, header: &str, table: &Table) {
    let _ = writeln!(text, "\n{header}");
    // What happens comes after when it does.
    let (last, first): (Vec<_>, Vec<_>) = table.iter().partition(|(key, _)| *key == "do");
    for (key, value) in first.into_iter().chain(last) {
        let _ = writeln!(text, "{key} = {value}");
    }
}

/// Without what every fault is unless it says otherwise.
fn pruned(mut fault: Table) -> Table {
    let usual = [("nth", Value::Integer(1)), ("from", "0s".into()), ("after", "0s".into())];
    fault.retain(|key, value| !usual.iter().any(|(name, usual)| *name == key && usual == value));
    let kinds = fault.get_mut("do").and_then(Value::as_table_mut);
    for what in kinds.into_iter().flat_map(|kinds| kinds.iter_mut().filter_map(|(_, what)| what.as_table_mut())) {
        what.retain(|key, value| !ABSENT.contains(&key) || !is_nothing(value));
    }
    fault
}

/// Of what a fault does, the keys that mean nothing if they are nothing.
const ABSENT: [&str; 8] = ["outputs", "power", "kept", "torn", "both", "lose", "only", "client"];

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Integer(n) => *n == 0,
        Value::Boolean(yes) => !yes,
        Value::Array(array) => array.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = r#"# Something is wrong.
# Shrunk from elsewhere.

[cluster]
participants = 2

[history]
p1 = { accepted = 3, purged = false, txns = [[1, 5]] }

[network]
fifo = false
latency = { constant = "1ms" }

[workload]
mix = { read = 0, sync = 0, write = 1 }

[[fault]]
when = "leader-sent-newleader"
nth = 2
do = { crash = { node = "trigger" } }

[[fault]]
at = "1s"
do = { all-down = { down = "200ms" } }

[random]
every = "400ms"

[run]
epilogue = false
"#;

    #[test]
    fn only_what_is_unusual_is_written() {
        let comment = "Something is wrong.\nShrunk from elsewhere.";
        let written = text(&Scenario::parse("", WRITTEN).unwrap(), comment).unwrap();
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(lines(&written), lines(WRITTEN), "{written}");
    }

    #[cfg(feature = "mutants")]
    #[test]
    fn a_mutant_stands_before_every_section() {
        let mutant = crate::zab::Mutant::all().next().unwrap().name();
        let scenario = Scenario::parse("", &format!("mutant = \"{mutant}\"\n[run]\nepilogue = false\n")).unwrap();
        let expected = format!("# m\n\nmutant = \"{mutant}\"\n\n[run]\nepilogue = false\n");
        assert_eq!(text(&scenario, "m"), Some(expected));
    }

    #[test]
    fn a_profile_and_habits_stand_before_every_section() {
        let named = "# m\n\nhabits = [\"stale-acks\", \"memory-lags\"]\n\nprofile = \"apache-3.9.4\"\n\n[run]\nepilogue = false\n";
        let scenario = Scenario::parse("", named).unwrap();
        assert_eq!(text(&scenario, "m").as_deref(), Some(named));
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test may read the scenarios")]
    fn every_scenario_can_be_written_and_comes_back() {
        for entry in std::fs::read_dir("scenarios").unwrap() {
            let path = entry.unwrap().path();
            let scenario = Scenario::parse("", &std::fs::read_to_string(&path).unwrap()).unwrap();
            assert!(text(&scenario, "m").is_some(), "{}", path.display());
        }
    }
}
