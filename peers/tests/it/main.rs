//! Every peer's tests, in a module of its name. `cargo xtask peers` runs them.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, clippy::disallowed_types, reason = "a test binary")]

mod openbao;
mod postgresql;
