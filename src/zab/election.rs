//! Phase 0: fast leader election (`FastLeaderElection.lookForLeader`).
//!
//! ```text
//! everybody                       everybody
//!   notification(own vote, round) ──►   a better vote is adopted and passed on
//!   ◄── notification(best vote, round)  a quorum for one vote, and 200 ms without a better one: settled
//! a late joiner
//!   notification(own vote, round) ──►   settled peers answer with the vote they settled on
//!   ◄── the leader's and a quorum of followers' equal votes: joined
//! ```
//!
//! There is no randomness: ties are broken by sid, lost notifications are repeated at intervals that double.

use std::collections::BTreeMap;

use super::ensemble::Acks;
use super::local::Local;
use super::message::{NOTIFICATION_VERSION, Notification};
use super::mutant;
use super::timer::{Deadline, Timer};
use super::vote::{CastVote, PeerState, Vote};
use super::{Duration, Habit, Instant, Milestone, Output, Outputs, Phase, Sid, Zxid};

/// One call of `lookForLeader`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Election {
    /// What this peer would like if it were alone.
    initial: Vote,
    /// The best vote of this round so far.
    proposed: Vote,
    /// Votes of this round.
    recvset: BTreeMap<Sid, CastVote>,
    /// Votes of settled peers, of any round.
    outofelection: BTreeMap<Sid, CastVote>,
    /// How long to wait for notifications before repeating ours; doubles.
    wait: Duration,
    /// When the current wait ends. Not even a notification prolongs it: of two peers in one round that wait equally long, one could
    /// otherwise keep the other, whose vote is better, from ever repeating it.
    deadline: Instant,
    /// Whose votes made the quorum, while we wait lest a better vote arrives.
    finalizing: Option<Acks>,
}

/// How an election ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Elected {
    /// The outcome.
    pub vote: Vote,
    /// The round of the outcome.
    pub round: u64,
    /// Whose votes made the quorum.
    pub supporters: Acks,
}

impl Election {
    /// Starts a new round with the own vote.
    pub fn start(local: &mut Local, now: Instant, out: &mut Outputs) -> Election {
        local.round = local.round.saturating_add(1);
        local.entered(PeerState::Looking, Phase::Election, None, out);
        let initial = if local.is_participant() {
            Vote { leader: local.sid, zxid: local.log.applied(), peer_epoch: local.current_epoch }
        } else {
            Vote::NOBODY
        };
        let wait = local.limits.min_notification_interval;
        let election = Election {
            initial,
            proposed: initial,
            recvset: BTreeMap::new(),
            outofelection: BTreeMap::new(),
            wait,
            deadline: now + wait,
            finalizing: None,
        };
        election.broadcast(local, out);
        election
    }

    /// What this peer says while it looks.
    pub fn notification(&self, local: &Local) -> Notification {
        Notification {
            state: PeerState::Looking,
            vote: self.proposed,
            round: local.round,
            version: NOTIFICATION_VERSION,
            config_version: local.verifiers.current.version(),
        }
    }

    /// Takes a voter's notification.
    pub fn on_notification(
        &mut self,
        local: &mut Local,
        now: Instant,
        from: Sid,
        n: Notification,
        out: &mut Outputs,
    ) -> Option<Elected> {
        if self.finalizing.is_some() {
            if !beats(local, &n.vote, &self.proposed) {
                // Consumed and dropped, whatever it was; the wait starts again.
                self.deadline = now + local.limits.finalize_wait;
                return None;
            }
            // Whoever has settled is followed with a quorum of its like or not at all. A minority that holds on to a leader of its own
            // would otherwise end the wait of every voter that looks, again and again.
            let is_elsewhere = n.state != PeerState::Looking && !self.is_supporter(local, from);
            if !is_elsewhere || local.conduct.has(Habit::SettledVotesInterrupt) {
                self.finalizing = None;
                self.deadline = now + self.wait;
            }
        } else if local.conduct.has(Habit::ChatterRestartsTheWait) {
            self.deadline = now + self.wait;
        }
        if !local.verifiers.is_voter(n.vote.leader) {
            return None;
        }
        match n.state {
            PeerState::Looking => {
                self.on_looking(local, now, from, n, out);
                None
            }
            PeerState::Observing => None,
            PeerState::Following | PeerState::Leading => self.on_settled(local, from, n),
        }
    }

    /// Whether its vote is one of those for the proposed leader.
    fn is_supporter(&self, local: &Local, sid: Sid) -> bool {
        self.recvset.get(&sid).is_some_and(|cast| cast.vote == self.proposed && cast.round == local.round)
    }

