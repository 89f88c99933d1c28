//! What followers and observers share: finding the leader, telling it who they are, and doing as it says
//! (`Learner`, `Follower`, `Observer`).
//!
//! | stage | waits for |
//! |---|---|
//! | `Connecting` | a link to the leader: 5 attempts, 100 ms apart, within the budget |
//! | `Registered` | LEADERINFO |
//! | `Promising` | the own disk: acceptedEpoch |
//! | `Syncing` | see [`LearnerSync`] |
//! | `Broadcast` | PROPOSAL, COMMIT (follower) or INFORM (observer), PING, SYNC |

use std::collections::VecDeque;

use super::local::Local;
use super::mutant;
use super::storage::{Write, WriteId};
use super::sync::{LearnerSync, Leftovers, Synced};
use super::timer::{Deadline, Timer, earliest};
use super::vote::PeerState;
use super::{
    Epoch, Habit, Instant, LeaveReason, LinkId, Message, Output, Outputs, Payload, Phase, Reason, Rejected, Request,
    Sid, Txn, Zxid,
};

/// Attempts to connect before giving up.
const CONNECT_ATTEMPTS: u8 = 5;

/// A learner of one leader.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Learner {
    leader: Sid,
    stage: Stage,
    /// The link to the leader, once connected.
    link: Option<LinkId>,
    /// When the leader will have been silent too long.
    silent_at: Instant,
    /// `sync` operations under way, oldest first.
    syncs: VecDeque<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Connecting { attempts: u8, give_up: Instant, retry: Option<Instant> },
    Registered,
    Promising { epoch: Epoch, write: WriteId, history: Option<Epoch> },
    Syncing(LearnerSync),
    Broadcast { epoch: Epoch },
}

/// Goes on, or ends the role.
type Step = Result<(), LeaveReason>;

impl Learner {
    /// Sets out for the leader.
    pub fn start(local: &Local, leader: Sid, now: Instant, out: &mut Outputs) -> Learner {
        local.entered(state(local), Phase::Discovery, None, out);
        out.push(Output::Connect { to: leader });
        Learner {
            leader,
            stage: Stage::Connecting { attempts: 1, give_up: now + local.limits.connect_time(), retry: None },
            link: None,
            silent_at: Instant::NEVER,
            syncs: VecDeque::new(),
        }
    }

    /// Whom it follows.
    pub fn leader(&self) -> Sid {
        self.leader
    }

    /// How far it has come.
    pub fn phase(&self) -> Phase {
        match self.stage {
            Stage::Connecting { .. } | Stage::Registered | Stage::Promising { .. } => Phase::Discovery,
            Stage::Syncing(_) => Phase::Synchronization,
            Stage::Broadcast { .. } => Phase::Broadcast,
        }
    }

    /// Whether the state in memory must be recovered from disk when the role ends now.
    pub fn is_dirty(&self) -> bool {
        matches!(&self.stage, Stage::Syncing(sync) if sync.is_dirty())
    }

    /// Whether it waits for the state to be recovered after a cut.
    pub fn is_reloading(&self) -> bool {
        matches!(&self.stage, Stage::Syncing(sync) if sync.is_reloading())
    }

    /// Closes what is open when the role ends.
    pub fn end(self, reason: Reason, out: &mut Outputs) {
        out.extend(self.link.map(|link| Output::Disconnect { link, reason }));
        out.extend(self.syncs.into_iter().map(|token| Output::Reject(Rejected::Sync(token))));
    }

    /// The connection stands: say who we are.
    pub fn on_connected(&mut self, local: &Local, now: Instant, link: LinkId, out: &mut Outputs) {
        if !matches!(self.stage, Stage::Connecting { retry: None, .. }) {
            out.push(Output::Disconnect { link, reason: Reason::Unwanted });
            return;
        }
        let sid = local.sid;
        let accepted_epoch = if mutant!(local, Zk335) { local.promise() } else { local.accepted_epoch };
        let config_version = local.verifiers.current.version();
        let message = if local.is_participant() {
            Message::FollowerInfo { sid, accepted_epoch, config_version }
        } else {
            Message::ObserverInfo { sid, accepted_epoch, config_version }
        };
        out.push(Output::Send { link, message });
        self.link = Some(link);
        self.stage = Stage::Registered;
        self.heard(local, now);
    }

