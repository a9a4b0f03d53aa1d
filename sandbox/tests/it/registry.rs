//! The token server's scope rules and the built-in registry.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hublease_sandbox::{ACCOUNT, PASSWORD, Sandbox};
use serde_json::{Value, json};

use crate::support::{Answer, through_proxy};

fn token(sandbox: &Sandbox, credentials: Option<(&str, &str)>, scope: &str) -> Answer {
    let basic = credentials
        .map(|(name, secret)| format!("authorization: Basic {}\r\n", STANDARD.encode(format!("{name}:{secret}"))));
    let line = format!("GET /token?service=registry.docker.io&scope={}", scope.replace(':', "%3A"));
    through_proxy(sandbox, "auth.docker.io", &line, &basic.unwrap_or_default(), b"")
}

fn access(answer: &Answer) -> Value {
    let body = answer.json();
    let payload = body["token"].as_str().expect("a token").split('.').nth(1).expect("a payload").to_owned();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    claims["access"].clone()
}

fn bearer(answer: &Answer) -> String {
    format!("authorization: Bearer {}\r\n", answer.json()["token"].as_str().unwrap())
}

#[test]
fn a_bearer_may_be_handed_out_with_a_part_of_its_life_left() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_bearer_left(20);
    let answer = token(&sandbox, Some((ACCOUNT, PASSWORD)), "repository:acme/app:pull");
    let head =
        |answer: &Answer| through_proxy(&sandbox, "registry-1.docker.io", "GET /v2/", &bearer(answer), b"").status;
    assert_eq!((&answer.json()["expires_in"], head(&answer)), (&json!(300), 200));
    sandbox.advance(21);
    assert_eq!(head(&answer), 401);
    sandbox.set_bearer_left(300);
    let whole = token(&sandbox, Some((ACCOUNT, PASSWORD)), "repository:acme/app:pull");
    sandbox.advance(200);
    assert_eq!(head(&whole), 200);
    let issued_at = |answer: &Answer| answer.json()["issued_at"].as_str().unwrap().to_owned();
    assert!(issued_at(&answer) < issued_at(&whole));
}

#[test]
fn what_is_granted_is_the_intersection() {
    let sandbox = Sandbox::start().unwrap();
    let password = Some((ACCOUNT, PASSWORD));
    let everything = token(&sandbox, password, "repository:acme/app:pull,push");
    assert_eq!(access(&everything), json!([{ "type": "repository", "name": "acme/app", "actions": ["pull", "push"] }]));
    assert_eq!(access(&token(&sandbox, password, "repository:other/app:pull,push")), json!([]));
    let public = json!([{ "type": "repository", "name": "library/alpine", "actions": ["pull"] }]);
    assert_eq!(access(&token(&sandbox, password, "repository:library/alpine:pull,push")), public);
    assert_eq!(access(&token(&sandbox, None, "repository:library/alpine:pull")), public);
    assert_eq!(access(&token(&sandbox, None, "repository:acme/app:pull")), json!([]));
    let two = token(&sandbox, password, "repository:acme/app:pull&scope=repository:acme/base:pull");
    assert_eq!(access(&two).as_array().unwrap().len(), 2);
}

