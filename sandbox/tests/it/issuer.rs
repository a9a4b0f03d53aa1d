//! Identity tokens, discovery, key sets and GitHub's request URL.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hublease_sandbox::{GITHUB_ISSUER, Sandbox};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};

use crate::support::{exchange, text, through_proxy};

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[test]
fn discovery_leads_to_the_key_that_signed() {
    let sandbox = Sandbox::start().unwrap();
    let issuer = sandbox.issuer().identity().circleci_issuer();
    let path = issuer.strip_prefix("https://oidc.circleci.com").unwrap();
    let discovery =
        through_proxy(&sandbox, "oidc.circleci.com", &format!("GET {path}/.well-known/openid-configuration"), "", b"")
            .json();
    assert_eq!(discovery["issuer"], json!(issuer));
    assert_eq!(discovery["jwks_uri"], json!(format!("{issuer}/.well-known/jwks-pub.json")));

    let keys =
        through_proxy(&sandbox, "oidc.circleci.com", &format!("GET {path}/.well-known/jwks-pub.json"), "", b"").json();
    let key = &keys["keys"][0];
    let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let public = RsaPublicKeyComponents { n: part("n"), e: part("e") };
    let verifies = |token: &str| {
        let (input, signature) = token.rsplit_once('.').unwrap();
        public
            .verify(&RSA_PKCS1_2048_8192_SHA256, input.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
            .is_ok()
    };
    assert!(verifies(&sandbox.issuer().circleci().sign()));
    assert!(!verifies(&sandbox.issuer().circleci().with_another_key().sign()));
}

#[test]
fn each_platform_has_its_own_shape() {
    let sandbox = Sandbox::start().unwrap();
    let identity = sandbox.issuer().identity();
    let circleci = claims(&sandbox.issuer().circleci().sign());
    assert_eq!(circleci["exp"].as_u64().unwrap() - circleci["iat"].as_u64().unwrap(), 3600);
    assert_eq!(circleci["aud"], json!(identity.organization_id));
    assert_eq!(circleci["oidc.circleci.com/ssh-rerun"], json!(false));
    assert!(circleci.get("jti").is_none() && circleci.get("nbf").is_none());
    assert!(circleci["sub"].as_str().unwrap().ends_with("/vcs-origin/github.com/acme/app/vcs-ref/refs/heads/main"));
    let first = claims(&sandbox.issuer().circleci_v1().sign());
    assert!(first["sub"].as_str().unwrap().ends_with(&format!("/user/{}", identity.user_id)));

    let github = claims(&sandbox.issuer().github().sign());
    assert_eq!((&github["iss"], &github["sub"]), (&json!(GITHUB_ISSUER), &json!("repo:acme/app:ref:refs/heads/main")));
    assert!(github["run_id"].is_string() && github["jti"].is_string());
    let kubernetes = claims(&sandbox.issuer().kubernetes().sign());
    assert_eq!(kubernetes["sub"], "system:serviceaccount:build:publisher");
    assert_eq!(kubernetes["kubernetes.io"]["pod"]["uid"], json!(identity.pod_uid));
}

#[test]
fn a_test_can_bend_every_part() {
    let sandbox = Sandbox::start().unwrap();
    let issuer = sandbox.issuer();
    let bent = issuer
        .circleci()
        .claim("aud", json!(["x", "y"]))
        .remove("exp")
        .header("kid", json!("other"))
        .remove_header("typ")
        .sign();
    assert_eq!((&claims(&bent)["aud"], claims(&bent).get("exp")), (&json!(["x", "y"]), None));
    assert!(issuer.verify(&bent).is_err(), "unknown kid");
    assert!(issuer.verify(&issuer.github().sign()).is_ok());
    assert!(issuer.verify(&issuer.github().unsigned()).is_err());
    assert!(issuer.verify(&issuer.github().with_another_key().sign()).is_err());
    let rotated = issuer.github().with_rotated_key().sign();
    assert!(issuer.verify(&rotated).is_err());
    issuer.publish_foreign_key(true);
    assert!(issuer.verify(&rotated).is_ok());
    issuer.set_job("11111111-2222-4333-8444-555555555555", "7");
    assert_eq!(issuer.circleci().claims()["oidc.circleci.com/job-id"], "11111111-2222-4333-8444-555555555555");
    assert!(sandbox.secrets().iter().any(|secret| secret.value == bent && secret.kind == "identity token"));
}

#[test]
fn github_gives_a_token_for_the_request_token_only() {
    let sandbox = Sandbox::start().unwrap();
    let environment: std::collections::HashMap<_, _> = sandbox.github_environment().into_iter().collect();
    let url = &environment["ACTIONS_ID_TOKEN_REQUEST_URL"];
    let (host, target) = url.strip_prefix("https://").unwrap().split_once('/').unwrap();
    let line = format!("GET /{target}&audience=https%3A%2F%2Fvault.example.com%3A8200");
    let authorization = format!("authorization: Bearer {}\r\n", environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]);
    let answer = through_proxy(&sandbox, host, &line, &authorization, b"");
    assert_eq!(answer.status, 200);
    assert_eq!(claims(answer.json()["value"].as_str().unwrap())["aud"], "https://vault.example.com:8200");
    assert_eq!(through_proxy(&sandbox, host, &line, "authorization: Bearer wrong\r\n", b"").status, 401);

    let plain = sandbox.identity_request_url();
    let (origin, target) = plain.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let request = format!("GET /{target} HTTP/1.1\r\nhost: {origin}\r\nconnection: close\r\n{authorization}\r\n");
    assert!(text(&exchange(origin, request.as_bytes())).starts_with("HTTP/1.1 200 "));
}
