//! Runs the jobs of a config, a step at a time, each in a new shell.
//!
//! After every job everything that it printed, wrote and sent is searched for secrets.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hublease_sandbox::Service;
use serde_json::Value;

use crate::orb::expand::Job;
use crate::orb::machine::{Image, Machine};
use crate::orb::node::Result;
use crate::orb::source::Orb;
use crate::orb::step::{Run, Step, When};
use crate::orb::workflow::{self, Status, Workflow};
use crate::support::World;
use crate::support::job::Outcome;
use crate::support::process::Process;

/// Where steps run that say nothing else.
const DIRECTORY: &str = "~/project";

/// What a boolean is in the environment of a step. CircleCI's orbs in the wild compare with 1 or with true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Booleans {
    Digits,
    Words,
}

/// A local CircleCI with one project.
pub struct Circleci<'w> {
    machine: Machine<'w>,
    /// Variables of the project and of its contexts.
    variables: BTreeMap<String, String>,
    booleans: Booleans,
    /// The words that every shell is started under.
    under: Vec<String>,
    /// A job that somebody cancels, and the step that runs then.
    cancelled: Option<(String, String)>,
    published: Vec<Orb<'w>>,
}

/// A job that was run.
#[derive(Debug)]
pub struct Played {
    pub name: String,
    pub status: Status,
    pub steps: Vec<Ran>,
}

/// A step that was run; one for each try.
#[derive(Debug)]
pub struct Ran {
    pub name: String,
    pub code: i32,
    pub output: String,
}

impl<'w> Circleci<'w> {
    pub fn new(world: &'w World, image: Image, published: Vec<Orb<'w>>) -> Self {
        let machine = Machine::new(world, image);
        let (variables, under) = (BTreeMap::new(), Vec::new());
        Self { machine, variables, booleans: Booleans::Digits, under, cancelled: None, published }
    }

