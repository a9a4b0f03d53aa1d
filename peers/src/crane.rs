//! crane: a registry client that shares no code with docker. It reads docker's file of logins, and pushes and pulls by itself.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::{Peer, Source};

/// crane.
pub const PEER: Peer = Peer {
    name: "crane",
    version: "0.22.1",
    source: Source::Go { package: "github.com/google/go-containerregistry/cmd/crane", flags: &[], minutes: 3 },
    with: &["docker-registry"],
    touches: &["src/docker", "src/native/docker", "sandbox/src/registry", "peers/"],
    proves: "a login without a docker program serves a foreign client, until logout",
    quick: false,
};

/// Runs it with this environment alone; `home` is where docker's file is.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn crane(environment: &[(String, String)], home: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(PEER.program());
    command.args(words).env_clear().envs(environment.iter().map(|(name, value)| (name, value))).env("HOME", home);
    command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("crane: {error}"))
}
