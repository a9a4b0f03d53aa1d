//! Which claims a role accepts, and the text of every refusal.

use serde_json::{Value, json};

use super::super::{BoundClaimsType, JwtMount, Role};
use super::{AUDIENCE, Bench, GITHUB, ORG, START, circleci_role as role, claims_with};

/// Logs in at `auth/t` with one role and one token: the refusal's text, or nothing.
fn refusal(role: Role, changes: &Value) -> String {
    let bench = Bench::empty();
    let config = JwtMount { bound_issuer: Some(format!("https://oidc.circleci.com/org/{ORG}")), ..JwtMount::default() };
    bench.vault.enable_jwt("auth/t", config);
    assert!(bench.vault.write_role("auth/t", "r", role));
    let jwt = claims_with(changes).to_string();
    let answer = bench.login("t", &json!({ "role": "r", "jwt": jwt }));
    let text = answer.error().1.to_owned();
    assert_eq!(answer.status, if text.is_empty() { 200 } else { 400 });
    text
}

/// Kind, bound claim, its value, changes to the token's claims, and why it is refused.
const BOUND: &str = r#"
    text | oidc.circleci.com/project-id   | "p"            | {}                 |
    text | oidc.circleci.com/project-id   | "q"            | {}                 | differs
    text | oidc.circleci.com/project-id   | "P"            | {}                 | differs
    text | oidc.circleci.com/project-id   | ["q","p"]      | {}                 |
    text | oidc.circleci.com/project-id   | []             | {}                 | differs
    text | /oidc.circleci.com~1project-id | "p"            | {}                 |
    text | oidc.circleci.com/context-ids  | "c2"           | {}                 |
    text | oidc.circleci.com/context-ids  | "c3"           | {}                 | differs
    text | oidc.circleci.com/ssh-rerun    | false          | {}                 |
    text | oidc.circleci.com/ssh-rerun    | "false"        | {}                 | differs
    glob | oidc.circleci.com/ssh-rerun    | "*"            | {}                 | differs
    glob | oidc.circleci.com/vcs-ref      | "refs/heads/*" | {}                 |
    glob | oidc.circleci.com/vcs-ref      | "refs/tags/*"  | {}                 | differs
    text | oidc.circleci.com/vcs-ref      | "refs/heads/*" | {}                 | differs
    text | run                            | 7              | {"run":7}          |
    text | run                            | "7"            | {"run":7}          | differs
    text | /k/ns                          | "n"            | {"k":{"ns":"n"}}   |
    text | /k/ns                          | "n"            | {"k":1}            | is missing
    text | ref                            | "x"            | {}                 | is missing
    glob | ref                            | "*"            | {}                 | is missing
"#;

#[test]
fn bound_claims() {
    for row in BOUND.trim().lines() {
        let columns: Vec<&str> = row.split('|').map(str::trim).collect();
        let [kind, claim, bound, changes, refused] = columns[..] else {
            panic!("{row}");
        };
        let json = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
        let role = Role {
            bound_claims: [(claim.to_owned(), json(bound))].into_iter().collect(),
            bound_claims_type: match kind {
                "glob" => BoundClaimsType::Glob,
                _ => BoundClaimsType::Text,
            },
            ..role()
        };
        let why = match refused {
            "differs" => "does not match any associated bound claim values",
            why => why,
        };
        let expected = match why {
            "" => String::new(),
            why => format!("error validating claims: claim {claim:?} {why}"),
        };
        assert_eq!(refusal(role, &json(changes)), expected, "{row}");
    }
}

#[test]
fn claims_that_cannot_be_compared() {
    for (bound, changes, text) in [
        (json!("x"), json!({ "k": {} }), "received claim is not a string, bool, int or list: {}"),
        (json!({}), json!({ "k": "x" }), "bound claim is not a string, bool, int or list: {}"),
    ] {
        let role = Role { bound_claims: [("k".to_owned(), bound)].into_iter().collect(), ..role() };
        assert_eq!(refusal(role, &changes), format!("error validating claims: {text}"));
    }
}

