//! Files: every error carries the path, and a file appears whole or not at all.

use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::trace::Trace;

pub(super) fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

pub(super) fn read_trace(path: &Path) -> Result<Trace> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    // A trace error begins with line and column: path:line:column is what editors jump to.
    Trace::read(BufReader::new(file)).map_err(|error| anyhow::anyhow!("{}:{error}", path.display()))
}

/// A file that gets its name when it is complete.
pub(super) struct Draft {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
}

impl Draft {
    pub(super) fn create(path: &Path) -> Result<Draft> {
        let context = || format!("cannot write {}", path.display());
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            fs::create_dir_all(directory).with_context(context)?;
        }
        let mut name = path.file_name().with_context(context)?.to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        let temporary = path.with_file_name(name);
        let file = File::create(&temporary).with_context(context)?;
        Ok(Draft { file, temporary, path: path.into() })
    }

    /// Gives it its name.
    pub(super) fn publish(self) -> Result<()> {
        fs::rename(&self.temporary, &self.path).with_context(|| format!("cannot write {}", self.path.display()))
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
        let _ = fs::remove_file(&self.temporary);
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
    for entry in fs::read_dir(directory).with_context(context)? {
        let path = entry.with_context(context)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
