//! The product from outside: the real binaries, the real docker CLI, in a scrubbed world.
#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test binary"
)]

mod support;

mod docker_traps;
mod registry;
mod story;
