//! May this job have that? The decision: a pure function of the rules, the verified claims and the wish.
//!
//! A rule grants when every claim that it names is present and matches; there is no other operator and no rule that denies. What
//! no single rule grants is not given: of those that grant all of it, the first in the file does. What is minted is what was
//! asked, never a rule's pattern. A rule that only reports grants nothing, and is told to the operator alone. A refused caller learns which claims did not match the rule that came closest, never what the rule says.

mod explain;
mod pattern;
mod reach;
pub mod request;
mod wanted;

pub use explain::{Comparison, Coverage, Explanation, Judgement, Verdict, explain};
use hublease_protocol::oauth::Code;
use hublease_protocol::scope::Scope;
use ipnet::IpNet;
pub use pattern::{Glob, Pattern};
pub use reach::Reach;
use serde_json::Value;
pub use wanted::Wanted;

use crate::client_address::Client;
use crate::identity::claims::{Claims, sha256};
use crate::identity::issuer::Issuer;
use crate::limits::MIN_LIFE_SECONDS;
use crate::refusal::Refusal;
use crate::rules::request::RequestedGrant;

/// How many claims or rules a refusal lists.
const MAX_LISTED: usize = 5;

/// Who may have what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name, for the audit log.
    pub name: String,
    /// The name of the issuer whose tokens it is about.
    pub issuer: String,
    /// The group that `connection_id` selects.
    pub connection_id: Option<String>,
    /// Claim names, each with what is wanted of it.
    pub claims: Vec<(String, Wanted)>,
    /// The name of the account that issues.
    pub account: String,
    /// What may be asked for.
    pub reach: Reach,
    /// The longest life in seconds; also the life when none is asked for.
    pub max_life: u64,
    /// Where requests may come from; empty means anywhere.
    pub networks: Vec<IpNet>,
    /// Whether a job that it accepts may revoke what its workflow was given by such rules.
    pub revoke_workflow: bool,
    /// Whether it grants nothing, and the audit log says what it would.
    pub report_only: bool,
}

/// What a job is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The rule that grants.
    pub rule: String,
    /// The account that issues.
    pub account: String,
    /// The repositories and actions, one by one.
    pub scope: Scope,
    /// The life in seconds.
    pub life: u64,
    /// The life that was asked for, if that was longer.
    pub shortened_from: Option<u64>,
}

impl Grant {
    /// SHA-256 of all of it: what a repetition of its request must be granted, too.
    #[must_use]
    pub fn sha256(&self) -> String {
        let wish = Value::from(vec![self.rule.clone(), self.scope.to_string(), self.life.to_string()]);
        sha256(wish.to_string().as_bytes())
    }
}

/// Decides.
///
/// # Errors
/// With the code that says which part was not granted.
pub fn decide(rules: &[Rule], issuer: &Issuer, claims: &Claims, wish: &RequestedGrant) -> Result<Grant, Refusal> {
    grant(accepting(rules, issuer, claims, wish)?, wish)
}

/// The name of the rule that would decide if those that only report were all that there are.
#[must_use]
pub fn reported(rules: &[Rule], issuer: &Issuer, claims: &Claims, wish: &RequestedGrant) -> Option<String> {
    let reporting: Vec<&Rule> = rules.iter().filter(|rule| rule.report_only).collect();
    let granted = accepting_of(&reporting, issuer, claims, wish).and_then(|accepting| grant(accepting, wish));
    granted.ok().map(|grant| grant.rule)
}

fn grant(accepting: Vec<&Rule>, wish: &RequestedGrant) -> Result<Grant, Refusal> {
    let scope = match &wish.scope {
        Some(scope) => scope.clone(),
        None => literal_scope(&accepting)?,
    };
    let granting: Vec<(&Rule, Scope)> =
        accepting.into_iter().filter_map(|rule| Some((rule, rule.reach.granted(&scope)?))).collect();
    let ((rule, scope), life) = longest_enough(&granting, wish)?;
    let shortened_from = wish.expires_in.filter(|asked| *asked > life);
    Ok(Grant { rule: rule.name.clone(), account: rule.account.clone(), scope: scope.clone(), life, shortened_from })
}

/// The rules that accept the job, whatever it wants; at least one.
///
/// # Errors
/// When there is none.
pub(crate) fn accepting<'a>(
    rules: &'a [Rule],
    issuer: &Issuer,
    claims: &Claims,
    wish: &RequestedGrant,
) -> Result<Vec<&'a Rule>, Refusal> {
    let granting: Vec<&Rule> = rules.iter().filter(|rule| !rule.report_only).collect();
    accepting_of(&granting, issuer, claims, wish)
}

