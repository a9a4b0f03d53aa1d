//! The broker over real sockets on loopback: its face, its end, its program and its outbound client.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod connections;
mod face;
mod fuzz;
mod operator;
mod outbound;
mod program;
mod rfc;
mod shutdown;
mod stopped;
mod stub;
mod tls;

#[expect(dead_code, reason = "the unit tests use the rest of it")]
#[path = "../../src/testing/mod.rs"]
mod testing;
