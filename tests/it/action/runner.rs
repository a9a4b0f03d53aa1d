//! A stand-in for GitHub's runner: what it sets for a step, how it reads the step's files, and what its log would show.
//!
//! Follows the runner's documents of workflow commands and file commands: inputs as `INPUT_…` with hyphens kept, files
//! of names and values in heredoc form, state handed to the post step as `STATE_…`, masks that hide from then on, and
//! the debug lines with which it repeats state and outputs.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use hublease_sandbox::{Logged, Service};

use crate::support::{
    World, binary,
    job::{Outcome, Provider, Shape},
};

/// No stage may take longer: its own limits are 120 and 30 seconds.
const LONGEST_RUN: Duration = Duration::from_secs(150);

/// The files that the runner makes for each stage, by their variables.
const FILES: [&str; 4] = ["GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"];

/// The keys of the state.
pub const NAME: &str = "record_name";
pub const BODY: &str = "record";

/// One `uses: hublease/hublease` in a job.
pub struct Step<'w> {
    world: &'w World,
    inputs: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
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
        Self { world, inputs: inputs.collect(), variables }
    }

    pub fn input(mut self, name: &str, value: impl Into<String>) -> Self {
        self.inputs.insert(name.to_owned(), value.into());
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
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("action").join(script))
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
        Running { world, child: command.spawn().unwrap(), folder, before }
    }
}

/// A stage in progress.
pub struct Running<'w> {
    world: &'w World,
    pub child: Child,
    folder: PathBuf,
    /// How many requests and children there were before.
    before: (usize, usize),
}

impl<'w> Running<'w> {
    /// Sends a signal to this very process, as the runner does.
    pub fn signal(&self, signal: &str) {
        let status = Command::new("/bin/kill").args(["-s", signal, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

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
        let end = Instant::now() + LONGEST_RUN;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > end {
                self.child.kill().unwrap();
                panic!("it does not end: {}", self.file("stdout"));
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let (requests, children) = self.before;
        let finished = Finished {
            world: self.world,
            code: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
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

/// What a stage has left.
pub struct Finished<'w> {
    world: &'w World,
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub output: BTreeMap<String, String>,
    pub env: BTreeMap<String, String>,
    pub state: BTreeMap<String, String>,
    /// The delimiters in the file of the state.
    pub ends: Vec<String>,
    pub summary: String,
    pub requests: Vec<Logged>,
    pub children: Vec<String>,
}

impl Finished<'_> {
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.shown().contains(text), "`{text}` is not in\n{}", self.shown());
        self
    }

    /// A single line for people, and no more.
    #[track_caller]
    pub fn says_only(self, line: &str) -> Self {
        assert_eq!(self.shown(), format!("{line}\n"));
        self
    }

    #[track_caller]
    pub fn does_not_say(self, text: &str) -> Self {
        assert!(!self.shown().contains(text), "`{text}` is in\n{}", self.shown());
        self
    }

    /// The lines that a person sees in the log.
    pub fn shown(&self) -> String {
        let hidden = |line: &&str| line.starts_with("::add-mask::") || line.starts_with("::debug::");
        let lines = self.stdout.lines().filter(|line| !hidden(line));
        lines.map(|line| format!("{line}\n")).collect()
    }

    /// Requests of the step and its children, in the order in which they arrived; what a broker or Vault asks Docker
    /// Hub and the issuer is left out.
    pub fn asked(&self) -> Vec<String> {
        let own = self.requests.iter().filter(|request| !matches!(request.service, Service::Hub | Service::Issuer));
        own.map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    /// Every value that the runner was told to hide.
    pub fn masks(&self) -> Vec<String> {
        masks(&self.stdout)
    }

    /// What holds for every stage: its log has nothing but lines for people and our four commands, and no secret is
    /// anywhere but behind its mask, in the state, and in the output that was asked for.
    fn check(&self) {
        for line in self.stdout.lines() {
            let is_command = ["add-mask", "debug", "warning", "error"]
                .iter()
                .any(|name| line.strip_prefix("::").is_some_and(|rest| rest.starts_with(&format!("{name}::"))));
            let rest = line.trim_start_matches("::").split_once("::").map_or(line, |(_, rest)| rest);
            assert!(is_command || !line.contains("::"), "{line}");
            assert!(line.starts_with("::add-mask::") || !(rest.contains("::") || line.contains("##[")), "{line}");
        }
        self.learn_handles();
        let token = self.output.get("token");
        assert!(token.is_none_or(|token| self.masks().contains(token)), "the output `token` has no mask");
        let lines = |pairs: &BTreeMap<String, String>| {
            let shown = pairs.iter().filter(|(name, _)| *name != "token");
            shown.map(|(name, value)| format!("{name}={value}\n")).collect::<String>()
        };
        let printed: Vec<&str> = self.stdout.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
        let log = self.debug_log();
        self.world.search(&Outcome {
            code: self.code,
            stdout: [&printed.join("\n"), &lines(&self.output), &lines(&self.env), &self.summary, &log]
                .map(String::as_str)
                .join("\n"),
            stderr: self.stderr.clone(),
            requests: self.requests.clone(),
            prints_credential: false,
        });
    }

    /// The broker's handles are seen in the record first.
    fn learn_handles(&self) {
        if let Some(handle) = handle(&self.record(), "token") {
            self.world.add_secret("a revocation handle", &handle);
        }
    }

    /// The record in the state.
    pub fn record(&self) -> serde_json::Value {
        let body = self.state.get(BODY).map(String::as_str).unwrap_or_default();
        serde_json::from_str(body).unwrap_or_default()
    }

    /// What debug logging shows of the files: each line behind all the masks of the stage.
    fn debug_log(&self) -> String {
        let mut masks = self.masks();
        // The longest first, as the runner does.
        masks.sort_by_key(|mask| std::cmp::Reverse(mask.len()));
        let files = [("Save intra-action state", &self.state), ("Set output", &self.output), ("Set env", &self.env)];
        let lines = files.into_iter().flat_map(|(what, pairs)| {
            pairs.iter().map(move |(name, value)| format!("##[debug]{what} {name} = {value}\n"))
        });
        lines.map(|line| masks.iter().fold(line, |line, mask| line.replace(mask, "***"))).collect()
    }
}

/// A part of what revokes the lease of a record.
pub fn handle(record: &serde_json::Value, part: &str) -> Option<String> {
    let handle = record["leases"][0]["handle"].as_object()?.values().next()?;
    handle[part].as_str().map(str::to_owned)
}

/// The values that a log has told the runner to hide.
pub fn masks(stdout: &str) -> Vec<String> {
    stdout.lines().filter_map(|line| line.strip_prefix("::add-mask::")).map(unescaped).collect()
}

fn unescaped(text: &str) -> String {
    text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
}

/// Names and values of one of the runner's files. A later one of the same name wins; a cut one is refused.
pub fn pairs(text: &str) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let (name, end) = line.trim_end_matches('\n').split_once("<<").unwrap_or_else(|| panic!("no heredoc: {line}"));
        let mut value = String::new();
        loop {
            let line = lines.next().unwrap_or_else(|| panic!("{name} is cut"));
            if line.trim_end_matches('\n') == end {
                break;
            }
            assert!(line.ends_with('\n'), "{name} is cut");
            value.push_str(line);
        }
        pairs.insert(name.to_owned(), value.strip_suffix('\n').unwrap_or_default().to_owned());
    }
    pairs
}

/// The delimiter of each entry of a file.
fn delimiters(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.split_once("<<")).map(|(_, end)| end.to_owned()).collect()
}
