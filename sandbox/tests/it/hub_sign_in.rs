//! Signing in to the Docker Hub API, and what a bearer is good for.

use hublease_sandbox::{ACCOUNT, PASSWORD, Sandbox, TEST_TOTP_CODE};
use serde_json::{Value, json};

use crate::support::{call_hub as call, hub_bearer};

fn bearer_with(sandbox: &Sandbox, identifier: &str, secret: &str) -> String {
    let answer = call(sandbox, "POST /v2/auth/token", "", &json!({ "identifier": identifier, "secret": secret }));
    assert_eq!(answer.status, 200, "{}", answer.json());
    format!("authorization: Bearer {}\r\n", answer.json()["access_token"].as_str().unwrap())
}

#[test]
fn a_bearer_from_a_token_may_not_manage_tokens() {
    let sandbox = Sandbox::start().unwrap();
    let (personal, _) = sandbox.hub().personal_token(ACCOUNT, "admin", &["repo:admin"], None);
    let (organization, _) =
        sandbox.hub().organization_token("acme", "all", &[("acme/*", &["scope-repository-admin"])], None);
    for (name, secret, text) in [
        (ACCOUNT, personal, "token issued from personal access token is not allowed"),
        ("acme", organization, "token issued from organization access token is not allowed"),
    ] {
        let bearer = bearer_with(&sandbox, name, &secret);
        for line in ["POST /v2/access-tokens", "GET /v2/orgs/acme/access-tokens"] {
            let refused = call(&sandbox, line, &bearer, &json!({}));
            assert_eq!((refused.status, &refused.json()["detail"]), (403, &json!(text)));
            assert!(refused.json()["errinfo"].is_object());
        }
    }
}

#[test]
fn second_factor_and_sso_keep_passwords_out() {
    let sandbox = Sandbox::start().unwrap();
    let password = json!({ "username": ACCOUNT, "password": PASSWORD });
    sandbox.hub().set_two_factor(ACCOUNT, true);
    let asked = call(&sandbox, "POST /v2/users/login", "", &password);
    assert_eq!(asked.status, 401);
    let step = asked.json()["login_2fa_token"].clone();
    let code = json!({ "login_2fa_token": step, "code": TEST_TOTP_CODE });
    assert_eq!(call(&sandbox, "POST /v2/users/2fa-login", "", &code).status, 200);
    assert_eq!(call(&sandbox, "POST /v2/users/2fa-login", "", &code).status, 401, "a step works once");
    let modern = json!({ "identifier": ACCOUNT, "secret": PASSWORD });
    assert_eq!(call(&sandbox, "POST /v2/auth/token", "", &modern).status, 401);

    sandbox.hub().set_two_factor(ACCOUNT, false);
    sandbox.hub().enforce_sso("acme", true);
    let refused = call(&sandbox, "POST /v2/users/login", "", &password);
    assert_eq!((refused.status, refused.json()["login_2fa_token"].is_null()), (401, true));
}

#[test]
fn a_bearer_lives_ten_minutes() {
    let sandbox = Sandbox::start().unwrap();
    let bearer = hub_bearer(&sandbox);
    sandbox.advance(590);
    assert_eq!(call(&sandbox, "GET /v2/access-tokens", &bearer, &Value::Null).status, 200);
    sandbox.advance(10);
    assert_eq!(call(&sandbox, "GET /v2/access-tokens", &bearer, &Value::Null).status, 401);
}
