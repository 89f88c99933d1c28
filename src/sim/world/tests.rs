//! Worlds with real replicas, driven by the plainest of schedules.

use std::collections::BTreeMap;

pub(in crate::sim) mod zookeeper;

use super::*;
use crate::sim::{Action, Drift, History, LinkKey, Loss, NodeSetup, Op, Rng, Stream};
use crate::zab::{Conduct, Ensemble, Epoch, Limits, MemberRole, PeerState, Ratio, Sid, Zxid};

const MILLI: u64 = 1_000_000;

fn limits() -> Limits {
    Limits { tick_time: Duration::from_millis(100), snap_count: 50, commit_log_count: 20, ..Limits::default() }
}

fn setup(participants: usize, observers: usize) -> Setup {
    let role = |index| if index < participants { MemberRole::Participant } else { MemberRole::Observer };
    let members = (0..participants + observers).map(|index| (Sid(index as i64 + 1), role(index)));
    let node = NodeSetup { limits: limits(), drift: Drift::NONE, history: History::default(), starts: true };
    Setup {
        only: Vec::new(),
        ensemble: Ensemble::majority(members).unwrap(),
        nodes: vec![node; participants + observers],
        clients: 2,
        fifo: true,
        snapshot_chunk: 16,
        service: Default::default(),
        conduct: Conduct::default(),
    }
}

/// Gives every chance a small random delay.
struct Run {
    world: World,
    queue: BTreeMap<(u64, u64), Action>,
    planned: u64,
    rng: Rng,
    restarts: bool,
    counts: BTreeMap<&'static str, u64>,
    trace: Vec<(Instant, Action)>,
}

impl Run {
    fn new(setup: &Setup, seed: u64) -> Run {
        let mut run = Run {
            world: World::new(setup),
            queue: BTreeMap::new(),
            planned: 0,
            rng: Rng::new(seed, Stream::Faults, 0),
            restarts: true,
            counts: BTreeMap::new(),
            trace: Vec::new(),
        };
        run.collect(0);
        run
    }

    fn plan(&mut self, at: u64, action: Action) {
        self.planned += 1;
        self.queue.insert((at, self.planned), action);
    }

    fn collect(&mut self, now: u64) {
        let chances: Vec<Chance> = self.world.chances().collect();
        for chance in chances {
            let soon = now + self.rng.range(MILLI / 10, MILLI);
            let (at, action) = match chance {
                Chance::Packet { link, to, .. } => (soon, Action::Deliver { link, to, skip: 0 }),
                Chance::Notification { from, to } => (soon, Action::Notify { from, to }),
                Chance::Dial { dialer, acceptor } => (soon, Action::Connect { dialer, acceptor }),
                Chance::Close { link, at } => (soon, Action::NoticeClose { link, at }),
                Chance::Sync { node, .. } => (soon + MILLI, Action::SyncDone { node }),
                Chance::Read { node } => (soon, Action::ReadDone { node }),
                Chance::Wake { node, at } => (at.0, Action::Wake { node }),
                Chance::ClientFree { client } => {
                    let server = Node::at(self.rng.below(self.world.nodes() as u64) as usize);
                    let op = *self.rng.pick(&[Op::Write, Op::Write, Op::Read, Op::Sync]).unwrap();
                    (soon + 2 * MILLI, Action::Invoke { client, server, op })
                }
                Chance::Down { node } if self.restarts => (soon + 50 * MILLI, Action::Start { node }),
                Chance::Up { .. } | Chance::Down { .. } => continue,
            };
            self.plan(at, action);
        }
    }

    fn apply(&mut self, at: u64, action: Action) {
        let action = match action {
            Action::Connect { dialer, acceptor } if !self.world.is_enabled(&action) => {
                Action::ConnectTimeout { dialer, acceptor }
            }
            action => action,
        };
        let step = self.world.step();
        self.world.apply(Instant(at), &action);
        if self.world.step() > step {
            self.trace.push((Instant(at), action));
        }
        for event in self.world.events() {
            let name = match event {
                Event::Delivered { in_order, .. } => {
                    assert!(in_order, "applied to another state than it was prepared on");
                    "delivered"
                }
                Event::Replied { op: Op::Write, .. } => "written",
                Event::Replied { .. } => "read",
                Event::Crashed { inside: true, .. } => "crashed inside",
                Event::Lost { .. } => "lost",
                Event::Restored { .. } => "restored",
                Event::Halted { .. } => "halted",
                Event::Tree(event) => match zookeeper::name(event) {
                    Some(name) => name,
                    None => continue,
                },
                _ => continue,
            };
            *self.counts.entry(name).or_default() += 1;
        }
        self.collect(at);
    }

