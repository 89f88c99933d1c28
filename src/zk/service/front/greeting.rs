//! The first frame: a session is created or resumed (`ZooKeeperServer.processConnectRequest`, `reopenSession`).
//!
//! ```text
//! client            its server                              leader
//!   ConnectRequest ─► new: createSession ──── REQUEST ─────► txn … applied: ConnectResponse
//!                     resumed: password, then at a leader: touch, ConnectResponse
//!                              at a learner ─ REVALIDATE ──► touch, takes the session over
//!                     ConnectResponse ◄────── REVALIDATE ───
//! ```

use crate::replica::Ask;
use crate::zk::model::{ConnectRequest, ConnectResponse, Request, SessionId};
use crate::zk::service::ConnId;
use crate::zk::service::sessions::{self, PASSWORD_LEN, Sessions};
use crate::zk::wire;

use super::connection::Stage;
use super::{Around, Front, frames};

impl Front {
    pub(super) fn on_greeting(&mut self, conn: ConnId, bytes: &[u8], around: &mut Around<'_>) {
        let Ok(request) = wire::decode_connect_request(bytes) else { return self.close(conn, around) };
        // A client that has seen more than this server would go back in time.
        if request.last_zxid_seen > around.tree.last_processed().0 {
            return self.close(conn, around);
        }
        let timeout = around.config.negotiate(request.timeout);
        if request.session == SessionId(0) {
            let session = self.new_session(around);
            self.join(conn, session, timeout, &request);
            let create = frames::internal(session, &Request::CreateSession { timeout });
            around.asks.push(Ask::Submit(create));
        } else {
            if let Some(other) = self.by_session.get(&request.session) {
                self.close(*other, around);
            }
            self.join(conn, request.session, timeout, &request);
            self.resume(conn, &request, timeout, around);
        }
        if self.conns.contains_key(&conn) {
            self.silence.put_off(around.now, conn, timeout);
        }
    }

    fn join(&mut self, conn: ConnId, session: SessionId, timeout: i32, request: &ConnectRequest) {
        let connection = self.conns.get_mut(&conn).expect("it sent its first frame");
        connection.stage = Stage::Joining;
        (connection.session, connection.timeout) = (session, timeout);
        connection.knows_read_only = request.read_only.is_some();
        self.by_session.insert(session, conn);
    }

    fn resume(&mut self, conn: ConnId, request: &ConnectRequest, timeout: i32, around: &mut Around<'_>) {
        let session = request.session;
        if !sessions::is_password(session, &request.password) {
            return self.joined(conn, Joined::Refused, around);
        }
        match around.sessions {
            Sessions::Leader(tracker) => {
                let joined = if tracker.touch(around.now, session, timeout) { Joined::Alive } else { Joined::Refused };
                tracker.moved(session, around.config.sid);
                self.joined(conn, joined, around);
            }
            Sessions::Learner { leader, .. } => {
                let what = frames::revalidate(session, timeout);
                around.asks.push(Ask::Tell { to: *leader, what });
            }
            Sessions::Off => unreachable!("nobody is greeted while nothing is served"),
        }
    }

    /// The leader's word on a session that somebody wants to resume.
    pub fn on_revalidated(&mut self, session: SessionId, joined: Joined, around: &mut Around<'_>) {
        if let Some(conn) = self.joining(session) {
            self.joined(conn, joined, around);
        }
    }

    /// A session was created; its connection is here, or was, or is elsewhere.
    pub(super) fn on_session_created(&mut self, session: SessionId, around: &mut Around<'_>) {
        if let Some(conn) = self.joining(session) {
            self.joined(conn, Joined::Alive, around);
        }
    }

    fn joining(&self, session: SessionId) -> Option<ConnId> {
        let conn = *self.by_session.get(&session)?;
        (self.conns[&conn].stage == Stage::Joining).then_some(conn)
    }

    fn joined(&mut self, conn: ConnId, joined: Joined, around: &mut Around<'_>) {
        let connection = self.conns.get_mut(&conn).expect("it is joining");
        let (session, timeout) = (connection.session, connection.timeout);
        let read_only = connection.knows_read_only.then_some(false);
        let refused = ConnectResponse {
            protocol_version: 0,
            timeout: 0,
            session: SessionId(0),
            password: [0; PASSWORD_LEN],
            read_only,
        };
        if joined == Joined::Refused {
            self.send(conn, frames::connect_response(&refused), around);
            return self.close(conn, around);
        }
        connection.stage = Stage::Open;
        let mut held = std::mem::take(&mut connection.held);
        let password = sessions::password(session);
        self.send(conn, frames::connect_response(&ConnectResponse { timeout, session, password, ..refused }), around);
        while let Some(bytes) = held.pop_front_if(|_| self.conns.contains_key(&conn)) {
            self.on_request(conn, &bytes, around);
        }
    }

    fn new_session(&mut self, around: &Around<'_>) -> SessionId {
        while around.tree.sessions().contains_key(&self.next_session)
            || self.by_session.contains_key(&self.next_session)
        {
            self.next_session.0 += 1;
        }
        let session = self.next_session;
        self.next_session.0 += 1;
        session
    }
}

/// Whether a session that somebody wants to resume is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// It is.
    Alive,
    /// It is over, or the password is wrong.
    Refused,
}
