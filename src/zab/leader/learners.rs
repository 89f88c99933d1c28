//! The leader's side of each link, from the first packet to the last.

use super::*;
use crate::zab::sync::{SyncPlan, SyncView};
use crate::zab::{Duration, Habit, LogSlice, ReadId, Request, SnapshotImage, SyncMode};

/// How long NEWLEADER trails behind what is forwarded: the thread that queues it is another one than those that propose and commit.
const QUEUE_TIME: Duration = Duration::from_millis(2);
/// The same while a whole state is being sent.
const SNAP_TIME: Duration = Duration::from_millis(20);

/// A state may travel as slowly as so many bytes a second. ZooKeeper's leader waits while it writes, however long that is.
const SLOWEST_TRANSFER: usize = 1 << 20;

impl Leader {
    /// Somebody connected to the quorum port.
    pub fn on_accepted(&mut self, local: &Local, now: Instant, link: LinkId) {
        let tick_deadline = self.tick.saturating_add(local.limits.init_limit).saturating_add(local.limits.sync_limit);
        let tick_deadline =
            if mutant!(local, Zk1697) { self.tick.saturating_add(local.limits.sync_limit) } else { tick_deadline };
        self.learners.push(Progress::new(link, now + local.limits.init_time(), tick_deadline));
    }

    /// A link ended. Whoever was on it will come back with a new one.
    pub fn on_closed(&mut self, link: LinkId) {
        self.learners.retain(|learner| learner.link != link);
        self.syncs.retain(|(_, origin)| *origin != SyncOrigin::Learner(link));
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
        let Some(index) = self.learners.iter().position(|learner| learner.link == link) else { return Ok(()) };
        let learner = &mut self.learners[index];
        match (learner.stage, message) {
            (ProgressStage::Active, message) => return self.on_active_message(local, now, index, message, out),
            (ProgressStage::Connected, Message::FollowerInfo { sid, accepted_epoch, config_version }) => {
                learner.sid = sid;
                return self.on_learner_info(local, now, index, accepted_epoch, config_version, out);
            }
            (ProgressStage::Connected, Message::ObserverInfo { sid, accepted_epoch, config_version }) => {
                learner.sid = sid;
                learner.is_observer = true;
                return self.on_learner_info(local, now, index, accepted_epoch, config_version, out);
            }
            (ProgressStage::Invited, Message::AckEpoch { last_zxid, current_epoch }) => {
                self.on_ack_epoch(local, now, index, last_zxid, current_epoch, out);
            }
            (ProgressStage::Syncing, Message::Ack { zxid })
                if zxid == Zxid::marker(self.epoch()) || local.conduct.has(Habit::UncountedAck) =>
            {
                self.on_new_leader_ack(local, now, index, zxid, out);
            }
            // The log writer of a follower of 3.8.0 is another thread than the one that acknowledges NEWLEADER, and may be faster. What
            // it says counts when the other has spoken (ZOOKEEPER-4685).
            (ProgressStage::Syncing, Message::Ack { zxid }) => {
                let early = &mut self.learners[index].early_ack;
                *early = (*early).max(Some(zxid));
            }
            // Followers of 3.8.0 log and acknowledge before UPTODATE. It says nothing: nobody waits here unless no quorum has
            // acknowledged NEWLEADER, and then nothing of this epoch is proposed yet, and the initial history needs no ACK.
            (ProgressStage::Acked, Message::Ack { .. }) => {}
            _ => self.drop_learner(index, Reason::Unexpected, out),
        }
        Ok(())
    }

