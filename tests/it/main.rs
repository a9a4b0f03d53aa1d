//! The product from outside: the real binaries, the real docker CLI, in a scrubbed world.
#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test binary"
)]

mod support;

mod action;
mod client;
mod docs;
mod fuzz;
mod module;
mod orb;
mod runners;
mod transcripts;

/// What libFuzzer's programs use as well.
#[path = "../fuzz"]
mod fuzzed {
    pub mod seeds;
    pub mod targets;
}
