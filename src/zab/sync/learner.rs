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
use crate::zab::{Epoch, Habit, LinkId, Message, Output, Outputs, Payload, Reason, SnapshotImage, Txn, Zxid};

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
    /// Of the oldest ones, those that go to memory alone as soon as there is a state to apply them to.
    unlogged: usize,
    /// Appended for NEWLEADER, to be delivered when the leader is established.
    settled: usize,
    /// Whether a proposal came.
    has_queued: bool,
    /// What is committed before NEWLEADER goes to memory alone, and this keeps it (`snapshotNeeded`).
    copy: Copy,
    /// Where the next proposal must follow.
    last_queued: Zxid,
    /// The last txn of the state that was received.
    snapshot: Option<Zxid>,
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
    Restored,
    /// SNAP: it becomes durable.
    Installing { write: WriteId },
    /// Durable.
    Ready,
}

/// What keeps the txns that no log does ([`Habit::SyncInMemory`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Copy {
    /// There are none: everything is logged.
    Unneeded,
    /// A snapshot on top of a log that was cut.
    AfterCut,
    /// The snapshot that came from the leader, written with what came after it.
    Received,
}

/// How far the acknowledgement of NEWLEADER has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Settle {
    /// NEWLEADER is still to come.
    Waiting,
    /// It came; the base is not durable yet.
    Base,
    /// currentEpoch becomes durable, before anything is logged ([`Habit::EpochBeforeHistory`]).
    EpochFirst { write: WriteId },
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
            unlogged: 0,
            settled: 0,
            has_queued: false,
            copy: Copy::Unneeded,
            last_queued: Zxid::MISSING,
            snapshot: None,
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
            || matches!(
                self.settle,
                Settle::Base | Settle::EpochFirst { .. } | Settle::History { .. } | Settle::Epoch { .. }
            )
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
        let snapshot = self.snapshot;
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
                if local.conduct.has(Habit::SyncInMemory) {
                    self.copy = Copy::AfterCut;
                }
                self.base = Base::Cutting { to, write: local.persist(Write::Truncate { to }, out) };
            }
            (Base::Unknown, Message::Snap { zxid }) => {
                self.last_queued = zxid;
                self.base = Base::Receiving { zxid, chunks: Vec::new() };
            }
            (Base::Receiving { chunks, .. }, Message::SnapChunk { chunk }) => chunks.push(chunk),
            (Base::Receiving { zxid, chunks }, Message::SnapDone) => {
                let (zxid, chunks) = (*zxid, std::mem::take(chunks));
                self.snapshot = Some(zxid);
                self.dirty = !mutant!(local, Zk3642);
                self.base = Base::Restored;
                if local.conduct.has(Habit::SyncInMemory) {
                    self.copy = Copy::Received;
                }
                local.log.restart_at(zxid);
                out.push(Output::Restore(SnapshotImage { zxid, chunks }));
            }
            (Base::Unknown | Base::Receiving { .. }, Message::Ping { .. }) => {}
            (Base::Unknown | Base::Receiving { .. }, _) => return Err(Reason::Unexpected),
            // ZooKeeper's leader forwards before it labels its state, so that what the state has may follow it.
            (_, Message::Proposal { txn } | Message::Inform { txn }) if Some(txn.zxid) <= snapshot => {}
            (_, Message::Commit { zxid }) if Some(zxid) <= snapshot => {}
            (_, Message::Proposal { txn }) => self.queue(local, txn)?,
            (_, Message::Commit { zxid }) => self.commit(local, zxid, out)?,
            (_, Message::Inform { txn }) => {
                let zxid = txn.zxid;
                self.queue(local, txn)?;
                self.commit(local, zxid, out)?;
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
        while local.conduct.has(Habit::AcksBeforeSync)
            && local.is_participant()
            && let Some(zxid) = local.next_synced()
        {
            out.push(Output::Send { link, message: Message::Ack { zxid } });
        }
    }

    /// The state was recovered after the cut.
    pub fn on_reloaded(&mut self, local: &mut Local, link: LinkId, out: &mut Outputs) -> Result<(), Reason> {
        let Base::Reloading { to } = self.base else { panic!("a learner reloads only after a cut") };
        self.dirty = false;
        let found = local.log.applied();
        let relabels = [Habit::SnapshotsSurviveACut, Habit::CutKeepsTheNext].iter().any(|&it| local.conduct.has(it));
        // A marker is in no log: everything before it is what had to be kept.
        let kept = found == to || (to.is_marker() && found != Zxid::MISSING) || mutant!(local, Zk3701);
        if relabels && found > to {
            local.log.relabel(to);
        } else if !kept {
            return Err(Reason::TruncateTarget { asked: to, found });
        }
        self.base = Base::Ready;
        self.apply_in_memory(local, out);
        self.advance(local, link, out);
        Ok(())
    }

    /// Goes on with the acknowledgement of NEWLEADER as far as the disk allows.
    fn advance(&mut self, local: &mut Local, link: LinkId, out: &mut Outputs) {
        if self.settle == Settle::Base {
            if self.base == Base::Restored {
                let zxid = local.log.applied();
                local.persist(Write::WriteSnapshot { zxid }, out);
                local.snapshot_taken();
                local.log.rebase();
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
            if self.copy == Copy::AfterCut {
                local.snapshot(out);
            }
            if local.conduct.has(Habit::EpochBeforeHistory) {
                self.settle = Settle::EpochFirst { write: local.persist(Write::CurrentEpoch(self.epoch), out) };
            } else {
                self.log_history(local, out);
            }
        }
        if let Settle::EpochFirst { write } = self.settle
            && local.is_durable(write)
        {
            self.log_history(local, out);
        }
        if let Settle::History { last } = self.settle
            && (local.is_durable(last) || local.conduct.has(Habit::AcksBeforeSync) || mutant!(local, Zk4646))
        {
            if self.copy == Copy::AfterCut && local.is_durable(last) {
                self.dirty = false;
            }
            while !local.conduct.has(Habit::AcksBeforeSync)
                && let Some(zxid) = local.log.next_synced(last)
            {
                let overtakes = local.log.pending().get(self.settled).is_some_and(|txn| txn.zxid <= zxid);
                if mutant!(local, Zk4685) && overtakes && local.is_participant() {
                    out.push(Output::Send { link, message: Message::Ack { zxid } });
                }
            }
            if local.conduct.has(Habit::EpochBeforeHistory) {
                return self.acknowledge(link, out);
            }
            self.settle = Settle::Epoch { write: local.persist(Write::CurrentEpoch(self.epoch), out) };
        }
        if let Settle::Epoch { write } = self.settle
            && (local.is_durable(write) || mutant!(local, Zk4646))
        {
            self.acknowledge(link, out);
        }
    }

    fn acknowledge(&mut self, link: LinkId, out: &mut Outputs) {
        self.settle = Settle::Acked;
        out.push(Output::Send { link, message: Message::Ack { zxid: Zxid::marker(self.epoch) } });
    }

    /// What NEWLEADER settles goes into the log.
    fn log_history(&mut self, local: &mut Local, out: &mut Outputs) {
        let all = [
            mutant!(local, Zk4685),
            mutant!(local, Zk4394),
            local.conduct.has(Habit::AcksBeforeSync) && local.is_participant(),
        ];
        let nothing = [mutant!(local, Zk3911), local.conduct.has(Habit::ObserverAcksEarly) && !local.is_participant()];
        let nothing = nothing.contains(&true);
        let logged = if all.contains(&true) { self.proposals.len() } else { self.committed };
        let logged = if nothing { 0 } else { logged };
        for txn in self.proposals.drain(..logged) {
            local.append(txn, out);
        }
        if !nothing {
            self.settled = std::mem::take(&mut self.committed);
        }
        self.settle = Settle::History { last: local.last_write() };
    }

    /// `enforceContinuousProposal`, from the base on.
    fn queue(&mut self, local: &Local, txn: Txn) -> Result<(), Reason> {
        let last = self.last_queued;
        let taken = txn.zxid.follows(last)
            || local.conduct.has(Habit::GapsOnlyWarn)
            || local.conduct.has(Habit::GapsBetweenEpochs) && (!self.has_queued || txn.zxid.epoch() > last.epoch())
            || mutant!(local, PaperP2) && txn.zxid == last;
        let beyond = txn.zxid.epoch() > self.epoch && !mutant!(local, Zk1277);
        if !taken || beyond {
            return Err(Reason::ProposalGap { last, got: txn.zxid });
        }
        (self.last_queued, self.has_queued) = (txn.zxid, true);
        self.proposals.push_back(txn);
        Ok(())
    }

    fn commit(&mut self, local: &mut Local, zxid: Zxid, out: &mut Outputs) -> Result<(), Reason> {
        let logged_all = local.conduct.has(Habit::AcksBeforeSync) || mutant!(local, Zk4685);
        if logged_all && local.log.pending().get(self.settled).is_some_and(|txn| txn.zxid == zxid) {
            if local.conduct.has(Habit::CommitFindsNothing) && self.proposals.is_empty() {
                return Err(Reason::CommitMismatch { head: None, got: zxid });
            }
            self.settled += 1;
            return Ok(());
        }
        let head = self.proposals.get(self.unlogged + self.committed).map(|txn| txn.zxid);
        if head != Some(zxid) {
            return Err(Reason::CommitMismatch { head, got: zxid });
        }
        if self.copy != Copy::Unneeded && self.settle == Settle::Waiting {
            self.unlogged += 1;
            self.apply_in_memory(local, out);
        } else {
            self.committed += 1;
        }
        Ok(())
    }

    /// What was committed before NEWLEADER goes to memory alone, once there is a state to apply it to.
    fn apply_in_memory(&mut self, local: &mut Local, out: &mut Outputs) {
        if self.unlogged == 0 || !matches!(self.base, Base::Restored | Base::Ready) {
            return;
        }
        for txn in self.proposals.drain(..std::mem::take(&mut self.unlogged)) {
            local.apply_in_memory(txn, out);
        }
        self.dirty |= !(self.copy == Copy::AfterCut && local.conduct.has(Habit::DirtyMemoryKept));
    }
}
