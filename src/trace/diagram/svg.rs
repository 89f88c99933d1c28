//! The picture as a space-time diagram in SVG: peers side by side, time downwards, a slanted arrow from where a message was
//! sent to where it was received. Self-contained, readable in light and dark; every mark carries its sentence as a tooltip.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::super::names::phase_name;
use super::super::story::{describe, packet_text};
use super::text::wrapped;
use super::{Lane, Lanes, Mark, Moment, Pick, Presence, Sign, Stroke, mark};
use crate::sim::{Event, LinkKey, Node, Packet, PacketKind};
use crate::zab::{Notification, PeerState, Phase};

const ROW: usize = 20;
const PITCH: usize = 220;
const GUTTER: usize = 240;
const TOP: usize = 84;
const BAR: usize = 10;
/// From one line of text to the next.
const LEADING: usize = 13;
/// How many characters of a text fit between two lanes.
const FITS: usize = 30;
/// Room to the right of the last lane, whose texts have nobody beside them.
const MARGIN: usize = 140;

/// What does not depend on light and dark.
const SHAPES: &str = "\
text{font:11px ui-monospace,monospace;paint-order:stroke;stroke-width:3px;stroke-linejoin:round}.title{font-size:14px;font-weight:bold}\
.name{font-size:13px;font-weight:bold;text-anchor:middle}.end{text-anchor:end}.lane{stroke-dasharray:2 4}\
.role{opacity:.45}.leading{opacity:1}.m{fill:none;stroke-width:1.3}.flight{stroke-dasharray:4 3}";

/// Rule, property, colour in light, colour in dark. No CSS variables: few programs but browsers know them.
const COLOURS: [(&str, &str, &str, &str); 20] = [
    (".page", "fill", "#ffffff", "#0d1117"),
    // A rim in the colour of the page keeps a text readable where an arrow crosses it.
    ("text", "stroke", "#ffffff", "#0d1117"),
    (".m.sent", "fill", "#ffffff", "#0d1117"),
    ("text,.dot", "fill", "#1f2328", "#e6edf3"),
    (".dim", "fill", "#6e7781", "#8d96a0"),
    (".alarm", "fill", "#cf222e", "#f85149"),
    (".lane", "stroke", "#d0d7de", "#30363d"),
    (".stage", "stroke", "#1f2328", "#e6edf3"),
    (".looking", "fill", "#d4a72c", "#d29922"),
    (".discovery", "fill", "#8250df", "#ab7df8"),
    (".synchronization", "fill", "#0969da", "#4493f8"),
    (".broadcast", "fill", "#1a7f37", "#3fb950"),
    (".paused", "fill", "#8c959f", "#6e7681"),
    (".election", "stroke", "#9a6700", "#d29922"),
    (".sync", "stroke", "#0969da", "#4493f8"),
    (".txn", "stroke", "#1a7f37", "#3fb950"),
    (".request", "stroke", "#8250df", "#ab7df8"),
    (".ping,.link", "stroke", "#8c959f", "#6e7681"),
    (".bad", "stroke", "#cf222e", "#f85149"),
    ("svg", "background", "#ffffff", "#0d1117"),
];

fn style() -> String {
    let rules = |colour: fn(&(&str, &str, &'static str, &'static str)) -> &'static str| {
        COLOURS.iter().map(|rule| format!("{}{{{}:{}}}", rule.0, rule.1, colour(rule))).collect::<String>()
    };
    format!("{}{SHAPES}@media(prefers-color-scheme:dark){{{}}}", rules(|rule| rule.2), rules(|rule| rule.3))
}

/// Draws what `pick` lets through; `moments` from before its span only set the scene. The [`verdict`](super::verdict) stands below.
pub fn svg(title: &str, nodes: usize, moments: &[Moment], pick: &Pick, verdict: &[String]) -> String {
    let mut drawing = Drawing {
        body: String::new(),
        texts: String::new(),
        bars: String::new(),
        y: TOP,
        room: ROW,
        lanes: Lanes::new(nodes),
        since: vec![TOP; nodes],
        flying: Flying::default(),
        last_step: None,
    };
    moments.iter().for_each(|moment| drawing.see(moment, pick));
    drawing.finish(title, nodes, verdict)
}

