//! Where docker's and podman's files are.
//!
//! Follows docker's CLI: `DOCKER_CONFIG`, else `$HOME/.docker`. Follows podman for its auth file: `REGISTRY_AUTH_FILE`,
//! `DOCKER_CONFIG/config.json`, `$XDG_RUNTIME_DIR/containers/auth.json`, `/run/containers/<uid>/auth.json`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::geteuid;

use crate::effect::docker::{Client, Directory, Trouble};
use crate::environment::Environment;
use crate::native::docker::file::unusable;
use crate::native::docker::private_directory;

/// Where the files are, by role.
#[derive(Debug)]
pub(in crate::native) struct Places {
    environment: Arc<Environment>,
    working_directory: PathBuf,
    records: PathBuf,
}

impl Places {
    /// `records` is the record directory, which also holds the private directories.
    pub(in crate::native) fn new(
        environment: impl Into<Arc<Environment>>,
        working_directory: PathBuf,
        records: PathBuf,
    ) -> Self {
        Self { environment: environment.into(), working_directory, records }
    }

    /// The record directory.
    pub(in crate::native) fn records(&self) -> &Path {
        &self.records
    }

    /// Docker's directory; canonical if it exists. The user's own is also found when `DOCKER_CONFIG` is a private
    /// one that an earlier step made.
    ///
    /// # Errors
    /// No variable says where it is, or the private directory is not ours.
    pub(in crate::native) fn directory(&self, directory: &Directory) -> Result<PathBuf, Trouble> {
        match directory {
            Directory::Private(id) => private_directory::path(&self.records, id).map_err(Trouble::Unusable),
            Directory::Current => self.named(),
            Directory::User => {
                let path = self.named()?;
                Ok(private_directory::user_of(&self.records, &path).unwrap_or(path))
            }
        }
    }

    /// Whether `DOCKER_CONFIG` is a private directory that an earlier step made.
    pub(in crate::native) fn is_taken_over(&self) -> bool {
        self.named().is_ok_and(|path| private_directory::user_of(&self.records, &path).is_some())
    }

    /// The directory that docker itself would use.
    fn named(&self) -> Result<PathBuf, Trouble> {
        let path = match (self.absolute("DOCKER_CONFIG"), self.absolute("HOME")) {
            (Some(path), _) => path,
            (None, Some(home)) => home.join(".docker"),
            (None, None) => return Err(unusable("neither DOCKER_CONFIG nor HOME is set")),
        };
        Ok(fs::canonicalize(&path).unwrap_or(path))
    }

    /// The file that holds the logins of `client`.
    ///
    /// # Errors
    /// As with [`Places::directory`].
    pub(in crate::native) fn file(&self, client: Client, directory: &Directory) -> Result<PathBuf, Trouble> {
        if client != Client::Podman || matches!(directory, Directory::Private(_)) {
            return Ok(self.directory(directory)?.join("config.json"));
        }
        let runtime = || self.absolute("XDG_RUNTIME_DIR").map(|path| path.join("containers/auth.json"));
        Ok(self
            .absolute("REGISTRY_AUTH_FILE")
            .or_else(|| self.absolute("DOCKER_CONFIG").map(|path| path.join("config.json")))
            .or_else(runtime)
            .unwrap_or_else(|| PathBuf::from(format!("/run/containers/{}/auth.json", geteuid().as_raw()))))
    }

    fn absolute(&self, name: &str) -> Option<PathBuf> {
        self.environment.value(name).map(|value| self.working_directory.join(value))
    }
}