    fn run_until(&mut self, end: u64) {
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= end) {
            let ((at, _), action) = entry.remove_entry();
            self.apply(at, action);
        }
    }

    fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    fn leader(&self) -> Option<Node> {
        let nodes = (0..self.world.nodes()).map(Node::at);
        nodes.into_iter().find(|&node| {
            let state = self.world.node(node);
            state.is_serving() && state.peer().is_some_and(|peer| peer.state() == PeerState::Leading)
        })
    }

    fn serving(&self) -> usize {
        (0..self.world.nodes()).filter(|&index| self.world.node(Node::at(index)).is_serving()).count()
    }
}

#[test]
fn three_servers_elect_and_their_clients_write_and_read() {
    let mut run = Run::new(&setup(3, 1), 1);
    run.run_until(3_000 * MILLI);
    assert_eq!(run.serving(), 4, "{}", run.world.peers_report());
    assert_eq!(run.leader(), Some(Node::at(2)));
    assert!(run.count("written") > 20 && run.count("read") > 20, "{:?}", run.counts);
    let applied = (0..4).map(|index| run.world.node(Node::at(index)).last_applied()).max();
    assert!(applied.flatten().is_some_and(|zxid| zxid.epoch() == Epoch(1) && zxid.counter() > 20));
}

#[test]
fn equal_seeds_give_equal_hashes_and_a_trace_replays_without_the_schedule() {
    let run = |seed| {
        let mut run = Run::new(&setup(3, 0), seed);
        run.run_until(1_000 * MILLI);
        run
    };
    let (first, again, other) = (run(5), run(5), run(6));
    assert_eq!((first.world.hash(), first.world.step()), (again.world.hash(), again.world.step()));
    assert_ne!(first.world.hash(), other.world.hash());
    let mut replayed = World::new(&setup(3, 0));
    first.trace.iter().for_each(|(at, action)| replayed.apply(*at, action));
    assert_eq!(replayed.hash(), first.world.hash());
}

#[test]
fn an_action_that_is_not_possible_is_no_step() {
    let mut run = Run::new(&setup(3, 0), 2);
    run.run_until(1_000 * MILLI);
    let (a, b, stranger) = (Node::at(0), Node::at(1), Node::at(9));
    let link = LinkKey { dialer: a, acceptor: stranger, generation: 1 };
    let before = (run.world.hash(), run.world.step());
    for action in [
        Action::Deliver { link, to: a, skip: 0 },
        Action::Deliver { link: LinkKey { dialer: a, acceptor: b, generation: 77 }, to: b, skip: 0 },
        Action::Connect { dialer: a, acceptor: b },
        Action::NoticeClose { link, at: b },
        Action::Mend { from: a, to: b },
        Action::Cut { from: a, to: a },
        Action::Start { node: a },
        Action::Crash { node: stranger, loss: Loss::Process },
        Action::Wipe { node: a },
        Action::Resume { node: a },
        Action::Invoke { client: 9, server: a, op: Op::Read },
    ] {
        assert!(!run.world.is_enabled(&action), "{action:?}");
        run.world.apply(Instant(2_000 * MILLI), &action);
        assert_eq!((run.world.hash(), run.world.step(), run.world.events().len()), (before.0, before.1, 0));
    }
}

#[test]
fn a_restarted_majority_remembers_what_was_acknowledged() {
    let mut run = Run::new(&setup(3, 0), 3);
    run.run_until(2_000 * MILLI);
    let written: Vec<u32> = (0..2).map(|client| run.world.client(client).last_write()).collect();
    assert!(written.iter().all(|&serial| serial > 0));
    for index in 0..3 {
        let loss = Loss::Power { kept: 0, torn: true };
        run.apply(2_000 * MILLI, Action::Crash { node: Node::at(index), loss });
    }
    run.run_until(5_000 * MILLI);
    assert_eq!(run.serving(), 3, "{}", run.world.peers_report());
    let leader = run.world.node(run.leader().unwrap());
    for (client, serial) in (0..).zip(written) {
        assert!(leader.replica().unwrap().service().ledger().unwrap().last_serial(client) >= serial);
    }
}

