//! What several tests need: the files of the project, the binary, a directory of one's own.
#![allow(dead_code, reason = "every test is a program of its own and uses a part of this")]

use std::fs;
#[cfg(feature = "cli")]
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
#[cfg(feature = "cli")]
use std::process::Stdio;
use std::sync::Once;

use zabsim::scenario::Scenario;
use zabsim::trace::{Replay, Trace};

/// The files of a directory with an extension, by name.
pub fn files(directory: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{directory}: {error}"));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    assert!(!paths.is_empty(), "no {extension} files in {directory}");
    paths
}

/// The stem of a path.
pub fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// A scenario of the project, by name.
pub fn scenario(name: &str) -> Scenario {
    let path = format!("scenarios/{name}.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    Scenario::parse(&path, &text).unwrap_or_else(|error| panic!("{error}"))
}

/// A stored trace.
pub fn trace(path: &Path) -> Trace {
    let bytes = fs::read(path).unwrap();
    Trace::read(bytes.as_slice()).unwrap_or_else(|error| panic!("{}:{error}", path.display()))
}

/// Whether stored traces are to be recorded again, since the core changed on purpose.
pub fn updates_traces() -> bool {
    std::env::var_os("UPDATE_TRACES").is_some()
}

/// Stored traces that were shrunk: no seed comes to them. Those that a changed core plays in another way are recorded again from
/// their actions, if these still lead to the same property.
pub fn shrunk_traces(directory: &str) -> Vec<(PathBuf, Trace)> {
    static RECORDED: Once = Once::new();
    let paths = files(directory, "jsonl");
    if updates_traces() {
        RECORDED.call_once(|| paths.iter().for_each(|path| record_again(path)));
    }
    paths.into_iter().map(|path| (path.clone(), trace(&path))).collect()
}

fn record_again(path: &Path) {
    let stored = trace(path);
    let replayed = catch_unwind(AssertUnwindSafe(|| Replay::new(&stored).run_until(u64::MAX, |_, _| ()).is_ok()));
    if replayed.unwrap_or(true) {
        return;
    }
    let catch = |tries: &mut dyn FnMut()| catch_unwind(AssertUnwindSafe(tries)).map_err(|_| "a panic".to_owned());
    let again = zabsim::shrink::again(&stored, &catch);
    let again = again.unwrap_or_else(|| panic!("{}: what it was about is to be found anew", path.display()));
    fs::write(path, again.write(Vec::new()).unwrap()).unwrap();
}

/// What the binary said and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Demands an exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "\n--- out\n{}--- err\n{}", self.out, self.err);
        self
    }

    /// Standard output as one JSON value.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{}", self.out))
    }
}

/// The binary, without colours, in this project's directory.
#[cfg(feature = "cli")]
pub fn zabsim() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zabsim"));
    command.env("NO_COLOR", "1").stdin(Stdio::null());
    for of_the_caller in ["COLUMNS", "CLICOLOR_FORCE", "RUST_LOG"] {
        command.env_remove(of_the_caller);
    }
    command
}

/// Runs the binary with these arguments, split at blanks.
#[cfg(feature = "cli")]
pub fn run(arguments: &str) -> Ran {
    ended(zabsim().args(arguments.split_whitespace()))
}

/// Runs the binary and says something to it.
#[cfg(feature = "cli")]
pub fn run_with_input(arguments: &str, input: &str) -> Ran {
    let mut command = zabsim();
    command.args(arguments.split_whitespace()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    said(child.wait_with_output().unwrap())
}

/// Runs a command to its end.
pub fn ended(command: &mut Command) -> Ran {
    said(command.output().unwrap())
}

fn said(output: std::process::Output) -> Ran {
    Ran {
        code: output.status.code().expect("it ends by itself"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A directory of its own, gone at the end.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Named after the test that uses it.
    pub fn new(name: &str) -> Scratch {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    /// A path in it, as text.
    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file into it.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
