//! `zabsim replay`: a trace, executed again.

use anyhow::{Result, bail};
use serde::Serialize;

use super::args::ReplayArgs;
use super::engine::Broke;
use super::peers::Standing;
use super::render::{Screen, bold, green, peers_text, plural, red, thousands, violation_text};
use super::report::Finding;
use super::{Exit, engine, files, panics, walk};
use crate::run::Verdict;
use crate::trace::diagram::{Moment, Pick, TextDiagram};
use crate::trace::{Diverged, Line, Replay, Trace, describe, describe_action};

/// What came of it, as JSON.
#[derive(Debug, Default, Serialize)]
struct Replayed {
    scenario: String,
    seed: u64,
    /// As of a run, or `incomplete` or `diverged`.
    verdict: &'static str,
    steps: u64,
    hash: String,
    broken_promises: Vec<String>,
    violations: Vec<Finding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diverged: Option<DivergedAt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    panic: Option<String>,
    /// With `--until`: how everything stands.
    #[serde(flatten)]
    standing: Option<Standing>,
    /// With `--from`: what happened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<Happened>,
}

#[derive(Debug, Serialize)]
struct DivergedAt {
    step: u64,
    expected: String,
    got: String,
    action: crate::sim::Action,
}

#[derive(Debug, Serialize)]
struct Happened {
    step: u64,
    time: String,
    what: String,
}

pub(super) fn replay(args: &ReplayArgs, screen: &mut Screen) -> Result<Exit> {
    let trace = files::read_trace(&args.trace)?;
    let until = args.until.unwrap_or(u64::MAX);
    if let Some(from) = args.from {
        if from > trace.last_step() {
            bail!("--from {from} is behind the end: {}", extent(&trace));
        }
        if from > until {
            bail!("--from {from} is behind --until {until}: there is nothing between them");
        }
    }
    if args.step {
        return walk::walk(&trace, args.from.unwrap_or(1), screen);
    }
    let mut replay = Replay::new(&trace);
    let mut replayed =
        Replayed { scenario: trace.header.scenario.clone(), seed: trace.header.seed, ..Replayed::default() };
    let pick = Pick::default().span(args.from.unwrap_or(u64::MAX)..=until);
    let mut diagram = TextDiagram::new(replay.world().setup().nodes.len(), pick.clone()).within(screen.width());
    if args.from.is_some() && !args.json {
        screen.line(diagram.heading());
    }
    let mut show = |moment: &Moment| {
        if args.json && pick.takes(moment) {
            let Moment { step, at, event } = *moment;
            replayed.events.push(Happened { step, time: at.to_string(), what: describe(&event) });
        } else if let Some(line) = diagram.line(moment) {
            screen.line(line);
        }
    };
    let ended = panics::catch(|| {
        replay.run_until(until, |line: &Line, world| {
            for &event in world.events() {
                show(&Moment { step: line.step, at: line.at, event });
            }
        })
    });
    let (verdict, broken_promises) = replay.judge();
    let is_incomplete = trace.footer.is_none() && replay.next_step().is_none();
    replayed.steps = replay.at_step();
    replayed.hash = format!("{:016x}", replay.world().hash());
    replayed.violations = engine::findings(replay.checkers().violations());
    replayed.broken_promises = broken_promises;
    replayed.standing = args.until.map(|_| Standing::of(replay.world()));
    let exit = match ended {
        // What was found is found, however the trace ends.
        Ok(Ok(())) if is_incomplete && verdict == Verdict::Held => {
            replayed.verdict = "incomplete";
            Exit::Usage
        }
        Ok(Ok(())) => {
            replayed.verdict = verdict.word();
            verdict.into()
        }
        Ok(Err(diverged)) => {
            replayed.verdict = "diverged";
            let Diverged { step, expected, got, action } = diverged;
            replayed.diverged = Some(DivergedAt { step, expected: expected.to_string(), got: got.to_string(), action });
            tell_diverged(&trace, &diverged, screen)
        }
        Err(panic) => {
            replayed.verdict = Verdict::Panicked.word();
            replayed.panic = Some(panic);
            Exit::Panic
        }
    };
    if args.json {
        screen.json(&replayed);
    } else {
        summarise(&replayed, &trace, screen);
    }
    if is_incomplete && exit != Exit::Diverged && exit != Exit::Panic {
        tell_incomplete(&trace, screen);
    } else if let Some(footer) = trace.footer.as_ref().filter(|_| replay.next_step().is_none())
        && footer.verdict.word() != replayed.verdict
    {
        // What was recorded may have been judged by other checkers.
        let (then, now) = (footer.verdict.word(), replayed.verdict);
        screen.note(format_args!("note: the trace was recorded with the verdict {then}, now it is {now}"));
    }
    Ok(exit)
}

fn summarise(replayed: &Replayed, trace: &Trace, screen: &mut Screen) {
    if let Some(standing) = &replayed.standing {
        screen.text(&peers_text(standing, screen.width()));
        screen.line("");
    }
    for finding in &replayed.violations {
        screen.text(&violation_text(finding, screen.width()));
    }
    for promise in &replayed.broken_promises {
        screen.line(format_args!("{} {promise}", red("broken promise:")));
    }
    if let Some(panic) = &replayed.panic {
        screen.line(format_args!("{} {panic}", red("the core panicked:")));
    }
    if replayed.diverged.is_some() || replayed.panic.is_some() {
        return;
    }
    let is_all = replayed.steps == trace.last_step();
    let of = if is_all { "all".into() } else { thousands(replayed.steps) };
    let steps = plural(trace.last_step(), "step");
    screen.line(format_args!(
        "{} {of} of {steps}, every hash as recorded, the last {}",
        green("replayed"),
        replayed.hash
    ));
    if is_all {
        screen.line(format_args!("{} {}", bold("verdict"), replayed.verdict));
    }
}

/// `the trace has the steps 1 to 246`.
pub(super) fn extent(trace: &Trace) -> String {
    match trace.lines.first() {
        Some(first) => format!("the trace has the steps {} to {}", first.step, trace.last_step()),
        None => "the trace has no steps".into(),
    }
}

/// A trace that just stops proves nothing about what would have come.
pub(super) fn tell_incomplete(trace: &Trace, screen: &mut Screen) {
    screen.note(format_args!(
        "{}: the trace stops after step {}, without the footer that tells how the run ended: the file was cut, or the process \
         that wrote it died",
        red("incomplete"),
        trace.last_step()
    ));
}

/// Says why a replay does not go on.
pub(super) fn tell(trace: &Trace, broke: &Broke, screen: &mut Screen) -> Exit {
    match broke {
        Broke::Diverged(diverged) => tell_diverged(trace, diverged, screen),
        Broke::Panicked(panic) => {
            screen.note(format_args!("{} {panic}", red("the core panicked:")));
            Exit::Panic
        }
    }
}

/// Says where a replay left the trace, and why that may be.
fn tell_diverged(trace: &Trace, diverged: &Diverged, screen: &mut Screen) -> Exit {
    let action = serde_json::to_string(&diverged.action).unwrap_or_default();
    screen.note(format_args!("{}: {diverged}", red("diverged")));
    screen.note(format_args!("  action {action}: {}", describe_action(&diverged.action)));
    let (then, now) = (trace.header.zabsim.as_str(), env!("CARGO_PKG_VERSION"));
    screen.note(if then == now {
        "  the trace was edited, or the core has changed since it was recorded".to_owned()
    } else {
        format!("  the trace was recorded by zabsim {then}, this is {now}")
    });
    Exit::Diverged
}
