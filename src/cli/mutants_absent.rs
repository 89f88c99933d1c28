//! `zabsim mutants` in a build without mutants: one line says how to get them.

use anyhow::{Result, bail};
use clap::Args;

use super::Exit;
use super::render::Screen;

#[derive(Debug, Args)]
pub(super) struct MutantsArgs {
    /// Whatever a build with mutants understands.
    #[arg(hide = true, num_args = 0.., trailing_var_arg = true, allow_hyphen_values = true)]
    pub rest: Vec<String>,
}

pub(super) fn mutants(_: &MutantsArgs, _: &mut Screen) -> Result<Exit> {
    bail!("this build contains no mutants; one that does: cargo build --release --features mutants")
}
