//! The election plane: one-slot mailboxes with the habits of `QuorumCnxManager` (latest wins, replay on reconnect).

use super::Node;
use crate::zab::Notification;

/// A notification that travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) notification: Notification,
    /// Sent before already, on an earlier connection.
    pub(super) again: bool,
}

/// From one node to another.
#[derive(Clone, Debug, Default)]
struct Mailbox {
    /// The newest one not yet sent.
    slot: Option<Notification>,
    wire: Option<Flight>,
    /// The last one sent (`lastMessageSent`) and the one before.
    sent: [Option<Notification>; 2],
}

impl Mailbox {
    /// Sends what waits, if the wire is free.
    fn pump(&mut self) -> bool {
        if self.wire.is_some() {
            return false;
        }
        let Some(notification) = self.slot.take() else { return false };
        self.sent = [Some(notification), self.sent[0]];
        self.wire = Some(Flight { notification, again: false });
        true
    }
}

/// All mailboxes.
#[derive(Clone, Debug)]
pub(super) struct Mailboxes {
    nodes: usize,
    boxes: Vec<Mailbox>,
}

impl Mailboxes {
    pub(super) fn new(nodes: usize) -> Mailboxes {
        Mailboxes { nodes, boxes: vec![Mailbox::default(); nodes * nodes] }
    }

    fn at(&self, from: Node, to: Node) -> &Mailbox {
        &self.boxes[from.index() * self.nodes + to.index()]
    }

    fn at_mut(&mut self, from: Node, to: Node) -> &mut Mailbox {
        &mut self.boxes[from.index() * self.nodes + to.index()]
    }

    /// What travels from `from` to `to`.
    pub(super) fn wire(&self, from: Node, to: Node) -> Option<Flight> {
        self.at(from, to).wire
    }

    /// The last notification sent (`age` 0) or the one before.
    pub(super) fn sent(&self, from: Node, to: Node, age: u8) -> Option<Notification> {
        self.at(from, to).sent.get(usize::from(age)).copied().flatten()
    }

    /// Puts a notification into the slot. Returns whether it went on the wire: it does if that is free and `to` is up.
    pub(super) fn put(&mut self, from: Node, to: Node, notification: Notification, is_up: bool) -> bool {
        let mailbox = self.at_mut(from, to);
        mailbox.slot = Some(notification);
        is_up && mailbox.pump()
    }

    /// Takes what travels, delivered or lost. Returns it, whether an unsent newer one existed, and that one is on the wire now.
    pub(super) fn take(&mut self, from: Node, to: Node) -> Option<(Flight, bool)> {
        let mailbox = self.at_mut(from, to);
        let flight = mailbox.wire.take()?;
        let newer = mailbox.pump();
        Some((flight, newer))
    }

    /// The process of `node` ended: its slots are gone with its memory; what it had sent still arrives, except at itself.
    /// What travels towards it is lost, and remembered by its senders; calls `lost` with each of them.
    pub(super) fn down(&mut self, node: Node, mut lost: impl FnMut(Node)) {
        for peer in (0..self.nodes).map(Node::at) {
            let mailbox = self.at_mut(node, peer);
            mailbox.slot = None;
            mailbox.sent = [None; 2];
            if self.at_mut(peer, node).wire.take().is_some() {
                lost(peer);
            }
        }
    }

    /// The process of `node` began, and `peer` connects to it: the unsent notification goes on the wire, or else the last one
    /// sent, once more. Returns whether something did.
    pub(super) fn connect(&mut self, peer: Node, node: Node) -> bool {
        let mailbox = self.at_mut(peer, node);
        if mailbox.pump() {
            return true;
        }
        match (mailbox.wire, mailbox.sent[0]) {
            (None, Some(notification)) => {
                mailbox.wire = Some(Flight { notification, again: true });
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zab::{NOTIFICATION_VERSION, PeerState, Vote};

    fn round(round: u64) -> Notification {
        let (state, version) = (PeerState::Looking, NOTIFICATION_VERSION);
        Notification { state, vote: Vote::NOBODY, round, version, config_version: 0 }
    }

    fn rounds(flight: Option<Flight>) -> Option<(u64, bool)> {
        flight.map(|f| (f.notification.round, f.again))
    }

    #[test]
    fn the_newest_replaces_the_unsent_one() {
        let (a, b) = (Node::at(0), Node::at(1));
        let mut boxes = Mailboxes::new(2);
        assert!(boxes.put(a, b, round(1), true));
        assert!(!boxes.put(a, b, round(2), true) && !boxes.put(a, b, round(3), true));
        let (first, newer) = boxes.take(a, b).unwrap();
        assert_eq!((first.notification.round, newer), (1, true));
        assert_eq!(rounds(boxes.wire(a, b)), Some((3, false)));
        assert_eq!(boxes.take(a, b).map(|(_, newer)| newer), Some(false));
        assert_eq!(boxes.take(a, b), None);
        assert_eq!((boxes.sent(a, b, 0), boxes.sent(a, b, 1)), (Some(round(3)), Some(round(1))));
        assert_eq!(boxes.sent(a, b, 2), None);
    }

    #[test]
    fn a_restarted_receiver_hears_the_last_one_again() {
        let (a, b) = (Node::at(0), Node::at(1));
        let mut boxes = Mailboxes::new(2);
        boxes.put(a, b, round(1), true);
        boxes.take(a, b);
        boxes.down(b, |_| unreachable!("nothing travels"));
        assert!(boxes.connect(a, b));
        assert_eq!(rounds(boxes.wire(a, b)), Some((1, true)));
        let mut lost = Vec::new();
        boxes.down(b, |from| lost.push(from));
        assert_eq!(lost, [a]);
        assert!(!boxes.put(a, b, round(2), false), "nobody to send it to");
        assert!(boxes.connect(a, b));
        assert_eq!(rounds(boxes.wire(a, b)), Some((2, false)), "an unsent one goes first");
    }

    #[test]
    fn a_sender_forgets_with_its_process_but_what_travels_arrives() {
        let (a, b) = (Node::at(0), Node::at(1));
        let mut boxes = Mailboxes::new(2);
        boxes.put(a, b, round(1), true);
        boxes.put(a, b, round(2), true);
        boxes.down(a, |_| {});
        assert_eq!(boxes.take(a, b).map(|(f, newer)| (f.notification.round, newer)), Some((1, false)));
        assert_eq!(boxes.sent(a, b, 0), None);
        assert!(!boxes.connect(a, b));
    }
}
