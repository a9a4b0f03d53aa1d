//! Programs that run in the foreground: their output goes to a file, their time is limited, their failure is a sentence.
//!
//! What `cargo run` put into our own environment is taken out again: build scripts that look at it would otherwise
//! build everything anew, depending on who called.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use crate::terminal::{Terminal, spell};

/// No program that `xtask` starts takes longer; a full build on two slow cores takes a third of it.
const LONGEST: Duration = Duration::from_secs(45 * 60);
/// How often a running program is looked at.
const GLANCE: Duration = Duration::from_millis(20);
/// After this a log without a reader gets a sign of life: CI systems end jobs that are silent for ten minutes.
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);

/// A program about to be started.
pub(crate) struct Call {
    program: OsString,
    arguments: Vec<OsString>,
    directory: Option<PathBuf>,
    set: Vec<(OsString, OsString)>,
    removed: Vec<OsString>,
    limit: Duration,
}

/// A cargo command, by the very cargo that runs us.
pub(crate) fn cargo(arguments: &[&str]) -> Call {
    Call::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into())).arguments(arguments)
}

impl Call {
    /// A call without arguments, in our own directory and environment.
    pub(crate) fn new(program: impl Into<OsString>) -> Self {
        let inherited = env::vars_os().map(|(name, _)| name);
        let removed = inherited.filter(|name| name.to_str().is_some_and(is_cargos_own)).collect();
        Self {
            program: program.into(),
            arguments: Vec::new(),
            directory: None,
            set: Vec::new(),
            removed,
            limit: LONGEST,
        }
    }

    pub(crate) fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub(crate) fn arguments<I: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = I>) -> Self {
        arguments.into_iter().fold(self, Self::argument)
    }

    pub(crate) fn directory(mut self, directory: &Path) -> Self {
        self.directory = Some(directory.to_owned());
        self
    }

    pub(crate) fn set(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.set.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Takes every variable away whose name is meant.
    pub(crate) fn without(mut self, is_meant: impl Fn(&str) -> bool) -> Self {
        let names = env::vars_os().map(|(name, _)| name);
        self.removed.extend(names.filter(|name| name.to_str().is_some_and(&is_meant)));
        self
    }

    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it with its output at the end of a file.
    ///
    /// # Errors
    /// A sentence: it cannot run, took too long, or ended with another status than 0.
    pub(crate) fn run(&self, log: &Path, terminal: &Terminal) -> Result<(), String> {
        self.wait_for(self.spawn(log)?, terminal)
    }

    /// Runs it with its output where ours goes.
    ///
    /// # Errors
    /// As with [`Call::run`].
    pub(crate) fn run_in_sight(&self, terminal: &Terminal) -> Result<(), String> {
        let child = self.command().stdin(Stdio::null()).spawn();
        self.wait_for(child.map_err(|error| self.cannot("be started", &error))?, terminal)
    }

    fn wait_for(&self, mut child: Child, terminal: &Terminal) -> Result<(), String> {
        let begun = Instant::now();
        let mut next_sign = SIGN_OF_LIFE;
        let status = loop {
            if let Some(status) = child.try_wait().map_err(|error| self.cannot("be waited for", &error))? {
                break status;
            }
            if begun.elapsed() > self.limit {
                // Either it ends now or it has ended already.
                drop(child.kill());
                drop(child.wait());
                return Err(format!("`{self}` was ended after {}", spell(self.limit)));
            }
            if !terminal.is_watched() && begun.elapsed() > next_sign {
                terminal.begin(&format!("{} ... ", spell(begun.elapsed())));
                next_sign += SIGN_OF_LIFE;
            }
            thread::sleep(GLANCE);
        };
        if status.success() { Ok(()) } else { Err(format!("`{self}` ended with {}", ending(status))) }
    }

    /// Starts it with its output at the end of a file.
    pub(crate) fn spawn(&self, log: &Path) -> Result<Child, String> {
        let shown = format!("$ {self}\n");
        let before = fs::read_to_string(log).unwrap_or_default();
        fs::write(log, before + &shown).map_err(|error| format!("{}: {error}", log.display()))?;
        let output = || OpenOptions::new().append(true).open(log);
        let (out, errors) =
            output().and_then(|out| Ok((out, output()?))).map_err(|error| format!("{}: {error}", log.display()))?;
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(out).stderr(errors);
        command.spawn().map_err(|error| self.cannot("be started", &error))
    }

    /// Runs it and returns what it printed on standard output.
    ///
    /// # Errors
    /// A sentence with the end of its standard error.
    pub(crate) fn text(&self) -> Result<String, String> {
        let output = self.command().stdin(Stdio::null()).output().map_err(|error| self.cannot("be started", &error))?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            let last = errors.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
            return Err(format!("`{self}` ended with {}: {}", ending(output.status), last.trim()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        for name in &self.removed {
            command.env_remove(name);
        }
        command.envs(self.set.iter().map(|(name, value)| (name, value)));
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command
    }

    fn cannot(&self, verb: &str, error: &std::io::Error) -> String {
        format!("`{}` cannot {verb}: {error}", Path::new(&self.program).display())
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = Path::new(&self.program).file_name().unwrap_or(&self.program);
        write!(formatter, "{}", name.to_string_lossy())?;
        self.arguments.iter().try_for_each(|argument| write!(formatter, " {}", argument.to_string_lossy()))
    }
}

/// A way to end, in words.
pub(crate) fn ending(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no exit code".to_owned(),
    }
}

/// What `cargo run` sets for the program that it runs.
fn is_cargos_own(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| name.starts_with(prefix))
        || ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR", "LD_LIBRARY_PATH"].contains(&name)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Call, is_cargos_own};
    use crate::terminal::Terminal;

    #[test]
    fn a_failure_is_a_sentence_and_the_output_is_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let call = Call::new("/bin/sh").arguments(["-c", "echo spoken; echo louder >&2; exit 3"]);
        let error = call.run(&log, &Terminal::detect()).unwrap_err();
        assert!(error.starts_with("`sh -c") && error.ends_with("ended with exit code 3"), "{error}");
        let text = std::fs::read_to_string(&log).unwrap();
        assert!(text.starts_with("$ sh -c") && text.contains("spoken\n") && text.contains("louder\n"), "{text}");
        assert!(call.text().unwrap_err().ends_with("ended with exit code 3: louder"));
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let call = Call::new("/bin/sleep").argument("600").limit(Duration::from_millis(1));
        assert!(call.run(&folder.path().join("log"), &Terminal::detect()).unwrap_err().contains("was ended after"));
    }

    #[test]
    fn cargos_description_of_us_is_not_handed_on() {
        assert!(is_cargos_own("CARGO_PKG_NAME") && is_cargos_own("CARGO_MANIFEST_DIR"));
        assert!(!is_cargos_own("CARGO_HOME") && !is_cargos_own("CARGO_TARGET_DIR") && !is_cargos_own("CARGO"));
    }
}
