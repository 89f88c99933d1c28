use std::collections::BTreeMap;
use zabsim::run::{Options, run};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let (from, to): (u64, u64) = (a[1].parse().unwrap(), a[2].parse().unwrap());
    let mutant = a.get(3).cloned().filter(|m| m != "-");
    let t = std::time::Instant::now();
    let mut reached: BTreeMap<String, u64> = BTreeMap::new();
    let (mut steps, mut bad, mut slow) = (0, BTreeMap::<String, (u64, u64)>::new(), 0);
    for seed in from..to {
        let mut s = zabsim::fuzz::swarm::draw(seed);
        s.mutant = mutant.clone();
        let o = match std::panic::catch_unwind(|| run(&s, seed, &Options::default(), &mut ())) {
            Ok(o) => o,
            Err(_) => {
                bad.entry("panic".into()).or_insert((seed, 0)).1 += 1;
                continue;
            }
        };
        steps += o.steps;
        if o.steps > 200_000 {
            slow += 1;
        }
        for (k, _) in o.summary.reached {
            *reached.entry(k).or_default() += 1;
        }
        if !o.verdict.is_good() {
            let w = o
                .violations
                .first()
                .map_or(format!("{:?} {:?}", o.verdict, o.unconverged), |v| v.property.id().to_string());
            bad.entry(w).or_insert((seed, 0)).1 += 1;
        }
    }
    let n = to - from;
    println!(
        "{mutant:?} {n} runs {} steps/run {:.0} runs/s slow {slow} bad {bad:?}",
        steps / n,
        n as f64 / t.elapsed().as_secs_f64()
    );
    if a.get(4).is_some() {
        for (k, v) in reached {
            println!("  {k} {v}");
        }
    }
}
