//! `zabsim words`: what a scenario can say, each word with a sentence. Faults and moments come from the schema, and so from the
//! same comments as the documentation.

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use super::Exit;
use super::args::{WordKind, WordsArgs};
use super::render::{Screen, WIDTH, bold, dim, wrapped};
use crate::check::{Property, Situation};
use crate::scenario::Scenario;
use crate::sim::ServiceKind;
use crate::sim::fault::Kind;
use crate::zab::{Habit, Release};

/// What can be said at one place.
#[derive(Debug, Serialize)]
struct Vocabulary {
    kind: &'static str,
    /// Where it is said.
    used: &'static str,
    words: Vec<Word>,
}

#[derive(Debug, Serialize)]
struct Word {
    word: String,
    means: String,
    /// Something to know before it is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

pub(super) fn words(args: &WordsArgs, screen: &mut Screen) -> Result<Exit> {
    let all = [WordKind::Faults, WordKind::Whens, WordKind::Situations, WordKind::Properties, WordKind::Habits];
    let schema = Scenario::schema();
    let wanted = all.into_iter().filter(|&kind| args.kind.is_none_or(|only| only == kind));
    let vocabularies: Vec<Vocabulary> = wanted.map(|kind| vocabulary(kind, &schema)).collect();
    if args.json {
        screen.json(&vocabularies);
        return Ok(Exit::Good);
    }
    for (i, vocabulary) in vocabularies.iter().enumerate() {
        if i > 0 {
            screen.line("");
        }
        show(vocabulary, screen);
    }
    Ok(Exit::Good)
}

fn show(vocabulary: &Vocabulary, screen: &mut Screen) {
    screen.line(bold(vocabulary.kind));
    wrapped(vocabulary.used, screen.width().unwrap_or(WIDTH)).iter().for_each(|line| screen.line(dim(line)));
    let column = vocabulary.words.iter().map(|it| it.word.chars().count()).max().unwrap_or(0) + 4;
    let room = screen.width().unwrap_or(WIDTH).saturating_sub(column).max(20);
    screen.line("");
    for Word { word, means, note } in &vocabulary.words {
        let note = note.iter().flat_map(|note| wrapped(note, room)).map(dim);
        let lines: Vec<String> = wrapped(means, room).into_iter().chain(note).collect();
        screen.line(format_args!("  {word:<0$}{1}", column - 2, lines.join(&format!("\n{:column$}", ""))));
    }
}

fn vocabulary(kind: WordKind, schema: &Value) -> Vocabulary {
    match kind {
        WordKind::Faults => Vocabulary {
            kind: "faults",
            used: "[[fault]] do = { WORD = { … } }, and [random.weights] for those that strike at random",
            words: variants(schema, "Injection").into_iter().map(fault).collect(),
        },
        WordKind::Whens => Vocabulary {
            kind: "whens",
            used: "[[fault]] when = \"WORD\": the moment that a fault waits for; whom it happens to is then the \"trigger\"",
            words: variants(schema, "When"),
        },
        WordKind::Situations => Vocabulary {
            kind: "situations",
            used: "[promise] reaches = [\"WORD\"]: what a run comes to",
            words: Situation::all().map(situation).collect(),
        },
        WordKind::Properties => Vocabulary {
            kind: "properties",
            used: "[promise] violates = [\"WORD\"]: what is checked on every step; [promise] only = [\"WORD\"]: what is judged",
            words: Property::all().iter().map(|&it| property(it)).collect(),
        },
        WordKind::Habits => Vocabulary {
            kind: "habits",
            used: "habits = [\"WORD\"]: how servers deviate from the hardened protocol; profile = \"apache-3.9.4\": as that release does",
            words: Habit::all().map(habit).collect(),
        },
    }
}

/// The variants of an enum in the schema: names, or objects with one key.
fn variants(schema: &Value, of: &str) -> Vec<Word> {
    let word = |variant: &Value| {
        let name = variant["const"].as_str().or_else(|| variant["required"][0].as_str())?;
        Some(Word { word: name.into(), means: variant["description"].as_str()?.into(), note: None })
    };
    schema["$defs"][of]["oneOf"].as_array().into_iter().flatten().filter_map(word).collect()
}

fn fault(word: Word) -> Word {
    let is_random =
        Kind::WEIGHTS.iter().any(|(kind, _)| serde_json::to_value(kind).is_ok_and(|name| name == *word.word));
    let note = (!is_random).then(|| "only where a scenario writes it down, never at random".into());
    Word { note, ..word }
}

fn situation(situation: Situation) -> Word {
    let note = situation.unreachable().map(|why| format!("no run comes to it: {why}"));
    Word { word: situation.name().into(), means: sentence(situation.description()), note }
}

fn property(property: Property) -> Word {
    let means = format!("{}: {}.", property.name(), property.statement());
    let note = (!property.is_applicable(ServiceKind::Ledger)).then(|| "only where service = \"zookeeper\"".into());
    Word { word: property.id().into(), means, note }
}

fn habit(habit: Habit) -> Word {
    let having = Release::ALL.into_iter().filter(|release| release.habits().has(habit)).map(Release::name);
    let note = Some(format!("{}: {}", having.collect::<Vec<_>>().join(", "), habit.source()));
    Word { word: habit.name().into(), means: sentence(habit.story()), note }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).chain(['.']).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_and_every_moment_of_the_schema_has_its_sentence() {
        let schema = Scenario::schema();
        for of in ["Injection", "When"] {
            let words = variants(&schema, of);
            let there = schema["$defs"][of]["oneOf"].as_array().unwrap().len();
            assert_eq!(words.len(), there, "{of}");
            assert!(there > 20 && words.iter().all(|word| word.means.ends_with('.')), "{of}: {words:?}");
        }
        let faults = vocabulary(WordKind::Faults, &schema).words;
        let only_written = faults.iter().filter(|word| word.note.is_some()).count();
        assert_eq!(faults.len() - only_written, Kind::WEIGHTS.len(), "every kind of random fault is known by its name");
    }
}
