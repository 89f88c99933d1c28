//! The one place where the command line meets the library: load, run, watch.

use std::fs::File;
use std::path::Path;

use anyhow::Result;

use super::files;
use super::render;
use crate::sim::{Action, Setup, World};
use crate::trace::Recorder;
use crate::trace::diagram::{Moment, Tail};
use crate::zab::Instant;

/// A scenario and where it came from.
pub(super) struct Loaded {
    pub path: String,
    pub text: String,
    pub scenario: Scenario,
}

pub(super) fn load(path: &Path) -> Result<Loaded> {
    let text = files::read_text(path)?;
    let path = path.display().to_string();
    let scenario = parse(&path, &text)?;
    Ok(Loaded { path, text, scenario })
}

/// A scenario, or a picture of what is wrong with it.
pub(super) fn parse(path: &str, text: &str) -> Result<Scenario> {
    Scenario::parse(path, text).map_err(|e| render::scenario_error(text, &e).into())
}
// ---- stand-ins
pub(super) struct Scenario {
    pub name: String,
    pub moral: String,
}
pub(super) struct ScenarioError {
    pub path: String,
    pub line: usize,
    pub column: usize,
    pub span: std::ops::Range<usize>,
    pub message: String,
    pub help: Option<String>,
}
impl Scenario {
    pub fn parse(_p: &str, _t: &str) -> Result<Scenario, ScenarioError> {
        todo!()
    }
    pub fn setup(&self) -> Setup {
        todo!()
    }
}
