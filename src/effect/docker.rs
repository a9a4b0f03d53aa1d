//! The container client and its configuration directory, as the story sees them.

use std::collections::BTreeMap;
use std::fmt;

use hublease_protocol::secret::Secret;
use serde::{Deserialize, Serialize};

/// The largest auth file that is read or written, in bytes; docker's own have a few KiB. A host does not send a larger one.
pub const LARGEST_FILE: usize = 1024 * 1024;

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
    /// Reads a registry by its host: alone, or as the address that docker and its users make of it, with `https://`
    /// and with the root of the registry's API as its path. Nothing else belongs to such an address.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let rest = text.strip_prefix("https://").unwrap_or(&text);
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if !matches!(path.trim_end_matches('/'), "" | "v1" | "v2") {
            return None;
        }
        match host {
            "docker.io" | "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" | "hub.docker.com" => {
                Some(Self::Hub)
            }
            "dhi.io" => Some(Self::HardenedImages),
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
    /// The only one on PATH lies in the workspace, and was not run; its path, printable.
    Skipped(String),
    /// It was killed because it took too long.
    Slow,
}

impl Ended {
    /// Why a program that is there was not run.
    pub fn skipped(path: &str) -> String {
        format!("{path} was skipped: what was checked out, and may be anybody's, does not decide who gets a credential")
    }
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
    /// Makes a private directory beside the user's, whose contexts, builders and plugins it links to. Answered by
    /// [`Found::Made`].
    Make {
        /// The random id of the new directory.
        id: String,
        /// What its auth file shall hold.
        #[serde(with = "hublease_protocol::secret::on_the_wire")]
        content: Secret,
    },
    /// Removes a private directory: only what we made, links never followed.
    Remove {
        /// Its random id.
        id: String,
    },
    /// Which credential helper would docker pick by itself on this machine? Answered by [`Found::Detected`].
    Detect,
    /// Runs `docker-credential-HELPER list`, which tells names and no secret. Answered by [`Found::Users`].
    List {
        /// The helper's name, as docker's file has it.
        helper: String,
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
    /// A private directory was made; its absolute path.
    Made(String),
    /// The login in a private directory is gone, the directory not, because of what others put there; printable.
    Left(String),
    /// The helper that docker would pick by itself, if its program is there.
    Detected(Option<String>),
    /// User names by server; none of a helper that does not answer.
    Users(Option<BTreeMap<String, String>>),
}

/// Where a configuration directory is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The directory's canonical path, as it is.
    pub directory: String,
    /// Why the file in it cannot be replaced; printable.
    pub unwritable: Option<String>,
    /// Whether `DOCKER_CONFIG` is the private directory of an earlier login; docker reads that one, not the user's.
    pub taken_over: bool,
}

/// An auth file as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct File {
    /// Its text, with everybody's logins; empty if there is no file.
    #[serde(with = "hublease_protocol::secret::on_the_wire")]
    pub content: Secret,
    /// Whether it exists and its mode lets others read or write it.
    pub exposed: bool,
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
