//! `Peer`: owns the role and routes inputs; the only place that assigns a role.
//!
//! ```text
//!            ┌──────────────── Leaving ◄───────────────┐
//!            ▼   drained, caught up with the disk      │ anything goes wrong
//!         Looking ── elected ──► Leading | Following | Observing
//! ```

mod next;
mod requests;
mod view;

use super::election::{Elected, Election};
use super::leader::Leader;
use super::learner::Learner;
use super::local::Local;
use super::log::Log;
use super::message::{NOTIFICATION_VERSION, Notification};
use super::mutant;
use super::storage::{Write, WriteId};
use super::vote::PeerState;
use super::{
    Config, Epoch, Habit, HaltReason, Input, Instant, LeaveReason, LinkId, Message, Milestone, Output, Outputs, Reason,
    Recovered, Sid,
};
use next::Next;

/// One server's protocol state: a pure machine. It reads no clock, does no IO and draws nothing at random.
///
/// A host drives it so:
///
/// 1. call [`Peer::new`] with what is on disk, or [`Peer::handle`] with one [`Input`] and the present time;
/// 2. execute the outputs in order; a crash may fall between any two of them;
/// 3. wait for the next input, at the latest until [`Peer::next_timeout`]; then it is [`Input::Wake`].
///
/// `handle` cannot fail: a peer that breaks the protocol costs it its link, a failed disk ends the process
/// ([`Output::Halt`]), and a broken invariant of this code panics with a sentence. Two peers that were given the same
/// inputs at the same times are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Peer {
    local: Local,
    role: Role,
    stopping: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Role {
    Looking(Election),
    Leading(Leader),
    Following(Learner),
    Observing(Learner),
    Leaving(Leaving),
    Halted,
}

/// Between two roles (`ZooKeeperServer.shutdown`): what was queued for the log is logged, then the state in memory is
/// made that of the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Leaving {
    /// What it answers to notifications meanwhile.
    state: PeerState,
    stage: LeavingStage,
    /// Whether the state in memory is not that of any log, so that catching up is not enough.
    dirty: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum LeavingStage {
    Draining { last: WriteId },
    Reloading,
    Pausing { until: Instant },
}

impl Peer {
    /// A server that boots with what it found on disk, and starts to look for a leader.
    ///
    /// Missing epoch files are derived from the history. A history of a later epoch than `currentEpoch` is what a crash
    /// leaves between the two writes of a synchronisation; it contains that epoch's whole initial history, so the epoch is
    /// adopted (hazard D17; ZooKeeper refuses to start).
    pub fn new(config: Config, recovered: Recovered, now: Instant, out: &mut Outputs) -> Peer {
        #[cfg(feature = "mutants")]
        let recovered = mutant::recovered(&config, recovered);
        let inverted = matches!((recovered.accepted_epoch, recovered.current_epoch), (Some(a), Some(c)) if a < c);
        let history = recovered.last_zxid.epoch();
        let current_epoch = recovered.current_epoch.unwrap_or(history).max(history);
        let accepted_epoch = recovered.accepted_epoch.unwrap_or(history).max(current_epoch);
        let found = (recovered.accepted_epoch, recovered.current_epoch);
        let window_size = config.limits.commit_log_count;
        let mut local = Local::new(config, accepted_epoch, current_epoch, Log::recovered(recovered, window_size));
        let refuses = local.conduct.has(Habit::RefusesToStart) || mutant!(local, Zk1653);
        if inverted || (refuses && found.1.is_some_and(|epoch| epoch < history)) {
            out.push(Output::Halt(HaltReason::EpochsInverted));
            return Peer { local, role: Role::Halted, stopping: true };
        }
        if found.0 != Some(accepted_epoch) {
            local.persist(Write::AcceptedEpoch(accepted_epoch), out);
        }
        if found.1 != Some(current_epoch) {
            local.persist(Write::CurrentEpoch(current_epoch), out);
        }
        let role = Role::Looking(Election::start(&mut local, now, out));
        Peer { local, role, stopping: false }
    }

