//! What the RFCs demand of a server, one row per demand: where it stands, what is asked, what has to come.
//! `what_is_wrong_with_a_request_is_said_as_the_rfcs_say_it` has more than 60 lines, because a row per demand is how it is read.
//!
//! That secrets come over TLS only (RFC 6749 section 3.2, RFC 7009 section 2, RFC 6750 section 5.3) is shown beside `app`,
//! where a test can choose the peer. Demands on clients are the client's tests. Of RFC 8414, `response_types_supported` is
//! required and a list without elements must be left out (section 3.2): a server without an authorization endpoint has no
//! response types, so it is left out.

use hublease_hub::limits::RETRY_AFTER_SECONDS;
use serde_json::{Value, json};
use ureq::http::Response;

use crate::stub::{Running, client, header, text};
use crate::testing::{
    BROKER_URL, CONFIG, Trouble, World, changed, circleci_claims, circleci_form, header as jwt_header, key_a,
};

const FORM: &str = "application/x-www-form-urlencoded";
const TOKEN: &str = "/oauth/token";
const REVOKE: &str = "/oauth/revoke";
const LEASES: &str = "/leases/revoke";

/// A request: where to, as what, with which credentials.
struct Ask {
    path: &'static str,
    media_type: &'static str,
    authorization: String,
    body: String,
}

fn form(path: &'static str, body: impl Into<String>) -> Ask {
    Ask { path, media_type: FORM, authorization: String::new(), body: body.into() }
}

/// An exchange with one field taken away, and more fields.
fn exchange(without: &str, more: &str) -> Ask {
    let whole = circleci_form(&json!({}), more);
    let fields: Vec<_> = whole.split('&').filter(|field| field.split('=').next() != Some(without)).collect();
    form(TOKEN, fields.join("&"))
}

fn token(changes: &Value) -> Ask {
    form(TOKEN, circleci_form(changes, ""))
}

fn leases(authorization: &str, body: &str) -> Ask {
    let (authorization, body) = (authorization.to_owned(), body.to_owned());
    Ask { path: LEASES, media_type: "application/json", authorization, body }
}

fn bearer(changes: &Value) -> String {
    format!("Bearer {}", key_a().token(&jwt_header(), &changed(circleci_claims(), changes)))
}

fn send(running: &Running, ask: &Ask) -> Response<ureq::Body> {
    let mut request = client().post(format!("{}{}", running.url, ask.path)).header("content-type", ask.media_type);
    if !ask.authorization.is_empty() {
        request = request.header("authorization", &ask.authorization);
    }
    request.send(&ask.body).unwrap()
}