#[test]
fn a_token_of_limited_reach_is_refused_more_than_it_has() {
    let sandbox = Sandbox::start().unwrap();
    let (reader, _) = sandbox.hub().personal_token(ACCOUNT, "reader", &["repo:read"], None);
    let (pusher, _) = sandbox.hub().organization_token("acme", "pusher", &[("acme/app", &["scope-image-push"])], None);
    let (public, _) =
        sandbox.hub().organization_token("acme", "public", &[("*/*/public", &["scope-image-pull"])], None);
    let resources: [(&str, &[&str]); 2] = [("acme/app", &["scope-image-push"]), ("*/*/public", &["scope-image-pull"])];
    let (both, _) = sandbox.hub().organization_token("acme", "both", &resources, None);
    for (name, secret, scope, status) in [
        (ACCOUNT, &reader, "repository:acme/app:pull", 200),
        (ACCOUNT, &reader, "repository:acme/app:pull,push", 401),
        ("acme", &pusher, "repository:acme/app:pull,push", 200),
        ("acme", &pusher, "repository:acme/base:pull", 401),
        ("acme", &pusher, "repository:library/alpine:pull", 401),
        ("acme", &public, "repository:library/alpine:pull", 200),
        ("acme", &public, "repository:library/alpine:pull,push", 200),
        ("acme", &public, "repository:acme/app:pull", 401),
        ("acme", &both, "repository:library/alpine:pull", 200),
        ("acme", &both, "repository:acme/app:pull,push+repository:library/alpine:pull", 200),
        ("acme", &both, "repository:acme/base:pull", 401),
        ("acme", &pusher, "repository:acme/app:pull,push+repository:library/alpine:pull", 401),
        (ACCOUNT, &pusher, "repository:acme/app:pull", 401),
    ] {
        let answer = token(&sandbox, Some((name, secret)), scope);
        assert_eq!(answer.status, status, "{name} {scope}");
    }
    let refused = token(&sandbox, Some((ACCOUNT, &reader)), "repository:acme/app:push");
    assert_eq!(refused.json(), json!({ "details": "access token has insufficient scopes" }));
}

#[test]
fn a_bearer_outlives_its_token_by_five_minutes_at_most() {
    let sandbox = Sandbox::start().unwrap();
    let (secret, uuid) = sandbox.hub().personal_token(ACCOUNT, "ci", &["repo:read"], None);
    let line = "GET /v2/acme/app/manifests/latest";
    let bearer = bearer(&token(&sandbox, Some((ACCOUNT, &secret)), "repository:acme/app:pull"));
    assert!(sandbox.hub().delete_token(&uuid));
    assert_eq!(token(&sandbox, Some((ACCOUNT, &secret)), "repository:acme/app:pull").status, 401);
    assert_eq!(through_proxy(&sandbox, "registry-1.docker.io", line, &bearer, b"").status, 200);
    sandbox.advance(300);
    assert_eq!(through_proxy(&sandbox, "registry-1.docker.io", line, &bearer, b"").status, 401);
}

#[test]
fn pulls_are_counted_and_head_is_free() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_pull_limit(Some(1));
    let line = "/v2/ratelimitpreview/test/manifests/latest";
    let bearer = bearer(&token(&sandbox, None, "repository:ratelimitpreview/test:pull"));
    let call =
        |method: &str| through_proxy(&sandbox, "registry-1.docker.io", &format!("{method} {line}"), &bearer, b"");
    let head = call("HEAD");
    assert_eq!(
        (head.status, head.header("ratelimit-limit"), head.header("ratelimit-remaining")),
        (200, Some("1;w=21600"), Some("1;w=21600"))
    );
    assert!(head.body.is_empty());
    assert_ne!(head.header("content-length"), Some("0"));
    assert_eq!((call("GET").status, call("GET").status, call("HEAD").status), (200, 429, 200));
    assert_eq!(call("HEAD").header("ratelimit-remaining"), Some("0;w=21600"));
    sandbox.set_pull_limit(None);
    assert_eq!(call("GET").header("ratelimit-limit"), None);
}

#[test]
fn push_rights_can_be_probed() {
    let sandbox = Sandbox::start().unwrap();
    let bearer = bearer(&token(&sandbox, Some((ACCOUNT, PASSWORD)), "repository:acme/app:pull,push"));
    let opened = through_proxy(&sandbox, "registry-1.docker.io", "POST /v2/acme/app/blobs/uploads/", &bearer, b"");
    assert_eq!(opened.status, 202);
    let cancel = format!("DELETE {}", opened.header("location").unwrap());
    assert_eq!(through_proxy(&sandbox, "registry-1.docker.io", &cancel, &bearer, b"").status, 204);
    let refused = through_proxy(&sandbox, "dhi.io", "POST /v2/acme/base/blobs/uploads/", &bearer, b"");
    assert_eq!(refused.status, 401);
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(
        challenge.ends_with("scope=\"repository:acme/base:pull,push\",error=\"insufficient_scope\""),
        "{challenge}"
    );
}
