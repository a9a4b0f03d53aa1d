//! `whoami`: what this job can prove, and for each provider the narrowest rule that would accept it.

mod narrow;
mod suggested_rule;

use hublease_protocol::claims::{self, UnverifiedClaims};
use hublease_protocol::printable::printable;
use hublease_protocol::time::span;
use serde_json::{Value, json};

use crate::effect::{Effects, End, Output};
use crate::identity;
use crate::plan::Whoami;
use crate::whoami::suggested_rule::VaultAudience;

/// A provider's name with its rule, or with the reason why there is none.
type Suggestion = (&'static str, Result<String, String>);

/// Shows the claims, never the token.
pub async fn whoami(effects: Effects, plan: Whoami) -> End {
    let identity = identity::obtain(&effects, &plan.identity, plan.audience.as_deref()).await?;
    let now = effects.now().await?;
    let claims = &identity.claims;
    let algorithm = claims::algorithm(&identity.token);
    let vault_audience = match plan.vault_audience.as_deref() {
        _ if plan.identity.is_given() => VaultAudience::OfToken,
        Some(audience) => VaultAudience::Asked(audience),
        None => VaultAudience::OfVault,
    };
    let rules = [
        ("docker", suggested_rule::docker(claims)),
        ("broker", suggested_rule::broker(claims, algorithm.as_deref())),
        ("vault", suggested_rule::vault(claims, &vault_audience)),
    ];
    let text = if plan.json { as_json(claims, now, &rules) } else { as_text(claims, now, &rules) };
    effects.output(Output::Report(text)).await.map(|()| 0)
}

fn as_text(claims: &UnverifiedClaims, now: u64, rules: &[Suggestion]) -> String {
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
            Err(why) => text.push_str(&format!("\nno {provider} rule: {why}\n")),
        }
    }
    text.trim_end().to_owned()
}

fn as_json(claims: &UnverifiedClaims, now: u64, rules: &[Suggestion]) -> String {
    let told = |tell: fn(&Result<String, String>) -> Option<&String>| -> serde_json::Map<String, Value> {
        rules.iter().map(|(provider, rule)| ((*provider).to_owned(), json!(tell(rule)))).collect()
    };
    suggested_rule::json(&json!({
        "issuer": claims.text("iss"),
        "age": claims.seconds("iat").map(|issued| now.saturating_sub(issued)),
        "expires_in": claims.seconds("exp").map(|expiry| expiry.saturating_sub(now)),
        "claims": claims.all(),
        "rules": told(|rule| rule.as_ref().ok()),
        "without_rule": told(|rule| rule.as_ref().err()),
    }))
}

fn issuer(claims: &UnverifiedClaims) -> String {
    match (narrow::ci(claims), claims.text("iss")) {
        (Some(ci), _) => ci.title().to_owned(),
        (None, Some(issuer)) => printable(issuer),
        (None, None) => "no issuer".to_owned(),
    }
}
