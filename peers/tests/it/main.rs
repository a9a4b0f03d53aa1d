//! Every peer's tests, in a module of its name. `cargo xtask peers` runs them.
#![expect(unreachable_pub, clippy::unwrap_used, reason = "a test binary")]

mod act;
mod buildah;
mod buildkit;
mod buildx;
mod caddy;
mod crane;
mod distribution;
mod docker_engine;
mod docker_registry;
mod etcd;
mod kube_apiserver;
mod kubectl;
mod nginx;
mod node_versions;
mod oidc_provider;
mod openbao;
mod podman;
mod postgresql;
mod skopeo;
mod squid;
mod support;
mod token_server;
