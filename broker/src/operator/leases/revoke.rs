//! `leases revoke`: writes down first that the leases end, then removes their tokens at Docker Hub. What is not confirmed here
//! is removed by the sweeper of the broker that serves with the journal, whatever happens to this command.

use std::io::{BufRead, IsTerminal as _, Read as _, Write};

use clap::{Arg, ArgAction, ArgMatches, Command};
use hublease_protocol::printable::printable;

use crate::broker::Broker;
use crate::config::Config;
use crate::journal::{Lease, LeaseState, Selection};
use crate::leases::removal::Removed;
use crate::observe::console::say;
use crate::operator::leases::progress::{self, Done};
use crate::operator::leases::selection::{is_narrowed, select, selections, with_filters};
use crate::operator::leases::{broker, consent, journal, subcommand};
use crate::operator::{CommandError, Machine, config};

/// The longest answer that is listened to, in bytes.
const LONGEST_ANSWER: u64 = 64;

/// Said of filters that no lease matches, not even one that is over.
const NEVER: &str =
    "the journal has never had such a lease, or has forgotten it after `keep_days`; nothing was revoked";

const EXAMPLES: &str = "\
Standard output has one audit line per lease. Exit codes: 0 all confirmed, or over already; 1 not all confirmed, or no such
lease; 2 usage.

Examples:
  hublease-broker leases revoke --config broker.toml 0f6c1d6e5b8a4e0f9b7d2c3a1e4f5a6b
  hublease-broker leases revoke --config broker.toml --rule app-main --yes >> audit.log";

pub(super) fn command() -> Command {
    let command = subcommand("revoke", "End leases now", EXAMPLES)
        .arg(Arg::new("id").value_name("ID").action(ArgAction::Append).num_args(0..).help("These leases"));
    with_filters(command)
        .arg(Arg::new("all").long("all").action(ArgAction::SetTrue).help("Every lease of the journal"))
        .arg(consent())
}

pub(super) fn run(matches: &ArgMatches, machine: &Machine) -> Result<u8, CommandError> {
    let (config, _) = config(matches)?;
    let selections = meant(matches, &config)?;
    let done = Done::default();
    let journal = journal(&config)?;
    let broker = broker(config, journal, &done, machine)?;
    let leases = open(&broker, &selections)?;
    if leases.is_empty() {
        say("nothing to revoke: no lease that is meant is open");
        return Ok(0);
    }
    if leases.len() > 1 {
        confirm(&format!("revoke {} leases", leases.len()), matches)?;
    }
    let now = broker.clock.now();
    for selection in &selections {
        broker.journal.condemn(selection, now)?;
    }
    let condemned = |selection: &Selection| Selection { states: vec![LeaseState::Revoking], ..selection.clone() };
    let leases = select(&*broker.journal, &selections.iter().map(condemned).collect::<Vec<_>>())?;
    let removed = progress::remove(&broker, &leases, &done);
    Ok(conclude(&broker, &leases, removed))
}

/// The selections that the arguments name: ids, filters, or all, and only one of the three.
fn meant(matches: &ArgMatches, config: &Config) -> Result<Vec<Selection>, CommandError> {
    let ids: Vec<&String> = matches.get_many("id").unwrap_or_default().collect();
    match (ids.is_empty(), is_narrowed(matches), matches.get_flag("all")) {
        (false, false, false) => {
            Ok(ids.into_iter().map(|id| Selection { id: Some(id.clone()), ..Selection::default() }).collect())
        }
        (true, true, false) => selections(matches, config),
        (true, false, true) => Ok(vec![Selection::default()]),
        _ => Err(CommandError::of(
            2,
            "say which leases: either ids, or filters such as `--rule` and `--project`, or `--all`",
        )),
    }
}

