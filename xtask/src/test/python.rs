//! The linters of workflows, of the orb and of manifests that are written in, or packed for, Python: check-jsonschema,
//! kubernetes-validate, zizmor and yamllint.
//!
//! `xtask/tools/python` names the versions and the checksum of every file; nothing is built from source.

use std::{fs, path::PathBuf, time::Duration};

use super::{Context, Trouble};
use crate::{process::Call, workspace::program};

/// Some 50 MB; a network that swallows packets takes for ever.
const DOWNLOAD: Duration = Duration::from_secs(5 * 60);

/// The linters, installed.
pub(super) struct Linters {
    python: PathBuf,
    folder: PathBuf,
}

impl Linters {
    /// Installs them, unless they are there for this very Python.
    pub(super) fn install(context: &Context<'_>) -> Result<Self, Trouble> {
        let Some(python) = program("python3") else { return Err(context.missing("python3 is not installed")) };
        let linters = Self { python, folder: context.workspace.tools().join("python") };
        let requirements = context.workspace.root.join("xtask/tools/python/requirements.txt");
        let text = fs::read_to_string(&requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
        // Parts of them are compiled for one version of Python.
        let state = Call::new(&linters.python).argument("--version").text()? + &text;
        let note = linters.folder.join("installed.txt");
        if fs::read_to_string(&note).is_ok_and(|installed| installed == state) {
            return Ok(linters);
        }
        if linters.folder.exists() {
            fs::remove_dir_all(&linters.folder).map_err(|error| format!("{}: {error}", linters.folder.display()))?;
        }
        let pip = Call::new(&linters.python).arguments(["-m", "pip", "install", "--quiet", "--no-input"]);
        let pip = pip.arguments(["--disable-pip-version-check", "--root-user-action=ignore"]);
        let pip = pip.arguments(["--require-hashes", "--only-binary", ":all:", "--target"]).argument(&linters.folder);
        pip.argument("--requirement")
            .argument(&requirements)
            .limit(DOWNLOAD)
            .run(&context.log, context.terminal)
            .map_err(|why| {
                context.missing(format!(
                    "check-jsonschema, kubernetes-validate, zizmor and yamllint cannot be installed: {why}"
                ))
            })?;
        fs::write(&note, state).map_err(|error| format!("{}: {error}", note.display()))?;
        Ok(linters)
    }

    /// Compares files with one of the schemas that it carries.
    pub(super) fn check_jsonschema(&self, schema: &str) -> Call {
        let call = Call::new(&self.python).arguments(["-m", "check_jsonschema", "--color", "never"]);
        call.set("PYTHONPATH", &self.folder).arguments(["--builtin-schema", schema])
    }

    /// Compares manifests with the schemas of Kubernetes that it carries; what a schema does not know is an error.
    pub(super) fn kubernetes_validate(&self, versions: &[&str]) -> Call {
        let call = Call::new(&self.python).arguments(["-m", "kubernetes_validate", "--strict"]);
        let call = versions.iter().fold(call, |call, version| call.arguments(["--kubernetes-version", version]));
        call.set("PYTHONPATH", &self.folder)
    }

    /// Finds what reads badly in YAML, by the rules in `.yamllint`; a warning is a failure.
    pub(super) fn yamllint(&self) -> Call {
        let call = Call::new(&self.python).arguments(["-m", "yamllint", "--strict", "--format", "parsable"]);
        call.set("PYTHONPATH", &self.folder)
    }

    /// Looks for what is dangerous in workflows and actions, and asks nobody about it.
    pub(super) fn zizmor(&self) -> Call {
        Call::new(self.folder.join("bin/zizmor")).arguments([
            "--pedantic",
            "--offline",
            "--no-progress",
            "--color=never",
        ])
    }
}
