//! The Action by Nodes that are older and newer than the one of GitHub's runner.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hublease_peers::node_versions::programs;
use hublease_sandbox::{Sandbox, Service};
use tempfile::TempDir;

use crate::support::client::Outcome;

/// The files that the runner makes for each stage, by their variables.
const FILES: [&str; 4] = ["GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"];
/// The least version that the Action takes.
const NEEDED: u32 = 24;

/// A job with one step of the Action, by one Node.
struct Step<'s> {
    node: PathBuf,
    folder: TempDir,
    variables: BTreeMap<String, String>,
    sandbox: &'s Sandbox,
}

impl<'s> Step<'s> {
    /// A login at Vault by its name, so that it is asked through the proxy.
    fn new(sandbox: &'s Sandbox, node: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("hublease-peers-node-").tempdir().unwrap();
        fs::create_dir_all(folder.path().join("tmp")).unwrap();
        let vault = sandbox.vault_url();
        sandbox.forward("vault.example.com", vault.trim_start_matches("http://").parse().unwrap());
        let mut variables: BTreeMap<_, _> = sandbox.environment().into_iter().collect();
        variables.extend(sandbox.github_environment());
        for (name, place) in [("HOME", ""), ("RUNNER_TEMP", "tmp"), ("GITHUB_WORKSPACE", "")] {
            variables.insert(name.to_owned(), folder.path().join(place).display().to_string());
        }
        let inputs = [
            ("client", "none"),
            ("vault-addr", "https://vault.example.com"),
            ("vault-auth-path", "jwt-github"),
            ("vault-role", "dockerhub"),
            ("vault-path", "dockerhub/token/acmebot/write"),
            ("vault-method", "write"),
            ("vault-data", "label=of a Node"),
        ];
        variables.extend(inputs.map(|(name, value)| (format!("INPUT_{}", name.to_uppercase()), value.to_owned())));
        Self { node: node.to_owned(), folder, variables, sandbox }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Runs a stage; everything that Node itself has to say fails the test.
    #[track_caller]
    fn run(&self, script: &str) -> Outcome {
        let action = PathBuf::from(std::env::var_os("HUBLEASE_MODULE").unwrap());
        let mut command = Command::new(&self.node);
        command.arg(action.with_file_name(script)).env_clear().envs(&self.variables).stdin(Stdio::null());
        for name in FILES {
            fs::write(self.folder.path().join(name), "").unwrap();
            command.env(name, self.folder.path().join(name));
        }
        let outcome = Outcome::of(&command.current_dir(self.folder.path()).output().unwrap());
        assert_eq!(outcome.stderr, "", "{}", outcome.stdout);
        outcome
    }

    /// Hands what the stage has left to the post step.
    fn keep_state(&mut self) {
        let text = fs::read_to_string(self.folder.path().join("GITHUB_STATE")).unwrap();
        let mut lines = text.lines();
        while let Some((name, end)) = lines.next().and_then(|line| line.split_once("<<")) {
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
            self.set(&format!("STATE_{name}"), &value.join("\n"));
        }
    }

    fn requests(&self) -> usize {
        self.sandbox.requests(Service::Vault).len()
    }
}

#[test]
fn one_that_is_too_old_says_so_and_every_other_one_serves() {
    let mut seen = [0, 0];
    for (version, node) in programs() {
        let sandbox = Sandbox::start().unwrap();
        sandbox.vault().mend_docker_hub();
        let mut step = Step::new(&sandbox, &node);
        let serves = version.split('.').next().unwrap().parse::<u32>().unwrap() >= NEEDED;
        seen[usize::from(serves)] += 1;
        if serves {
            is_served(&mut step);
        } else {
            is_told(&mut step, &version);
        }
        assert_eq!(sandbox.unexpected(), [""; 0], "{version}");
    }
    assert!(seen[0] >= 5 && seen[1] >= 1, "{seen:?}");
}

fn is_served(step: &mut Step<'_>) {
    step.run("main.mjs").code(0).says("logged in to docker.io as acmebot by vault");
    step.keep_state();
    step.run("post.mjs").code(0).says("the credential of acmebot: revoked and confirmed");
}

fn is_told(step: &mut Step<'_>, version: &str) {
    let sentence = format!("the Action needs Node 24 or newer, and this is Node {version}");
    let outcome = step.run("main.mjs").code(2).says(&format!("::error::{sentence}%0Ahint: "));
    assert_eq!(outcome.stdout.lines().count(), 1, "{}", outcome.stdout);
    step.run("post.mjs").code(0).says("nothing to undo here");
    // Another Node has logged in before.
    step.set("STATE_record_name", "of the other one");
    let left = format!("{sentence}%0A  because: what the login left is not undone");
    step.run("post.mjs").code(0).says(&format!("::warning::{left}"));
    step.set("STATE_way_back", "{\"strict\":true}");
    step.run("post.mjs").code(2).says(&format!("::error::{left}"));
    assert_eq!(step.requests(), 0);
}