#[test]
fn a_paused_leader_is_replaced_and_comes_back_as_a_follower() {
    let mut run = Run::new(&setup(3, 0), 4);
    run.run_until(1_500 * MILLI);
    let old = run.leader().unwrap();
    run.apply(1_500 * MILLI, Action::Pause { node: old });
    run.run_until(5_000 * MILLI);
    let new = (0..3).map(Node::at).find(|&node| node != old && run.world.node(node).leader() == Some(node));
    assert!(new.is_some(), "{}", run.world.peers_report());
    run.apply(5_000 * MILLI, Action::Resume { node: old });
    run.run_until(9_000 * MILLI);
    assert_eq!((run.leader(), run.serving()), (new, 3), "{}", run.world.peers_report());
}

/// A peer that did not know would have cut away what nothing on its disk could replace (D10 under seed 3013858 of the swarm).
#[test]
fn a_peer_knows_how_far_its_disk_goes_back() {
    let mut run = Run::new(&setup(3, 1), 9);
    run.run_until(6_000 * MILLI);
    for node in (0..4).map(Node::at) {
        let state = run.world.node(node);
        let (known, base) = (state.peer().unwrap().base(), state.disk().base());
        assert!(
            base > Zxid::ZERO && known == base,
            "{node}: the disk goes back to {base}, and its peer believes {known}"
        );
    }
}

/// Every fault at once, over several seeds: whatever happens, nobody panics, txns apply in order, and when the faults end
/// everybody serves again.
#[test]
fn everybody_serves_again_when_the_faults_end() {
    let mut sums: BTreeMap<&'static str, u64> = BTreeMap::new();
    for seed in 0..20 {
        let mut run = Run::new(&setup(3, 1), 100 + seed);
        for round in 1..=40 {
            let at = round * 150 * MILLI;
            run.run_until(at);
            let (node, other) = (Node::at(run.rng.below(4) as usize), Node::at(run.rng.below(4) as usize));
            let link = run.world.links().next().map(|link| link.key());
            let kept = run.rng.below(4) as u16;
            let torn = run.rng.chance(Ratio::new(1, 2));
            let loss = if kept == 3 { Loss::Process } else { Loss::Power { kept, torn } };
            let skip = run.rng.below(10) as u8;
            let action = match (run.rng.below(11), link) {
                (0, _) => Action::Crash { node, loss },
                (1, _) => Action::CrashInside { node, after: skip, loss },
                (2, _) => Action::Cut { from: node, to: other },
                (3, Some(link)) => Action::Reset { link, lose_up: skip.into(), lose_down: kept },
                (4, Some(link)) => Action::HalfOpen { link, at: link.dialer },
                (5, _) => Action::Pause { node },
                (6, _) => Action::Resume { node },
                (7, _) => Action::ReplayNotification { from: node, to: other, age: 1 },
                (8, _) => Action::SyncFails { node },
                (9, _) => Action::ClockJump { node, millis: 300 },
                _ => Action::Stop { node },
            };
            run.apply(at, action);
            if round % 3 == 0 {
                (0..16).for_each(|n| run.apply(at, Action::Mend { from: Node::at(n / 4), to: Node::at(n % 4) }));
            }
        }
        let end = 41 * 150 * MILLI;
        (0..16).for_each(|n| run.apply(end, Action::Mend { from: Node::at(n / 4), to: Node::at(n % 4) }));
        (0..4).for_each(|n| run.apply(end, Action::Resume { node: Node::at(n) }));
        run.run_until(end + 10_000 * MILLI);
        assert_eq!(run.serving(), 4, "seed {seed}: {:?}\n{}", run.counts, run.world.peers_report());
        let digests: Vec<_> = (0..4).map(|n| run.world.node(Node::at(n)).last_applied()).collect();
        assert!(digests.iter().all(|&zxid| zxid > Some(Zxid::ZERO)), "seed {seed}: {digests:?}");
        run.counts.into_iter().for_each(|(name, count)| *sums.entry(name).or_default() += count);
    }
    for name in ["crashed inside", "lost", "restored", "halted", "written"] {
        assert!(sums.get(name).is_some_and(|&count| count > 0), "{name} never happened: {sums:?}");
    }
}