    /// The connection was refused or timed out: the leader may not have opened its port yet.
    pub fn on_connect_failed(&mut self, local: &Local, now: Instant) -> Step {
        if let Stage::Connecting { attempts, give_up, retry: retry @ None } = &mut self.stage {
            let at = now + local.limits.connect_retry_delay;
            if *attempts == CONNECT_ATTEMPTS || at >= *give_up {
                return Err(LeaveReason::ConnectFailed);
            }
            *retry = Some(at);
        }
        Ok(())
    }

    /// A link ended.
    pub fn on_closed(&mut self, link: LinkId) -> Step {
        if self.link == Some(link) {
            self.link = None;
            return Err(LeaveReason::LinkLost);
        }
        Ok(())
    }

    /// A packet arrived.
    pub fn on_message(
        &mut self,
        local: &mut Local,
        now: Instant,
        link: LinkId,
        message: Message,
        out: &mut Outputs,
    ) -> Step {
        if self.link != Some(link) {
            return Ok(());
        }
        let taken = match &mut self.stage {
            Stage::Registered => self.on_leader_info(local, message, out),
            Stage::Syncing(sync) => match sync.on_message(local, link, message, out) {
                Ok(Synced::Serve) => {
                    self.enter_broadcast(local, link, out);
                    Ok(())
                }
                Ok(Synced::NotYet) => Ok(()),
                Err(reason) if local.needs_snapshot == Some(sync.epoch()) => {
                    self.start_over(local, now, reason, out);
                    Ok(())
                }
                Err(reason) => self.refuse(reason, out),
            },
            Stage::Broadcast { .. } => {
                let taken = match message {
                    Message::Revalidate(what) => {
                        out.push(Output::Heard { from: self.leader, what });
                        Ok(())
                    }
                    message if local.is_participant() => {
                        on_follower_message(&mut self.syncs, local, link, message, out)
                    }
                    message => super::observer::on_message(&mut self.syncs, local, link, message, out),
                };
                match taken {
                    Err(Reason::CommitMismatch { .. }) if local.conduct.has(Habit::CommitMismatchEndsTheProcess) => {
                        Err(LeaveReason::CommitMismatch)
                    }
                    taken => taken.or_else(|reason| self.refuse(reason, out)),
                }
            }
            Stage::Connecting { .. } | Stage::Promising { .. } => self.refuse(Reason::Unexpected, out),
        };
        self.heard(local, now);
        taken
    }

    fn on_leader_info(&mut self, local: &mut Local, message: Message, out: &mut Outputs) -> Step {
        let Message::LeaderInfo { epoch } = message else { return self.refuse(Reason::Unexpected, out) };
        if epoch > Epoch::LAST {
            return self.refuse(Reason::Unexpected, out);
        }
        if epoch < local.accepted_epoch && !mutant!(local, Zk335) {
            return self.refuse(Reason::StaleEpoch, out).or(Err(LeaveReason::StaleEpoch));
        }
        if epoch > local.accepted_epoch || mutant!(local, Zk335) {
            // The answer tells the epoch of the history before this handshake.
            let write = local.persist(Write::AcceptedEpoch(epoch), out);
            self.stage = Stage::Promising { epoch, write, history: Some(local.current_epoch) };
        } else {
            self.acknowledge_epoch(local, epoch, None, out);
        }
        Ok(())
    }

    fn acknowledge_epoch(&mut self, local: &mut Local, epoch: Epoch, current_epoch: Option<Epoch>, out: &mut Outputs) {
        let link = self.link.expect("a registered learner has a link");
        let message = if local.needs_snapshot.take() == Some(epoch) {
            // As a server without data would: it neither counts nor is compared, and gets the whole state.
            Message::AckEpoch { last_zxid: Zxid::MISSING, current_epoch: None }
        } else {
            Message::AckEpoch { last_zxid: local.log.applied(), current_epoch }
        };
        out.push(Output::Send { link, message });
        self.stage = Stage::Syncing(LearnerSync::new(epoch));
        local.entered(state(local), Phase::Synchronization, Some(epoch), out);
    }

