//! Runs that fail, made short.

use super::course::{Course, WipeBudget};
use super::*;
use crate::check::{Checkers, Property};
use crate::run::{self, Options as RunOptions, Outcome, Sink};
use crate::sim::schedule::StageEnd;
use crate::sim::{LinkKey, Node, Seeded, Stage, World};
use crate::trace::{EndLine, HexHash, Line};
use crate::zab::Instant;

/// Nothing that is tried here panics.
fn no_panic(tries: &mut dyn FnMut()) -> Result<(), String> {
    tries();
    Ok(())
}

#[derive(Default)]
struct Recorded {
    lines: Vec<Line>,
    ends: Vec<EndLine>,
}

impl Sink for Recorded {
    fn step(&mut self, step: u64, at: Instant, action: &Action, hash: u64, _: &World) {
        self.lines.push(Line { step, at, action: *action, hash: HexHash(hash) });
    }

    fn stage_ended(&mut self, end: &StageEnd) {
        self.ends.push(EndLine::new(self.lines.len() as u64, end));
    }
}

fn recorded(text: &str, seed: u64) -> (Trace, Outcome) {
    let scenario = Scenario::parse("a.toml", text).unwrap();
    let mut recorded = Recorded::default();
    let outcome = run::run(&scenario, seed, &RunOptions::default(), &mut recorded);
    let Recorded { lines, ends } = recorded;
    (Trace { header: Header::new("a", &scenario, seed), lines, ends, footer: None }, outcome)
}

fn shrunk(trace: &Trace) -> Shrunk {
    shrink(trace, &Options::default(), &no_panic, &mut ()).unwrap()
}

/// Whatever it was made from: it replays, fails where it says, and so does its scenario.
#[track_caller]
fn assert_sound(shrunk: &Shrunk) {
    let property = shrunk.target.property().unwrap();
    let mut replay = Replay::new(&shrunk.trace);
    replay.run_until(u64::MAX, |_, _| ()).unwrap();
    let violation = shrunk.violation.as_ref().unwrap();
    assert_eq!(replay.checkers().violations().first(), Some(violation));
    assert_eq!((violation.property, violation.step), (property, shrunk.trace.last_step()));
    let bytes = shrunk.trace.write(Vec::new()).unwrap();
    assert_eq!(Trace::read(bytes.as_slice()).unwrap(), shrunk.trace);
    let (scenario, seed) = shrunk.scenario.as_ref().unwrap();
    let again = run::run(scenario, *seed, &RunOptions::default(), &mut ());
    assert_eq!(again.violations.first().map(|violation| violation.property), Some(property), "{}", scenario.text);
}

/// Much that is not needed, and links that do not keep their order.
const OVERTAKING: &str = r#"# m
[cluster]
participants = 5
observers = 1
[network]
fifo = false
duplicate = "1/20"
[[fault]]
at = "1s"
do = { crash = { node = "leader", down = "100ms" } }
[[fault]]
at = "2s"
do = { pause = { node = "a follower", for = "300ms" } }
[random]
every = "500ms"
[run]
chaos = "3s"
"#;

#[test]
fn a_run_shrinks_to_what_is_needed() {
    let (trace, outcome) = recorded(OVERTAKING, 3);
    let shrunk = shrunk(&trace);
    assert_eq!(shrunk.target, Target::Broken(outcome.violations[0].property));
    assert_eq!((shrunk.recorded, shrunk.script), (outcome.steps, shrunk.trace.last_step()));
    assert!(shrunk.script < 40, "{}", shrunk.script);
    assert_sound(&shrunk);
    let (scenario, _) = shrunk.scenario.as_ref().unwrap();
    assert!(scenario.faults.is_empty() && scenario.random.is_none(), "{}", scenario.text);
    assert!(!scenario.network.fifo && !scenario.run.epilogue, "{}", scenario.text);
    assert_eq!(scenario.setup(1).nodes.len(), 2, "one sends, one receives: {}", scenario.text);
    assert!(scenario.moral.contains("Shrunk from a, seed 3."), "{}", scenario.text);
}

#[test]
fn the_same_trace_shrinks_to_the_same_and_that_to_no_more() {
    let (trace, _) = recorded(OVERTAKING, 4);
    let one = shrunk(&trace);
    assert_eq!(one, shrunk(&trace));
    let two = shrunk(&one.trace);
    assert!(two.script <= one.script, "{} {}", one.script, two.script);
    assert_sound(&two);
}

#[test]
fn without_its_scenario_a_trace_shrinks_as_it_is() {
    let (mut trace, _) = recorded(OVERTAKING, 3);
    trace.header.text = "no scenario".into();
    let shrunk = shrunk(&trace);
    assert_eq!((&shrunk.scenario, &shrunk.trace.header), (&None, &trace.header));
    assert!(shrunk.script < 80, "{}", shrunk.script);
}

#[test]
fn a_budget_ends_it_with_what_there_is() {
    let (trace, outcome) = recorded(OVERTAKING, 3);
    let tight = Options { budget: 2 * outcome.steps, ..Options::default() };
    let cut = shrink(&trace, &tight, &no_panic, &mut ()).unwrap();
    assert!(cut.script <= outcome.steps);
    assert_eq!(cut.violation.unwrap().step, cut.trace.last_step());
}

