//! The picture as a Mermaid `sequenceDiagram`, which many issue trackers draw.
//!
//! Mermaid knows no slanted arrows: a message stands where it was received; one that never was stands where it was lost.

use std::fmt::Write;

use super::super::story::{describe, notification_text, packet_text};
use super::{Lanes, Mark, Moment, Pick, Sign, Stroke, mark};
use crate::sim::Event;

/// Draws what `pick` lets through.
pub fn mermaid(title: &str, nodes: usize, moments: &[Moment], pick: &Pick) -> String {
    let mut out = String::new();
    let mut line = |text: std::fmt::Arguments<'_>| {
        let _ = writeln!(out, "{text}");
    };
    line(format_args!("sequenceDiagram"));
    line(format_args!("    title {}", escape(title)));
    let names: Vec<String> = Lanes::new(nodes).nodes().map(|node| node.to_string()).collect();
    names.iter().for_each(|name| line(format_args!("    participant {name}")));
    let everyone = match names.as_slice() {
        [only] => only.clone(),
        [first, .., last] => format!("{first},{last}"),
        [] => return out,
    };
    let mut last_step = None;
    for moment in moments.iter().filter(|moment| pick.takes(moment)) {
        let text = escape(&describe(&moment.event));
        let shown = match mark(&moment.event) {
            // What is on its way is drawn when it arrives; a written txn when it is synced.
            Mark::Arrow { stroke: Stroke::Sent, .. } | Mark::At(_, Sign::Written) => continue,
            Mark::Arrow { from, to, stroke: Stroke::Received } => {
                format!("{from}->>{to}: {}", escape(&content(&moment.event)))
            }
            Mark::Arrow { from, to, stroke: Stroke::Lost } => format!("{from}--x{to}: {text}"),
            Mark::Arrow { from, to, .. } if from == to => format!("Note over {from}: {text}"),
            Mark::Arrow { from, to, .. } => {
                format!(
                    "Note over {},{}: {text}",
                    names[from.index().min(to.index())],
                    names[from.index().max(to.index())]
                )
            }
            Mark::At(node, _) => format!("Note over {node}: {text}"),
            Mark::Everywhere => format!("Note over {everyone}: {text}"),
        };
        if last_step.replace(moment.step) != Some(moment.step) {
            line(format_args!("    %% step {} at {}", moment.step, moment.at));
        }
        line(format_args!("    {shown}"));
    }
    out
}

fn content(event: &Event) -> String {
    match event {
        Event::Received { packet, .. } => packet_text(packet),
        Event::NotificationReceived { notification, .. } => notification_text(notification),
        other => describe(other),
    }
}

/// `#` begins an entity and `;` ends a statement.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '#' => out.push_str("#35;"),
            ';' => out.push_str("#59;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