    fn on_learner_info(
        &mut self,
        local: &mut Local,
        now: Instant,
        index: usize,
        accepted_epoch: Epoch,
        config_version: u64,
        out: &mut Outputs,
    ) -> Step {
        if config_version > local.verifiers.current.version() {
            self.drop_learner(index, Reason::LaterConfig, out);
            return Ok(());
        }
        let sid = self.learners[index].sid;
        if sid == local.sid || sid == Sid::NONE || accepted_epoch >= Epoch::LAST {
            // Nobody, a second server of our own number, whose acknowledgements would count as ours, or a promise that no
            // epoch is above.
            self.drop_learner(index, Reason::Unexpected, out);
            return Ok(());
        }
        let is_member = local.verifiers.current.role(sid).is_some();
        if is_member && self.proposal.decided().is_some_and(|epoch| accepted_epoch > epoch) {
            // It would refuse our epoch for ever: only an election above its promise brings it back.
            local.heard_promise = local.heard_promise.max(accepted_epoch);
            return Err(LeaveReason::LaterPromise);
        }
        let link = self.learners[index].link;
        while let Some(old) = self.learners.iter().position(|other| other.sid == sid && other.link != link) {
            // What still travels on an older link was sent before whatever happens on this one.
            self.drop_learner(old, Reason::Replaced, out);
        }
        let index = self.learners.iter().position(|other| other.link == link).expect("it was not dropped");
        let learner = &mut self.learners[index];
        learner.stage = ProgressStage::Joined;
        learner.give_up = now + local.limits.init_time();
        if matches!(self.stage, Stage::Choosing | Stage::Promising { .. }) {
            self.join(local, sid, accepted_epoch, out);
        } else {
            self.invite(local, now, index, out);
        }
        Ok(())
    }

    /// The epoch is chosen and durable: tell it.
    pub(super) fn invite(&mut self, local: &Local, now: Instant, index: usize, out: &mut Outputs) {
        let epoch = self.epoch();
        let learner = &mut self.learners[index];
        learner.stage = ProgressStage::Invited;
        learner.give_up = now + local.limits.init_time();
        out.push(Output::Send { link: learner.link, message: Message::LeaderInfo { epoch } });
    }

    fn on_ack_epoch(
        &mut self,
        local: &mut Local,
        now: Instant,
        index: usize,
        last_zxid: Zxid,
        current_epoch: Option<Epoch>,
        out: &mut Outputs,
    ) {
        let learner = &mut self.learners[index];
        learner.last_zxid = last_zxid;
        learner.stage = ProgressStage::Compared;
        learner.give_up = now + local.limits.init_time();
        let sid = learner.sid;
        if self.compare(local, sid, current_epoch, last_zxid, out) == Compared::Ahead {
            self.drop_learner(index, Reason::LearnerAhead, out);
        } else if matches!(self.stage, Stage::Establishing | Stage::Serving) {
            self.synchronize(local, now, index, None, out);
        } else {
            self.begin_early(local, now, out);
        }
    }

    /// Decides how this learner is brought up to date, and starts. Atomic with proposing and committing: whatever is
    /// proposed or committed from here on is sent to it as well (`Leader.startForwarding`).
    pub(super) fn synchronize(
        &mut self,
        local: &mut Local,
        now: Instant,
        index: usize,
        disk: Option<&LogSlice>,
        out: &mut Outputs,
    ) {
        let view = SyncView {
            learner_last: self.learners[index].last_zxid,
            leader_last: local.log.applied(),
            is_fresh: self.pipeline.last_proposed().is_marker(),
            conduct: local.conduct,
            window: local.log.window(),
            use_disk: local.limits.snapshot_size_factor.is_some(),
            disk,
            force_snapshot: local.limits.force_snapshot_sync,
        };
        match SyncPlan::choose(view) {
            SyncPlan::ReadLog => {
                let read = local.next_read();
                let size_factor =
                    local.limits.snapshot_size_factor.expect("the plan asks for the disk only if allowed");
                let learner = &mut self.learners[index];
                learner.stage = ProgressStage::Fetching { read };
                learner.mode = Some(SyncMode::DiskDiff);
                out.push(Output::ReadLog { read, from: learner.last_zxid, size_factor });
            }
            SyncPlan::Snap => {
                if self.is_throttled(local, index, true) {
                    return self.drop_learner(index, Reason::Throttled, out);
                }
                let read = local.next_read();
                let learner = &mut self.learners[index];
                learner.stage = ProgressStage::Fetching { read };
                learner.mode = Some(SyncMode::Snap);
                out.push(Output::ReadSnapshot { read });
            }
            SyncPlan::Send { mode, first, txns, through } => {
                if self.is_throttled(local, index, false) {
                    return self.drop_learner(index, Reason::Throttled, out);
                }
                self.planned(index, mode, through, out);
                let link = self.learners[index].link;
                out.push(Output::Send { link, message: first });
                for txn in txns {
                    let zxid = txn.zxid;
                    out.push(Output::Send { link, message: Message::Proposal { txn } });
                    out.push(Output::Send { link, message: Message::Commit { zxid } });
                }
                self.start_forwarding(local, now, index, through, out);
            }
        }
    }

