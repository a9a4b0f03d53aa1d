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
    /// Starts Debian's, which trusts the token service with this certificate, and sends clients to auth.docker.io.
    ///
    /// # Panics
    /// When it does not come up; its output is shown.
    #[must_use]
    pub fn start(certificate: &str) -> Self {
        Self::of(&PEER, &PEER.program(), certificate).unwrap_or_else(|sentence| panic!("{sentence}"))
    }

    /// The same by any program of it, or by one that is configured alike.
    ///
    /// # Errors
    /// A sentence, with its output, when it does not come up.
    pub fn of(peer: &Peer, program: &Path, certificate: &str) -> Result<Self, String> {
        let name = peer.name;
        let directory = place::directory(name).map_err(|error| format!("a directory: {error}"))?;
        let [bundle, config, log] = ["token-service.pem", "config.json", "log"].map(|name| directory.path().join(name));
        let text = configuration(&bundle);
        let written = std::fs::write(&bundle, certificate).and_then(|()| std::fs::write(&config, text));
        written.map_err(|error| format!("{}: {error}", directory.path().display()))?;
        let mut command = Command::new(program);
        command.arg("serve").arg(&config).env_clear().env("OTEL_TRACES_EXPORTER", "none");
        let mut running = Running::start(&mut command, &log).map_err(|error| format!("{name}: {error}"))?;
        if let Err(why) = running.ready(|| listens_at(&log).is_some()) {
            return Err(format!("{name} is not ready ({why:?}):\n{}", running.output()));
        }
        let address = listens_at(&log).ok_or_else(|| running.output())?;
        Ok(Self { address, _running: running, _directory: directory })
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
