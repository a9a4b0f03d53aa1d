//! What a configuration allows, although its author may not have meant it. Nothing here is an error: each has a use, and each
//! was the hole in somebody's trust policy.
//!
//! What a CI system's claims mean, and what its rules must bind to be narrow, is in [`hublease_protocol::ci`]: the client's
//! `whoami` writes rules by the same facts.

mod order;

use hublease_protocol::ci::{Binding, BranchFacts, StrangersFacts};
use hublease_protocol::endpoint::Origin;
use hublease_protocol::time::span;
use serde::Serialize;

use crate::account::Account;
use crate::config::{BeyondPool, Config};
use crate::identity::issuer::Issuer;
use crate::rules::{Glob, Pattern, Rule};
use crate::secret_file::{self, GuardedFile, Unguarded};

/// What every text that a template leaves to be filled in has in it.
pub(in crate::operator) const PLACEHOLDER: &str = "replace-with-";

/// A life that outlasts most jobs, in seconds.
const LONG_LIFE_SECONDS: u64 = 3600;

/// References that have nothing in common but being one: a pattern that matches all of them of a kind takes any.
const REFERENCES: [[&str; 3]; 2] = [
    ["refs/heads/a", "refs/heads/0-0", "refs/heads/zz.z"],
    ["refs/heads/feature/a", "refs/heads/0/0-0", "refs/heads/zz/z.z"],
];

/// One thing to look at.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Warning {
    /// The machine's word.
    pub(super) code: &'static str,
    /// The rule, account or issuer, or the place in the file.
    pub(super) about: String,
    /// What is so, and what would change it.
    pub(super) sentence: String,
}

/// Everything that there is to warn of, in the order of the file.
pub(super) fn warnings(config: &Config) -> Vec<Warning> {
    let mut found = Vec::new();
    placeholders(config, &mut found);
    found.extend(uncounted_clients(config));
    for issuer in &config.issuers {
        of_issuer(issuer, config, &mut found);
    }
    for account in &config.accounts {
        of_account(account, config, &mut found);
    }
    for rule in &config.rules {
        let issuer = config.issuers.iter().find(|issuer| issuer.name == rule.issuer);
        let account = config.accounts.iter().find(|account| account.name == rule.account);
        if let (Some(issuer), Some(account)) = (issuer, account) {
            of_rule(rule, issuer, account, &mut found);
        }
    }
    order::order(&config.rules, &mut found);
    found.extend(config.warnings.iter().map(beyond_pool));
    found.extend(config.guarded.iter().filter_map(unguarded));
    found
}

/// What the configuration's own reader has to say: so far of pools only.
fn beyond_pool(warning: &BeyondPool) -> Warning {
    let about = format!("rule `{}`", warning.rule);
    Warning { code: "beyond_pool", about, sentence: BeyondPool::SENTENCE.to_owned() }
}

/// A file that others have access to; `serve` does not use it.
fn unguarded(file: &GuardedFile) -> Option<Warning> {
    let Err(Unguarded::Open(reason)) = secret_file::look(&file.path, file.guard) else { return None };
    let sentence = format!("`{}` {reason}", file.path.display());
    Some(Warning { code: "unguarded_file", about: file.what.clone(), sentence })
}

/// Says what a template left to be filled in.
fn placeholders(config: &Config, found: &mut Vec<Warning>) {
    let mut look = |about: String, text: &str| {
        if text.contains(PLACEHOLDER) {
            let sentence = format!("`{text}` is a placeholder: put your own value there");
            found.push(Warning { code: "placeholder", about, sentence });
        }
    };
    look("public_url".to_owned(), config.public_url.as_deref().unwrap_or_default());
    look("instance".to_owned(), &config.instance);
    for issuer in &config.issuers {
        look(format!("issuer `{}`", issuer.name), &issuer.url);
        look(format!("issuer `{}`", issuer.name), issuer.jwks_uri.as_deref().unwrap_or_default());
    }
    for account in &config.accounts {
        look(format!("account `{}`", account.name), account.username());
        if account.login() != account.username() {
            look(format!("account `{}`", account.name), account.login());
        }
    }
    for rule in &config.rules {
        let patterns = rule.claims.iter().flat_map(|(_, wanted)| wanted.patterns()).chain(&rule.reach.repositories);
        for pattern in patterns {
            match pattern {
                Pattern::Text(text) => look(format!("rule `{}`", rule.name), text),
                Pattern::Glob(glob) => look(format!("rule `{}`", rule.name), &glob.to_string()),
                Pattern::Number(_) | Pattern::Flag(_) => {}
            }
        }
    }
}

