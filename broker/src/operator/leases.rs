//! `hublease-broker leases`: who held what, ending it, and what to do after a lost journal.
//!
//! Works on the journal beside the broker that serves with it: every change is a compare-and-swap, so both may be at it. What
//! is removed leads through the broker's own removal. Standard output has what was asked for: the leases, or, of a command that
//! changes something, one audit line per lease exactly as `serve` writes it; all that is said to the operator is on standard
//! error.

mod list;
mod progress;
mod recover;
mod revoke;
mod selection;
mod table;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::broker::Broker;
use crate::config::Config;
use crate::journal::{Journal, OpenError};
use crate::observe::audit::Audit;
use crate::operator::{CommandError, Machine, config_argument};
use crate::outbound::native;

pub(super) fn command() -> Command {
    Command::new("leases")
        .about("Say who held what, end leases, and heal a lost journal")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(list::list_command())
        .subcommand(list::show_command())
        .subcommand(revoke::command())
        .subcommand(recover::command(recover::Recovery::Adopt))
        .subcommand(recover::command(recover::Recovery::Purge))
        .after_help(
            "Example: hublease-broker leases list --config broker.toml --rule app-main --at 2026-11-20T19:30:00Z",
        )
}

pub(super) fn run(matches: &ArgMatches, machine: &Machine) -> Result<u8, CommandError> {
    match matches.subcommand() {
        Some(("list", matches)) => list::list(matches),
        Some(("show", matches)) => list::show(matches),
        Some(("revoke", matches)) => revoke::run(matches, machine),
        Some(("adopt", matches)) => recover::run(matches, recover::Recovery::Adopt, machine),
        Some(("purge", matches)) => recover::run(matches, recover::Recovery::Purge, machine),
        _ => Err(CommandError::of(2, "there is no such command")),
    }
}

/// A subcommand with what all of them have.
fn subcommand(name: &'static str, about: &'static str, example: &'static str) -> Command {
    Command::new(name).about(about).arg(config_argument()).after_help(example)
}

/// `--yes`.
fn consent() -> Arg {
    Arg::new("yes").long("yes").action(ArgAction::SetTrue).help("Do not ask before more than one token is revoked")
}

/// The journal of the configuration, beside the broker that may serve with it.
fn journal(config: &Config) -> Result<Box<dyn Journal>, CommandError> {
    config.journal.beside().map_err(|error| unopened(config, &error))
}

/// The same, or a new one where it was lost and no broker has served since.
fn journal_or_new(config: &Config, machine: &Machine) -> Result<Box<dyn Journal>, CommandError> {
    if config.journal.exists() {
        return journal(config);
    }
    (machine.open_journal)(&config.journal, machine.clock.now()).map_err(|error| unopened(config, &error))
}

fn unopened(config: &Config, error: &OpenError) -> CommandError {
    CommandError::of(1, format!("{}: {error}", config.journal))
}

/// A broker that serves nobody: accounts and the way to Docker Hub, with its audit lines on standard output.
fn broker(
    config: Config,
    journal: Box<dyn Journal>,
    done: &progress::Done,
    machine: &Machine,
) -> Result<Broker, CommandError> {
    let outbound = native(&[]).map_err(|error| CommandError::of(1, error.0))?;
    let audit = Audit::to(Box::new(done.counting(std::io::stdout())));
    let nobody_asks = config.public_url.clone().unwrap_or_default();
    let clock = Box::new(std::sync::Arc::clone(&machine.clock));
    Ok(Broker::new(config, nobody_asks, journal, audit, Box::new(outbound), clock))
}
