//! skopeo: copies images between registries and files by itself, without an engine.

use crate::{Peer, Source};

/// skopeo.
pub const PEER: Peer = Peer {
    name: "skopeo",
    version: "Debian's",
    source: Source::Debian { packages: &["skopeo"], program: &["/usr/bin/skopeo"] },
    with: &["docker-registry", "podman"],
    touches: &["src/docker", "src/exec", "src/native/docker", "sandbox/src/registry", "peers/"],
    proves: "docker's file of logins serves skopeo, until logout and past the end of its bearer",
    quick: false,
};