struct Drawing {
    body: String,
    /// Over everything else.
    texts: String,
    bars: String,
    /// Where the last event stands.
    y: usize,
    /// How much room it takes.
    room: usize,
    lanes: Lanes,
    /// Where each lane became what it is.
    since: Vec<usize>,
    flying: Flying,
    last_step: Option<u64>,
}

/// Messages that were sent and not yet received, with where they were sent.
#[derive(Default)]
struct Flying {
    packets: BTreeMap<(LinkKey, Node), Vec<(usize, Packet)>>,
    notifications: BTreeMap<(Node, Node), Vec<(usize, Notification)>>,
}

impl Drawing {
    fn see(&mut self, moment: &Moment, pick: &Pick) {
        let before = self.lanes.clone();
        self.lanes.see(&moment.event);
        if pick.takes(moment) {
            self.y += std::mem::replace(&mut self.room, ROW);
            self.draw(moment);
        }
        for node in before.nodes() {
            if before.lane(node) != self.lanes.lane(node) {
                let from = std::mem::replace(&mut self.since[node.index()], self.y);
                self.bar(node, before.lane(node), from, self.y);
            }
        }
    }

    fn draw(&mut self, moment: &Moment) {
        let y = self.y;
        if self.last_step.replace(moment.step) != Some(moment.step) {
            let when = format!("{} · {}", moment.step, moment.at);
            self.text("dim end", GUTTER - 30, y + 4, &[when]);
        }
        let sentence = describe(&moment.event);
        let title = escape(&sentence);
        let plane = plane(&moment.event);
        match mark(&moment.event) {
            Mark::Arrow { from, stroke: Stroke::Sent, .. } => {
                self.flying.send(&moment.event, y);
                self.add(format_args!(
                    "<circle class=\"m sent {plane}\" cx=\"{}\" cy=\"{y}\" r=\"2.5\"><title>{title}</title></circle>",
                    x(from)
                ));
            }
            Mark::Arrow { from, to, stroke: Stroke::Received } => {
                let sent = self.flying.receive(&moment.event).unwrap_or(y);
                self.arrow((from, sent), (to, y), plane, "", &title);
                self.label(from, to, &label(&moment.event));
            }
            Mark::Arrow { from, to, stroke: Stroke::Closed } => {
                // No message: one side has seen something, the other knows nothing of it yet.
                self.add(format_args!(
                    "<path class=\"m bad flight\" d=\"M{} {y} L{} {y}\"><title>{title}</title></path>",
                    x(from),
                    x(to)
                ));
                self.beside(from, "alarm", &sentence, LEADING);
            }
            Mark::Arrow { from, to, stroke } => {
                let plane = if matches!(stroke, Stroke::Opened | Stroke::Mended) { "link" } else { "bad" };
                self.arrow((from, y), (to, y), plane, " flight", &title);
                self.label(from, to, short(stroke));
            }
            Mark::At(node, sign) => {
                let class = if matches!(sign, Sign::Crashed | Sign::Fault | Sign::WriteLost) { "alarm" } else { "dot" };
                let radius = if sign == Sign::State { 5 } else { 3 };
                self.add(format_args!(
                    "<circle class=\"{class}\" cx=\"{}\" cy=\"{y}\" r=\"{radius}\"><title>{title}</title></circle>",
                    x(node)
                ));
                self.beside(node, if class == "alarm" { "alarm" } else { "dim" }, &sentence, 4);
            }
            Mark::Everywhere => {
                let right = GUTTER + self.since.len() * PITCH;
                self.add(format_args!(
                    "<line class=\"stage\" x1=\"{}\" x2=\"{right}\" y1=\"{y}\" y2=\"{y}\"/>",
                    GUTTER - 20
                ));
                self.text("", GUTTER + 10, y + LEADING, &[sentence]);
                self.room += LEADING;
            }
        }
    }