/// Behind a proxy on this machine all clients look like this machine, which nothing is counted for.
fn uncounted_clients(config: &Config) -> Option<Warning> {
    let url = Origin::parse(config.public_url.as_deref()?).ok()?;
    let listen = config.listen.ip();
    if url.is_loopback() || !listen.is_loopback() || config.server.trusted_proxies.contains(listen) {
        return None;
    }
    let sentence = "names no proxy on this machine, where `listen` is: the clients of one are not counted by their addresses, \
                    and one that adds no `X-Forwarded-For` shows `/metrics` to everybody; put the address that it calls from \
                    there, such as \"127.0.0.1\"";
    Some(Warning { code: "uncounted_clients", about: "trusted_proxies".to_owned(), sentence: sentence.to_owned() })
}

fn of_issuer(issuer: &Issuer, config: &Config, found: &mut Vec<Warning>) {
    let mut warn = |code, sentence: &str| {
        found.push(Warning { code, about: format!("issuer `{}`", issuer.name), sentence: sentence.to_owned() });
    };
    if issuer.default_audience.is_some() {
        warn(
            "default_audience",
            "takes tokens whose audience is the organization's id: every service that a job shows its `CIRCLE_OIDC_TOKEN` to \
             can use it here as well; the client fetches one for this broker by itself",
        );
    }
    if !config.rules.iter().any(|rule| rule.issuer == issuer.name) {
        warn("unused", "no rule is about it");
    }
}

fn of_account(account: &Account, config: &Config, found: &mut Vec<Warning>) {
    if !config.rules.iter().any(|rule| rule.account == account.name) {
        let sentence = "no rule issues from it, and its password is kept all the same".to_owned();
        found.push(Warning { code: "unused", about: format!("account `{}`", account.name), sentence });
    }
}

fn of_rule(rule: &Rule, issuer: &Issuer, account: &Account, found: &mut Vec<Warning>) {
    let mut warn =
        |code, sentence: String| found.push(Warning { code, about: format!("rule `{}`", rule.name), sentence });
    let forks = forks(rule, issuer);
    if let Some(reason) = &forks {
        warn("open_to_forks", format!("is open to forks and strangers: {reason}"));
    }
    if let Some(reason) = any_branch(rule, issuer) {
        warn("open_to_any_branch", format!("is open to any branch: {reason}"));
    }
    for binding in issuer.kind.rule().bind.iter().filter(|binding| !is_bound(rule, binding)) {
        warn(binding.code, binding.sentence.to_owned());
    }
    if stands_on_sub(rule, issuer) {
        let reason = "stands on `sub` besides the project's id: what `sub` holds is the CI system's choice, and at some a \
                      project's own; name the claims themselves";
        warn("sub_alone", reason.to_owned());
    }
    if account.is_account_wide() {
        let reason = format!(
            "is account-wide: whatever repositories it lists, its tokens reach all that `{}` reaches, because Docker Hub cannot \
             limit personal tokens",
            account.login()
        );
        warn("account_wide", reason);
    }
    if rule.revoke_workflow && forks.is_some() {
        let reason = "lets a stranger's job revoke what other jobs of its workflow hold: `revoke_workflow` on a rule that is \
                      open to forks";
        warn("revoke_workflow_open_to_forks", reason.to_owned());
    }
    if rule.max_life > LONG_LIFE_SECONDS {
        let reason = format!(
            "lets tokens live for {}: expiry is what ends the token of a job that was cancelled; the client's `exec --renew` \
             serves longer jobs",
            span(rule.max_life)
        );
        warn("long_life", reason);
    }
}

