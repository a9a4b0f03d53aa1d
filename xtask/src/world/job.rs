//! A run of the client as a step of a job: what the CI system puts there, what the user wrote.

use std::fmt;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hublease_sandbox::{CONNECTION_ID, DOCKER_IDENTITY_AUDIENCE, ORGANIZATION};

use super::{BROKER_URL, VAULT_URL, World};

/// Whose job it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    CircleCi,
    GitHub,
}

/// Who turns its identity into a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    Broker,
    Vault,
    Docker,
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::CircleCi => "CircleCI",
            Self::GitHub => "GitHub Actions",
        })
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Broker => "our broker",
            Self::Vault => "Vault",
            Self::Docker => "Docker's own exchange",
        })
    }
}

impl Provider {
    /// The audience that identity tokens for it have.
    pub(crate) fn audience(self) -> &'static str {
        match self {
            Self::Broker => BROKER_URL,
            Self::Vault => VAULT_URL,
            Self::Docker => DOCKER_IDENTITY_AUDIENCE,
        }
    }

    /// What the user writes after `hublease login`.
    pub(crate) fn login(self, shape: Shape) -> Vec<String> {
        let mount = if shape == Shape::GitHub { "jwt-github" } else { "jwt-circleci" };
        let words: &[&str] = match self {
            Self::Broker => &["--broker-url", BROKER_URL],
            Self::Vault => &[
                "--vault-addr",
                VAULT_URL,
                "--vault-auth-path",
                mount,
                "--vault-role",
                "dockerhub",
                "--vault-path",
                "dockerhub/token/acmebot/write",
                "--vault-method",
                "write",
                "--vault-data",
                "label=demo",
            ],
            Self::Docker => &["--connection-id", CONNECTION_ID, "--username", ORGANIZATION],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    /// What the user writes after `hublease logout`: where the record's handle may go.
    pub(crate) fn logout(self) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Broker => &["--broker-url", BROKER_URL],
            Self::Vault => &["--vault-addr", VAULT_URL],
            Self::Docker => &[],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}

/// What a run said, and how it ended.
pub(crate) struct Said {
    /// The exit code; 128 and more for a signal.
    pub(crate) code: i32,
    /// Both streams, in the order of writing.
    pub(crate) text: String,
    pub(crate) time: Duration,
}

impl World {
    /// What the CI system puts into the environment of a job.
    pub(crate) fn job(&self, shape: Shape, audience: &str) -> Vec<(String, String)> {
        match shape {
            Shape::CircleCi => self.sandbox.circleci_environment_for(audience),
            Shape::GitHub => self.sandbox.github_environment(),
        }
    }

    /// Runs the client to its end.
    pub(crate) fn run(&self, words: &[String], home: &Path, job: &[(String, String)]) -> Result<Said, String> {
        said(&mut self.command(words, home, job))
    }

    /// A run of the client that has not started.
    pub(crate) fn command(&self, words: &[String], home: &Path, job: &[(String, String)]) -> Command {
        let mut command = Command::new(self.client());
        command.args(words).env_clear().envs(self.variables(home)).envs(job.iter().map(|(name, value)| (name, value)));
        command.current_dir(home);
        command
    }
}

/// Runs a program to its end, without input. Both streams go to one file, so that lines stay in the order in which they were
/// written.
pub(crate) fn said(command: &mut Command) -> Result<Said, String> {
    let no_file = |error: io::Error| format!("no temporary file: {error}");
    let mut output = tempfile::tempfile().map_err(no_file)?;
    let streams = output.try_clone().and_then(|one| Ok((one, output.try_clone()?)));
    let (stdout, stderr) = streams.map_err(no_file)?;
    command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    let begun = Instant::now();
    let status = command.status();
    let status =
        status.map_err(|error| format!("`{}` cannot start: {error}", Path::new(command.get_program()).display()))?;
    let time = begun.elapsed();
    let mut text = Vec::new();
    output.rewind().and_then(|()| output.read_to_end(&mut text)).map_err(no_file)?;
    Ok(Said { code: code(status), text: String::from_utf8_lossy(&text).into_owned(), time })
}

fn code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}
