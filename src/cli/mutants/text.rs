//! The score as a table.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::score::{Control, Failed, Row, Score};
use super::spread::Spread;
use crate::cli::render::{bold, dim, green, plural, red, thousands};

/// Right-aligned, except the first two.
const COLUMNS: [(&str, usize); 10] = [
    ("mutant", 9),
    ("first", 20),
    ("killed", 6),
    ("runs", 6),
    ("p90", 7),
    ("steps", 11),
    ("p90", 11),
    ("wall", 7),
    ("publ.", 5),
    ("short", 5),
];

pub(super) fn text(score: &Score) -> String {
    let mut out = String::new();
    let header: Vec<String> = COLUMNS.iter().map(|column| column.0.to_owned()).collect();
    let _ = writeln!(out, "{}", bold(line(&header)));
    for row in &score.mutants {
        let cells = cells(score, row);
        let line = line(&cells);
        let _ = writeln!(out, "{}", if row.survived() { red(line) } else { line });
    }
    out.push('\n');
    for (what, control) in
        score.equivalent.iter().map(|it| ("equivalent mutant", it)).chain([("unmutated core", &score.unmutated)])
    {
        let _ = writeln!(out, "{:18} {}", what, told(control));
    }
    if !score.mutants.is_empty() {
        tell_all(&mut out, score);
    }
    out
}

fn tell_all(out: &mut String, score: &Score) {
    let all = score.mutants.iter().filter(|row| row.killed * 20 >= score.masters * 19).count();
    let _ = writeln!(out, "{:18} {} of {}", "found by 19 in 20", all, plural(score.mutants.len() as u64, "mutant"));
    let medians = Spread::of(score.mutants.iter().map(|row| row.runs.median));
    let _ = writeln!(out, "{:18} {} (the median of the medians)", "median mutant", runs(score, medians.median));
    for row in &score.mutants {
        if let Some((with, without)) = row.recovery_ms {
            let what = format!("L6, {}", row.listed.mutant);
            let _ = writeln!(
                out,
                "{what:18} median {}, p90 {}; without it {}, {}",
                ms(with.median),
                ms(with.p90),
                ms(without.median),
                ms(without.p90)
            );
        }
    }
    let all: BTreeMap<u64, &Failed> =
        score.mutants.iter().flat_map(|row| &row.also_without).map(|failed| (failed.seed, failed)).collect();
    if !all.is_empty() {
        let all: Vec<&Failed> = all.into_values().collect();
        let _ = writeln!(out, "{:18} {}: they fail without a mutant as well", "not counted", seeds(&all));
    }
    let _ = writeln!(
        out,
        "\n{}",
        dim("Kills no mutant, shown able to fail by a unit test: ".to_owned() + &score.silent.join(" "))
    );
}

fn cells(score: &Score, row: &Row) -> Vec<String> {
    let steps = |steps: Option<u64>| steps.map_or("–".into(), thousands);
    vec![
        row.listed.mutant.into(),
        if row.survived() { "survives".into() } else { counts(&row.first) },
        format!("{}/{}", row.killed, score.masters),
        runs(score, row.runs.median),
        runs(score, row.runs.p90),
        steps(row.steps.median),
        steps(row.steps.p90),
        ms(row.wall_ms.median),
        ms(row.published_ms),
        row.shrunk.as_ref().map_or("–".into(), |shrunk| thousands(shrunk.actions)),
    ]
}

/// The most frequent first.
pub(super) fn counts(first: &BTreeMap<String, u64>) -> String {
    let mut counts: Vec<(&String, &u64)> = first.iter().collect();
    counts.sort_by_key(|&(what, times)| (std::cmp::Reverse(*times), what));
    let mut out = String::new();
    for (index, (what, times)) in counts.iter().enumerate() {
        let next = format!("{}{what}×{times}", if index > 0 { " " } else { "" });
        if out.len() + next.len() > COLUMNS[1].1 {
            out.push('…');
            break;
        }
        out += &next;
    }
    out
}

/// As short as it is told anyway.
pub(super) fn ms(ms: Option<u64>) -> String {
    match ms {
        None => "–".into(),
        Some(0) => "<1ms".into(),
        Some(ms) if ms < 1_000 => format!("{ms}ms"),
        Some(ms) if ms < 10_000 && ms % 1_000 > 0 => format!("{}.{}s", ms / 1000, ms % 1000 / 100),
        Some(ms) => format!("{}s", ms / 1000),
    }
}

pub(super) fn runs(score: &Score, runs: Option<u64>) -> String {
    runs.map_or_else(|| format!(">{}", score.runs), thousands)
}

fn told(control: &Control) -> String {
    let runs = format!("{}, {}", plural(control.runs, "run"), plural(control.steps, "step"));
    let also = match control.also_without.as_slice() {
        [] => String::new(),
        some => format!("; without it as well: {}", seeds(&some.iter().collect::<Vec<_>>())),
    };
    if control.failed.is_empty() {
        return format!("{} in {runs}{also}", green("nothing violated"));
    }
    let count = plural(control.failed.len() as u64, "run");
    format!(
        "{} of {runs}: {}{also}",
        red(format_args!("{count} failed")),
        seeds(&control.failed.iter().collect::<Vec<_>>())
    )
}

/// Some of them.
fn seeds(failed: &[&Failed]) -> String {
    let mut seeds: Vec<String> = failed.iter().take(SHOWN).map(|it| format!("{} ({})", it.seed, it.first)).collect();
    if failed.len() > SHOWN {
        seeds.push("…".into());
    }
    seeds.join(", ")
}

const SHOWN: usize = 6;

fn line(cells: &[String]) -> String {
    let mut out = String::new();
    for (index, (cell, (_, width))) in cells.iter().zip(COLUMNS).enumerate() {
        let pad = " ".repeat(width.saturating_sub(cell.chars().count()));
        if index < 2 {
            out += &format!("{cell}{pad}  ");
        } else {
            out += &format!("{pad}{cell}  ");
        }
    }
    out.trim_end().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_come_first_and_the_rest_is_cut() {
        let of = |all: &[(&str, u64)]| counts(&all.iter().map(|&(what, n)| (what.to_owned(), n)).collect());
        assert_eq!(of(&[("D1", 2), ("S5", 18)]), "S5×18 D1×2");
        assert_eq!(of(&[("D1", 1), ("D2", 1), ("D3", 1), ("D4", 1), ("D5", 1), ("S5", 15)]), "S5×15 D1×1 D2×1…");
    }

    #[test]
    fn a_time_has_as_many_digits_as_matter() {
        let told = [None, Some(0), Some(7), Some(999), Some(9_000), Some(9_999), Some(109_400)].map(ms);
        assert_eq!(told, ["–", "<1ms", "7ms", "999ms", "9s", "9.9s", "109s"]);
    }
}
