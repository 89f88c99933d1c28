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
           !┄┄┄┄! a link breaks     !»»»»> a packet overtakes others, in this direction
disk       w written, not synced     S synced     x lost, or the write failed     R recovered or restored
history    P proposed     D delivered     F applied because a role ended, not known committed
peers      + starts     X crashes or exits     * enters or leaves a state, phase or service     i says something
others     ! a fault     ? a client asks     = it is answered     ~ it is refused, or the outcome is unknown
verdict    !! below the lanes: the property that was violated, at which step, and what was expected and seen

names      p3 a server     p1>p3#2 the second connection that p1, as a learner, made to p3, as its leader
           e2 an epoch     2:1f the zxid of the txn with the counter 1f (hexadecimal) of epoch 2     2:0 the start of epoch 2
";

/// Draws line by line, so that a long run need not be held.
#[derive(Clone, Debug)]
pub struct TextDiagram {
    lanes: Lanes,
    pick: Pick,
    count: usize,
    pitch: usize,
    width: Option<usize>,
    last_step: Option<u64>,
}

/// Step and time, and the blanks behind them.
const MARGIN: usize = 21;
/// The least room for what happened: a sentence in fewer columns is a tower.
const LEAST: usize = 24;

impl TextDiagram {
    /// An empty diagram of so many peers.
    pub fn new(nodes: usize, pick: Pick) -> TextDiagram {
        TextDiagram::continued(Lanes::new(nodes), pick)
    }

    /// A diagram that begins in the middle of a run.
    pub fn continued(lanes: Lanes, pick: Pick) -> TextDiagram {
        let count = lanes.nodes().count();
        TextDiagram { lanes, pick, count, pitch: pitch(count, 32).clamp(4, 8), width: None, last_step: None }
    }

    /// Wraps what happened, so that a line takes at most so many columns as long as the lanes leave room; without a width no
    /// line is broken. The lanes take a quarter.
    pub fn within(self, width: Option<usize>) -> TextDiagram {
        let pitch = width.map_or(self.pitch, |width| pitch(self.count, width / 4).clamp(4, 8));
        TextDiagram { width, pitch, ..self }
    }

    /// The line over the lanes.
    pub fn heading(&self) -> String {
        let names: String = self.lanes.nodes().map(|node| format!("{:^1$}", node.to_string(), self.pitch)).collect();
        format!("   step        time  {names}  what happened")
    }

    /// Follows an event. Its line, if the filters let it through; where it is wrapped, its lines.
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
        let sentence = describe(&moment.event);
        let room = self.width.map(|width| width.saturating_sub(MARGIN + self.count * self.pitch + 2).max(LEAST));
        let mut parts = wrapped(&sentence, room.unwrap_or(usize::MAX)).into_iter();
        let mut line = format!("{when}  {}  {}", self.row(mark(&moment.event)), parts.next().unwrap_or_default());
        for part in parts {
            let lanes: String = self.bare().into_iter().collect();
            line += &format!("\n{:MARGIN$}{lanes}  {part}", "");
        }
        Some(line)
    }

    /// What stands below the lanes, such as a [`verdict`](super::verdict), wrapped like everything else.
    pub fn below(&self, line: &str) -> String {
        wrapped(line, self.width.unwrap_or(usize::MAX)).join("\n")
    }

    fn bare(&self) -> Vec<char> {
        let mut row = vec![' '; self.count * self.pitch];
        for node in self.lanes.nodes() {
            row[self.center(node.index())] = stroke_of(self.lanes.lane(node));
        }
        row
    }

    fn row(&self, mark: Mark) -> String {
        let mut row = self.bare();
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
            Stroke::Broken => ('┄', Some('!'), Some('!')),
            Stroke::Overtook => (if right { '»' } else { '«' }, Some('!'), None),
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
            Stroke::Sent | Stroke::Overtook | Stroke::Cut | Stroke::Mended => row[tip] = if right { '>' } else { '<' },
            Stroke::Lost => row[tip] = 'X',
            Stroke::Received | Stroke::Opened | Stroke::Closed | Stroke::Broken => {}
        }
        row[start] = tail.unwrap_or(row[start]);
        row[end] = head.unwrap_or(row[end]);
    }
}

/// How far apart lanes are that share so many columns.
fn pitch(lanes: usize, room: usize) -> usize {
    room / lanes.max(1)
}

/// In parts that fit, broken between words; every part but the first is indented.
pub(super) fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match parts.last_mut() {
            None => parts.push(word.into()),
            Some(part) if part.chars().count() + word.chars().count() < room => {
                part.push(' ');
                part.push_str(word);
            }
            Some(_) => parts.push(format!("  {word}")),
        }
    }
    parts
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
