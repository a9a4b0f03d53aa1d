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
mod program;
mod rfc;
mod shutdown;
mod stepped;
mod stopped;
mod stub;
mod tls;

/// Beside these tests: what other programs use as well.
#[path = ".."]
mod ours {
    #[expect(unreachable_pub, reason = "libFuzzer's programs reach it")]
    pub(crate) mod fuzz;
    pub(crate) mod stopping;
}

/// The client's.
#[path = "../../../tests/fuzz"]
mod clients {
    #[expect(unreachable_pub, reason = "the client's tests reach it")]
    pub(crate) mod seeds;
}

/// The fakes of the unit tests.
#[path = "../../src"]
mod library {
    #[expect(dead_code, unused_imports, reason = "the unit tests use the rest of it")]
    pub(crate) mod testing;
}

use library::testing;
use ours::stopping;
