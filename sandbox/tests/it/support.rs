//! Starts programs in a scrubbed environment and speaks HTTP/1.1 without a client library, so that what goes over the wire is what
//! the test wrote.

mod http;

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use hublease_sandbox::Sandbox;
use tempfile::TempDir;

pub(crate) use self::http::{Answer, call_hub, exchange, hub_bearer, send_only, through_proxy, try_through_proxy};

/// Where Debian and Docker's packages put programs; the CLI must not find `pass` or credential helpers elsewhere.
pub(crate) const PROGRAMS: &str = "/usr/local/bin:/usr/bin:/bin";

/// A docker configuration directory and the sandbox that its programs see.
pub(crate) struct Docker<'s> {
    sandbox: &'s Sandbox,
    config: TempDir,
}

impl<'s> Docker<'s> {
    pub(crate) fn new(sandbox: &'s Sandbox) -> Self {
        let config = tempfile::tempdir().expect("a directory");
        // With one entry the CLI does not look for a credential helper on PATH.
        std::fs::write(config.path().join("config.json"), r#"{"auths":{"x.invalid":{}}}"#).expect("config.json");
        Self { sandbox, config }
    }

    pub(crate) fn run(&self, arguments: &[&str], stdin: &str) -> Output {
        let mut command = Command::new(std::env::var_os("HUBLEASE_DOCKER").unwrap_or_else(|| "docker".into()));
        command.args(arguments).env_clear().envs(self.sandbox.environment());
        command.env("PATH", PROGRAMS).env("DOCKER_CONFIG", self.config.path()).env("HOME", self.config.path());
        run(&mut command, stdin)
    }

    pub(crate) fn login(&self, username: &str, secret: &str) -> Output {
        self.run(&["login", "--username", username, "--password-stdin"], secret)
    }

    pub(crate) fn config(&self) -> serde_json::Value {
        let text = std::fs::read_to_string(self.config.path().join("config.json")).expect("config.json");
        serde_json::from_str(&text).expect("JSON")
    }

    pub(crate) fn directory(&self) -> &Path {
        self.config.path()
    }
}

pub(crate) fn run(command: &mut Command, stdin: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()));
    // A program that fails early does not read its input.
    drop(child.stdin.take().expect("stdin").write_all(stdin.as_bytes()));
    child.wait_with_output().expect("output")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether a program is on the tests' PATH.
pub(crate) fn installed(program: impl AsRef<OsStr>) -> bool {
    PROGRAMS.split(':').any(|directory| Path::new(directory).join(program.as_ref()).exists())
}
