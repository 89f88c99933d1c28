//! `zabsim diagram`: a trace as a picture.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::args::{DiagramArgs, Format};
use super::render::Screen;
use super::{Exit, engine, files};
use crate::trace::diagram::{LEGEND, Moment, Pick, TextDiagram, mermaid, svg, verdict};
use crate::trace::{Replay, Trace};

/// Above this a picture is hardly readable, and few programs draw it.
const MANY: usize = 5_000;

pub(super) fn diagram(args: &DiagramArgs, screen: &mut Screen) -> Result<Exit> {
    if args.legend {
        screen.text(LEGEND);
    }
    let Some(path) = &args.trace else { return Ok(Exit::Good) };
    let mut pick = Pick::default().peers(&args.peer).messages(&args.message)?.without(&args.without)?;
    if let Some(span) = &args.span {
        pick = pick.span(span.clone());
    }
    let trace = files::read_trace(path)?;
    assert_there(&trace, args)?;
    let (shown, exit) = match args.format {
        Format::Text => text(&trace, pick.clone(), args.out.as_deref(), screen)?,
        Format::Mermaid | Format::Svg => picture(&trace, &pick, args, screen)?,
    };
    if shown == 0 && exit == Exit::Good {
        screen.note("note: nothing in this trace passes all the filters, the picture is empty");
    }
    if trace.footer.is_none() && !pick.is_past(trace.last_step()) {
        screen.note(format_args!("note: the trace stops after step {}, it has no footer", trace.last_step()));
    }
    Ok(exit)
}

/// What is asked for and cannot be in the trace is a mistake, not an empty picture.
fn assert_there(trace: &Trace, args: &DiagramArgs) -> Result<()> {
    let (first, last) = (trace.lines.first().map_or(1, |line| line.step), trace.last_step());
    if let Some(span) = args.span.as_ref().filter(|span| *span.start() > last || *span.end() < first) {
        let end = if *span.end() == u64::MAX { String::new() } else { format!("={}", span.end()) };
        bail!("--span {}..{end} is outside: {}", span.start(), super::replay::extent(trace));
    }
    let nodes = trace.header.setup.nodes.len();
    if let Some(stranger) = args.peer.iter().find(|peer| peer.index() >= nodes) {
        bail!("there is no {stranger}: the trace has the servers p1 to p{nodes}");
    }
    Ok(())
}

/// Line by line, for a run may be long.
fn text(trace: &Trace, pick: Pick, out: Option<&Path>, screen: &mut Screen) -> Result<(usize, Exit)> {
    let mut replay = Replay::new(trace);
    let mut diagram = TextDiagram::new(replay.world().setup().nodes.len(), pick.clone()).within(screen.width());
    let mut draft = out.map(files::Draft::create).transpose()?;
    let (mut failed, mut shown) = (None, 0);
    let mut show = |line: &str, screen: &mut Screen| match &mut draft {
        Some(file) => failed = writeln!(file, "{line}").err().or(failed.take()),
        None => screen.line(line),
    };
    show(&diagram.heading(), screen);
    let mut exit = Exit::Good;
    engine::each_moment(&mut replay, &pick, |moment| {
        if let Some(line) = diagram.line(moment) {
            show(&line, screen);
            shown += 1;
        }
        !screen.is_closed()
    })
    .unwrap_or_else(|broke| exit = super::replay::tell(trace, &broke, screen));
    for line in verdict(trace, &replay) {
        show(&diagram.below(&line), screen);
    }
    if let Some(error) = failed {
        return Err(error).context("cannot write the diagram");
    }
    draft.map(files::Draft::publish).transpose()?;
    Ok((shown, exit))
}

fn picture(trace: &Trace, pick: &Pick, args: &DiagramArgs, screen: &mut Screen) -> Result<(usize, Exit)> {
    let (moments, nodes, violated, exit) = collect(trace, pick, screen);
    let shown = moments.iter().filter(|moment| pick.takes(moment)).count();
    if shown > MANY {
        screen
            .note(format_args!("note: {shown} events; --span, --peer, --message and --without make a smaller picture"));
    }
    let title = format!("{} · seed {}", trace.header.scenario, trace.header.seed);
    let picture = match args.format {
        Format::Svg => svg(&title, nodes, &moments, pick, &violated),
        Format::Mermaid | Format::Text => mermaid(&title, nodes, &moments, pick),
    };
    match &args.out {
        Some(path) => files::write(path, &picture)?,
        None => screen.text(&picture),
    }
    Ok((shown, exit))
}

fn collect(trace: &Trace, pick: &Pick, screen: &mut Screen) -> (Vec<Moment>, usize, Vec<String>, Exit) {
    let mut replay = Replay::new(trace);
    let mut moments = Vec::new();
    let mut exit = Exit::Good;
    engine::each_moment(&mut replay, pick, |moment| {
        // What changes a lane is needed even where it is not shown.
        if pick.takes(moment) || crate::trace::diagram::Lanes::is_changed_by(&moment.event) {
            moments.push(*moment);
        }
        true
    })
    .unwrap_or_else(|broke| exit = super::replay::tell(trace, &broke, screen));
    (moments, replay.world().setup().nodes.len(), verdict(trace, &replay), exit)
}
