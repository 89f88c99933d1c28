//! What travels: packets, connections, closes, notifications.

use super::World;
use crate::sim::packet::{kind_of, packet_of};
use crate::sim::{Chance, Event, Fault, LinkKey, Node};
use crate::zab::{Input, Message, Notification, Reason, Sid};

impl World {
    /// Whether nothing that `from` sends can reach `to` for now: then a chance is raised when it can.
    fn is_blocked(&self, from: Node, to: Node) -> bool {
        self.nodes[to.index()].paused || self.net.is_cut(from, to)
    }

    pub(super) fn send(&mut self, from: Node, link: LinkKey, message: Message) {
        if !self.net.can_send(link, from) {
            return;
        }
        self.events.push(Event::Sent { link, from, packet: packet_of(&message) });
        match &mut self.codecs {
            None => self.travel(from, link, message),
            Some(codecs) => {
                for message in codecs.transmit(&self.net, link, from, &message) {
                    self.travel(from, link, message);
                }
            }
        }
    }

    fn travel(&mut self, from: Node, link: LinkKey, message: Message) {
        let (to, kind) = (link.other(from), kind_of(&message));
        if self.net.send(link, from, message) && !self.is_blocked(from, to) {
            self.chances.push(Chance::Packet { link, to, kind });
        }
    }

    pub(super) fn deliver(&mut self, link: LinkKey, to: Node, skip: u16) {
        let Some(message) = self.net.take(link, to, skip) else { return };
        if skip > 0 {
            self.events.push(Event::Fault(Fault::Overtaken { link, to, skip }));
        }
        self.events.push(Event::Received { link, to, packet: packet_of(&message) });
        self.raise_close(link, to);
        self.handle(to, Input::Received { link: link.id(), message });
    }

    pub(super) fn dial(&mut self, dialer: Node, acceptor: Node) {
        if self.net.dial(dialer, acceptor) {
            self.chances.push(Chance::Dial { dialer, acceptor });
        }
    }

    pub(super) fn connect(&mut self, dialer: Node, acceptor: Node) {
        if !self.net.is_listening(acceptor) {
            return self.refuse(dialer, acceptor);
        }
        let link = self.net.open(dialer, acceptor);
        self.events.push(Event::LinkOpened { link });
        self.handle(acceptor, Input::Accepted { link: link.id() });
        self.handle(dialer, Input::Connected { to: acceptor.sid(), link: link.id() });
    }

    pub(super) fn refuse(&mut self, dialer: Node, acceptor: Node) {
        self.net.refuse(dialer, acceptor);
        self.events.push(Event::ConnectFailed { dialer, acceptor });
        self.handle(dialer, Input::ConnectFailed { to: acceptor.sid() });
    }

    pub(super) fn disconnect(&mut self, by: Node, link: LinkKey, reason: Reason) {
        if self.net.close(link, by) {
            self.events.push(Event::Disconnected { link, by, reason });
            self.raise_close(link, link.other(by));
        }
    }

    pub(super) fn notice_close(&mut self, link: LinkKey, at: Node) {
        self.net.notice(link, at);
        self.events.push(Event::CloseNoticed { link, at });
        self.handle(at, Input::Closed { link: link.id() });
    }

    pub(super) fn reset(&mut self, link: LinkKey, lose_up: u16, lose_down: u16) {
        let lost = self.net.reset(link, lose_up, lose_down);
        self.events.push(Event::Fault(Fault::Reset { link, lost }));
        self.raise_close(link, link.dialer);
        self.raise_close(link, link.acceptor);
    }

    pub(super) fn half_open(&mut self, link: LinkKey, at: Node) {
        self.net.half_open(link, at);
        self.events.push(Event::Fault(Fault::HalfOpened { link, at }));
        self.raise_close(link, at);
    }

    /// Raises the chance to notice the end of a link, once nothing travels in front of it.
    pub(super) fn raise_close(&mut self, link: LinkKey, at: Node) {
        let due = self.net.link(link).filter(|state| state.is_close_due(at));
        let blocked = |reset: bool| self.nodes[at.index()].paused || (!reset && self.net.is_cut(link.other(at), at));
        if due.is_some_and(|state| !blocked(state.is_reset(at))) {
            self.chances.push(Chance::Close { link, at });
        }
    }

    /// Raises everything again that travels from `from` to `to`, and dials either way: an obstacle went.
    pub(super) fn raise_between(&mut self, from: Node, to: Node) {
        for (dialer, acceptor) in [(from, to), (to, from)] {
            if self.net.is_dialing(dialer, acceptor) {
                self.chances.push(Chance::Dial { dialer, acceptor });
            }
        }
        if self.is_blocked(from, to) {
            return;
        }
        if self.net.mailboxes.wire(from, to).is_some() {
            self.chances.push(Chance::Notification { from, to });
        }
        for state in self.net.between(from, to) {
            let link = state.key();
            self.chances.extend(state.inbox(to).map(|message| Chance::Packet { link, to, kind: kind_of(message) }));
            if state.is_close_due(to) {
                self.chances.push(Chance::Close { link, at: to });
            }
        }
    }

    pub(super) fn post(&mut self, from: Node, to: Sid, notification: Notification) {
        let to = Node::of(to);
        self.events.push(Event::NotificationSent { from, to, notification });
        let notification = self.codecs.as_ref().map_or(notification, |codecs| codecs.notify(&notification));
        let is_up = self.nodes[to.index()].is_up();
        if self.net.mailboxes.put(from, to, notification, is_up) {
            self.raise_notification(from, to);
        }
    }

    pub(super) fn raise_notification(&mut self, from: Node, to: Node) {
        if !self.is_blocked(from, to) {
            self.chances.push(Chance::Notification { from, to });
        }
    }

    pub(super) fn notify(&mut self, from: Node, to: Node) {
        let Some((flight, newer)) = self.net.mailboxes.take(from, to) else { return };
        if newer {
            self.raise_notification(from, to);
        }
        self.receive_notification(from, to, flight.notification, flight.again || newer);
    }

    pub(super) fn lose_notification(&mut self, from: Node, to: Node) {
        if let Some((_, newer)) = self.net.mailboxes.take(from, to) {
            self.events.push(Event::NotificationLost { from, to });
            if newer {
                self.raise_notification(from, to);
            }
        }
    }

    pub(super) fn replay_notification(&mut self, from: Node, to: Node, age: u8) {
        if let Some(notification) = self.net.mailboxes.sent(from, to, age) {
            self.receive_notification(from, to, notification, true);
        }
    }

    fn receive_notification(&mut self, from: Node, to: Node, notification: Notification, replayed: bool) {
        self.events.push(Event::NotificationReceived { from, to, notification, replayed });
        self.handle(to, Input::Notification { from: from.sid(), notification });
    }
}
