//! `zabsim check`, `schema` and `scenarios`: about scenarios, without running them.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::render::{Screen, bold, green};
use super::{Exit, engine, files};
use crate::scenario::Scenario;

/// All of them, so that all errors show at once.
pub(super) fn check(paths: &[PathBuf], screen: &mut Screen) -> Result<Exit> {
    let mut exit = Exit::Good;
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
    Ok(Exit::Good)
}

/// Of a moral the first sentence, whole: the rest stands in the file.
pub(super) fn scenarios(directory: &Path, screen: &mut Screen) -> Result<Exit> {
    let paths = files::scenarios(directory)?;
    let width = paths.iter().map(|path| Scenario::name(path).chars().count()).max().unwrap_or(0);
    let mut exit = Exit::Good;
    for path in &paths {
        match engine::load(path) {
            Ok(loaded) => {
                let name = Scenario::name(path);
                let pad = " ".repeat(width - name.chars().count());
                screen.line(format_args!("{}{pad}  {}", bold(name), first_sentence(&loaded.scenario.moral)));
            }
            Err(error) => {
                screen.error(&error);
                exit = Exit::Usage;
            }
        }
    }
    Ok(exit)
}

fn first_sentence(moral: &str) -> &str {
    let ends = moral.match_indices(['.', '!', '?']).map(|(at, _)| at + 1);
    let end = ends.into_iter().find(|&end| moral[end..].starts_with(char::is_whitespace)).unwrap_or(moral.len());
    &moral[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_ends_where_the_next_begins() {
        assert_eq!(first_sentence("A fault: p1.x dies. Then more."), "A fault: p1.x dies.");
        assert_eq!(first_sentence("Who leads? Nobody."), "Who leads?");
        assert_eq!(first_sentence("no end"), "no end");
    }
}
