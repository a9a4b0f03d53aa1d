//! What a client sees: the shared wire types over real HTTP, every refusal with its RFC form, and the limits.
//! The tables are longer than a function should be, because a row per line is how they are read.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use hublease_broker::limits::MAX_IN_FLIGHT;
use hublease_protocol::oauth::{
    Code, ErrorResponse, ExchangeRequest, ExchangeResponse, HINT_REVOCATION_HANDLE, Metadata, Revocation,
    RevocationResponse, TOKEN_TYPE_ID_TOKEN, revocation_form,
};
use serde_json::{Value, json};

use crate::stub::{Running, client, header, post_form, text};
use crate::testing::{
    BROKER_URL, CONFIG, NOW, Trouble, World, circleci_claims, circleci_form, header as jwt_header, key_a,
};

fn start() -> (World, Running) {
    let world = World::new(CONFIG);
    let running = Running::start(world.broker.clone());
    (world, running)
}

#[test]
fn a_client_exchanges_and_revokes_with_the_shared_types() {
    let (world, running) = start();
    let token = key_a().token(&jwt_header(), &circleci_claims());
    let request = ExchangeRequest {
        subject_token: &token,
        subject_token_type: TOKEN_TYPE_ID_TOKEN,
        connection_id: None,
        expires_in: Some(300),
        scope: Some("repository:acme/app:pull"),
        request_id: Some("r1"),
        request_challenge: None,
        request_verifier: None,
    };
    let response = post_form(&format!("{}/oauth/token", running.url), &request.to_form());
    assert_eq!(response.status(), 200);
    assert_eq!(header(&response, "content-type"), "application/json");
    assert_eq!(header(&response, "cache-control"), "no-store");
    assert_eq!(header(&response, "pragma"), "no-cache");
    let parts = ExchangeResponse::decode(text(response).as_bytes()).ok().unwrap().into_parts();
    assert_eq!(parts.access_token, "dckr_oat_secret-token-0001");
    assert_eq!(parts.issued.token_type.as_deref(), Some("N_A"));
    assert_eq!(parts.issued.issued_token_type.as_deref(), Some("urn:ietf:params:oauth:token-type:access_token"));
    assert_eq!((parts.issued.username.as_deref(), parts.issued.registry.as_deref()), (Some("acme"), Some("docker.io")));
    assert_eq!((parts.issued.expires_in, parts.issued.scope.as_deref()), (Some(300), Some("repository:acme/app:pull")));
    assert!(parts.issued.lease_id.is_some());

    let form = revocation_form(&parts.revocation_handle.unwrap(), Some(HINT_REVOCATION_HANDLE));
    for form in [form.as_str(), &form, "token=unknown"] {
        let response = post_form(&format!("{}/oauth/revoke", running.url), form);
        assert_eq!((response.status().as_u16(), header(&response, "cache-control")), (200, "no-store"));
        let expected = if form == "token=unknown" { Revocation::Unknown } else { Revocation::Confirmed };
        assert_eq!(RevocationResponse::decode(text(response).as_bytes()).unwrap().revocation, expected);
    }
    assert!(world.hub.tokens().is_empty());
}

