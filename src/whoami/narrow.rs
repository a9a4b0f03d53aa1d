//! Which claims make a rule for a job narrow enough, by the facts about its CI system. The broker's `check` warns by the same
//! facts, so a rule that is written from this is one that it has nothing to say about; and where no rule would be, this says
//! why instead.

use hublease_protocol::ci::{Binding, Ci, RuleFacts, StrangersFacts, UNKNOWN, UNKNOWN_PROJECTS};
use hublease_protocol::claims::UnverifiedClaims;
use serde_json::{Map, Value};

/// The longest claim that a rule can bind, in characters; the broker accepts no more.
const LONGEST: usize = 512;

/// What a narrow rule binds.
#[derive(Debug)]
pub(super) struct Narrow {
    /// The claim that names the project.
    pub(super) project: &'static str,
    /// Every claim with its value.
    pub(super) bound: Map<String, Value>,
}

/// Which CI system made the token.
pub(super) fn ci(claims: &UnverifiedClaims) -> Option<Ci> {
    Ci::of_token(claims.text("iss")?, |name| is_there(claims, name))
}

/// The claims to bind, as rules name them.
///
/// # Errors
/// With the reason why every rule that accepts this job accepts others, too.
pub(super) fn narrow(claims: &UnverifiedClaims) -> Result<Narrow, String> {
    writable(claims, "iss")?;
    let ci = ci(claims);
    let facts = ci.map_or(&UNKNOWN, Ci::rule);
    let projects = ci.map_or_else(|| UNKNOWN_PROJECTS.to_vec(), |ci| vec![ci.token().project]);
    let is_named = |name: &&str| claims.text(name).is_some_and(|id| !id.is_empty());
    let Some(project) = projects.iter().copied().find(|name| is_named(name)) else {
        return Err(format!("the token does not name its project by an id: it has no {}", quoted(&projects)));
    };
    let mut names = vec![project];
    names.extend(strangers(claims, facts)?);
    names.extend(branch(claims, facts)?);
    for binding in facts.bind {
        names.push(bound(claims, binding)?);
    }
    names.extend(facts.also.iter().filter(|name| is_there(claims, name)));
    let value = |name: &str| Ok((name.to_owned(), writable(claims, name)?));
    Ok(Narrow { project, bound: names.into_iter().map(value).collect::<Result<_, String>>()? })
}

/// The claim that keeps strangers out, if one has to.
///
/// # Errors
/// Where strangers can have such a job.
pub(super) fn strangers(claims: &UnverifiedClaims, facts: &RuleFacts) -> Result<Option<&'static str>, String> {
    let open = |why: String| Err(format!("a rule for this job is open to forks and strangers: {why}"));
    match &facts.strangers {
        None => Ok(None),
        Some(StrangersFacts::Origin { claim, .. }) if is_there(claims, claim) => Ok(Some(claim)),
        Some(StrangersFacts::Origin { claim, .. }) => open(format!("the token has no `{claim}`")),
        Some(StrangersFacts::Event(events)) => match claims.text(events.claim).filter(|event| !event.is_empty()) {
            None => open(format!("the token has no `{}`", events.claim)),
            Some(event) if events.is_untrusted(event) => {
                open(format!("its `{}` is one that people without write access can cause", events.claim))
            }
            Some(_) => Ok(Some(events.claim)),
        },
        Some(StrangersFacts::Reference { claim, offered }) => match claims.text(claim) {
            Some(reference) if reference.starts_with(offered) => {
                open(format!("its `{claim}` is of code that is offered and not taken yet"))
            }
            _ => Ok(None),
        },
    }
}

/// The claim that keeps other branches out, if one has to.
fn branch(claims: &UnverifiedClaims, facts: &RuleFacts) -> Result<Option<&'static str>, String> {
    let Some(branch) = &facts.branch else { return Ok(None) };
    match branch.claims.iter().find(|name| is_there(claims, name)) {
        Some(name) => Ok(Some(name)),
        None => {
            Err(format!("a rule for this job is open to any branch: the token has none of {}", quoted(branch.claims)))
        }
    }
}

/// The claim that binds.
fn bound(claims: &UnverifiedClaims, binding: &Binding) -> Result<&'static str, String> {
    let binds = |name: &&&str| match binding.value {
        Some(value) => claims.value(name) == Some(&Value::Bool(value)),
        None => is_there(claims, name),
    };
    binding
        .claims
        .iter()
        .find(binds)
        .copied()
        .ok_or_else(|| format!("a rule for this job {}, which its token does not say", binding.sentence))
}

/// Whether there is something to compare with.
fn is_there(claims: &UnverifiedClaims, name: &str) -> bool {
    !matches!(claims.value(name), None | Some(Value::Null)) && claims.text(name) != Some("")
}

/// The value as every provider can compare it.
///
/// # Errors
/// It is too long for a rule, or of a kind that rules have not.
pub(super) fn writable(claims: &UnverifiedClaims, name: &str) -> Result<Value, String> {
    match claims.value(name) {
        Some(Value::String(text)) if text.chars().count() > LONGEST => {
            Err(format!("its `{name}` is longer than {LONGEST} characters"))
        }
        Some(value @ (Value::String(_) | Value::Bool(_))) => Ok(value.clone()),
        Some(value @ Value::Number(number)) if number.is_i64() => Ok(value.clone()),
        _ => Err(format!("its `{name}` is no text, whole number or truth value")),
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
