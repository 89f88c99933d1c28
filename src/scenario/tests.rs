use super::*;

fn error(text: &str) -> ScenarioError {
    Scenario::parse("x.toml", text).expect_err("this text is wrong")
}

#[track_caller]
fn assert_error(text: &str, line: usize, marked: &str, message: &str, help: Option<&str>) {
    let error = error(text);
    assert_eq!((error.line, &text[error.span.clone()]), (line, marked), "{error}");
    assert!(error.message.contains(message), "{error}");
    match help {
        Some(help) => assert!(error.help.as_deref().unwrap_or_default().contains(help), "{error}"),
        None => assert_eq!(error.help, None),
    }
}

#[test]
fn an_empty_scenario_is_three_servers_to_which_nothing_happens() {
    let scenario = Scenario::parse("x.toml", "").unwrap();
    let setup = scenario.setup(1);
    assert_eq!((setup.nodes.len(), setup.clients, setup.fifo), (3, 4, true));
    assert!(setup.nodes.iter().all(|node| node.starts && node.limits == limits::simulated()));
    assert_eq!(scenario.moral, "");
}

#[test]
fn the_first_comment_is_the_moral() {
    let text = "\n# Who was cut off\n# catches up.\n\n# Not this.\n[cluster]\nparticipants = 5\n";
    assert_eq!(Scenario::parse("x.toml", text).unwrap().moral, "Who was cut off catches up.");
}

#[test]
fn a_range_of_participants_is_drawn_by_the_seed() {
    let scenario = Scenario::parse("x.toml", "[cluster]\nparticipants = \"3..7\"\nobservers = 1\n").unwrap();
    let sizes: std::collections::BTreeSet<usize> = (0..100).map(|seed| scenario.setup(seed).nodes.len()).collect();
    assert_eq!(sizes.into_iter().collect::<Vec<_>>(), [4, 5, 6, 7, 8]);
    assert_eq!(scenario.setup(9), scenario.setup(9));
}

#[test]
fn unknown_names_are_shown_with_the_nearest_valid_one() {
    assert_error("[cluster]\nparticipant = 3\n", 2, "participant", "unknown field", Some("`participants`"));
    assert_error("[limits]\n\ntik_time = \"1s\"\n", 3, "tik_time", "unknown field", Some("`tick_time`"));
    let when = "[[fault]]\nwhen = \"leader-sent-newlaeder\"\ndo = { crash = { node = \"leader\" } }\n";
    assert_error(when, 2, "\"leader-sent-newlaeder\"", "unknown variant", Some("`leader-sent-newleader`"));
    let who = "[[fault]]\nat = \"1s\"\ndo = { crash = { node = \"leadr\" } }\n";
    assert_error(who, 3, "\"leadr\"", "unknown server", Some("`leader`"));
    let what = "[[fault]]\nat = \"1s\"\ndo = { crush = { node = \"leader\" } }\n";
    assert_error(what, 3, "crush", "unknown variant", Some("`crash`"));
    let how = "[[fault]]\nat = \"1s\"\ndo = { crash = { nod = \"leader\" } }\n";
    assert_error(how, 3, "nod", "unknown field", Some("`node`"));
}

#[test]
fn wrong_values_are_marked() {
    assert_error("[run]\nchaos = \"20\"\n", 2, "\"20\"", "number with a unit", None);
    assert_error("[network]\nloss = \"1/0\"\n", 2, "\"1/0\"", "divided by 0", None);
    assert_error("[cluster]\nparticipants = 0\n", 2, "participants", "at least one", Some("p1"));
    assert_error("[cluster]\nobservers = -1\n", 2, "-1", "invalid value", None);
    assert_error("[limits]\ninit_limit = 0\n", 2, "init_limit", "greater than 0", None);
    assert_error("[network]\nlatency = { uniform = [\"2ms\", \"1ms\"] }\n", 2, "latency", "below", None);
    assert_error("[cluster]\nparticipants = ", 2, "", "", None);
}

#[test]
fn servers_that_do_not_exist_are_marked() {
    assert_error("[cluster]\ndown = [\"p1\", \"p4\"]\n", 2, "p4", "no p4", None);
    assert_error("[cluster]\nweights = { p9 = 2 }\n", 2, "p9", "no member", Some("p1 to p3"));
    assert_error("[history.p7]\ncurrent = 1\n", 1, "p7", "no p7", None);
    let fault = "[[fault]]\nat = \"1s\"\ndo = { crash = { node = \"p1\" } }\n\n[[fault]]\nat = \"1s\"\ndo = { crash = { node = \"p8\" } }\n";
    assert_error(fault, 7, "\"p8\"", "no p8", None);
}

