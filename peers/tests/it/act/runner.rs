//! A repository with a workflow, and act, which runs it on this machine.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hublease_peers::act::PEER;
use hublease_sandbox::Sandbox;
use tempfile::TempDir;

use crate::support::client::Outcome;

/// The labels of the documentation's jobs, all of them this machine.
const LABELS: [&str; 3] = ["ubuntu-latest", "ubuntu-24.04", "self-hosted"];
/// The commit that stands for the one that a reader has read.
const PLACEHOLDER: &str = "hublease/hublease@0000000000000000000000000000000000000000";

/// act asks its makers for news.
const ACTS_OWN: &str = "CONNECT api.nektosact.com:443";

/// A machine with a repository.
pub struct Runner<'s> {
    pub sandbox: &'s Sandbox,
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl<'s> Runner<'s> {
    /// One whose repository has a checkout of the Action in `checkout`. Vault is at `https://vault.example.com`.
    pub fn new(sandbox: &'s Sandbox) -> Self {
        let folder = tempfile::Builder::new().prefix("hublease-peers-act-").tempdir().unwrap();
        for name in ["home", "tmp", "bin", "repository/.github/workflows"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let path = |name: &str| folder.path().join(name).display().to_string();
        let node = PathBuf::from(std::env::var_os("HUBLEASE_NODE").unwrap());
        symlink(&node, folder.path().join("bin/node")).unwrap();
        symlink(std::env::var_os("HUBLEASE_BIN").unwrap(), folder.path().join("bin/hublease")).unwrap();
        let vault = sandbox.vault_url();
        sandbox.forward("vault.example.com", vault.trim_start_matches("http://").parse().unwrap());
        let mut variables = sandbox.environment();
        // What GitHub gives to a job with `id-token: write`; the rest act sets by itself.
        variables.extend(sandbox.github_environment().into_iter().filter(|(name, _)| name.starts_with("ACTIONS_")));
        let own = [("HOME", path("home")), ("TMPDIR", path("tmp")), ("PATH", path("bin") + ":/usr/bin:/bin")];
        variables.extend(own.map(|(name, value)| (name.to_owned(), value)));
        let runner = Self { sandbox, folder, variables };
        lay_out_the_action(&runner.folder.path().join("action"));
        lay_out_the_action(&runner.folder.path().join("repository/checkout"));
        runner
    }

    /// Sets a variable of the machine.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Keeps a secret for workflows.
    pub fn secret(&self, name: &str, value: &str) {
        fs::write(self.folder.path().join("secrets"), format!("{name}={value}\n")).unwrap();
    }

    /// Puts a program on the PATH of the machine.
    pub fn bring(&self, name: &str, program: &Path) {
        symlink(program, self.folder.path().join("bin").join(name)).unwrap();
    }

    /// Puts a file into the repository.
    pub fn put(&self, name: &str, text: &str) {
        let path = self.folder.path().join("repository").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Copies a file into the repository.
    pub fn put_file(&self, name: &str, file: &Path) {
        fs::copy(file, self.folder.path().join("repository").join(name)).unwrap();
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Connections to hosts that are not of the sandbox, but for act's own.
    pub fn unexpected(&self) -> Vec<String> {
        self.sandbox.unexpected().into_iter().filter(|connection| connection != ACTS_OWN).collect()
    }

    /// Runs a workflow as a push does, or as a person starts one that waits for that. What it says is searched for every secret.
    #[track_caller]
    pub fn run(&self, workflow: &str) -> Outcome {
        self.put(".github/workflows/workflow.yml", workflow);
        self.commit();
        let mut command = self.command(&PEER.program());
        let event = if workflow.contains("\non: workflow_dispatch\n") { "workflow_dispatch" } else { "push" };
        command.args([event, "--workflows", ".github/workflows/workflow.yml", "--no-cache-server", "--pull=false"]);
        for label in LABELS {
            command.args(["--platform", &format!("{label}=-self-hosted")]);
        }
        // Workflows of the documentation name the Action by a commit; act takes it from here.
        let action = format!("{PLACEHOLDER}={}", self.folder.path().join("action").display());
        command.args(["--local-repository", &action]);
        command.arg("--secret-file").arg(self.folder.path().join("secrets"));
        let outcome = Outcome::of(&command.output().unwrap());
        let said = outcome.stdout.clone() + &outcome.stderr;
        for secret in self.sandbox.secrets().into_iter().filter(|secret| secret.value.len() > 12) {
            assert!(!said.contains(&secret.value), "a secret is in what was said:\n{said}");
        }
        outcome
    }

    /// act asks git for the name of the repository and the commit.
    fn commit(&self) {
        let git = |words: &[&str]| {
            let output = self.command(Path::new("git")).args(words).output().unwrap();
            assert!(output.status.success(), "{output:?}");
        };
        if !self.folder.path().join("repository/.git").exists() {
            git(&["init", "--quiet", "--initial-branch", "main"]);
            git(&["remote", "add", "origin", "https://github.com/acme/app"]);
        }
        git(&["add", "--all"]);
        let who = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        git(&[&who[..], &["commit", "--quiet", "--allow-empty", "--message", "of the test"]].concat());
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.folder.path().join("repository")).stdin(Stdio::null());
        command
    }
}

/// What a runner fetches of the Action's repository.
fn lay_out_the_action(folder: &Path) {
    let module = PathBuf::from(std::env::var_os("HUBLEASE_MODULE").unwrap());
    let action = module.parent().unwrap();
    fs::create_dir_all(folder.join("action")).unwrap();
    fs::copy(action.parent().unwrap().join("action.yml"), folder.join("action.yml")).unwrap();
    for entry in fs::read_dir(action).unwrap().flatten() {
        let ending = entry.path().extension().is_some_and(|ending| ending == "mjs" || ending == "wasm");
        if ending {
            fs::copy(entry.path(), folder.join("action").join(entry.file_name())).unwrap();
        }
    }
}
