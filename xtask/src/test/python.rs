//! Programs that come by Python's package index: linters that are written in, or packed for, Python, and cargo's companions.
//!
//! A folder of `xtask/tools` names the versions and the checksum of every file; nothing is built from source.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Context, Trouble};
use crate::process::Call;
use crate::workspace::program;

/// Some 50 MB; a network that swallows packets takes for ever.
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
        let text = fs::read_to_string(&requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
        // Parts of them are compiled for one version of Python.
        let state = Call::new(&packages.python).argument("--version").text()? + &text;
        let note = packages.folder.join("installed.txt");
        if fs::read_to_string(&note).is_ok_and(|installed| installed == state) {
            return Ok(packages);
        }
        if packages.folder.exists() {
            fs::remove_dir_all(&packages.folder).map_err(|error| format!("{}: {error}", packages.folder.display()))?;
        }
        let pip = Call::new(&packages.python).arguments(["-m", "pip", "install", "--quiet", "--no-input"]);
        let pip = pip.arguments(["--disable-pip-version-check", "--root-user-action=ignore"]);
        let pip = pip.arguments(["--require-hashes", "--only-binary", ":all:", "--target"]).argument(&packages.folder);
        pip.argument("--requirement")
            .argument(&requirements)
            .limit(DOWNLOAD)
            .run(&context.log, context.terminal)
            .map_err(|why| context.missing(format!("{what} cannot be installed: {why}")))?;
        fs::write(&note, state).map_err(|error| format!("{}: {error}", note.display()))?;
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

/// Where a program of an installed folder is, for who does not install it.
pub(super) fn installed_program(tools: &Path, folder: &str, name: &str) -> PathBuf {
    tools.join(folder).join("bin").join(name)
}
