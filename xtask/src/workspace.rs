//! Where things are: the root of the repository, cargo's target directory, programs on the machine.

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;

use crate::process::{Call, cargo};

/// Directories that hold programs although they are not always on PATH.
const MORE_PROGRAMS: [&str; 2] = ["/usr/sbin", "/sbin"];

/// The repository and its build directory.
pub(crate) struct Workspace {
    /// The directory of the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's target directory, wherever it was configured to be.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Asks cargo, from the directory of this crate or of the caller.
    ///
    /// # Errors
    /// A sentence, outside of a checkout.
    pub(crate) fn find() -> Result<Self, String> {
        let here = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from);
        let text = cargo(&["metadata", "--no-deps", "--offline", "--format-version", "1"]).directory(&here).text()?;
        let metadata: Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
        let path = |key: &str| {
            metadata[key].as_str().map(PathBuf::from).ok_or_else(|| format!("cargo metadata names no `{key}`"))
        };
        Ok(Self { root: path("workspace_root")?, target: path("target_directory")? })
    }

    /// Where programs are put that only this repository's tests need.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// A fresh file for the output of a step.
    pub(crate) fn log(&self, name: &str) -> Result<PathBuf, String> {
        let directory = self.target.join("xtask");
        fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        let path = directory.join(format!("{name}.txt"));
        fs::write(&path, "").map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }

    /// A cargo command at the root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Call {
        cargo(arguments).directory(&self.root)
    }
}

/// The first file of that name on PATH, or in the directories of administrators.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .chain(MORE_PROGRAMS.iter().map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}
