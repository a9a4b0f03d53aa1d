//! The witness of `.github/workflows/action.yml`: it fails a job that leaves something behind, and one that shows nothing.
//!
//! The runner is played: `INPUT_…`, one file for variables and one for state, `STATE_…` in post. The login between the two
//! is the native program's, with what the workflow says under `with:`.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

use crate::{
    docs::{Document, map},
    support::{binary, node::node, which},
};

/// What a job does between the witness and its post step.
type Work = fn(&Job);

/// A job whose first step is the witness.
struct Job {
    node: PathBuf,
    folder: TempDir,
    variables: BTreeMap<String, String>,
    state: BTreeMap<String, String>,
}

impl Job {
    fn before(node: PathBuf) -> Self {
        let folder = tempfile::Builder::new().prefix("hublease-witness-").tempdir().unwrap();
        let job = Self { node, folder, variables: BTreeMap::new(), state: BTreeMap::new() };
        for name in ["env", "state"] {
            fs::write(job.folder.path().join(name), "").unwrap();
        }
        job
    }

    fn begin(node: PathBuf) -> Self {
        let mut job = Self::before(node);
        let output = job.witness("main", |command| {
            command.env("INPUT_SANDBOX", binary("HUBLEASE_SANDBOX_BIN"));
        });
        assert!(output.status.success(), "{}", said(&output));
        (job.variables, job.state) = (job.file("env"), job.file("state"));
        job
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

    /// Runs a program as a step of this job.
    fn step(&self, program: &PathBuf) -> Command {
        let mut command = Command::new(program);
        let path = which("docker").unwrap().parent().unwrap().display().to_string() + ":/usr/bin:/bin";
        command.env_clear().envs(&self.variables).env("PATH", path).env("GITHUB_ACTIONS", "true");
        command.env("HOME", self.folder.path()).env("RUNNER_TEMP", self.folder.path()).stdin(Stdio::null());
        command
    }

    fn witness(&self, stage: &str, adapt: impl FnOnce(&mut Command)) -> Output {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/action/witness");
        let mut command = self.step(&self.node);
        command.arg(folder.join(format!("{stage}.mjs")));
        command.env("GITHUB_ENV", self.folder.path().join("env")).env("GITHUB_STATE", self.folder.path().join("state"));
        adapt(&mut command);
        command.output().unwrap()
    }

    /// The last step of the job.
    fn end(&self) -> Output {
        self.witness("post", |command| {
            command.envs(self.state.iter().map(|(name, value)| (format!("STATE_{name}"), value)));
        })
    }

    /// A command of the native program that must succeed.
    fn hublease(&self, words: &[String]) {
        let output = self.step(&binary("HUBLEASE_BIN")).args(words).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }

    fn login(&self) {
        // The post step's own wishes are no flags of `login`.
        let inputs = inputs().into_iter().filter(|(name, _)| name != "strict-revoke");
        let flags = inputs.map(|(name, value)| match value.as_str() {
            "${{ matrix.client }}" => format!("--{name}=docker"),
            "${{ env.SSL_CERT_FILE }}" => format!("--{name}={}", self.variables["SSL_CERT_FILE"]),
            value => format!("--{name}={value}"),
        });
        self.hublease(&["login".to_owned()].into_iter().chain(flags).collect::<Vec<_>>());
    }

    fn logout(&self) {
        self.hublease(&["logout".to_owned(), "--strict-revoke".to_owned()]);
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // Gone already if the post step ran.
        if let Some(process) = self.state.get("process") {
            drop(Command::new("/bin/kill").arg(process).stderr(Stdio::null()).status());
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
            drop(job.step(&which("curl").unwrap()).args(["-s", "https://elsewhere.example.com/"]).output().unwrap());
        },
        false,
        "::error::not a host of the sandbox: CONNECT elsewhere.example.com:443\n",
    ),
    (
        "a configuration that stays changed",
        |job| {
            job.login();
            job.logout();
            fs::write(PathBuf::from(&job.variables["DOCKER_CONFIG"]).join("config.json"), "{}").unwrap();
        },
        false,
        "::error::docker's configuration is not what it was before\n",
    ),
];

#[test]
fn the_witness_passes_a_job_that_leaves_nothing_and_no_other() {
    let Some(node) = node("the witness of the Action's workflow") else { return };
    for (what, work, passes, sentence) in JOBS {
        let job = Job::begin(node.clone());
        work(&job);
        let output = job.end();
        let said = said(&output);
        assert_eq!((output.status.success(), said.contains(sentence)), (passes, true), "{what}: {said}");
        assert_eq!(said.contains("::error::"), !passes, "{what}: {said}");
    }
}

#[test]
fn a_witness_without_its_sandbox_fails() {
    let Some(node) = node("the witness of the Action's workflow") else { return };
    let job = Job::before(node);
    for (program, sentence) in [
        ("/nowhere/hublease-sandbox", "::error::the sandbox cannot be started: "),
        ("/bin/true", "::error::the sandbox ended before it said where it is\n"),
    ] {
        let output = job.witness("main", |command| {
            command.env("INPUT_SANDBOX", program);
        });
        assert_eq!((output.status.code(), job.file("state").len()), (Some(1), 0), "{program}");
        assert!(said(&output).starts_with(sentence), "{}", said(&output));
    }
    let output = job.end();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).starts_with("::error::the sandbox cannot be asked: "), "{}", said(&output));
}
