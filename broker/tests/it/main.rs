//! The broker over real sockets on loopback: its face, its end, its program and its outbound client.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod check;
mod connections;
mod desk;
mod docs;
mod face;
mod fuzz;
mod hub_faults;
mod init;
mod killed;
mod leases;
mod leases_lost;
mod neighbours;
mod operator;
mod outbound;
mod program;
mod rfc;
mod shutdown;
mod stepped;
mod stopped;
mod stub;
mod tls;

#[path = "../stopping.rs"]
mod stopping;

#[expect(dead_code, reason = "the unit tests use the rest of it")]
#[path = "../../src/testing/mod.rs"]
mod testing;
