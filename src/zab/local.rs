//! What a peer is whatever its role: its durable epochs, its history, its last vote, its numbered writes.

#[cfg(feature = "mutants")]
use std::collections::VecDeque;

use super::log::{Log, Window};
use super::mutant;
use super::storage::{ReadId, Write, WriteId};
use super::vote::{PeerState, Vote};
use super::{Conduct, Config, Epoch, Habit, Limits, Milestone, Output, Outputs, Phase, Sid, Txn, Verifiers, Zxid};

/// State shared by all roles. Roles change it; only [`Peer`](super::Peer) changes the role.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    /// This peer.
    pub sid: Sid,
    /// The configurations that must agree.
    pub verifiers: Verifiers,
    /// Times and sizes.
    pub limits: Limits,
    /// How it behaves.
    pub conduct: Conduct,
    /// The promise. Raised here only when the write is durable.
    pub accepted_epoch: Epoch,
    /// The epoch of the adopted history. Raised here only when the write is durable.
    pub current_epoch: Epoch,
    /// The greatest promise that a learner told; an epoch chosen here is above it. Memory only: it saves elections.
    pub heard_promise: Epoch,
    /// The leader of this epoch wanted a cut that the disk does not reach back to: next time it must send its state.
    pub needs_snapshot: Option<Epoch>,
    /// The history.
    pub log: Log,
    /// The last txn known to be committed and applied.
    pub committed: Zxid,
    /// The election round (`logicalclock`): survives roles, not the process.
    pub round: u64,
    /// What a settled peer answers with (`currentVote`).
    pub vote: Vote,
    /// The round of that vote.
    pub vote_round: u64,
    /// A promise whose write is under way.
    promising: Option<(WriteId, Epoch)>,
    /// An adopted epoch whose write is under way.
    adopting: Option<(WriteId, Epoch)>,
    last_write: WriteId,
    durable: WriteId,
    last_read: ReadId,
    since_snapshot: u32,
    bytes_since_snapshot: u64,
}

impl Local {
    /// The peer as it boots with `log`.
    pub fn new(config: Config, accepted_epoch: Epoch, current_epoch: Epoch, log: Log) -> Local {
        let vote = Vote { leader: config.sid, zxid: log.applied(), peer_epoch: current_epoch };
        Local {
            sid: config.sid,
            verifiers: Verifiers::of(config.ensemble),
            limits: config.limits,
            conduct: config.conduct,
            accepted_epoch,
            current_epoch,
            heard_promise: Epoch(0),
            needs_snapshot: None,
            committed: Zxid::ZERO,
            log,
            round: 0,
            vote,
            vote_round: 0,
            promising: None,
            adopting: None,
            last_write: WriteId(0),
            durable: WriteId(0),
            last_read: ReadId(0),
            since_snapshot: 0,
            bytes_since_snapshot: 0,
        }
    }

    /// Whether this peer votes.
    pub fn is_participant(&self) -> bool {
        self.verifiers.current.is_participant(self.sid)
    }

    /// What an epoch chosen here must be above, as far as this peer knows.
    pub fn promise(&self) -> Epoch {
        if mutant!(self, Zk335) {
            return self.log.applied().epoch();
        }
        self.accepted_epoch.max(self.heard_promise)
    }

    /// Asks for a write.
    pub fn persist(&mut self, write: Write, out: &mut Outputs) -> WriteId {
        self.last_write.0 += 1;
        match write {
            Write::AcceptedEpoch(epoch) => self.promising = Some((self.last_write, epoch)),
            Write::CurrentEpoch(epoch) => self.adopting = Some((self.last_write, epoch)),
            _ => {}
        }
        out.push(Output::Persist { id: self.last_write, write });
        self.last_write
    }

    /// Everything up to `through` is durable. Epochs count from here on even if the role that asked has ended meanwhile:
    /// what is on the disk never decreases.
    pub fn on_persisted(&mut self, through: WriteId) {
        debug_assert!(through <= self.last_write, "a write is durable after it was asked for");
        self.durable = self.durable.max(through);
        if let Some((_, epoch)) = self.promising.take_if(|(write, _)| *write <= through) {
            self.accepted_epoch = epoch;
        }
        if let Some((_, epoch)) = self.adopting.take_if(|(write, _)| *write <= through) {
            self.current_epoch = epoch;
        }
    }

    /// Whether `write` is durable.
    pub fn is_durable(&self, write: WriteId) -> bool {
        write <= self.durable
    }

    /// The last write asked for.
    pub fn last_write(&self) -> WriteId {
        self.last_write
    }

    /// A number for a read.
    pub fn next_read(&mut self) -> ReadId {
        self.last_read.0 += 1;
        self.last_read
    }

