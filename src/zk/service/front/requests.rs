//! Requests of a connection that has a session (`ZooKeeperServer.processPacket`).

use crate::replica::Ask;
use crate::zab::Zxid;
use crate::zk::model::{ErrorCode, OpCode, Reply, Request, RequestHeader, Response};
use crate::zk::service::ConnId;
use crate::zk::wire;

use super::connection::{Connection, Pending, Read, Work};
use super::reads::Reader;
use super::{Around, Front, frames};

impl Front {
    pub(super) fn on_request(&mut self, conn: ConnId, bytes: &[u8], around: &mut Around<'_>) {
        let connection = &self.conns[&conn];
        let (session, timeout) = (connection.session, connection.timeout);
        around.sessions.touch(around.now, session, timeout);
        self.silence.put_off(around.now, conn, timeout);
        let Ok((RequestHeader { xid, op }, record)) = wire::decode_header(bytes) else {
            return self.close(conn, around);
        };
        let ids = self.conns[&conn].ids.as_slice();
        let work = match OpCode::from_code(op) {
            Some(OpCode::Auth) => return self.authenticate(conn, xid, record, around),
            Some(OpCode::Sasl) => {
                // As a server without a login: a token of nothing, at once.
                let reply = Reply { xid, zxid: 0, error: 0, response: Some(Response::Token(Vec::new())) };
                return self.send(conn, frames::reply(&reply), around);
            }
            None | Some(OpCode::Notification | OpCode::CreateSession | OpCode::Check | OpCode::Error) => {
                Work::Dismiss(ErrorCode::Unimplemented)
            }
            // Only a leader asks for it, of itself.
            Some(OpCode::DeleteContainer) => Work::Refuse(ErrorCode::BadArguments),
            Some(op) if op.is_write() => {
                let request = frames::forwarded(session, xid, op, record, ids);
                around.asks.push(Ask::Submit(request));
                Work::Write(op)
            }
            Some(op) => match wire::decode_request(op, record) {
                Ok(request) => match (around.sessions.check(session, around.config.sid), request) {
                    (Ok(()), Request::Sync { path }) => {
                        self.last_sync += 1;
                        self.syncs.insert(self.last_sync, conn);
                        around.asks.push(Ask::Sync { token: self.last_sync });
                        Work::Sync(path)
                    }
                    (Ok(()), request) => {
                        let after = around.under_way.get(&session).copied().unwrap_or(Zxid::ZERO);
                        Work::Read(Read { request, ids: ids.len(), after })
                    }
                    (Err(error), _) => Work::Refuse(error),
                },
                Err(_) => Work::Refuse(ErrorCode::MarshallingError),
            },
        };
        let connection = self.conns.get_mut(&conn).expect("it was found above");
        connection.pending.push_back(Pending { xid, since: around.now, work });
        self.outstanding += 1;
        self.answer_in_turn(conn, around);
    }

    /// Answered at once, before what waits: clients know it by its number.
    fn authenticate(&mut self, conn: ConnId, xid: i32, record: &[u8], around: &mut Around<'_>) {
        let connection = self.conns.get_mut(&conn).expect("it sent this");
        let request = wire::decode_request(OpCode::Auth, record);
        let ids = match request {
            Ok(Request::Auth { scheme, auth, .. }) => {
                around.config.rules.access.authenticate(&scheme, &auth, connection.from)
            }
            _ => Err(ErrorCode::AuthFailed),
        };
        let added = ids.and_then(|ids| ids.into_iter().try_for_each(|id| connection.ids.add(id)));
        let error = added.map_or_else(ErrorCode::code, |()| 0);
        self.send(conn, frames::reply(&Reply { xid, zxid: 0, error, response: None }), around);
        if error != 0 {
            self.close(conn, around);
        }
    }

    /// Answers from the applied state; what the connection must be told first is sent.
    pub(super) fn read(
        &mut self,
        conn: ConnId,
        read: &Read,
        around: &mut Around<'_>,
    ) -> Result<Option<Response>, ErrorCode> {
        let Connection { session, ids, .. } = &self.conns[&conn];
        let mut reader = Reader {
            conn,
            session: *session,
            ids: &ids.as_slice()[..read.ids],
            tree: around.tree,
            access: &around.config.rules.access,
            max_buffer: around.config.rules.max_buffer,
            dialect: around.config.dialect,
            watches: &mut self.watches,
            events: Vec::new(),
        };
        let answer = reader.answer(&read.request);
        for event in std::mem::take(&mut reader.events) {
            self.send(conn, frames::event(&event, -1, around.config.dialect), around);
        }
        answer
    }
}
