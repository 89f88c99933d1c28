//! One run on one screen: the verdict first, then what happened, then what to do.

use std::fmt::Write;

use super::super::report::{Count, Finding, Report};
use super::{WIDTH, bold, dim, green, plural, red, thousands};
use crate::run::Verdict;
use crate::zab::Duration;

/// Where the facts begin.
const LABEL: usize = 13;
/// Violations shown; the later ones are often consequences.
const SHOWN: usize = 3;

/// The summary; `last_steps` is a text diagram, printed if something failed.
pub(in crate::cli) fn run_text(report: &Report, last_steps: &str, width: Option<usize>) -> String {
    let width_or = width.unwrap_or(WIDTH);
    let mut out = String::new();
    let _ = writeln!(out, "{} · seed {} · {}", bold(&report.scenario), report.seed, verdict(report));
    if !report.moral.is_empty() {
        for line in wrapped(&report.moral, width_or) {
            let _ = writeln!(out, "{}", dim(line));
        }
    }
    for finding in report.violations.iter().take(SHOWN) {
        out.push('\n');
        out += &violation_text(finding, width);
    }
    if report.violations.len() > SHOWN {
        let _ = writeln!(out, "\nand {} more; --json lists them all", report.violations.len() - SHOWN);
    }
    for promise in &report.broken_promises {
        let _ = write!(out, "\n{} {promise}\n", red("broken promise:"));
    }
    if let Some(panic) = &report.panic {
        let _ = write!(out, "\n{} {panic}\n", red("the core panicked:"));
    }
    out.push('\n');
    facts(&mut out, report, width_or);
    if !report.verdict.is_good() {
        if !last_steps.is_empty() {
            let _ = write!(out, "\nThe last steps (zabsim diagram --legend explains the signs):\n\n{last_steps}");
        }
        if let Some(trace) = &report.trace {
            let _ = write!(out, "\nThe whole run is in {trace}. To see it again:\n");
        } else {
            out.push_str("\nTo see it again:\n");
        }
        let _ = writeln!(out, "  {}", bold(&report.replay));
    }
    out
}

fn verdict(report: &Report) -> String {
    match report.verdict {
        Verdict::Held => green("all held"),
        Verdict::ViolatedAsPromised => green("violated as promised"),
        Verdict::SafetyViolated => red("SAFETY VIOLATED"),
        Verdict::LivenessViolated => red("LIVENESS VIOLATED"),
        Verdict::PromiseBroken => red("PROMISE BROKEN"),
        Verdict::Panicked => red("PANIC"),
    }
}

fn facts(out: &mut String, report: &Report, width: usize) {
    let room = width - LABEL;
    let reigns: Vec<String> = report.leaders.iter().map(reign).collect();
    fact(out, "led", &or_nobody(folded(reigns, room), "nobody"));
    let mut syncs = Vec::new();
    for sync in &report.syncs {
        let times = if sync.times == 1 { String::new() } else { format!(" ×{}", sync.times) };
        syncs.push(format!("{} {}{times}", sync.learner, sync.mode));
    }
    fact(out, "synced", &or_nobody(folded(syncs, room), "nobody"));
    fact(out, "faults", &or_nobody(counts(&report.faults, room), "none"));
    fact(out, "clients", &or_nobody(counts(&report.clients, room), "none"));
    let committed = format!("{}, {}", plural(report.txns_committed, "txn"), plural(report.elections, "won election"));
    fact(out, "committed", &committed);
    if let Some(took) = &report.recovered_within {
        let healed = match took.as_str() {
            "0s" => "a leader was serving at the heal".into(),
            took => format!("a leader served {} after the heal", rounded(took)),
        };
        fact(out, "healed", &healed);
    }
    let cut_short = if report.cut_short { ", cut short by the limit of steps" } else { "" };
    let checks = format!(
        "{} of {} properties on each of {}, {} of virtual time{cut_short}",
        report.properties_checked,
        report.properties,
        plural(report.steps, "step"),
        short_time(&report.time)
    );
    fact(out, "checked", &wrapped(&checks, room).join("\n"));
    fact(out, "reached", &or_nobody(counts(&report.reached, room), "no situation of interest"));
    fact(out, "hash", &report.hash);
}