fn accepting_of<'a>(
    rules: &[&'a Rule],
    issuer: &Issuer,
    claims: &Claims,
    wish: &RequestedGrant,
) -> Result<Vec<&'a Rule>, Refusal> {
    let known = |id: &String| rules.iter().any(|rule| rule.connection_id.as_ref() == Some(id));
    if wish.connection_id.as_ref().is_some_and(|id| !known(id)) {
        return refuse(Code::ConnectionUnknown, "`connection_id` names no connection of this broker");
    }
    let candidates: Vec<&Rule> =
        rules.iter().copied().filter(|rule| rule.issuer == issuer.name && rule.is_of_connection(wish)).collect();
    let matching: Vec<&Rule> = candidates.iter().filter(|rule| rule.mismatches(claims).is_empty()).copied().collect();
    if matching.is_empty() {
        return refuse(Code::NoRuleMatches, closest(&candidates, issuer, claims));
    }
    let allowed: Vec<&Rule> = matching.into_iter().filter(|rule| rule.allows_event(issuer, claims)).collect();
    if allowed.is_empty() {
        let events = issuer.kind.events().map(|events| events.to_be_named.join("`, `")).unwrap_or_default();
        return refuse(Code::EventNotAllowed, format!("no rule names the event, and each of `{events}` must be named"));
    }
    let near: Vec<&Rule> = allowed.into_iter().filter(|rule| rule.admits(wish.from)).collect();
    if near.is_empty() {
        let sentence = "the rules that accept this job name networks, and the request comes from none of them";
        return refuse(Code::NoRuleMatches, sentence);
    }
    Ok(near)
}

/// The first of the rules that grant the scope which grants the life too, and that life. Where none grants so long a life it is a
/// wish, and shortened: to the longest that one grants, and never under the least that is of use to the client.
fn longest_enough<'a, 'r>(
    granting: &'a [(&'r Rule, Scope)],
    wish: &RequestedGrant,
) -> Result<(&'a (&'r Rule, Scope), u64), Refusal> {
    let Some(longest) = granting.iter().map(|(rule, _)| rule.max_life).max() else {
        return refuse(Code::ScopeNotGranted, "the rules accept this job, but no single one grants all of the scope");
    };
    let (asked, least) = (wish.expires_in, wish.least_life);
    if asked.is_some_and(|asked| asked < MIN_LIFE_SECONDS) {
        let sentence = format!("`expires_in` is under the least life of {MIN_LIFE_SECONDS} seconds");
        return refuse(Code::LifeNotGranted, sentence);
    }
    if least.is_some_and(|least| least > longest) {
        let sentence = format!("`min_expires_in` is over the longest life of {longest} seconds");
        return refuse(Code::LifeNotGranted, sentence);
    }
    let whole = granting.iter().find(|(rule, _)| asked.or(least).is_none_or(|wanted| wanted <= rule.max_life));
    let nearest = || granting.iter().find(|(rule, _)| rule.max_life == longest);
    match whole.or_else(nearest) {
        Some(grant @ (rule, _)) => Ok((grant, asked.map_or(rule.max_life, |asked| asked.min(rule.max_life)))),
        None => refuse(Code::LifeNotGranted, "no rule grants such a life"),
    }
}

impl Rule {
    fn is_of_connection(&self, wish: &RequestedGrant) -> bool {
        wish.connection_id.is_none() || self.connection_id == wish.connection_id
    }

    /// Whether a request may come from there. Whoever asks what would be decided comes from nowhere.
    fn admits(&self, client: Option<Client>) -> bool {
        match client {
            _ if self.networks.is_empty() => true,
            None => true,
            Some(Client::At(address)) => self.networks.iter().any(|network| network.contains(&address.to_canonical())),
            Some(Client::ThisMachine | Client::Unnamed) => false,
        }
    }

    /// The names of the claims that are absent or do not match.
    fn mismatches(&self, claims: &Claims) -> Vec<&str> {
        let differs = |(name, wanted): &&(String, Wanted)| !wanted.takes(claims.find(name));
        self.claims.iter().filter(differs).map(|(name, _)| name.as_str()).collect()
    }

    /// Some events run trusted code on a stranger's behalf. Only a rule that names the event means it. A token that does not
    /// say its event may come from any.
    fn allows_event(&self, issuer: &Issuer, claims: &Claims) -> bool {
        let Some(events) = issuer.kind.events() else { return true };
        let is_to_be_named = || claims.text(events.claim).is_none_or(|event| events.to_be_named.contains(&event));
        let names_event = || self.claims.iter().any(|(name, _)| name == events.claim);
        !is_to_be_named() || names_event()
    }
}

/// What is meant when nothing was asked for: what every rule that accepts the job grants, when each spells out the same.
fn literal_scope(rules: &[&Rule]) -> Result<Scope, Refusal> {
    let meant = |rule: &Rule| rule.reach.literal_scope().map(|scope| (rule.account.clone(), scope));
    let first = rules.first().and_then(|rule| meant(rule));
    let agree = rules.iter().all(|rule| meant(rule) == first);
    match first {
        Some((_, scope)) if agree => Ok(scope),
        _ if rules.len() == 1 => {
            refuse(Code::ScopeRequired, "the rule grants a pattern, so `scope` must say what is wanted")
        }
        _ => {
            let names = listed(rules.iter().map(|rule| rule.name.as_str()));
            let sentence = format!(
                "the rules {names} accept this job and do not grant the same, so `scope` must say what is wanted"
            );
            refuse(Code::ScopeRequired, sentence)
        }
    }
}

/// Some of the names.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.take(MAX_LISTED).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn closest(candidates: &[&Rule], issuer: &Issuer, claims: &Claims) -> String {
    let project = issuer.kind.project_claim();
    let near = candidates
        .iter()
        .map(|rule| rule.mismatches(claims))
        .filter(|names| !names.contains(&project))
        .min_by_key(Vec::len);
    match near {
        None => format!("no rule accepts this job: none matches its `{project}`"),
        Some(names) => format!("no rule accepts this job: {} did not match", listed(names.into_iter())),
    }
}

fn refuse<T>(code: Code, sentence: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(code, sentence))
}

#[cfg(test)]
mod tests;
