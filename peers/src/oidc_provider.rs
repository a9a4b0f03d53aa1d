//! oidc-provider, a certified OpenID provider: an issuer of identity tokens that nobody of this project has written.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::{Ask, NODE, Peer, Running, Source, place};

/// The provider.
pub const PEER: Peer = Peer {
    name: "oidc-provider",
    version: "9.13.3",
    source: Source::Node { program: "serve.mjs" },
    with: &[NODE],
    touches: &["broker/src/identity", "sandbox/src/issuer", "peers/"],
    proves: "the broker takes a foreign issuer's tokens by its own keys, and the sandbox's issuers publish theirs alike",
    quick: false,
};

/// A provider behind a name of its own.
#[derive(Debug)]
pub struct OidcProvider {
    address: SocketAddr,
    // The process before its directory.
    _running: Running,
    _directory: TempDir,
}

impl OidcProvider {
    /// Starts one that calls itself `issuer`; somebody else ends TLS before it.
    ///
    /// # Panics
    /// When it does not come up; its output is shown.
    #[must_use]
    pub fn start(issuer: &str) -> Self {
        let directory = place::directory(PEER.name).unwrap_or_else(|error| panic!("a directory: {error}"));
        let log = directory.path().join("log");
        let node = std::env::var_os("HUBLEASE_NODE").map(PathBuf::from).unwrap_or_else(|| panic!("HUBLEASE_NODE"));
        let mut command = Command::new(node);
        command.arg(PEER.program()).arg(issuer).env_clear().env("HOME", directory.path());
        let mut running = Running::start(&mut command, &log).unwrap_or_else(|error| panic!("oidc-provider: {error}"));
        let listens_at = || {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            text.lines().find_map(|line| line.strip_prefix("listening on ")?.parse().ok())
        };
        if let Err(why) = running.ready(|| listens_at().is_some()) {
            panic!("oidc-provider is not ready ({why:?}):\n{}", running.output());
        }
        let address = listens_at().unwrap_or_else(|| panic!("{}", running.output()));
        Self { address, _running: running, _directory: directory }
    }

    /// Where it listens, by plain HTTP.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A token for this audience, signed with RS256; its claims are those of `serve.mjs`.
    ///
    /// # Panics
    /// When it gives none.
    #[must_use]
    pub fn token(&self, audience: &str) -> String {
        let ask = Ask::new("POST", format!("http://{}/token", self.address)).basic("ci", "of%20the%20test%20alone");
        let ask = ask.header("Content-Type", "application/x-www-form-urlencoded");
        let answer = ask.body(format!("grant_type=client_credentials&scope=ci&resource={audience}")).send();
        let answer = answer.unwrap_or_else(|error| panic!("{error}"));
        let token = answer.json()["access_token"].as_str().map(str::to_owned);
        token.unwrap_or_else(|| panic!("{} {}", answer.status, answer.text))
    }
}
