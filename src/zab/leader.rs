//! What only a leader holds: its epoch, its pipeline, and one [`Progress`] per learner (`Leader`, `LearnerHandler`).
//!
//! | stage | waits for | then |
//! |---|---|---|
//! | `Choosing` | a quorum of promises (T7) | acceptedEpoch is written |
//! | `Promising` | the own disk | LEADERINFO to all who joined |
//! | `Comparing` | a quorum of histories (T8) | currentEpoch is written |
//! | `Adopting` | the own disk | synchronisation begins: DIFF, TRUNC or SNAP, NEWLEADER |
//! | `Establishing` | a quorum of NEWLEADER acknowledgements (T9) | established: UPTODATE, serve |
//! | `Serving` | requests, acknowledgements, ticks | |

mod learners;

use std::collections::VecDeque;

use super::broadcast::Pipeline;
use super::discovery::{Compared, EpochAcks, EpochProposal, StateSummary};
use super::ensemble::Acks;
use super::local::Local;
use super::mutant;
use super::progress::{Progress, ProgressStage};
use super::storage::{Write, WriteId};
use super::timer::{Deadline, Timer, earliest};
use super::vote::PeerState;
use super::{
    Epoch, Habit, Instant, LeaveReason, LinkId, Message, Milestone, Output, Outputs, Payload, Phase, Reason, Rejected,
    Sid, Txn, Zxid,
};

/// The leading role.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leader {
    stage: Stage,
    proposal: EpochProposal,
    epoch_acks: EpochAcks,
    new_leader_acks: Acks,
    /// Where NEWLEADER may leave first ([`Habit::NewleaderUnordered`]): the own currentEpoch, which acknowledges it.
    adopting: Option<WriteId>,
    /// One per link, in the order of connecting.
    learners: Vec<Progress>,
    pipeline: Pipeline,
    /// Whose votes elected us: if one of them looks again early, waiting is in vain (ZOOKEEPER-3109).
    supporters: Acks,
    started: Instant,
    /// When the present stage is given up (T7, T8, T9).
    give_up: Instant,
    /// Ticks since serving began.
    tick: u32,
    /// The end of the current half tick (T10), from synchronisation on.
    half_tick_at: Instant,
    /// Whether the current half tick is the second one.
    second_half: bool,
    /// `sync` operations that wait for a commit, in the order of their zxids.
    syncs: VecDeque<(Zxid, SyncOrigin)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Choosing,
    Promising { write: WriteId },
    Comparing,
    Adopting { write: WriteId },
    Establishing,
    Serving,
}

/// Who asked for a `sync`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum SyncOrigin {
    Learner(LinkId),
    Client(u64),
}

/// Goes on, or ends the role.
type Step = Result<(), LeaveReason>;

impl Leader {
    /// Opens the quorum port and joins its own epoch proposal.
    pub fn start(local: &mut Local, supporters: Acks, now: Instant, out: &mut Outputs) -> Leader {
        local.entered(PeerState::Leading, Phase::Discovery, None, out);
        out.push(Output::Listen);
        local.snapshot(out);
        let summary = StateSummary { current_epoch: local.current_epoch, last_zxid: local.log.applied() };
        let mut leader = Leader {
            stage: Stage::Choosing,
            proposal: EpochProposal::new(local.conduct),
            epoch_acks: EpochAcks::new(summary, local.conduct),
            new_leader_acks: Acks::default(),
            adopting: None,
            learners: Vec::new(),
            pipeline: Pipeline::new(Zxid::ZERO),
            supporters,
            started: now,
            give_up: now + local.limits.init_time(),
            tick: 0,
            half_tick_at: Instant::NEVER,
            second_half: false,
            syncs: VecDeque::new(),
        };
        let promise = local.promise();
        leader.join(local, local.sid, promise, out);
        leader
    }

    /// How far it has come.
    pub fn phase(&self) -> Phase {
        match self.stage {
            Stage::Choosing | Stage::Promising { .. } | Stage::Comparing | Stage::Adopting { .. } => Phase::Discovery,
            Stage::Establishing => Phase::Synchronization,
            Stage::Serving => Phase::Broadcast,
        }
    }

    /// `sync`s that wait for a commit.
    pub fn pending_syncs(&self) -> usize {
        self.syncs.len()
    }

    /// The learners, for printing.
    pub fn learners(&self) -> &[Progress] {
        &self.learners
    }

