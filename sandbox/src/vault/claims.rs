//! Judging a JWT's claims, after its signature.
//!
//! Follows the validator of hashicorp/cap (`jwt/jwt.go`: order, texts, leeways) and the JWT auth method's `claims.go`
//! (bound claims). The `jti` is not looked at, and a token may be used again until it expires: neither product
//! prevents replay. Guessed: how Go prints a claim that is neither text, number, boolean nor list.

use serde_json::{Map, Value};

use crate::glob;

/// Beside `exp` and `nbf` where the token lacks them and they are derived from each other.
pub(super) const DEFAULT_LEEWAY_SECONDS: i64 = 150;
/// Between the clocks, on every time claim.
pub(super) const DEFAULT_CLOCK_SKEW_SECONDS: i64 = 60;

/// What the mount and the role demand. Leeways in seconds: 0 is the default, negative is none.
pub(super) struct Expected<'role> {
    pub(super) issuer: Option<&'role str>,
    pub(super) subject: Option<&'role str>,
    pub(super) audiences: &'role [String],
    pub(super) expiration_leeway: i64,
    pub(super) not_before_leeway: i64,
    pub(super) clock_skew_leeway: i64,
    pub(super) now: u64,
}

/// The registered claims.
pub(super) fn validate(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), String> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    if expected.issuer.is_some_and(|issuer| issuer != text("iss")) {
        return Err("invalid issuer (iss) claim".to_owned());
    }
    if expected.subject.is_some_and(|subject| subject != text("sub")) {
        return Err("invalid subject (sub) claim".to_owned());
    }
    let audiences = audiences(claims);
    let bound = |audience: &&str| expected.audiences.iter().any(|bound| bound == audience);
    if !expected.audiences.is_empty() && !audiences.iter().any(bound) {
        return Err("invalid audience (aud) claim: audience claim does not match any expected audience".to_owned());
    }
    validate_times(claims, expected)
}

/// The `aud` claim, one or many.
pub(super) fn audiences(claims: &Map<String, Value>) -> Vec<&str> {
    match claims.get("aud") {
        Some(Value::String(audience)) => vec![audience],
        Some(Value::Array(audiences)) => audiences.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Every bound claim must be there and match one of its values.
pub(super) fn validate_bound(
    claims: &Map<String, Value>,
    bound_claims: &Map<String, Value>,
    use_globs: bool,
) -> Result<(), String> {
    for (name, bound) in bound_claims {
        let Some(claim) = claim(claims, name) else {
            return Err(format!("claim {name:?} is missing"));
        };
        let actual =
            as_list(claim).ok_or_else(|| format!("received claim is not a string, bool, int or list: {claim}"))?;
        let wanted =
            as_list(bound).ok_or_else(|| format!("bound claim is not a string, bool, int or list: {bound}"))?;
        let matches = |wanted: &&Value| {
            actual.iter().any(|actual| match (use_globs, wanted.as_str(), actual.as_str()) {
                (false, _, _) => actual == wanted,
                (true, Some(pattern), Some(text)) => glob::matches(pattern, text),
                // A glob role looks at strings only and skips the rest.
                (true, _, _) => false,
            })
        };
        if !wanted.iter().any(matches) {
            return Err(format!("claim {name:?} does not match any associated bound claim values"));
        }
    }
    Ok(())
}

fn validate_times(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), String> {
    let (issued_at, expiry, not_before) = (date(claims, "iat")?, date(claims, "exp")?, date(claims, "nbf")?);
    if (issued_at, expiry, not_before) == (0, 0, 0) {
        return Err("no issued at (iat), not before (nbf), or expiration time (exp) claims in token".to_owned());
    }
    let expiry = if expiry == 0 {
        issued_at.max(not_before) + leeway(expected.expiration_leeway, DEFAULT_LEEWAY_SECONDS)
    } else {
        expiry
    };
    let not_before = match (not_before, issued_at) {
        (0, 0) => expiry - leeway(expected.not_before_leeway, DEFAULT_LEEWAY_SECONDS),
        (0, issued_at) => issued_at,
        (not_before, _) => not_before,
    };
    let skew = leeway(expected.clock_skew_leeway, DEFAULT_CLOCK_SKEW_SECONDS);
    let now = i64::try_from(expected.now).unwrap_or(i64::MAX / 2);
    if now + skew < not_before {
        return Err("invalid not before (nbf) claim: token not yet valid".to_owned());
    }
    if now - skew > expiry {
        return Err("invalid expiration time (exp) claim: token is expired".to_owned());
    }
    if now + skew < issued_at {
        return Err("invalid issued at (iat) claim: token issued in the future".to_owned());
    }
    Ok(())
}

/// 0 is absent, as it is in the validator. Bounded, so that no sum below overflows.
fn date(claims: &Map<String, Value>, name: &str) -> Result<i64, String> {
    const LATEST: f64 = 4_000_000_000_000.0;
    match claims.get(name) {
        None | Some(Value::Null) => Ok(0),
        Some(value) => match value.as_f64() {
            #[expect(clippy::cast_possible_truncation, reason = "clamped to a range that i64 holds")]
            Some(seconds) => Ok(seconds.clamp(-LATEST, LATEST) as i64),
            None => Err("expected number value to unmarshal NumericDate".to_owned()),
        },
    }
}

fn leeway(configured: i64, default: i64) -> i64 {
    match configured {
        0 => default,
        seconds => seconds.max(0),
    }
}

/// A JSON pointer if it starts with a slash, else the claim's own name, slashes and all.
fn claim<'claims>(claims: &'claims Map<String, Value>, name: &str) -> Option<&'claims Value> {
    let value = match name.strip_prefix('/') {
        None => claims.get(name),
        Some(pointer) => {
            let (first, rest) =
                pointer.split_once('/').map_or((pointer, ""), |(first, _)| (first, &pointer[first.len()..]));
            claims.get(&first.replace("~1", "/").replace("~0", "~"))?.pointer(rest)
        }
    };
    value.filter(|value| !value.is_null())
}

fn as_list(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Array(values) => Some(values.iter().collect()),
        Value::String(_) | Value::Bool(_) | Value::Number(_) => Some(vec![value]),
        Value::Null | Value::Object(_) => None,
    }
}
