//! Checked steps a second, beside a floor measured in the same run.
//!
//! `cargo bench` prints a table; `cargo bench -- --json` the same as JSON. Every row is the median of rounds that take
//! turns, so that a machine whose speed drifts slows all rows alike; the last column is the ratio to the floor.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::read_to_string;
use std::hint::black_box;
use std::io::{Write, sink};
use std::time::Instant as Clock;

use serde_json::{Value, json};
use zabsim::run::{Options, Outcome, Sink, drive, run};
use zabsim::scenario::{Count, Scenario};
use zabsim::sim::schedule::StageEnd;
use zabsim::sim::{Action, Event, Rng, Seeded, Stream, World};
use zabsim::trace::{EndLine, Header, Recorder};
use zabsim::zab::{Instant, Milestone};

const ROUNDS: usize = 7;
/// Every round makes the same runs, so that rounds differ by the machine alone.
const SEEDS: u64 = 4;
/// Steps of a run.
const STEPS: u64 = 100_000;
/// Short runs of a seed.
const RUNS: u64 = 50;
/// How many txns the long run commits, about.
const TXNS: u64 = 1_000_000;

/// Measures the time that this process had a core for, where the system tells (Linux); elsewhere the time that went by.
struct Stopwatch {
    wall: Clock,
    core: Option<u64>,
}

impl Stopwatch {
    fn start() -> Stopwatch {
        Stopwatch { wall: Clock::now(), core: core_time() }
    }

    fn seconds(&self) -> f64 {
        match (self.core, core_time()) {
            (Some(start), Some(now)) => (now - start) as f64 / 1e9,
            _ => self.wall.elapsed().as_secs_f64(),
        }
    }
}

