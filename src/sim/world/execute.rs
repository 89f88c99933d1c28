//! What a process asks for, executed in order.

use super::World;
use crate::replica::Effect;
use crate::sim::disk::Read;
use crate::sim::ledger::digest_of;
use crate::sim::machine::Machine;
use crate::sim::{Chance, Event, LinkKey, Loss, Node};
use crate::zab::{HaltReason, Output};

impl World {
    /// Executes the outputs of one step of `node`, or those before the crash that waits for such a step.
    pub(super) fn execute(&mut self, node: Node, effects: &mut Vec<Effect<Machine>>) {
        let doom = self.nodes[node.index()].doom.filter(|&(after, _)| effects.len() > usize::from(after));
        let executed = doom.map_or(effects.len(), |(after, _)| after.into());
        for effect in effects.drain(..).take(executed) {
            self.execute_one(node, effect);
            if !self.nodes[node.index()].is_up() {
                return;
            }
        }
        match doom {
            Some((_, loss)) => self.crash(node, loss, true),
            None => self.settle(node),
        }
    }

    fn execute_one(&mut self, node: Node, effect: Effect<Machine>) {
        match effect {
            Effect::Output(output) => self.execute_output(node, output),
            Effect::Snapshot { id, zxid, image, digest } => {
                if let Some(write) = self.nodes[node.index()].disk.write_snapshot(id, zxid, image, digest) {
                    self.events.push(Event::Written { node, id, write });
                }
            }
            Effect::Proposed { txn } => {
                let digest = digest_of(&txn.payload);
                self.events.push(Event::Proposed { node, zxid: txn.zxid, digest });
                self.show_changes(node, &txn, digest);
            }
            Effect::Applied { txn, effect, digest: state, committed } => {
                let (zxid, digest) = (txn.zxid, digest_of(&txn.payload));
                if committed {
                    let in_order = effect.in_order;
                    self.events.push(Event::Delivered { node, zxid, digest, state, in_order });
                    self.answer_write(node, effect, zxid);
                    self.show_closed_session(node, &txn);
                } else {
                    self.events.push(Event::FastForwarded { node, zxid, digest, state });
                }
            }
            Effect::Answer(answer) => self.on_answer(node, answer),
            Effect::Restored { zxid, digest: state } => self.events.push(Event::Restored { node, zxid, state }),
        }
    }

    fn execute_output(&mut self, node: Node, output: Output) {
        match output {
            Output::Notify { to, notification } => self.post(node, to, notification),
            Output::Listen => self.net.listen(node, true),
            Output::Unlisten => self.net.listen(node, false),
            Output::Connect { to } => self.dial(node, Node::of(to)),
            Output::Send { link, message } => self.send(node, LinkKey::of(link), message),
            Output::Disconnect { link, reason } => self.disconnect(node, LinkKey::of(link), reason),
            Output::Persist { id, write } => {
                if let Some(write) = self.nodes[node.index()].disk.write(id, write) {
                    self.events.push(Event::Written { node, id, write });
                }
            }
            Output::Reload => self.queue_read(node, Read::Reload),
            Output::ReadLog { read, from, size_factor } => {
                self.queue_read(node, Read::Log { read, from, size_factor });
            }
            Output::Serve { serving } => self.serve(node, serving),
            Output::Synced { token } => self.answer_sync(node, token),
            Output::Reject(rejected) => self.reject(node, &rejected),
            Output::Halt(reason) => self.halt(node, reason),
            Output::Milestone(milestone) => self.events.push(Event::Milestone { node, milestone }),
            Output::ReadSnapshot { .. }
            | Output::Restore(_)
            | Output::Prepare { .. }
            | Output::Deliver(_)
            | Output::FastForward(_)
            | Output::Heard { .. }
            | Output::Touched { .. } => unreachable!("a replica answers {output:?} itself"),
        }
    }

    fn queue_read(&mut self, node: Node, read: Read) {
        self.nodes[node.index()].disk.queue_read(read);
        self.chances.push(Chance::Read { node });
    }

    fn halt(&mut self, node: Node, reason: HaltReason) {
        self.events.push(Event::Halted { node, reason });
        self.end_process(node, Loss::Process);
    }

    /// After a step: what was written together is synced together, and the next timer is known.
    fn settle(&mut self, node: Node) {
        if let Some(writes) = self.nodes[node.index()].disk.begin_sync() {
            self.raise_sync(node, writes);
        }
        self.rearm(self.now, node);
    }
}
