//! A stand-in for GitHub's runner: what it sets for a step, and how it reads the step's files.
//!
//! Follows the runner's documents of workflow commands and file commands: inputs as `INPUT_…` with hyphens kept, files
//! of names and values in heredoc form, state handed to the post step as `STATE_…`, masks that hide from then on, and
//! the debug lines with which it repeats state and outputs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::finished::{Finished, delimiters, pairs};
use crate::support::job::{Provider, Shape};
use crate::support::process::Process;
use crate::support::{World, binary};

/// The files that the runner makes for each stage, by their variables.
const FILES: [&str; 4] = ["GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"];

/// The keys of the state.
pub const NAME: &str = "record_name";
pub const BODY: &str = "record";
pub const WAY_BACK: &str = "way_back";

/// One `uses: hublease/hublease` in a job.
#[derive(Clone)]
pub struct Step<'w> {
    world: &'w World,
    inputs: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
    /// Where the Action was checked out to.
    action: PathBuf,
}

impl<'w> Step<'w> {
    /// A step in a job with `id-token: write`, with the inputs that a provider needs.
    pub fn new(world: &'w World, provider: Provider) -> Self {
        let job = world.job("login").shape(Shape::Github, provider);
        let words = job.words();
        let inputs =
            words[1..].chunks_exact(2).map(|pair| (pair[0].trim_start_matches('-').to_owned(), pair[1].clone()));
        let mut variables = job.variables().clone();
        let workspace = job.directory();
        for (name, place) in [("GITHUB_WORKSPACE", workspace), ("RUNNER_TEMP", world.path("tmp"))] {
            variables.insert(name.to_owned(), place.display().to_string());
        }
        // The runner's own, which must not reach a child.
        variables.insert("ACTIONS_RUNTIME_TOKEN".to_owned(), "a-token-of-the-runner".to_owned());
        let action = Path::new(env!("CARGO_MANIFEST_DIR")).join("action");
        Self { world, inputs: inputs.collect(), variables, action }
    }

    pub fn input(mut self, name: &str, value: impl Into<String>) -> Self {
        self.inputs.insert(name.to_owned(), value.into());
        self
    }

    /// The step of another checkout of the Action.
    pub fn checked_out_to(mut self, place: PathBuf) -> Self {
        self.action = place;
        self
    }

    pub fn without_input(mut self, name: &str) -> Self {
        self.inputs.remove(name);
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

    /// The same step later in the job, after another one has written to `GITHUB_ENV`.
    pub fn after(self, earlier: &Finished<'_>) -> Self {
        earlier.env.iter().fold(self, |step, (name, value)| step.env(name, value))
    }

    pub fn variable(&self, name: &str) -> &str {
        &self.variables[name]
    }

    pub fn main(&self) -> Finished<'w> {
        self.start_main().wait()
    }

    pub fn start_main(&self) -> Running<'w> {
        self.start("main.mjs", &BTreeMap::new())
    }

    /// The post step, with the state that the main step has left.
    pub fn post(&self, main: &Finished<'_>) -> Finished<'w> {
        self.start_post(&main.state).wait()
    }

    pub fn start_post(&self, state: &BTreeMap<String, String>) -> Running<'w> {
        self.start("post.mjs", state)
    }

    fn start(&self, script: &str, state: &BTreeMap<String, String>) -> Running<'w> {
        let world = self.world;
        let folder =
            tempfile::Builder::new().prefix("runner-").tempdir_in(world.path("spare").parent().unwrap()).unwrap();
        let folder = folder.keep();
        for name in FILES {
            File::create(folder.join(name)).unwrap();
        }
        let stdout = File::create(folder.join("stdout")).unwrap();
        let stderr = File::create(folder.join("stderr")).unwrap();
        let mut command = Command::new(binary("HUBLEASE_NODE"));
        command
            .arg(self.action.join(script))
            .env_clear()
            .envs(&self.variables)
            .envs(self.inputs.iter().map(|(name, value)| (format!("INPUT_{}", name.to_uppercase()), value)))
            .envs(state.iter().map(|(name, value)| (format!("STATE_{name}"), value)))
            .envs(FILES.map(|name| (name, folder.join(name))))
            .current_dir(world.path("work"))
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr);
        let before = (world.sandbox.log().len(), world.children().len());
        let process = Process::start(&mut command, folder.join("stdout"));
        Running { world, process, folder, before }
    }
}

/// A stage in progress.
pub struct Running<'w> {
    world: &'w World,
    pub process: Process,
    folder: PathBuf,
    /// How many requests and children there were before.
    before: (usize, usize),
}

impl<'w> Running<'w> {
    /// One of the runner's files as it is now.
    pub fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap()
    }

    pub fn wait(self) -> Finished<'w> {
        let finished = self.wait_with_stderr();
        assert_eq!(finished.stderr, "", "{}", finished.stdout);
        finished
    }

    /// The same where Node has something to complain about.
    pub fn wait_with_stderr(mut self) -> Finished<'w> {
        let code = self.process.end();
        let (requests, children) = self.before;
        let finished = Finished {
            world: self.world,
            code,
            stdout: self.file("stdout"),
            stderr: self.file("stderr"),
            output: pairs(&self.file("GITHUB_OUTPUT")),
            env: pairs(&self.file("GITHUB_ENV")),
            ends: delimiters(&self.file("GITHUB_STATE")),
            state: pairs(&self.file("GITHUB_STATE")),
            summary: self.file("GITHUB_STEP_SUMMARY"),
            requests: self.world.sandbox.log().split_off(requests),
            children: self.world.children().split_off(children),
        };
        finished.check();
        finished
    }
}
