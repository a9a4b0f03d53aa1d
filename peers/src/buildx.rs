//! buildx: docker's command line for BuildKit. It hands logins from docker's file to the builder while it builds.

use crate::{Peer, Source};

/// buildx.
pub const PEER: Peer = Peer {
    name: "buildx",
    version: "0.38.2",
    source: Source::Go { package: "github.com/docker/buildx/cmd/buildx", flags: &[], minutes: 6 },
    with: &["docker-registry", "docker-engine", "buildkit"],
    touches: &["src/docker", "src/exec", "src/native/docker", "sandbox/src/registry", "peers/"],
    proves: "buildx keeps its builders through a private directory, and a long push of its outlasts its bearer",
    quick: false,
};
