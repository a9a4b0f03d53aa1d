//! A rule that would accept a job, ready to paste, as each provider writes it.
//!
//! Every value is a claim of an unverified token, so it is written as an ASCII string in which everything that TOML,
//! JSON, a terminal or a CI log could take for more than text is escaped: it cannot end the string it stands in, and
//! it is exactly the claim again once it is read. Which claims are bound is in [`super::narrow`].

use hublease_protocol::ci::{Ci, IdentityUse, UNKNOWN};
use hublease_protocol::claims::UnverifiedClaims;
use serde_json::{Value, json};

use super::narrow::{self, Narrow, ci};

/// What stands for the address of Vault where it is not known.
const VAULT_ADDRESS: &str = "YOUR-VAULT-ADDRESS";

/// The `sub` of a ruleset of Docker's OIDC connection.
pub(super) fn docker(claims: &UnverifiedClaims) -> Result<String, String> {
    let facts = ci(claims).map_or(&UNKNOWN, Ci::rule);
    match (facts.docker_connection, claims.text("sub")) {
        (Some(issuer), Some(_)) if claims.text("iss") == Some(issuer) => {
            narrow::strangers(claims, facts)?;
            Ok(format!("subject: {}", json(&narrow::writable(claims, "sub")?)))
        }
        (Some(_), _) => Err("Docker's OIDC connections accept the issuer of github.com only".to_owned()),
        (None, _) => Err("Docker's OIDC connections accept GitHub Actions only".to_owned()),
    }
}

/// A rule of our broker with the issuer that it names, in TOML.
pub(super) fn broker(claims: &UnverifiedClaims, algorithm: Option<&str>) -> Result<String, String> {
    let Narrow { project, bound } = narrow::narrow(claims)?;
    if claims.audiences().len() > 1 {
        return Err("the token names several audiences, and a broker takes it for its own only".to_owned());
    }
    let ci = ci(claims);
    let name = ci.map_or("this-issuer", Ci::name);
    let mut rule = format!("[[issuer]]\nname = \"{name}\"\nkind = \"{}\"\n", ci.map_or("other", Ci::name));
    rule.push_str(&format!("url = {}\n", toml(&Value::from(claims.text("iss").unwrap_or_default()))));
    if ci.is_none() {
        rule.push_str(&format!("project_claim = \"{project}\"\n"));
    }
    rule.push_str(match algorithm {
        None | Some("RS256") => "",
        Some("ES256") => "algorithm = \"ES256\"\n",
        Some(_) => return Err("the token is signed with neither RS256 nor ES256".to_owned()),
    });
    let counts_once = ci.is_some_and(|ci| ci.token().identity_use == IdentityUse::Once);
    if counts_once && claims.text("jti").is_none_or(str::is_empty) {
        rule.push_str("identity_use = \"reusable\"\n");
    }
    rule.push_str(&format!("\n[[rule]]\nname = \"this-job\"\nissuer = \"{name}\"\naccount = \"YOUR-ACCOUNT\"\n"));
    rule.push_str("repositories = [\"YOUR-ORGANIZATION/YOUR-REPOSITORY\"]\nactions = [\"pull\", \"push\"]\n");
    rule.push_str("max_life_seconds = 900\n\n[rule.claims]\n");
    for (name, value) in bound {
        rule.push_str(&format!("{} = {}\n", toml(&Value::from(name)), toml(&value)));
    }
    Ok(rule.trim_end().to_owned())
}

/// Which audience a login at Vault brings.
pub(super) enum VaultAudience<'a> {
    /// The token's: somebody else asked for it, and it is what it is.
    OfToken,
    /// The one that is asked for.
    Asked(&'a str),
    /// Vault's address, which is not known here.
    OfVault,
}

/// A role of Vault's JWT method, as the body of `vault write auth/jwt/role/NAME -`.
pub(super) fn vault(claims: &UnverifiedClaims, audience: &VaultAudience<'_>) -> Result<String, String> {
    let Narrow { project, bound } = narrow::narrow(claims)?;
    let audiences = match audience {
        VaultAudience::OfToken if claims.audiences().is_empty() => {
            return Err("the token names no audience, and a role binds one".to_owned());
        }
        VaultAudience::OfToken => claims.audiences(),
        VaultAudience::Asked(audience) => vec![*audience],
        VaultAudience::OfVault => vec![VAULT_ADDRESS],
    };
    // Vault takes a JSON pointer for a claim's name in `bound_claims`, but here only by a setting that not every version has.
    let user_claim = if project.starts_with('/') { "sub" } else { project };
    let role = json!({
        "role_type": "jwt",
        "user_claim": user_claim,
        "bound_audiences": audiences,
        "bound_claims_type": "string",
        "bound_claims": bound,
        "token_policies": ["dockerhub"],
        "token_ttl": "15m",
        "token_type": "service",
    });
    serde_json::to_string_pretty(&role)
        .map(|role| harmless(&role, json_escape))
        .map_err(|_impossible| "the claims cannot be written as JSON".to_owned())
}

/// JSON as it may stand in any log.
pub(super) fn json(value: &Value) -> String {
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

    use super::{json, toml};

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
}
