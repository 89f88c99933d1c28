//! Runs as pictures: what happened when, one lane per peer.
//!
//! All three pictures are drawn from the same [`Moment`]s, so that they tell the same story: [`TextDiagram`] to read and
//! quote, [`mermaid`] for an issue, [`svg`] to look at.

mod lanes;
mod mermaid;
mod pick;
mod svg;
mod tail;
#[cfg(test)]
mod tests;
mod text;
mod verdict;

pub use lanes::{Lane, Lanes, Presence};
pub use mermaid::mermaid;
pub use pick::{Pick, PickError};
pub use svg::svg;
pub use tail::Tail;
pub use text::{LEGEND, TextDiagram};
pub use verdict::verdict;

use crate::sim::{Event, Node};
use crate::zab::Instant;

/// An event, and when it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// In which step.
    pub step: u64,
    /// Virtual time.
    pub at: Instant,
    /// What happened.
    pub event: Event,
}

/// How an event stands in a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// A message or link between two peers.
    Arrow { from: Node, to: Node, stroke: Stroke },
    /// Something at one peer.
    At(Node, Sign),
    /// Something about all of them.
    Everywhere,
}

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stroke {
    /// It left `from`.
    Sent,
    /// It arrived at `to`.
    Received,
    /// It will not arrive.
    Lost,
    /// A link between them begins.
    Opened,
    /// A link between them ended, as `from` sees it.
    Closed,
    /// A link between them breaks; neither has noticed.
    Broken,
    /// It passes others on the way.
    Overtook,
    /// Nothing gets through from here on.
    Cut,
    /// It does again.
    Mended,
}

/// What happened at one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Started,
    Crashed,
    Written,
    Synced,
    WriteLost,
    Recovered,
    Proposed,
    Delivered,
    FastForwarded,
    State,
    Milestone,
    Fault,
    Asked,
    Answered,
    Refused,
}

fn mark(event: &Event) -> Mark {
    use crate::sim::{Fault, TreeEvent};
    use crate::zab::Milestone;
    let arrow = |from, to, stroke| Mark::Arrow { from, to, stroke };
    match *event {
        Event::NotificationSent { from, to, .. } => arrow(from, to, Stroke::Sent),
        Event::NotificationReceived { from, to, .. } => arrow(from, to, Stroke::Received),
        Event::NotificationLost { from, to } => arrow(from, to, Stroke::Lost),
        Event::LinkOpened { link } => arrow(link.dialer, link.acceptor, Stroke::Opened),
        Event::ConnectFailed { dialer, acceptor } => arrow(dialer, acceptor, Stroke::Lost),
        Event::Sent { link, from, .. } => arrow(from, link.other(from), Stroke::Sent),
        Event::Received { link, to, .. } => arrow(link.other(to), to, Stroke::Received),
        Event::Disconnected { link, by: at, .. } | Event::CloseNoticed { link, at } => {
            arrow(at, link.other(at), Stroke::Closed)
        }
        Event::Written { node, .. } => Mark::At(node, Sign::Written),
        Event::Synced { node, .. } => Mark::At(node, Sign::Synced),
        Event::WriteFailed { node, .. } | Event::Lost { node, .. } => Mark::At(node, Sign::WriteLost),
        Event::Recovered { node, .. } | Event::Restored { node, .. } => Mark::At(node, Sign::Recovered),
        Event::Proposed { node, .. } => Mark::At(node, Sign::Proposed),
        Event::Delivered { node, .. } => Mark::At(node, Sign::Delivered),
        Event::FastForwarded { node, .. } => Mark::At(node, Sign::FastForwarded),
        Event::Serving { node, .. } => Mark::At(node, Sign::State),
        Event::Milestone { node, milestone: Milestone::Entered { .. } | Milestone::Left { .. } } => {
            Mark::At(node, Sign::State)
        }
        Event::Milestone { node, .. } => Mark::At(node, Sign::Milestone),
        Event::Started { node } => Mark::At(node, Sign::Started),
        Event::Crashed { node, .. } | Event::Halted { node, .. } => Mark::At(node, Sign::Crashed),
        Event::Fault(Fault::Cut { from, to }) => arrow(from, to, Stroke::Cut),
        Event::Fault(Fault::Mended { from, to }) => arrow(from, to, Stroke::Mended),
        Event::Fault(Fault::Reset { link, .. }) => arrow(link.dialer, link.acceptor, Stroke::Broken),
        Event::Fault(Fault::Overtaken { link, to, .. }) => arrow(link.other(to), to, Stroke::Overtook),
        Event::Fault(Fault::HalfOpened { link, at }) => arrow(at, link.other(at), Stroke::Closed),
        Event::Fault(
            Fault::Paused { node }
            | Fault::Resumed { node }
            | Fault::Wiped { node }
            | Fault::Disk { node, .. }
            | Fault::ClockJumped { node, .. },
        ) => Mark::At(node, Sign::Fault),
        Event::Invoked { server, .. } => Mark::At(server, Sign::Asked),
        Event::Replied { server, .. } => Mark::At(server, Sign::Answered),
        Event::Refused { server, .. } | Event::Abandoned { server, .. } => Mark::At(server, Sign::Refused),
        Event::Tree(event) => match event {
            TreeEvent::Saw { server, .. }
            | TreeEvent::Joined { server, .. }
            | TreeEvent::SessionOver { server, .. }
            | TreeEvent::Fired { server, .. } => Mark::At(server, Sign::Answered),
            TreeEvent::SessionClosed { node, .. } => Mark::At(node, Sign::Delivered),
            TreeEvent::FilesDiffer { node } => Mark::At(node, Sign::Recovered),
            TreeEvent::Change { node, .. } => Mark::At(node, Sign::Proposed),
        },
        Event::StageEntered { .. } => Mark::Everywhere,
    }
}