    /// Closes what is open when the role ends.
    pub fn end(self, reason: Reason, out: &mut Outputs) {
        out.push(Output::Unlisten);
        out.extend(self.learners.iter().map(|learner| Output::Disconnect { link: learner.link, reason }));
        for (_, origin) in self.syncs {
            if let SyncOrigin::Client(token) = origin {
                out.push(Output::Reject(Rejected::Sync(token)));
            }
        }
    }

    /// A promise is told, by a learner or by the leader itself.
    fn join(&mut self, local: &mut Local, sid: Sid, accepted_epoch: Epoch, out: &mut Outputs) {
        if self.proposal.join(&local.verifiers.current, local.sid, sid, accepted_epoch) {
            let epoch = self.proposal.decided().expect("the last promise decided it");
            out.push(Output::Milestone(Milestone::EpochChosen { epoch, joined: self.proposal.joined() }));
            self.stage = Stage::Promising { write: local.persist(Write::AcceptedEpoch(epoch), out) };
        }
    }

    fn epoch(&self) -> Epoch {
        self.proposal.decided().expect("no later stage is reached without an epoch")
    }

    /// A history is compared, a learner's or the leader's own.
    fn compare(
        &mut self,
        local: &mut Local,
        sid: Sid,
        current_epoch: Option<Epoch>,
        last_zxid: Zxid,
        out: &mut Outputs,
    ) -> Compared {
        let compared = self.epoch_acks.ack(&local.verifiers.current, local.sid, sid, current_epoch, last_zxid);
        if compared == Compared::Decided {
            let (epoch, acked) = (self.epoch(), self.epoch_acks.acked());
            let last_zxid = local.log.applied();
            out.push(Output::Milestone(Milestone::EpochAcked { epoch, acked, last_zxid }));
            self.stage = Stage::Adopting { write: local.persist(Write::CurrentEpoch(epoch), out) };
        }
        compared
    }

    /// Something became durable.
    pub fn on_persisted(&mut self, local: &mut Local, now: Instant, through: WriteId, out: &mut Outputs) {
        match self.stage {
            Stage::Promising { write } if local.is_durable(write) => {
                self.stage = Stage::Comparing;
                self.give_up = now + local.limits.init_time();
                for index in 0..self.learners.len() {
                    if self.learners[index].stage == ProgressStage::Joined {
                        self.invite(local, now, index, out);
                    }
                }
                let (epoch, last_zxid) = (local.current_epoch, local.log.applied());
                self.compare(local, local.sid, Some(epoch), last_zxid, out);
                self.begin_early(local, now, out);
            }
            Stage::Adopting { write } if local.is_durable(write) => {
                self.begin_synchronization(local, now, out);
                self.acknowledge_new_leader(local, now, local.sid, out);
            }
            Stage::Establishing if self.adopting.take_if(|write| local.is_durable(*write)).is_some() => {
                self.acknowledge_new_leader(local, now, local.sid, out);
            }
            Stage::Serving => {
                while let Some(zxid) = local.log.next_synced(through) {
                    self.pipeline.ack(&local.verifiers, local.sid, zxid);
                }
                self.commit(local, out);
            }
            _ => {}
        }
    }

    fn begin_synchronization(&mut self, local: &mut Local, now: Instant, out: &mut Outputs) {
        let epoch = self.epoch();
        self.stage = Stage::Establishing;
        self.give_up = now + local.limits.init_time();
        self.half_tick_at = now + local.limits.tick_time / 2;
        self.pipeline = Pipeline::new(Zxid::marker(epoch));
        local.entered(PeerState::Leading, Phase::Synchronization, Some(epoch), out);
        if mutant!(local, Zk790) {
            local.log.mark(Zxid::marker(epoch));
        }
        for index in (0..self.learners.len()).rev() {
            if self.learners[index].stage == ProgressStage::Compared {
                self.synchronize(local, now, index, None, out);
            }
        }
    }

    /// Under [`Habit::NewleaderUnordered`] NEWLEADER does not wait for the own currentEpoch; only the own acknowledgement does.
    fn begin_early(&mut self, local: &mut Local, now: Instant, out: &mut Outputs) {
        if let Stage::Adopting { write } = self.stage
            && local.conduct.has(Habit::NewleaderUnordered)
        {
            self.adopting = Some(write);
            self.begin_synchronization(local, now, out);
        }
    }

