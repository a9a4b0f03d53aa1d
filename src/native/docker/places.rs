//! Where docker's and podman's files are.
//!
//! Follows docker's CLI: `DOCKER_CONFIG`, else `$HOME/.docker`. Follows podman for its auth file: `REGISTRY_AUTH_FILE`,
//! `DOCKER_CONFIG/config.json`, `$XDG_RUNTIME_DIR/containers/auth.json`, and for root `/run/containers/0/auth.json`, for
//! others the same below `/run/user/<uid>`, if that is there, or `$TMPDIR/podman-run-<uid>`.

use std::fs;
use std::os::unix::fs::MetadataExt;
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
            Directory::Recorded(file) => {
                recorded(file)?.parent().map(Path::to_owned).ok_or_else(|| unusable("a file that is a directory"))
            }
            Directory::Current => self.named(),
            Directory::User => match self.taken_over(Client::Docker) {
                Some(Some(user)) => Ok(user),
                // It was made where nobody could name the user's, and nothing more is known now.
                Some(None) => self.at_home(),
                None => self.named(),
            },
        }
    }

    /// What the private directory that the variable of `client` names stands for, if an earlier step made it: none inside,
    /// if that step knew of nothing.
    fn taken_over(&self, client: Client) -> Option<Option<PathBuf>> {
        private_directory::origin_of(&self.records, &canonical(self.private_place(client)?))
    }

    /// The directory that the variable of `client` names.
    fn private_place(&self, client: Client) -> Option<PathBuf> {
        match client {
            Client::Podman => Some(self.absolute("REGISTRY_AUTH_FILE")?.parent()?.to_owned()),
            Client::Docker | Client::None => self.absolute("DOCKER_CONFIG"),
        }
    }

    /// The id of the private directory that the variable of `client` names, if an earlier step made it.
    pub(in crate::native) fn private_id(&self, client: Client) -> Option<String> {
        self.taken_over(client)?;
        Some(canonical(self.private_place(client)?).file_name()?.to_str()?.to_owned())
    }

    /// What the variable of `client` has to be for the user's own; empty where it is found without.
    pub(in crate::native) fn variable(&self, client: Client) -> String {
        let path = match client {
            Client::Podman => match self.taken_over(client) {
                Some(origin) => origin,
                None => self.absolute("REGISTRY_AUTH_FILE"),
            },
            Client::Docker | Client::None => self.directory(&Directory::User).ok(),
        };
        path.map(|path| path.display().to_string()).unwrap_or_default()
    }

    /// What a private directory of `client` stands for: docker's directory, or the file that podman was told of.
    pub(in crate::native) fn origin(&self, client: Client) -> Option<PathBuf> {
        Some(self.variable(client)).filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    /// The directory that docker itself would use.
    fn named(&self) -> Result<PathBuf, Trouble> {
        self.absolute("DOCKER_CONFIG").map_or_else(|| self.at_home(), |path| Ok(canonical(path)))
    }

    fn at_home(&self) -> Result<PathBuf, Trouble> {
        let home = self.absolute("HOME").ok_or_else(|| unusable("neither DOCKER_CONFIG nor HOME is set"))?;
        Ok(canonical(home.join(".docker")))
    }

    /// The file that holds the logins of `client`.
    ///
    /// # Errors
    /// As with [`Places::directory`].
    pub(in crate::native) fn file(&self, client: Client, directory: &Directory) -> Result<PathBuf, Trouble> {
        if let Directory::Recorded(file) = directory {
            return recorded(file).map(Path::to_owned);
        }
        if client != Client::Podman || matches!(directory, Directory::Private(_)) {
            return Ok(self.directory(directory)?.join("config.json"));
        }
        let told = match self.taken_over(client) {
            Some(origin) if *directory == Directory::User => origin,
            _ => self.absolute("REGISTRY_AUTH_FILE"),
        };
        let docker = || {
            // A private directory of docker's is none of podman's business.
            let path = self.absolute("DOCKER_CONFIG")?;
            Some(self.taken_over(Client::Docker).unwrap_or(Some(path))?.join("config.json"))
        };
        if let Some(path) = told.or_else(docker) {
            return Ok(path);
        }
        match self.absolute("XDG_RUNTIME_DIR") {
            // podman refuses, too. Were it made for the login, the record of the login would be looked for there afterwards.
            Some(path) if !path.exists() => Err(unusable("XDG_RUNTIME_DIR names a directory that is not there")),
            Some(path) => Ok(path.join("containers/auth.json")),
            None => Ok(self.of_the_session()),
        }
    }

    /// Where podman keeps its logins if no variable says where: root's are below `/run`, anybody else's in the session's
    /// directory, or in one that podman makes for itself.
    fn of_the_session(&self) -> PathBuf {
        let user = geteuid().as_raw();
        if user == 0 {
            return PathBuf::from("/run/containers/0/auth.json");
        }
        let session = PathBuf::from(format!("/run/user/{user}"));
        let is_ours = |metadata: &fs::Metadata| metadata.uid() == user && metadata.mode() & 0o700 == 0o700;
        let place = if fs::metadata(&session).is_ok_and(|metadata| is_ours(&metadata)) {
            session
        } else {
            let temporary = self.absolute("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"));
            temporary.join(format!("podman-run-{user}"))
        };
        place.join("containers/auth.json")
    }

    /// What podman reads of `registries.conf`, and the directories of its drop-ins: the file that a variable names or the user's
    /// own is read instead of the system's, and with the user's own the system's drop-ins are not.
    pub(in crate::native) fn registries_conf(&self) -> (PathBuf, Vec<PathBuf>) {
        let system = Path::new("/etc/containers");
        let user = self.absolute("HOME").map(|home| home.join(".config/containers"));
        let drop_ins = |folders: &[Option<&Path>]| {
            folders.iter().flatten().map(|folder| folder.join("registries.conf.d")).collect::<Vec<_>>()
        };
        let named = self.absolute("CONTAINERS_REGISTRIES_CONF");
        let own = user.as_ref().map(|user| user.join("registries.conf")).filter(|path| path.exists());
        match (named, own) {
            (None, Some(own)) => (own, drop_ins(&[user.as_deref()])),
            (named, _) => {
                (named.unwrap_or_else(|| system.join("registries.conf")), drop_ins(&[Some(system), user.as_deref()]))
            }
        }
    }

    fn absolute(&self, name: &str) -> Option<PathBuf> {
        self.environment.value(name).map(|value| self.working_directory.join(value))
    }
}

/// Where a record says that a login is.
fn recorded(file: &str) -> Result<&Path, Trouble> {
    Some(Path::new(file)).filter(|file| file.is_absolute()).ok_or_else(|| unusable("the record names no absolute path"))
}

fn canonical(path: PathBuf) -> PathBuf {
    fs::canonicalize(&path).unwrap_or(path)
}
