//! `[[rule]]`: who may have what. A rule that could mean more than its author thinks is refused here, not at run time.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use toml::{Spanned, Value};

use super::account::{named, namespace};
use super::reach::{pattern, reach};
use super::{SpannedError, WRONG_CLAIM_NAME, file, is_claim_name, is_name, repeated};
use crate::account::pool::Lendable;
use crate::account::{Account, Pool};
use crate::identity::issuer::Issuer;
use crate::limits::{DEFAULT_LIFE_SECONDS, MAX_ID_BYTES, MAX_LIFE_SECONDS, MAX_NETWORKS, MIN_LIFE_SECONDS};
use crate::rules::{Pattern, Reach, Rule, Wanted};

/// A rule whose pattern is that of no token of its pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeyondPool {
    /// The name of the rule.
    pub rule: String,
}

impl BeyondPool {
    /// What is so.
    pub const SENTENCE: &'static str =
        "its pattern is that of no token of the account, so some of what it grants may not be reached";
}

impl fmt::Display for BeyondPool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "rule `{}`: {}", self.rule, Self::SENTENCE)
    }
}

/// The rules, and what their author should think over.
pub(super) fn check(
    rules: Vec<file::RuleTable>,
    issuers: &[Issuer],
    accounts: &[Account],
) -> Result<(Vec<Rule>, Vec<BeyondPool>), SpannedError> {
    let names: Vec<_> = rules.iter().map(|rule| &rule.name).collect();
    if let Some(blame) = repeated(&names) {
        return Err(blame);
    }
    check_connections(&rules)?;
    let mut warnings = Vec::new();
    let checked: Result<Vec<_>, _> =
        rules.into_iter().map(|rule| check_one(rule, issuers, accounts, &mut warnings)).collect();
    Ok((checked?, warnings))
}

/// A connection gives one user name, so it has one account.
fn check_connections(rules: &[file::RuleTable]) -> Result<(), SpannedError> {
    for rule in rules {
        let Some(id) = &rule.connection_id else {
            continue;
        };
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if id.as_ref().is_empty() || id.as_ref().len() > MAX_ID_BYTES || !id.as_ref().bytes().all(is_plain) {
            return Err(SpannedError::at(id.span(), "`connection_id` is 1 to 128 letters, digits, `-`, `_` and `.`"));
        }
        let first =
            rules.iter().find(|other| other.connection_id.as_ref().is_some_and(|other| other.as_ref() == id.as_ref()));
        if first.is_some_and(|first| first.account.as_ref() != rule.account.as_ref()) {
            return Err(SpannedError::at(
                rule.account.span(),
                format!("the rules of connection `{}` have several accounts", id.as_ref()),
            ));
        }
    }
    Ok(())
}

fn check_one(
    rule: file::RuleTable,
    issuers: &[Issuer],
    accounts: &[Account],
    warnings: &mut Vec<BeyondPool>,
) -> Result<Rule, SpannedError> {
    if !is_name(rule.name.as_ref()) {
        return Err(SpannedError::at(rule.name.span(), "a name is lower-case letters, digits and `-`"));
    }
    let issuer = issuers.iter().find(|issuer| issuer.name == *rule.issuer.as_ref());
    let issuer = issuer.ok_or_else(|| {
        SpannedError::at(rule.issuer.span(), format!("there is no issuer `{}`", rule.issuer.as_ref()))
    })?;
    let account = named(accounts, &rule.account)?;
    if account.is_account_wide() && !rule.account_wide {
        return Err(SpannedError::at(
            rule.repositories.span(),
            "personal access tokens reach every repository of the account, whatever is listed here: \
             use an `oat` account, or say `account_wide = true`",
        ));
    }
    let claims = claims(&rule, issuer)?;
    let reach = reach(&rule.repositories, &rule.actions, rule.public_pull, namespace(account))?;
    if let Some(pool) = account.pool() {
        check_pool(&rule, pool, &reach, warnings)?;
    }
    Ok(Rule {
        reach,
        networks: rule.networks.as_ref().map(networks).transpose()?.unwrap_or_default(),
        max_life: life(rule.max_life_seconds.as_ref())?,
        revoke_workflow: rule.revoke_workflow,
        report_only: rule.report_only,
        connection_id: rule.connection_id.map(Spanned::into_inner),
        name: rule.name.into_inner(),
        issuer: rule.issuer.into_inner(),
        account: rule.account.into_inner(),
        claims,
    })
}

/// Where requests may come from. Spelled out and not empty, so that a rule which means to be narrow is.
fn networks(list: &Spanned<Vec<Spanned<String>>>) -> Result<Vec<IpNet>, SpannedError> {
    if list.as_ref().is_empty() || list.as_ref().len() > MAX_NETWORKS {
        return Err(SpannedError::at(list.span(), format!("`networks` names 1 to {MAX_NETWORKS} networks")));
    }
    let read = |text: &Spanned<String>| {
        let single = || text.as_ref().parse::<IpAddr>().ok().map(IpNet::from);
        match text.as_ref().parse().ok().or_else(single) {
            Some(network) if IpNet::prefix_len(&network) == 0 => {
                Err(SpannedError::at(text.span(), "a network with `/0` is everybody: leave `networks` out"))
            }
            Some(network) => Ok(network),
            None => {
                Err(SpannedError::at(text.span(), "`networks` are addresses and networks, such as `203.0.113.0/24`"))
            }
        }
    };
    list.as_ref().iter().map(read).collect()
}

