//! The only place that writes to standard output and standard error.
//!
//! Standard output carries what the command was run for; a failure there is remembered, because whoever reads it
//! would miss a credential. Standard error carries everything for people, and its failures are nobody's loss.
//! Follows GitHub's documentation of workflow commands: `::add-mask::` with `%`, CR and LF percent-encoded, once for
//! each line of a value, and the heredoc form of `GITHUB_ENV`.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hublease_protocol::ci::LaterStepsForm;
use hublease_protocol::secret::Secret;
use serde_json::json;

use crate::effect::{Level, Line, LoggedIn, Output};

/// What is shown, and how.
#[derive(Clone, Debug)]
pub struct Reporting {
    /// Lines of at least this importance are shown.
    pub threshold: Level,
    /// Whether something is shown while we wait: standard error is a terminal, and not `--quiet`.
    pub progress: bool,
    /// Whether standard error is coloured: a terminal, and no `NO_COLOR`.
    pub colours: bool,
    /// Whether values are masked by GitHub's workflow commands: in a job of GitHub Actions.
    pub mask: bool,
    /// Whether the output is one JSON document; there is no `export` line for the shell beside it.
    pub json: bool,
}

/// What a login did, as one JSON object.
fn json_of(login: &LoggedIn) -> String {
    json!({
        "registries": login.registries,
        "username": login.username,
        "provider": login.provider,
        "expires_at": login.expires_at,
        "revocable": login.revocable,
        "docker_config": login.docker_config,
    })
    .to_string()
}

/// The two streams, and the files in which later steps learn variables.
pub(super) struct Terminal {
    reporting: Reporting,
    later_steps: Vec<(PathBuf, LaterStepsForm)>,
    stdout: Box<dyn Write>,
    stderr: Box<dyn Write>,
    shown: bool,
}

impl Terminal {
    pub(super) fn new(
        reporting: Reporting,
        later_steps: Vec<(PathBuf, LaterStepsForm)>,
        stdout: Box<dyn Write>,
        stderr: Box<dyn Write>,
    ) -> Self {
        Self { reporting, later_steps, stdout, stderr, shown: false }
    }

    /// Says one line, if it is important enough.
    pub(super) fn say(&mut self, line: &Line) {
        if rank(line.level) < rank(self.reporting.threshold) {
            return;
        }
        let prefix = match (line.level, self.reporting.colours) {
            (Level::Warning, true) => "\u{1b}[1;33mwarning:\u{1b}[0m ",
            (Level::Warning, false) => "warning: ",
            (Level::Note | Level::Detail, _) => "",
        };
        self.error_line(&format!("{prefix}{}", line.text));
    }

    /// Shows that something is waited for; gone with the next line or with [`Terminal::clear`].
    pub(super) fn waiting(&mut self, what: &str) {
        if self.reporting.progress {
            let _ = write!(self.stderr, "\r{what} …").and_then(|()| self.stderr.flush());
            self.shown = true;
        }
    }

    /// Takes away what [`Terminal::waiting`] showed.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(self.stderr, "\r\u{1b}[K").and_then(|()| self.stderr.flush());
        }
    }

    /// Has the CI system hide a value, if it can.
    pub(super) fn mask(&mut self, secret: &Secret) {
        if !self.reporting.mask {
            return;
        }
        let whole = Some(secret.expose()).filter(|value| value.contains(['\r', '\n']));
        for value in
            whole.into_iter().chain(secret.expose().split(['\r', '\n'])).filter(|value| !value.trim().is_empty())
        {
            let escaped = Secret::new(value.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A"));
            self.clear();
            let _ = writeln!(self.stderr, "::add-mask::{}", escaped.expose()).and_then(|()| self.stderr.flush());
        }
    }

    /// Gives out what the command was run for.
    ///
    /// # Errors
    /// Standard output, or a file for later steps, cannot be written.
    pub(super) fn output(&mut self, output: &Output) -> io::Result<()> {
        self.clear();
        match output {
            Output::Report(text) => write_line(&mut self.stdout, text),
            Output::LoggedIn(login) => self.logged_in(login),
            Output::Credential(secret) => write_line(&mut self.stdout, secret.expose()),
            Output::Variable { client, value } => {
                let name = client.variable();
                let line = format!("export {name}='{}'", value.replace('\'', r"'\''"));
                for (file, form) in &self.later_steps {
                    let assignment = match form {
                        LaterStepsForm::Export => format!("{line}\n"),
                        LaterStepsForm::Heredoc => {
                            let end = delimiter(value);
                            format!("{name}<<{end}\n{value}\n{end}\n")
                        }
                    };
                    append(file, &assignment)?;
                }
                if self.reporting.json { Ok(()) } else { write_line(&mut self.stdout, &line) }
            }
        }
    }

    /// A sentence is for people. A shell that evaluates standard output, to learn the directory, must not find it there.
    fn logged_in(&mut self, login: &LoggedIn) -> io::Result<()> {
        if self.reporting.json {
            return write_line(&mut self.stdout, &json_of(login));
        }
        self.say(&Line { level: Level::Note, text: login.text.clone() });
        Ok(())
    }

    fn error_line(&mut self, text: &str) {
        self.clear();
        let _ = writeln!(self.stderr, "{text}").and_then(|()| self.stderr.flush());
    }
}