    /// Appends a txn to the log.
    pub fn append(&mut self, txn: Txn, out: &mut Outputs) {
        let is_hardened = self.conduct.habits.is_empty();
        debug_assert!(!is_hardened || txn.zxid.follows(self.log.last()), "{} follows a gap", txn.zxid);
        let unlogged = mutant!(self, Zk1552Equivalent) && !self.is_participant();
        let write = if unlogged { self.last_write } else { self.persist(Write::Append(txn.clone()), out) };
        self.log.append(txn, write);
    }

    /// Takes those of `proposals` that are committed without logging them, and gives back the others: the mutant zk-1264.
    #[cfg(feature = "mutants")]
    pub fn apply_unlogged(
        &mut self,
        mut proposals: VecDeque<Txn>,
        committed: usize,
        out: &mut Outputs,
    ) -> (VecDeque<Txn>, usize) {
        if !mutant!(self, Zk1264) {
            return (proposals, committed);
        }
        for txn in proposals.drain(..committed) {
            self.log.append(txn, self.last_write);
            self.deliver(out);
        }
        (proposals, 0)
    }

    /// Delivers the oldest pending txn, and takes a snapshot when it is time for one.
    pub fn deliver(&mut self, out: &mut Outputs) {
        let txn = self.log.apply().expect("only a pending txn is delivered");
        self.delivered(txn, out);
    }

    /// Delivers the oldest pending txn, which NEWLEADER settled.
    pub fn deliver_settled(&mut self, out: &mut Outputs) {
        if self.conduct.has(Habit::SettledNotInWindow) {
            let txn = self.log.apply_past_window().expect("only a pending txn is delivered");
            self.delivered(txn, out);
        } else {
            self.deliver(out);
        }
    }

    /// Applies a txn of a synchronisation to memory alone ([`Habit::SyncInMemory`]).
    pub fn apply_in_memory(&mut self, txn: Txn, out: &mut Outputs) {
        let passes = self.conduct.has(Habit::SyncNotInWindow);
        self.log.take(&txn, if passes { Window::Passed } else { Window::Entered });
        out.push(Output::FastForward(txn));
    }

    fn delivered(&mut self, txn: Txn, out: &mut Outputs) {
        self.committed = txn.zxid;
        self.since_snapshot += 1;
        self.bytes_since_snapshot += txn.payload.as_bytes().len() as u64;
        out.push(Output::Deliver(txn));
        let is_large = self.limits.snap_size_limit.is_some_and(|limit| self.bytes_since_snapshot >= limit);
        if is_large || self.since_snapshot >= self.limits.snap_count {
            self.snapshot(out);
        }
    }

    /// Writes a snapshot of the applied state, in the background.
    pub fn snapshot(&mut self, out: &mut Outputs) {
        self.snapshot_taken();
        self.persist(Write::WriteSnapshot { zxid: self.log.applied() }, out);
    }

    /// A snapshot file is under way by other means.
    pub fn snapshot_taken(&mut self) {
        (self.since_snapshot, self.bytes_since_snapshot) = (0, 0);
    }

    /// A learner's role ends: under [`Habit::MemoryLags`] memory catches up with what the log holds by now, and with nothing that is still to
    /// be written.
    pub fn fast_forward_early(&mut self, out: &mut Outputs) {
        if self.conduct.has(Habit::MemoryLags) {
            while self.log.is_head_synced() {
                out.extend(self.log.apply().map(Output::FastForward));
            }
            self.log.forget_pending();
        }
    }

    /// The next txn of ours that is durable and not acknowledged.
    pub fn next_synced(&mut self) -> Option<Zxid> {
        self.log.next_synced(self.durable)
    }

    /// Applies whatever is logged and not applied: the state in memory catches up with the log.
    pub fn fast_forward(&mut self, out: &mut Outputs) {
        while let Some(txn) = self.log.apply() {
            out.push(Output::FastForward(txn));
        }
    }

    /// Says which state and phase the peer is in now.
    pub fn entered(&self, state: PeerState, phase: Phase, epoch: Option<Epoch>, out: &mut Outputs) {
        out.push(Output::Milestone(Milestone::Entered { state, phase, epoch }));
    }

    /// Starts to serve clients in `epoch`: everything applied is committed, and late joiners are told the new epoch
    /// (`updateElectionVote`).
    pub fn serve(&mut self, state: PeerState, epoch: Epoch, out: &mut Outputs) {
        if !mutant!(self, Zk1732) {
            self.vote.peer_epoch = epoch;
        }
        self.committed = self.log.applied();
        self.entered(state, Phase::Broadcast, Some(epoch), out);
        out.push(Output::Serve { serving: Some(state) });
    }
}
