//! How many drawn runs a minute, every checker on, with one job and with two, and what the second adds. The two take turns, so
//! that whoever else uses the machine disturbs both alike; the quickest turn of each counts.
//!
//! `cargo bench --bench fuzz`; `cargo bench --bench fuzz -- 4` compares with four jobs.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it measures time")]

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use zabsim::fuzz::trial::Trial;
use zabsim::fuzz::{parallel, swarm};

const RUNS: u64 = 4_000;
const TURNS: u32 = 5;

fn main() {
    let jobs = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(2);
    turn(jobs);
    let (mut alone, mut together) = (Duration::MAX, Duration::MAX);
    let mut steps = 0;
    for _ in 0..TURNS {
        let (took, counted) = turn(1);
        (alone, steps) = (alone.min(took), counted);
        together = together.min(turn(jobs).0);
    }
    let line = |jobs: usize, took: Duration| {
        let seconds = took.as_secs_f64();
        let (runs, steps) = (RUNS as f64 / seconds * 60.0, steps as f64 / seconds / 1e6);
        println!("{jobs} job{}  {runs:>8.0} drawn runs a minute  {steps:.1} M checked steps a second", plural(jobs));
    };
    line(1, alone);
    line(jobs, together);
    let times = alone.as_secs_f64() / together.as_secs_f64();
    println!(
        "{jobs} jobs are {times:.2} times one: each more adds {:.0} %",
        (times - 1.0) / (jobs as f64 - 1.0) * 100.0
    );
}

fn plural(count: usize) -> &'static str {
    if count == 1 { " " } else { "s" }
}

/// The first seeds, as `zabsim fuzz` runs them. Tells how long they took, and how many steps they had.
fn turn(jobs: usize) -> (Duration, u64) {
    let start = Instant::now();
    let mut steps = 0;
    let catch = |run: &mut dyn FnMut()| {
        run();
        Ok(())
    };
    let _ = parallel::ordered(
        1..RUNS + 1,
        jobs,
        |seed| Trial::run(&swarm::draw(seed), seed, &catch),
        |seed, trial| {
            assert!(trial.symptom.is_none(), "seed {seed} fails");
            steps += trial.steps;
            ControlFlow::Continue(())
        },
    );
    (start.elapsed(), steps)
}
