//! `leases adopt` and `leases purge`: what to do with tokens of this broker at Docker Hub that its journal does not know, after
//! the journal was lost or an older copy of it was restored. Until one of them was said, a serving broker only reports them.
//!
//! `adopt` lets them live: they are entered as leases, count, and are removed when they end. `purge` ends them now. Both then
//! trust the journal again, so that from there on what it does not know is a leftover.

use clap::{Arg, ArgAction, ArgMatches, Command};
use hublease_protocol::printable::printable;

use crate::account::{Account, refusal_of};
use crate::broker::Broker;
use crate::config::Config;
use crate::journal::{Lease, LeaseState, Selection, Trust};
use crate::leases::reconcile::{ReconcileError, unknown};
use crate::observe::audit::{Event, Outcome};
use crate::observe::console::say;
use crate::operator::leases::progress::{self, Done};
use crate::operator::leases::revoke::{conclude, confirm};
use crate::operator::leases::{broker, consent, journal_or_new, subcommand};
use crate::operator::{CommandError, Machine, config};

/// The consent to judge by a journal that was made only now.
const NEW_JOURNAL: &str = "new-journal";

/// What is done with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recovery {
    /// They live on as leases.
    Adopt,
    /// They end now.
    Purge,
}

pub(super) fn command(recovery: Recovery) -> Command {
    let command = match recovery {
        Recovery::Adopt => subcommand(
            "adopt",
            "After a lost journal: enter this broker's tokens at Docker Hub as leases, to live until they end",
            "Example: hublease-broker leases adopt --config broker.toml",
        ),
        Recovery::Purge => subcommand(
            "purge",
            "After a lost journal: revoke this broker's tokens at Docker Hub that the journal does not know",
            "Example: hublease-broker leases purge --config broker.toml --account acme --yes",
        )
        .arg(consent())
        .arg(Arg::new(NEW_JOURNAL).long(NEW_JOURNAL).action(ArgAction::SetTrue).help(
            "Make a journal where there is none: every token whose label has the configuration's `instance` is unknown to it",
        )),
    };
    command.arg(Arg::new("account").long("account").value_name("NAME").action(ArgAction::Append).help(
        "This account, whatever is known about it; may be repeated. Without it: those that wait for this decision",
    ))
}

/// An account and what was found in it.
struct UnknownLeases<'a> {
    account: &'a Account,
    leases: Vec<Lease>,
}

pub(super) fn run(matches: &ArgMatches, recovery: Recovery, machine: &Machine) -> Result<u8, CommandError> {
    let (config, _) = config(matches)?;
    let named: Option<Vec<&String>> = matches.get_many("account").map(Iterator::collect);
    let stranger = named.iter().flatten().find(|name| !config.accounts.iter().any(|account| account.name == ***name));
    if let Some(name) = stranger {
        return Err(CommandError::of(2, format!("the configuration has no account `{}`", printable(name))));
    }
    // A wrong path, or a name that another broker has too, would end tokens that somebody knows.
    if recovery == Recovery::Purge && !config.journal.exists() && !matches.get_flag(NEW_JOURNAL) {
        return Err(CommandError::of(2, without_journal(&config)));
    }
    let done = Done::default();
    let journal = journal_or_new(&config, machine)?;
    let broker = broker(config, journal, &done, machine)?;
    let (mut accounts, mut all_listed) = (Vec::new(), true);
    for account in broker.accounts.values() {
        if named.as_ref().is_some_and(|names| !names.contains(&&account.name)) {
            continue;
        }
        let Some(client) = account.client() else {
            say(&format!("account `{}`: a pool makes no tokens, nothing is done", account.name));
            continue;
        };
        if named.is_none() && broker.journal.trust(&account.name)? == Trust::Known {
            say(&format!("account `{}`: its journal is trusted, nothing is done", account.name));
            continue;
        }
        match unknown(&broker, &account.name, client) {
            Ok(leases) => accounts.push(UnknownLeases { account, leases }),
            Err(reason) => {
                all_listed = false;
                say(&format!("account `{}`: nothing is done: {}", account.name, sentence(reason)));
            }
        }
    }
    let code = match recovery {
        Recovery::Adopt => adopt(&broker, &accounts)?,
        Recovery::Purge => purge(&broker, &accounts, &done, matches)?,
    };
    Ok(code.max(u8::from(!all_listed)))
}

fn adopt(broker: &Broker, accounts: &[UnknownLeases<'_>]) -> Result<u8, CommandError> {
    for UnknownLeases { account, leases } in accounts {
        let (mut adopted, mut over) = (0, 0);
        for found in leases {
            // A lease that the journal holds for revoked is not brought to life again: it is removed.
            let id = Selection { id: Some(found.id.clone()), ..Selection::default() };
            let is_known = !broker.journal.select(&id)?.is_empty();
            let lease = Lease { state: LeaseState::Live, due_at: found.expires_at, ..found.clone() };
            let entered = broker.journal.adopt(if is_known { found } else { &lease })?;
            match (entered, is_known) {
                (true, false) => {
                    adopted += 1;
                    tell(broker, found);
                }
                (true, true) => over += 1,
                // A broker that serves was quicker.
                (false, _) => {}
            }
        }
        broker.journal.set_trust(&account.name, Trust::Known)?;
        let over =
            if over == 0 { String::new() } else { format!(", {over} that were revoked before are being removed") };
        say(&format!("account `{}`: {adopted} tokens are leases now{over}; its journal is trusted", account.name));
    }
    Ok(0)
}

fn purge(
    broker: &Broker,
    accounts: &[UnknownLeases<'_>],
    done: &Done,
    matches: &ArgMatches,
) -> Result<u8, CommandError> {
    let total: usize = accounts.iter().map(|unknown| unknown.leases.len()).sum();
    if total > 1 {
        confirm(&format!("revoke {total} tokens that the journal does not know"), matches)?;
    }
    let mut condemned = Vec::new();
    for UnknownLeases { account, leases } in accounts {
        let before = condemned.len();
        for found in leases {
            if broker.journal.adopt(found)? {
                condemned.push(found.clone());
            }
        }
        broker.journal.set_trust(&account.name, Trust::Known)?;
        let count = condemned.len() - before;
        say(&format!("account `{}`: {count} tokens are to be revoked; its journal is trusted", account.name));
    }
    if condemned.is_empty() {
        return Ok(0);
    }
    let removed = progress::remove(broker, &condemned, done);
    Ok(conclude(broker, &condemned, removed))
}

fn without_journal(config: &Config) -> String {
    format!(
        "{}: there is no journal, so all tokens whose labels begin with `hublease/{}/` would end, whoever made them; if all of \
         them are this broker's, say `--new-journal`",
        config.journal, config.instance
    )
}

fn tell(broker: &Broker, lease: &Lease) {
    broker.audit.record(Event::Operator, broker.clock.now(), |line| {
        line.lease_id = Some(lease.id.clone());
        line.rule = Some(lease.rule.clone());
        line.account = Some(lease.account.clone());
        (Outcome::Adopted, ())
    });
}

fn sentence(reason: ReconcileError) -> String {
    match reason {
        ReconcileError::Hub(error) => refusal_of(error).sentence,
        ReconcileError::Journal(error) => error.to_string(),
    }
}
