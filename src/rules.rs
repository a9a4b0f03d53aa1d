//! The narrowest rule that would accept a job, ready to paste, for each provider.
//!
//! Every value is a claim of an unverified token, so it is written as a JSON or TOML string: it cannot end the string
//! it stands in. Which claims are bound, and why, is in SECURITY.md: a project by its id, a branch or environment,
//! and for CircleCI no re-run over SSH.

use serde_json::{Map, Value, json};

use crate::{claims::UnverifiedClaims, identity::Ci};

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const CIRCLECI: &str = "https://oidc.circleci.com/org/";

/// Which CI system issued the token, by its `iss`.
pub(crate) fn ci(claims: &UnverifiedClaims) -> Option<Ci> {
    let issuer = claims.text("iss")?;
    if issuer == GITHUB || issuer.starts_with("https://token.actions.githubusercontent.com/") {
        Some(Ci::Github)
    } else {
        issuer.starts_with(CIRCLECI).then_some(Ci::Circleci)
    }
}

/// The `sub` of a ruleset of Docker's OIDC connection; GitHub only.
pub(crate) fn docker(claims: &UnverifiedClaims) -> Result<String, &'static str> {
    match (ci(claims), claims.text("sub")) {
        (Some(Ci::Github), Some(subject)) => Ok(format!("subject: {}", json!(subject))),
        _ => Err("Docker's OIDC connections accept GitHub Actions only"),
    }
}

/// A rule of our broker, in TOML. A JSON string without control characters is a TOML string too.
pub(crate) fn broker(claims: &UnverifiedClaims) -> Result<String, &'static str> {
    let issuer = claims.text("iss").ok_or("the token names no issuer")?;
    let mut rule = format!("[[rules]]\nname = \"this-job\"\nissuer = {}\n", text(issuer));
    rule.push_str("account = \"YOUR-ACCOUNT\"\nrepositories = [\"YOUR-ORGANIZATION/YOUR-REPOSITORY\"]\nactions = [\"pull\", \"push\"]\nmax_life = 900\n\n[rules.claims]\n");
    for (name, value) in bound(claims) {
        rule.push_str(&format!(
            "{} = {}\n",
            text(&name),
            if let Value::String(value) = &value { text(value) } else { value.to_string() }
        ));
    }
    Ok(rule.trim_end().to_owned())
}

/// A role of Vault's JWT method, as the body of `vault write auth/jwt/role/NAME -`.
pub(crate) fn vault(claims: &UnverifiedClaims, path: Option<&str>) -> Result<String, &'static str> {
    let user_claim = match ci(claims) {
        Some(Ci::Github) => "repository_id",
        Some(Ci::Circleci) => "oidc.circleci.com/project-id",
        None => "sub",
    };
    if claims.text(user_claim).is_none() {
        return Err("the token has no claim that names the project");
    }
    let role = json!({
        "role_type": "jwt",
        "user_claim": user_claim,
        "bound_audiences": claims.audiences(),
        "bound_claims_type": "string",
        "bound_claims": Value::Object(bound(claims)),
        "token_policies": [path.map_or("dockerhub", |_| "dockerhub")],
        "token_ttl": "15m",
        "token_type": "service",
    });
    serde_json::to_string_pretty(&role).map_err(|_impossible| "the claims cannot be written as JSON")
}

/// The claims to bind: who, and where from.
fn bound(claims: &UnverifiedClaims) -> Map<String, Value> {
    let names: &[&str] = match ci(claims) {
        // An environment can be protected; without one the workflow file and the ref have to do.
        Some(Ci::Github) if claims.text("environment").is_some() => {
            &["repository_id", "repository_owner_id", "environment"]
        }
        Some(Ci::Github) => &["repository_id", "repository_owner_id", "event_name", "ref", "workflow_ref"],
        Some(Ci::Circleci) => &[
            "oidc.circleci.com/project-id",
            "oidc.circleci.com/vcs-origin",
            "oidc.circleci.com/vcs-ref",
            "oidc.circleci.com/ssh-rerun",
        ],
        None => &["sub"],
    };
    names.iter().filter_map(|name| claims.value(name).map(|value| ((*name).to_owned(), value.clone()))).collect()
}

/// A JSON string with everything escaped that TOML, a terminal or a CI log would take for more than text.
fn text(value: &str) -> String {
    let mut quoted = String::from("\"");
    for character in value.chars().take(1024) {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            ' '..='~' => quoted.push(character),
            other => quoted.push_str(&format!("\\u{:04x}", u32::from(other).min(0xffff))),
        }
    }
    quoted.push('"');
    quoted
}