/// Nobody converges within a microsecond, whatever happened before.
const HOPELESS: &str = r#"# m
[[fault]]
at = "100ms"
do = { crash = { node = "any", down = "100ms" } }
[run]
chaos = "1s"
converge = "1us"
"#;

#[test]
fn of_a_liveness_failure_only_the_chaos_shrinks() {
    let (trace, outcome) = recorded(HOPELESS, 7);
    let shrunk = shrunk(&trace);
    assert!(matches!(shrunk.target, Target::Unmet { stage: Stage::Converge, converged: false, .. }));
    let script = &shrunk.trace.lines[..shrunk.script as usize];
    let is_fault = |line: &Line| matches!(line.action, Action::Crash { .. } | Action::Invoke { .. });
    assert!(script.len() < 6 && !script.iter().any(is_fault), "whatever happened before: {script:?}");
    assert_eq!(shrunk.trace.ends.len(), 1);
    assert!(shrunk.trace.last_step() < outcome.steps / 4 && shrunk.trace.last_step() > 0);
    assert_eq!(shrunk.trace.footer.as_ref().unwrap().verdict, Verdict::LivenessViolated);
    assert_sound(&shrunk);
}

#[test]
fn what_does_not_fail_or_is_not_of_this_core_is_refused() {
    let (mut trace, _) = recorded("# m\n[run]\nchaos = \"200ms\"\n", 1);
    let refused = |trace: &Trace| shrink(trace, &Options::default(), &no_panic, &mut ()).unwrap_err();
    assert_eq!(refused(&trace), ShrinkError::NothingWrong);
    trace.lines[20].hash.0 ^= 1;
    assert_eq!(refused(&trace), ShrinkError::Diverged { step: 21 });
    let (mut trace, _) = recorded(HOPELESS, 7);
    trace.header.text = "no scenario".into();
    assert!(matches!(refused(&trace), ShrinkError::Scenario(_)));
}

fn script(trace: &Trace) -> Vec<Entry> {
    let mut course = Course::new(&trace.header.setup);
    let entry = |line: &Line| Entry { at: line.at, action: line.action, opened: None };
    trace.lines.iter().map(|line| course.take(&entry(line), (line.at, line.action))).collect()
}

fn play(trace: &Trace, script: &[Entry]) -> (Course, usize) {
    let mut course = Course::new(&trace.header.setup);
    let mut taken = 0;
    for entry in script {
        if let Some(planned) = course.plan(entry, WipeBudget::Kept) {
            course.take(entry, planned);
            taken += 1;
        }
    }
    (course, taken)
}

#[test]
fn a_script_knows_its_links_by_what_opened_them() {
    let (trace, outcome) = recorded("# m\n[run]\nchaos = \"500ms\"\nepilogue = false\n", 1);
    let mut script = script(&trace);
    let later = |link: &mut LinkKey| link.generation += 3;
    for entry in &mut script {
        entry.opened.iter_mut().for_each(later);
        match &mut entry.action {
            Action::Deliver { link, .. } | Action::NoticeClose { link, .. } => later(link),
            _ => {}
        }
    }
    let (course, taken) = play(&trace, &script);
    assert_eq!((course.world.hash(), taken as u64), (outcome.hash, outcome.steps));
    let connect = script.iter().position(|entry| entry.opened.is_some()).unwrap();
    let lost = script.remove(connect).opened;
    let (course, _) = play(&trace, &script);
    assert!(course.world.links().all(|link| Some(link.key()) != lost), "what travelled on it has nowhere to go");
}

#[test]
fn a_timer_that_need_not_wait_rings_when_it_is_due() {
    let (trace, _) = recorded("# m\n[run]\nchaos = \"500ms\"\n", 1);
    let wake = trace.lines.iter().position(|line| matches!(line.action, Action::Wake { .. })).unwrap();
    let script = script(&trace);
    let (mut course, _) = play(&trace, &script[..wake]);
    let Action::Wake { node } = script[wake].action else { panic!("it is one") };
    let due = course.world.node(node).next_wake().unwrap();
    let at = |at| Entry { at, ..script[wake] };
    assert_eq!(course.plan(&at(Instant(due.0 - 1)), WipeBudget::Kept), None, "it is not due then");
    let soon = course.plan(&at(Entry::SOON), WipeBudget::Kept).unwrap();
    assert_eq!(soon, (due, script[wake].action));
    course.take(&script[wake], soon);
    assert_eq!(course.world.now(), due);
}

#[test]
fn a_disk_is_lost_only_while_a_quorum_keeps_its_own() {
    let (trace, _) = recorded("# m\n[run]\nchaos = \"500ms\"\n", 1);
    let wipe = |index| Entry { at: Entry::SOON, action: Action::Wipe { node: Node::at(index) }, opened: None };
    let mut course = Course::new(&trace.header.setup);
    let first = course.plan(&wipe(0), WipeBudget::Kept).unwrap();
    course.take(&wipe(0), first);
    assert_eq!(course.plan(&wipe(1), WipeBudget::Kept), None);
    assert!(course.plan(&wipe(1), WipeBudget::Ignored).is_some(), "a scenario may ask for it");
}

