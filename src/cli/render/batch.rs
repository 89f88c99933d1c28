//! Many runs on one screen: how many failed, how, and the command that shows each again.

use std::fmt::Write;

use super::super::report::{BatchReport, Count};
use super::run::{counts, folded};
use super::{WIDTH, bold, dim, green, plural, red, thousands};

/// Failures shown; the rest is counted.
const SHOWN: usize = 10;

pub(in crate::cli) fn batch_text(report: &BatchReport, width: Option<usize>) -> String {
    let room = width.unwrap_or(WIDTH) - 4;
    let mut out = String::new();
    let head = format!(
        "{} × seeds {} to {}: {}, {}",
        plural(report.scenarios as u64, "scenario"),
        report.first_seed,
        report.last_seed,
        plural(report.runs, "run"),
        plural(report.steps, "checked step")
    );
    let verdict = if report.failures.is_empty() { green("all kept their promises") } else { red("FAILURES") };
    let _ = writeln!(out, "{} · {verdict}\n", bold(head));
    for Count { what, times } in &report.verdicts {
        let _ = writeln!(out, "  {:<12}{:>12}", what, thousands(*times));
    }
    let indented = |text: String| text.replace('\n', "\n    ");
    if !report.reached.is_empty() {
        let _ = writeln!(out, "\n{}\n    {}", dim("  reached"), indented(counts(&report.reached, room)));
    }
    // One scenario is about one thing and need not come to all of them.
    if report.scenarios > 1 && !report.never_reached.is_empty() {
        let _ =
            writeln!(out, "\n{}\n    {}", dim("  never reached"), indented(folded(report.never_reached.clone(), room)));
    }
    for failure in report.failures.iter().take(SHOWN) {
        let times = match failure.seeds {
            1 => String::new(),
            2 => " (and 1 more seed)".into(),
            n => format!(" (and {} more seeds)", thousands(n - 1)),
        };
        let _ = write!(
            out,
            "\n{} seed {} · {}{times}\n  {}\n  {}\n",
            bold(&failure.scenario),
            failure.seed,
            red(failure.verdict.word()),
            failure.finding,
            bold(&failure.reproduce)
        );
        if let Some(replay) = &failure.replay {
            let _ = writeln!(out, "  {}", bold(replay));
        }
    }
    if report.failures.len() > SHOWN {
        let _ = writeln!(out, "\nand {} more kinds of failure; --json lists them all", report.failures.len() - SHOWN);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::super::report::Failure;
    use super::*;
    use crate::run::Verdict;

    #[test]
    fn a_batch_lists_each_kind_of_failure_once() {
        let count = |what: &str, times| Count { what: what.into(), times };
        let report = BatchReport {
            scenarios: 2,
            first_seed: 1,
            last_seed: 200,
            runs: 400,
            steps: 7_120_044,
            verdicts: vec![count("held", 397), count("safety", 3)],
            results: Vec::new(),
            reached: vec![count("DIFF from disk", 81), count("TRUNC of a lone tail", 1)],
            never_reached: vec!["counter exhausted".into()],
            failures: vec![Failure {
                scenario: "split-brain".into(),
                seed: 17,
                verdict: Verdict::SafetyViolated,
                finding: "S1 single primary: p1 and p2 both lead e4".into(),
                seeds: 3,
                reproduce: "zabsim run scenarios/split-brain.toml --seed 17".into(),
                trace: Some("out/split-brain-17.jsonl".into()),
                replay: Some("zabsim replay out/split-brain-17.jsonl --from 1190".into()),
                index: 0,
            }],
        };
        insta::assert_snapshot!(anstream::adapter::strip_str(&batch_text(&report, None)).to_string(), @r"
        2 scenarios × seeds 1 to 200: 400 runs, 7,120,044 checked steps · FAILURES

          held                 397
          safety                 3

          reached
            DIFF from disk ×81, TRUNC of a lone tail

          never reached
            counter exhausted

        split-brain seed 17 · safety (and 2 more seeds)
          S1 single primary: p1 and p2 both lead e4
          zabsim run scenarios/split-brain.toml --seed 17
          zabsim replay out/split-brain-17.jsonl --from 1190
        ");
    }
}
