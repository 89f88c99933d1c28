//! The picture in text: one line per event, one lane per peer. See [`LEGEND`].

use super::super::story::describe;
use super::{Lane, Lanes, Mark, Moment, Pick, Presence, Sign, Stroke, mark};
use crate::zab::{Instant, PeerState};

/// What the signs mean.
pub const LEGEND: &str = "\
One line per event: step, virtual time in seconds, one lane per peer, what happened in words.
Step and time stand on the first event of a step; the lines below belong to the same step.

lanes      ┊ LOOKING   │ FOLLOWING   ║ LEADING   : OBSERVING   ░ paused   (blank) down
messages   o╌╌╌╌> sent (may still be lost)     ├────▶ received     o╌╌╌╌X lost, or nobody listens
links      ╞════╡ connected     x┄┄┄┄┄ closed, as the side with the x sees it
network    !╳╳╳╳> nothing gets through any more     !····> it does again
disk       w written, not synced     S synced     x lost, or the write failed     R recovered or restored
history    P proposed     D delivered     F applied because a role ended, not known committed
peers      + starts     X crashes or exits     * enters or leaves a state, phase or service     i says something
others     ! a fault     ? a client asks     = it is answered     ~ it is refused, or the outcome is unknown
";

/// Draws line by line, so that a long run need not be held.
#[derive(Clone, Debug)]
pub struct TextDiagram {
    lanes: Lanes,
    pick: Pick,
    count: usize,
    pitch: usize,
    last_step: Option<u64>,
}

impl TextDiagram {
    /// An empty diagram of so many peers.
    pub fn new(nodes: usize, pick: Pick) -> TextDiagram {
        TextDiagram::continued(Lanes::new(nodes), pick)
    }

    /// A diagram that begins in the middle of a run.
    pub fn continued(lanes: Lanes, pick: Pick) -> TextDiagram {
        let count = lanes.nodes().count();
        TextDiagram { lanes, pick, count, pitch: (32 / count.max(1)).clamp(4, 8), last_step: None }
    }

    /// The line over the lanes.
    pub fn heading(&self) -> String {
        let names: String = self.lanes.nodes().map(|node| format!("{:^1$}", node.to_string(), self.pitch)).collect();
        format!("   step        time  {names}  what happened")
    }

    /// Follows an event. Its line, if the filters let it through.
    pub fn line(&mut self, moment: &Moment) -> Option<String> {
        self.lanes.see(&moment.event);
        if !self.pick.takes(moment) {
            return None;
        }
        let when = if self.last_step.replace(moment.step) == Some(moment.step) {
            " ".repeat(19)
        } else {
            format!("{:>7} {}", moment.step, seconds(moment.at))
        };
        Some(format!("{when}  {}  {}", self.row(mark(&moment.event)), describe(&moment.event)))
    }

    fn row(&self, mark: Mark) -> String {
        let mut row = vec![' '; self.count * self.pitch];
        for node in self.lanes.nodes() {
            row[self.center(node.index())] = stroke_of(self.lanes.lane(node));
        }
        match mark {
            Mark::Arrow { from, to, stroke } => self.arrow(&mut row, from.index(), to.index(), stroke),
            Mark::At(node, sign) => row[self.center(node.index())] = letter(sign),
            Mark::Everywhere => row.iter_mut().for_each(|c| *c = '═'),
        }
        row.into_iter().collect()
    }

    fn center(&self, lane: usize) -> usize {
        lane * self.pitch + (self.pitch - 1) / 2
    }

    fn arrow(&self, row: &mut [char], from: usize, to: usize, stroke: Stroke) {
        let (start, end) = (self.center(from), self.center(to));
        if from == to {
            row[start] = if stroke == Stroke::Received { '@' } else { 'o' };
            return;
        }
        let right = end > start;
        let (fill, tail, head) = match stroke {
            Stroke::Sent => ('╌', Some('o'), None),
            Stroke::Received => ('─', Some(if right { '├' } else { '┤' }), Some(if right { '▶' } else { '◀' })),
            Stroke::Lost => ('╌', Some('o'), None),
            Stroke::Opened => ('═', Some(if right { '╞' } else { '╡' }), Some(if right { '╡' } else { '╞' })),
            Stroke::Closed => ('┄', Some('x'), None),
            Stroke::Cut => ('╳', Some('!'), None),
            Stroke::Mended => ('·', Some('!'), None),
        };
        let between = if right { start + 1..end } else { end + 1..start };
        let lanes: Vec<usize> = (0..self.count).map(|lane| self.center(lane)).collect();
        for (column, cell) in row.iter_mut().enumerate().take(between.end).skip(between.start) {
            // Lanes on the way stay visible: the message does not concern them.
            if !lanes.contains(&column) || *cell == ' ' {
                *cell = fill;
            } else if stroke == Stroke::Received {
                *cell = '┼';
            }
        }
        let tip = if right { end - 1 } else { end + 1 };
        match stroke {
            Stroke::Sent | Stroke::Cut | Stroke::Mended => row[tip] = if right { '>' } else { '<' },
            Stroke::Lost => row[tip] = 'X',
            Stroke::Received | Stroke::Opened | Stroke::Closed => {}
        }
        row[start] = tail.unwrap_or(row[start]);
        row[end] = head.unwrap_or(row[end]);
    }
}

/// To the microsecond: more digits do not help the eye.
fn seconds(at: Instant) -> String {
    format!("{:>4}.{:06}", at.0 / 1_000_000_000, at.0 % 1_000_000_000 / 1_000)
}

fn stroke_of(lane: Lane) -> char {
    match (lane.presence, lane.role) {
        (Presence::Down, _) => ' ',
        (Presence::Paused, _) => '░',
        (Presence::Up, None | Some((PeerState::Looking, ..))) => '┊',
        (Presence::Up, Some((PeerState::Following, ..))) => '│',
        (Presence::Up, Some((PeerState::Leading, ..))) => '║',
        (Presence::Up, Some((PeerState::Observing, ..))) => ':',
    }
}

fn letter(sign: Sign) -> char {
    match sign {
        Sign::Started => '+',
        Sign::Crashed => 'X',
        Sign::Written => 'w',
        Sign::Synced => 'S',
        Sign::WriteLost => 'x',
        Sign::Recovered => 'R',
        Sign::Proposed => 'P',
        Sign::Delivered => 'D',
        Sign::FastForwarded => 'F',
        Sign::State => '*',
        Sign::Milestone => 'i',
        Sign::Fault => '!',
        Sign::Asked => '?',
        Sign::Answered => '=',
        Sign::Refused => '~',
    }
}