    /// An acknowledgement of NEWLEADER: when every active configuration has its quorum, the leader is established.
    fn acknowledge_new_leader(&mut self, local: &mut Local, now: Instant, sid: Sid, out: &mut Outputs) {
        if self.stage != Stage::Establishing {
            return;
        }
        local.verifiers.add_ack(&mut self.new_leader_acks, sid);
        if mutant!(local, Zk769) {
            self.new_leader_acks.current.extend(local.verifiers.current.position(sid));
        }
        if !local.verifiers.has_all_quorums(self.new_leader_acks) {
            return;
        }
        let epoch = self.epoch();
        out.push(Output::Milestone(Milestone::Established { epoch, acks: self.new_leader_acks.current }));
        self.stage = Stage::Serving;
        self.give_up = Instant::NEVER;
        self.half_tick_at = now + local.limits.tick_time / 2;
        if !mutant!(local, Zk790) {
            local.log.mark(Zxid::marker(epoch));
        }
        local.serve(PeerState::Leading, epoch, out);
        for index in 0..self.learners.len() {
            if self.learners[index].stage == ProgressStage::Acked {
                self.activate(local, now, index, out);
            }
        }
    }

    /// A client of `from` wants to write.
    pub fn on_submit(&mut self, request: Payload, from: Sid, local: &Local, out: &mut Outputs) -> Step {
        if self.stage != Stage::Serving {
            out.push(Output::Reject(Rejected::Write(request)));
            return Ok(());
        }
        let mut zxid = self.pipeline.next();
        if mutant!(local, Zk1277) && zxid.counter() >= local.limits.counter_limit {
            let overflowed = Zxid::marker(zxid.epoch().next());
            if self.pipeline.last_committed() < self.pipeline.last_proposed() || overflowed.epoch() >= Epoch::LAST {
                out.push(Output::Reject(Rejected::Write(request)));
                return Ok(());
            }
            self.pipeline = Pipeline::new(overflowed);
            zxid = self.pipeline.next();
        }
        if zxid.counter() >= local.limits.counter_limit {
            out.push(Output::Reject(Rejected::Write(request)));
            return Err(LeaveReason::CounterExhausted);
        }
        out.push(Output::Prepare { zxid, from, request });
        Ok(())
    }

    /// The service made a txn of it: propose.
    pub fn on_prepared(&mut self, local: &mut Local, now: Instant, zxid: Zxid, payload: Payload, out: &mut Outputs) {
        assert!(
            self.stage == Stage::Serving && zxid == self.pipeline.next(),
            "a request is prepared in the step that asked for it"
        );
        let txn = Txn { zxid, payload };
        self.pipeline.push();
        for learner in self.learners.iter_mut().filter(|learner| learner.is_forwarding && !learner.is_observer) {
            if learner.is_timed() {
                learner.sync_limit.on_proposal(zxid, now);
            }
            out.push(Output::Send { link: learner.link, message: Message::Proposal { txn: txn.clone() } });
        }
        local.append(txn, out);
    }

    /// Commits what has its quorum, in order. More than one may be ready where several become durable at once.
    fn commit(&mut self, local: &mut Local, out: &mut Outputs) {
        while let Some((zxid, acks)) = self.pipeline.commit(&local.verifiers) {
            out.push(Output::Milestone(Milestone::Committed { zxid, acks: acks.current }));
            let txn = local.log.pending().front().expect("the pipeline and the pending log go in step");
            let hasty = local.conduct.has(Habit::CommitsBeforeUptodate) || mutant!(local, Zk4394);
            for learner in self.learners.iter_mut().filter(|learner| learner.is_forwarding) {
                if learner.holds_commits() && !hasty {
                    learner.held.push(zxid);
                    continue;
                }
                let message =
                    if learner.is_observer { Message::Inform { txn: txn.clone() } } else { Message::Commit { zxid } };
                out.push(Output::Send { link: learner.link, message });
            }
            local.deliver(out);
            while let Some((_, origin)) = self.syncs.pop_front_if(|(waits_for, _)| *waits_for <= zxid) {
                answer_sync(origin, out);
            }
        }
    }

    /// The service has something for that of a learner.
    pub fn on_tell(&self, to: Sid, what: Payload, out: &mut Outputs) {
        let active = |learner: &&Progress| learner.sid == to && learner.stage == ProgressStage::Active;
        if let Some(learner) = self.learners.iter().find(active) {
            out.push(Output::Send { link: learner.link, message: Message::Revalidate(what) });
        }
    }

    /// A client of this server asked for `sync`: the leader is its own authority (no round trip, no confirmation).
    pub fn on_sync(&mut self, token: u64, out: &mut Outputs) {
        if self.stage == Stage::Serving {
            self.sync(SyncOrigin::Client(token), out);
        } else {
            out.push(Output::Reject(Rejected::Sync(token)));
        }
    }

