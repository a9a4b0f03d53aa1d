//! The witness of `.github/workflows/action.yml`: it fails a job that leaves something behind, and one that shows nothing.
//!
//! The runner is played: `INPUT_…`, the files for variables, state and outputs, `STATE_…` in post, and posts in the
//! opposite order. The Action is used with what the workflow says under `with:`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::docs::{Document, map};
use crate::support::binary;
use crate::support::machine::which;
use crate::support::node::node;

/// What a job does between the witness and its post step.
type Work = fn(&mut Job);

/// A job whose first step is the witness.
struct Job {
    node: PathBuf,
    client: &'static str,
    folder: TempDir,
    /// What steps have put into the environment of the later ones.
    variables: BTreeMap<String, String>,
    /// What the post step of each action is given: its inputs, and what it has kept.
    posts: BTreeMap<&'static str, Vec<(String, String)>>,
}

const WITNESS: &str = "tests/action/witness";
const ACTION: &str = "action";

impl Job {
    fn new(node: PathBuf, client: &'static str) -> Self {
        let folder = tempfile::Builder::new().prefix("hublease-witness-").tempdir().unwrap();
        Self { node, client, folder, variables: BTreeMap::new(), posts: BTreeMap::new() }
    }

    fn begin(node: PathBuf, client: &'static str) -> Self {
        let mut job = Self::new(node, client);
        let sandbox = binary("HUBLEASE_SANDBOX_BIN").display().to_string();
        let output = job.main(WITNESS, &[("sandbox".to_owned(), sandbox)]);
        assert!(output.status.success(), "{}", said(&output));
        job
    }

    /// Runs the main script of an action, and reads what it wrote for the runner.
    fn main(&mut self, action: &'static str, inputs: &[(String, String)]) -> Output {
        let files = ["env", "state", "output", "step_summary"];
        for name in files {
            fs::write(self.folder.path().join(name), "").unwrap();
        }
        let inputs = inputs.iter().map(|(name, value)| (format!("INPUT_{}", name.to_uppercase()), value.clone()));
        let mut given: Vec<_> = inputs.collect();
        let output = self.script(action, "main").envs(given.clone()).output().unwrap();
        self.variables.extend(self.file("env"));
        given.extend(self.file("state").into_iter().map(|(name, value)| (format!("STATE_{name}"), value)));
        self.posts.insert(action, given);
        output
    }

    fn post(&self, action: &str) -> Output {
        self.script(action, "post").envs(self.posts[action].clone()).output().unwrap()
    }

    fn script(&self, action: &str, stage: &str) -> Command {
        let mut command = self.step(&self.node);
        command.arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(action).join(format!("{stage}.mjs")));
        for name in ["env", "state", "output", "step_summary"] {
            command.env(format!("GITHUB_{}", name.to_uppercase()), self.folder.path().join(name));
        }
        command
    }

    /// Runs a program as a step of this job.
    fn step(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let path = which("docker").unwrap().parent().unwrap().display().to_string() + ":/usr/bin:/bin";
        command.env_clear().envs(&self.variables).env("PATH", path).stdin(Stdio::null());
        command.envs([("CI", "true"), ("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ID", "1"), ("GITHUB_JOB", "vault")]);
        for name in ["HOME", "RUNNER_TEMP", "GITHUB_WORKSPACE"] {
            let folder = self.folder.path().join(name.to_lowercase());
            fs::create_dir_all(&folder).unwrap();
            command.env(name, folder);
        }
        command
    }

    /// What a step has written for the runner.
    fn file(&self, name: &str) -> BTreeMap<String, String> {
        let text = fs::read_to_string(self.folder.path().join(name)).unwrap();
        let mut lines = text.lines();
        let mut read = BTreeMap::new();
        while let Some((name, end)) = lines.next().and_then(|line| line.split_once("<<")) {
            let value: Vec<_> = lines.by_ref().take_while(|line| *line != end).collect();
            read.insert(name.to_owned(), value.join("\n"));
        }
        read
    }

    fn login(&mut self) {
        let inputs = inputs().into_iter().map(|(name, value)| match value.as_str() {
            "${{ matrix.client }}" => (name, self.client.to_owned()),
            "${{ env.SSL_CERT_FILE }}" => (name, self.variables["SSL_CERT_FILE"].clone()),
            _ => (name, value),
        });
        let output = self.main(ACTION, &inputs.collect::<Vec<_>>());
        assert!(output.status.success(), "{}", said(&output));
        let outputs = self.file("output");
        assert_eq!((outputs["username"].as_str(), outputs["registry"].as_str()), ("acmebot", "docker.io"));
        let stored = fs::read_to_string(self.docker_config()).unwrap();
        assert!(stored.contains("https://index.docker.io/v1/"), "the store does not hold the login");
    }

    fn logout(&mut self) {
        let output = self.post(ACTION);
        assert!(output.status.success(), "{}", said(&output));
    }

    fn docker_config(&self) -> PathBuf {
        Path::new(&self.variables["DOCKER_CONFIG"]).join("config.json")
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // Gone already if the post step of the witness ran.
        let given = self.posts.get(WITNESS).into_iter().flatten();
        if let Some((_, process)) = given.into_iter().find(|(name, _)| name == "STATE_process") {
            let process = process.parse().ok().and_then(Pid::from_raw);
            process.map(|process| kill_process(process, Signal::TERM));
        }
    }
}

