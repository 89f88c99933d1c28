//! The score as one page: a picture, a comparison, every number. No script, nothing from elsewhere, light and dark.

use std::fmt::Write;

use super::matrix::matrix;
use super::score::{Control, Row, Score};
use super::spread::Spread;
use super::text::{counts, ms, runs};
use crate::check::Property;
use crate::cli::render::thousands;

const STYLE: &str = include_str!("page.css");

pub(super) fn page(score: &Score) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>zabsim: the zoo</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
    );
    intro(&mut out, score);
    let _ = write!(
        out,
        "<section>\n<h2>Which property notices which bug</h2>\n\
         <p class=\"legend\"><span class=\"key first\">{masters}</span> broke first, under so many of {masters} masters\
         <span class=\"key later\">●</span> broke later in such a run<span class=\"key dot\">●</span> median of the runs needed, the line ends at the 90th percentile</p>\n\
         <div class=\"wide\">\n{}</div>\n</section>\n",
        matrix(score),
        masters = score.masters
    );
    compared(&mut out, score);
    table(&mut out, score);
    silent(&mut out, score);
    out += "</main>\n</body>\n</html>\n";
    out
}

fn intro(out: &mut String, score: &Score) {
    let _ = write!(
        out,
        "<header>\n<h1>The zoo</h1>\n<p>{} bugs of ZooKeeper and of the Zab paper, switched back on one at a time. Scenarios are drawn from \
         seeds alone, by one profile for all. Each bug is hunted {} times, with seeds of its own, for at most {} runs each.</p>\n</header>\n<div class=\"tiles\">\n",
        score.mutants.len(),
        score.masters,
        thousands(score.runs)
    );
    let often = score.mutants.iter().filter(|row| row.killed * 20 >= score.masters * 19).count();
    tile(out, &format!("{often} of {}", score.mutants.len()), "bugs found in at least 19 of 20 hunts", true);
    let medians = Spread::of(score.mutants.iter().map(|row| row.runs.median));
    tile(out, &runs(score, medians.median), "runs for the median bug", true);
    control(out, &score.unmutated, "the unmutated core");
    if let Some(equivalent) = &score.equivalent {
        control(out, equivalent, "the equivalent mutant, which nothing may notice");
    }
    out.push_str("</div>\n");
}

fn tile(out: &mut String, figure: &str, what: &str, is_good: bool) {
    let class = if is_good { "tile" } else { "tile bad" };
    let _ = writeln!(out, "<div class=\"{class}\"><b>{}</b>{}</div>", escaped(figure), escaped(what));
}

fn control(out: &mut String, control: &Control, what: &str) {
    let failed = control.failed.len() as u64;
    let figure = if failed == 0 { "clean".to_owned() } else { format!("{failed} failed") };
    tile(
        out,
        &figure,
        &format!("{} runs, {} steps of {what}", thousands(control.runs), thousands(control.steps)),
        failed == 0,
    );
}

