//! JWT logins: what is accepted, every refusal's text, tokens and MFA.

use serde_json::{Value, json};

use super::super::{BoundClaimsType, Flavour, JwtMount, Role, RoleType, TokenType};
use super::{AUDIENCE, Bench, GITHUB, ORG, START, circleci_claims, claims_with};

fn role() -> Role {
    Role {
        bound_audiences: vec![ORG.to_owned()],
        user_claim: "oidc.circleci.com/project-id".to_owned(),
        token_policies: vec!["Dockerhub".to_owned()],
        token_ttl: 600,
        ..Role::default()
    }
}

fn bound(claims: &Value) -> Role {
    Role {
        bound_claims: claims.as_object().cloned().unwrap(),
        ..role()
    }
}

fn glob(claims: &Value) -> Role {
    Role {
        bound_claims_type: BoundClaimsType::Glob,
        ..bound(claims)
    }
}

/// Logs in at `auth/t` with one role and one token.
fn log_in(role: Role, claims: &Value) -> (u16, String) {
    let bench = Bench::empty();
    let config = JwtMount {
        bound_issuer: Some(format!("https://oidc.circleci.com/org/{ORG}")),
        ..JwtMount::default()
    };
    bench.vault.enable_jwt("auth/t", config);
    assert!(bench.vault.write_role("auth/t", "r", role));
    let answer = bench.login("t", &json!({ "role": "r", "jwt": claims.to_string() }));
    (answer.status, answer.error().1.to_owned())
}

