//! What clients ask and are told.

use super::World;
use crate::sim::client::{of_token, token};
use crate::sim::ledger::{Applied, Order};
use crate::sim::{Chance, Event, Node, Op, ServiceKind};
use crate::zab::{Input, PeerState, Rejected, Zxid};

impl World {
    pub(super) fn invoke(&mut self, client: u8, server: Node, op: Op) {
        let session = &mut self.clients[usize::from(client)];
        if let (Some((_, serial)), Some(server)) = (session.pending.take(), session.server) {
            self.events.push(Event::Abandoned { client, server, serial });
        }
        session.serial += 1;
        session.server = Some(server);
        let (serial, seen) = (session.serial, session.seen);
        self.events.push(Event::Invoked { client, server, op, serial });
        if self.setup.service == ServiceKind::ZooKeeper {
            return self.ask(client, server, op, serial);
        }
        let state = &self.nodes[server.index()];
        let applied = state.last_applied().filter(|_| state.serving && !state.paused);
        if applied.is_none_or(|applied| applied < seen) {
            return self.refused(client, server, serial);
        }
        self.clients[usize::from(client)].pending = Some((op, serial));
        match op {
            Op::Read => self.answer(server, client, serial, None),
            Op::Sync => self.handle(server, Input::Sync { token: token(client, serial) }),
            Op::Write => {
                let request = Order { client, serial, unique: self.step }.request();
                self.handle(server, Input::Submit { request });
            }
        }
    }

    pub(super) fn answer_write(&mut self, server: Node, applied: Applied, zxid: Zxid) {
        if self.awaits(server, applied.client, applied.serial) == Some(Op::Write) {
            self.clients[usize::from(applied.client)].last_write = applied.serial;
            self.answer(server, applied.client, applied.serial, Some(zxid));
        }
    }

    pub(super) fn answer_sync(&mut self, server: Node, token: u64) {
        let (client, serial) = of_token(token);
        if self.awaits(server, client, serial) == Some(Op::Sync) {
            self.answer(server, client, serial, None);
        }
    }

    /// Answers with the state of `server`, at the txn of a write or at the last one applied.
    fn answer(&mut self, server: Node, client: u8, serial: u32, write: Option<Zxid>) {
        let replica = self.nodes[server.index()].replica();
        let Some(ledger) = replica.and_then(|replica| replica.service().ledger()) else { return };
        let zxid = write.unwrap_or(ledger.last_zxid());
        let contained = if write.is_some() { serial } else { ledger.last_serial(client) };
        self.answered(client, server, zxid, contained);
    }

    /// The operation that a client waits for is answered.
    pub(super) fn answered(&mut self, client: u8, server: Node, zxid: Zxid, seen: u32) {
        let session = &mut self.clients[usize::from(client)];
        let Some((op, serial)) = session.pending.take() else { return };
        session.seen = session.seen.max(zxid);
        self.events.push(Event::Replied { client, server, op, serial, zxid, seen });
        self.chances.push(Chance::ClientFree { client });
    }

    pub(super) fn reject(&mut self, server: Node, rejected: &Rejected) {
        let (client, serial) = match rejected {
            Rejected::Sync(token) => of_token(*token),
            Rejected::Write(request) => match Order::read(request.as_bytes()) {
                Some(order) => (order.client, order.serial),
                None => return,
            },
        };
        if self.awaits(server, client, serial).is_some() {
            self.refused(client, server, serial);
        }
    }

    pub(super) fn refused(&mut self, client: u8, server: Node, serial: u32) {
        self.clients[usize::from(client)].pending = None;
        self.events.push(Event::Refused { client, server, serial });
        self.chances.push(Chance::ClientFree { client });
    }

    /// Nobody knows what becomes of the operation that a client waited for.
    pub(super) fn abandoned(&mut self, client: u8, server: Node, serial: u32) {
        self.clients[usize::from(client)].pending = None;
        self.events.push(Event::Abandoned { client, server, serial });
        self.chances.push(Chance::ClientFree { client });
    }

    fn awaits(&self, server: Node, client: u8, serial: u32) -> Option<Op> {
        self.clients.get(usize::from(client))?.awaits(server, serial)
    }

    pub(super) fn serve(&mut self, node: Node, serving: Option<PeerState>) {
        self.nodes[node.index()].serving = serving.is_some();
        self.events.push(Event::Serving { node, state: serving });
        if serving.is_none() {
            self.abandon(node);
        }
    }

    /// The connections of clients to `server` broke.
    pub(super) fn abandon(&mut self, server: Node) {
        for client in 0..self.clients.len() {
            let session = &self.clients[client];
            if let Some((_, serial)) = session.pending.filter(|_| session.server == Some(server)) {
                self.abandoned(client as u8, server, serial);
            }
        }
    }
}
