//! What a configuration holds, in a few lines.

use std::io::ErrorKind;

use hublease_hub::token::TokenKind;
use hublease_protocol::printable::printable;
use hublease_protocol::time::span;
use serde_json::{Value, json};

use crate::account::{Account, Issuing};
use crate::config::Config;
use crate::rules::{Pattern, Rule};
use crate::secret_file::{self, GuardedFile, Unguarded};

/// A line for each issuer, account and rule.
pub(super) fn text(config: &Config) -> String {
    let listen = match &config.public_url {
        Some(url) => format!("{url} (listens on {})", config.listen),
        None => format!("the address it listens on, {}", config.listen),
    };
    let mut lines = vec![format!("address: {listen}")];
    for issuer in &config.issuers {
        lines.push(format!("issuer {}: {}, {}", issuer.name, printable(&issuer.url), issuer.kind.title()));
    }
    for account in &config.accounts {
        lines.push(format!("account {}: {}", account.name, what(account)));
    }
    for rule in &config.rules {
        let account = config.accounts.iter().find(|account| account.name == rule.account);
        lines.push(format!("rule {}: {}", rule.name, grants(rule, account.is_some_and(Account::is_account_wide))));
    }
    lines.extend(config.guarded.iter().map(|file| format!("file {}: {}", printable(&file.what), state(file))));
    lines.into_iter().map(|line| line + "\n").collect()
}

/// The same for scripts.
pub(super) fn json(config: &Config) -> Value {
    let issuers = config.issuers.iter().map(|issuer| json!({"name": issuer.name, "url": issuer.url}));
    let accounts = config.accounts.iter().map(|account| json!({"name": account.name, "username": account.username()}));
    let rules = config.rules.iter().map(|rule| {
        json!({
            "name": rule.name, "issuer": rule.issuer, "account": rule.account,
            "repositories": rule.reach.repositories.iter().map(Pattern::to_string).collect::<Vec<_>>(),
            "actions": actions(rule), "public_pull": rule.reach.public_pull, "report_only": rule.report_only, "max_life_seconds": rule.max_life,
        })
    });
    let files = config.guarded.iter().map(|file| json!({"what": file.what, "path": file.path, "state": state(file)}));
    json!({
        "public_url": config.public_url.as_deref().unwrap_or("auto"),
        "issuers": issuers.collect::<Vec<_>>(),
        "accounts": accounts.collect::<Vec<_>>(),
        "rules": rules.collect::<Vec<_>>(),
        "files": files.collect::<Vec<_>>(),
    })
}

/// How a file is guarded. One that is not there yet, or not for whoever asks, is no fault here: `serve` tells it.
fn state(file: &GuardedFile) -> String {
    match secret_file::look(&file.path, file.guard) {
        Ok(()) => "guarded".to_owned(),
        Err(Unguarded::Open(reason)) => reason,
        Err(Unguarded::Unreadable { kind: ErrorKind::NotFound, .. }) => "not there yet".to_owned(),
        Err(unreadable @ Unguarded::Unreadable { .. }) => format!("{unreadable}, as the user that asks now"),
    }
}

fn what(account: &Account) -> String {
    let login = account.login();
    match &account.issuing {
        Issuing::Minting(client) => match client.kind() {
            TokenKind::Oat { organization, quota } => {
                format!("organization tokens of `{organization}` (at most {quota}), made by `{login}`")
            }
            TokenKind::Pat => format!("personal tokens of `{login}`"),
        },
        Issuing::Lending(pool) => {
            let count = pool.tokens.len();
            format!("a pool of {count} tokens of `{login}`, made by an administrator and never revoked by this broker")
        }
    }
}

fn grants(rule: &Rule, is_account_wide: bool) -> String {
    let repositories: Vec<_> = rule.reach.repositories.iter().map(|pattern| printable(&pattern.to_string())).collect();
    let networks: Vec<_> = rule.networks.iter().map(ToString::to_string).collect();
    let from = if networks.is_empty() { String::new() } else { format!(", asked for in {}", networks.join(", ")) };
    // A personal token reads what everybody may read.
    let public = if rule.reach.public_pull || is_account_wide { "with" } else { "without" };
    let word = if rule.report_only { "only reports that " } else { "" };
    format!(
        "{word}jobs of {} may {} {} for up to {}, from {}, {public} public images{from}",
        rule.issuer,
        actions(rule).join(", "),
        repositories.join(", "),
        span(rule.max_life),
        rule.account
    )
}

fn actions(rule: &Rule) -> Vec<&'static str> {
    rule.reach.actions.iter().map(|action| action.as_str()).collect()
}
