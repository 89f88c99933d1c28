//! `zabsim replay --step`: walking through a run, forward and back.

use std::io::{self, BufRead, IsTerminal};

use anyhow::Result;

use super::peers::Standing;
use super::render::{Screen, bold, dim, peers_text};
use super::{Exit, engine, replay};
use crate::trace::diagram::{Moment, Pick, TextDiagram};
use crate::trace::{Replay, Trace, describe_action};

const HELP: &str = "Enter: next step · a number: go there · p: the peers · q: quit";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
enum Ask {
    Next,
    Goto(u64),
    Peers,
    Quit,
    Unknown,
}

fn ask(line: &str) -> Ask {
    match line.trim() {
        "" | "n" => Ask::Next,
        "p" => Ask::Peers,
        "q" => Ask::Quit,
        other => other.parse().map_or(Ask::Unknown, Ask::Goto),
    }
}

struct Walk<'t> {
    trace: &'t Trace,
    start: Replay<'t>,
    replay: Replay<'t>,
    diagram: TextDiagram,
}

pub(super) fn walk(trace: &Trace, from: u64, screen: &mut Screen) -> Result<Exit> {
    let start = Replay::new(trace);
    let diagram = TextDiagram::new(start.world().setup().nodes.len(), Pick::default()).within(screen.width());
    let mut walk = Walk { trace, replay: start.clone(), start, diagram };
    // A script that feeds the answers wants no prompts among the output.
    let terminal = io::stdin().is_terminal();
    if terminal {
        screen.note(HELP);
    }
    screen.line(walk.diagram.heading());
    if let Err(exit) = walk.goto(from, screen) {
        return Ok(exit);
    }
    let mut lines = io::stdin().lock().lines();
    loop {
        if terminal {
            screen.text(&dim(format_args!("step {} of {} › ", walk.replay.at_step(), trace.last_step())));
        }
        screen.flush();
        if screen.is_closed() {
            return Ok(Exit::Good);
        }
        let Some(line) = lines.next().transpose()? else { return Ok(Exit::Good) };
        let went = match ask(&line) {
            Ask::Next => walk.next(screen),
            Ask::Goto(step) => walk.goto(step, screen),
            Ask::Peers => {
                screen.text(&peers_text(&Standing::of(walk.replay.world()), screen.width()));
                Ok(())
            }
            Ask::Quit => return Ok(Exit::Good),
            Ask::Unknown => {
                screen.note(HELP);
                Ok(())
            }
        };
        if let Err(exit) = went {
            return Ok(exit);
        }
    }
}

impl Walk<'_> {
    fn next(&mut self, screen: &mut Screen) -> Result<(), Exit> {
        match engine::step(&mut self.replay) {
            Ok(Some(line)) => {
                screen.line(dim(format_args!("step {}: {}", line.step, describe_action(&line.action))));
                self.events(Some(screen));
                Ok(())
            }
            Ok(None) => {
                screen.line(bold("the end of the trace"));
                if self.trace.footer.is_none() {
                    replay::tell_incomplete(self.trace, screen);
                }
                Ok(())
            }
            Err(broke) => Err(replay::tell(self.trace, &broke, screen)),
        }
    }

    /// Shows only the step it ends at. Going back is going there from the start.
    fn goto(&mut self, step: u64, screen: &mut Screen) -> Result<(), Exit> {
        if step <= self.replay.at_step() {
            self.replay = self.start.clone();
            self.diagram =
                TextDiagram::new(self.start.world().setup().nodes.len(), Pick::default()).within(screen.width());
        }
        while self.replay.next_step().is_some_and(|next| next < step) {
            match engine::step(&mut self.replay) {
                Ok(_) => self.events(None),
                Err(broke) => return Err(replay::tell(self.trace, &broke, screen)),
            }
        }
        if step == 0 { Ok(()) } else { self.next(screen) }
    }

    fn events(&mut self, mut screen: Option<&mut Screen>) {
        let world = self.replay.world();
        for event in world.events() {
            let moment = Moment { step: self.replay.at_step(), at: world.now(), event: *event };
            let line = self.diagram.line(&moment);
            if let (Some(screen), Some(line)) = (screen.as_deref_mut(), line) {
                screen.line(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_understood() {
        let asked: Vec<Ask> = ["", "n\n", " 12 ", "p", "q", "12x"].into_iter().map(ask).collect();
        assert_eq!(asked, [Ask::Next, Ask::Next, Ask::Goto(12), Ask::Peers, Ask::Quit, Ask::Unknown]);
    }
}
