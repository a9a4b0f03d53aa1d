//! Every file of the repository that a person wrote: no build output, nothing of git's own.

use std::fs;
use std::path::{Path, PathBuf};

/// Directories that hold what was generated or downloaded.
const NOT_OURS: [&str; 3] = ["target", ".git", "node_modules"];

/// Paths of all files below `root`, sorted; links are not followed.
///
/// # Errors
/// A sentence: a directory cannot be read.
pub(crate) fn every_file(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        let unreadable = |error: std::io::Error| format!("{}: {error}", directory.display());
        for entry in fs::read_dir(&directory).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let kind = entry.file_type().map_err(unreadable)?;
            let is_ours = !NOT_OURS.iter().any(|name| entry.file_name() == *name);
            match (kind.is_dir(), kind.is_file()) {
                (true, _) if is_ours => directories.push(entry.path()),
                // In a linked worktree `.git` is a file.
                (_, true) if is_ours => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files.sort();
    Ok(files)
}
