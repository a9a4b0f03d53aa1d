//! docker-registry: the reference implementation of the registry (distribution 2.8), its storage in memory.
//!
//! It takes the bearers of a token service by that service's certificate, as Docker Hub's registry takes those of auth.docker.io.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::{Peer, Running, Source, place};

/// The registry.
pub const PEER: Peer = Peer {
    name: "docker-registry",
    version: "Debian's",
    source: Source::Debian { packages: &["docker-registry"], program: &["/usr/bin/docker-registry"] },
    with: &[],
    touches: &["src/registry", "sandbox/src/registry", "peers/"],
    proves: "the sandbox's registry and its token service answer as the real registry does and understands",
    quick: true,
};

/// A registry on loopback, over plain HTTP.
#[derive(Debug)]
pub struct DockerRegistry {
    address: SocketAddr,
    // The process before its directory.
    _running: Running,
    _directory: TempDir,
}

impl DockerRegistry {
    /// Starts one that trusts the token service with this certificate, and sends clients to auth.docker.io.
    ///
    /// # Panics
    /// When it does not come up; its output is shown.
    #[must_use]
    pub fn start(certificate: &str) -> Self {
        Self::of(&PEER, certificate)
    }

    /// Starts this peer's program, which is configured alike.
    pub(crate) fn of(peer: &Peer, certificate: &str) -> Self {
        let directory = place::directory(peer.name).unwrap_or_else(|error| panic!("a directory: {error}"));
        let [bundle, config, log] = ["token-service.pem", "config.json", "log"].map(|name| directory.path().join(name));
        let text = configuration(&bundle);
        let written = std::fs::write(&bundle, certificate).and_then(|()| std::fs::write(&config, text));
        written.unwrap_or_else(|error| panic!("{error}"));
        let mut command = Command::new(peer.program());
        command.arg("serve").arg(&config).env_clear().env("OTEL_TRACES_EXPORTER", "none");
        let mut running = Running::start(&mut command, &log).unwrap_or_else(|error| panic!("{}: {error}", peer.name));
        if let Err(why) = running.ready(|| listens_at(&log).is_some()) {
            panic!("{} is not ready ({why:?}):\n{}", peer.name, running.output());
        }
        let address = listens_at(&log).unwrap_or_else(|| panic!("{}", running.output()));
        Self { address, _running: running, _directory: directory }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The origin.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// YAML, of which JSON is a part.
fn configuration(bundle: &Path) -> String {
    let token = serde_json::json!({
        "realm": "https://auth.docker.io/token",
        "service": "registry.docker.io",
        "issuer": "auth.docker.io",
        "rootcertbundle": bundle,
    });
    let configuration = serde_json::json!({
        "version": 0.1,
        "log": { "level": "info" },
        "storage": { "inmemory": {}, "delete": { "enabled": true } },
        "http": { "addr": "127.0.0.1:0", "relativeurls": true, "secret": "of the test" },
        "auth": { "token": token },
    });
    configuration.to_string()
}

/// The port is the system's choice, and the log says it.
fn listens_at(log: &Path) -> Option<SocketAddr> {
    let text = std::fs::read_to_string(log).ok()?;
    text.lines().find_map(|line| line.split_once("listening on ")?.1.split('"').next()?.parse().ok())
}
