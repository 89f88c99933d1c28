//! `describe_action`: what was chosen, in the words in which events are told.

use super::story::{fault_text, loss_text, op_verb, stage_text};
use crate::sim::{Action, Fault};

/// One sentence about a choice, without a full stop.
pub fn describe_action(action: &Action) -> String {
    match *action {
        Action::Deliver { link, to, skip: 0 } => {
            format!("the next packet from {} on {link} reaches {to}", link.other(to))
        }
        Action::Deliver { link, to, skip } => {
            format!("a packet from {} on {link} reaches {to} before {skip} earlier ones", link.other(to))
        }
        Action::Connect { dialer, acceptor } => format!("the connection that {dialer} asked for reaches {acceptor}"),
        Action::ConnectTimeout { dialer, acceptor } => {
            format!("the connection that {dialer} asked for does not reach {acceptor} in time")
        }
        Action::NoticeClose { link, at } => format!("{at} notices that {link} is gone"),
        Action::Reset { link, lose_up, lose_down } => format!(
            "{link} breaks, with the last {lose_up} packets to {} and the last {lose_down} to {}",
            link.acceptor, link.dialer
        ),
        Action::HalfOpen { link, at } => fault_text(&Fault::HalfOpened { link, at }),
        Action::Cut { from, to } => fault_text(&Fault::Cut { from, to }),
        Action::Mend { from, to } => fault_text(&Fault::Mended { from, to }),
        Action::Notify { from, to } => format!("the notification from {from} reaches {to}"),
        Action::LoseNotification { from, to } => format!("the notification from {from} to {to} is lost"),
        Action::ReplayNotification { from, to, age: 0 } => {
            format!("the last notification from {from} reaches {to} once more")
        }
        Action::ReplayNotification { from, to, .. } => {
            format!("the last notification but one from {from} reaches {to} once more")
        }
        Action::Wake { node } => format!("a timer of {node} is due"),
        Action::Crash { node, loss } => format!("{node} crashes: {}", loss_text(loss)),
        Action::CrashInside { node, after, loss } => {
            format!("{node} will crash inside a step, after {after} of its outputs: {}", loss_text(loss))
        }
        Action::Stop { node } => format!("{node} is asked to stop"),
        Action::Start { node } => format!("{node} is started"),
        Action::Pause { node } => fault_text(&Fault::Paused { node }),
        Action::Resume { node } => fault_text(&Fault::Resumed { node }),
        Action::Wipe { node } => format!("{node} loses its disk"),
        Action::SyncDone { node } => format!("a sync on the disk of {node} ends"),
        Action::SyncFails { node } => format!("a sync on the disk of {node} fails"),
        Action::ReadDone { node } => format!("the disk of {node} answers a read"),
        Action::Disk { node, mode } => fault_text(&Fault::Disk { node, mode }),
        Action::ClockJump { node, millis } => fault_text(&Fault::ClockJumped { node, millis }),
        Action::Invoke { client, server, op } => format!("client {client} turns to {server} to {}", op_verb(op)),
        Action::Enter { stage } => stage_text(stage).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{LinkKey, Loss, Node, Stage};

    #[test]
    fn choices_read_as_sentences() {
        let (p1, p3) = (Node::at(0), Node::at(2));
        let link = LinkKey { dialer: p1, acceptor: p3, generation: 2 };
        let lines = [
            Action::Deliver { link, to: p3, skip: 0 },
            Action::Deliver { link, to: p1, skip: 4 },
            Action::Reset { link, lose_up: 1, lose_down: 0 },
            Action::ReplayNotification { from: p1, to: p3, age: 1 },
            Action::CrashInside { node: p1, after: 2, loss: Loss::Process },
            Action::Enter { stage: Stage::Converge },
        ]
        .map(|action| describe_action(&action));
        insta::assert_snapshot!(lines.join("\n"), @r"
        the next packet from p1 on p1>p3#2 reaches p3
        a packet from p3 on p1>p3#2 reaches p1 before 4 earlier ones
        p1>p3#2 breaks, with the last 1 packets to p3 and the last 0 to p1
        the last notification but one from p1 reaches p3 once more
        p1 will crash inside a step, after 2 of its outputs: the process is killed
        a core is healed and must converge
        ");
    }
}