#[test]
fn refusals_have_their_rfc_form() {
    let (world, running) = start();
    let url = format!("{}/oauth/token", running.url);
    let wrong = |changes: Value| circleci_form(&changes, "");
    let table = [
        (String::new(), 400, "invalid_request", "malformed_request"),
        ("grant_type=password".to_owned(), 400, "unsupported_grant_type", "grant_type_unsupported"),
        (wrong(json!({"aud": "x"})), 400, "invalid_request", "audience_mismatch"),
        (wrong(json!({"exp": 1})), 400, "invalid_request", "token_expired"),
        (wrong(json!({"iss": "https://evil.example"})), 400, "invalid_request", "issuer_unknown"),
        (wrong(json!({"oidc.circleci.com/project-id": "p2"})), 400, "invalid_request", "no_rule_matches"),
        (circleci_form(&json!({}), "&scope=openid"), 400, "invalid_scope", "scope_invalid"),
        (circleci_form(&json!({}), "&scope=repository:acme/x:pull"), 400, "invalid_scope", "scope_not_granted"),
        (circleci_form(&json!({}), "&audience=x"), 400, "invalid_target", "target_unknown"),
        (circleci_form(&json!({}), "&min_expires_in=901"), 400, "invalid_request", "life_not_granted"),
        (circleci_form(&json!({}), "&connection_id=x"), 400, "invalid_request", "connection_unknown"),
    ];
    for (form, status, error, code) in table {
        let response = post_form(&url, &form);
        assert_eq!((response.status().as_u16(), header(&response, "cache-control")), (status, "no-store"), "{code}");
        assert_eq!(header(&response, "retry-after"), "");
        let body = ErrorResponse::decode(text(response).as_bytes()).unwrap();
        assert_eq!((body.error.as_deref(), body.code().map(Code::as_str)), (Some(error), Some(code)));
    }
    world.hub.trouble("POST /v2/orgs/", Trouble::Wait(429, 11));
    let response = post_form(&url, &circleci_form(&json!({}), ""));
    assert_eq!((response.status().as_u16(), header(&response, "retry-after")), (503, "11"));
    world.clock.set(NOW + 11);
    world.hub.add_foreign(10);
    let response = post_form(&url, &circleci_form(&json!({}), ""));
    assert_eq!((response.status().as_u16(), header(&response, "retry-after")), (429, "30"));
    assert!(text(response).contains("quota_full: "));
}

#[test]
fn metadata_names_the_public_address() {
    let (_world, running) = start();
    let response = client().get(format!("{}/.well-known/oauth-authorization-server", running.url)).call().unwrap();
    let metadata = Metadata::decode(text(response).as_bytes()).unwrap();
    assert_eq!(metadata.issuer, BROKER_URL);
    assert_eq!(metadata.token_endpoint, format!("{BROKER_URL}/oauth/token"));
    assert_eq!(metadata.revocation_endpoint, Some(format!("{BROKER_URL}/oauth/revoke")));
    let health = client().get(format!("{}/healthz", running.url)).call().unwrap();
    assert_eq!((health.status().as_u16(), text(health).as_str()), (200, "ok\n"));
}

#[test]
fn other_methods_addresses_and_bodies_are_refused() {
    let (world, running) = start();
    let token_url = format!("{}/oauth/token", running.url);
    assert_eq!(client().get(&token_url).call().unwrap().status(), 405);
    assert_eq!(client().get(format!("{}/", running.url)).call().unwrap().status(), 404);
    let json = client().post(&token_url).header("content-type", "application/json").send("{}").unwrap();
    assert_eq!(json.status(), 400);
    assert!(text(json).contains("malformed_request"));
    let large = post_form(&token_url, &format!("x={}", "a".repeat(64 * 1024)));
    assert_eq!(large.status(), 413);
    assert!(text(large).contains("too_large"));
    let many: Vec<_> = (0..40).map(|index| format!("f{index}=1")).collect();
    assert_eq!(post_form(&token_url, &many.join("&")).status(), 400);
    // The sweeper looks at the accounts meanwhile.
    assert!(!world.hub.calls().iter().any(|call| call.starts_with("POST") && call.ends_with("/access-tokens")));
}

#[test]
fn the_head_of_a_request_is_bounded() {
    let (_world, running) = start();
    let address = running.url.strip_prefix("http://").unwrap();
    let heads = [
        format!("X-Long: {}\r\n", "a".repeat(20 * 1024)),
        (0..80).map(|index| format!("X-{index}: 1\r\n")).collect::<String>(),
    ];
    for headers in heads {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{headers}\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        // The broker closes while we may still be writing, which can cut the answer short.
        drop(stream.read_to_string(&mut answer));
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer:.40}");
    }
}

#[test]
fn slow_bodies_do_not_take_the_room_of_others() {
    let (_world, running) = start();
    let address = running.url.strip_prefix("http://").unwrap();
    let slow = (0..=MAX_IN_FLIGHT).map(|_| {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\
                    Content-Type: application/x-www-form-urlencoded\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        // This comes when the broker has begun to wait for the body.
        let mut answer = [0; 25];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream
    });
    let slow: Vec<_> = slow.collect();
    let response = post_form(&format!("{}/oauth/token", running.url), &circleci_form(&json!({}), ""));
    assert_eq!((response.status().as_u16(), slow.len()), (200, MAX_IN_FLIGHT as usize + 1));
}