/// What the workflow hands to the Action.
fn inputs() -> Vec<(String, String)> {
    let workflow = Document::read(".github/workflows/action.yml");
    let lines: Vec<_> =
        workflow.text.lines().skip_while(|line| !line.contains("uses: ./ ")).map(str::to_owned).collect();
    map(&lines, "with")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

/// The end of a job: whether the witness lets it pass, and what it says.
const JOBS: [(&str, Work, bool, &str); 5] = [
    (
        "a login and a logout",
        |job| {
            job.login();
            job.logout();
        },
        true,
        "what was minted is dead, and docker has its own configuration back\n",
    ),
    ("a login alone", Job::login, false, "::error::lease dockerhub/token/acmebot/write/"),
    ("nothing", |_| (), false, "::error::nothing was minted: this job has shown nothing\n"),
    (
        "a request to somebody else",
        |job| {
            job.login();
            job.logout();
            let curl = which("curl").unwrap();
            drop(job.step(&curl).args(["-s", "https://elsewhere.example.com/"]).output().unwrap());
        },
        false,
        "::error::not a host of the sandbox: CONNECT elsewhere.example.com:443\n",
    ),
    (
        "a configuration that stays changed",
        |job| {
            job.login();
            job.logout();
            fs::write(job.docker_config(), "{}").unwrap();
        },
        false,
        "::error::docker's configuration is not what it was before\n",
    ),
];

#[test]
fn the_witness_passes_a_job_that_leaves_nothing_and_no_other() {
    let Some(node) = node("the witness of the Action's workflow") else { return };
    // The rows of the workflow's matrix, as far as one system can play them.
    for client in ["docker", "none"] {
        for (what, work, passes, sentence) in JOBS {
            let mut job = Job::begin(node.clone(), client);
            work(&mut job);
            let output = job.post(WITNESS);
            let said = said(&output);
            assert_eq!((output.status.success(), said.contains(sentence)), (passes, true), "{client}, {what}: {said}");
            assert_eq!(said.contains("::error::"), !passes, "{client}, {what}: {said}");
        }
    }
}

#[test]
fn a_witness_without_its_sandbox_fails() {
    let Some(node) = node("the witness of the Action's workflow") else { return };
    let mut job = Job::new(node, "none");
    for (program, sentence) in [
        ("/nowhere/hublease-sandbox", "::error::the sandbox cannot be started: "),
        ("/bin/true", "::error::the sandbox ended before it said where it is\n"),
    ] {
        let output = job.main(WITNESS, &[("sandbox".to_owned(), program.to_owned())]);
        assert_eq!((output.status.code(), job.posts[WITNESS].len()), (Some(1), 1), "{program}");
        assert!(said(&output).starts_with(sentence), "{}", said(&output));
    }
    let output = job.post(WITNESS);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).starts_with("::error::the sandbox cannot be asked: "), "{}", said(&output));
}