    /// Answers after every commit of what is proposed now.
    fn sync(&mut self, origin: SyncOrigin, out: &mut Outputs) {
        let last = self.pipeline.last_proposed();
        if last == self.pipeline.last_committed() {
            answer_sync(origin, out);
        } else {
            self.syncs.push_back((last, origin));
        }
    }

    /// One of our voters is looking again (`Leader.reportLookingSid`).
    pub fn on_looking(&mut self, local: &Local, now: Instant, sid: Sid) -> Step {
        if mutant!(local, Zk3109) {
            return Ok(());
        }
        let Some(patience) = local.limits.max_time_to_wait_for_epoch else { return Ok(()) };
        let supported = local.verifiers.current.position(sid).is_some_and(|p| self.supporters.current.contains(p));
        if self.stage == Stage::Choosing && supported && now.since(self.started) >= patience {
            return Err(LeaveReason::DisloyalVoter);
        }
        Ok(())
    }

    /// Timers may be due.
    pub fn on_wake(&mut self, local: &mut Local, now: Instant, out: &mut Outputs) -> Step {
        if mutant!(local, Zk1192) && now >= self.give_up && self.stage == Stage::Comparing {
            let (epoch, acked, last_zxid) = (self.epoch(), self.epoch_acks.acked(), local.log.applied());
            out.push(Output::Milestone(Milestone::EpochAcked { epoch, acked, last_zxid }));
            self.stage = Stage::Adopting { write: local.persist(Write::CurrentEpoch(epoch), out) };
            self.give_up = now + local.limits.init_time();
        }
        if now >= self.give_up {
            return Err(match self.stage {
                Stage::Choosing | Stage::Promising { .. } => LeaveReason::EpochTimeout,
                Stage::Comparing | Stage::Adopting { .. } => LeaveReason::EpochAckTimeout,
                Stage::Establishing | Stage::Serving => LeaveReason::NewLeaderTimeout,
            });
        }
        self.send_new_leaders(local, now, out);
        self.drop_silent(now, out);
        if now >= self.half_tick_at {
            self.half_tick_at = now + local.limits.tick_time / 2;
            if self.stage == Stage::Serving {
                if self.second_half {
                    self.tick += 1;
                    self.check_quorum(local, out)?;
                }
                self.second_half = !self.second_half;
            }
            // Also while a quorum is still being synchronised: who has acknowledged NEWLEADER measures our silence by syncLimit,
            // and would leave if another's snapshot takes longer.
            if self.stage == Stage::Serving || !local.conduct.has(Habit::SilentUntilServing) {
                self.ping(local, now, out);
            }
        }
        Ok(())
    }

    /// Every tick a quorum must have been heard of within syncLimit ticks.
    fn check_quorum(&self, local: &Local, out: &mut Outputs) -> Step {
        let mut synced = Acks::default();
        local.verifiers.add_ack(&mut synced, local.sid);
        for learner in self.learners.iter().filter(|learner| self.tick <= learner.tick_deadline) {
            if !learner.is_observer {
                local.verifiers.add_ack(&mut synced, learner.sid);
            } else if mutant!(local, Zk1294) {
                synced.current.extend(local.verifiers.current.position(learner.sid));
            }
        }
        out.push(Output::Milestone(Milestone::QuorumChecked { synced: synced.current }));
        if local.verifiers.has_all_quorums(synced) { Ok(()) } else { Err(LeaveReason::QuorumLost) }
    }

    /// When it wants to be woken.
    pub fn deadline(&self) -> Option<Deadline> {
        let own = match self.stage {
            Stage::Serving => Some((self.half_tick_at, Timer::HalfTick)),
            Stage::Establishing => {
                earliest(Some((self.half_tick_at, Timer::HalfTick)), Some((self.give_up, Timer::QuorumWait)))
            }
            _ => Some((self.give_up, Timer::QuorumWait)),
        };
        let learner = self.learners.iter().map(|learner| learner.give_up).min();
        earliest(own, learner.map(|at| (at, Timer::LearnerSilent)))
    }
}

fn answer_sync(origin: SyncOrigin, out: &mut Outputs) {
    out.push(match origin {
        SyncOrigin::Learner(link) => Output::Send { link, message: Message::Sync },
        SyncOrigin::Client(token) => Output::Synced { token },
    });
}