fn claims(rule: &file::RuleTable, issuer: &Issuer) -> Result<Vec<(String, Wanted)>, SpannedError> {
    let project = issuer.kind.project_claim();
    let Some(value) = rule.claims.get(project) else {
        return Err(SpannedError::at(
            rule.name.span(),
            format!("the rule does not say which project: `claims` needs `{project}`"),
        ));
    };
    if patterns(value.as_ref(), true).is_ok_and(|patterns| patterns.iter().any(|pattern| pattern.literal().is_none())) {
        return Err(SpannedError::at(value.span(), format!("`{project}` is an id and is compared exactly, as a text")));
    }
    if let Some(events) = issuer.kind.events()
        && !events.either.iter().any(|name| rule.claims.contains_key(*name))
    {
        return Err(SpannedError::at(rule.name.span(), events.either_sentence));
    }
    let read = |(name, value): (&String, &Spanned<Value>)| {
        let may_glob = issuer.kind.rule().patterns.contains(&name.as_str());
        if !is_claim_name(name) {
            return Err(SpannedError::at(value.span(), WRONG_CLAIM_NAME));
        }
        let is_event = issuer.kind.events().is_some_and(|events| events.claim == name);
        let names_one_thing = may_glob || name == project || is_event;
        match wanted(value.as_ref(), may_glob, names_one_thing) {
            Ok(wanted) => Ok((name.clone(), wanted)),
            Err(reason) => Err(SpannedError::at(value.span(), reason)),
        }
    };
    rule.claims.iter().map(read).collect()
}

/// What is wanted of a claim: `{ all_of = […] }`, or any of some values.
fn wanted(value: &Value, may_glob: bool, names_one_thing: bool) -> Result<Wanted, &'static str> {
    let all = value.as_table().filter(|table| table.len() == 1).and_then(|table| table.get("all_of"));
    match all {
        Some(_) if names_one_thing => Err("`all_of` is for claims that are lists; this one names one thing"),
        Some(list @ Value::Array(_)) => patterns(list, may_glob).map(Wanted::All),
        Some(_) => Err("`all_of` is a list"),
        None if names_one_thing => patterns(value, may_glob).map(Wanted::One),
        None => patterns(value, may_glob).map(Wanted::Any),
    }
}

/// A value, a `{ glob = … }`, or a list of either.
fn patterns(value: &Value, may_glob: bool) -> Result<Vec<Pattern>, &'static str> {
    match value {
        Value::Array(list) if list.is_empty() => Err("an empty list would match nothing"),
        Value::Array(list) => list.iter().map(|item| pattern(item, may_glob)).collect(),
        single => Ok(vec![pattern(single, may_glob)?]),
    }
}

/// A rule of a pool names what some token reaches, with all that the rule grants. What a pattern will stand for is not known
/// yet, so of one that no token has word for word only a warning is given.
fn check_pool(
    rule: &file::RuleTable,
    pool: &Pool,
    reach: &Reach,
    warnings: &mut Vec<BeyondPool>,
) -> Result<(), SpannedError> {
    let grants = |token: &&Lendable| {
        let can = |action| token.reach.actions.contains(action);
        token.reach.public_pull >= reach.public_pull && reach.actions.iter().all(can)
    };
    let granting = || pool.tokens.iter().filter(grants);
    for (pattern, item) in reach.repositories.iter().zip(rule.repositories.as_ref()) {
        match pattern.literal() {
            Some(name) if !granting().any(|token| token.reach.reaches(name)) => {
                let reason =
                    format!("no token of the account reaches `{name}` with all of the rule's {}", wanted_keys(reach));
                return Err(SpannedError::at(item.span(), reason));
            }
            None if !granting().any(|token| token.reach.repositories.contains(pattern)) => {
                warnings.push(BeyondPool { rule: rule.name.as_ref().clone() });
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a token must be able to do, by the names of the keys that say it.
const fn wanted_keys(reach: &Reach) -> &'static str {
    if reach.public_pull { "`actions` and its `public_pull`" } else { "`actions`" }
}

fn life(seconds: Option<&Spanned<u64>>) -> Result<u64, SpannedError> {
    match seconds {
        None => Ok(DEFAULT_LIFE_SECONDS),
        Some(seconds) if (MIN_LIFE_SECONDS..=MAX_LIFE_SECONDS).contains(seconds.as_ref()) => Ok(*seconds.as_ref()),
        Some(seconds) => Err(SpannedError::at(
            seconds.span(),
            format!("`max_life_seconds` lies between {MIN_LIFE_SECONDS} and {MAX_LIFE_SECONDS}"),
        )),
    }
}
