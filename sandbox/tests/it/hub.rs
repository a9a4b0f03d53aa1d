//! The Docker Hub API and its quirks.

use hublease_sandbox::{ACCOUNT, Fault, Sandbox, Service};
use serde_json::{Value, json};

use crate::support::{call_hub as call, hub_bearer};

fn oat(label: &str) -> Value {
    let resource = json!({ "type": "TYPE_REPO", "path": "acme/app", "scopes": ["scope-image-push"] });
    json!({ "label": label, "description": "", "resources": [resource], "expires_at": null })
}

#[test]
fn a_personal_token_is_made_listed_without_its_secret_and_deleted() {
    let sandbox = Sandbox::start().unwrap();
    let bearer = hub_bearer(&sandbox);
    let body = json!({ "token_label": "hublease/1", "scopes": ["repo:write"], "expires_at": "2099-01-01T00:00:00Z" });
    let created = call(&sandbox, "POST /v2/access-tokens", &bearer, &body);
    assert_eq!(created.status, 201);
    let uuid = created.json()["uuid"].as_str().unwrap().to_owned();
    assert!(created.json()["token"].as_str().unwrap().starts_with("dckr_pat_"));
    assert_eq!(created.json()["expires_at"], "2099-01-01T00:00:00Z");
    assert!(created.header("x-ratelimit-limit").is_some());
    assert_eq!(sandbox.live()[0].id, uuid);

    let listed = call(&sandbox, "GET /v2/access-tokens?page_size=1", &bearer, &Value::Null).json();
    assert_eq!(
        (&listed["count"], &listed["active_count"], &listed["results"][0]["token"]),
        (&json!(1), &json!(1), &json!(""))
    );
    assert_eq!(listed["next"], Value::Null);

    let path = format!("DELETE /v2/access-tokens/{uuid}");
    assert_eq!(call(&sandbox, &path, &bearer, &Value::Null).status, 204);
    assert_eq!(call(&sandbox, &path, &bearer, &Value::Null).status, 404);
    assert!(sandbox.live().is_empty());
}

#[test]
fn lists_come_in_pages() {
    let sandbox = Sandbox::start().unwrap();
    for number in 0..5 {
        sandbox.hub().personal_token(ACCOUNT, &format!("t{number}"), &["repo:read"], None);
    }
    let bearer = hub_bearer(&sandbox);
    let second = call(&sandbox, "GET /v2/access-tokens?page=2&page_size=2", &bearer, &Value::Null).json();
    assert_eq!(second["results"].as_array().unwrap().len(), 2);
    assert_eq!(second["next"], "https://hub.docker.com/v2/access-tokens?page=3&page_size=2");
    assert_eq!(second["previous"], "https://hub.docker.com/v2/access-tokens?page=1&page_size=2");
    let last = call(&sandbox, "GET /v2/access-tokens?page=3&page_size=2", &bearer, &Value::Null).json();
    assert_eq!((last["results"].as_array().unwrap().len(), &last["next"]), (1, &Value::Null));
}

#[test]
fn expired_organization_tokens_count_until_they_are_deleted() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.hub().set_quota("acme", 2);
    let mut soon = oat("soon");
    soon["expires_at"] = json!("2099-01-01T00:00:00Z");
    let bearer = hub_bearer(&sandbox);
    let path = "POST /v2/orgs/acme/access-tokens";
    let first = call(&sandbox, path, &bearer, &soon);
    assert_eq!(first.status, 201);
    assert!(first.json()["token"].as_str().unwrap().starts_with("dckr_oat_"));
    assert_eq!(call(&sandbox, path, &bearer, &oat("b")).status, 201);
    assert_eq!(call(&sandbox, path, &bearer, &oat("c")).status, 403);

    sandbox.advance(4_070_908_801 - sandbox.now());
    let bearer = hub_bearer(&sandbox);
    assert_eq!(sandbox.live().len(), 1, "the first has expired");
    assert_eq!(call(&sandbox, path, &bearer, &oat("c")).status, 403, "and still counts");
    let listed = call(&sandbox, "GET /v2/orgs/acme/access-tokens", &bearer, &Value::Null).json();
    assert_eq!(listed["total"], 2);
    let id = first.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(call(&sandbox, &format!("DELETE /v2/orgs/acme/access-tokens/{id}"), &bearer, &Value::Null).status, 204);
    assert_eq!(call(&sandbox, path, &bearer, &oat("c")).status, 201);
}

#[test]
fn bad_values_are_refused_with_the_field_named() {
    let sandbox = Sandbox::start().unwrap();
    let bearer = hub_bearer(&sandbox);
    for (field, body) in [
        ("token_label", json!({ "token_label": "", "scopes": ["repo:read"] })),
        ("token_label", json!({ "token_label": "x".repeat(101), "scopes": ["repo:read"] })),
        ("scopes", json!({ "token_label": "x", "scopes": [] })),
        ("scopes", json!({ "token_label": "x", "scopes": ["repo:everything"] })),
        (
            "expires_at",
            json!({ "token_label": "x", "scopes": ["repo:read"], "expires_at": "2099-01-01T00:00:00+00:00" }),
        ),
        ("expires_at", json!({ "token_label": "x", "scopes": ["repo:read"], "expires_at": "2001-01-01T00:00:00Z" })),
    ] {
        let refused = call(&sandbox, "POST /v2/access-tokens", &bearer, &body);
        assert_eq!(refused.status, 400, "{body}");
        assert!(refused.json()["fields"].get(field).is_some(), "{}", refused.json());
        assert!(refused.json()["text"].is_string());
    }
    let mut foreign = oat("x");
    foreign["resources"][0]["path"] = json!("other/app");
    assert_eq!(call(&sandbox, "POST /v2/orgs/acme/access-tokens", &bearer, &foreign).status, 400);
    assert_eq!(call(&sandbox, "GET /v2/orgs/nobody/access-tokens", &bearer, &Value::Null).status, 404);
}

#[test]
fn too_many_requests_say_when_to_come_back() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.hub().set_rate_limit(0);
    let answer = call(&sandbox, "GET /v2/access-tokens", "", &Value::Null);
    assert_eq!(
        (answer.status, answer.header("retry-after"), answer.header("x-ratelimit-remaining")),
        (429, Some("1"), Some("0"))
    );
    // A fault puts its own 429 before the service.
    sandbox.fault(Fault::on(Service::Hub, "/v2/"));
    assert_eq!(call(&sandbox, "GET /v2/access-tokens", "", &Value::Null).status, 503);
}
