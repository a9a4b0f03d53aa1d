//! A real broker as a child of this program, and the line by which a broker tells where it listens.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long it may take to listen: it tries its account at Docker Hub first.
const START: Duration = Duration::from_secs(30);

/// A running broker, ended when dropped.
pub(crate) struct Broker {
    child: Child,
}

impl Broker {
    /// Starts it by a configuration. It sees these variables and nothing else, and writes its audit to `audit`.
    ///
    /// # Errors
    /// A sentence: the program cannot be started.
    pub(crate) fn start(
        program: &Path,
        configuration: &Path,
        variables: impl IntoIterator<Item = (String, String)>,
        audit: impl Into<Stdio>,
    ) -> Result<Self, String> {
        let mut command = Command::new(program);
        command.args(["serve", "--config"]).arg(configuration).env_clear().envs(variables);
        command.stdin(Stdio::null()).stdout(audit).stderr(Stdio::piped());
        let child = command.spawn().map_err(|error| format!("the broker cannot start: {error}"))?;
        Ok(Self { child })
    }

    /// Waits until it listens, and gives the address. What it says until then is added to `said`.
    ///
    /// # Errors
    /// A sentence, with what it said instead.
    pub(crate) fn listens(&mut self, said: &mut String) -> Result<String, String> {
        let stderr = self.child.stderr.take().ok_or("the broker has no standard error")?;
        address(stderr, START, said)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It ends now or has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Waits for the line that tells where a broker listens: so long for each line. What it says until then is added to `said`.
///
/// # Errors
/// A sentence, with what it said instead.
pub(crate) fn address(
    stderr: impl Read + Send + 'static,
    limit: Duration,
    said: &mut String,
) -> Result<String, String> {
    let (sender, lines) = mpsc::channel();
    // Reads on to the end, so that the broker never waits for a reader.
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            // Nobody listens any more once the address is known.
            drop(sender.send(line));
        }
    });
    while let Ok(line) = lines.recv_timeout(limit) {
        *said += &format!("{line}\n");
        if let Some(address) = line.strip_prefix("listening on ") {
            return Ok(address.to_owned());
        }
    }
    Err(format!("the broker does not listen: {}", said.trim().replace('\n', "; ")))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::address;

    #[test]
    fn the_address_is_in_the_line_that_says_so_and_all_before_is_kept() {
        let mut said = String::new();
        let text = "one\nlistening on 127.0.0.1:1\nlater\n".as_bytes();
        assert_eq!(address(text, Duration::from_secs(10), &mut said), Ok("127.0.0.1:1".to_owned()));
        assert_eq!(said, "one\nlistening on 127.0.0.1:1\n");
    }

    #[test]
    fn a_broker_that_ends_early_is_quoted() {
        let ended = address("one\ntwo\n".as_bytes(), Duration::from_secs(10), &mut String::new());
        assert_eq!(ended, Err("the broker does not listen: one; two".to_owned()));
    }
}
