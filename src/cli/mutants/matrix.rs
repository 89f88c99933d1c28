//! The kill matrix as a picture: a row for each mutant, a column for each property, and what it costs at the right.

use std::fmt::Write;

use super::page::escaped;
use super::score::{Row, Score, killers};
use super::text;

/// Between two rows, and two columns.
const PITCH: usize = 19;
const CELL: usize = 17;
const NAMES: usize = 92;
const HEAD: usize = 34;
/// Between families of properties and between places.
const GAP: usize = 9;
const TITLE: usize = 17;
/// Of the axis of runs.
const AXIS: usize = 230;

struct Column {
    id: String,
    meaning: &'static str,
    x: usize,
    is_silent: bool,
}

pub(super) fn matrix(score: &Score) -> String {
    let columns = columns(score);
    let axis = columns.last().map_or(NAMES, |last| last.x + PITCH) + 3 * GAP;
    let rows = rows(score);
    let height = rows.last().map_or(HEAD, |(y, ..)| y + PITCH) + 6;
    let width = axis + AXIS + 56;
    let mut out = format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"Which mutant is found over which property, and after how many runs\">\n"
    );
    for column in &columns {
        let class = match (column.is_silent, column.id.len()) {
            (true, _) => "head silent",
            (false, 3) => "head tight",
            _ => "head",
        };
        let (id, meaning) = (&column.id, escaped(column.meaning));
        let (x, y) = (column.x + CELL / 2, HEAD - 6);
        // A word stands on its end.
        let (x, turned) = match id.len() {
            ..=3 => (x, String::new()),
            _ => (x + 3, format!(" transform=\"rotate(-90 {} {y})\" style=\"text-anchor:start\"", x + 3)),
        };
        let _ = writeln!(
            out,
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\"{turned}>{id}<title>{id} {meaning}</title></text>"
        );
    }
    scale(&mut out, score, axis, height);
    for (y, place, row) in &rows {
        if let Some(place) = place {
            let _ = writeln!(out, "<text class=\"place\" x=\"0\" y=\"{}\">{place}</text>", y - 6);
        }
        draw_row(&mut out, score, row, *y, &columns, axis);
    }
    out += "</svg>\n";
    out
}

fn columns(score: &Score) -> Vec<Column> {
    let mut x = NAMES;
    let mut family = 'S';
    let mut columns = Vec::new();
    for killer in killers() {
        let id = killer.to_string();
        let first = id.chars().next().filter(char::is_ascii_uppercase).unwrap_or('-');
        if std::mem::replace(&mut family, first) != first {
            x += GAP;
        }
        let is_silent = score.silent.contains(&id.as_str());
        columns.push(Column { id, meaning: killer.meaning(), x, is_silent });
        x += PITCH;
    }
    columns
}

/// By place; the first of each place tells it.
fn rows(score: &Score) -> Vec<(usize, Option<&str>, &Row)> {
    let mut sorted: Vec<&Row> = score.mutants.iter().collect();
    sorted.sort_by_key(|row| PLACES.iter().position(|place| *place == row.listed.place));
    let mut y = HEAD;
    let mut last = "";
    let mut rows = Vec::new();
    for row in sorted {
        let place = Some(row.listed.place.as_str()).filter(|place| *place != last);
        if place.is_some() {
            y += TITLE;
        }
        last = &row.listed.place;
        rows.push((y, place, row));
        y += PITCH;
    }
    rows
}

const PLACES: [&str; 6] = ["election", "discovery", "synchronization", "durability", "storage", "broadcast"];

/// A line for each power of ten up to the budget.
fn scale(out: &mut String, score: &Score, axis: usize, height: usize) {
    let _ = writeln!(out, "<text class=\"place\" x=\"{axis}\" y=\"{}\">runs to the first kill</text>", HEAD - 20);
    let mut tick = 1;
    while tick <= score.runs {
        let x = axis + along(score, tick);
        let label = if tick >= 1000 { format!("{}k", tick / 1000) } else { tick.to_string() };
        let _ = writeln!(out, "<line class=\"grid\" x1=\"{x}\" y1=\"{HEAD}\" x2=\"{x}\" y2=\"{height}\"/>");
        let _ = writeln!(out, "<text class=\"head\" x=\"{x}\" y=\"{}\">{label}</text>", HEAD - 6);
        tick *= 10;
    }
}

