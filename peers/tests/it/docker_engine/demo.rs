//! `cargo xtask demo --real`, told with this engine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::client::Outcome;

/// Runs it with this client, in a directory for whatever it makes; nothing may be left there.
fn demo(client: &Path) -> Outcome {
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(std::env::var_os("HUBLEASE_XTASK").unwrap());
    command.args(["demo", "--real"]).env("HUBLEASE_BIN", client).env("TMPDIR", folder.path()).stdin(Stdio::null());
    let outcome = Outcome::of(&command.output().unwrap());
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.path()).collect();
    assert!(left.is_empty(), "{left:?}: {outcome:?}");
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(folder.path().to_str().unwrap()), "{mounts}");
    outcome
}

fn client() -> PathBuf {
    std::env::var_os("HUBLEASE_BIN").unwrap().into()
}

#[test]
fn a_private_image_is_pulled_and_run_and_refused_after_logout() {
    demo(&client())
        .code(0)
        .says("  $ docker push acme/app:real  (")
        .says("    works: the engine has pulled a private image\n")
        .says("    hello from a private image\n")
        .says("    the credential of acme: revoked and confirmed\n")
        .says("  $ docker pull acme/app:real   # with a copy of the credential  (")
        .says("    refused: ")
        .says("error: no rule of https://broker.example.com accepts this job\n")
        .says("demo: ok, 1 logins, 1 refused after logout, 1 of them confirmed\n");
}

/// A client that says what a logout says, and revokes nothing.
#[test]
fn a_credential_that_is_not_revoked_makes_it_fail() {
    let folder = TempDir::new().unwrap();
    let liar = folder.path().join("hublease");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = logout ] || exec '{}' \"$@\"\nrm \"$DOCKER_CONFIG/config.json\"\n\
         echo 'the credential of acme: revoked and confirmed'\n",
        client().display()
    );
    fs::write(&liar, script).unwrap();
    fs::set_permissions(&liar, fs::Permissions::from_mode(0o755)).unwrap();
    demo(&liar)
        .code(1)
        .says("demo: failed: a CircleCI job, through our broker: that ended with 0 and said: docker.io/acme/app:real\n")
        .says("demo: failed: still alive: ");
}