/// The leases that are not over.
///
/// # Errors
/// When an id is of no lease, or filters are of none: in an incident a typing error must not look like success.
fn open(broker: &Broker, selections: &[Selection]) -> Result<Vec<Lease>, CommandError> {
    for selection in selections {
        if let Some(id) = &selection.id
            && broker.journal.select(selection)?.is_empty()
        {
            return Err(CommandError::of(
                1,
                format!("the journal has no lease `{}`; nothing was revoked", printable(id)),
            ));
        }
    }
    if !ever(broker, selections)? {
        return Err(CommandError::of(1, NEVER));
    }
    for rule in selections.first().and_then(|selection| selection.rules.as_ref()).into_iter().flatten() {
        let of_it = Selection { rules: Some(vec![rule.clone()]), limit: Some(1), ..Selection::default() };
        let is_known = broker.rules.iter().any(|known| known.name == *rule);
        if !is_known && broker.journal.select(&of_it)?.is_empty() {
            let rule = printable(rule);
            return Err(CommandError::of(
                1,
                format!("there is no rule `{rule}`, and no lease of it; nothing was revoked"),
            ));
        }
    }
    let states = vec![LeaseState::Intent, LeaseState::Live, LeaseState::Revoking];
    let open = |selection: &Selection| Selection { states: states.clone(), ..selection.clone() };
    select(&*broker.journal, &selections.iter().map(open).collect::<Vec<_>>())
}

/// Whether the journal has, in whatever state, a lease that is meant. `--all` can mean nothing else than it says.
fn ever(broker: &Broker, selections: &[Selection]) -> Result<bool, CommandError> {
    for selection in selections {
        let first = Selection { limit: Some(1), ..selection.clone() };
        if *selection == Selection::default() || !broker.journal.select(&first)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Asks on a terminal; elsewhere `--yes` must have been said.
pub(super) fn confirm(what: &str, matches: &ArgMatches) -> Result<(), CommandError> {
    if matches.get_flag("yes") {
        return Ok(());
    }
    let (mut screen, keyboard) = (std::io::stderr(), std::io::stdin());
    if !screen.is_terminal() || !keyboard.is_terminal() {
        return Err(CommandError::of(2, format!("this would {what}; say `--yes` to do so without being asked")));
    }
    if ask(what, &mut screen, &mut keyboard.lock()) { Ok(()) } else { Err(CommandError::of(1, "nothing was revoked")) }
}

/// Whether the answer is yes. Anything else is no, and so is the end of the input.
fn ask(what: &str, screen: &mut dyn Write, keyboard: &mut dyn BufRead) -> bool {
    let mut answer = String::new();
    let asked = write!(screen, "{what}? [y/N] ").and_then(|()| screen.flush());
    let heard = asked.and_then(|()| keyboard.take(LONGEST_ANSWER).read_line(&mut answer));
    heard.is_ok() && ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str())
}

/// Says how it ended; gives the exit code.
pub(super) fn conclude(broker: &Broker, leases: &[Lease], removed: Removed) -> u8 {
    let Removed { gone, kept, left } = removed;
    let rest = match left {
        0 => String::new(),
        left => format!("; {left} are removed by the running broker's sweeper"),
    };
    say(&format!("revoked and confirmed {gone} of {}{rest}", leases.len()));
    if kept > 0 {
        say(&format!(
            "{kept} were lent from a pool: the leases are over, and the tokens are valid until an administrator deletes them"
        ));
    }
    let foreign = leases.iter().filter(|lease| !broker.accounts.contains_key(&lease.account)).count();
    if foreign > 0 {
        say(&format!(
            "{foreign} are of accounts that the configuration no longer has: nobody can remove them, and they end by themselves"
        ));
    }
    u8::from(left + kept > 0)
}

#[cfg(test)]
mod tests {
    use super::ask;

    #[test]
    fn only_yes_is_yes() {
        for (answer, expected) in [
            ("y\n", true),
            ("Y\n", true),
            ("yes\n", true),
            (" YES \r\n", true),
            ("y", true),
            ("\n", false),
            ("", false),
            ("n\n", false),
            ("no\ny\n", false),
            ("yy\n", false),
            ("\u{fffd}\n", false),
        ] {
            let mut screen = Vec::new();
            assert_eq!(ask("revoke 2 leases", &mut screen, &mut answer.as_bytes()), expected, "{answer:?}");
            assert_eq!(screen, b"revoke 2 leases? [y/N] ");
        }
    }
}
