//! Programs that come by Python's package index: linters that are written in, or packed for, Python, and cargo's companions.
//!
//! A folder of `xtask/tools` names the versions and the checksum of every file; nothing is built from source.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Context, Trouble};
use crate::process::Call;
use crate::terminal::Terminal;
use crate::workspace::program;

/// At most some 80 MB; a network that swallows packets takes for ever.
const DOWNLOAD: Duration = Duration::from_secs(5 * 60);

/// The packages of one folder of `xtask/tools`, installed into `target/tools`.
pub(super) struct Packages {
    python: PathBuf,
    folder: PathBuf,
}

impl Packages {
    /// Installs them, unless they are there for this very Python. `name` is the folder, `what` says what is in it.
    ///
    /// # Errors
    /// A sentence that names what cannot be had on this machine, and why.
    pub(super) fn install(context: &Context<'_>, name: &str, what: &str) -> Result<Self, Trouble> {
        let Some(python) = program("python3") else {
            return Err(context.missing(format!("{what} cannot be installed: python3 is not installed")));
        };
        let packages = Self { python, folder: context.workspace.tools().join(name) };
        let requirements = context.workspace.root.join("xtask/tools").join(name).join("requirements.txt");
        install(&packages.python, &requirements, &packages.folder, &context.log, context.terminal)
            .map_err(|why| context.missing(format!("{what} cannot be installed: {why}")))?;
        Ok(packages)
    }

    /// A program that one of them carries.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// A module of one of them, run by its Python.
    pub(super) fn module(&self, name: &str) -> Call {
        Call::new(&self.python).arguments(["-m", name]).set("PYTHONPATH", &self.folder)
    }
}

/// Installs what a file of requirements names, with their checksums, into a folder, unless it is there for this very Python.
///
/// # Errors
/// A sentence: why it cannot be had on this machine.
pub(super) fn install(
    python: &Path,
    requirements: &Path,
    folder: &Path,
    log: &Path,
    terminal: &Terminal,
) -> Result<(), String> {
    let text = fs::read_to_string(requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
    // Parts of them are compiled for one version of Python.
    let state = Call::new(python).argument("--version").text()? + &text;
    let note = folder.join("installed.txt");
    if fs::read_to_string(&note).is_ok_and(|installed| installed == state) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let pip = Call::new(python).arguments(["-m", "pip", "install", "--quiet", "--no-input"]);
    let pip = pip.arguments(["--disable-pip-version-check", "--root-user-action=ignore"]);
    let pip = pip.arguments(["--require-hashes", "--only-binary", ":all:", "--target"]).argument(folder);
    pip.argument("--requirement").argument(requirements).limit(DOWNLOAD).run(log, terminal)?;
    fs::write(&note, state).map_err(|error| format!("{}: {error}", note.display()))
}

/// Where a program of an installed folder is, for who does not install it.
pub(super) fn installed_program(tools: &Path, folder: &str, name: &str) -> PathBuf {
    tools.join(folder).join("bin").join(name)
}
