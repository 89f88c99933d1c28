//! The same seed is the same run: twice, on one thread and on several, in debug and in release, recorded and replayed.
#![cfg(feature = "sim")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this test reads scenarios and runs threads")]

mod support;

use std::fmt::Write as _;

use support::scenario;
use zabsim::replica::{Effect, Replica};
use zabsim::run::{Options, Outcome, Sink, run};
use zabsim::scenario::Scenario;
use zabsim::sim::schedule::StageEnd;
use zabsim::sim::{Action, Event, Node, STREAM_VERSION, World};
use zabsim::trace::{EndLine, Header, Recorder, Replay, Trace};
use zabsim::zab::Instant;

/// Something of everything: calm, all faults, groups, snapshots, violations, the whole server.
const SOME: [&str; 7] =
    ["election-3", "random-faults", "groups", "observer-snap", "restart-storm", "fifo-off", "zookeeper"];

fn outcome(scenario: &Scenario, seed: u64) -> Outcome {
    run(scenario, seed, &Options::default(), &mut ())
}

#[test]
fn the_same_seed_is_the_same_run() {
    for name in SOME {
        let scenario = scenario(name);
        let text = |outcome: &Outcome| serde_json::to_string(outcome).unwrap();
        let (one, two, other) = (outcome(&scenario, 3), outcome(&scenario, 3), outcome(&scenario, 4));
        assert_eq!(text(&one), text(&two), "{name}");
        assert_ne!(one.hash, other.hash, "{name}: another seed is another run");
    }
}

#[test]
fn a_run_does_not_know_what_runs_beside_it() {
    let scenarios = SOME.map(scenario);
    let alone: Vec<u64> = scenarios.iter().map(|scenario| outcome(scenario, 5).hash).collect();
    let beside: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = scenarios.iter().map(|scenario| scope.spawn(|| outcome(scenario, 5).hash)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(alone, beside);
}

#[cfg(feature = "cli")]
#[test]
fn a_batch_does_not_depend_on_how_many_threads_it_has() {
    let batch = |jobs: u64, seeds: &str| {
        let scenarios = SOME.map(|name| format!("scenarios/{name}.toml")).join(" ");
        support::run(&format!("run {scenarios} --seeds {seeds} --jobs {jobs} --json")).exits(0).out
    };
    let one = batch(1, "1..3");
    assert!(one.contains("\"hash\""), "{one}");
    for jobs in [2, 7] {
        assert_eq!(batch(jobs, "1..3"), one, "{jobs} threads");
    }
}

/// Both debug and release must come to these: the gate runs this test in both. They change whenever the core, the world or the
/// chooser does something else on the same seed; if it is the draws that changed, raise `STREAM_VERSION`.
#[test]
fn golden_hashes() {
    let mut golden = format!("stream {STREAM_VERSION}\n");
    for name in SOME {
        let scenario = scenario(name);
        for seed in [1, 2] {
            let Outcome { hash, steps, verdict, .. } = outcome(&scenario, seed);
            let _ = writeln!(golden, "{name:<15} {seed} {hash:016x} {steps:>6} {verdict:?}");
        }
    }
    insta::assert_snapshot!(golden);
}

struct Record {
    recorder: Recorder<Vec<u8>>,
    steps: u64,
}

impl Sink for Record {
    fn step(&mut self, step: u64, at: Instant, action: &Action, hash: u64, _: &World) {
        self.steps = step;
        self.recorder.step(step, at, action, hash);
    }

    fn stage_ended(&mut self, end: &StageEnd) {
        self.recorder.stage_ended(&EndLine::new(self.steps, end));
    }
}

fn recorded(scenario: &Scenario, seed: u64) -> (Trace, Outcome) {
    let recorder = Recorder::new(Vec::new(), &Header::new("recorded", scenario, seed)).unwrap();
    let mut record = Record { recorder, steps: 0 };
    let outcome = run(scenario, seed, &Options::default(), &mut record);
    let bytes = record.recorder.finish(None).unwrap();
    (Trace::read(bytes.as_slice()).unwrap(), outcome)
}

#[test]
fn what_is_recorded_replays_to_the_same_hash_and_the_same_violations() {
    for name in SOME.into_iter().chain(["lying-fsync", "counter-exhaustion", "weights"]) {
        let scenario = scenario(name);
        let (trace, outcome) = recorded(&scenario, 11);
        assert_eq!(outcome.hash, self::outcome(&scenario, 11).hash, "{name}: to be watched changes nothing");
        let mut replay = Replay::new(&trace);
        replay.run_until(u64::MAX, |_, _| ()).unwrap_or_else(|diverged| panic!("{name}: {diverged}"));
        assert_eq!((replay.world().hash(), replay.at_step()), (outcome.hash, outcome.steps), "{name}");
        assert_eq!(replay.checkers().violations(), outcome.violations, "{name}");
    }
}

/// A world that is forked anywhere goes on as the one it was forked from, peer by peer.
#[test]
fn a_forked_world_stays_equal() {
    let (trace, _) = recorded(&scenario("random-faults"), 2);
    let every = trace.lines.len() / 8;
    let mut replay = Replay::new(&trace);
    for start in (0..trace.lines.len()).step_by(every) {
        let mut fork = replay.clone();
        for line in trace.lines[start..].iter().take(every) {
            replay.step().unwrap();
            fork.step().unwrap();
            assert_eq!(replay.world().events(), fork.world().events());
            for node in (0..replay.world().nodes()).map(Node::at) {
                let (one, two) = (replay.world().node(node).replica(), fork.world().node(node).replica());
                let equal = one.map(Replica::peer) == two.map(Replica::peer);
                assert!(equal, "{node} after step {}:\n{one:?}\n{two:?}", line.step);
            }
        }
        assert_eq!(replay.world().hash(), fork.world().hash());
    }
}

/// Two clones fed the same inputs ask for the same and stay equal, also by their hash; fed something else, they differ.
#[test]
fn two_clones_of_a_server_stay_equal() {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let hash = |value: &dyn Fn(&mut DefaultHasher)| {
        let mut hasher = DefaultHasher::new();
        value(&mut hasher);
        hasher.finish()
    };
    let (trace, _) = recorded(&scenario("leader-crash"), 1);
    let mut replay = Replay::new(&trace);
    let (mut compared, mut differed) = (0, 0);
    while let Some(line) = replay.step().unwrap() {
        let world = replay.world();
        for node in (0..world.nodes()).map(Node::at) {
            let Some(replica) = world.node(node).replica() else { continue };
            let touched = world.events().iter().any(|event| matches!(event, Event::Received { to, .. } if *to == node));
            // One in a few is enough, and much faster.
            if !touched || line.step % 8 != 0 {
                continue;
            }
            let due = replica.peer().next_timeout().map_or(line.at, |(due, _)| due);
            let woken = |mut fork: Replica<_>| {
                let mut effects: Vec<Effect<_>> = Vec::new();
                fork.handle(due, zabsim::zab::Input::Wake, &mut effects);
                (fork.peer().clone(), format!("{effects:?}"))
            };
            let (one, two) = (woken(replica.clone()), woken(replica.clone()));
            assert_eq!(one, two, "{node} after step {}", line.step);
            assert_eq!(hash(&|h| one.0.hash(h)), hash(&|h| two.0.hash(h)));
            compared += 1;
            differed += usize::from(one.0 != *replica.peer());
        }
    }
    assert!(compared > 100 && differed > compared / 2, "{differed} of {compared} changed by a timer");
}
