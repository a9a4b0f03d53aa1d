//! The targets as a library, so that each program of libFuzzer is one line.

#[path = "../../broker/tests/fuzz/mod.rs"]
pub mod broker;
#[path = "targets/mod.rs"]
pub mod targets;
