//! The sandbox seen from outside: the real docker CLI, a real registry, and plain requests.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

mod control;
mod docker_cli;
mod docker_identity;
mod faults;
mod hub;
mod hub_sign_in;
mod issuer;
mod proxy;
mod real_registry;
mod registry;
mod support;
mod wire;
