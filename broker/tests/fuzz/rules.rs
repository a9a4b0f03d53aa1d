//! The decision: the input is a configuration, a wish and claims, and the outcome is judged anew, by a reader of rules that
//! shares nothing with the broker's.
//!
//! The parts are separated by a line `---`: TOML; then the wish as a form (`connection_id`, `scope`, `expires_in`); then the
//! claims as a JSON object. Every issuer of the configuration signs the claims in turn.

use std::collections::BTreeSet;

use hublease_broker::config::Config;
use hublease_broker::identity::claims::Claims;
use hublease_broker::identity::issuer::{Issuer, IssuerKind};
use hublease_broker::identity::verify::Verifier;
use hublease_broker::limits::MIN_LIFE_SECONDS;
use hublease_broker::refusal::Refusal;
use hublease_broker::rules::request::RequestedGrant;
use hublease_broker::rules::{Grant, Judgement, Pattern, Rule, Verdict, Wanted, decide, explain, reported};
use hublease_protocol::ci::Ci;
use hublease_protocol::oauth::{Code, Form};
use hublease_protocol::scope::{Action, MAX_REPOSITORIES, Scope};
use serde_json::{Map, Value};

use super::check_refusal;
use super::signer::{AUDIENCE, NOW, Signer};

/// The most issuers whose decisions are looked at.
const MOST_ISSUERS: usize = 4;

/// What is granted was asked for, and one rule grants all of it to these claims; a refusal may be shown.
pub fn rules(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    let mut parts = text.splitn(3, "\n---\n");
    let (Some(config), Some(form), Some(claims)) = (parts.next(), parts.next(), parts.next()) else { return };
    let Ok(config) = Config::parse(config) else { return };
    let (Some(wish), Ok(claims)) = (wish(form), serde_json::from_str::<Map<String, Value>>(claims)) else { return };
    for issuer in config.issuers.iter().take(MOST_ISSUERS) {
        let issuer = Signer::issuer(issuer);
        let verifier = Verifier::new(vec![issuer.clone()], AUDIENCE.to_owned());
        let token = Signer::get().token(&issuer, claims.clone());
        match verifier.verify(&token, Signer::get(), NOW) {
            Ok(identity) => judge(&config.rules, &issuer, &identity.claims, &wish),
            Err(refusal) => check_refusal(&refusal),
        }
    }
}

fn wish(form: &str) -> Option<RequestedGrant> {
    let mut form = Form::decode(form.trim_end().as_bytes()).ok()?;
    let scope = form.take("scope").map(|scope| Scope::parse(&scope).map(|scope| scope.with_implied()));
    let wish = RequestedGrant {
        connection_id: form.take("connection_id"),
        scope: scope.transpose().ok()?,
        expires_in: form.take("expires_in").map(|seconds| seconds.parse()).transpose().ok()?,
        least_life: form.take("min_expires_in").map(|seconds| seconds.parse()).transpose().ok()?,
        from: None,
    };
    let is_sound = wish.expires_in.zip(wish.least_life).is_none_or(|(asked, least)| least <= asked);
    is_sound.then_some(wish)
}

fn judge(rules: &[Rule], issuer: &Issuer, claims: &Claims, wish: &RequestedGrant) {
    let decision = decide(rules, issuer, claims, wish);
    assert_eq!(decision, decide(rules, issuer, claims, wish));
    let explanation = explain(rules, issuer, claims, wish);
    assert_eq!(decision, explanation.decision);
    assert_eq!(short(&decision), follows(&explanation.rules, wish));
    let by = reported(rules, issuer, claims, wish);
    assert!(by.is_none_or(|name| rules.iter().any(|rule| rule.name == name && rule.report_only)));
    match decision {
        Ok(grant) => check(rules, issuer, claims, wish, &grant),
        Err(refusal) => {
            check_refusal(&refusal);
            // Nobody who asks for something is refused what a rule grants him.
            let is_wanted = |scope: &Scope| {
                // What is over a rule's longest life is shortened, as far as the wish lets it.
                let life = wish.least_life.unwrap_or(MIN_LIFE_SECONDS);
                let of_group = |rule: &&Rule| wish.connection_id.is_none() || wish.connection_id == rule.connection_id;
                wish.expires_in.is_none_or(|asked| asked >= MIN_LIFE_SECONDS)
                    && rules.iter().filter(of_group).any(|rule| grants(rule, issuer, claims, scope, life))
            };
            assert!(!wish.scope.as_ref().is_some_and(is_wanted), "{refusal}");
        }
    }
}

fn short(decision: &Result<Grant, Refusal>) -> Result<&str, Code> {
    decision.as_ref().map(|grant| grant.rule.as_str()).map_err(|refusal| refusal.code)
}