fn draw_row(out: &mut String, score: &Score, row: &Row, y: usize, columns: &[Column], axis: usize) {
    let baseline = y + 12;
    let name = row.listed.mutant;
    let class = if row.survived() { "name survives" } else { "name" };
    let story = escaped(row.listed.story);
    let _ = writeln!(out, "<text class=\"{class}\" x=\"0\" y=\"{baseline}\">{name}<title>{story}</title></text>");
    for Column { id, meaning, x, .. } in columns {
        let times = |of: &std::collections::BTreeMap<String, u64>| of.get(id).copied().unwrap_or(0);
        let (first, later) = (times(&row.first), times(&row.later));
        let told = format!(
            "{name}, {id} {}: first under {first} of {} masters, later in {later} runs",
            escaped(meaning),
            score.masters
        );
        let _ = writeln!(
            out,
            "<g><title>{told}</title><rect class=\"cell\" x=\"{x}\" y=\"{y}\" width=\"{CELL}\" height=\"{CELL}\" rx=\"3\"/>"
        );
        let middle = x + CELL / 2;
        if first > 0 {
            // Even one of many is well visible.
            let percent = 35 + 65 * first / score.masters;
            let class = if percent > 70 { "count strong" } else { "count" };
            let _ = writeln!(
                out,
                "<rect class=\"first\" fill-opacity=\"{}.{:02}\" x=\"{x}\" y=\"{y}\" width=\"{CELL}\" height=\"{CELL}\" rx=\"3\"/>\
                 <text class=\"{class}\" x=\"{middle}.5\" y=\"{baseline}\">{first}</text>",
                percent / 100,
                percent % 100
            );
        } else if later > 0 {
            let radius = 2 + 2 * later / score.masters;
            let _ =
                writeln!(out, "<circle class=\"later\" cx=\"{middle}.5\" cy=\"{}.5\" r=\"{radius}\"/>", y + CELL / 2);
        }
        out.push_str("</g>\n");
    }
    cost(out, score, row, y, axis);
}

/// The median as a dot, the ninetieth percentile as the end of a line.
fn cost(out: &mut String, score: &Score, row: &Row, y: usize, axis: usize) {
    let middle = y + CELL / 2;
    let end = axis + along(score, score.runs);
    let label = end + 10;
    let found = format!("{}/{}", row.killed, score.masters);
    let Some(median) = row.runs.median else {
        let told = if row.survived() { "survives".to_owned() } else { found };
        let _ = writeln!(
            out,
            "<circle class=\"censored\" cx=\"{end}\" cy=\"{middle}\" r=\"4\"/><text class=\"side survives\" x=\"{label}\" y=\"{}\">{told}</text>",
            y + 12
        );
        return;
    };
    let from = axis + along(score, median);
    let to = row.runs.p90.map_or(end, |p90| axis + along(score, p90));
    let told = format!("{}: median {median} runs, p90 {}", row.listed.mutant, text::runs(score, row.runs.p90));
    let _ = writeln!(
        out,
        "<g><title>{}</title><line class=\"whisker\" x1=\"{from}\" y1=\"{middle}\" x2=\"{to}\" y2=\"{middle}\"/>\
         <circle class=\"dot\" cx=\"{from}\" cy=\"{middle}\" r=\"4\"/></g><text class=\"side\" x=\"{label}\" y=\"{}\">{found}</text>",
        escaped(&told),
        y + 12
    );
}

/// Where a number of runs is on the axis, logarithmically.
fn along(score: &Score, runs: u64) -> usize {
    let whole = (score.runs.max(2) as f64).ln();
    ((runs.max(1) as f64).ln() / whole * AXIS as f64).round() as usize
}
