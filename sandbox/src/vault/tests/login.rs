//! JWT logins: the request, its refusals, what a login answers, MFA.

use serde_json::{Value, json};

use super::super::{Flavour, JwtMount, Role, RoleType, TokenType};
use super::{AUDIENCE, Bench, GITHUB, START, circleci_claims, circleci_role as role};

#[test]
fn requests_are_refused_by_name() {
    let bench = Bench::new();
    let oidc = Role { role_type: RoleType::Oidc, ..role() };
    bench.vault.write_role("auth/jwt", "browser", oidc);
    let broken = JwtMount { validator_fault: Some("unsupported config type".into()), ..JwtMount::default() };
    bench.vault.enable_jwt("auth/broken", broken);
    bench.vault.write_role("auth/broken", "r", role());
    let jwt = circleci_claims().to_string();
    let foreign_keys = "error validating token: error verifying token signature: \
                        failed to verify signature: failed to verify id token signature";
    for (mount, body, refusal) in [
        ("broken", json!({ "jwt": jwt }), "missing role"),
        ("jwt", json!({ "role": "Nobody", "jwt": jwt }), "role \"nobody\" could not be found"),
        ("jwt", json!({ "role": "browser", "jwt": jwt }), "role with oidc role_type is not allowed"),
        ("jwt", json!({ "role": "dockerhub" }), "missing token"),
        ("broken", json!({ "role": "r", "jwt": jwt }), "error configuring token validator: unsupported config type"),
        (
            "jwt",
            json!({ "jwt": "x.y.z" }),
            "error validating token: error verifying token signature: failed to verify id token signature",
        ),
        ("jwt-github", json!({ "jwt": jwt }), foreign_keys),
        (
            "jwt",
            json!({ "role": ["dockerhub"] }),
            "Field validation failed: error converting input for field \"role\": expected type 'string'",
        ),
    ] {
        assert_eq!(bench.login(mount, &body).error(), (400, refusal), "{mount}");
    }
    assert_eq!(bench.login("nowhere", &json!({ "jwt": jwt })).error(), (403, "permission denied"));
    let read = bench.send("GET", "/v1/auth/jwt/login", &[], &Value::Null);
    assert_eq!(read.error(), (405, "1 error occurred:\n\t* unsupported operation\n\n"));
    assert!(bench.vault.secrets().is_empty());
}

#[test]
fn a_login_answers_the_whole_envelope() {
    let bench = Bench::new();
    let body = json!({ "role": "DockerHub", "jwt": circleci_claims().to_string() });
    let answer = bench.send("PUT", "/v1/auth/jwt-circleci/login", &[], &body);
    assert_eq!(answer.status, 200);
    let auth = &answer.body["auth"];
    let client_token = answer.text("/auth/client_token");
    assert_eq!(
        answer.body,
        json!({
            "request_id": answer.body["request_id"],
            "lease_id": "", "renewable": false, "lease_duration": 0,
            "data": null, "wrap_info": null, "warnings": null,
            "auth": {
                "client_token": client_token, "accessor": auth["accessor"],
                "policies": ["default", "dockerhub"], "token_policies": ["default", "dockerhub"],
                "identity_policies": null, "metadata": { "role": "dockerhub" },
                "lease_duration": 600, "renewable": true, "entity_id": auth["entity_id"],
                "token_type": "service", "orphan": true, "mfa_requirement": null, "num_uses": 0,
            },
        })
    );
    assert!(client_token.starts_with("hvs."));
    assert_eq!(bench.vault.secrets(), [("vault token".to_owned(), client_token.clone())]);
    let lookup = bench.call(&client_token, "GET", "auth/token/lookup-self", &Value::Null);
    assert_eq!(lookup.text("/data/path"), "auth/jwt-circleci/login");
    assert_eq!(lookup.text("/data/display_name"), "jwt-circleci-p");
    assert_eq!(lookup.text("/data/expire_time"), "2023-11-14T22:23:20Z");
    assert_eq!(lookup.body["data"]["entity_id"], auth["entity_id"]);

    // The same token logs in again, without a role, and keeps its entity: nothing prevents replay.
    let again = bench.login("jwt-circleci", &json!({ "jwt": circleci_claims().to_string() }));
    assert_eq!(again.body["auth"]["entity_id"], auth["entity_id"]);
    assert_ne!(again.text("/auth/client_token"), client_token);
}

#[test]
fn github_logs_in_at_its_own_mount() {
    let bench = Bench::new();
    let claims = json!({
        "iss": GITHUB, "aud": AUDIENCE, "sub": "repo:acme/app:ref:refs/heads/main",
        "repository": "acme/app", "iat": START, "nbf": START - 600, "exp": START + 300,
    });
    let answer = bench.login("jwt-github", &json!({ "jwt": claims.to_string() }));
    assert_eq!(answer.body["auth"]["policies"], json!(["default", "dockerhub"]), "{answer:?}");
}

#[test]
fn roles_shape_tokens() {
    let bench = Bench::new();
    bench.vault.set_flavour(Flavour::OpenBao);
    let batch = Role { token_type: TokenType::Batch, token_no_default_policy: true, token_ttl: 0, ..role() };
    bench.vault.write_role("auth/jwt", "Batch", batch);
    let body = json!({ "role": "batch", "jwt": circleci_claims().to_string() });
    let answer = bench.login("jwt", &body);
    let auth = &answer.body["auth"];
    assert!(answer.text("/auth/client_token").starts_with("b."));
    assert_eq!(
        [&auth["token_type"], &auth["accessor"], &auth["renewable"], &auth["policies"], &auth["lease_duration"]],
        [&json!("batch"), &json!(""), &json!(false), &json!(["dockerhub"]), &json!(2_764_800)]
    );
}

#[test]
fn mfa_is_a_success_without_a_token() {
    let bench = Bench::new();
    bench.vault.write_role("auth/jwt", "mfa", Role { requires_mfa: true, ..role() });
    let answer = bench.login("jwt", &json!({ "role": "mfa", "jwt": circleci_claims().to_string() }));
    assert_eq!((answer.status, answer.text("/auth/client_token")), (200, String::new()));
    assert!(!answer.text("/auth/mfa_requirement/mfa_request_id").is_empty());
    assert!(answer.text("/warnings/0").contains("MFA validation"));
    assert!(bench.vault.secrets().is_empty() && bench.vault.live().is_empty());
}