#[test]
fn a_fault_has_one_trigger() {
    let none = "[[fault]]\ndo = { crash = { node = \"p1\" } }\n";
    assert_error(none, 1, "[[fault]]", "needs one of", None);
    let two = "[[fault]]\nat = \"1s\"\nevery = \"1s\"\ndo = { crash = { node = \"p1\" } }\n";
    assert_error(two, 1, "[[fault]]", "only one of", None);
    let trigger = "[[fault]]\nat = \"1s\"\ndo = { crash = { node = \"trigger\" } }\n";
    assert_error(trigger, 3, "\"trigger\"", "without `when`", None);
}

#[test]
fn a_history_must_be_possible() {
    let history = |lines: &str| format!("[history.p1]\n{lines}\n");
    assert_error(&history("txns = [[2, 1], [1, 1]]"), 2, "txns", "ascend", None);
    assert_error(&history("current = 1\ntxns = [[2, 1]]"), 2, "current", "later epoch", None);
    assert_error(&history("accepted = 1\ncurrent = 2"), 2, "accepted", "not promised", None);
    assert_error(&history("txns = [[1, 5]]\nsnapshot = [1, 6]"), 3, "snapshot", "not in `txns`", None);
    assert_error(&history("purged = true"), 2, "purged", "needs a snapshot", None);
}

#[test]
fn a_promise_names_properties() {
    assert_error("[promise]\nviolates = [\"S1\", \"S13\"]\n", 2, "\"S13\"", "unknown property", Some("`S12`"));
    assert_error("[promise]\nholds = true\nviolates = [\"S1\"]\n", 2, "holds", "does not hold", None);
}

#[test]
fn the_schema_knows_every_section() {
    let schema = Scenario::schema();
    let properties = schema["properties"].as_object().unwrap();
    for section in ["cluster", "history", "limits", "network", "disk", "clocks", "workload", "run", "fault", "random"] {
        assert!(properties.contains_key(section), "{section}");
    }
    assert!(schema.to_string().contains("leader-sent-newleader"));
    assert!(schema.to_string().contains("tick_time"));
}

/// The scenario files of the repository.
fn files() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let toml = paths.into_iter().filter(|path| path.extension().is_some_and(|ext| ext == "toml"));
    toml.map(|path| (Scenario::name(&path), std::fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn every_scenario_file_is_sound_and_has_a_moral() {
    let files = files();
    assert!(files.len() >= 26, "{}", files.len());
    for (name, text) in files {
        let scenario = Scenario::parse(&name, &text).unwrap_or_else(|error| panic!("{error}"));
        assert!(scenario.moral.ends_with('.') && scenario.moral.len() > 30, "{name}: {}", scenario.moral);
        for seed in 0..20 {
            scenario.setup(seed);
        }
    }
}

#[test]
fn no_text_makes_the_reader_panic() {
    use proptest::prelude::*;
    use proptest::test_runner::TestRunner;

    let texts: Vec<String> = files().into_iter().map(|(_, text)| text).collect();
    let piece = prop_oneof![
        "[\\[\\]{}=\"',.#0-9a-z \n-]{0,6}",
        Just("999999999999999999999".to_owned()),
        Just("\"p64\"".to_owned()),
        Just("ü".to_owned()),
        Just("-1".to_owned()),
        Just("[[fault]]".to_owned()),
    ];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..12usize, piece), 1..4);
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() });
    let strategy = (any::<prop::sample::Index>(), edits);
    let result = runner.run(&strategy, |(which, edits)| {
        let mut chars: Vec<char> = which.get(&texts).chars().collect();
        for (at, delete, insert) in edits {
            let at = at.index(chars.len() + 1);
            let end = (at + delete).min(chars.len());
            chars.splice(at..end, insert.chars());
        }
        let text: String = chars.into_iter().collect();
        match Scenario::parse("x.toml", &text) {
            Ok(scenario) => drop(scenario.setup(1)),
            Err(error) => {
                prop_assert!(text.get(error.span.clone()).is_some());
                prop_assert!(!error.to_string().is_empty());
            }
        }
        Ok(())
    });
    result.unwrap();
}
