//! What an operator types, on a machine that holds nothing but a configuration, behind a proxy to a whole outside world.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use hublease_sandbox::{BrokerLimits, PASSWORD, Sandbox, TokenBuilder};
use serde_json::Value;
use tempfile::TempDir;

use crate::stub::{post_form, text};
use crate::testing::form_with;

/// The broker's address: `iss` of its metadata and the audience of tokens.
pub(crate) const URL: &str = "https://broker.example.com";

/// The outside world, and the operator's directory.
pub(crate) struct Desk {
    pub(crate) sandbox: Sandbox,
    folder: TempDir,
}

/// How a command ended, and all that it printed.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    /// With the sandbox's own configuration in `broker.toml`.
    pub(crate) fn new() -> Self {
        let desk = Self { sandbox: Sandbox::start().unwrap(), folder: tempfile::tempdir().unwrap() };
        let config = desk.sandbox.broker_configuration(URL, desk.folder.path(), BrokerLimits::default());
        desk.write("broker.toml", &config);
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hublease-broker"));
        command.args(words).current_dir(self.folder.path()).env_clear().envs(self.sandbox.environment());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command without the account's password.
    pub(crate) fn run(&self, words: &[&str], input: &str) -> Ended {
        ended(self.command(words), input)
    }

    /// Runs `leases …` with the configuration and the account's password.
    pub(crate) fn leases(&self, words: &[&str]) -> Ended {
        self.leases_told(words, "")
    }

    /// The same, with something on standard input.
    pub(crate) fn leases_told(&self, words: &[&str], input: &str) -> Ended {
        let words = [&["leases", words[0], "--config", "broker.toml"], &words[1..]].concat();
        let mut command = self.command(&words);
        command.env("ACMEBOT_PASSWORD", PASSWORD);
        ended(command, input)
    }

    /// A broker that serves with the configuration; ended when dropped.
    pub(crate) fn serve(&self) -> Serving {
        let mut command = self.command(&["serve", "--config", "broker.toml"]);
        let mut child = command.env("ACMEBOT_PASSWORD", PASSWORD).stdout(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let address = said.find_map(|line| line.strip_prefix("listening on ").map(str::to_owned)).unwrap();
        Serving { child, url: format!("http://{address}") }
    }

    /// How many of the organization's tokens Docker Hub has.
    pub(crate) fn tokens(&self) -> usize {
        self.sandbox.live().iter().filter(|token| token.kind == "organization access token").count()
    }
}

/// Its password is not an argument, and neither is a token: both are where the operating system shows them to nobody.
fn ended(mut command: Command, input: &str) -> Ended {
    let mut child = command.spawn().unwrap();
    // A command that does not read its input may be over by now.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    Ended { code: output.status.code().unwrap(), out, err }
}

impl Ended {
    /// Standard output as one JSON document.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    /// Standard output as one JSON document per line.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What was said, without the program's name before each line.
    pub(crate) fn said(&self) -> Vec<&str> {
        self.err.lines().map(|line| line.strip_prefix("hublease-broker: ").unwrap_or(line)).collect()
    }
}

/// A broker that serves.
pub(crate) struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    /// Exchanges a token; gives the lease's id.
    pub(crate) fn lease(&self, token: TokenBuilder) -> String {
        let answer = self.exchange(token);
        answer["lease_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// The same where it is refused; gives the code that the description begins with.
    pub(crate) fn refusal(&self, token: TokenBuilder) -> String {
        let answer = self.exchange(token);
        let description = answer["error_description"].as_str().unwrap_or_else(|| panic!("it was not refused"));
        description.split(':').next().unwrap_or_default().to_owned()
    }

    pub(crate) fn exchange(&self, token: TokenBuilder) -> Value {
        let form = form_with(&token.audience(URL).sign(), "&scope=repository:acme/app:pull");
        let answer = text(post_form(&format!("{}/oauth/token", self.url), &form));
        serde_json::from_str(&answer).unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
