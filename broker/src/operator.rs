//! What an operator types. One file per command.
//!
//! Standard output holds what was asked for (of `serve` the audit log); everything for the operator's eyes goes to standard
//! error. Exit codes: 0 done, 1 could not be done, 2 usage or configuration.

mod check;
mod core_files;
mod init;
mod leases;
mod output;
mod serve;
mod usage;

use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command, value_parser};

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::journal::{Journal, JournalError, JournalLocation, OpenError};
use crate::limits::{MAX_CONFIG_BYTES, SWEEP_INTERVAL};
use crate::observe::console::say;

/// Opens the journal of a broker that serves, at this time.
type OpenJournal = fn(&JournalLocation, u64) -> Result<Box<dyn Journal>, OpenError>;

/// What the program takes from its machine, and a test from elsewhere.
pub struct Machine {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The journal of a broker that serves.
    pub open_journal: OpenJournal,
    /// How often the sweeper looks.
    pub sweep_interval: Duration,
}

impl Machine {
    /// The machine that the program runs on.
    #[must_use]
    pub fn real() -> Self {
        Self { clock: Arc::new(SystemClock), open_journal: JournalLocation::serve, sweep_interval: SWEEP_INTERVAL }
    }
}

/// Does what the arguments say.
pub fn run(arguments: impl IntoIterator<Item = OsString>, machine: &Machine) -> ExitCode {
    core_files::forbid();
    let words: Vec<_> = arguments.into_iter().collect();
    let matches = match command().try_get_matches_from(&words) {
        Ok(matches) => matches,
        Err(complaint) => return usage::tell(&complaint, &words),
    };
    let outcome = match matches.subcommand() {
        Some(("serve", matches)) => serve::run(matches, machine),
        Some(("check", matches)) => check::run(matches, machine),
        Some(("init", matches)) => init::run(matches),
        Some(("leases", matches)) => leases::run(matches, machine),
        _ => Err(CommandError::of(2, "there is no such command")),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(CommandError { code, sentence }) => {
            say(&sentence);
            ExitCode::from(code)
        }
    }
}

/// What can be typed.
#[must_use]
pub fn command() -> Command {
    Command::new("hublease-broker")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Mints short-lived Docker Hub tokens for CI jobs that prove who they are")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help("Example: hublease-broker init --ci circleci --output /etc/hublease/broker.toml")
        .subcommand(serve::command())
        .subcommand(check::command())
        .subcommand(init::command())
        .subcommand(leases::command())
}

/// `--config FILE`, the same for every command.
fn config_argument() -> Arg {
    Arg::new("config")
        .long("config")
        .value_name("FILE")
        .required(true)
        .value_parser(value_parser!(String))
        .help("The configuration, in TOML")
}

/// Why a command did not do what was asked.
struct CommandError {
    code: u8,
    sentence: String,
}

impl CommandError {
    fn of(code: u8, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into() }
    }
}

/// What the journal could not do is this command's end.
impl From<JournalError> for CommandError {
    fn from(error: JournalError) -> Self {
        Self::of(1, error.to_string())
    }
}

/// Reads the configuration that the arguments name.
fn config(matches: &ArgMatches) -> Result<(Config, String), CommandError> {
    let path = matches.get_one::<String>("config").cloned().unwrap_or_default();
    let text = read(&path).map_err(|reason| CommandError::of(2, format!("{path}: {reason}")))?;
    let config = Config::parse(&text).map_err(|error| CommandError::of(2, format!("{path}: {error}")))?;
    Ok((config, path))
}

fn read(path: &str) -> Result<String, String> {
    let file = File::open(path).map_err(|error| format!("cannot read `{path}`: {error}"))?;
    let mut text = String::new();
    let read = file.take(MAX_CONFIG_BYTES + 1).read_to_string(&mut text);
    match read {
        Ok(size) if size as u64 <= MAX_CONFIG_BYTES => Ok(text),
        Ok(_) => Err(format!("`{path}` is larger than 1 MiB")),
        Err(error) => Err(format!("cannot read `{path}`: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::command;

    #[test]
    fn every_help_has_an_example() {
        let mut left = vec![command()];
        while let Some(command) = left.pop() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let example = help.lines().find(|line| line.contains("hublease-broker "));
            assert!(example.is_some_and(|line| line.contains(command.get_name())), "{}: {help}", command.get_name());
            left.extend(command.get_subcommands().cloned().collect::<Vec<Command>>());
        }
    }
}
