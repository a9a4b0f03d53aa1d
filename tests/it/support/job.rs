//! One run of the real binary, built up word by word, and what came of it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use hublease_sandbox::CONNECTION_ID;

pub use super::outcome::Outcome;
use super::process::Process;
use super::{World, binary};

/// The shape of the job that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Circleci,
    Github,
}

/// The provider of a run, with the flags that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    Broker,
    Vault,
    Docker,
    Static,
}

impl Provider {
    pub const ALL: [Self; 4] = [Self::Broker, Self::Vault, Self::Docker, Self::Static];

    /// Whether `logout` can revoke.
    pub fn revokes(self) -> bool {
        matches!(self, Self::Broker | Self::Vault)
    }
}

/// A run in the making.
pub struct Job<'w> {
    world: &'w World,
    arguments: Vec<String>,
    variables: BTreeMap<String, String>,
    rest: Vec<String>,
    directory: PathBuf,
    under: Vec<String>,
    stdout: Option<PathBuf>,
}

impl<'w> Job<'w> {
    pub fn new(world: &'w World, command: &str) -> Self {
        let mut variables: BTreeMap<String, String> = world.sandbox.environment().into_iter().collect();
        for (name, folder) in [("PATH", "bin"), ("HOME", "home"), ("TMPDIR", "tmp")] {
            variables.insert(name.to_owned(), world.path(folder).display().to_string());
        }
        let directory = world.path("work");
        Self {
            world,
            arguments: vec![command.to_owned()],
            variables,
            rest: Vec::new(),
            directory,
            stdout: None,
            under: Vec::new(),
        }
    }

    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub fn args(self, arguments: &[&str]) -> Self {
        arguments.iter().fold(self, |job, argument| job.arg(*argument))
    }

    /// The command of `exec`.
    pub fn then(mut self, words: &[&str]) -> Self {
        self.rest = words.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    pub fn in_directory(mut self, directory: PathBuf) -> Self {
        self.directory = directory;
        self
    }

    /// Sends standard output to a device instead of the test.
    pub fn stdout_to(mut self, device: &str) -> Self {
        self.stdout = Some(device.into());
        self
    }

    /// Runs it under another program (`unshare`), which is given the whole command line after its own arguments.
    pub fn under(mut self, words: &[&str]) -> Self {
        self.under = words.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// Runs as a job of this shape, with tokens for the provider's audience.
    pub fn shape(mut self, shape: Shape, provider: Provider) -> Self {
        let audience = match provider {
            Provider::Broker => self.world.broker_url(),
            Provider::Vault => self.world.sandbox.vault_url(),
            Provider::Docker | Provider::Static => "https://identity.docker.com".to_owned(),
        };
        let sandbox = &self.world.sandbox;
        self.variables.extend(match shape {
            Shape::Circleci => sandbox.circleci_environment_for(&audience),
            Shape::Github => sandbox.github_environment(),
        });
        self.shaped(shape, provider)
    }

    fn shaped(self, shape: Shape, provider: Provider) -> Self {
        let mount = if shape == Shape::Github { "jwt-github" } else { "jwt-circleci" };
        let is_logout = self.arguments[0] == "logout";
        match provider {
            Provider::Broker => {
                let url = self.world.broker_url();
                self.args(&["--broker-url", &url])
            }
            Provider::Vault => {
                let url = self.world.sandbox.vault_url();
                let job = self.args(&["--vault-addr", &url]);
                if is_logout {
                    return job;
                }
                let job = job.args(&[
                    "--vault-path",
                    "dockerhub/token/acmebot/write",
                    "--vault-role",
                    "dockerhub",
                    "--vault-auth-path",
                    mount,
                ]);
                if job.arguments[0] == "whoami" {
                    job
                } else {
                    job.args(&["--vault-method", "write", "--vault-data", "label=a job"])
                }
            }
            Provider::Docker | Provider::Static if is_logout => self,
            Provider::Docker => self.args(&["--connection-id", CONNECTION_ID, "--username", "acme"]),
            Provider::Static => {
                let token = self.world.static_token();
                self.args(&["--provider", "static", "--secret-env", "DOCKERHUB_TOKEN", "--username", "acmebot"])
                    .env("DOCKERHUB_TOKEN", token)
            }
        }
    }

    /// The usual shape for a provider: Docker's exchange knows GitHub only.
    pub fn usual(self, provider: Provider) -> Self {
        let shape = if provider == Provider::Docker { Shape::Github } else { Shape::Circleci };
        self.shape(shape, provider)
    }

    pub fn world(&self) -> &'w World {
        self.world
    }

    pub fn directory(&self) -> PathBuf {
        self.directory.clone()
    }

    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Every argument, the command of `exec` included.
    pub fn words(&self) -> Vec<String> {
        let mut words = self.arguments.clone();
        if !self.rest.is_empty() {
            words.push("--".to_owned());
            words.extend(self.rest.iter().cloned());
        }
        words
    }

    pub fn run(self) -> Outcome {
        self.spawn().wait()
    }

    /// Starts it, for tests that stop or signal it.
    pub fn spawn(self) -> Running<'w> {
        let before = self.world.sandbox.log().len();
        let number = self.world.next_run();
        let [stdout, stderr] = ["stdout", "stderr"].map(|name| self.world.path(&format!("{name}-{number}")));
        let line: Vec<OsString> =
            self.under.iter().map(OsString::from).chain([binary("HUBLEASE_BIN").into_os_string()]).collect();
        let mut command = Command::new(&line[0]);
        command
            .args(&line[1..])
            .args(self.words())
            .env_clear()
            .envs(&self.variables)
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(
                File::options()
                    .write(true)
                    .create(true)
                    .truncate(false)
                    .open(self.stdout.as_ref().unwrap_or(&stdout))
                    .unwrap(),
            )
            .stderr(File::create(&stderr).unwrap());
        let prints_credential = self.arguments[0] == "token";
        let process = Process::start(&mut command, stderr.clone());
        Running { world: self.world, process, stdout, stderr, before, prints_credential }
    }
}

/// A run in progress.
pub struct Running<'w> {
    world: &'w World,
    pub process: Process,
    stdout: PathBuf,
    stderr: PathBuf,
    before: usize,
    prints_credential: bool,
}

impl Running<'_> {
    pub fn wait(mut self) -> Outcome {
        let outcome = Outcome {
            code: self.process.end(),
            stdout: fs::read_to_string(&self.stdout).unwrap_or_default(),
            stderr: fs::read_to_string(&self.stderr).unwrap(),
            requests: self.world.sandbox.log().split_off(self.before),
            prints_credential: self.prints_credential,
        };
        self.world.search(&outcome);
        outcome
    }
}
