//! What makes an observer: it never votes and never acknowledges a txn; while it is being synchronised it gets PROPOSAL and
//! COMMIT like a follower, afterwards one INFORM for both (`Observer`, `ObserverZooKeeperServer`).

use std::collections::VecDeque;

use super::learner::{append_next, on_common_message};
use super::local::Local;
use super::{LinkId, Message, Outputs, Reason};

/// Phase 3 as an observer sees it.
pub(super) fn on_message(
    syncs: &mut VecDeque<u64>,
    local: &mut Local,
    link: LinkId,
    message: Message,
    out: &mut Outputs,
) -> Result<(), Reason> {
    match message {
        Message::Inform { txn } => {
            append_next(local, txn, out)?;
            local.deliver(out);
            Ok(())
        }
        message => on_common_message(syncs, link, message, out),
    }
}
