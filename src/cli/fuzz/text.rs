//! The report on a screen.

use std::fmt::Write;

use super::super::render::{WIDTH, bold, dim, green, listed, plural, red, thousands, wrapped};
use super::report::{Failure, FuzzReport};

pub(super) fn text(report: &FuzzReport, width: Option<usize>) -> String {
    let width = width.unwrap_or(WIDTH);
    let mut out = String::new();
    let what = match report.scenarios.len() as u64 {
        0 => "drawn scenarios".to_owned(),
        count => plural(count, "scenario"),
    };
    let mutant = report.mutant.as_ref().map_or_else(String::new, |name| format!(", mutant {name}"));
    let behaviour = if report.behaviour.is_empty() { String::new() } else { format!(", {}", report.behaviour) };
    let asked = match report.planned {
        Some(planned) if planned > report.runs => format!(" of {}", thousands(planned)),
        _ => String::new(),
    };
    let noun = if report.runs == 1 && asked.is_empty() { "run" } else { "runs" };
    let runs = format!("{}{asked} {noun}", thousands(report.runs));
    let head = format!(
        "{what}{mutant}{behaviour}, seeds from {}: {runs}, {}",
        report.first_seed,
        plural(report.steps, "checked step")
    );
    let verdict = match (report.failures.is_empty(), report.unfinished.is_empty()) {
        (true, true) => green("no failure"),
        (true, false) => red("no failure so far, UNFINISHED"),
        (false, true) => red("FAILURES"),
        (false, false) => red("FAILURES, UNFINISHED"),
    };
    let why = if report.unfinished.is_empty() { String::new() } else { format!(": {}", report.unfinished.join("; ")) };
    let _ = writeln!(out, "{} · {verdict}{why}\n", bold(head));
    for failure in &report.failures {
        tell(&mut out, failure, width);
        out.push('\n');
    }
    for count in &report.verdicts {
        let _ = writeln!(out, "  {:<12}{:>12}", count.what, thousands(count.times));
    }
    let reached = report.reached.len();
    match report.runs {
        0 => {}
        // Shares of so few say nothing.
        1..=HANDFUL => {
            let all = reached + report.never_reached.len();
            let _ = writeln!(out, "\n  {}", dim(format_args!("{reached} of {all} situations reached")));
        }
        _ => lists(&mut out, report, width),
    }
    out
}

/// So few runs need no statistics.
const HANDFUL: u64 = 5;

fn lists(out: &mut String, report: &FuzzReport, width: usize) {
    let room = width - 4;
    let mut list = |title: &str, items: Vec<String>| {
        if !items.is_empty() {
            let _ =
                writeln!(out, "\n  {}\n    {}", dim(title), listed(items, room, usize::MAX).replace('\n', "\n    "));
        }
    };
    let shares = report.reached.iter().map(|it| format!("{} {}", it.what, share(it.runs, report.runs)));
    list("situations reached, in which share of the runs", shares.collect());
    list("never reached", report.never_reached.clone());
    let _ = writeln!(out, "\n  {}", dim("inputs, by share of the runs"));
    for (aspect, values) in &report.inputs {
        let mut values: Vec<(&String, u64)> = values.iter().map(|(value, &runs)| (value, runs)).collect();
        values.sort_by_key(|(value, _)| (leading_number(value), *value));
        let items = values.into_iter().map(|(value, runs)| format!("{value} {}", share(runs, report.runs))).collect();
        let _ = writeln!(
            out,
            "    {aspect:<20}{}",
            listed(items, room - 20, usize::MAX).replace('\n', &format!("\n{:24}", ""))
        );
    }
}

/// Numbers ascend as numbers do, not as words do.
fn leading_number(value: &str) -> Option<u64> {
    value.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok())
}

/// Percents, rounded, but never to nothing nor to all.
fn share(part: u64, whole: u64) -> String {
    let whole = whole.max(1);
    match (u128::from(part) * 200 / u128::from(whole)).div_ceil(2) {
        0 => "<1 %".to_owned(),
        100 if part < whole => ">99 %".to_owned(),
        percent => format!("{percent} %"),
    }
}

fn tell(out: &mut String, failure: &Failure, width: usize) {
    let _ = writeln!(
        out,
        "{} {} · {} · {} in {}",
        bold(&failure.property),
        failure.name,
        red(failure.verdict.word()),
        plural(failure.runs, "run"),
        failure.scenario
    );
    let paragraph = |out: &mut String, text: &str| {
        for line in wrapped(text, width - 2) {
            let _ = writeln!(out, "  {line}");
        }
    };
    paragraph(out, &format!("rule: {}", failure.statement));
    for example in &failure.examples {
        paragraph(out, &example.said);
        let short = match (example.recorded_actions, example.actions) {
            (Some(before), Some(after)) => format!(", {} shrunk to {}", plural(before, "action"), thousands(after)),
            _ => String::new(),
        };
        let _ = writeln!(out, "  seed {}{short}: {}\n    {}", example.seed, example.folder, bold(&example.reproduce));
        if let Some(replay) = &example.replay {
            let _ = writeln!(out, "    {}", bold(replay));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_but_not_to_nothing_nor_to_all() {
        assert_eq!(
            [(1, 3), (2, 3), (3, 3), (1, 8), (1, 1000), (999, 1000), (u64::MAX, u64::MAX)].map(|(a, b)| share(a, b)),
            ["33 %", "67 %", "100 %", "13 %", "<1 %", ">99 %", "100 %"]
        );
    }
}