/// A duration, in whole milliseconds if it has that many.
fn rounded(took: &str) -> String {
    match took.parse::<Duration>() {
        Ok(took) if took.0 >= 1_000_000 => Duration((took.0 + 500_000) / 1_000_000 * 1_000_000).to_string(),
        _ => took.to_owned(),
    }
}

fn reign(reign: &super::super::report::Reign) -> String {
    let until = reign.until.as_deref().map_or("the end".into(), short_time);
    format!("{} in e{} from {} to {until}", reign.leader, reign.epoch, short_time(&reign.from))
}

fn fact(out: &mut String, label: &str, value: &str) {
    let value = value.replace('\n', &format!("\n{:LABEL$}", ""));
    let padding = " ".repeat(LABEL.saturating_sub(label.len() + 2));
    let _ = writeln!(out, "  {}{padding}{value}", dim(label));
}

fn or_nobody(text: String, nothing: &str) -> String {
    if text.is_empty() { nothing.into() } else { text }
}

pub(super) fn counts(counts: &[Count], room: usize) -> String {
    let one = |count: &Count| match count.times {
        1 => count.what.clone(),
        n => format!("{} ×{}", count.what, thousands(n)),
    };
    folded(counts.iter().map(one).collect(), room)
}

/// A list with commas, in lines; what does not fit into four is counted.
pub(super) fn folded(items: Vec<String>, room: usize) -> String {
    listed(items, room, 4)
}

/// A list with commas, in at most so many lines; what does not fit is counted.
pub(in crate::cli) fn listed(items: Vec<String>, room: usize, most: usize) -> String {
    let mut lines = vec![String::new()];
    let total = items.len();
    for (i, item) in items.into_iter().enumerate() {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].chars().count() + item.chars().count() + 2 > room {
            if lines.len() == most {
                let _ = write!(lines[last], ", and {} more", total - i);
                break;
            }
            lines[last].push(',');
            lines.push(item);
        } else {
            if !lines[last].is_empty() {
                lines[last].push_str(", ");
            }
            lines[last].push_str(&item);
        }
    }
    lines.join("\n")
}

/// In lines, broken between words.
pub(in crate::cli) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut().filter(|line| line.chars().count() + word.chars().count() < width) {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.into()),
        }
    }
    lines
}

/// A violation, quotable in an issue.
pub(in crate::cli) fn violation_text(finding: &Finding, width: Option<usize>) -> String {
    let Finding { property, name, statement, step, time, peers, expected, seen } = finding;
    let head = red(format_args!("{property} {name}"));
    let mut out = format!("{head} at step {}, {}\n", thousands(*step), short_time(time));
    let room = width.unwrap_or(WIDTH).saturating_sub(12);
    let mut line = |label: &str, text: &str| {
        let _ = writeln!(out, "  {label:<10}{}", wrapped(text, room).join(&format!("\n{:12}", "")));
    };
    line("rule", statement);
    if !peers.is_empty() {
        line("peers", &peers.join(", "));
    }
    line("expected", expected);
    line("seen", seen);
    out
}

