//! Files: every error carries the path, and a file appears whole or not at all.

use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use crate::scenario::Scenario;
use crate::trace::Trace;

/// The text of a scenario file. What is no text, or a trace, is said to be so.
pub(super) fn read_scenario(path: &Path) -> Result<String> {
    let shown = path.display();
    if path.is_dir() {
        bail!("{shown} is a directory; name scenario files, such as {}", path.join("*.toml").display());
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    if bytes.starts_with(b"{\"format\":") {
        bail!("{shown} is a trace, not a scenario; to execute it again: zabsim replay {}", quoted(path));
    }
    if bytes.trim_ascii().is_empty() {
        bail!("{shown} is empty; the least that a scenario says is a comment: what it is about");
    }
    String::from_utf8(bytes).map_err(|_| anyhow!("{shown} is no scenario: a scenario is a text file in UTF-8"))
}

pub(super) fn read_trace(path: &Path) -> Result<Trace> {
    let shown = path.display();
    if path.is_dir() {
        bail!("{shown} is a directory; name a trace in it, such as {}", path.join("….jsonl").display());
    }
    let file = File::open(path).with_context(|| format!("cannot read {shown}"))?;
    // A trace error begins with line and column: path:line:column is what editors jump to.
    Trace::read(BufReader::new(file)).map_err(|error| {
        let is_scenario = path.extension().is_some_and(|extension| extension == "toml")
            || fs::read_to_string(path).is_ok_and(|text| !text.is_empty() && Scenario::parse("", &text).is_ok());
        if is_scenario {
            let command = format!("zabsim run {} --trace FILE", quoted(path));
            anyhow!("{shown} is a scenario, not a trace; to run it and get a trace: {command}")
        } else {
            anyhow!("{shown}:{error}")
        }
    })
}

/// For a shell.
pub(super) fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if !path.is_empty() && path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// A file that gets its name when it is complete. What is no ordinary file (a device, a pipe) is written as it is.
pub(super) struct Draft {
    file: File,
    /// Where it is until it is complete.
    temporary: Option<PathBuf>,
    path: PathBuf,
}

impl Draft {
    pub(super) fn create(path: &Path) -> Result<Draft> {
        let context = || format!("cannot write {}", path.display());
        if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            let file = File::options().write(true).open(path).with_context(context)?;
            return Ok(Draft { file, temporary: None, path: path.into() });
        }
        // What a link points to is replaced, not the link.
        let path = &fs::canonicalize(path).unwrap_or_else(|_| path.into());
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            fs::create_dir_all(directory).with_context(context)?;
        }
        let mut name = path.file_name().with_context(context)?.to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        let temporary = path.with_file_name(name);
        let file = File::create(&temporary).with_context(context)?;
        Ok(Draft { file, temporary: Some(temporary), path: path.into() })
    }

    /// Gives it its name.
    pub(super) fn publish(self) -> Result<()> {
        let Some(temporary) = &self.temporary else { return Ok(()) };
        fs::rename(temporary, &self.path).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Leaves nothing behind when it was not published.
impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = fs::remove_file(temporary);
        }
    }
}

pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    let mut draft = Draft::create(path)?;
    draft.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    draft.publish()
}

/// The scenario files of a directory, by name.
pub(super) fn scenarios(directory: &Path) -> Result<Vec<PathBuf>> {
    let context = || format!("cannot list {}", directory.display());
    let mut paths = Vec::new();
    if directory.is_file() {
        bail!("{} is a file; name a directory of scenarios, or zabsim check FILE", directory.display());
    }
    for entry in fs::read_dir(directory).with_context(context)? {
        let path = entry.with_context(context)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        bail!("there are no scenarios (*.toml) in {}", directory.display());
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_survives_the_shell() {
        assert_eq!(quoted(Path::new("out/a-1.jsonl")), "out/a-1.jsonl");
        assert_eq!(quoted(Path::new("my runs/it's.toml")), r"'my runs/it'\''s.toml'");
    }
}
