//! Releases and habits as scenarios and traces name them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::zab::{Habit, Release};

/// A release, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Profile(pub Release);

/// A habit, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct HabitName(pub Habit);

/// As serde would say it of an enum, so that errors advise alike.
fn unknown(what: &str, name: &str, names: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    format!("unknown {what} `{name}`, expected one of {}", names.join(", "))
}

impl TryFrom<String> for Profile {
    type Error = String;

    fn try_from(name: String) -> Result<Profile, String> {
        let names = || Release::ALL.into_iter().map(Release::name);
        Release::from_name(&name).map(Profile).ok_or_else(|| unknown("profile", &name, names()))
    }
}

impl From<Profile> for String {
    fn from(profile: Profile) -> String {
        profile.0.name().into()
    }
}

impl TryFrom<String> for HabitName {
    type Error = String;

    fn try_from(name: String) -> Result<HabitName, String> {
        let names = || Habit::all().map(Habit::name);
        Habit::from_name(&name).map(HabitName).ok_or_else(|| unknown("habit", &name, names()))
    }
}

impl From<HabitName> for String {
    fn from(habit: HabitName) -> String {
        habit.0.name().into()
    }
}

impl JsonSchema for Profile {
    fn schema_name() -> Cow<'static, str> {
        "Profile".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A release of ZooKeeper.",
            "enum": Release::ALL.map(Release::name),
        })
    }
}

impl JsonSchema for HabitName {
    fn schema_name() -> Cow<'static, str> {
        "Habit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let habits: Vec<_> = Habit::all()
            .map(|habit| serde_json::json!({ "const": habit.name(), "description": sentence(habit) }))
            .collect();
        json_schema!({ "description": "A way in which some release deviates from the hardened protocol.", "oneOf": habits })
    }
}

fn sentence(habit: Habit) -> String {
    let mut chars = habit.story().chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).chain(['.']).collect())
}
