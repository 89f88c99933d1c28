//! The learner's half: from the first synchronisation packet to UPTODATE (`Learner.syncWithLeader`).
//!
//! The hardened order, each arrow a durability point of its own:
//! history cut or replaced → committed txns appended → currentEpoch → ACK(NEWLEADER).
//! Txns that arrive in between are queued whatever the mode, and go through the log like any other (hazard D2: applying
//! them to memory alone leaves a hole in the log). Observers do the same as followers (hazard D12).

use std::collections::VecDeque;

use crate::zab::local::Local;
use crate::zab::mutant;
use crate::zab::storage::{Write, WriteId};
use crate::zab::{Epoch, LinkId, Message, Output, Outputs, Payload, Reason, SnapshotImage, Txn, Zxid};

/// One synchronisation, seen by the learner.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LearnerSync {
    epoch: Epoch,
    base: Base,
    settle: Settle,
    /// Received, not logged (`packetsNotLogged`): contiguous, following the base.
    proposals: VecDeque<Txn>,
    /// How many of them are committed, from the oldest (`packetsCommitted`, whose zxids must match theirs).
    committed: usize,
    /// Appended for NEWLEADER, to be delivered when the leader is established.
    settled: usize,
    /// Where the next proposal must follow.
    last_queued: Zxid,
    /// Whether the service's state is not what the disk holds.
    dirty: bool,
}

/// What happens to the own history before anything is added.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Base {
    /// The first packet is still to come.
    Unknown,
    /// TRUNC: the cut becomes durable.
    Cutting { to: Zxid, write: WriteId },
    /// TRUNC: the state is recovered from what is left.
    Reloading { to: Zxid },
    /// SNAP: pieces arrive.
    Receiving { zxid: Zxid, chunks: Vec<Payload> },
    /// SNAP: the state is in memory, not on disk.
    Restored { zxid: Zxid },
    /// SNAP: it becomes durable.
    Installing { write: WriteId },
    /// Durable.
    Ready,
}

/// How far the acknowledgement of NEWLEADER has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Settle {
    /// NEWLEADER is still to come.
    Waiting,
    /// It came; the base is not durable yet.
    Base,
    /// Committed txns become durable.
    History { last: WriteId },
    /// currentEpoch becomes durable.
    Epoch { write: WriteId },
    /// It was acknowledged.
    Acked,
}

/// What a synchronisation leaves to be done when the leader is established.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftovers {
    /// How many txns were logged for NEWLEADER: they are committed now.
    pub settled: usize,
    /// What was received and is not logged.
    pub proposals: VecDeque<Txn>,
    /// How many of those are committed.
    pub committed: usize,
}

/// What comes of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synced {
    /// There is more to do.
    NotYet,
    /// UPTODATE: serve now.
    Serve,
}

impl LearnerSync {
    /// Ready for the first packet of the leader of `epoch`.
    pub fn new(epoch: Epoch) -> LearnerSync {
        LearnerSync {
            epoch,
            base: Base::Unknown,
            settle: Settle::Waiting,
            proposals: VecDeque::new(),
            committed: 0,
            settled: 0,
            last_queued: Zxid::MISSING,
            dirty: false,
        }
    }

    /// The epoch that is being adopted.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Whether the state in memory must be recovered from disk if this ends now.
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Whether it is this peer's own disk that is waited for, and not the leader.
    pub fn is_blocked(&self) -> bool {
        matches!(self.base, Base::Cutting { .. } | Base::Reloading { .. })
            || matches!(self.settle, Settle::Base | Settle::History { .. } | Settle::Epoch { .. })
    }

    /// Whether the state is being recovered after a cut.
    pub fn is_reloading(&self) -> bool {
        matches!(self.base, Base::Reloading { .. })
    }

    /// NEWLEADER was acknowledged: silence is now measured by syncLimit.
    pub fn is_acked(&self) -> bool {
        self.settle == Settle::Acked
    }

    /// What is left when it is time to serve.
    pub fn into_leftovers(self) -> Leftovers {
        Leftovers { settled: self.settled, proposals: self.proposals, committed: self.committed }
    }

    /// Takes a packet from the leader.
    pub fn on_message(
        &mut self,
        local: &mut Local,
        link: LinkId,
        message: Message,
        out: &mut Outputs,
    ) -> Result<Synced, Reason> {
        match (&mut self.base, message) {
            // No leader has what its epoch has not reached.
            (Base::Unknown, Message::Trunc { zxid } | Message::Snap { zxid })
                if zxid < Zxid::ZERO || zxid.epoch() > self.epoch =>
            {
                return Err(Reason::Unexpected);
            }
            // Without data there is nothing to add to.
            (Base::Unknown, Message::Diff { .. }) if local.log.applied() != Zxid::MISSING => {
                self.base = Base::Ready;
                self.last_queued = local.log.applied();
            }
            (Base::Unknown, Message::Trunc { zxid: to }) => {
                let one_less = mutant!(local, Zk1156) && !to.is_marker();
                let to = if one_less { Zxid(to.0 - 1) } else { to };
                let base = local.log.base();
                if to < base {
                    // The cut would destroy a history that others may count on: ask for a snapshot to replace it instead.
                    local.needs_snapshot = Some(self.epoch);
                    return Err(Reason::TruncateTarget { asked: to, found: base });
                }
                self.dirty = true;
                self.last_queued = if one_less { to.next() } else { to };
                self.base = Base::Cutting { to, write: local.persist(Write::Truncate { to }, out) };
            }
            (Base::Unknown, Message::Snap { zxid }) => {
                self.last_queued = zxid;
                self.base = Base::Receiving { zxid, chunks: Vec::new() };
            }
            (Base::Receiving { chunks, .. }, Message::SnapChunk { chunk }) => chunks.push(chunk),
            (Base::Receiving { zxid, chunks }, Message::SnapDone) => {
                let (zxid, chunks) = (*zxid, std::mem::take(chunks));
                self.dirty = !mutant!(local, Zk3642);
                self.base = Base::Restored { zxid };
                local.log.restart_at(zxid);
                out.push(Output::Restore(SnapshotImage { zxid, chunks }));
            }
            (Base::Unknown | Base::Receiving { .. }, Message::Ping { .. }) => {}
            (Base::Unknown | Base::Receiving { .. }, _) => return Err(Reason::Unexpected),
            (_, Message::Proposal { txn }) => self.queue(local, txn)?,
            (_, Message::Commit { zxid }) => self.commit(local, zxid)?,
            (_, Message::Inform { txn }) => {
                let zxid = txn.zxid;
                self.queue(local, txn)?;
                self.commit(local, zxid)?;
            }
            (_, Message::NewLeader { epoch }) if epoch == self.epoch && self.settle == Settle::Waiting => {
                self.settle = Settle::Base;
                self.advance(local, link, out);
            }
            (_, Message::UpToDate) if self.settle == Settle::Acked => return Ok(Synced::Serve),
            // Nothing answers a ping before it serves.
            (_, Message::Ping { .. }) => {}
            _ => return Err(Reason::Unexpected),
        }
        Ok(Synced::NotYet)
    }

