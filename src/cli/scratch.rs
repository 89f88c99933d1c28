//! A folder for servers that are only tried out.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A folder that somebody named, or a temporary one that is removed at the end.
pub(super) struct Scratch {
    path: PathBuf,
    temporary: bool,
}

impl Scratch {
    /// The folder `named`, made if need be; or a temporary one with `purpose` in its name.
    pub(super) fn new(purpose: &str, named: Option<&Path>) -> Result<Scratch> {
        let temporary = || std::env::temp_dir().join(format!("zabsim-{purpose}-{}", std::process::id()));
        let path = named.map_or_else(temporary, Path::to_path_buf);
        fs::create_dir_all(&path).with_context(|| format!("cannot make the folder {}", path.display()))?;
        let path = path.canonicalize().with_context(|| format!("cannot find {}", path.display()))?;
        Ok(Scratch { path, temporary: named.is_none() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where it is and whether it stays.
    pub(super) fn described(&self) -> String {
        let stays = if self.temporary { ", removed at the end" } else { "" };
        format!("{}{stays}", self.path.display())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.temporary {
            // What cannot be removed lies in a folder for temporary files.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
