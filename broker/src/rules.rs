//! May this job have that? The decision: a pure function of the rules, the verified claims and the wish.
//!
//! A rule grants when every claim that it names is present and matches; there is no other operator, no order of precedence
//! and no rule that denies. Nothing that is not granted is given, and what is minted is what was asked, never a rule's
//! pattern. A refused caller learns which claims did not match the rule that came closest, never what the rule says.

mod explain;
mod pattern;
mod reach;
pub mod request;

pub use explain::{Comparison, Coverage, Explanation, Judgement, Verdict, explain};
use hublease_protocol::oauth::Code;
use hublease_protocol::scope::Scope;
use ipnet::IpNet;
pub use pattern::{Glob, Pattern};
pub use reach::Reach;
use serde_json::Value;

use crate::client_address::Client;
use crate::identity::claims::{Claims, sha256};
use crate::identity::issuer::Issuer;
use crate::limits::MIN_LIFE_SECONDS;
use crate::refusal::Refusal;
use crate::rules::request::RequestedGrant;

/// How many claim names a refusal lists.
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
    /// Claim names, each with the patterns of which one must match.
    pub claims: Vec<(String, Vec<Pattern>)>,
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
    let accepting = accepting(rules, issuer, claims, wish)?;
    let scope = match &wish.scope {
        Some(scope) => scope.clone(),
        None => literal_scope(&accepting)?,
    };
    let granting: Vec<(&Rule, Scope)> =
        accepting.into_iter().filter_map(|rule| Some((rule, rule.reach.granted(&scope)?))).collect();
    let ((rule, scope), life) = longest_enough(&granting, wish)?;
    Ok(Grant { rule: rule.name.clone(), account: rule.account.clone(), scope: scope.clone(), life })
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
    let known = |id: &String| rules.iter().any(|rule| rule.connection_id.as_ref() == Some(id));
    if wish.connection_id.as_ref().is_some_and(|id| !known(id)) {
        return refuse(Code::ConnectionUnknown, "`connection_id` names no connection of this broker");
    }
    let candidates: Vec<&Rule> =
        rules.iter().filter(|rule| rule.issuer == issuer.name && rule.is_of_connection(wish)).collect();
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

/// The first of the rules that grant the scope which grants the life too, and that life.
fn longest_enough<'a, 'r>(
    granting: &'a [(&'r Rule, Scope)],
    wish: &RequestedGrant,
) -> Result<(&'a (&'r Rule, Scope), u64), Refusal> {
    let Some(longest) = granting.iter().map(|(rule, _)| rule.max_life).max() else {
        return refuse(Code::ScopeNotGranted, "the rules accept this job, but no single one grants all of the scope");
    };
    let asked = wish.expires_in;
    if asked.is_some_and(|asked| asked < MIN_LIFE_SECONDS) {
        let sentence = format!("`expires_in` is under the least life of {MIN_LIFE_SECONDS} seconds");
        return refuse(Code::LifeNotGranted, sentence);
    }
    match granting.iter().find(|(rule, _)| asked.is_none_or(|asked| asked <= rule.max_life)) {
        Some(grant @ (rule, _)) => Ok((grant, asked.unwrap_or(rule.max_life))),
        None => {
            let sentence = format!("`expires_in` is over the longest life of {longest} seconds");
            refuse(Code::LifeNotGranted, sentence)
        }
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
        let differs = |(name, patterns): &&(String, Vec<Pattern>)| !is_one_of(claims.find(name), patterns);
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

/// Whether there is a value, and one of the patterns matches it.
fn is_one_of(value: Option<&Value>, patterns: &[Pattern]) -> bool {
    value.is_some_and(|value| patterns.iter().any(|pattern| pattern.matches(value)))
}

/// What is meant when nothing was asked for: only ever one rule's repositories, and only when it spells them out.
fn literal_scope(rules: &[&Rule]) -> Result<Scope, Refusal> {
    let [rule] = rules else {
        return refuse(Code::ScopeRequired, "several rules accept this job, so `scope` must say what is wanted");
    };
    let pattern = || Refusal::new(Code::ScopeRequired, "the rule grants a pattern, so `scope` must say what is wanted");
    rule.reach.literal_scope().ok_or_else(pattern)
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
        Some(names) => {
            let listed: Vec<_> = names.iter().take(MAX_LISTED).map(|name| format!("`{name}`")).collect();
            format!("no rule accepts this job: {} did not match", listed.join(", "))
        }
    }
}

fn refuse<T>(code: Code, sentence: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(code, sentence))
}

#[cfg(test)]
mod tests;