    /// Something became durable.
    pub fn on_persisted(&mut self, local: &mut Local, link: LinkId, out: &mut Outputs) {
        if let Base::Cutting { to, write } = self.base
            && local.is_durable(write)
        {
            self.base = Base::Reloading { to };
            out.push(Output::Reload);
        }
        self.advance(local, link, out);
    }

    /// The state was recovered after the cut.
    pub fn on_reloaded(&mut self, local: &mut Local, link: LinkId, out: &mut Outputs) -> Result<(), Reason> {
        let Base::Reloading { to } = self.base else { panic!("a learner reloads only after a cut") };
        self.dirty = false;
        let found = local.log.applied();
        // A marker is in no log: everything before it is what had to be kept.
        let kept = found == to || (to.is_marker() && found != Zxid::MISSING) || mutant!(local, Zk3701);
        if !kept {
            return Err(Reason::TruncateTarget { asked: to, found });
        }
        self.base = Base::Ready;
        self.advance(local, link, out);
        Ok(())
    }

    /// Goes on with the acknowledgement of NEWLEADER as far as the disk allows.
    fn advance(&mut self, local: &mut Local, link: LinkId, out: &mut Outputs) {
        if self.settle == Settle::Base {
            if let Base::Restored { zxid } = self.base {
                local.persist(Write::WriteSnapshot { zxid }, out);
                local.snapshot_taken();
                self.base = Base::Installing { write: local.persist(Write::InstallSnapshot { zxid }, out) };
            }
            if let Base::Installing { write } = self.base
                && local.is_durable(write)
            {
                self.dirty = false;
                self.base = Base::Ready;
            }
            if self.base != Base::Ready {
                return;
            }
            let all = [mutant!(local, Zk4685), mutant!(local, Zk4394)].contains(&true);
            let logged = if all { self.proposals.len() } else { self.committed };
            let logged = if mutant!(local, Zk3911) { 0 } else { logged };
            for txn in self.proposals.drain(..logged) {
                local.append(txn, out);
            }
            if !mutant!(local, Zk3911) {
                self.settled = std::mem::take(&mut self.committed);
            }
            self.settle = Settle::History { last: local.last_write() };
        }
        if let Settle::History { last } = self.settle
            && (local.is_durable(last) || mutant!(local, Zk4646))
        {
            while let Some(zxid) = local.log.next_synced(last) {
                let overtakes = local.log.pending().get(self.settled).is_some_and(|txn| txn.zxid <= zxid);
                if mutant!(local, Zk4685) && overtakes && local.is_participant() {
                    out.push(Output::Send { link, message: Message::Ack { zxid } });
                }
            }
            self.settle = Settle::Epoch { write: local.persist(Write::CurrentEpoch(self.epoch), out) };
        }
        if let Settle::Epoch { write } = self.settle
            && (local.is_durable(write) || mutant!(local, Zk4646))
        {
            self.settle = Settle::Acked;
            out.push(Output::Send { link, message: Message::Ack { zxid: Zxid::marker(self.epoch) } });
        }
    }

    /// `enforceContinuousProposal`, from the base on.
    fn queue(&mut self, local: &Local, txn: Txn) -> Result<(), Reason> {
        let again = mutant!(local, PaperP2) && txn.zxid == self.last_queued;
        let beyond = txn.zxid.epoch() > self.epoch && !mutant!(local, Zk1277);
        if !again && !txn.zxid.follows(self.last_queued) || beyond {
            return Err(Reason::ProposalGap { last: self.last_queued, got: txn.zxid });
        }
        self.last_queued = txn.zxid;
        self.proposals.push_back(txn);
        Ok(())
    }

    fn commit(&mut self, local: &Local, zxid: Zxid) -> Result<(), Reason> {
        if mutant!(local, Zk4685) && local.log.pending().get(self.settled).is_some_and(|txn| txn.zxid == zxid) {
            self.settled += 1;
            return Ok(());
        }
        let head = self.proposals.get(self.committed).map(|txn| txn.zxid);
        if head != Some(zxid) {
            return Err(Reason::CommitMismatch { head, got: zxid });
        }
        self.committed += 1;
        Ok(())
    }
}
