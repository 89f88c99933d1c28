//! The command line of zabsim.

use std::process::ExitCode;

fn main() -> ExitCode {
    zabsim::cli::main()
}
