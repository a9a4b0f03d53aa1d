//! The narrowest rule that would accept a job, ready to paste, for each provider.
//!
//! Every value is a claim of an unverified token, so it is written as an ASCII string in which everything that TOML,
//! JSON, a terminal or a CI log could take for more than text is escaped: it cannot end the string it stands in, and
//! it is exactly the claim again once it is read. Which claims are bound, and why, is in SECURITY.md: a project by its
//! id, a branch or environment, and for CircleCI no re-run over SSH.

use hublease_protocol::ci::{Ci, Suggestion, UNKNOWN};
use hublease_protocol::claims::UnverifiedClaims;
use serde_json::{Map, Value, json};

/// The longest claim that a rule can bind, in characters; the broker accepts no more.
const LONGEST: usize = 512;

/// Which CI system issued the token, by its `iss`.
pub(crate) fn ci(claims: &UnverifiedClaims) -> Option<Ci> {
    Ci::of_issuer(claims.text("iss")?)
}

/// The `sub` of a ruleset of Docker's OIDC connection.
pub(crate) fn docker(claims: &UnverifiedClaims) -> Result<String, &'static str> {
    match claims.text("sub").filter(|_| ci(claims).is_some_and(|ci| ci.rule().docker_connection)) {
        Some(subject) => Ok(format!("subject: {}", json(&Value::from(short(subject)?)))),
        None => Err("Docker's OIDC connections accept GitHub Actions only"),
    }
}

/// A rule of our broker with the issuer that it names, in TOML.
pub(crate) fn broker(claims: &UnverifiedClaims) -> Result<String, &'static str> {
    let issuer = short(claims.text("iss").ok_or("the token names no issuer")?)?;
    let (name, kind) = match ci(claims) {
        Some(ci) => (ci.name(), format!("kind = \"{}\"", ci.name())),
        None => ("this-issuer", "kind = \"other\"\nproject_claim = \"sub\"".to_owned()),
    };
    let mut rule = format!("[[issuer]]\nname = \"{name}\"\n{kind}\nurl = {}\n\n", toml(&Value::from(issuer)));
    rule.push_str(&format!("[[rule]]\nname = \"this-job\"\nissuer = \"{name}\"\naccount = \"YOUR-ACCOUNT\"\n"));
    rule.push_str("repositories = [\"YOUR-ORGANIZATION/YOUR-REPOSITORY\"]\nactions = [\"pull\", \"push\"]\n");
    rule.push_str("max_life_seconds = 900\n\n[rule.claims]\n");
    for (name, value) in bound(claims)? {
        rule.push_str(&format!("{} = {}\n", toml(&Value::from(name)), toml(&value)));
    }
    Ok(rule.trim_end().to_owned())
}

/// A role of Vault's JWT method, as the body of `vault write auth/jwt/role/NAME -`.
pub(crate) fn vault(claims: &UnverifiedClaims) -> Result<String, &'static str> {
    let user_claim = ci(claims).map_or("sub", |ci| ci.token().project);
    if claims.text(user_claim).is_none() {
        return Err("the token has no claim that names the project");
    }
    let audiences = claims.audiences().into_iter().map(short).collect::<Result<Vec<_>, _>>()?;
    let role = json!({
        "role_type": "jwt",
        "user_claim": user_claim,
        "bound_audiences": audiences,
        "bound_claims_type": "string",
        "bound_claims": Value::Object(bound(claims)?),
        "token_policies": ["dockerhub"],
        "token_ttl": "15m",
        "token_type": "service",
    });
    serde_json::to_string_pretty(&role)
        .map(|role| harmless(&role, json_escape))
        .map_err(|_impossible| "the claims cannot be written as JSON")
}

/// The claims to bind: who, and where from.
fn bound(claims: &UnverifiedClaims) -> Result<Map<String, Value>, &'static str> {
    let facts = ci(claims).map_or(&UNKNOWN, Ci::rule);
    let serves = |row: &&Suggestion| row.with.is_none_or(|name| claims.text(name).is_some());
    let names = facts.suggested.iter().find(serves).map_or(&[][..], |row| row.bind);
    let mut bound = Map::new();
    for name in names {
        match claims.value(name) {
            None => {}
            Some(Value::String(value)) => drop(bound.insert((*name).to_owned(), Value::from(short(value)?))),
            Some(value @ (Value::Bool(_) | Value::Number(_))) => drop(bound.insert((*name).to_owned(), value.clone())),
            Some(_) => return Err("a claim that the rule would bind is a list or an object"),
        }
    }
    Ok(bound)
}

fn short(value: &str) -> Result<&str, &'static str> {
    let is_short = value.chars().count() <= LONGEST;
    if is_short { Ok(value) } else { Err("a claim that the rule would bind is longer than 512 characters") }
}

fn json(value: &Value) -> String {
    harmless(&value.to_string(), json_escape)
}

/// The values of rules are texts, numbers and truth values, which TOML writes as JSON does but for one escape.
fn toml(value: &Value) -> String {
    harmless(&value.to_string(), |character| format!("\\U{:08x}", u32::from(character)))
}

fn json_escape(character: char) -> String {
    character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

/// Escapes what is left in JSON text that is more than visible ASCII or could start a workflow command. Outside of
/// strings JSON is spaces, newlines and ASCII without two colons in a row, so only strings change.
fn harmless(json: &str, escape: impl Fn(char) -> String) -> String {
    let mut written = String::with_capacity(json.len());
    let (mut last, mut before) = (' ', ' ');
    for character in json.chars() {
        match character {
            ':' if last == ':' => written.push_str(&escape(character)),
            '[' if last == '#' && before == '#' => written.push_str(&escape(character)),
            ' '..='~' | '\n' => written.push(character),
            other => written.push_str(&escape(other)),
        }
        (before, last) = (last, character);
    }
    written
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{json, short, toml};

    /// Texts that a terminal, a CI log, TOML or JSON could take for more than text.
    const HOSTILE: &[&str] = &[
        "refs/heads/main",
        "a\"b\\c",
        "\n\r\t\0\u{1b}[31m\u{7f}\u{9b}2J",
        "\u{202e}\u{2066}\u{feff}",
        "::add-mask::x :::: ##[error]###[x]",
        "\u{1f600}\u{e0001}ü",
    ];

    #[test]
    fn a_value_is_visible_ascii_and_the_same_again_when_it_is_read() {
        for text in HOSTILE {
            let written = json(&Value::from(*text));
            assert!(written.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{written}");
            assert!(!written.contains("::") && !written.contains("##["), "{written}");
            assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), Value::from(*text));
        }
    }

    #[test]
    fn toml_has_its_own_escape_for_what_json_leaves() {
        assert_eq!(toml(&Value::from("a\u{1f600}\n::b")), r#""a\U0001f600\n:\U0000003ab""#);
        assert_eq!(toml(&Value::from(false)), "false");
    }

    #[test]
    fn a_long_value_makes_no_rule() {
        assert!(short(&"x".repeat(512)).is_ok());
        assert!(short(&"x".repeat(513)).is_err());
    }
}
