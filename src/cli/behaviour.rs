//! `--service`, `--profile`, `--habit`, `--mend`, `--only`: what servers replicate, how they behave and what is judged, said on the
//! command line instead of in a file; and `zabsim profiles`, which lists both.

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Serialize;

use super::Exit;
use super::engine::Loaded;
use super::render::{Screen, WIDTH, bold, dim, wrapped};
use crate::check::Property;
use crate::scenario::{HabitName, Profile, Scenario};
use crate::sim::ServiceKind;
use crate::zab::{Habit, Habits, Release};

/// What differs from what the scenario says.
#[derive(Debug, Default, Args)]
pub(super) struct Behaviour {
    /// What servers replicate: `ledger`, a hash chain, fast; or `zookeeper`, the whole server with its bytes and files.
    #[arg(long, value_name = "SERVICE", value_parser = parse_service)]
    pub service: Option<ServiceKind>,
    /// Let servers behave like a release of ZooKeeper: apache-3.8.0, apache-3.9.3 or apache-3.9.4.
    #[arg(long, value_name = "RELEASE", value_parser = parse_profile)]
    pub profile: Option<Profile>,
    /// Give servers this habit of some release, by name; `zabsim profiles` lists them (may be repeated).
    #[arg(long, value_name = "HABIT", value_parser = parse_habit)]
    pub habit: Vec<HabitName>,
    /// Take this habit away again, to see what lies behind it (may be repeated).
    #[arg(long, value_name = "HABIT", value_parser = parse_habit)]
    pub mend: Vec<HabitName>,
    /// Judge only this property, such as K2 (may be repeated).
    #[arg(long, value_name = "PROPERTY", value_parser = parse_property)]
    pub only: Vec<Property>,
}

fn parse_service(name: &str) -> Result<ServiceKind, String> {
    ServiceKind::from_name(name).ok_or_else(|| format!("unknown service `{name}`: it is `ledger` or `zookeeper`"))
}

fn parse_profile(name: &str) -> Result<Profile, String> {
    Profile::try_from(name.to_owned())
}

fn parse_habit(name: &str) -> Result<HabitName, String> {
    let advice = || match nearest(name, Habit::all().map(Habit::name)) {
        Some(near) => format!("unknown habit `{name}`; did you mean `{near}`?"),
        None => format!("unknown habit `{name}`; `zabsim profiles` lists them"),
    };
    HabitName::try_from(name.to_owned()).map_err(|_| advice())
}

/// The name that was probably meant, if one is alike.
pub(super) fn nearest<'n>(given: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let distances = names.map(|name| (strsim::damerau_levenshtein(given, name), name));
    distances.min().filter(|(distance, name)| *distance <= name.len() / 3).map(|(_, name)| name)
}

fn parse_property(id: &str) -> Result<Property, String> {
    Property::from_id(id).ok_or_else(|| format!("unknown property `{id}`; `zabsim words properties` lists them"))
}

impl Behaviour {
    /// Whether nothing was said.
    pub(super) fn is_usual(&self) -> bool {
        let kinds = self.service.is_none() && self.profile.is_none();
        kinds && self.habit.is_empty() && self.mend.is_empty() && self.only.is_empty()
    }

    /// Changes a scenario, but not its text.
    pub(super) fn apply(&self, scenario: &mut Scenario) {
        scenario.service = self.service.unwrap_or(scenario.service);
        scenario.profile = self.profile.or(scenario.profile);
        scenario.habits.extend(&self.habit);
        if !self.mend.is_empty() {
            let mended: Habits = self.mend.iter().map(|name| name.0).collect();
            scenario.habits = scenario.all_habits().without(mended).iter().map(HabitName).collect();
            scenario.profile = None;
        }
        scenario.promise.only.extend(self.only.iter().map(|property| property.id().to_owned()));
    }

    /// Demands that there is something to mend, if that is asked of a scenario.
    pub(super) fn assert_mendable(&self, scenario: &Scenario) -> Result<()> {
        let given = self.profile.is_some() || !self.habit.is_empty() || !scenario.all_habits().is_empty();
        ensure!(
            self.mend.is_empty() || given,
            "--mend takes a habit away from servers that have some, and these have none; give them those of a release with \
             --profile, or name them with --habit"
        );
        Ok(())
    }

    /// Changes a scenario and its text.
    pub(super) fn rewrite(&self, mut loaded: Loaded) -> Result<Loaded> {
        if !self.is_usual() {
            self.assert_mendable(&loaded.scenario)?;
            self.apply(&mut loaded.scenario);
            let text = loaded.scenario.written(&loaded.scenario.moral);
            loaded.scenario.text = text.with_context(|| format!("{} cannot be written with habits", loaded.path))?;
            loaded.flags = self.flags();
        }
        Ok(loaded)
    }

    /// How to say it again, each part after a space.
    pub(super) fn flags(&self) -> String {
        let service = self.service.iter().map(|service| format!(" --service {}", service.name()));
        let profile = self.profile.iter().map(|profile| format!(" --profile {}", profile.0));
        let habits = self.habit.iter().map(|habit| format!(" --habit {}", habit.0));
        let mended = self.mend.iter().map(|habit| format!(" --mend {}", habit.0));
        let only = self.only.iter().map(|property| format!(" --only {}", property.id()));
        service.chain(profile).chain(habits).chain(mended).chain(only).collect()
    }
}

#[derive(Debug, Serialize)]
struct Listed {
    habit: &'static str,
    releases: Vec<&'static str>,
    source: &'static str,
    story: &'static str,
}

/// `zabsim profiles`: which release has which habit.
pub(super) fn profiles(json: bool, screen: &mut Screen) -> Result<Exit> {
    let having = |habit: Habit| Release::ALL.into_iter().filter(move |release| release.habits().has(habit));
    if json {
        let listed = |habit: Habit| Listed {
            habit: habit.name(),
            releases: having(habit).map(Release::name).collect(),
            source: habit.source(),
            story: habit.story(),
        };
        screen.json(&Habit::all().map(listed).collect::<Vec<_>>());
        return Ok(Exit::Good);
    }
    let width = Habit::all().map(|habit| habit.name().len()).max().unwrap_or(0);
    let columns: String = Release::ALL.iter().map(|release| format!("  {}", release.name())).collect();
    screen.line(bold(format_args!("{:width$}{columns}", "habit")));
    let room = screen.width().unwrap_or(WIDTH).saturating_sub(4).max(20);
    for habit in Habit::all() {
        let mark = |release: &Release| if release.habits().has(habit) { "yes" } else { "-" };
        let marks: String = Release::ALL.iter().map(|it| format!("  {:1$}", mark(it), it.name().len())).collect();
        screen.line(format_args!("{:width$}{}", habit.name(), marks.trim_end()));
        for line in wrapped(&format!("{} ({})", habit.story(), habit.source()), room) {
            screen.line(format_args!("    {}", dim(line)));
        }
    }
    Ok(Exit::Good)
}