/// `1.000200000s` as `1.000s`: what the eye takes in.
pub(super) fn short_time(time: &str) -> String {
    match time.split_once('.') {
        Some((whole, rest)) if rest.len() > 4 => format!("{whole}.{}s", &rest[..3]),
        _ => time.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::report::{Reign, Synchronised};
    use super::*;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    fn held() -> Report {
        let count = |what: &str, times| Count { what: what.into(), times };
        Report {
            scenario: "leader-crash".into(),
            moral: "A leader dies with a txn that only it has logged.".into(),
            seed: 42,
            steps: 18_320,
            time: "7.204511009s".into(),
            hash: "a2f1c04b9d3e5f60".into(),
            leaders: vec![
                Reign {
                    leader: "p3".into(),
                    epoch: 1,
                    from: "0.412000000s".into(),
                    until: Some("2.100000000s".into()),
                },
                Reign { leader: "p2".into(), epoch: 2, from: "2.930000000s".into(), until: None },
            ],
            syncs: vec![
                Synchronised { learner: "p1".into(), mode: "DIFF".into(), times: 2 },
                Synchronised { learner: "p3".into(), mode: "TRUNC then DIFF".into(), times: 1 },
            ],
            faults: vec![count("power failure", 1), count("cut", 12)],
            txns_committed: 1_412,
            clients: vec![count("writes", 1_390), count("outcomes unknown", 3)],
            properties_checked: 42,
            properties: 49,
            elections: 2,
            reached: vec![count("TRUNC of a lone tail", 1)],
            replay: "zabsim run scenarios/leader-crash.toml --seed 42".into(),
            ..Report::default()
        }
    }

    #[test]
    fn a_run_that_held_fits_on_a_screen() {
        insta::assert_snapshot!(plain(&run_text(&held(), "", None)), @r"
        leader-crash · seed 42 · all held
        A leader dies with a txn that only it has logged.

          led        p3 in e1 from 0.412s to 2.100s, p2 in e2 from 2.930s to the end
          synced     p1 DIFF ×2, p3 TRUNC then DIFF
          faults     power failure, cut ×12
          clients    writes ×1,390, outcomes unknown ×3
          committed  1,412 txns, 2 won elections
          checked    42 of 49 properties on each of 18,320 steps, 7.204s of virtual time
          reached    TRUNC of a lone tail
          hash       a2f1c04b9d3e5f60
        ");
    }

    #[test]
    fn a_run_that_failed_says_what_where_and_how_to_see_it_again() {
        let finding = Finding {
            property: "S5".into(),
            name: "total order".into(),
            statement: "every peer delivers a prefix of the one sequence ever chosen".into(),
            step: 1_204,
            time: "0.912345678s".into(),
            peers: vec!["p1".into(), "p3".into()],
            expected: "1:4 after 1:3".into(),
            seen: "p1 delivered 2:1 after 1:3".into(),
        };
        let report = Report {
            verdict: Verdict::SafetyViolated,
            violations: vec![finding],
            trace: Some("out/leader-crash-42.jsonl".into()),
            replay: "zabsim replay out/leader-crash-42.jsonl --from 1190".into(),
            ..held()
        };
        let text = plain(&run_text(&report, "   step        time  …\n", None));
        insta::assert_snapshot!(text, @r"
        leader-crash · seed 42 · SAFETY VIOLATED
        A leader dies with a txn that only it has logged.

        S5 total order at step 1,204, 0.912s
          rule      every peer delivers a prefix of the one sequence ever chosen
          peers     p1, p3
          expected  1:4 after 1:3
          seen      p1 delivered 2:1 after 1:3

          led        p3 in e1 from 0.412s to 2.100s, p2 in e2 from 2.930s to the end
          synced     p1 DIFF ×2, p3 TRUNC then DIFF
          faults     power failure, cut ×12
          clients    writes ×1,390, outcomes unknown ×3
          committed  1,412 txns, 2 won elections
          checked    42 of 49 properties on each of 18,320 steps, 7.204s of virtual time
          reached    TRUNC of a lone tail
          hash       a2f1c04b9d3e5f60

        The last steps (zabsim diagram --legend explains the signs):

           step        time  …

        The whole run is in out/leader-crash-42.jsonl. To see it again:
          zabsim replay out/leader-crash-42.jsonl --from 1190
        ");
        assert!(text.starts_with("leader-crash · seed 42 · SAFETY VIOLATED\n"));
        assert!(text.lines().count() < 40);
    }

    #[test]
    fn long_lists_are_folded_and_then_counted() {
        let list = folded((0..200).map(|i| format!("situation {i}")).collect(), 80);
        assert_eq!(list.lines().count(), 4);
        assert!(list.ends_with("more") && list.lines().all(|line| line.len() <= 80 + ", and 123 more".len()), "{list}");
        assert_eq!(folded(Vec::new(), 80), "");
    }
}
