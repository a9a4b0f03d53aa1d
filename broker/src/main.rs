//! `hublease-broker`: see [`hublease_broker::operator`].

use std::process::ExitCode;

use hublease_broker::operator::{Machine, run};

fn main() -> ExitCode {
    run(std::env::args_os(), &Machine::real())
}