    fn arrow(&mut self, (from, sent): (Node, usize), (to, y): (Node, usize), plane: &str, extra: &str, title: &str) {
        let (x1, x2) = (x(from), x(to));
        let path = if from == to {
            format!("M{x1} {sent} q24 {ROW} 0 {}", y - sent)
        } else {
            format!("M{x1} {sent} L{} {y}", if x2 > x1 { x2 - 7 } else { x2 + 7 })
        };
        self.add(format_args!(
            "<path class=\"m {plane}{extra}\" d=\"{path}\" marker-end=\"url(#{plane})\"><title>{title}</title></path>"
        ));
    }

    /// At the arrow's head, under the line: it comes from above.
    fn label(&mut self, from: Node, to: Node, text: &str) {
        let (class, x) = if from < to { ("end", x(to) - 16) } else { ("", x(to) + 16) };
        self.text(class, x, self.y + LEADING, &[text.to_owned()]);
        self.room += LEADING;
    }

    /// To the right of a lane, in as many lines as it takes.
    fn beside(&mut self, node: Node, class: &str, sentence: &str, below: usize) {
        let text = sentence.strip_prefix(&format!("{node} ")).unwrap_or(sentence);
        let text = text.strip_prefix("is ").unwrap_or(text);
        // Of 11 pixels a character of a monospaced font takes less than 7 to the right.
        let is_last = node.index() + 1 == self.since.len();
        let lines = wrapped(text, if is_last { FITS + MARGIN / 7 } else { FITS });
        self.room += LEADING * (lines.len() - 1) + below - below.min(4);
        self.text(class, x(node) + 10, self.y + below, &lines);
    }

    fn text(&mut self, class: &str, x: usize, y: usize, lines: &[String]) {
        for (i, line) in lines.iter().enumerate() {
            let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
            let _ = writeln!(self.texts, "<text{class} x=\"{x}\" y=\"{}\">{}</text>", y + i * LEADING, escape(line));
        }
    }

    fn bar(&mut self, node: Node, lane: Lane, from: usize, to: usize) {
        let (class, what) = match (lane.presence, lane.role) {
            (Presence::Down, _) => return,
            (Presence::Paused, _) => ("paused role", "stands still".to_owned()),
            (Presence::Up, None) => ("looking role", "starting".into()),
            (Presence::Up, Some((state, phase, epoch))) => {
                let class = match (phase, state) {
                    (Phase::Election, _) => "looking role",
                    (Phase::Discovery, PeerState::Leading) => "discovery leading",
                    (Phase::Discovery, _) => "discovery role",
                    (Phase::Synchronization, PeerState::Leading) => "synchronization leading",
                    (Phase::Synchronization, _) => "synchronization role",
                    (Phase::Broadcast, PeerState::Leading) => "broadcast leading",
                    (Phase::Broadcast, _) => "broadcast role",
                };
                let epoch = epoch.map_or(String::new(), |epoch| format!(" {epoch}"));
                (class, format!("{} · {}{epoch}", super::super::state_name(state), phase_name(phase)))
            }
        };
        let top = if from == TOP { TOP + ROW / 2 } else { from };
        let height = to.saturating_sub(top);
        let _ = writeln!(
            self.bars,
            "<rect class=\"{class}\" x=\"{}\" y=\"{top}\" width=\"{BAR}\" height=\"{height}\"><title>{node} {what}</title></rect>",
            x(node) - BAR / 2
        );
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.body, "{element}");
    }

    fn finish(mut self, title: &str, nodes: usize, verdict: &[String]) -> String {
        let end = self.y + self.room;
        let fits = (GUTTER + nodes * PITCH + MARGIN - 40) / 7;
        let below: Vec<String> = verdict.iter().flat_map(|line| wrapped(line, fits)).collect();
        self.text("alarm", 20, end + ROW, &below);
        for node in self.lanes.nodes() {
            self.bar(node, self.lanes.lane(node), self.since[node.index()], end);
        }
        let (width, height) = (GUTTER + nodes * PITCH + MARGIN, end + ROW + below.len() * LEADING);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
             <title>{title}</title>\n<style>{style}</style>\n<defs>\n",
            title = escape(title),
            style = style()
        );
        for plane in ["election", "sync", "txn", "request", "ping", "bad", "link"] {
            let _ = writeln!(
                out,
                "<marker id=\"{plane}\" markerWidth=\"8\" markerHeight=\"8\" refX=\"6\" refY=\"4\" orient=\"auto\">\
                 <path class=\"m {plane}\" d=\"M1 1 L7 4 L1 7\"/></marker>"
            );
        }
        let _ = writeln!(out, "</defs>\n<rect class=\"page\" width=\"{width}\" height=\"{height}\"/>");
        let _ = writeln!(out, "<text class=\"title\" x=\"20\" y=\"26\">{}</text>", escape(title));
        legend(&mut out);
        for node in self.lanes.nodes() {
            let _ = writeln!(
                out,
                "<text class=\"name\" x=\"{x}\" y=\"{}\">{node}</text><line class=\"lane\" x1=\"{x}\" x2=\"{x}\" y1=\"{}\" y2=\"{}\"/>",
                TOP - 8,
                TOP,
                end,
                x = x(node)
            );
        }
        out + &self.bars + &self.body + &self.texts + "</svg>\n"
    }
}

