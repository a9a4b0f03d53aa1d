//! Real servers and clients beside the sandbox: where each comes from, how it is started on loopback, and how it ends.
//!
//! The sandbox was made by the hands that made the product; what those hands did not know is in neither. A peer is somebody else's
//! program. Each has one file here ([`PEERS`] lists them) and its tests in `tests/it`, in a module of its name. `cargo xtask peers`
//! fetches the programs and runs the tests; nothing of this crate is part of what is released.
//!
//! Whoever adds a peer writes its file, its line in [`PEERS`], and its tests: `docs/peers.md`.

pub mod act;
pub mod buildah;
pub mod buildkit;
pub mod buildx;
pub mod caddy;
pub mod crane;
pub mod distribution;
pub mod docker_engine;
pub mod docker_registry;
pub mod etcd;
pub mod kube_apiserver;
pub mod kubectl;
pub mod nginx;
pub mod node_versions;
pub mod oidc_provider;
pub mod openbao;
pub mod podman;
pub mod postgresql;
pub mod skopeo;
pub mod squid;
pub mod token_server;

mod certificates;
mod front;
mod http;
mod peer;
mod place;
mod process;

pub use self::front::Front;
pub use self::http::{Answer, Ask};
pub use self::peer::{NODE, Peer, Pinned, REPORT, Source, report};
pub use self::process::{PATIENCE, Running, until};

/// Every peer.
pub const PEERS: &[&Peer] = &[
    &openbao::PEER,
    &postgresql::PEER,
    &docker_registry::PEER,
    &crane::PEER,
    &docker_engine::PEER,
    &skopeo::PEER,
    &podman::PEER,
    &buildah::PEER,
    &buildx::PEER,
    &buildkit::PEER,
    &act::PEER,
    &nginx::PEER,
    &caddy::PEER,
    &squid::PEER,
    &oidc_provider::PEER,
    &etcd::PEER,
    &kubectl::PEER,
    &kube_apiserver::PEER,
    &distribution::PEER,
    &token_server::PEER,
    &node_versions::PEER,
];

#[cfg(test)]
mod tests {
    use super::{NODE, PEERS};

    #[test]
    fn names_are_unique_and_can_name_a_module_and_a_variable() {
        for (place, peer) in PEERS.iter().enumerate() {
            let is_word = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
            assert!(peer.name.split('-').all(|part| !part.is_empty() && part.chars().all(is_word)), "{}", peer.name);
            assert!(PEERS[place + 1..].iter().all(|other| other.name != peer.name), "{}", peer.name);
            assert!(!peer.proves.is_empty() && !peer.version.is_empty(), "{}", peer.name);
        }
    }

    #[test]
    fn the_documentation_has_each_of_them() {
        let page = include_str!("../../docs/peers.md");
        for peer in PEERS {
            let row =
                format!("| `{}` | {} | {} | {} |\n", peer.name, peer.version, peer.source.registry(), peer.proves);
            assert!(page.contains(&row), "docs/peers.md lacks: {row}");
        }
        assert_eq!(page.lines().filter(|line| line.starts_with("| `")).count(), PEERS.len());
    }

    #[test]
    fn what_a_peer_needs_is_a_peer() {
        for peer in PEERS {
            assert!(
                peer.with.iter().all(|name| *name == NODE || PEERS.iter().any(|other| other.name == *name)),
                "{}",
                peer.name
            );
        }
    }
}
