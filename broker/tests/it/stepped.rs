//! `stepped-broker` behind the sandbox: the real program with a clock that tests set. What the tests share that run it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use hublease_sandbox::Sandbox;
use ureq::Body;
use ureq::http::Response;

use crate::stub::client;

/// The broker's public address, which nobody connects to.
pub(crate) const URL: &str = "https://broker.example.com";
/// Where the organization's tokens are.
pub(crate) const TOKENS: &str = "/v2/orgs/acme/access-tokens";
/// When something that has to come is given up; no test depends on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The program with the configuration `broker.toml` and the clock `clock` of that folder; whoever starts it decides where its
/// output goes.
pub(crate) fn command(sandbox: &Sandbox, folder: &Path) -> Command {
    let mut command = Command::new(program());
    command
        .args(["serve", "--config"])
        .arg(folder.join("broker.toml"))
        .env_clear()
        .envs(sandbox.environment())
        .env("HUBLEASE_TEST_CLOCK", folder.join("clock"))
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// In the build directory, beside the one of this test.
fn program() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let path = here.parent().and_then(Path::parent).unwrap().join("examples/stepped-broker");
    assert!(path.is_file(), "{} is not built: `cargo build -p hublease-broker --examples`", path.display());
    path
}

/// Sets everybody's clock forward: Docker Hub's, and the broker's to so many seconds after the machine's.
pub(crate) fn pass(sandbox: &Sandbox, folder: &Path, seconds: u64, total: &mut u64) {
    *total += seconds;
    sandbox.advance(seconds);
    write(folder, "clock", &total.to_string());
}

/// Writes a file whole, or not at all: the program may read it at any time.
pub(crate) fn write(folder: &Path, name: &str, text: &str) {
    let next = folder.join("next");
    fs::write(&next, text).unwrap();
    fs::set_permissions(&next, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(next, folder.join(name)).unwrap();
}

/// Sends a form to the broker that listens there.
///
/// # Errors
/// When it gives no answer.
pub(crate) fn post(address: &str, path: &str, form: &str) -> Result<Response<Body>, ureq::Error> {
    let request = client().post(format!("http://{address}{path}"));
    request.header("content-type", "application/x-www-form-urlencoded").send(form)
}
