//! `zabsim check`, `schema` and `scenarios`: about scenarios, without running them.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::render::{Screen, bold, green};
use super::{Exit, engine, files};
use crate::scenario::Scenario;

/// All of them, so that all errors show at once.
pub(super) fn check(paths: &[PathBuf], screen: &mut Screen) -> Result<Exit> {
    let mut exit = Exit::Held;
    for path in paths {
        match engine::load(path) {
            Ok(loaded) => screen.line(format_args!("{} {}", green("ok"), loaded.path)),
            Err(error) => {
                screen.error(&error);
                exit = Exit::Usage;
            }
        }
    }
    Ok(exit)
}

pub(super) fn schema(screen: &mut Screen) -> Result<Exit> {
    screen.json(&Scenario::schema());
    Ok(Exit::Held)
}

pub(super) fn scenarios(directory: &Path, screen: &mut Screen) -> Result<Exit> {
    let paths = files::scenarios(directory)?;
    let width = paths.iter().map(|path| Scenario::name(path).chars().count()).max().unwrap_or(0);
    let mut exit = Exit::Held;
    for path in &paths {
        match engine::load(path) {
            Ok(loaded) => {
                let name = Scenario::name(path);
                let pad = " ".repeat(width - name.chars().count());
                screen.line(format_args!("{}{pad}  {}", bold(name), loaded.scenario.moral));
            }
            Err(error) => {
                screen.error(&error);
                exit = Exit::Usage;
            }
        }
    }
    Ok(exit)
}
