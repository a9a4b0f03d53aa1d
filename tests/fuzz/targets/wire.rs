//! OAuth messages: every decoder on the same bytes, and every message that can be written, read back.

use std::collections::BTreeMap;

use hublease_protocol::oauth::{
    Code, DecodeError, ErrorResponse, ExchangeRequest, ExchangeResponse, Form, FormError, FormWriter,
    GRANT_TYPE_TOKEN_EXCHANGE, LeasesResponse, MAX_FIELDS, Metadata, RevocationResponse, TOKEN_TYPE_ID_TOKEN,
    revocation_form,
};
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// What a decoder accepts is what a plain JSON reader sees; what is written comes back.
pub fn wire(input: &[u8]) {
    check_exchange(input);
    if let Some(answer) = judge(input, ErrorResponse::decode(input)) {
        assert_eq!(ErrorResponse::decode(&written(&answer)), Ok(answer.clone()));
        if let Some(code) = answer.code() {
            assert_eq!(Code::parse(code.as_str()), Some(code));
            assert_eq!(ErrorResponse::of(code, "x").code(), Some(code));
        }
    }
    if let Some(answer) = judge(input, RevocationResponse::decode(input)) {
        assert_eq!(RevocationResponse::decode(&written(&answer)), Ok(answer));
    }
    if let Some(answer) = judge(input, LeasesResponse::decode(input)) {
        assert!(answer.confirmed <= answer.leases);
        assert_eq!(LeasesResponse::decode(&written(&answer)), Ok(answer));
    }
    if let Some(metadata) = judge(input, Metadata::decode(input)) {
        assert_eq!(Metadata::decode(&written(&metadata)), Ok(metadata));
    }
    check_form(input);
    check_fields(&String::from_utf8_lossy(input));
}

/// Every message is a JSON object, and an error is a position in the text.
fn judge<T>(input: &[u8], read: Result<T, DecodeError>) -> Option<T> {
    match read {
        Ok(message) => {
            let members = serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(input);
            assert!(members.is_ok(), "accepted, and no object");
            Some(message)
        }
        Err(DecodeError { line, column }) => {
            let lines = input.iter().filter(|byte| **byte == b'\n').count() + 1;
            assert!(line <= lines && column <= input.len() + 1, "line {line}, column {column}");
            assert_eq!(line == 0, column == 0, "line {line}, column {column}");
            None
        }
    }
}

fn written(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).unwrap()
}

fn check_exchange(input: &[u8]) {
    let Some(answer) = judge(input, ExchangeResponse::decode(input)) else { return };
    // Members that are ignored may hold what a value cannot, such as half a surrogate pair.
    let Ok(value) = serde_json::from_slice::<Value>(input) else { return };
    let parts = answer.into_parts();
    assert!(!parts.access_token.is_empty());
    assert_eq!(value["access_token"].as_str(), Some(parts.access_token.as_str()));
    assert_eq!(value["revocation_handle"].as_str().filter(|text| !text.is_empty()), parts.revocation_handle.as_deref());
    let life = &value["expires_in"];
    assert_eq!(life.as_u64().or_else(|| life.as_str()?.parse().ok()), parts.issued.expires_in);
    for (name, read) in [
        ("issued_token_type", &parts.issued.issued_token_type),
        ("token_type", &parts.issued.token_type),
        ("scope", &parts.issued.scope),
        ("username", &parts.issued.username),
        ("registry", &parts.issued.registry),
        ("lease_id", &parts.issued.lease_id),
    ] {
        assert_eq!(value[name].as_str(), read.as_deref(), "{name}");
    }
}

/// The input as a form, and the requests that carry it.
fn check_form(input: &[u8]) {
    if let Ok(mut form) = Form::decode(input) {
        for name in ["grant_type", "token", "scope"] {
            assert!(form.take(name).is_none_or(|value| !value.is_empty()));
            assert!(form.take(name).is_none());
        }
    }
    let text = &*String::from_utf8_lossy(input);
    let request = ExchangeRequest {
        subject_token: text,
        subject_token_type: TOKEN_TYPE_ID_TOKEN,
        connection_id: Some(text),
        expires_in: Some(900),
        scope: None,
        request_id: Some(text),
        request_challenge: Some(text),
        request_verifier: Some(text),
    };
    let wanted = Some(text).filter(|text| !text.is_empty());
    let mut form = Form::decode(request.to_form().as_bytes()).ok().unwrap();
    assert_eq!(form.take("grant_type").as_deref(), Some(GRANT_TYPE_TOKEN_EXCHANGE));
    assert_eq!(form.take("expires_in").as_deref(), Some("900"));
    for name in ["subject_token", "connection_id", "request_id", "request_challenge", "request_verifier"] {
        assert_eq!(form.take(name).as_deref(), wanted, "{name}");
    }
    assert!(form.take("scope").is_none());
    let mut form = Form::decode(revocation_form(text, None).as_bytes()).ok().unwrap();
    assert_eq!(form.take("token").as_deref(), wanted);
}

/// A form with a field for each line of the input, `name=value`.
fn check_fields(text: &str) {
    let fields: Vec<(&str, &str)> = text.lines().map(|line| line.split_once('=').unwrap_or((line, ""))).collect();
    let mut form = FormWriter::default();
    fields.iter().for_each(|(name, value)| form.add(name, value));
    let mut names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    match Form::decode(form.finish().as_bytes()) {
        Ok(mut form) => {
            assert!(names.len() == fields.len() && fields.len() <= MAX_FIELDS);
            for (name, value) in fields {
                assert_eq!(form.take(name).as_deref(), Some(value).filter(|value| !value.is_empty()));
            }
        }
        Err(FormError::Repeated) => assert!(names.len() < fields.len()),
        Err(FormError::TooManyFields) => assert!(fields.len() > MAX_FIELDS),
        Err(FormError::BrokenEscape) => panic!("our own escapes are broken"),
    }
}