    /// Something became durable.
    pub fn on_persisted(&mut self, local: &mut Local, now: Instant, through: WriteId, out: &mut Outputs) {
        let Some(link) = self.link else { return };
        match &mut self.stage {
            Stage::Promising { epoch, write, history } if local.is_durable(*write) => {
                let (epoch, history) = (*epoch, *history);
                self.acknowledge_epoch(local, epoch, history, out);
                self.heard(local, now);
            }
            Stage::Syncing(sync) => {
                let blocked = sync.is_blocked();
                sync.on_persisted(local, link, out);
                if blocked {
                    self.heard(local, now);
                }
            }
            Stage::Broadcast { .. } => acknowledge_synced(local, link, through, out),
            _ => {}
        }
    }

    /// The state was recovered from disk after a cut.
    pub fn on_reloaded(&mut self, local: &mut Local, now: Instant, out: &mut Outputs) -> Step {
        let (Stage::Syncing(sync), Some(link)) = (&mut self.stage, self.link) else { return Ok(()) };
        if let Err(reason) = sync.on_reloaded(local, link, out) {
            return self.refuse(reason, out);
        }
        self.heard(local, now);
        Ok(())
    }

    /// What the leader sent is no state. The history on disk is untouched, and read again when the role has ended.
    pub fn on_not_restored(&mut self, out: &mut Outputs) -> Step {
        self.refuse(Reason::UnreadableState, out)
    }

    /// UPTODATE: a quorum has the leader's history. What was proposed meanwhile goes the normal way.
    fn enter_broadcast(&mut self, local: &mut Local, link: LinkId, out: &mut Outputs) {
        let Stage::Syncing(sync) = std::mem::replace(&mut self.stage, Stage::Registered) else {
            panic!("only a synchronised learner enters broadcast")
        };
        let epoch = sync.epoch();
        self.stage = Stage::Broadcast { epoch };
        out.push(Output::Send { link, message: Message::Ack { zxid: Zxid::marker(epoch) } });
        let Leftovers { settled, proposals, committed } = sync.into_leftovers();
        (0..settled).for_each(|_| local.deliver_settled(out));
        local.serve(state(local), epoch, out);
        #[cfg(feature = "mutants")]
        let (proposals, committed) = local.apply_unlogged(proposals, committed, out);
        proposals.into_iter().for_each(|txn| local.append(txn, out));
        (0..committed).for_each(|_| local.deliver(out));
    }

    /// A client of this server wants to write: the leader decides.
    pub fn on_submit(&mut self, request: Payload, out: &mut Outputs) {
        match (&self.stage, self.link) {
            (Stage::Broadcast { .. }, Some(link)) => {
                out.push(Output::Send { link, message: Message::Request(Request::Write(request)) });
            }
            _ => out.push(Output::Reject(Rejected::Write(request))),
        }
    }

    /// A client of this server asked for `sync`.
    pub fn on_sync(&mut self, token: u64, out: &mut Outputs) {
        match (&self.stage, self.link) {
            (Stage::Broadcast { .. }, Some(link)) => {
                self.syncs.push_back(token);
                out.push(Output::Send { link, message: Message::Request(Request::Sync) });
            }
            _ => out.push(Output::Reject(Rejected::Sync(token))),
        }
    }

    /// The service has something for that of the leader.
    pub fn on_tell(&self, to: Sid, what: Payload, out: &mut Outputs) {
        if let (Stage::Broadcast { .. }, Some(link)) = (&self.stage, self.link)
            && to == self.leader
        {
            out.push(Output::Send { link, message: Message::Revalidate(what) });
        }
    }

    /// A timer may be due.
    pub fn on_wake(&mut self, now: Instant, out: &mut Outputs) -> Step {
        if let Stage::Connecting { attempts, give_up, retry } = &mut self.stage {
            if now >= *give_up {
                return Err(LeaveReason::ConnectFailed);
            }
            if retry.is_some_and(|at| now >= at) {
                *retry = None;
                *attempts += 1;
                out.push(Output::Connect { to: self.leader });
            }
        }
        if now >= self.silent_at { Err(LeaveReason::ReadTimeout) } else { Ok(()) }
    }

    /// When it wants to be woken.
    pub fn deadline(&self) -> Option<Deadline> {
        let connecting = match self.stage {
            Stage::Connecting { give_up, retry, .. } => {
                earliest(Some((give_up, Timer::ConnectBudget)), retry.map(|at| (at, Timer::ConnectRetry)))
            }
            _ => None,
        };
        earliest(connecting, (self.silent_at < Instant::NEVER).then_some((self.silent_at, Timer::LeaderSilent)))
    }