    /// Takes one input at local time `now`, which never goes back, and appends what the host must do to `out`.
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut Outputs) {
        let next = match input {
            Input::Received { link, message } => self.on_message(now, link, message, out),
            Input::Persisted { through } => self.on_persisted(now, through, out),
            Input::Purged { base } => {
                self.local.log.purged(base);
                Next::Stay
            }
            Input::Wake => self.on_wake(now, out),
            Input::Notification { from, notification } => self.on_notification(now, from, notification, out),
            Input::Submit { request } => self.on_submit(request, out),
            Input::Prepared { zxid, payload } => self.on_prepared(now, zxid, payload, out),
            Input::Sync { token } => self.on_sync(token, out),
            Input::Tell { to, what } => self.on_tell(to, what, out),
            Input::Accepted { link } => {
                match &mut self.role {
                    Role::Leading(leader) => leader.on_accepted(&self.local, now, link),
                    _ => out.push(Output::Disconnect { link, reason: Reason::Unwanted }),
                }
                Next::Stay
            }
            Input::Connected { to, link } => {
                match &mut self.role {
                    Role::Following(learner) | Role::Observing(learner) if learner.leader() == to => {
                        learner.on_connected(&self.local, now, link, out);
                    }
                    _ => out.push(Output::Disconnect { link, reason: Reason::Unwanted }),
                }
                Next::Stay
            }
            Input::ConnectFailed { to } => match &mut self.role {
                Role::Following(learner) | Role::Observing(learner) if learner.leader() == to => {
                    learner.on_connect_failed(&self.local, now).into()
                }
                _ => Next::Stay,
            },
            Input::Closed { link } => match &mut self.role {
                Role::Leading(leader) => {
                    leader.on_closed(link);
                    Next::Stay
                }
                Role::Following(learner) | Role::Observing(learner) => learner.on_closed(link).into(),
                _ => Next::Stay,
            },
            Input::Reloaded(recovered) => self.on_reloaded(now, *recovered, out),
            Input::LogRead { read, slice } => {
                if let Role::Leading(leader) = &mut self.role {
                    leader.on_log_read(&mut self.local, now, read, &slice, out);
                }
                Next::Stay
            }
            Input::SnapshotRead { read, image } => {
                if let Role::Leading(leader) = &mut self.role {
                    leader.on_snapshot_read(&mut self.local, now, read, image, out);
                }
                Next::Stay
            }
            Input::NotRestored => match &mut self.role {
                Role::Following(learner) | Role::Observing(learner) => learner.on_not_restored(out).into(),
                _ => Next::Stay,
            },
            Input::WriteFailed { .. } => {
                self.halt(HaltReason::WriteFailed, out);
                Next::Stay
            }
            Input::Stop => {
                self.stopping = true;
                Next::Leave(LeaveReason::Stopping)
            }
        };
        match next {
            Next::Stay => {}
            Next::Elected(elected) => self.take_role(now, elected, out),
            Next::Leave(LeaveReason::CommitMismatch) => self.halt(HaltReason::CommitMismatch, out),
            Next::Leave(reason) => self.leave(now, reason, out),
        }
    }

    fn on_message(&mut self, now: Instant, link: LinkId, message: Message, out: &mut Outputs) -> Next {
        match &mut self.role {
            Role::Leading(leader) => leader.on_message(&mut self.local, now, link, message, out).into(),
            Role::Following(learner) | Role::Observing(learner) => {
                learner.on_message(&mut self.local, now, link, message, out).into()
            }
            _ => Next::Stay,
        }
    }

    fn on_persisted(&mut self, now: Instant, through: WriteId, out: &mut Outputs) -> Next {
        self.local.on_persisted(through);
        match &mut self.role {
            Role::Leading(leader) => leader.on_persisted(&mut self.local, now, through, out),
            Role::Following(learner) | Role::Observing(learner) => {
                learner.on_persisted(&mut self.local, now, through, out);
            }
            Role::Leaving(_) => self.advance_leaving(now, out),
            Role::Looking(_) | Role::Halted => {}
        }
        Next::Stay
    }

    fn on_wake(&mut self, now: Instant, out: &mut Outputs) -> Next {
        match &mut self.role {
            Role::Looking(election) => election.on_wake(&self.local, now, out).into(),
            Role::Leading(leader) => leader.on_wake(&mut self.local, now, out).into(),
            Role::Following(learner) | Role::Observing(learner) => learner.on_wake(now, out).into(),
            Role::Leaving(_) => {
                self.advance_leaving(now, out);
                Next::Stay
            }
            Role::Halted => Next::Stay,
        }
    }

    /// The reactions of `WorkerReceiver`, before the election sees the notification.
    fn on_notification(&mut self, now: Instant, from: Sid, n: Notification, out: &mut Outputs) -> Next {
        let local = &mut self.local;
        if matches!(self.role, Role::Halted) {
            return Next::Stay;
        }
        let is_voter = local.verifiers.is_voter(from);
        match &mut self.role {
            Role::Looking(election) if is_voter => {
                if n.state == PeerState::Looking && n.round < local.round {
                    out.push(Output::Notify { to: from, notification: election.notification(local) });
                }
                return election.on_notification(local, now, from, n, out).into();
            }
            Role::Leading(leader) if is_voter && n.state == PeerState::Looking => {
                if let Err(reason) = leader.on_looking(local, now, from) {
                    return Next::Leave(reason);
                }
            }
            _ => {}
        }
        // Who has settled is told nothing: a looking voter and a settled observer would answer each other without end.
        if n.state == PeerState::Looking {
            let round = if is_voter { self.local.vote_round } else { self.local.round };
            let notification = Notification {
                state: self.state(),
                vote: self.local.vote,
                round,
                version: NOTIFICATION_VERSION,
                config_version: self.local.verifiers.current.version(),
            };
            out.push(Output::Notify { to: from, notification });
        }
        Next::Stay
    }

    fn on_reloaded(&mut self, now: Instant, recovered: Recovered, out: &mut Outputs) -> Next {
        let window_size = self.local.limits.commit_log_count;
        match &mut self.role {
            Role::Following(learner) | Role::Observing(learner) if learner.is_reloading() => {
                self.local.log = Log::recovered(recovered, window_size);
                learner.on_reloaded(&mut self.local, now, out).into()
            }
            Role::Leaving(leaving) if leaving.stage == LeavingStage::Reloading => {
                self.local.log = Log::recovered(recovered, window_size);
                leaving.dirty = false;
                leaving.stage = LeavingStage::Draining { last: self.local.last_write() };
                self.advance_leaving(now, out);
                Next::Stay
            }
            _ => Next::Stay,
        }
    }

    fn take_role(&mut self, now: Instant, elected: Elected, out: &mut Outputs) {
        let Elected { vote, round, supporters } = elected;
        if vote.leader == self.local.sid && self.local.promise() >= Epoch::LAST {
            return self.leave(now, LeaveReason::CounterExhausted, out);
        }
        self.local.vote = vote;
        self.local.vote_round = round;
        out.push(Output::Milestone(Milestone::Elected { vote, round, supporters: supporters.current }));
        self.role = if vote.leader == self.local.sid {
            Role::Leading(Leader::start(&mut self.local, supporters, now, out))
        } else if self.local.is_participant() {
            Role::Following(Learner::start(&self.local, vote.leader, now, out))
        } else {
            Role::Observing(Learner::start(&self.local, vote.leader, now, out))
        };
    }

    fn leave(&mut self, now: Instant, reason: LeaveReason, out: &mut Outputs) {
        let state = self.state();
        let serving = self.is_serving();
        let (dirty, reloading) = match std::mem::replace(&mut self.role, Role::Halted) {
            Role::Leading(leader) => {
                leader.end(Reason::RoleEnded, out);
                (false, false)
            }
            Role::Following(learner) | Role::Observing(learner) => {
                let unsettled = (learner.is_dirty(), learner.is_reloading());
                learner.end(Reason::RoleEnded, out);
                unsettled
            }
            Role::Leaving(leaving) => {
                // Only a stop can come here; it changes what follows, not what is under way.
                self.role = Role::Leaving(leaving);
                return self.advance_leaving(now, out);
            }
            Role::Looking(_) => (false, false),
            Role::Halted => return,
        };
        if serving {
            out.push(Output::Serve { serving: None });
        }
        out.push(Output::Milestone(Milestone::Left { reason }));
        if state != PeerState::Leading {
            self.local.fast_forward_early(out);
        }
        // An answer is under way already: a second one could come when a later role no longer expects it.
        let draining = LeavingStage::Draining { last: self.local.last_write() };
        let stage = if reloading { LeavingStage::Reloading } else { draining };
        self.role = Role::Leaving(Leaving { state, stage, dirty });
        self.advance_leaving(now, out);
    }

    fn advance_leaving(&mut self, now: Instant, out: &mut Outputs) {
        let Role::Leaving(leaving) = &mut self.role else { return };
        if let LeavingStage::Draining { last } = leaving.stage {
            if !self.local.is_durable(last) {
                return;
            }
            while self.local.log.next_synced(last).is_some() {}
            if self.stopping {
                return self.halt(HaltReason::Stopped, out);
            }
            if leaving.dirty {
                leaving.stage = LeavingStage::Reloading;
                out.push(Output::Reload);
                return;
            }
            #[cfg(feature = "mutants")]
            if mutant!(self.local, Zk2845) {
                self.local.log.forget_pending();
            }
            self.local.fast_forward(out);
            // The role may have ended between a synchronised history and its epoch.
            let history = self.local.log.applied().epoch();
            if history > self.local.current_epoch && !self.local.conduct.has(Habit::RefusesToStart) {
                leaving.stage = LeavingStage::Draining { last: self.local.persist(Write::CurrentEpoch(history), out) };
                return;
            }
            let delay = self.local.limits.observer_election_delay;
            let pause = if leaving.state == PeerState::Observing { now + delay } else { now };
            leaving.stage = LeavingStage::Pausing { until: pause };
        }
        match leaving.stage {
            LeavingStage::Pausing { until } if self.stopping || now >= until => {
                if self.stopping {
                    return self.halt(HaltReason::Stopped, out);
                }
                self.role = Role::Looking(Election::start(&mut self.local, now, out));
            }
            _ => {}
        }
    }

    fn halt(&mut self, reason: HaltReason, out: &mut Outputs) {
        if !matches!(self.role, Role::Halted) {
            self.role = Role::Halted;
            out.push(Output::Halt(reason));
        }
    }
}