fn legend(out: &mut String) {
    let mut x = 20;
    for (class, name) in [
        ("looking", "election"),
        ("discovery", "discovery"),
        ("synchronization", "synchronization"),
        ("broadcast", "broadcast (strong: leading)"),
    ] {
        let _ = write!(out, "<rect class=\"{class}\" x=\"{x}\" y=\"40\" width=\"10\" height=\"10\"/>");
        let _ = write!(out, "<text class=\"dim\" x=\"{}\" y=\"49\">{name}</text>", x + 15);
        x += 45 + 7 * name.len();
    }
    let _ = writeln!(out, "<text class=\"dim\" x=\"{x}\" y=\"49\">○ without an arrow: sent, not received here</text>");
}

impl Flying {
    fn send(&mut self, event: &Event, y: usize) {
        match *event {
            Event::Sent { link, from, packet } => {
                self.packets.entry((link, link.other(from))).or_default().push((y, packet));
            }
            Event::NotificationSent { from, to, notification } => {
                self.notifications.entry((from, to)).or_default().push((y, notification));
            }
            _ => {}
        }
    }

    /// Where what is received was sent. Packets leave in order; a notification may arrive twice.
    fn receive(&mut self, event: &Event) -> Option<usize> {
        match *event {
            Event::Received { link, to, packet } => {
                let queue = self.packets.get_mut(&(link, to))?;
                let position = queue.iter().position(|(_, sent)| *sent == packet)?;
                Some(queue.remove(position).0)
            }
            Event::NotificationReceived { from, to, notification, .. } => {
                let sent = self.notifications.get(&(from, to))?;
                sent.iter().rev().find(|(_, sent)| *sent == notification).map(|&(y, _)| y)
            }
            _ => None,
        }
    }
}

fn plane(event: &Event) -> &'static str {
    let (Event::Sent { packet, .. } | Event::Received { packet, .. }) = event else { return "election" };
    match packet.kind {
        PacketKind::Ack if packet.zxid.is_marker() => "sync",
        PacketKind::Proposal | PacketKind::Ack | PacketKind::Commit | PacketKind::Inform => "txn",
        PacketKind::RequestWrite | PacketKind::RequestSync | PacketKind::Sync | PacketKind::Revalidate => "request",
        PacketKind::Ping => "ping",
        _ => "sync",
    }
}

fn label(event: &Event) -> String {
    match event {
        Event::Received { packet, .. } => packet_text(packet),
        Event::NotificationReceived { notification, .. } => {
            format!("{} {}", super::super::names::who(notification.vote.leader), notification.vote.zxid)
        }
        _ => String::new(),
    }
}

/// What stands at an arrow that is no message.
fn short(stroke: Stroke) -> &'static str {
    match stroke {
        Stroke::Lost => "lost",
        Stroke::Opened => "connected",
        Stroke::Broken => "the link breaks",
        Stroke::Overtook => "overtakes others",
        Stroke::Cut => "cut from here on",
        Stroke::Mended => "mended",
        Stroke::Sent | Stroke::Received | Stroke::Closed => "",
    }
}

fn x(node: Node) -> usize {
    GUTTER + node.index() * PITCH
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
