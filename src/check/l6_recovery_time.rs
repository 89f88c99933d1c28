//! L6, recovery time: from the heal to a leader it is a metric, and a violation only where the run sets a budget. Where servers
//! have a limit on how long a leader waits for its epoch once a voter of its own looks again (`maxTimeToWaitForEpoch`,
//! ZOOKEEPER-3109), no leader may wait longer.

use super::{End, Property, Sink};
use crate::sim::{Node, Setup};
use crate::zab::{Duration, Instant, MemberSet, Notification, PeerState, Vote};

/// When the heal began, and when a leader first served after it.
#[derive(Clone, Debug, Default)]
pub struct RecoveryTime {
    healed: Option<Instant>,
    served: Option<Instant>,
}

impl RecoveryTime {
    /// The heal begins; whether a leader serves already.
    pub fn on_converge(&mut self, now: Instant, led: bool) {
        *self = RecoveryTime { healed: Some(now), served: led.then_some(now) };
    }

    /// A leader begins to serve.
    pub fn on_leader_serving(&mut self, now: Instant) {
        self.served.get_or_insert(now);
    }

    /// How long it took, once it did.
    pub fn metric(&self) -> Option<Duration> {
        Some(self.served?.since(self.healed?))
    }

    /// The bound is over.
    pub fn on_end(&self, end: &End, no_excuse: &str, out: &mut Sink) {
        let Some(budget) = end.recovery else { return };
        out.check(Property::L6, self.metric().is_some_and(|took| took <= budget), [], || {
            let seen = self.metric().map_or("there was none".into(), |took| format!("it took {took}"));
            (format!("an established leader within {budget} of the heal, since {no_excuse}"), seen)
        });
    }
}

/// Whether a leader that waits for its epoch gives up once a voter of its own looks again.
#[derive(Clone, Debug)]
pub struct Patience {
    limits: Vec<Option<Duration>>,
    /// Since when a leader waits, and who voted for it.
    waits: Vec<Option<(Instant, MemberSet)>>,
    /// Who must give up before the next step.
    due: Option<(Node, u64)>,
}

impl Patience {
    /// For a run that starts with `setup`.
    pub fn new(setup: &Setup) -> Patience {
        let limits: Vec<_> = setup.nodes.iter().map(|node| node.limits.max_time_to_wait_for_epoch).collect();
        Patience { waits: vec![None; limits.len()], limits, due: None }
    }

    /// An event of that step: whoever had to give up before it did not.
    pub fn on_step(&mut self, step: u64, out: &mut Sink) {
        let Some((node, _)) = self.due.take_if(|(_, since)| *since < step) else { return };
        out.check(Property::L6, false, [node], || {
            let expected = format!("{node} stops to wait for its epoch: it has waited beyond maxTimeToWaitForEpoch");
            (expected, "a voter of its own looks again, and it goes on waiting".into())
        });
    }

    /// An election ended.
    pub fn on_elected(&mut self, node: Node, vote: Vote, supporters: MemberSet, now: Instant) {
        self.waits[node.index()] = (vote.leader == node.sid()).then_some((now, supporters));
    }

    /// A leader chose its epoch: it waits no longer.
    pub fn on_epoch_chosen(&mut self, node: Node) {
        self.waits[node.index()] = None;
    }

    /// A role or a process ended.
    pub fn on_end_of_role(&mut self, node: Node, out: &mut Sink) {
        self.waits[node.index()] = None;
        if self.due.take_if(|(due, _)| *due == node).is_some() {
            out.check(Property::L6, true, [], || unreachable!("it held"));
        }
    }

    /// A notification was received. Clocks differ, so a leader has twice its time.
    pub fn on_heard(&mut self, from: Node, to: Node, notification: Notification, step: u64, now: Instant) {
        let (Some(limit), Some((since, supporters))) = (self.limits[to.index()], self.waits[to.index()]) else {
            return;
        };
        let looks = notification.state == PeerState::Looking && supporters.contains(from.index());
        if looks && from != to && now.since(since) >= limit * 2 {
            self.due = Some((to, step));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Patience;
    use crate::check::Property;
    use crate::check::Sink;
    use crate::check::test_support::{ends_badly, p};
    use crate::zab::{Duration, Epoch, Instant, MemberSet, Notification, PeerState, Sid, Vote, Zxid};

    /// p3 waits for its epoch since 0 ms, with a limit of 100 ms; what is left of L6 after `story`.
    fn waiting(story: impl FnOnce(&mut Patience, &mut Sink)) -> (usize, u64) {
        let mut patience =
            Patience { limits: vec![Some(Duration::from_millis(100)); 3], waits: vec![None; 3], due: None };
        let mut out = Sink::default();
        let vote = Vote { leader: Sid(3), zxid: Zxid::ZERO, peer_epoch: Epoch(0) };
        patience.on_elected(p(3), vote, MemberSet(0b110), Instant(0));
        story(&mut patience, &mut out);
        patience.on_step(100, &mut out);
        (out.violations().len(), out.checked(Property::L6))
    }

    fn looks(patience: &mut Patience, from: usize, at: u64) {
        let vote = Vote { leader: Sid(1), zxid: Zxid::ZERO, peer_epoch: Epoch(0) };
        let notification = Notification { state: PeerState::Looking, vote, round: 1, version: 2, config_version: 0 };
        patience.on_heard(p(from), p(3), notification, 7, Instant(0) + Duration::from_millis(at));
    }

    #[test]
    fn a_leader_that_waits_for_a_voter_that_left_is_noticed() {
        assert_eq!(waiting(|patience, _| looks(patience, 2, 200)), (1, 1));
        assert_eq!(waiting(|patience, _| looks(patience, 2, 199)), (0, 0), "it may wait so long");
        assert_eq!(waiting(|patience, _| looks(patience, 1, 500)), (0, 0), "p1 did not vote for it");
        let gives_up = |patience: &mut Patience, out: &mut Sink| {
            looks(patience, 2, 300);
            patience.on_end_of_role(p(3), out);
        };
        assert_eq!(waiting(gives_up), (0, 1));
        let chose = |patience: &mut Patience, _: &mut Sink| {
            patience.on_epoch_chosen(p(3));
            looks(patience, 2, 300);
        };
        assert_eq!(waiting(chose), (0, 0));
    }

    #[test]
    fn a_late_leader_is_noticed() {
        ends_badly(Property::L6, |story| {
            story.leader_is_late();
            story.lead(p(3), 2, &[1, 2]);
        });
    }

    #[test]
    fn no_leader_at_all_is_noticed() {
        ends_badly(Property::L6, |story| story.leader_is_late());
    }
}