    fn on_looking(&mut self, local: &mut Local, now: Instant, from: Sid, n: Notification, out: &mut Outputs) {
        // A server without data takes no part, and is not listened to.
        if self.initial.zxid == Zxid::MISSING || n.vote.zxid == Zxid::MISSING {
            return;
        }
        if n.round > local.round {
            local.round = n.round;
            self.recvset.clear();
            let better = beats(local, &n.vote, &self.initial);
            self.propose(local, if better { n.vote } else { self.initial }, out);
        } else if n.round < local.round {
            return;
        } else if beats(local, &n.vote, &self.proposed) {
            self.propose(local, n.vote, out);
        }
        let cast = CastVote { vote: n.vote, round: n.round, state: PeerState::Looking, version: n.version };
        self.recvset.insert(from, cast);
        let mine = CastVote { vote: self.proposed, round: local.round, state: PeerState::Looking, version: 0 };
        let supporters = supporters(local, &self.recvset, &mine);
        if local.verifiers.has_all_quorums(supporters) {
            self.finalizing = Some(supporters);
            self.deadline = now + local.limits.finalize_wait;
        }
    }

    fn on_settled(&mut self, local: &mut Local, from: Sid, n: Notification) -> Option<Elected> {
        let cast = CastVote { vote: n.vote, round: n.round, state: n.state, version: n.version };
        if n.round == local.round {
            // ZooKeeper stores it without its version, hence settled votes of one round are compared by leader alone.
            self.recvset.insert(from, CastVote { version: 0, ..cast });
            if let Some(elected) = self.joined(local, &self.recvset, &cast) {
                return Some(elected);
            }
        }
        self.outofelection.insert(from, cast);
        let elected = self.joined(local, &self.outofelection, &cast)?;
        local.round = n.round;
        Some(elected)
    }

    /// Whether a quorum settled on the same leader, and the leader says so itself.
    fn joined(&self, local: &Local, votes: &BTreeMap<Sid, CastVote>, cast: &CastVote) -> Option<Elected> {
        let supporters = supporters(local, votes, cast);
        let elected = Elected { vote: cast.vote, round: cast.round, supporters };
        (local.verifiers.has_all_quorums(supporters) && check_leader(local, votes, cast)).then_some(elected)
    }

    /// A wait is over: repeat the notification, or settle.
    pub fn on_wake(&mut self, local: &Local, now: Instant, out: &mut Outputs) -> Option<Elected> {
        if now < self.deadline {
            return None;
        }
        if let Some(supporters) = self.finalizing {
            return Some(Elected { vote: self.proposed, round: local.round, supporters });
        }
        self.broadcast(local, out);
        self.wait = (self.wait * 2).min(local.limits.max_notification_interval);
        self.deadline = now + self.wait;
        None
    }

    /// When it wants to be woken.
    pub fn deadline(&self) -> Deadline {
        let timer = if self.finalizing.is_some() { Timer::FinalizeWait } else { Timer::NotificationWait };
        (self.deadline, timer)
    }

    fn propose(&mut self, local: &Local, vote: Vote, out: &mut Outputs) {
        self.proposed = vote;
        self.broadcast(local, out);
    }

    /// Tells every voter, itself included: the own vote enters the count by the loop-back.
    fn broadcast(&self, local: &Local, out: &mut Outputs) {
        out.push(Output::Milestone(Milestone::Proposed { vote: self.proposed, round: local.round }));
        let notification = self.notification(local);
        out.extend(local.verifiers.voters().map(|to| Output::Notify { to, notification }));
    }
}

fn beats(local: &Local, new: &Vote, current: &Vote) -> bool {
    let forgotten = mutant!(local, Zk1419)
        && new.zxid == current.zxid
        && new.leader > current.leader
        && local.verifiers.current.weight(new.leader) != 0;
    forgotten || new.beats(current, &local.verifiers.current)
}

fn agree(local: &Local, one: &CastVote, other: &CastVote) -> bool {
    if mutant!(local, Zk1732) {
        return one.vote == other.vote && one.round == other.round;
    }
    one.agrees_with(other)
}

fn supporters(local: &Local, votes: &BTreeMap<Sid, CastVote>, cast: &CastVote) -> Acks {
    let mut acks = Acks::default();
    for (sid, _) in votes.iter().filter(|(_, other)| agree(local, other, cast)) {
        local.verifiers.add_ack(&mut acks, *sid);
    }
    acks
}

/// `FastLeaderElection.checkLeader`: nobody is followed who does not say that it leads. Nobody leads without data, even if
/// followers of its former life vote for it in the round that its new life happens to be in.
fn check_leader(local: &Local, votes: &BTreeMap<Sid, CastVote>, cast: &CastVote) -> bool {
    if cast.vote.leader == local.sid {
        local.round == cast.round && local.log.applied() != Zxid::MISSING
    } else {
        let unchecked = mutant!(local, Zk975) && cast.round != local.round;
        unchecked || votes.get(&cast.vote.leader).is_some_and(|vote| vote.state == PeerState::Leading)
    }
}
