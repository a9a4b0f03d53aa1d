//! `hublease` as a CircleCI job runs it: the built program, a home of its own, a scrubbed environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use hublease_sandbox::Sandbox;
use serde_json::Value;
use tempfile::TempDir;

/// A job.
pub struct Job<'s> {
    sandbox: &'s Sandbox,
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl<'s> Job<'s> {
    /// A job whose identity tokens have this audience.
    pub fn new(sandbox: &'s Sandbox, audience: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("hublease-peers-").tempdir().unwrap();
        for name in ["home", "tmp", "work", "bin"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let mut variables = sandbox.environment();
        variables.extend(sandbox.circleci_environment_for(audience));
        for (name, place) in [("HOME", "home"), ("TMPDIR", "tmp"), ("PATH", "bin")] {
            variables.push((name.to_owned(), folder.path().join(place).display().to_string()));
        }
        Self { sandbox, folder, variables }
    }

    /// Sets a variable of the job.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Takes a variable away.
    pub fn unset(&mut self, name: &str) {
        self.variables.retain(|(known, _)| known != name);
    }

    /// A program in the job's environment and working directory, not started yet.
    pub fn command(&self, program: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(words).env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.work()).stdin(Stdio::null());
        command
    }

    /// The job's working directory.
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Puts a program on the job's PATH.
    pub fn bring(&self, name: &str, program: &Path) {
        std::os::unix::fs::symlink(program, self.folder.path().join("bin").join(name)).unwrap();
    }

    /// Runs the client. What it says is searched for every secret that is known, but for the output of `token`.
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Outcome {
        let program = std::env::var_os("HUBLEASE_BIN").unwrap();
        let outcome = Outcome::of(&self.command(Path::new(&program), words).output().unwrap());
        let said = if words[0] == "token" { outcome.stderr.clone() } else { outcome.stdout.clone() + &outcome.stderr };
        for secret in self.secrets() {
            assert!(!said.contains(&secret), "a secret is in what was said:\n{said}");
        }
        outcome
    }

    /// Identity tokens that were signed, and Vault tokens on record.
    fn secrets(&self) -> Vec<String> {
        let signed = self.sandbox.secrets().into_iter().map(|secret| secret.value);
        signed.filter(|secret| secret.len() > 12).chain(self.vault_tokens()).collect()
    }

    /// The Vault tokens that are on record.
    pub fn vault_tokens(&self) -> Vec<String> {
        let leases =
            self.records().into_iter().flat_map(|record| record["leases"].as_array().cloned().unwrap_or_default());
        leases.filter_map(|lease| Some(lease["handle"]["vault"]["client_token"].as_str()?.to_owned())).collect()
    }

    /// The home of the job, where docker's file of logins is.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Names of what lies where records and private directories are made.
    pub fn left_behind(&self) -> Vec<String> {
        let folders = fs::read_dir(self.folder.path().join("tmp")).into_iter().flatten().flatten();
        let inside = folders.flat_map(|folder| fs::read_dir(folder.path()).into_iter().flatten().flatten());
        inside.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    /// When the latest lease on record ends, in unix seconds.
    pub fn lease_ends_at(&self) -> Option<u64> {
        let records = self.records();
        let leases = records.iter().flat_map(|record| record["leases"].as_array().into_iter().flatten());
        leases.filter_map(|lease| lease["expires_at"].as_u64()).max()
    }

    /// What `logout` will read.
    pub fn records(&self) -> Vec<Value> {
        let read = |path: &PathBuf| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        self.record_files().iter().map(read).collect()
    }

    /// Lets the time of every lease on record be over, by the record's word. What the server holds is as it was: a job whose
    /// clock is ahead, or one whose server could do nothing when the time came.
    pub fn let_time_pass(&self) {
        for (path, mut record) in self.record_files().into_iter().zip(self.records()) {
            for lease in record["leases"].as_array_mut().into_iter().flatten() {
                lease["expires_at"] = (self.sandbox.now() - 1).into();
            }
            fs::write(path, record.to_string()).unwrap();
        }
    }

    fn record_files(&self) -> Vec<PathBuf> {
        let folders = fs::read_dir(self.folder.path().join("tmp")).into_iter().flatten().flatten();
        let files = folders.flat_map(|folder| fs::read_dir(folder.path()).into_iter().flatten().flatten());
        let files = files.map(|file| file.path());
        files.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect()
    }
}

impl Outcome {
    /// What a process that has ended came to.
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.said(text), "`{text}` is not in\n{}\n{}", self.stdout, self.stderr);
        self
    }

    pub fn said(&self, text: &str) -> bool {
        self.stdout.contains(text) || self.stderr.contains(text)
    }
}
