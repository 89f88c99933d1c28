//! `zabsim replay`: a trace, executed again.

use anyhow::Result;
use serde::Serialize;

use super::args::ReplayArgs;
use super::engine::Broke;
use super::render::{Screen, bold, green, plural, red, thousands, violation_text};
use super::report::Finding;
use super::{Exit, engine, files, panics, walk};
use crate::trace::diagram::{Moment, Pick, TextDiagram};
use crate::trace::{Diverged, Line, Replay, Trace, describe};

/// What came of it, as JSON.
#[derive(Debug, Default, Serialize)]
struct Replayed {
    scenario: String,
    seed: u64,
    verdict: Exit,
    steps: u64,
    hash: String,
    violations: Vec<Finding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diverged: Option<DivergedAt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    panic: Option<String>,
    /// With `--until`: every peer's state, as printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    peers: Option<String>,
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
    if args.step {
        return walk::walk(&trace, args.from.unwrap_or(1), screen);
    }
    let until = args.until.unwrap_or(u64::MAX);
    let mut replay = Replay::new(&trace);
    let mut replayed =
        Replayed { scenario: trace.header.scenario.clone(), seed: trace.header.seed, ..Replayed::default() };
    let pick = Pick::default().span(args.from.unwrap_or(u64::MAX)..=until);
    let mut diagram = TextDiagram::new(replay.world().setup().nodes.len(), pick.clone());
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
    replayed.steps = replay.at_step();
    replayed.hash = format!("{:016x}", replay.world().hash());
    replayed.violations = replay.checkers().violations().iter().map(engine::finding).collect();
    replayed.verdict = engine::judge(&trace, replay.checkers().violations());
    replayed.peers = args.until.map(|_| replay.world().peers_report());
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(diverged)) => {
            replayed.verdict = Exit::Diverged;
            let Diverged { step, expected, got, action } = diverged;
            replayed.diverged = Some(DivergedAt { step, expected: expected.to_string(), got: got.to_string(), action });
            tell_diverged(&trace, &diverged, screen);
        }
        Err(panic) => {
            replayed.verdict = Exit::Panic;
            replayed.panic = Some(panic);
        }
    }
    if args.json {
        screen.json(&replayed);
    } else {
        summarise(&replayed, &trace, args, screen);
    }
    Ok(replayed.verdict)
}

fn summarise(replayed: &Replayed, trace: &Trace, args: &ReplayArgs, screen: &mut Screen) {
    if let Some(peers) = &replayed.peers {
        screen.line(format_args!("{}\n{peers}", bold(format_args!("after step {}", replayed.steps))));
    }
    for finding in &replayed.violations {
        screen.text(&violation_text(finding));
    }
    if let Some(panic) = &replayed.panic {
        screen.line(format_args!("{} {panic}", red("the core panicked:")));
    }
    if matches!(replayed.verdict, Exit::Diverged | Exit::Panic) {
        return;
    }
    let of = if replayed.steps == trace.last_step() { "all".into() } else { thousands(replayed.steps) };
    let steps = plural(trace.last_step(), "step");
    screen.line(format_args!(
        "{} {of} of {steps}, every hash as recorded, the last {}",
        green("replayed"),
        replayed.hash
    ));
    // What was recorded may have been judged by other checkers.
    let recorded = trace.footer.as_ref().filter(|_| args.until.is_none()).map(|footer| footer.verdict.as_str());
    if let Some(recorded) = recorded.filter(|&recorded| recorded != replayed.verdict.word()) {
        screen.note(format_args!(
            "note: the trace was recorded with the verdict {recorded}, now it is {}",
            replayed.verdict.word()
        ));
    }
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
    screen.note(format_args!("{}: {diverged}\n  action {action}", red("diverged")));
    let (then, now) = (trace.header.zabsim.as_str(), env!("CARGO_PKG_VERSION"));
    screen.note(if then == now {
        "  the trace was edited, or the core has changed since it was recorded".to_owned()
    } else {
        format!("  the trace was recorded by zabsim {then}, this is {now}")
    });
    Exit::Diverged
}
