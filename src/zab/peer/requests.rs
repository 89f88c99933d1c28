//! What the service asks of a peer, whatever its role.

use super::{Next, Peer, Role};
use crate::zab::{Instant, Output, Outputs, Payload, Rejected, Sid, Zxid};

impl Peer {
    pub(super) fn on_submit(&mut self, request: Payload, out: &mut Outputs) -> Next {
        match &mut self.role {
            Role::Leading(leader) => return leader.on_submit(request, self.local.sid, &self.local, out).into(),
            Role::Following(learner) | Role::Observing(learner) => learner.on_submit(request, out),
            _ => out.push(Output::Reject(Rejected::Write(request))),
        }
        Next::Stay
    }

    pub(super) fn on_prepared(&mut self, now: Instant, zxid: Zxid, payload: Payload, out: &mut Outputs) -> Next {
        let Role::Leading(leader) = &mut self.role else { panic!("only a leader asks for a txn") };
        leader.on_prepared(&mut self.local, now, zxid, payload, out);
        Next::Stay
    }

    pub(super) fn on_sync(&mut self, token: u64, out: &mut Outputs) -> Next {
        match &mut self.role {
            Role::Leading(leader) => leader.on_sync(token, out),
            Role::Following(learner) | Role::Observing(learner) => learner.on_sync(token, out),
            _ => out.push(Output::Reject(Rejected::Sync(token))),
        }
        Next::Stay
    }

    pub(super) fn on_tell(&mut self, to: Sid, what: Payload, out: &mut Outputs) -> Next {
        match &mut self.role {
            Role::Leading(leader) => leader.on_tell(to, what, out),
            Role::Following(learner) | Role::Observing(learner) => learner.on_tell(to, what, out),
            _ => {}
        }
        Next::Stay
    }
}
