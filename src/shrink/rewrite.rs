//! Other actions in the place of those recorded: one server in the place of another, a plain fault in the place of an
//! elaborate one.

use super::course::Entry;
use crate::sim::{Action, LinkKey, Loss, Node};

/// `entry` with `stand_in` wherever `node` was; `None` if that makes no sense.
pub(super) fn with_stand_in(entry: &Entry, node: Node, stand_in: Node) -> Option<Entry> {
    let one = |other: Node| if other == node { stand_in } else { other };
    let two = |a: Node, b: Node| Some((one(a), one(b))).filter(|(a, b)| a != b);
    let linked = |link: LinkKey| {
        let (dialer, acceptor) = two(link.dialer, link.acceptor)?;
        Some(LinkKey { dialer, acceptor, ..link })
    };
    let action = match entry.action {
        Action::Deliver { link, to, skip } => Action::Deliver { link: linked(link)?, to: one(to), skip },
        Action::NoticeClose { link, at } => Action::NoticeClose { link: linked(link)?, at: one(at) },
        Action::HalfOpen { link, at } => Action::HalfOpen { link: linked(link)?, at: one(at) },
        Action::Reset { link, lose_up, lose_down } => Action::Reset { link: linked(link)?, lose_up, lose_down },
        Action::Connect { dialer, acceptor } => {
            let (dialer, acceptor) = two(dialer, acceptor)?;
            Action::Connect { dialer, acceptor }
        }
        Action::ConnectTimeout { dialer, acceptor } => {
            let (dialer, acceptor) = two(dialer, acceptor)?;
            Action::ConnectTimeout { dialer, acceptor }
        }
        Action::Cut { from, to } => {
            let (from, to) = two(from, to)?;
            Action::Cut { from, to }
        }
        Action::Mend { from, to } => {
            let (from, to) = two(from, to)?;
            Action::Mend { from, to }
        }
        Action::Notify { from, to } => Action::Notify { from: one(from), to: one(to) },
        Action::LoseNotification { from, to } => Action::LoseNotification { from: one(from), to: one(to) },
        Action::ReplayNotification { from, to, age } => {
            Action::ReplayNotification { from: one(from), to: one(to), age }
        }
        Action::Wake { node } => Action::Wake { node: one(node) },
        Action::Crash { node, loss } => Action::Crash { node: one(node), loss },
        Action::CrashInside { node, after, loss } => Action::CrashInside { node: one(node), after, loss },
        Action::Stop { node } => Action::Stop { node: one(node) },
        Action::Start { node } => Action::Start { node: one(node) },
        Action::Pause { node } => Action::Pause { node: one(node) },
        Action::Resume { node } => Action::Resume { node: one(node) },
        Action::Wipe { node } => Action::Wipe { node: one(node) },
        Action::SyncDone { node } => Action::SyncDone { node: one(node) },
        Action::SyncFails { node } => Action::SyncFails { node: one(node) },
        Action::ReadDone { node } => Action::ReadDone { node: one(node) },
        Action::Disk { node, mode } => Action::Disk { node: one(node), mode },
        Action::ClockJump { node, millis } => Action::ClockJump { node: one(node), millis },
        Action::Invoke { client, server, op } => Action::Invoke { client, server: one(server), op },
        Action::Enter { stage } => Action::Enter { stage },
    };
    Some(Entry { at: entry.at, action, opened: entry.opened.and_then(linked) })
}

/// A plainer fault; `None` if it is as plain as can be. Each step asks for less that is unlikely.
pub(super) fn plainer(action: Action) -> Option<Action> {
    const NOTHING_KEPT: Loss = Loss::Power { kept: 0, torn: false };
    Some(match action {
        Action::CrashInside { node, loss, .. } => Action::Crash { node, loss },
        Action::Crash { node, loss: NOTHING_KEPT } => Action::Crash { node, loss: Loss::Process },
        Action::Crash { node, loss: Loss::Power { .. } } => Action::Crash { node, loss: NOTHING_KEPT },
        Action::SyncFails { node } => Action::SyncDone { node },
        Action::ReplayNotification { from, to, age } if age > 0 => Action::ReplayNotification { from, to, age: 0 },
        Action::Reset { link, lose_up, lose_down } if lose_up > 0 || lose_down > 0 => {
            Action::Reset { link, lose_up: 0, lose_down: 0 }
        }
        Action::Deliver { link, to, skip } if skip > 0 => Action::Deliver { link, to, skip: skip - 1 },
        _ => return None,
    })
}

/// How many steps there are to the plainest.
pub(super) fn fuss(action: Action) -> usize {
    std::iter::successors(plainer(action), |&action| plainer(action)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_takes_over_on_its_own_links() {
        let [p1, p2, p3] = [0, 1, 2].map(Node::at);
        let link = |dialer, acceptor| LinkKey { dialer, acceptor, generation: 2 };
        let entry = |action, opened| Entry { at: Entry::SOON, action, opened };
        let connect = entry(Action::Connect { dialer: p1, acceptor: p3 }, Some(link(p1, p3)));
        let instead = entry(Action::Connect { dialer: p2, acceptor: p3 }, Some(link(p2, p3)));
        assert_eq!(with_stand_in(&connect, p1, p2), Some(instead));
        assert_eq!(with_stand_in(&connect, p1, p3), None, "nobody connects to itself");
        let deliver = entry(Action::Deliver { link: link(p1, p3), to: p1, skip: 0 }, None);
        let instead = entry(Action::Deliver { link: link(p2, p3), to: p2, skip: 0 }, None);
        assert_eq!(with_stand_in(&deliver, p1, p2), Some(instead));
        let notify = entry(Action::Notify { from: p1, to: p2 }, None);
        let instead = entry(Action::Notify { from: p2, to: p2 }, None);
        assert_eq!(with_stand_in(&notify, p1, p2), Some(instead), "a server does notify itself");
    }

    #[test]
    fn a_fault_becomes_plain_in_so_many_steps() {
        let node = Node::at(0);
        let torn = Action::CrashInside { node, after: 3, loss: Loss::Power { kept: 1, torn: true } };
        assert_eq!((fuss(torn), fuss(Action::Crash { node, loss: Loss::Process })), (3, 0));
        assert_eq!(fuss(Action::Wake { node }), 0);
    }
}