/// Nanoseconds on a core, of the only thread.
fn core_time() -> Option<u64> {
    read_to_string("/proc/self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

/// What is measured.
struct Row {
    name: &'static str,
    /// What is counted: steps or runs.
    unit: &'static str,
    /// Does the work of one seed and says how much that was.
    work: Box<dyn Fn(u64) -> u64>,
    /// Counted things a second, one per round.
    rates: Vec<f64>,
}

impl Row {
    fn new(name: &'static str, unit: &'static str, work: impl Fn(u64) -> u64 + 'static) -> Row {
        Row { name, unit, work: Box::new(work), rates: Vec::new() }
    }

    fn steps(name: &'static str, work: impl Fn(u64) -> u64 + 'static) -> Row {
        Row::new(name, "steps", work)
    }

    fn measure(&mut self) {
        let start = Stopwatch::start();
        let work: u64 = (1..=SEEDS).map(|seed| black_box((self.work)(seed))).sum();
        self.rates.push(work as f64 / start.seconds());
    }

    fn median(&self) -> f64 {
        let mut rates = self.rates.clone();
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    }
}

/// A priority queue, ChaCha8 delays, 64-byte messages between four nodes, 64 of them under way, and nothing else.
fn floor(seed: u64) -> u64 {
    let steps = 10 * STEPS;
    let mut rng = Rng::new(seed, Stream::QuorumNet, 0);
    let mut queue: BinaryHeap<Reverse<(u64, u64, [u64; 8])>> = BinaryHeap::new();
    let mut sequence = 0;
    for _ in 0..64 {
        sequence += 1;
        queue.push(Reverse((rng.next_u64() % 1_000_000, sequence, [sequence; 8])));
    }
    for _ in 0..steps {
        let Reverse((at, _, mut message)) = queue.pop().expect("every message is answered");
        message[(at % 8) as usize] ^= at;
        sequence += 1;
        queue.push(Reverse((at + rng.next_u64() % 1_000_000, sequence, black_box(message))));
    }
    steps
}

fn scenario(name: &str) -> Scenario {
    let path = format!("{}/benches/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let text = read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    Scenario::parse(&path, &text).unwrap_or_else(|error| panic!("{error}"))
}

/// The default faults and load on so many participants and observers.
fn faulty(participants: u8, observers: u8) -> Scenario {
    let mut scenario = scenario("faults");
    scenario.cluster.participants = Count { low: participants, high: participants };
    scenario.cluster.observers = observers;
    scenario
}

fn limited() -> Options {
    Options { max_steps: Some(STEPS), ..Options::default() }
}

/// A run that must hold, up to its last step.
fn checked(scenario: &Scenario, seed: u64, options: &Options, sink: &mut impl Sink) -> Outcome {
    let outcome = run(scenario, seed, options, sink);
    assert_eq!(outcome.violations, [], "seed {seed} of a benchmark");
    outcome
}

/// A world without anybody who watches it.
fn unchecked(scenario: &Scenario, seed: u64) -> u64 {
    let setup = scenario.setup(seed);
    let mut world = World::new(&setup);
    let mut schedule = Seeded::new(scenario.plan(), seed, setup.nodes.len());
    drive(&mut world, &mut schedule, &mut (), |world, _| world.step() >= STEPS);
    world.step()
}

/// Writes the trace of a run.
struct Tracing<W: Write> {
    recorder: Recorder<W>,
    steps: u64,
}

impl<W: Write> Sink for Tracing<W> {
    fn step(&mut self, step: u64, at: Instant, action: &Action, hash: u64, _: &World) {
        self.steps = step;
        self.recorder.step(step, at, action, hash);
    }

    fn stage_ended(&mut self, end: &StageEnd) {
        self.recorder.stage_ended(&EndLine::new(self.steps, end));
    }
}

fn traced(scenario: &Scenario, seed: u64, writer: impl Write) -> u64 {
    let header = Header::new("faults", scenario, seed);
    let recorder = Recorder::new(writer, &header).expect("memory takes every byte");
    let mut tracing = Tracing { recorder, steps: 0 };
    let steps = checked(scenario, seed, &limited(), &mut tracing).steps;
    tracing.recorder.finish(None).expect("memory takes every byte");
    steps
}

/// Looks at the clock and at the memory a tenth of a long run at a time.
struct Growth {
    watch: Stopwatch,
    every: u64,
    txns: u64,
    /// Step, seconds and resident bytes at every mark.
    marks: Vec<(u64, f64, u64)>,
}

impl Growth {
    fn mark(&mut self, step: u64) {
        self.marks.push((step, self.watch.seconds(), resident()));
    }

    /// Nanoseconds a step between two marks.
    fn cost(&self, from: usize) -> f64 {
        let [(step, time, _), (next_step, next_time, _)] = [self.marks[from], self.marks[from + 1]];
        (next_time - time) * 1e9 / (next_step - step) as f64
    }

    /// Bytes a txn between two marks.
    fn memory(&self, from: usize, to: usize) -> f64 {
        (self.marks[to].2 as f64 - self.marks[from].2 as f64) / (self.every * (to - from) as u64) as f64
    }
}

impl Sink for Growth {
    fn step(&mut self, step: u64, _: Instant, _: &Action, _: u64, world: &World) {
        let committed =
            |event: &&Event| matches!(event, Event::Milestone { milestone: Milestone::Committed { .. }, .. });
        let before = self.txns / self.every;
        self.txns += world.events().iter().filter(committed).count() as u64;
        if self.txns / self.every > before {
            self.mark(step);
        }
    }
}

/// Resident bytes of this process; 0 where there is no `/proc`.
fn resident() -> u64 {
    let statm = read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

/// Steady load and few faults, until the history is long.
fn long_run() -> Growth {
    let mut growth = Growth { watch: Stopwatch::start(), every: TXNS / 10, txns: 0, marks: Vec::new() };
    growth.mark(0);
    checked(&scenario("steady"), 1, &Options::default(), &mut growth);
    assert!(growth.marks.len() > 10, "the long run commits {TXNS} txns, not {}", growth.txns);
    growth
}

fn main() {
    let json = std::env::args().any(|argument| argument == "--json");
    let (three, five, seven, many) = (faulty(3, 1), faulty(5, 0), faulty(7, 0), faulty(31, 0));
    let (bare, to_sink, to_memory) = (three.clone(), three.clone(), three.clone());
    let election = scenario("election");
    let mut rows = [
        Row::steps("floor: a bare event loop", floor),
        Row::steps("3 participants, 1 observer", move |seed| checked(&three, seed, &limited(), &mut ()).steps),
        Row::steps("5 participants", move |seed| checked(&five, seed, &limited(), &mut ()).steps),
        Row::steps("7 participants", move |seed| checked(&seven, seed, &limited(), &mut ()).steps),
        Row::steps("31 participants", move |seed| checked(&many, seed, &limited(), &mut ()).steps),
        Row::steps("3+1 without checkers", move |seed| unchecked(&bare, seed)),
        Row::steps("3+1, trace written to nowhere", move |seed| traced(&to_sink, seed, sink())),
        Row::steps("3+1, trace written to memory", move |seed| traced(&to_memory, seed, Vec::new())),
        Row::new("5 participants elect and sync", "runs", move |seed| {
            let seeds = (0..RUNS).map(|run| seed * RUNS + run);
            seeds.map(|seed| checked(&election, seed, &Options::default(), &mut ()).steps.min(1)).sum()
        }),
    ];
    // Before anything else has used memory that the long run could be given again.
    let growth = long_run();
    for _ in 0..ROUNDS {
        rows.iter_mut().for_each(Row::measure);
    }
    if json { println!("{:#}", as_json(&rows, &growth)) } else { print_table(&rows, &growth) }
}

fn print_table(rows: &[Row], growth: &Growth) {
    let floor = rows[0].median();
    println!("{:<34}{:>14}{:>12}{:>12}", "median of rounds", "a second", "ns each", "of floor");
    for row in rows {
        let median = row.median();
        let share = if row.unit == "steps" { format!("{:.3}", median / floor) } else { "-".into() };
        println!("{:<34}{median:>14.0}{:>12.0}{share:>12} {}", row.name, 1e9 / median, row.unit);
    }
    println!("\n{:<34}{:>14}{:>12}", "3+1 under steady load, txns", "ns a step", "bytes a txn");
    for tenth in 0..10 {
        let (cost, memory) = (growth.cost(tenth), growth.memory(tenth, tenth + 1));
        println!("{:<34}{cost:>14.0}{memory:>12.0}", (tenth as u64 + 1) * growth.every);
    }
    println!("{:<34}{:>14}{:>12.0}", "the first tenth aside", "", growth.memory(1, 10));
}

fn as_json(rows: &[Row], growth: &Growth) -> Value {
    let floor = rows[0].median();
    let row = |row: &Row| {
        let median = row.median();
        json!({ "name": row.name, "unit": row.unit, "per_second": median, "rounds": row.rates,
            "of_floor": (row.unit == "steps").then_some(median / floor) })
    };
    let tenth = |from| json!({ "ns_per_step": growth.cost(from), "bytes_per_txn": growth.memory(from, from + 1) });
    json!({
        "rows": rows.iter().map(row).collect::<Vec<_>>(),
        "steady": {
            "txns": growth.txns,
            "tenths": (0..10).map(tenth).collect::<Vec<_>>(),
            "bytes_per_txn": growth.memory(1, 10),
        },
    })
}