#[test]
fn issuer_subject_audience_and_user() {
    let none_bound = Role { bound_audiences: vec![], ..role() };
    let subject = Role { bound_subject: Some("x".to_owned()), ..role() };
    let user = |user_claim: &str| Role { user_claim: user_claim.to_owned(), ..role() };
    let same = json!({});
    let elsewhere = "error validating token: invalid audience (aud) claim: audience claim does not match any expected \
                     audience";
    let unbound = "audience claim found in JWT but no audiences bound to the role";
    for (role, changes, text) in [
        (role(), &same, ""),
        (role(), &json!({ "iss": GITHUB }), "error validating token: invalid issuer (iss) claim"),
        (subject.clone(), &same, "error validating token: invalid subject (sub) claim"),
        (subject, &json!({ "sub": "x" }), ""),
        (role(), &json!({ "aud": ["x", ORG] }), ""),
        (role(), &json!({ "aud": AUDIENCE }), elsewhere),
        (role(), &json!({ "aud": null }), elsewhere),
        (none_bound.clone(), &same, unbound),
        (none_bound.clone(), &json!({ "aud": ["x"] }), unbound),
        (none_bound, &json!({ "aud": null }), ""),
        (user("repository"), &same, "claim \"repository\" not found in token"),
        (user("iat"), &same, "claim \"iat\" could not be converted to string"),
    ] {
        let name = format!("{role:?} {changes}");
        assert_eq!(refusal(role, changes), text, "{name}");
    }
}

/// Leeways (expiration, not before, clock skew: 0 is the default, negative is none), time claims relative to now,
/// and why the token is refused. Without `exp` it lives 150 s from its start; without a start, from 150 s before its
/// end.
const TIMES: &str = "
     0  0   0 | exp  -60          |
     0  0   0 | exp  -61          | expired
     0  0  -1 | exp    0          |
     0  0  -1 | exp   -1          | expired
     0  0 600 | exp -600          |
     0  0   0 | exp   99 nbf   60 |
     0  0   0 | exp   99 nbf   61 | not yet
     0  0   0 | exp   99 iat   60 |
     0  0   0 | exp   99 iat   61 | not yet
     0  0   0 | iat   61 nbf    0 | future
     0  0   0 | iat -210          |
     0  0   0 | iat -211          | expired
    -1  0   0 | iat  -61          | expired
     0  0   0 | exp  210          |
     0  0   0 | exp  211          | not yet
     0 10   0 | exp   71          | not yet
     0  0   0 |                   | none
";

#[test]
fn times() {
    for row in TIMES.trim().lines() {
        let columns: Vec<&str> = row.split('|').map(str::trim).collect();
        let [leeways, claims, refused] = columns[..] else {
            panic!("{row}");
        };
        let leeways: Vec<i64> = leeways.split_whitespace().map(|leeway| leeway.parse().unwrap()).collect();
        let role = Role {
            expiration_leeway: leeways[0],
            not_before_leeway: leeways[1],
            clock_skew_leeway: leeways[2],
            ..role()
        };
        let mut changes = json!({ "iat": null, "exp": null });
        let words: Vec<&str> = claims.split_whitespace().collect();
        for pair in words.chunks(2) {
            changes[pair[0]] = START.saturating_add_signed(pair[1].parse().unwrap()).into();
        }
        let why = match refused {
            "expired" => "invalid expiration time (exp) claim: token is expired",
            "not yet" => "invalid not before (nbf) claim: token not yet valid",
            "future" => "invalid issued at (iat) claim: token issued in the future",
            "none" => "no issued at (iat), not before (nbf), or expiration time (exp) claims in token",
            why => why,
        };
        let expected = match why {
            "" => String::new(),
            why => format!("error validating token: {why}"),
        };
        assert_eq!(refusal(role, &changes), expected, "{row}");
    }
    assert_eq!(
        refusal(role(), &json!({ "exp": "soon" })),
        "error validating token: expected number value to unmarshal NumericDate"
    );
}