/// What holds of every answer with an error: RFC 6749 section 5.2 for its form, section 5.1 and RFC 6750 for caches.
fn error_of(response: Response<ureq::Body>) -> String {
    assert_eq!(header(&response, "content-type"), "application/json");
    assert_eq!((header(&response, "cache-control"), header(&response, "pragma")), ("no-store", "no-cache"));
    let body: Value = serde_json::from_str(&text(response)).unwrap();
    let is_allowed = |byte: u8| (0x20..=0x7e).contains(&byte) && byte != b'"' && byte != b'\\';
    for member in ["error", "error_description"] {
        assert!(body[member].as_str().unwrap().bytes().all(is_allowed), "{body}");
    }
    body["error"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_wrong_with_a_request_is_said_as_the_rfcs_say_it() {
    let world = World::new(CONFIG);
    let running = Running::start(world.broker.clone());
    let json_form = Ask { media_type: "application/json", ..exchange("", "") };
    let actor = "&actor_token=x.y.z";
    let actor_type = "&actor_token_type=urn:ietf:params:oauth:token-type:jwt";
    let saml = "&requested_token_type=urn:ietf:params:oauth:token-type:saml2";
    let other_key = crate::testing::key_b().token(&jwt_header(), &circleci_claims());
    let unsigned = exchange("subject_token", &format!("&subject_token={other_key}"));
    let wrong_type = "&subject_token_type=urn:ietf:params:oauth:token-type:saml2";
    let repeated = exchange("", "&request_id=a&request_id=b");
    let table = [
        ("RFC 8693 2.1", "grant_type is required", exchange("grant_type", ""), 400, "invalid_request"),
        (
            "RFC 8693 2.1",
            "and is the token exchange",
            form(TOKEN, "grant_type=password"),
            400,
            "unsupported_grant_type",
        ),
        ("RFC 8693 2.1", "the request is a form in the body", json_form, 400, "invalid_request"),
        ("RFC 8693 2.1", "subject_token is required", exchange("subject_token", ""), 400, "invalid_request"),
        ("RFC 8693 2.1", "subject_token_type is required", exchange("subject_token_type", ""), 400, "invalid_request"),
        (
            "RFC 8693 2.1",
            "and says how to validate",
            exchange("subject_token_type", wrong_type),
            400,
            "invalid_request",
        ),
        ("RFC 8693 2.1", "no actor_token_type alone", exchange("", actor_type), 400, "invalid_request"),
        ("RFC 8693 2.1", "no actor_token without type", exchange("", actor), 400, "invalid_request"),
        ("RFC 8693 2.1", "the token is validated: signature", unsigned, 400, "invalid_request"),
        ("RFC 8693 2.1", "the token is validated: time", token(&json!({"exp": 1})), 400, "invalid_request"),
        ("RFC 8693 2.1", "the token is validated: issuer", token(&json!({"iss": "https://x"})), 400, "invalid_request"),
        ("RFC 8693 2.1", "a type that cannot be issued", exchange("", saml), 400, "invalid_request"),
        ("RFC 8693 2.2.2", "an invalid subject_token", token(&json!({"aud": "x"})), 400, "invalid_request"),
        (
            "RFC 8693 2.2.2",
            "one that no policy accepts",
            token(&json!({"oidc.circleci.com/project-id": "p2"})),
            400,
            "invalid_request",
        ),
        ("RFC 8693 2.2.2", "another audience", exchange("", "&audience=ghcr.io"), 400, "invalid_target"),
        ("RFC 8693 2.2.2", "another resource", exchange("", "&resource=https://ghcr.io"), 400, "invalid_target"),
        ("RFC 6749 3.2", "a parameter comes once", repeated, 400, "invalid_request"),
        ("RFC 6749 3.2", "one without a value is absent", form(TOKEN, "grant_type="), 400, "invalid_request"),
        ("RFC 6749 5.2", "a scope that is malformed", exchange("", "&scope=openid"), 400, "invalid_scope"),
        (
            "RFC 6749 5.2",
            "a scope that is not granted",
            exchange("", "&scope=repository:acme/x:pull"),
            400,
            "invalid_scope",
        ),
        ("RFC 7009 2.1", "token is required", form(REVOKE, "token_type_hint=x"), 400, "invalid_request"),
        ("RFC 7009 2.1", "also when it is empty", form(REVOKE, "token="), 400, "invalid_request"),
        (
            "RFC 7009 2.1",
            "the request is a form",
            Ask { media_type: "text/plain", ..form(REVOKE, "token=x") },
            400,
            "invalid_request",
        ),
    ];
    for (section, demand, ask, status, error) in table {
        let response = send(&running, &ask);
        assert_eq!(response.status(), status, "{section}: {demand}");
        assert_eq!(error_of(response), error, "{section}: {demand}");
    }
    assert!(world.hub.tokens().is_empty(), "no refusal has made a token");
}

#[test]
fn a_token_is_issued_as_rfc_8693_says() {
    let world = World::new(CONFIG);
    let running = Running::start(world.broker.clone());
    let table = [
        (
            "RFC 8693 2.1",
            "the type may be asked for",
            "&requested_token_type=urn:ietf:params:oauth:token-type:access_token",
        ),
        ("RFC 8693 2.1", "so may the target", "&audience=docker.io"),
        ("RFC 6749 3.2", "unknown parameters are ignored", "&client_id=x&nonsense=1"),
        (
            "RFC 6749 3.2",
            "parameters without a value are absent",
            "&actor_token=&audience=&resource=&expires_in=&request_id=",
        ),
        ("RFC 6749 appendix B", "the form is UTF-8, escaped", "&n%C3%B6=%C3%A4+b"),
    ];
    for (number, (section, demand, more)) in table.into_iter().enumerate() {
        let job = json!({"oidc.circleci.com/job-id": format!("j{number}")});
        let scope = format!("&scope=repository:acme/app:push{more}");
        let response = send(&running, &form(TOKEN, circleci_form(&job, &scope)));
        assert_eq!(response.status(), 200, "{section}: {demand}");
        // RFC 6749 section 5.1, which RFC 8693 section 2.2.1 refers to.
        assert_eq!(header(&response, "content-type"), "application/json");
        assert_eq!((header(&response, "cache-control"), header(&response, "pragma")), ("no-store", "no-cache"));
        let body: Value = serde_json::from_str(&text(response)).unwrap();
        // RFC 8693 section 2.2.1: three required members, `N_A` for what is no access token, the life, and the scope because
        // it is not the one that was asked for.
        assert_eq!(body["access_token"], format!("dckr_oat_secret-token-{:04}", number + 1), "{section}: {demand}");
        assert_eq!(body["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("N_A"), &json!(900)));
        assert_eq!(body["scope"], "repository:acme/app:pull,push");
        assert_eq!(body.get("refresh_token"), None);
    }
}

#[test]
fn a_token_is_revoked_as_rfc_7009_says() {
    let world = World::new(CONFIG);
    let running = Running::start(world.broker.clone());
    let issue = |job: &str| {
        let response = send(&running, &token(&json!({"oidc.circleci.com/job-id": job})));
        let body: Value = serde_json::from_str(&text(response)).unwrap();
        format!("token={}", body["revocation_handle"].as_str().unwrap())
    };
    let (first, second) = (issue("j1"), issue("j2"));
    world.hub.trouble("DELETE", Trouble::Status(503, "{}"));
    let hint = format!("{second}&token_type_hint=nonsense");
    let table = [
        ("2.2.1", "503 while it may still exist", &first, 503, RETRY_AFTER_SECONDS.to_string()),
        ("2.2", "200 when it is revoked", &second, 200, String::new()),
        ("2.2", "200 when it was revoked before", &second, 200, String::new()),
        ("2.1", "a hint that is not understood is ignored", &hint, 200, String::new()),
        ("2.2", "200 for what was never issued", &"token=never-issued".to_owned(), 200, String::new()),
    ];
    for (section, demand, body, status, retry_after) in table {
        let response = send(&running, &form(REVOKE, body.as_str()));
        let answer = (response.status().as_u16(), header(&response, "retry-after"));
        assert_eq!(answer, (status, retry_after.as_str()), "RFC 7009 {section}: {demand}");
    }
    assert_eq!(world.hub.tokens().len(), 1, "the first is still there, and the second is not");
}

#[test]
fn other_methods_are_not_allowed() {
    let running = Running::start(World::new(CONFIG).broker);
    for (section, path) in [("RFC 6749 3.2", TOKEN), ("RFC 7009 2.1", REVOKE), ("RFC 6750 2.1", LEASES)] {
        let response = client().get(format!("{}{path}?token=x", running.url)).call().unwrap();
        // RFC 9110 section 15.5.6 wants the methods that are.
        assert_eq!((response.status().as_u16(), header(&response, "allow")), (405, "POST"), "{section}");
    }
    let metadata = format!("{}/.well-known/oauth-authorization-server", running.url);
    assert_eq!(client().post(&metadata).send("").unwrap().status(), 405, "RFC 8414 3.1");
}

#[test]
fn metadata_are_as_rfc_8414_says() {
    let running = Running::start(World::new(CONFIG).broker);
    let response = client().get(format!("{}/.well-known/oauth-authorization-server", running.url)).call().unwrap();
    assert_eq!(response.status(), 200, "3.2");
    assert_eq!(header(&response, "content-type"), "application/json", "3.2");
    let body: Value = serde_json::from_str(&text(response)).unwrap();
    let members = body.as_object().unwrap();
    assert_eq!(body["issuer"], BROKER_URL, "3.3: the same, letter by letter, as what the client was told");
    assert!(BROKER_URL.starts_with("https://") && !BROKER_URL.contains(['?', '#']), "2: issuer");
    for name in ["token_endpoint", "revocation_endpoint", "lease_revocation_endpoint"] {
        let url = body[name].as_str().unwrap();
        assert!(url.starts_with(&format!("{BROKER_URL}/")) && !url.contains('#'), "2 and RFC 6749 3.2: {name}");
    }
    let only = json!(["urn:ietf:params:oauth:grant-type:token-exchange"]);
    assert_eq!(body["grant_types_supported"], only, "2: left out it would mean others");
    assert_eq!(body["token_endpoint_auth_methods_supported"], json!(["none"]), "2: left out it would mean another");
    for (name, value) in members {
        assert!(value.as_array().is_none_or(|list| !list.is_empty()), "3.2: {name} has elements or is left out");
    }
    assert!(!members.contains_key("response_types_supported"), "see the head of this file");
}

#[test]
fn a_bearer_token_is_asked_for_as_rfc_6750_says() {
    let world = World::new(&CONFIG.replacen("actions =", "revoke_workflow = false\nactions =", 1));
    let running = Running::start(world.broker.clone());
    let valid = bearer(&json!({}));
    let own = r#"{"lease_id":"l1"}"#;
    let table = [
        ("3", "no credentials: a challenge, and no error (3.1)", String::new(), own, 401, "Bearer"),
        ("3", "another scheme is no credentials", valid.replacen("Bearer", "Basic", 1), own, 401, "Bearer"),
        ("3.1", "a token that is none", "Bearer x".to_owned(), own, 401, "Bearer error=\"invalid_token\""),
        ("3.1", "an expired token", bearer(&json!({"exp": 1})), own, 401, "Bearer error=\"invalid_token\""),
        ("3.1", "a token for others", bearer(&json!({"aud": "x"})), own, 401, "Bearer error=\"invalid_token\""),
        ("3.1", "a malformed request", valid.clone(), "{}", 400, "Bearer error=\"invalid_request\""),
        (
            "3.1",
            "more than the token allows",
            valid.clone(),
            r#"{"workflow":true}"#,
            403,
            "Bearer error=\"insufficient_scope\"",
        ),
    ];
    for (section, demand, authorization, body, status, challenge) in table {
        let response = send(&running, &leases(&authorization, body));
        assert_eq!(response.status(), status, "RFC 6750 {section}: {demand}");
        assert_eq!(header(&response, "www-authenticate"), challenge, "RFC 6750 {section}: {demand}");
        error_of(response);
    }
    // RFC 9110 section 11.1: the scheme's case does not matter.
    for authorization in [valid.clone(), valid.replacen("Bearer", "bEARER", 1)] {
        assert_eq!(send(&running, &leases(&authorization, own)).status(), 200);
    }
}
