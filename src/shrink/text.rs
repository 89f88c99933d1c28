//! A scenario as the text of a file: what differs from the defaults, below a comment.

use toml::{Table, Value};

use crate::scenario::Scenario;

/// The text of `scenario`, or `None` if reading it would not give it back.
pub(super) fn text(scenario: &Scenario, comment: &str) -> Option<String> {
    let usual = table(&Scenario::parse("", "").ok()?)?;
    let mut table = table(scenario)?;
    table.retain(|section, value| {
        if let (Value::Table(value), Some(Value::Table(usual))) = (&mut *value, usual.get(section)) {
            value.retain(|key, value| usual.get(key) != Some(value));
        }
        !is_empty(value)
    });
    if let Some(Value::Array(faults)) = table.get_mut("fault") {
        faults.iter_mut().filter_map(Value::as_table_mut).for_each(prune_fault);
    }
    let comment: String = comment.lines().map(|line| format!("# {line}").trim_end().to_owned() + "\n").collect();
    let text = format!("{comment}\n{}", toml::to_string(&table).ok()?);
    let read = Scenario::parse("", &text).ok()?;
    let same = Scenario { moral: scenario.moral.clone(), text: scenario.text.clone(), ..read };
    (same == *scenario).then_some(text)
}

fn table(scenario: &Scenario) -> Option<Table> {
    Table::try_from(scenario).ok()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Table(table) => table.is_empty(),
        Value::Array(array) => array.is_empty(),
        _ => false,
    }
}

/// What every fault has unless it says otherwise.
fn prune_fault(fault: &mut Table) {
    let usual = [("nth", Value::Integer(1)), ("from", "0s".into()), ("after", "0s".into())];
    fault.retain(|key, value| !usual.iter().any(|(name, usual)| *name == key && usual == value));
}
