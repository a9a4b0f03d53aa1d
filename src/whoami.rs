//! `whoami`: what this job can prove, and for each provider the narrowest rule that would accept it.

mod suggested_rule;

use hublease_protocol::claims::UnverifiedClaims;
use hublease_protocol::printable::printable;
use hublease_protocol::time::span;
use serde_json::{Value, json};

use crate::effect::{Effects, End, Output};
use crate::identity;
use crate::plan::Whoami;

/// Shows the claims, never the token.
pub async fn whoami(effects: Effects, plan: Whoami) -> End {
    let identity = identity::obtain(&effects, &plan.identity, plan.audience.as_deref()).await?;
    let now = effects.now().await?;
    let claims = &identity.claims;
    let rules = [
        ("docker", suggested_rule::docker(claims)),
        ("broker", suggested_rule::broker(claims)),
        ("vault", suggested_rule::vault(claims)),
    ];
    let text = if plan.json { as_json(claims, now, &rules) } else { as_text(claims, now, &rules) };
    effects.output(Output::Report(text)).await.map(|()| 0)
}

fn as_text(claims: &UnverifiedClaims, now: u64, rules: &[(&str, Result<String, &'static str>)]) -> String {
    let mut text = format!("identity: {}\n", issuer(claims));
    if let (Some(issued), Some(expiry)) = (claims.seconds("iat"), claims.seconds("exp")) {
        let age = span(now.saturating_sub(issued));
        let left = span(expiry.saturating_sub(now));
        text.push_str(&format!("age: {age}, {left} left\n"));
    }
    text.push_str("claims (read from the token, not verified):\n");
    for (name, value) in claims.shown() {
        // Two colons in a row are what CI systems look for.
        let gap = if name.ends_with(':') { " " } else { "" };
        text.push_str(&format!("  {name}{gap}: {value}\n"));
    }
    for (provider, rule) in rules {
        match rule {
            Ok(rule) => text.push_str(&format!("\nnarrowest {provider} rule that would accept this job:\n{rule}\n")),
            Err(why) => text.push_str(&format!("\n{provider}: {why}\n")),
        }
    }
    text.trim_end().to_owned()
}

fn as_json(claims: &UnverifiedClaims, now: u64, rules: &[(&str, Result<String, &'static str>)]) -> String {
    let shown: serde_json::Map<String, Value> =
        claims.shown().into_iter().map(|(name, value)| (name, Value::String(value))).collect();
    let rules: serde_json::Map<String, Value> = rules
        .iter()
        .map(|(provider, rule)| {
            ((*provider).to_owned(), rule.as_ref().map_or(Value::Null, |rule| Value::String(rule.clone())))
        })
        .collect();
    json!({
        "issuer": claims.text("iss").map(printable),
        "age": claims.seconds("iat").map(|issued| now.saturating_sub(issued)),
        "expires_in": claims.seconds("exp").map(|expiry| expiry.saturating_sub(now)),
        "claims": shown,
        "rules": rules,
    })
    .to_string()
}

fn issuer(claims: &UnverifiedClaims) -> String {
    match (suggested_rule::ci(claims), claims.text("iss")) {
        (Some(ci), _) => ci.title().to_owned(),
        (None, Some(issuer)) => printable(issuer),
        (None, None) => "no issuer".to_owned(),
    }
}