/// Why somebody else's code may get a token, if it may.
fn forks(rule: &Rule, issuer: &Issuer) -> Option<String> {
    match issuer.kind.rule().strangers.as_ref()? {
        StrangersFacts::Origin { claim, subject_mark, reason } => {
            let is_named = patterns(rule, claim).is_some() || sub_says(rule, subject_mark);
            (!is_named).then(|| (*reason).to_owned())
        }
        StrangersFacts::Event(facts) => {
            let Some(events) = patterns(rule, facts.claim) else { return Some(facts.reason.to_owned()) };
            let event = events.iter().filter_map(Pattern::literal).find(|event| facts.is_untrusted(event))?;
            Some(format!("its `{}` has `{event}`, which people without write access can cause", facts.claim))
        }
        StrangersFacts::Reference { claim, offered } => {
            let taken = patterns(rule, claim)?.iter().find(|pattern| pattern.begins_with(offered))?;
            Some(format!("`{claim}` = {taken} takes code that is offered and not taken yet"))
        }
    }
}

/// Why any branch may get a token, if it may.
fn any_branch(rule: &Rule, issuer: &Issuer) -> Option<String> {
    let BranchFacts { claims: limiting, subject_mark } = issuer.kind.rule().branch.as_ref()?;
    let named: Vec<_> = limiting.iter().filter_map(|name| Some((*name, patterns(rule, name)?))).collect();
    // Every claim must match, so one that limits is enough.
    let unlimited =
        named.iter().find_map(|(name, patterns)| Some((name, patterns.iter().find(|pattern| takes_any(pattern))?)));
    let is_limited = named.iter().any(|(_, patterns)| !patterns.iter().any(takes_any));
    match unlimited {
        _ if is_limited || sub_says(rule, subject_mark) => None,
        Some((name, pattern)) => Some(format!("`{name}` = {pattern} takes every one")),
        None => Some(format!("it names none of {}", quoted(limiting))),
    }
}

fn takes_any(pattern: &Pattern) -> bool {
    let Pattern::Glob(glob) = pattern else { return false };
    let text = glob.to_string();
    // A workflow's path has its reference behind `@`.
    let reference = text.rsplit_once('@').map_or(text.as_str(), |(_, reference)| reference);
    let takes = |glob: &Glob| REFERENCES.iter().any(|kind| kind.iter().all(|reference| glob.matches(reference)));
    Glob::parse(reference).is_ok_and(|glob| takes(&glob))
}

/// Whether nothing but `sub` narrows the project down.
fn stands_on_sub(rule: &Rule, issuer: &Issuer) -> bool {
    // What has GitHub's contract without being GitHub has its claim for the event, too.
    let event = issuer.kind.events().map_or("event_name", |events| events.claim);
    let narrowing: Vec<_> = rule
        .claims
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| *name != issuer.kind.project_claim() && *name != event)
        .collect();
    narrowing == ["sub"]
}

/// Whether every `sub` that the rule takes has this in it.
fn sub_says(rule: &Rule, mark: &str) -> bool {
    let says = |pattern: &Pattern| pattern.literal().is_some_and(|sub| sub.contains(mark));
    patterns(rule, "sub").is_some_and(|patterns| patterns.iter().all(says))
}

/// Whether the rule names one of the claims, with the one value that binds where there is one.
fn is_bound(rule: &Rule, binding: &Binding) -> bool {
    let binds = |pattern: &Pattern| binding.value.is_none_or(|value| *pattern == Pattern::Flag(value));
    let mut named = binding.claims.iter().filter_map(|name| patterns(rule, name));
    named.any(|patterns| patterns.iter().all(binds))
}

fn patterns<'a>(rule: &'a Rule, name: &str) -> Option<&'a [Pattern]> {
    rule.claims.iter().find(|(known, _)| known == name).map(|(_, wanted)| wanted.patterns())
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
