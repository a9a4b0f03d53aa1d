//! Requests that are read, and the error of each that is not.
//! The tables are longer than a function should be, because a row per line is how they are read.

use crate::rules::request::*;

const BASE: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
    &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid_token&subject_token=t";

#[test]
fn a_full_request_is_read() {
    let body = format!(
        "{BASE}&scope=repository%3Aacme%2Fapp%3Apush&expires_in=600&connection_id=0f-0e&request_id=r_1&audience=docker.io&x=y"
    );
    let ask = ParsedExchange::read(body.as_bytes()).ok().unwrap();
    assert_eq!(ask.identity_token.expose(), "t");
    assert_eq!(ask.wish.scope.unwrap().to_string(), "repository:acme/app:pull,push");
    assert_eq!((ask.wish.expires_in, ask.wish.connection_id.as_deref()), (Some(600), Some("0f-0e")));
    assert_eq!(ask.request, Some(LoginRequest { id: "r_1".to_owned(), challenge: None, verifier: None }));
    assert_eq!(ParsedExchange::read(BASE.as_bytes()).ok().unwrap().wish, RequestedGrant::default());
}

#[test]
fn everything_else_is_refused_with_the_right_error() {
    let without = |name: &str| {
        BASE.split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).collect::<Vec<_>>().join("&")
    };
    let with = |pair: &str| format!("{BASE}&{pair}");
    let table = [
        (String::new(), "invalid_request", "malformed_request"),
        (without("grant_type"), "invalid_request", "malformed_request"),
        (format!("{}&grant_type=password", without("grant_type")), "unsupported_grant_type", "grant_type_unsupported"),
        (with("grant_type=password"), "invalid_request", "malformed_request"),
        (without("subject_token_type"), "invalid_request", "malformed_request"),
        (BASE.replace("id_token", "saml2"), "invalid_request", "token_type_unsupported"),
        (without("subject_token"), "invalid_request", "token_malformed"),
        (format!("{}&subject_token=", without("subject_token")), "invalid_request", "token_malformed"),
        (with("requested_token_type=x"), "invalid_request", "token_type_unsupported"),
        (with("actor_token=x"), "invalid_request", "token_type_unsupported"),
        (with("actor_token_type=x"), "invalid_request", "token_type_unsupported"),
        (with("audience=https%3A%2F%2Fghcr.io"), "invalid_target", "target_unknown"),
        (with("resource=x"), "invalid_target", "target_unknown"),
        (with("scope=repository%3Aacme%2F*%3Apull"), "invalid_scope", "scope_invalid"),
        (with("scope=openid"), "invalid_scope", "scope_invalid"),
        (with("expires_in=-1"), "invalid_request", "malformed_request"),
        (with("expires_in=%2B5"), "invalid_request", "malformed_request"),
        (with("expires_in=1e3"), "invalid_request", "malformed_request"),
        (with("expires_in=99999999999999999999"), "invalid_request", "malformed_request"),
        (with("request_id=a%20b"), "invalid_request", "malformed_request"),
        (with(&format!("request_id={}", "a".repeat(129))), "invalid_request", "malformed_request"),
        (with("connection_id=%22"), "invalid_request", "malformed_request"),
        (with("y=%zz"), "invalid_request", "malformed_request"),
    ];
    for (body, error, code) in table {
        let refusal = ParsedExchange::read(body.as_bytes()).err().unwrap();
        assert_eq!(
            (refusal.code.error().as_str(), refusal.code.as_str(), refusal.status()),
            (error, code, 400),
            "{body}"
        );
        assert!(refusal.to_string().bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\'));
    }
}
