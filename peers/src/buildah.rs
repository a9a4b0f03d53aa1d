//! buildah: builds images without a daemon; it keeps them as podman does.

use crate::{Peer, Source};

/// buildah.
pub const PEER: Peer = Peer {
    name: "buildah",
    version: "Debian's",
    source: Source::Debian { packages: &["buildah"], program: &["/usr/bin/buildah"] },
    with: &["docker-registry", "podman"],
    touches: &["src/docker", "src/exec", "src/native", "sandbox/src/registry", "peers/"],
    proves: "buildah builds on a private image and pushes with podman's login, until logout and past the end of its bearer",
    quick: false,
};
