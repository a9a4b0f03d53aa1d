//! podman: an engine without a daemon. Its images lie where it is told.

use std::path::Path;

use crate::{Peer, Source};

/// podman.
pub const PEER: Peer = Peer {
    name: "podman",
    version: "Debian's",
    source: Source::Debian { packages: &["podman"], program: &["/usr/bin/podman"] },
    with: &["docker-registry"],
    touches: &["src/docker", "src/exec", "src/native", "sandbox/src/registry", "peers/"],
    proves: "podman pulls and pushes with a login of its own, until logout and past the end of its bearer",
    quick: false,
};

/// The options by which podman and buildah keep everything below a directory, copied and not mounted.
#[must_use]
pub fn storage(directory: &Path) -> Vec<String> {
    let path = |name: &str| directory.join(name).display().to_string();
    let words = ["--root", &path("images"), "--runroot", &path("run"), "--storage-driver", "vfs"];
    words.iter().map(|word| (*word).to_owned()).collect()
}
