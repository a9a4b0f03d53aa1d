//! distribution 3: the reference implementation of the registry as it is developed now, beside the 2.8 that Debian has.

use crate::docker_registry::DockerRegistry;
use crate::{Peer, Source};

/// The registry.
pub const PEER: Peer = Peer {
    name: "distribution",
    version: "3.1.2",
    source: Source::Go { package: "github.com/distribution/distribution/v3/cmd/registry", flags: &[], minutes: 5 },
    with: &[],
    touches: &["src/registry", "sandbox/src/registry", "peers/"],
    proves: "the sandbox's registry and its token service answer as the newest registry does and understands, too",
    quick: false,
};

/// Starts one as [`DockerRegistry::start`] does.
///
/// # Panics
/// When it does not come up; its output is shown.
#[must_use]
pub fn start(certificate: &str) -> DockerRegistry {
    DockerRegistry::of(&PEER, &PEER.program(), certificate).unwrap_or_else(|sentence| panic!("{sentence}"))
}