/// Beside what model checkers published.
fn compared(out: &mut String, score: &Score) {
    let mut rows: Vec<(&Row, u64)> = score.mutants.iter().filter_map(|row| Some((row, row.published_ms?))).collect();
    if rows.is_empty() {
        return;
    }
    rows.sort_by_key(|&(_, published)| published);
    let longest =
        rows.iter().map(|&(row, published)| published.max(row.wall_ms.median.unwrap_or(0))).max().unwrap_or(1);
    let along = |ms: u64| 110.0 + (ms.max(1) as f64).ln() / (longest.max(2) as f64).ln() * 560.0;
    let height = 34 + 26 * rows.len();
    let _ = write!(
        out,
        "<section>\n<h2>Beside published model checking</h2>\n<p class=\"legend\"><span class=\"key dot\">●</span> median wall time of a hunt, one thread\
         <span class=\"key published\">◆</span> time published for a model checker; other machines, other models: the order of magnitude is what counts</p>\n\
         <div class=\"wide\"><svg class=\"narrow\" viewBox=\"0 0 780 {height}\" role=\"img\" aria-label=\"Wall time beside published times\">\n"
    );
    for (tick, label) in
        [(1, "1 ms"), (10, "10 ms"), (100, "0.1 s"), (1_000, "1 s"), (10_000, "10 s"), (100_000, "100 s")]
    {
        if tick <= longest {
            let x = along(tick);
            let _ = writeln!(
                out,
                "<line class=\"grid\" x1=\"{x:.1}\" y1=\"22\" x2=\"{x:.1}\" y2=\"{height}\"/><text class=\"head\" x=\"{x:.1}\" y=\"14\">{label}</text>"
            );
        }
    }
    for (index, &(row, published)) in rows.iter().enumerate() {
        let y = 40 + 26 * index;
        let _ = writeln!(out, "<text class=\"name\" x=\"0\" y=\"{}\">{}</text>", y + 4, row.listed.mutant);
        let there = along(published);
        if let Some(median) = row.wall_ms.median {
            let here = along(median);
            let _ = writeln!(
                out,
                "<line class=\"whisker\" x1=\"{here:.1}\" y1=\"{y}\" x2=\"{there:.1}\" y2=\"{y}\"/><circle class=\"dot\" cx=\"{here:.1}\" cy=\"{y}\" r=\"5\"/>"
            );
        }
        let told = format!("{} / {}", ms(row.wall_ms.median), ms(Some(published)));
        let _ = writeln!(
            out,
            "<path class=\"published\" d=\"M{there:.1} {} l6 6 l-6 6 l-6 -6 z\"/><text class=\"side\" x=\"{:.1}\" y=\"{}\">{told}</text>",
            y - 6,
            along(longest) + 14.0,
            y + 4
        );
    }
    out.push_str("</svg></div>\n</section>\n");
}

fn table(out: &mut String, score: &Score) {
    out.push_str(
        "<section>\n<h2>Every figure</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>mutant<th>what goes wrong<th>first\
         <th class=\"n\">killed<th class=\"n\">runs<th class=\"n\">p90<th class=\"n\">steps<th class=\"n\">p90<th class=\"n\">wall<th class=\"n\">published<th class=\"n\">shrunk</tr></thead>\n<tbody>\n",
    );
    for row in &score.mutants {
        let steps = |steps: Option<u64>| steps.map_or("–".into(), thousands);
        let numbers = [
            format!("{}/{}", row.killed, score.masters),
            runs(score, row.runs.median),
            runs(score, row.runs.p90),
            steps(row.steps.median),
            steps(row.steps.p90),
            ms(row.wall_ms.median),
            ms(row.published_ms),
            row.shrunk.as_ref().map_or("–".into(), |shrunk| thousands(shrunk.actions)),
        ];
        let numbers: String = numbers.iter().map(|n| format!("<td class=\"n\">{}", escaped(n))).collect();
        let class = if row.survived() { " class=\"survives\"" } else { "" };
        let first = if row.survived() { "survives".into() } else { counts(&row.first) };
        let _ = writeln!(
            out,
            "<tr{class}><th>{}<td>{} <small>{}</small><td>{}{numbers}</tr>",
            row.listed.mutant,
            escaped(row.listed.story),
            row.listed.source,
            escaped(&first)
        );
    }
    out.push_str("</tbody>\n</table></div>\n</section>\n");
}

fn silent(out: &mut String, score: &Score) {
    if score.silent.is_empty() {
        return;
    }
    out.push_str("<section>\n<h2>Properties that no mutant here breaks</h2>\n<p>Each is shown able to fail by a unit test.</p>\n<ul class=\"silent\">\n");
    for property in score.silent.iter().filter_map(|id| Property::from_id(id)) {
        let _ = writeln!(out, "<li><b>{}</b> {}</li>", property.id(), escaped(property.name()));
    }
    out.push_str("</ul>\n</section>\n");
}

/// For text in HTML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