    /// Sets a variable of the project.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn booleans(mut self, booleans: Booleans) -> Self {
        self.booleans = booleans;
        self
    }

    pub fn under(mut self, words: Vec<String>) -> Self {
        self.under = words;
        self
    }

    /// Cancels a job while this step runs: it is the job's last, whatever the steps after it say about `when`.
    pub fn cancel(mut self, job: &str, step: &str) -> Self {
        self.cancelled = Some((job.to_owned(), step.to_owned()));
        self
    }

    pub fn machine(&self) -> &Machine<'w> {
        &self.machine
    }

    /// Runs all workflows of a config.
    pub fn play(&self, config: &Value) -> Result<Vec<Played>> {
        let workflows = workflow::read(config, &self.published)?;
        if config.to_string().contains(crate::support::broker::URL) {
            self.machine.world.broker_url();
        }
        let mut played = Vec::new();
        for workflow in workflows {
            self.workflow(&workflow, &mut played);
        }
        Ok(played)
    }

    fn workflow(&self, workflow: &Workflow, played: &mut Vec<Played>) {
        let mut ended = BTreeMap::new();
        for invocation in &workflow.jobs {
            let mut status = Status::NotRun;
            for _ in 0..=workflow.reruns {
                // A job that was cancelled is not tried again.
                if !invocation.is_due(&ended) || matches!(status, Status::Success | Status::Canceled) {
                    break;
                }
                if !played.is_empty() {
                    self.machine.renew();
                }
                let steps;
                (steps, status) = self.job(&invocation.name, &invocation.job, played.len());
                played.push(Played { name: invocation.name.clone(), status, steps });
            }
            ended.insert(invocation.name.clone(), status);
        }
    }

    /// Runs the steps of a job, and says how it ended.
    fn job(&self, name: &str, job: &Job, number: usize) -> (Vec<Ran>, Status) {
        let world = self.machine.world;
        let before = world.sandbox.log().len();
        let mut variables = self.machine.variables(name, number);
        variables.extend(self.variables.clone());
        variables.extend(self.texts(&job.executor.environment));
        let directory = job.executor.working_directory.as_deref().unwrap_or(DIRECTORY);
        let directory = self.at(&world.path("work"), directory);
        fs::create_dir_all(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        let mut ran = Vec::new();
        let mut status = Status::Success;
        for step in &job.steps {
            let Step::Run(run) = step else {
                let Step::Builtin(name) = step else { continue };
                let output = format!("stand-in: `{name}` does nothing here\n");
                ran.push(Ran { name: name.clone(), code: 0, output });
                continue;
            };
            let is_due = match run.when {
                When::Always => true,
                When::OnSuccess => status == Status::Success,
                When::OnFail => status == Status::Failed,
            };
            if is_due {
                let mut code = 1;
                for _ in 0..=run.reruns {
                    let shell = run.shell.as_deref().or(job.executor.shell.as_deref());
                    let shell = shell.unwrap_or(self.machine.image.shell());
                    let tried = self.step(run, shell, &directory, &variables, ran.len());
                    code = tried.code;
                    ran.push(tried);
                    if code == 0 {
                        break;
                    }
                }
                if code != 0 {
                    status = Status::Failed;
                }
                if self.cancelled.as_ref().is_some_and(|(job, step)| job == name && *step == run.name) {
                    status = Status::Canceled;
                    break;
                }
            }
        }
        self.search(&ran, before);
        (ran, status)
    }

    fn step(
        &self,
        run: &Run,
        shell: &str,
        directory: &Path,
        variables: &BTreeMap<String, String>,
        number: usize,
    ) -> Ran {
        let world = self.machine.world;
        let [script, output] = ["command", "output"].map(|name| world.path("spare").join(format!("{name}-{number}")));
        fs::write(&script, &run.command).unwrap();
        let directory = run.working_directory.as_deref().map_or(directory.to_owned(), |own| self.at(directory, own));
        let written = File::create(&output).unwrap();
        let words: Vec<_> = self.under.iter().map(String::as_str).chain(shell.split_whitespace()).collect();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .arg(&script)
            .env_clear()
            .envs(variables)
            .envs(self.texts(&run.environment))
            .current_dir(&directory)
            .stdin(Stdio::null())
            .stdout(written.try_clone().unwrap())
            .stderr(written);
        let code = Process::start(&mut command, output.clone()).end();
        let output = String::from_utf8_lossy(&fs::read(&output).unwrap()).into_owned();
        Ran { name: run.name.clone(), code, output }
    }

    /// Nothing secret was printed, written, given to a child, or sent to where it does not belong.
    fn search(&self, ran: &[Ran], before: usize) {
        let world = self.machine.world;
        let outcome = Outcome {
            code: 0,
            stdout: ran.iter().map(|ran| ran.output.as_str()).collect(),
            stderr: String::new(),
            requests: world.sandbox.log().split_off(before),
            prints_credential: false,
        };
        world.search(&outcome);
        assert_eq!(world.sandbox.unexpected(), [""; 0], "{ran:#?}");
        let is_github = |host: &str| host.starts_with("github.com") || host.starts_with("release-assets.");
        let to_github = outcome.requests.iter().filter(|request| is_github(&request.host));
        for request in to_github {
            let sent = (request.service, request.method.as_str(), request.header("authorization"), request.body.len());
            assert_eq!(sent, (Service::Forwarded, "GET", None, 0), "{}", request.path);
        }
    }

    fn texts(&self, environment: &[(String, Value)]) -> Vec<(String, String)> {
        let text = |value: &Value| match (value, self.booleans) {
            (Value::String(text), _) => text.clone(),
            (Value::Bool(value), Booleans::Digits) => u8::from(*value).to_string(),
            (other, _) => other.to_string(),
        };
        environment.iter().map(|(name, value)| (name.clone(), text(value))).collect()
    }

    /// A directory as a config names it.
    fn at(&self, base: &Path, directory: &str) -> PathBuf {
        match directory.strip_prefix('~') {
            Some(rest) => self.machine.world.home().join(rest.trim_start_matches('/')),
            None => base.join(directory),
        }
    }
}

impl Played {
    /// The only try of the step with this name.
    #[track_caller]
    pub fn step(&self, name: &str) -> &Ran {
        let found: Vec<_> = self.steps.iter().filter(|ran| ran.name == name).collect();
        let [ran] = found.as_slice() else { panic!("{} times `{name}` in {:#?}", found.len(), self.steps) };
        ran
    }

    /// What ran with which code, in order.
    pub fn codes(&self) -> Vec<(&str, i32)> {
        self.steps.iter().map(|ran| (ran.name.as_str(), ran.code)).collect()
    }
}

impl Ran {
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.output.contains(text), "`{text}` is not in what `{}` said:\n{}", self.name, self.output);
        self
    }

    #[track_caller]
    pub fn code(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{}:\n{}", self.name, self.output);
        self
    }
}
