//! One run of the container client, and how it ended.

use hublease_protocol::secret::Secret;
use serde::{Deserialize, Serialize};

use super::{Client, Directory, Registry};

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
    /// `--version`: is the program there, and whose is it? Its message is what it prints to standard output.
    Version,
}

/// How the client ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// With this exit code; `message` is the first kilobytes of standard error, secret until it was looked through. Of
    /// [`Verb::Version`] it is standard output, and empty where a host knows the program by its form.
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