/// Wherever a run is left: who takes over brings every cluster home.
#[test]
fn a_schedule_that_takes_over_in_mid_run_ends_it_well() {
    let text = "# m\n[cluster]\nparticipants = 3\nobservers = 1\n[random]\nevery = \"200ms\"\n[run]\nchaos = \"4s\"\n";
    for seed in 1..=2 {
        let (trace, _) = recorded(text, seed);
        let scenario = Scenario::parse("a.toml", text).unwrap();
        let chaos = trace.lines.iter().position(|line| matches!(line.action, Action::Enter { .. })).unwrap();
        for part in 0..=6 {
            let mut world = World::new(&trace.header.setup);
            let mut checkers = Checkers::new(&trace.header.setup);
            for line in &trace.lines[..chaos * part / 6] {
                world.apply(line.at, &line.action);
                checkers.step(&world);
            }
            let mut schedule = Seeded::adopt(scenario.plan(), seed, &mut world);
            let mut ends = Vec::new();
            run::drive(&mut world, &mut schedule, &mut (), |world, end| {
                match end {
                    Some(end) => {
                        ends.push((end.stage, end.converged));
                        checkers.finish(world, run::end_of(end));
                    }
                    None => checkers.step(world),
                }
                false
            });
            assert_eq!(ends, [(Stage::Converge, true), (Stage::Epilogue, true)], "seed {seed}, part {part}");
            assert_eq!(checkers.violations(), [], "seed {seed}, part {part}");
        }
    }
}

#[test]
fn a_regression_test_names_the_property_and_its_step() {
    let (trace, _) = recorded(OVERTAKING, 3);
    let mut shrunk = shrunk(&trace);
    let step = shrunk.trace.last_step();
    let id = shrunk.target.property().unwrap().id();
    let text = regression_test(&shrunk, "short.jsonl").unwrap();
    assert!(text.contains("include_bytes!(\"short.jsonl\")"), "{text}");
    assert!(text.contains(&format!("(Property::{id}, {step})")), "{text}");
    assert!(text.contains(&format!("fn {}_", id.to_lowercase())), "{text}");
    shrunk.target = Target::Panic { said: "an \"ack\" for nothing".into(), place: "a.rs:1".into() };
    let text = regression_test(&shrunk, "short.jsonl").unwrap();
    assert!(text.contains("#[should_panic(expected = \"an \\\"ack\\\" for nothing\")]"), "{text}");
    shrunk.target = Target::Stalled { stage: Stage::Converge };
    assert_eq!(regression_test(&shrunk, "short.jsonl"), None);
}

#[test]
fn a_violation_of_another_property_first_is_another_failure() {
    use super::oracle::{Judgement, Oracle};
    use crate::check::Violation;
    let found = |property, step| Violation {
        property,
        step,
        at: Instant(1),
        nodes: Vec::new(),
        expected: String::new(),
        seen: String::new(),
    };
    let oracle = Oracle::new(Target::Broken(Property::S5), vec![Property::C2]);
    assert_eq!(oracle.step(&[found(Property::C2, 1)]), Judgement::Open);
    assert_eq!(oracle.step(&[found(Property::C2, 1), found(Property::S5, 2)]), Judgement::Same);
    assert_eq!(oracle.step(&[found(Property::D4, 1), found(Property::S5, 2)]), Judgement::Other);
    assert_eq!(oracle.end(&[found(Property::S5, 2)], Stage::Converge, true), Judgement::Other);
    assert_eq!(oracle.panic("no (a.rs:1)"), Judgement::Other);
    let unmet = Target::Unmet { property: Property::L1, stage: Stage::Converge, converged: false };
    let oracle = Oracle::new(unmet, Vec::new());
    assert_eq!(oracle.end(&[found(Property::L1, 2)], Stage::Converge, false), Judgement::Same);
    assert_eq!(oracle.end(&[found(Property::L1, 2)], Stage::Epilogue, false), Judgement::Other);
    assert_eq!(oracle.step(&[found(Property::L1, 2)]), Judgement::Other);
}

#[test]
fn two_panics_are_the_same_if_their_places_are() {
    use super::oracle::{Judgement, Oracle};
    let target = Target::panic("an ack for 1:3\nleft: 7 (src/zab/leader.rs:12)");
    assert_eq!(target, Target::Panic { said: "an ack for 1:3".into(), place: "src/zab/leader.rs:12".into() });
    let oracle = Oracle::new(target, Vec::new());
    assert_eq!(oracle.panic("an ack for 2:9 (src/zab/leader.rs:12)"), Judgement::Same);
    assert_eq!(oracle.panic("an ack for 1:3 (src/zab/leader.rs:99)"), Judgement::Other);
    let oracle = Oracle::new(Target::panic("a sentence"), Vec::new());
    assert_eq!(oracle.panic("a sentence"), Judgement::Same);
    assert_eq!(oracle.panic("another"), Judgement::Other);
}
