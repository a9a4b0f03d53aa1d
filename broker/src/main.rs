//! `hublease-broker`: see [`hublease_broker::command`].

use std::process::ExitCode;

use hublease_broker::command::{Machine, run};

fn main() -> ExitCode {
    run(std::env::args_os(), &Machine::real())
}