/// What an operator concludes from the verdicts on the rules alone: the rule that grants, or why none does.
fn follows<'a>(rules: &[Judgement<'a>], wish: &RequestedGrant) -> Result<&'a str, Code> {
    let rules: Vec<_> = rules.iter().filter(|judged| !judged.rule.report_only).collect();
    let known = |id: &String| rules.iter().any(|judged| judged.rule.connection_id.as_ref() == Some(id));
    if !wish.connection_id.as_ref().is_none_or(known) {
        return Err(Code::ConnectionUnknown);
    }
    let not_its_own = [Verdict::OtherIssuer, Verdict::OtherConnection, Verdict::ClaimsDiffer];
    let matching: Vec<_> = rules.iter().filter(|judged| !not_its_own.contains(&judged.verdict)).collect();
    if matching.is_empty() {
        return Err(Code::NoRuleMatches);
    }
    let accepting: Vec<_> = matching.into_iter().filter(|judged| judged.verdict != Verdict::EventNotNamed).collect();
    let meant = |judged: &&&Judgement<'a>| (judged.rule.account.clone(), spelled_out(judged.rule));
    let is_vague = wish.scope.is_none()
        && (accepting.iter().any(|judged| judged.verdict == Verdict::ScopeNeeded)
            || accepting.iter().any(|judged| meant(judged) != meant(&accepting[0])));
    if accepting.is_empty() || is_vague {
        return Err(if accepting.is_empty() { Code::EventNotAllowed } else { Code::ScopeRequired });
    }
    if let Some(granting) = accepting.iter().find(|judged| judged.verdict == Verdict::Grants) {
        return Ok(&granting.rule.name);
    }
    let shortening = accepting.iter().rev().filter(|judged| judged.verdict == Verdict::Shortens);
    if let Some(longest) = shortening.max_by_key(|judged| judged.rule.max_life) {
        return Ok(&longest.rule.name);
    }
    let is_only_the_life = accepting.iter().any(|judged| judged.verdict == Verdict::LifeNotGranted);
    Err(if is_only_the_life { Code::LifeNotGranted } else { Code::ScopeNotGranted })
}

/// What a rule without patterns grants.
fn spelled_out(rule: &Rule) -> (BTreeSet<String>, Vec<bool>, bool) {
    let names = rule.reach.repositories.iter().map(Pattern::to_string).collect();
    (names, Action::ALL.map(|action| rule.reach.actions.contains(&action)).to_vec(), rule.reach.public_pull)
}

fn check(rules: &[Rule], issuer: &Issuer, claims: &Claims, wish: &RequestedGrant, grant: &Grant) {
    let rule = rules.iter().find(|rule| rule.name == grant.rule).unwrap();
    assert!(grants(rule, issuer, claims, &grant.scope, grant.life), "{grant:?}");
    assert_eq!(rule.account, grant.account);
    assert!(wish.connection_id.is_none() || wish.connection_id == rule.connection_id);
    assert!(grant.life >= MIN_LIFE_SECONDS);
    assert!(!rule.report_only, "{grant:?}");
    assert!(wish.expires_in.is_none_or(|asked| asked == grant.life || grant.shortened_from == Some(asked)));
    assert!(grant.shortened_from.is_none_or(|asked| asked > grant.life && grant.life == rule.max_life));
    assert!(wish.least_life.is_none_or(|least| grant.life >= least));
    assert_eq!(grant.scope.allows_public_pull(), rule.reach.public_pull);
    let asked =
        wish.scope.clone().map(|asked| if rule.reach.public_pull { asked.with_public_pull().unwrap() } else { asked });
    assert!(asked.is_none_or(|asked| asked == grant.scope));
}

/// Whether a rule grants this: every claim, every repository, every action, and the life.
fn grants(rule: &Rule, issuer: &Issuer, claims: &Claims, scope: &Scope, life: u64) -> bool {
    let accepts = |(name, wanted): &(String, Wanted)| claims.find(name).is_some_and(|value| takes(wanted, value));
    let names_event = rule.claims.iter().any(|(name, _)| name == "event_name");
    let is_risky =
        claims.text("event_name").is_some_and(|event| event == "pull_request_target" || event == "workflow_run");
    let reaches = |repository: &str| {
        let name = Value::from(repository);
        rule.reach.repositories.iter().any(|pattern| matches(pattern, &name))
            && scope.actions(repository).all(|action| rule.reach.actions.contains(&action))
    };
    !rule.report_only
        && rule.issuer == issuer.name
        && !(rule.reach.public_pull && scope.repositories().count() == MAX_REPOSITORIES)
        && rule.claims.iter().all(accepts)
        && (issuer.kind != IssuerKind::Known(Ci::Github) || !is_risky || names_event)
        && scope.repositories().all(reaches)
        && life <= rule.max_life
}

fn takes(wanted: &Wanted, value: &Value) -> bool {
    let elements = match value {
        Value::Array(list) => list.as_slice(),
        single => std::slice::from_ref(single),
    };
    let is_there = |pattern: &Pattern| {
        let counts = !(value.is_array() && matches!(pattern, Pattern::Flag(_)));
        counts && elements.iter().any(|element| matches(pattern, element))
    };
    match wanted {
        Wanted::One(patterns) => patterns.iter().any(|pattern| matches(pattern, value)),
        Wanted::Any(patterns) => patterns.iter().any(is_there),
        Wanted::All(patterns) => patterns.iter().all(is_there),
    }
}

fn matches(pattern: &Pattern, value: &Value) -> bool {
    match (pattern, value) {
        (Pattern::Text(wanted), Value::String(text)) => wanted == text,
        (Pattern::Number(wanted), Value::Number(number)) => number.as_i64() == Some(*wanted),
        (Pattern::Flag(wanted), Value::Bool(flag)) => wanted == flag,
        (Pattern::Glob(glob), Value::String(text)) => {
            let (pattern, text): (Vec<char>, Vec<char>) = (glob.to_string().chars().collect(), text.chars().collect());
            glob_matches(&pattern, &text)
        }
        _ => false,
    }
}

/// A `*` is one or more characters that separate nothing. A table of which beginnings match which, so that it stays quick.
fn glob_matches(pattern: &[char], text: &[char]) -> bool {
    let mut row = vec![false; text.len() + 1];
    row[0] = true;
    for letter in pattern {
        let mut next = vec![false; text.len() + 1];
        for at in 0..text.len() {
            next[at + 1] = match letter {
                '*' => (row[at] || next[at]) && !['/', ':', '@'].contains(&text[at]),
                letter => row[at] && *letter == text[at],
            };
        }
        row = next;
    }
    row[text.len()]
}