#[test]
fn claims_decide() {
    let project = json!({ "oidc.circleci.com/project-id": "p" });
    let rerun = |value: Value| json!({ "oidc.circleci.com/ssh-rerun": value });
    let reference = |value: &str| json!({ "oidc.circleci.com/vcs-ref": value });
    let mismatch = |claim: &str| {
        format!(
            "error validating claims: claim \"oidc.circleci.com/{claim}\" does not match any associated bound claim values"
        )
    };
    let token = |text: &str| format!("error validating token: {text}");
    let time = |changes: Value| claims_with(&changes);
    let no_leeway = Role {
        clock_skew_leeway: -1,
        ..role()
    };
    let no_times = json!({ "iat": null, "exp": null });
    let cases: Vec<(&str, Role, Value, Option<String>)> = vec![
        ("plain", role(), circleci_claims(), None),
        ("project", bound(&project), circleci_claims(), None),
        (
            "any of",
            bound(&json!({ "oidc.circleci.com/project-id": ["x", "p"] })),
            circleci_claims(),
            None,
        ),
        (
            "list claim",
            bound(&json!({ "oidc.circleci.com/context-ids": "c2" })),
            circleci_claims(),
            None,
        ),
        (
            "pointer",
            bound(&json!({ "/oidc.circleci.com~1project-id": "p" })),
            circleci_claims(),
            None,
        ),
        (
            "nested",
            bound(&json!({ "/k/ns": "n" })),
            claims_with(&json!({ "k": { "ns": "n" } })),
            None,
        ),
        (
            "other project",
            bound(&project),
            claims_with(&json!({ "oidc.circleci.com/project-id": "q" })),
            Some(mismatch("project-id")),
        ),
        (
            "boolean",
            bound(&rerun(json!(false))),
            circleci_claims(),
            None,
        ),
        (
            "text is no boolean",
            bound(&rerun(json!("false"))),
            circleci_claims(),
            Some(mismatch("ssh-rerun")),
        ),
        (
            "glob skips booleans",
            glob(&rerun(json!("*"))),
            circleci_claims(),
            Some(mismatch("ssh-rerun")),
        ),
        (
            "glob crosses slashes",
            glob(&reference("refs/heads/*")),
            circleci_claims(),
            None,
        ),
        (
            "glob elsewhere",
            glob(&reference("refs/tags/*")),
            circleci_claims(),
            Some(mismatch("vcs-ref")),
        ),
        (
            "no glob in text",
            bound(&reference("refs/heads/*")),
            circleci_claims(),
            Some(mismatch("vcs-ref")),
        ),
        (
            "missing claim",
            bound(&json!({ "ref": "x" })),
            circleci_claims(),
            Some("error validating claims: claim \"ref\" is missing".into()),
        ),
        (
            "odd claim",
            bound(&json!({ "k": "x" })),
            claims_with(&json!({ "k": {} })),
            Some(
                "error validating claims: received claim is not a string, bool, int or list: {}"
                    .into(),
            ),
        ),
        (
            "odd bound",
            bound(&json!({ "sub": {} })),
            circleci_claims(),
            Some(
                "error validating claims: bound claim is not a string, bool, int or list: {}"
                    .into(),
            ),
        ),
        (
            "no user claim",
            Role {
                user_claim: "repository".into(),
                ..role()
            },
            circleci_claims(),
            Some("claim \"repository\" not found in token".into()),
        ),
        (
            "user claim",
            Role {
                user_claim: "iat".into(),
                ..role()
            },
            circleci_claims(),
            Some("claim \"iat\" could not be converted to string".into()),
        ),
        (
            "subject",
            Role {
                bound_subject: Some("x".into()),
                ..role()
            },
            circleci_claims(),
            Some(token("invalid subject (sub) claim")),
        ),
        (
            "issuer",
            role(),
            claims_with(&json!({ "iss": GITHUB })),
            Some(token("invalid issuer (iss) claim")),
        ),
        (
            "aud list",
            role(),
            claims_with(&json!({ "aud": ["x", ORG] })),
            None,
        ),
        (
            "aud elsewhere",
            role(),
            claims_with(&json!({ "aud": AUDIENCE })),
            Some(token(
                "invalid audience (aud) claim: audience claim does not match any expected audience",
            )),
        ),
        (
            "aud unbound",
            Role {
                bound_audiences: vec![],
                ..role()
            },
            circleci_claims(),
            Some("audience claim found in JWT but no audiences bound to the role".into()),
        ),
        (
            "no aud, none bound",
            Role {
                bound_audiences: vec![],
                ..role()
            },
            claims_with(&json!({ "aud": null })),
            None,
        ),
        (
            "expired within skew",
            role(),
            time(json!({ "exp": START - 60 })),
            None,
        ),
        (
            "expired",
            role(),
            time(json!({ "exp": START - 61 })),
            Some(token(
                "invalid expiration time (exp) claim: token is expired",
            )),
        ),
        (
            "expired, no leeway",
            no_leeway,
            time(json!({ "exp": START - 1 })),
            Some(token(
                "invalid expiration time (exp) claim: token is expired",
            )),
        ),
        (
            "not yet",
            role(),
            time(json!({ "nbf": START + 61 })),
            Some(token("invalid not before (nbf) claim: token not yet valid")),
        ),
        ("nearly", role(), time(json!({ "nbf": START + 60 })), None),
        (
            "iat ahead",
            role(),
            time(json!({ "iat": START + 61, "nbf": START })),
            Some(token(
                "invalid issued at (iat) claim: token issued in the future",
            )),
        ),
        (
            "exp from iat",
            role(),
            time(json!({ "exp": null, "iat": START - 210 })),
            None,
        ),
        (
            "exp from iat, late",
            role(),
            time(json!({ "exp": null, "iat": START - 211 })),
            Some(token(
                "invalid expiration time (exp) claim: token is expired",
            )),
        ),
        (
            "nbf from exp",
            role(),
            time(json!({ "iat": null, "exp": START + 211 })),
            Some(token("invalid not before (nbf) claim: token not yet valid")),
        ),
        (
            "no times",
            role(),
            time(no_times),
            Some(token(
                "no issued at (iat), not before (nbf), or expiration time (exp) claims in token",
            )),
        ),
        (
            "odd time",
            role(),
            time(json!({ "exp": "soon" })),
            Some(token("expected number value to unmarshal NumericDate")),
        ),
    ];
    for (name, role, claims, refusal) in cases {
        let expected = refusal.map_or((200, String::new()), |text| (400, text));
        assert_eq!(log_in(role, &claims), expected, "{name}");
    }
}

