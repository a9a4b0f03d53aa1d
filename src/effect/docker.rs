//! The container client and its configuration directory, as the story sees them.

mod private;
mod registry;
mod run;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hublease_protocol::secret::Secret;
use serde::{Deserialize, Serialize};

pub use self::private::{HoldNote, Made, Removed, Sharing};
pub use self::registry::Registry;
pub use self::run::{Ended, Run, Verb};

/// The largest auth file that is read or written, in bytes; docker's own have a few KiB. A host does not send a larger one.
pub const LARGEST_FILE: usize = 1024 * 1024;

/// Who keeps the login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Client {
    /// The docker CLI.
    Docker,
    /// podman, whose auth file buildah and skopeo share.
    Podman,
    /// Nobody: hublease writes docker's auth file itself.
    None,
}

impl Client {
    /// The name of the program, as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::None => "none",
        }
    }

    /// Whose auth file holds its logins, for people.
    pub fn keeper(self) -> &'static str {
        match self {
            Self::Docker | Self::None => "docker",
            Self::Podman => "podman",
        }
    }

    /// The variable that names this client's own place for its logins.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Docker | Self::None => "DOCKER_CONFIG",
            Self::Podman => "REGISTRY_AUTH_FILE",
        }
    }

    /// What that variable holds for a private directory: docker is told of a directory, podman of the file in it.
    pub fn place(self, directory: &Path) -> PathBuf {
        match self {
            Self::Docker | Self::None => directory.to_owned(),
            Self::Podman => directory.join("config.json"),
        }
    }

    /// Reads the value of `--client`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Docker, Self::Podman, Self::None].into_iter().find(|client| client.name() == text)
    }
}

/// Which configuration directory is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Directory {
    /// The user's own: `DOCKER_CONFIG`, else `~/.docker`; also while `DOCKER_CONFIG` is a private one.
    User,
    /// The one that docker uses now, even if it is a private one; looked at only. Native, so it has no other form.
    #[serde(skip)]
    Current,
    /// A private one under the record directory, by its random id (32 hexadecimal digits).
    Private(String),
    /// The one with this auth file (an absolute path), in which a record says that a login is. It is logged out there,
    /// whatever the variables name by then.
    Recorded(String),
}

/// One access to a configuration directory or to the credential helpers. What the file says and what is changed in it is
/// the business of the story: the host moves its text, and understands none of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Config {
    /// Where is it? Answered by [`Found::Place`]; the file is not opened.
    Locate {
        /// For which client.
        client: Client,
        /// Which directory.
        directory: Directory,
    },
    /// Reads the auth file. Answered by [`Found::File`].
    Read {
        /// For which client.
        client: Client,
        /// In which directory.
        directory: Directory,
    },
    /// Replaces the auth file, if it still holds what was read.
    Write {
        /// For which client.
        client: Client,
        /// In which directory.
        directory: Directory,
        /// What was read.
        #[serde(with = "hublease_protocol::secret::on_the_wire")]
        over: Secret,
        /// What it shall hold.
        #[serde(with = "hublease_protocol::secret::on_the_wire")]
        content: Secret,
    },
    /// Makes a private directory beside the user's. Answered by [`Found::Made`].
    Make {
        /// The random id of the new directory.
        id: String,
        /// For which client.
        client: Client,
        /// What its auth file shall hold.
        #[serde(with = "hublease_protocol::secret::on_the_wire")]
        content: Secret,
        /// What it has in common with the user's.
        sharing: Sharing,
    },
    /// Writes a login's hold on a directory that others may be in, and drops what is of one login only.
    Hold {
        /// For which client.
        client: Client,
        /// On which directory.
        directory: Directory,
        /// The login's own id.
        holder: String,
        /// What the story notes there; the host understands none of it.
        #[serde(with = "hublease_protocol::secret::on_the_wire")]
        note: Secret,
        /// As when it was made; nothing for the user's own.
        sharing: Sharing,
    },
    /// Reads the holds on a directory. Answered by [`Found::Holds`].
    Holds {
        /// For which client.
        client: Client,
        /// On which directory.
        directory: Directory,
    },
    /// Takes a hold away, and drops what is of one login only.
    Release {
        /// For which client.
        client: Client,
        /// On which directory.
        directory: Directory,
        /// The login's own id.
        holder: String,
        /// As when it was made; nothing for the user's own.
        sharing: Sharing,
    },
    /// Removes a private directory: what is the login's own goes, links are never followed, and the rest is handed over to
    /// the user's. Answered by [`Found::Removed`].
    Remove {
        /// Its random id.
        id: String,
        /// As when it was made.
        sharing: Sharing,
    },
    /// Which credential helper would docker pick by itself on this machine? Answered by [`Found::Detected`].
    Detect,
    /// What do `registries.conf` and its drop-ins hold, in the order in which podman reads them? Answered by [`Found::Texts`].
    Registries,
    /// Runs `docker-credential-HELPER list`, which tells names and no secret. Answered by [`Found::Users`].
    List {
        /// The helper's name, as docker's file has it.
        helper: String,
    },
    /// Runs `docker-credential-HELPER get`, as the client will. Only for a login that was just made. Answered by
    /// [`Found::Kept`].
    Get {
        /// The helper's name, as docker's file has it.
        helper: String,
        /// For which client.
        client: Client,
        /// The login to this registry.
        registry: Registry,
    },
}

/// What a configuration effect brought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It was done.
    Done,
    /// Where the directory is.
    Place(Place),
    /// What the auth file holds.
    File(File),
    /// A private directory was made.
    Made(Made),
    /// The holds on a directory.
    Holds(Vec<HoldNote>),
    /// The login in a private directory is gone, and the directory too, unless something is left.
    Removed(Removed),
    /// The helper that docker would pick by itself, if its program is there.
    Detected(Option<String>),
    /// Texts of podman's settings.
    Texts(Vec<String>),
    /// User names by server; none of a helper that does not answer.
    Users(Option<BTreeMap<String, String>>),
    /// The helper's whole answer: a JSON object with `Username` and `Secret`; empty of a helper that does not answer.
    Kept(#[serde(with = "hublease_protocol::secret::on_the_wire")] Secret),
}

/// Where a configuration directory is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The directory's canonical path, as it is.
    pub directory: String,
    /// The auth file in it: its absolute path.
    pub file: String,
    /// Why the file in it cannot be replaced; printable.
    pub unwritable: Option<String>,
    /// The id of the private directory of an earlier login, if the client's variable names one; the client reads that one,
    /// not the user's.
    pub taken_over: Option<String>,
    /// What the client's variable has to be for the user's own; empty where it is found without.
    pub variable: String,
}

/// An auth file as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct File {
    /// Its text, with everybody's logins; empty if there is no file.
    #[serde(with = "hublease_protocol::secret::on_the_wire")]
    pub content: Secret,
    /// Whether it exists and its mode lets others read or write it.
    pub exposed: bool,
    /// Whether it exists.
    pub exists: bool,
}

/// Why a configuration effect failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The auth file is not UTF-8.
    Malformed,
    /// The auth file holds something else than what was read; nothing was written.
    Changed,
    /// The file system refused; what and why, printable.
    Unusable(String),
}

#[cfg(test)]
mod tests;
