//! Clients of ZooKeeper's own protocol: what they and their servers say to each other takes no time, and arrives in order while
//! the server's process runs and its machine does not stand still.

use std::net::{IpAddr, Ipv4Addr};

use super::World;
use crate::sim::session::{Session, Step, value_of};
use crate::sim::{Change, Digest, Event, Node, Op, TreeEvent, Znode};
use crate::zab::{Txn, Zxid};
use crate::zk::model::{SessionId, TxnBody, TxnRecord};
use crate::zk::service::{Answer, Call};
use crate::zk::wire;

impl World {
    /// A client begins an operation.
    pub(super) fn ask(&mut self, client: u8, server: Node, op: Op, serial: u32) {
        if !self.nodes[server.index()].is_up() {
            return self.refused(client, server, serial);
        }
        self.clients[usize::from(client)].pending = Some((op, serial));
        let mut steps = Vec::new();
        let before = self.sessions[usize::from(client)].server();
        self.sessions[usize::from(client)].ask(server, op, serial, &mut steps);
        // A connection that is given up is not at this server.
        for step in steps {
            let at = if matches!(step, Step::Close(_)) { before.unwrap_or(server) } else { server };
            self.take_step(client, at, step);
        }
    }

    /// The service of `server` has something for a client.
    pub(super) fn on_answer(&mut self, server: Node, answer: Answer) {
        let (Answer::Frame { conn, .. } | Answer::Close { conn }) = answer;
        let client = Session::client_of(conn);
        let mut steps = Vec::new();
        let Some(session) = self.sessions.get_mut(usize::from(client)).filter(|session| session.has(conn)) else {
            return;
        };
        match answer {
            Answer::Frame { bytes, .. } => session.on_frame(&bytes, &mut steps),
            Answer::Close { .. } => {
                session.on_closed(&mut steps);
                steps.push(Step::Close(conn));
            }
        }
        for step in steps {
            self.take_step(client, server, step);
        }
    }

    /// The process of `server` ended: so did every connection to it.
    pub(super) fn cut_off(&mut self, server: Node) {
        self.nodes[server.index()].calls.clear();
        for client in 0..self.sessions.len() {
            let session = &mut self.sessions[client];
            if session.server() == Some(server) {
                let mut steps = Vec::new();
                session.on_closed(&mut steps);
                for step in steps {
                    self.take_step(client as u8, server, step);
                }
            }
        }
    }

    /// Hands over what clients did, to processes that run.
    pub(super) fn take_calls(&mut self) {
        if self.sessions.is_empty() {
            return;
        }
        loop {
            let ready = |index: &usize| self.nodes[*index].is_running() && !self.nodes[*index].calls.is_empty();
            let Some(index) = (0..self.nodes.len()).find(ready) else { return };
            let Some(call) = self.nodes[index].calls.pop_front() else { return };
            self.call(Node::at(index), call);
        }
    }

    fn call(&mut self, node: Node, call: Call) {
        let state = &mut self.nodes[node.index()];
        let local = state.clock.to_local(self.now);
        let Some(replica) = &mut state.replica else { return };
        let mut effects = std::mem::take(&mut self.effects);
        replica.call(local, call, &mut effects);
        self.execute(node, &mut effects);
        self.effects = effects;
    }

    fn take_step(&mut self, client: u8, server: Node, step: Step) {
        let awaits = |world: &World, serial| {
            world.clients[usize::from(client)].pending.is_some_and(|(_, pending)| pending == serial)
        };
        match step {
            Step::Connect(conn) => {
                let from = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1 + client));
                self.send_call(server, Call::Connected { conn, from });
            }
            Step::Send(bytes) => {
                if let Some(conn) = self.sessions[usize::from(client)].conn() {
                    self.send_call(server, Call::Frame { conn, bytes });
                }
            }
            Step::Close(conn) => self.send_call(server, Call::Closed { conn }),
            Step::Event(event) => self.events.push(Event::Tree(event)),
            Step::Answered { serial, zxid, seen } if awaits(self, serial) => {
                self.clients[usize::from(client)].last_write = serial;
                self.answered(client, server, zxid, seen);
            }
            Step::Refused { serial } if awaits(self, serial) => self.refused(client, server, serial),
            Step::Unknown { serial } if awaits(self, serial) => self.abandoned(client, server, serial),
            // An operation that its client has given up.
            Step::Answered { .. } | Step::Refused { .. } | Step::Unknown { .. } => {}
        }
    }

    fn send_call(&mut self, server: Node, call: Call) {
        let state = &mut self.nodes[server.index()];
        if state.is_up() {
            state.calls.push_back(call);
        }
    }

    /// Shows what a txn does that is proposed.
    pub(super) fn show_changes(&mut self, node: Node, txn: &Txn, digest: Digest) {
        if self.sessions.is_empty() {
            return;
        }
        let Ok(record) = wire::decode_txn(txn.payload.as_bytes()) else { return };
        let zxid = txn.zxid;
        let mut show = |change| self.events.push(Event::Tree(TreeEvent::Change { node, zxid, digest, change }));
        let session = record.header.session;
        match &record.body {
            TxnBody::Multi(parts) if parts.iter().any(|part| matches!(part, TxnBody::Error(_))) => {}
            TxnBody::Multi(parts) => parts.iter().filter_map(|part| change_of(session, part)).for_each(show),
            body => change_of(session, body).into_iter().for_each(&mut show),
        }
    }

    /// Shows what a server has left of a session whose end it applied.
    pub(super) fn show_closed_session(&mut self, node: Node, txn: &Txn) {
        let Some(tree) = self.nodes[node.index()].replica().and_then(|replica| replica.service().tree()) else {
            return;
        };
        let Ok(TxnRecord { header, body: TxnBody::CloseSession { .. }, .. }) = wire::decode_txn(txn.payload.as_bytes())
        else {
            return;
        };
        let left = tree.ephemerals(header.session, "/").len() as u32;
        let (zxid, session): (Zxid, SessionId) = (txn.zxid, header.session);
        self.events.push(Event::Tree(TreeEvent::SessionClosed { node, zxid, session, left }));
    }
}

/// What a part of a txn does, where clients can see it.
fn change_of(session: SessionId, body: &TxnBody) -> Option<Change> {
    Some(match body {
        TxnBody::Create(create) => Change::Created {
            znode: Znode::of(&create.path)?,
            owner: if create.ephemeral { session } else { SessionId(0) },
            value: create.data.as_ref().map_or(0, value_of),
        },
        TxnBody::SetData { path, data, version } => {
            Change::Set { znode: Znode::of(path)?, value: data.as_ref().map_or(0, value_of), version: *version }
        }
        TxnBody::Delete { path } => Change::Deleted { znode: Znode::of(path)? },
        TxnBody::CreateSession { .. } => Change::SessionCreated { session },
        TxnBody::CloseSession { .. } => Change::SessionClosed { session },
        _ => return None,
    })
}