    fn planned(&mut self, index: usize, mode: SyncMode, through: Zxid, out: &mut Outputs) {
        let learner = &mut self.learners[index];
        learner.mode = Some(mode);
        let (learner, learner_last) = (learner.sid, learner.last_zxid);
        out.push(Output::Milestone(Milestone::SyncPlanned { learner, mode, learner_last, through }));
    }

    /// Who does not vote is limited, observers and strangers: a participant may be what the quorum waits for (`LearnerSnapshotThrottler`).
    fn is_throttled(&self, local: &Local, index: usize, snap: bool) -> bool {
        let limits = &local.limits;
        let limit = if snap { limits.max_concurrent_snap_syncs } else { limits.max_concurrent_diff_syncs };
        let others = self.learners.iter().enumerate().filter(|(i, l)| *i != index && l.is_in_sync_transfer(snap));
        let is_voter = !self.learners[index].is_observer && local.verifiers.is_voter(self.learners[index].sid);
        !is_voter && others.count() >= limit as usize
    }

    /// The log was read.
    pub fn on_log_read(&mut self, local: &mut Local, now: Instant, read: ReadId, slice: &LogSlice, out: &mut Outputs) {
        if let Some(index) = self.fetching(read) {
            self.synchronize(local, now, index, Some(slice), out);
        }
    }

    /// The service's state was copied.
    pub fn on_snapshot_read(
        &mut self,
        local: &mut Local,
        now: Instant,
        read: ReadId,
        image: SnapshotImage,
        out: &mut Outputs,
    ) {
        let Some(index) = self.fetching(read) else { return };
        assert!(image.zxid == local.log.applied(), "the state is copied in the step that asks for it");
        self.planned(index, SyncMode::Snap, image.zxid, out);
        let link = self.learners[index].link;
        out.push(Output::Send { link, message: Message::Snap { zxid: image.zxid } });
        let length: usize = image.chunks.iter().map(|chunk| chunk.as_bytes().len()).sum();
        self.learners[index].transfer = Duration::from_secs((length / SLOWEST_TRANSFER) as u64);
        for chunk in image.chunks {
            out.push(Output::Send { link, message: Message::SnapChunk { chunk } });
        }
        out.push(Output::Send { link, message: Message::SnapDone });
        self.start_forwarding(local, now, index, image.zxid, out);
    }

    fn fetching(&self, read: ReadId) -> Option<usize> {
        self.learners.iter().position(|learner| learner.stage == ProgressStage::Fetching { read })
    }

    /// What is under way follows what was missing, then NEWLEADER.
    fn start_forwarding(&mut self, local: &Local, now: Instant, index: usize, through: Zxid, out: &mut Outputs) {
        let learner = &mut self.learners[index];
        let link = learner.link;
        learner.is_forwarding = !mutant!(local, PaperP1);
        if !local.conduct.has(Habit::StaleAcks) {
            self.pipeline.forget(&local.verifiers, learner.sid);
        }
        if !learner.is_observer {
            for txn in local.log.pending().iter().filter(|txn| txn.zxid > through) {
                out.push(Output::Send { link, message: Message::Proposal { txn: txn.clone() } });
                if mutant!(local, PaperP2) {
                    out.push(Output::Send { link, message: Message::Proposal { txn: txn.clone() } });
                }
            }
        }
        if local.conduct.has(Habit::NewleaderTrails) {
            let after = if learner.mode == Some(SyncMode::Snap) { SNAP_TIME } else { QUEUE_TIME };
            learner.stage = ProgressStage::Forwarding;
            learner.give_up = now + after;
        } else {
            self.send_new_leader(local, now, index, out);
        }
    }

    /// NEWLEADERs that are due ([`Habit::NewleaderTrails`]).
    pub(super) fn send_new_leaders(&mut self, local: &Local, now: Instant, out: &mut Outputs) {
        for index in 0..self.learners.len() {
            let learner = &self.learners[index];
            if learner.stage == ProgressStage::Forwarding && now >= learner.give_up {
                self.send_new_leader(local, now, index, out);
            }
        }
    }

    fn send_new_leader(&mut self, local: &Local, now: Instant, index: usize, out: &mut Outputs) {
        let epoch = self.epoch();
        let learner = &mut self.learners[index];
        learner.stage = ProgressStage::Syncing;
        let patience = if mutant!(local, Zk1697) { local.limits.sync_time() } else { local.limits.init_time() };
        learner.give_up = now + patience + learner.transfer;
        out.push(Output::Send { link: learner.link, message: Message::NewLeader { epoch } });
    }