#[test]
fn requests_are_refused_by_name() {
    let bench = Bench::new();
    let oidc = Role {
        role_type: RoleType::Oidc,
        ..role()
    };
    bench.vault.write_role("auth/jwt", "browser", oidc);
    let broken = JwtMount {
        validator_fault: Some("unsupported config type".into()),
        ..JwtMount::default()
    };
    bench.vault.enable_jwt("auth/broken", broken);
    bench.vault.write_role("auth/broken", "r", role());
    let jwt = circleci_claims().to_string();
    let foreign_keys = "error validating token: error verifying token signature: \
                        failed to verify signature: failed to verify id token signature";
    for (mount, body, refusal) in [
        ("broken", json!({ "jwt": jwt }), "missing role"),
        (
            "jwt",
            json!({ "role": "Nobody", "jwt": jwt }),
            "role \"nobody\" could not be found",
        ),
        (
            "jwt",
            json!({ "role": "browser", "jwt": jwt }),
            "role with oidc role_type is not allowed",
        ),
        ("jwt", json!({ "role": "dockerhub" }), "missing token"),
        (
            "broken",
            json!({ "role": "r", "jwt": jwt }),
            "error configuring token validator: unsupported config type",
        ),
        (
            "jwt",
            json!({ "jwt": "x.y.z" }),
            "error validating token: error verifying token signature: no known key successfully validated the token signature",
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
    assert_eq!(
        bench.login("nowhere", &json!({ "jwt": jwt })).error(),
        (403, "permission denied")
    );
    let read = bench.send("GET", "/v1/auth/jwt/login", &[], &Value::Null);
    assert_eq!(
        read.error(),
        (405, "1 error occurred:\n\t* unsupported operation\n\n")
    );
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
    assert_eq!(
        bench.vault.secrets(),
        [("vault token".to_owned(), client_token.clone())]
    );
    let lookup = bench.call(&client_token, "GET", "auth/token/lookup-self", &Value::Null);
    assert_eq!(lookup.text("/data/path"), "auth/jwt-circleci/login");
    assert_eq!(lookup.text("/data/display_name"), "jwt-circleci-p");
    assert_eq!(lookup.text("/data/expire_time"), "2023-11-14T22:23:20Z");
    assert_eq!(lookup.body["data"]["entity_id"], auth["entity_id"]);

    // The same token logs in again, without a role, and keeps its entity: nothing prevents replay.
    let again = bench.login(
        "jwt-circleci",
        &json!({ "jwt": circleci_claims().to_string() }),
    );
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
    assert_eq!(
        answer.body["auth"]["policies"],
        json!(["default", "dockerhub"]),
        "{answer:?}"
    );
}

#[test]
fn roles_shape_tokens() {
    let bench = Bench::new();
    bench.vault.set_flavour(Flavour::OpenBao);
    let batch = Role {
        token_type: TokenType::Batch,
        token_no_default_policy: true,
        token_ttl: 0,
        ..role()
    };
    bench.vault.write_role("auth/jwt", "Batch", batch);
    let body = json!({ "role": "batch", "jwt": circleci_claims().to_string() });
    let answer = bench.login("jwt", &body);
    let auth = &answer.body["auth"];
    assert!(answer.text("/auth/client_token").starts_with("b."));
    assert_eq!(
        [
            &auth["token_type"],
            &auth["accessor"],
            &auth["renewable"],
            &auth["policies"],
            &auth["lease_duration"]
        ],
        [
            &json!("batch"),
            &json!(""),
            &json!(false),
            &json!(["dockerhub"]),
            &json!(2_764_800)
        ]
    );
}

#[test]
fn mfa_is_a_success_without_a_token() {
    let bench = Bench::new();
    bench.vault.write_role(
        "auth/jwt",
        "mfa",
        Role {
            requires_mfa: true,
            ..role()
        },
    );
    let answer = bench.login(
        "jwt",
        &json!({ "role": "mfa", "jwt": circleci_claims().to_string() }),
    );
    assert_eq!(
        (answer.status, answer.text("/auth/client_token")),
        (200, String::new())
    );
    assert!(
        !answer
            .text("/auth/mfa_requirement/mfa_request_id")
            .is_empty()
    );
    assert!(answer.text("/warnings/0").contains("MFA validation"));
    assert!(bench.vault.secrets().is_empty() && bench.vault.live().is_empty());
}