    /// The leader's silence is measured from here, but not while it is our own disk that keeps us.
    fn heard(&mut self, local: &Local, now: Instant) {
        self.silent_at = match &self.stage {
            Stage::Connecting { .. } | Stage::Promising { .. } => Instant::NEVER,
            Stage::Syncing(sync) if sync.is_blocked() => Instant::NEVER,
            Stage::Syncing(sync) if !sync.is_acked() => now + local.limits.init_time(),
            Stage::Registered => now + local.limits.init_time(),
            Stage::Syncing(_) | Stage::Broadcast { .. } => now + local.limits.sync_time(),
        };
    }

    /// The leader must send its state instead of a cut. It is asked at once, in the same epoch: this history was compared and
    /// counts, while after another election the leader might need it for the comparison again, and cut again.
    fn start_over(&mut self, local: &Local, now: Instant, reason: Reason, out: &mut Outputs) {
        out.extend(self.link.take().map(|link| Output::Disconnect { link, reason }));
        let again = Learner::start(local, self.leader, now, out);
        self.stage = again.stage;
    }

    fn refuse(&mut self, reason: Reason, out: &mut Outputs) -> Step {
        out.extend(self.link.take().map(|link| Output::Disconnect { link, reason }));
        Err(if reason == Reason::StaleEpoch { LeaveReason::StaleEpoch } else { LeaveReason::ProtocolError })
    }
}

/// The state a learner of this kind is in.
fn state(local: &Local) -> PeerState {
    if local.is_participant() { PeerState::Following } else { PeerState::Observing }
}

/// Phase 3 as a follower sees it: log, acknowledge when durable, deliver when committed. A gap or a commit that does not
/// match ends the link, not the process (hazard D11).
fn on_follower_message(
    syncs: &mut VecDeque<u64>,
    local: &mut Local,
    link: LinkId,
    message: Message,
    out: &mut Outputs,
) -> Result<(), Reason> {
    match message {
        Message::Proposal { txn } => append_next(local, txn, out),
        Message::Commit { zxid } => {
            let head = local.log.pending().front().map(|txn| txn.zxid);
            if head.is_none() && local.conduct.has(Habit::BroadcastGapsOnlyWarn) {
                return Ok(());
            }
            if head != Some(zxid) {
                return Err(Reason::CommitMismatch { head, got: zxid });
            }
            local.deliver(out);
            Ok(())
        }
        message => on_common_message(syncs, link, message, out),
    }
}

/// Logs a txn if it is the next one, and of the leader's own epoch: a later one would be adopted when the role ends.
pub(super) fn append_next(local: &mut Local, txn: Txn, out: &mut Outputs) -> Result<(), Reason> {
    let last = local.log.last();
    let is_foreign = txn.zxid.epoch() != local.current_epoch && !mutant!(local, Zk1277);
    let follows = txn.zxid.follows(last) || local.conduct.has(Habit::BroadcastGapsOnlyWarn);
    if !follows || is_foreign {
        return Err(Reason::ProposalGap { last, got: txn.zxid });
    }
    local.append(txn, out);
    Ok(())
}

/// What every learner answers alike.
pub(super) fn on_common_message(
    syncs: &mut VecDeque<u64>,
    link: LinkId,
    message: Message,
    out: &mut Outputs,
) -> Result<(), Reason> {
    match message {
        Message::Ping { zxid, .. } => {
            out.push(Output::Send { link, message: Message::Ping { zxid, sessions: Payload::EMPTY } });
        }
        Message::Sync => {
            let token = syncs.pop_front().ok_or(Reason::Unexpected)?;
            out.push(Output::Synced { token });
        }
        _ => return Err(Reason::Unexpected),
    }
    Ok(())
}

/// Followers acknowledge what became durable, in order; observers keep quiet.
fn acknowledge_synced(local: &mut Local, link: LinkId, through: WriteId, out: &mut Outputs) {
    let acknowledge = local.is_participant();
    while let Some(zxid) = local.log.next_synced(through) {
        if acknowledge {
            out.push(Output::Send { link, message: Message::Ack { zxid } });
        }
    }
}