fn rank(level: Level) -> u8 {
    match level {
        Level::Detail => 0,
        Level::Note => 1,
        Level::Warning => 2,
    }
}

/// Ends the text with a newline unless it has one.
fn write_line(stream: &mut dyn Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        stream.write_all(b"\n")?;
    }
    stream.flush()
}

/// A line that does not occur in the value.
fn delimiter(value: &str) -> String {
    let mut end = "HUBLEASE".to_owned();
    while value.contains(&end) {
        end.push('_');
    }
    end
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::{fs, io};

    use hublease_protocol::ci::LaterStepsForm;
    use hublease_protocol::secret::Secret;

    use super::{Reporting, Terminal};
    use crate::effect::docker::Client;
    use crate::effect::{Level, Line, Output};
    use crate::native::stand_in::Stream;

    fn reporting(threshold: Level) -> Reporting {
        Reporting { threshold, progress: true, colours: false, mask: true, json: false }
    }

    fn terminal(reporting: Reporting) -> (Terminal, Stream, Stream) {
        let (stdout, stderr) = (Stream::default(), Stream::default());
        let terminal = Terminal::new(reporting, Vec::new(), Box::new(stdout.clone()), Box::new(stderr.clone()));
        (terminal, stdout, stderr)
    }

    #[test]
    fn lines_below_the_threshold_stay_unsaid() {
        let (mut terminal, _, stderr) = terminal(reporting(Level::Note));
        for (level, text) in [(Level::Detail, "a"), (Level::Note, "b"), (Level::Warning, "c")] {
            terminal.say(&Line { level, text: text.to_owned() });
        }
        assert_eq!(stderr.text(), "b\nwarning: c\n");
    }

    #[test]
    fn progress_is_cleared_before_anything_else() {
        let (mut terminal, stdout, stderr) = terminal(reporting(Level::Note));
        terminal.waiting("waiting for docker");
        terminal.output(&Output::Report("done".to_owned())).unwrap();
        terminal.clear();
        assert_eq!((stdout.text().as_str(), stderr.text().as_str()), ("done\n", "\rwaiting for docker …\r\u{1b}[K"));
    }

    #[test]
    fn every_line_of_a_value_is_masked_and_escaped() {
        let (mut terminal, stdout, stderr) = terminal(reporting(Level::Warning));
        terminal.mask(&Secret::new("one%\r\ntwo\n"));
        terminal.mask(&Secret::new("plain"));
        assert_eq!(
            stderr.text(),
            "::add-mask::one%25%0D%0Atwo%0A\n::add-mask::one%25\n::add-mask::two\n::add-mask::plain\n"
        );
        assert_eq!(stdout.text(), "");
    }

    #[test]
    fn nothing_is_masked_where_nobody_understands_it() {
        let (mut terminal, _, stderr) = terminal(Reporting { mask: false, ..reporting(Level::Detail) });
        terminal.mask(&Secret::new("plain"));
        assert_eq!(stderr.text(), "");
    }

    #[test]
    fn variables_reach_the_shell_and_the_files_of_later_steps() {
        let directory = tempfile::tempdir().unwrap();
        let (github, bash) = (directory.path().join("github"), directory.path().join("bash"));
        fs::write(&github, "A=b\n").unwrap();
        let (mut terminal, stdout, _) = terminal(reporting(Level::Note));
        terminal.later_steps = vec![(github.clone(), LaterStepsForm::Heredoc), (bash.clone(), LaterStepsForm::Export)];
        let mut told = (String::new(), "A=b\n".to_owned());
        for (client, value, line, heredoc) in [
            (
                Client::Docker,
                "/a'b/HUBLEASE",
                "export DOCKER_CONFIG='/a'\\''b/HUBLEASE'\n",
                "DOCKER_CONFIG<<HUBLEASE_\n/a'b/HUBLEASE\nHUBLEASE_\n",
            ),
            (Client::Podman, "", "export REGISTRY_AUTH_FILE=''\n", "REGISTRY_AUTH_FILE<<HUBLEASE\n\nHUBLEASE\n"),
        ] {
            terminal.output(&Output::Variable { client, value: value.to_owned() }).unwrap();
            told = (told.0 + line, told.1 + heredoc);
            assert_eq!(stdout.text(), told.0);
            assert_eq!(fs::read_to_string(&bash).unwrap(), told.0);
            assert_eq!(fs::read_to_string(&github).unwrap(), told.1);
        }
    }

    #[test]
    fn a_full_output_is_an_error() {
        let full = fs::OpenOptions::new().write(true).open("/dev/full");
        let Ok(full) = full else { return };
        let mut terminal = Terminal::new(reporting(Level::Note), Vec::new(), Box::new(full), Box::new(io::sink()));
        assert!(terminal.output(&Output::Credential(Secret::new("x"))).is_err());
    }
}
