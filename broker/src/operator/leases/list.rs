//! `leases list` and `leases show`: read the journal and print it.

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::json;

use crate::journal::{LeaseState, Selection};
use crate::observe::console::say;
use crate::operator::leases::selection::{select, selections, time, with_filters};
use crate::operator::leases::table::{HEADINGS, aligned, exact, fields, row};
use crate::operator::leases::{journal, subcommand};
use crate::operator::output::{self, Output, print, print_json};
use crate::operator::{CommandError, config};

pub(super) fn list_command() -> Command {
    let example = "Examples:
  hublease-broker leases list --config broker.toml --state live --rule app-main
  hublease-broker leases list --config broker.toml --at 2026-11-20T19:30:00Z --limit 1000 --output json";
    let command = subcommand("list", "Say who holds or held what, the newest first", example).arg(
        Arg::new("state")
            .long("state")
            .value_name("STATE")
            .action(ArgAction::Append)
            .value_parser(LeaseState::ALL.map(LeaseState::as_str))
            .help("In this state; may be repeated"),
    );
    with_filters(command)
        .arg(Arg::new("at").long("at").value_name("TIME").help("Alive at that time, in UTC or in seconds since 1970"))
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("COUNT")
                .default_value("100")
                .value_parser(value_parser!(u32).range(1..))
                .help("How many at most"),
        )
        .arg(output::argument())
}

pub(super) fn show_command() -> Command {
    let example = "Example: hublease-broker leases show --config broker.toml 0f6c1d6e5b8a4e0f9b7d2c3a1e4f5a6b";
    subcommand("show", "Say all that is known about one lease", example)
        .arg(Arg::new("id").value_name("ID").required(true).help("The lease"))
        .arg(output::argument())
}

pub(super) fn list(matches: &ArgMatches) -> Result<u8, CommandError> {
    let (config, _) = config(matches)?;
    let limit = matches.get_one::<u32>("limit").map_or(usize::MAX, |limit| *limit as usize);
    let at = matches.get_one::<String>("at").map(|text| time(text)).transpose()?;
    let words: Vec<&String> = matches.get_many("state").unwrap_or_default().collect();
    let states = LeaseState::ALL.into_iter().filter(|state| words.iter().any(|word| *word == state.as_str()));
    let states: Vec<_> = states.collect();
    // One more than is shown tells whether there are more.
    let narrow =
        |selection| Selection { states: states.clone(), at, limit: Some(limit.saturating_add(1)), ..selection };
    let selections: Vec<_> = selections(matches, &config)?.into_iter().map(narrow).collect();
    let mut leases = select(&*journal(&config)?, &selections)?;
    let has_more = leases.len() > limit;
    leases.truncate(limit);
    match Output::of(matches) {
        Output::Json => {
            print_json(&json!({"leases": leases.iter().map(exact).collect::<Vec<_>>(), "more": has_more}))?;
        }
        Output::Text if leases.is_empty() => say("no lease of the journal is meant"),
        Output::Text => {
            let headings = HEADINGS.map(str::to_owned).to_vec();
            print(&aligned(&[headings].into_iter().chain(leases.iter().map(row)).collect::<Vec<_>>()))?;
        }
    }
    if has_more {
        say(&format!("these are the newest {limit}, and there are more: raise `--limit`, or narrow the selection"));
    }
    Ok(0)
}

pub(super) fn show(matches: &ArgMatches) -> Result<u8, CommandError> {
    let (config, _) = config(matches)?;
    let id = matches.get_one::<String>("id").cloned();
    let found = select(&*journal(&config)?, &[Selection { id, ..Selection::default() }])?;
    let Some(lease) = found.first() else {
        return Err(CommandError::of(1, "the journal has no lease of that id"));
    };
    match Output::of(matches) {
        Output::Json => print_json(&exact(lease))?,
        Output::Text => print(&aligned(&fields(lease)))?,
    }
    Ok(0)
}