    fn on_new_leader_ack(&mut self, local: &mut Local, now: Instant, index: usize, zxid: Zxid, out: &mut Outputs) {
        let is_counted = zxid == Zxid::marker(self.epoch());
        let learner = &mut self.learners[index];
        learner.stage = ProgressStage::Acked;
        learner.is_forwarding = true;
        learner.give_up = now + local.limits.init_time();
        learner.tick_deadline = learner.tick_deadline.max(self.tick.saturating_add(local.limits.sync_limit));
        let (sid, is_observer) = (learner.sid, learner.is_observer);
        if self.stage == Stage::Serving {
            let early = learner.early_ack.take();
            self.activate(local, now, index, out);
            if let Some(early) = early {
                // Its log has no gaps: what it has acknowledged, it has with everything before.
                self.pipeline.ack_through(&local.verifiers, sid, early);
                self.commit(local, out);
            }
        } else if is_counted && (!is_observer || mutant!(local, Zk769)) {
            self.acknowledge_new_leader(local, now, sid, out);
        }
    }

    /// A quorum has our history: this learner may serve. What was committed since its NEWLEADER follows.
    pub(super) fn activate(&mut self, local: &Local, now: Instant, index: usize, out: &mut Outputs) {
        let learner = &mut self.learners[index];
        learner.stage = ProgressStage::Active;
        learner.give_up = now + local.limits.sync_time();
        let link = learner.link;
        out.push(Output::Send { link, message: Message::UpToDate });
        let held = std::mem::take(&mut learner.held).into_iter();
        out.extend(held.map(|zxid| Output::Send { link, message: Message::Commit { zxid } }));
    }

    fn on_active_message(
        &mut self,
        local: &mut Local,
        now: Instant,
        index: usize,
        message: Message,
        out: &mut Outputs,
    ) -> Step {
        let learner = &mut self.learners[index];
        learner.give_up = now + local.limits.sync_time();
        learner.tick_deadline = self.tick.saturating_add(local.limits.sync_limit);
        let (link, sid) = (learner.link, learner.sid);
        match message {
            Message::Ack { zxid } => {
                learner.sync_limit.on_ack(zxid);
                self.pipeline.ack(&local.verifiers, sid, zxid);
                self.commit(local, out);
            }
            Message::Ping { sessions, .. } if sessions.as_bytes().is_empty() => {}
            Message::Ping { sessions, .. } => out.push(Output::Touched { from: sid, sessions }),
            Message::Revalidate(what) => out.push(Output::Heard { from: sid, what }),
            Message::Request(Request::Write(request)) => return self.on_submit(request, sid, local, out),
            Message::Request(Request::Sync) => self.sync(SyncOrigin::Learner(link), out),
            _ => self.drop_learner(index, Reason::Unexpected, out),
        }
        Ok(())
    }

    /// A sign of life to everybody; who does not acknowledge proposals in time is cut off instead.
    pub(super) fn ping(&mut self, local: &Local, now: Instant, out: &mut Outputs) {
        let (zxid, limit) = (self.pipeline.last_proposed(), local.limits.sync_time());
        for index in (0..self.learners.len()).rev() {
            let learner = &self.learners[index];
            if learner.is_timed() && !learner.sync_limit.holds(now, limit) {
                self.drop_learner(index, Reason::SyncLimit, out);
            } else if learner.is_sending() {
                out.push(Output::Send {
                    link: learner.link,
                    message: Message::Ping { zxid, sessions: Payload::EMPTY },
                });
            }
        }
    }

    /// Closes the links of those who were silent, or waited, too long.
    pub(super) fn drop_silent(&mut self, now: Instant, out: &mut Outputs) {
        for index in (0..self.learners.len()).rev() {
            let learner = &self.learners[index];
            if now >= learner.give_up {
                let reading = matches!(learner.stage, ProgressStage::Active);
                let reason = if reading { Reason::ReadTimeout } else { Reason::InitTimeout };
                self.drop_learner(index, reason, out);
            }
        }
    }

    fn drop_learner(&mut self, index: usize, reason: Reason, out: &mut Outputs) {
        let link = self.learners[index].link;
        out.push(Output::Disconnect { link, reason });
        self.on_closed(link);
    }
}
