//! A txn was applied: events, then the reply that waits for it, then what waits behind that.

use crate::zk::model::{CreateKind, ErrorCode, MultiResult, OpCode, Response, TxnHeader};
use crate::zk::service::tree::apply::{Applied, Outcome};

use super::connection::Work;
use super::{Around, Front};

/// Whose txn was delivered, as far as this server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// Asked for here, or perhaps: only the leader knows for certain.
    Here,
    /// Asked for at another server.
    Elsewhere,
}

impl Front {
    /// A committed txn was applied.
    pub fn on_applied(&mut self, txn: &TxnHeader, delivered: Delivered, applied: Applied, around: &mut Around<'_>) {
        let Applied { outcome, changes } = applied;
        self.fire(txn.zxid, changes, around);
        if txn.kind == OpCode::CreateSession {
            return self.on_session_created(txn.session, around);
        }
        let claimed = match delivered {
            Delivered::Here => self.claim(txn.session, txn.cxid, txn.kind),
            Delivered::Elsewhere => None,
        };
        if let Some(conn) = claimed {
            let waiting = self.conns.get_mut(&conn).and_then(|connection| connection.next_write());
            let waiting = waiting.expect("it was claimed");
            waiting.work = Work::Known(txn.zxid.0, answer(outcome));
        }
        if let Some(&conn) = self.by_session.get(&txn.session) {
            self.answer_in_turn(conn, around);
        }
        if txn.kind == OpCode::CloseSession {
            // Whoever asked for it, the client that still has a connection here has no session.
            if let Some(conn) = self.by_session.get(&txn.session) {
                self.close(*conn, around);
            }
            self.abandoned.remove(&txn.session);
        }
    }
}

/// What the client of a write is told, or the number of its error: one of a newer leader has no name here.
fn answer(outcome: Outcome) -> Result<Option<Response>, i32> {
    Ok(Some(match outcome {
        Outcome::Created { kind: CreateKind::Create, path, .. } => Response::Path(path),
        Outcome::Created { path, stat, .. } => Response::Created { path, stat },
        Outcome::Set(stat) => Response::Stat(stat),
        Outcome::Multi(parts) if parts.contains(&Outcome::Error(ErrorCode::SessionMoved.code())) => {
            return Err(ErrorCode::SessionMoved.code());
        }
        Outcome::Multi(parts) => Response::Multi(parts.into_iter().map(result).collect()),
        Outcome::Deleted | Outcome::Checked | Outcome::SessionCreated | Outcome::SessionClosed => return Ok(None),
        Outcome::Error(error) => return Err(error),
    }))
}

/// The same for a part of a multi.
fn result(outcome: Outcome) -> MultiResult {
    match outcome {
        Outcome::Created { kind: CreateKind::Create, path, .. } => MultiResult::Created(path),
        Outcome::Created { path, stat, .. } => MultiResult::Created2 { path, stat: Some(stat) },
        Outcome::Deleted => MultiResult::Deleted,
        Outcome::Set(stat) => MultiResult::Set(stat),
        Outcome::Error(error) => MultiResult::Error(error),
        Outcome::Checked | Outcome::SessionCreated | Outcome::SessionClosed | Outcome::Multi(_) => MultiResult::Checked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_a_newer_leader_reaches_its_client() {
        assert_eq!(answer(Outcome::Error(-128)), Err(-128));
        assert_eq!(answer(Outcome::Error(-101)), Err(ErrorCode::NoNode.code()));
        let moved = Outcome::Multi(vec![Outcome::Error(0), Outcome::Error(-118)]);
        assert_eq!(answer(moved), Err(ErrorCode::SessionMoved.code()));
    }
}
