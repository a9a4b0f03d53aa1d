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
mod answers;
mod check;
mod ci_identity;
mod commands;
mod dialect;
mod docker_traps;
mod docs;
mod dry_run;
mod exec;
mod faults;
mod flags;
mod fuzz;
mod hostile;
mod identity;
mod isolated;
mod kill;
mod latches;
mod module;
mod network;
mod orb;
mod planted;
mod registry;
mod revocation;
mod story;
mod streams;
mod token;
mod transcripts;
mod vault;
mod whoami;
mod witness;
mod workflow;

/// What libFuzzer's programs use as well.
#[path = "../fuzz"]
mod fuzzed {
    pub mod seeds;
    pub mod targets;
}
