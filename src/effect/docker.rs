//! The container client and its configuration directory, as the story sees them.

use std::fmt;

use hublease_protocol::secret::Secret;
use serde::{Deserialize, Serialize};

/// A registry that Docker Hub credentials are for. Hub's many spellings are one registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Registry {
    /// `docker.io`: Docker Hub.
    #[serde(rename = "docker.io")]
    Hub,
    /// `dhi.io`: Docker Hardened Images.
    #[serde(rename = "dhi.io")]
    HardenedImages,
}

impl Registry {
    /// Reads a registry by any spelling that docker or its users know.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "docker.io"
            | "index.docker.io"
            | "registry-1.docker.io"
            | "registry.hub.docker.com"
            | "hub.docker.com"
            | "https://index.docker.io/v1/"
            | "https://index.docker.io/v1"
            | "https://docker.io" => Some(Self::Hub),
            "dhi.io" | "https://dhi.io" => Some(Self::HardenedImages),
            _ => None,
        }
    }

    /// The short name, for people and for podman.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hub => "docker.io",
            Self::HardenedImages => "dhi.io",
        }
    }

    /// The key under which `client` stores and looks up the login.
    pub fn key(self, client: Client) -> &'static str {
        match (self, client) {
            (Self::Hub, Client::Docker | Client::None) => "https://index.docker.io/v1/",
            (Self::Hub, Client::Podman) => "docker.io",
            (Self::HardenedImages, _) => "dhi.io",
        }
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

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
}

/// One run of the client. The host makes the arguments; the secret goes over standard input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Which program.
    pub client: Client,
    /// What to do.
    pub verb: Verb,
    /// With which configuration.
    pub directory: Directory,
}

/// What the client is asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// `login --username USERNAME --password-stdin`.
    Login {
        /// Where.
        registry: Registry,
        /// As whom; has passed the grammar of usernames.
        username: String,
        /// Written to standard input without a newline.
        #[serde(with = "hublease_protocol::secret::on_the_wire")]
        stdin: Secret,
    },
    /// `logout` with the exact key.
    Logout {
        /// Where.
        registry: Registry,
    },
    /// `--version`: is the program there at all?
    Version,
}

/// How the client ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// With this exit code; `message` is the first kilobytes of standard error, secret until it was looked through.
    Exit {
        /// The exit code; 128 plus the number for a signal.
        code: i32,
        /// What it said.
        #[serde(with = "hublease_protocol::secret::on_the_wire")]
        message: Secret,
    },
    /// The program is not on PATH.
    NotFound,
    /// It was killed because it took too long.
    Slow,
}

/// One look at or change of a configuration directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Config {
    /// What is there? Answered by [`Found::Look`].
    Look {
        /// For which client.
        client: Client,
        /// Where.
        directory: Directory,
        /// For which registries; none asks for the directory only, whatever its file holds.
        registries: Vec<Registry>,
    },
    /// Writes a login into the auth file (client `none`).
    Store {
        /// Where.
        directory: Directory,
        /// For which registry.
        registry: Registry,
        /// As whom.
        username: String,
        /// The credential.
        #[serde(with = "hublease_protocol::secret::on_the_wire")]
        secret: Secret,
    },
    /// Removes the entry from the auth file.
    Erase {
        /// For which client.
        client: Client,
        /// Where.
        directory: Directory,
        /// For which registry.
        registry: Registry,
    },
    /// Adds an empty entry, so that docker picks no helper by itself.
    Seed {
        /// Where.
        directory: Directory,
        /// For which registry.
        registry: Registry,
    },
    /// Makes a private directory out of the user's: without these registries and `credsStore`, other logins only
    /// if asked for. Answered by [`Found::Made`].
    Isolate {
        /// The random id of the new directory.
        id: String,
        /// Whose entries stay out.
        registries: Vec<Registry>,
        /// Whether other registries' logins come along.
        copy_auths: bool,
    },
    /// Puts an earlier entry of the auth file back.
    Restore {
        /// For which client.
        client: Client,
        /// For which registry.
        registry: Registry,
        /// The entry as JSON, as [`Entry::raw`] gave it.
        #[serde(with = "hublease_protocol::secret::on_the_wire")]
        entry: Secret,
    },
    /// Removes a private directory: only what we made, links never followed.
    Remove {
        /// Its random id.
        id: String,
    },
}

/// What a configuration effect brought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It was done.
    Done,
    /// What is there.
    Look(Look),
    /// A private directory was made; its absolute path.
    Made(String),
    /// The login in a private directory is gone, the directory not, because of what others put there; printable.
    Left(String),
}

/// What a configuration directory holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// The directory's canonical path, as it is.
    pub directory: String,
    /// Whether a file exists whose mode lets others read it.
    pub exposed: bool,
    /// Why the file cannot be written; printable.
    pub unwritable: Option<String>,
    /// Whether `DOCKER_CONFIG` is the private directory of an earlier login; docker reads that one, not the user's.
    pub taken_over: bool,
    /// One answer for each registry that was asked about, in that order.
    pub registries: Vec<RegistryLook>,
}

/// How a login to one registry would be kept, and what is there now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegistryLook {
    /// Which registry.
    pub registry: Registry,
    /// Who keeps it.
    pub store: Store,
    /// What is there now.
    pub entry: Option<Entry>,
}

/// Who keeps a login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Store {
    /// The auth file.
    File,
    /// A credential helper that answers.
    Helper {
        /// Its name, without `docker-credential-`; printable.
        name: String,
    },
    /// A credential helper that does not answer `list`.
    SilentHelper {
        /// Its name; printable.
        name: String,
        /// Whether the configuration names it; otherwise docker would pick it by itself.
        configured: bool,
    },
}

/// A login that is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// As whom, if it can be read.
    pub username: Option<String>,
    /// The entry as JSON, from an auth file.
    #[serde(with = "hublease_protocol::secret::on_the_wire")]
    pub raw: Option<Secret>,
}

/// Why a configuration effect failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// `config.json` is not JSON, or not an object of objects where docker expects them.
    Malformed,
    /// The file system refused; what and why, printable.
    Unusable(String),
}
