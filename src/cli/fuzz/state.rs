//! `campaign.json`: how far a campaign is, whole at every moment.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use xxhash_rust::xxh3::xxh3_64;

use super::super::files::{self, quoted};
use crate::fuzz::campaign::{Campaign, FORMAT, Progress};

fn path(directory: &Path) -> PathBuf {
    directory.join("campaign.json")
}

/// Makes `directory`, and keeps every other campaign out of it for as long as the file is open. The file stays: whoever removed it
/// could take it from under another one.
pub(super) fn lock(directory: &Path) -> Result<File> {
    let shown = directory.display();
    if directory.exists() && !directory.is_dir() {
        bail!("{shown} is not a directory; --out names one, for failures and campaign.json");
    }
    let context = || format!("cannot write to {shown}");
    std::fs::create_dir_all(directory).with_context(context)?;
    let path = directory.join("campaign.lock");
    let file = File::options().create(true).truncate(false).write(true).open(path).with_context(context)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            bail!("another zabsim fuzz is at work in {shown}; wait for its end, or name another directory with --out")
        }
        // Not every file system has locks.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// Where `campaign` stands in `directory`. Another campaign there is not touched.
pub(super) fn resume(directory: &Path, campaign: Campaign) -> Result<Progress> {
    let build = build()?;
    if !path(directory).exists() {
        return Ok(Progress::new(campaign, build));
    }
    let there = read(directory)?;
    let shown = directory.display();
    let mend = format!("name another directory with --out, or remove this one: rm -r {}", quoted(directory));
    if let Some(difference) = there.campaign.difference(&campaign) {
        bail!("{shown} holds another campaign ({difference}); give the same command to continue it, {mend}");
    }
    if there.build != build {
        bail!("{shown} holds the results of another build of zabsim, which may not be those of this one; {mend}");
    }
    Ok(there)
}

pub(super) fn read(directory: &Path) -> Result<Progress> {
    let path = path(directory);
    let shown = path.display();
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {shown}, which zabsim fuzz --out {} writes", quoted(directory)))?;
    let mend = format!("to begin this campaign anew, remove it: rm -r {}", quoted(directory));
    let progress: Progress = serde_json::from_str(&text)
        .map_err(|error| anyhow::anyhow!("{shown}: {error}: it is damaged, or of another version of zabsim; {mend}"))?;
    if progress.format != FORMAT {
        bail!("{shown} has the format {}, this version of zabsim knows {FORMAT}; {mend}", progress.format);
    }
    Ok(progress)
}

pub(super) fn write(directory: &Path, progress: &Progress) -> Result<()> {
    let text = serde_json::to_string_pretty(progress).context("cannot write the campaign")?;
    files::write(&path(directory), &(text + "\n"))
}

/// A hash of what a text says.
pub(super) fn digest(text: &str) -> String {
    format!("{:016x}", xxh3_64(text.as_bytes()))
}

/// A hash of this program: a campaign that one core began, another must not end.
fn build() -> Result<String> {
    let program = std::env::current_exe().and_then(std::fs::read).context("cannot read this program")?;
    Ok(format!("{:016x}", xxh3_64(&program)))
}
