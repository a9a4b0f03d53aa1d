//! The wire types, message by message, with the bodies that servers are known to send.

use super::*;

#[test]
fn an_exchange_for_docker_identity_has_exactly_its_fields() {
    let request = ExchangeRequest {
        subject_token: "eyJ.a-b_c.d",
        subject_token_type: TOKEN_TYPE_ID_TOKEN,
        connection_id: Some("0f0e"),
        expires_in: Some(900),
        scope: None,
        request_id: None,
        request_challenge: None,
        request_verifier: None,
    };
    assert_eq!(
        request.to_form(),
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid_token\
         &subject_token=eyJ.a-b_c.d&connection_id=0f0e&expires_in=900"
    );
}

#[test]
fn forms_survive_the_round_trip() {
    let hostile = "a b+c&d=e%f/g:h\u{e9}\u{1f600}\n~*-._";
    let body = revocation_form(hostile, Some(HINT_REVOCATION_HANDLE));
    assert!(body.is_ascii());
    let mut form = Form::decode(body.as_bytes()).ok().unwrap();
    assert_eq!(form.take("token").as_deref(), Some(hostile));
    assert_eq!(form.take("token_type_hint").as_deref(), Some("revocation_handle"));
    assert_eq!(form.take("token"), None);
}

#[test]
fn forms_are_read_strictly() {
    let refused = [
        ("a=1&a=2", FormError::Repeated),
        ("a=&a=2", FormError::Repeated),
        ("a=1&%61=2", FormError::Repeated),
        ("a=%", FormError::BrokenEscape),
        ("a=%1", FormError::BrokenEscape),
        ("a=%zz", FormError::BrokenEscape),
        ("a=%ff", FormError::BrokenEscape),
        ("a=%+1", FormError::BrokenEscape),
    ];
    for (body, error) in refused {
        assert_eq!(Form::decode(body.as_bytes()).err(), Some(error), "{body}");
    }
    let many = (0..=MAX_FIELDS).map(|index| format!("f{index}=1")).collect::<Vec<_>>();
    assert_eq!(Form::decode(many.join("&").as_bytes()).err(), Some(FormError::TooManyFields));

    let mut form = Form::decode(b"empty=&bare&&x=a%20b+c&y=1=2").ok().unwrap();
    assert_eq!(form.take("empty"), None);
    assert_eq!(form.take("bare"), None);
    assert_eq!(form.take("x").as_deref(), Some("a b c"));
    assert_eq!(form.take("y").as_deref(), Some("1=2"));
}

#[test]
fn answers_of_docker_and_of_the_broker_are_read() {
    let docker = ExchangeResponse::decode(br#"{"access_token":"t","new":{"x":1}}"#).ok().unwrap().into_parts();
    assert_eq!((docker.access_token.as_str(), docker.revocation_handle, docker.issued.expires_in), ("t", None, None));

    let ours = ExchangeResponse::decode(
        br#"{"access_token":"t","issued_token_type":"x","token_type":"N_A","expires_in":"900","scope":"s",
             "username":"acme","registry":"docker.io","lease_id":"l","revocation_handle":"h"}"#,
    );
    let ours = ours.ok().unwrap().into_parts();
    assert_eq!(ours.revocation_handle.as_deref(), Some("h"));
    assert_eq!(ours.issued.expires_in, Some(900));
    assert_eq!(ours.issued.username.as_deref(), Some("acme"));
}

#[test]
fn an_odd_member_does_not_lose_the_credential() {
    let parts = |member: &str| {
        let body = format!(r#"{{"access_token":"t",{member}}}"#);
        ExchangeResponse::decode(body.as_bytes()).ok().unwrap_or_else(|| panic!("{body}")).into_parts()
    };
    let names = ["revocation_handle", "issued_token_type", "token_type", "scope", "username", "registry", "lease_id"];
    for name in names {
        for odd in ["5", "{}", "[\"x\"]", "true", "null"] {
            let parts = parts(&format!(r#""{name}":{odd}"#));
            let Issued { issued_token_type, token_type, scope, username, registry, lease_id, .. } = parts.issued;
            let texts = [parts.revocation_handle, issued_token_type, token_type, scope, username, registry, lease_id];
            assert_eq!((parts.access_token.as_str(), texts), ("t", [const { None }; 7]), "{name} {odd}");
        }
    }
    for (odd, expected) in [
        ("900.0", Some(900)),
        ("9e2", Some(900)),
        (r#""900""#, Some(900)),
        ("-1", None),
        ("-900.0", None),
        ("1.5", None),
        ("1e300", None),
        ("18446744073709551616", None),
        (r#""18446744073709551616""#, None),
        (r#""9s""#, None),
        (r#""+9""#, None),
        (r#""""#, None),
        ("{}", None),
        ("null", None),
    ] {
        assert_eq!(parts(&format!(r#""expires_in":{odd}"#)).issued.expires_in, expected, "{odd}");
    }
}

#[test]
fn a_broken_answer_gives_a_position_and_no_value() {
    let table = [
        (r#"{"access_token":"SECRET","expires_in":}"#, (1, 39)),
        (r#"{"access_token":"SECRET","access_token":"SECRET"}"#, (1, 39)),
        (r#"{"access_token":["SECRET"]}"#, (1, 16)),
        (r#"{"token":"SECRET"}"#, (1, 18)),
        (r#"{"access_token":""}"#, (0, 0)),
        ("", (1, 1)),
        ("{\n", (2, 1)),
        ("\n [\"SECRET\"]", (2, 2)),
    ];
    for (body, (line, column)) in table {
        let error = ExchangeResponse::decode(body.as_bytes()).err().unwrap();
        assert_eq!(error, DecodeError { line, column }, "{body}");
        assert!(!error.to_string().contains("SECRET"));
    }
}

#[test]
fn refusals_of_every_shape_are_read() {
    let decode = |body: &str| ErrorResponse::decode(body.as_bytes()).unwrap();
    let ours = decode(r#"{"error":"invalid_request","error_description":"no_rule_matches: no rule accepts this job"}"#);
    assert_eq!(ours.code(), Some(Code::NoRuleMatches));
    assert_eq!(ours, ErrorResponse::of(Code::NoRuleMatches, "no rule accepts this job"));

    let docker = decode(r#"{"error":"access_denied","message":"connection_id is invalid"}"#);
    assert_eq!((docker.code(), docker.sentence()), (None, Some("connection_id is invalid")));
    assert_eq!(decode(r#"{"error":false,"error_description":[1]}"#), ErrorResponse::default());
    assert_eq!(decode(r#"{"error_description":"no_rule_matches"}"#).code(), None);
    assert!(ErrorResponse::decode(b"<html>").is_err());
    assert!(ErrorResponse::decode(b"[]").is_err());
}

#[test]
fn codes_are_distinct_words_and_come_back() {
    let mut words: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    for code in Code::ALL {
        assert_eq!(Code::parse(code.as_str()), Some(*code));
        assert!(code.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        assert_eq!(ErrorResponse::of(*code, "x").code(), Some(*code));
    }
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Code::ALL.len());
    assert_eq!(Code::parse("Internal"), None);
}

#[test]
fn revocations_and_metadata() {
    let confirmed = RevocationResponse { revocation: Revocation::Confirmed };
    assert_eq!(serde_json::to_string(&confirmed).unwrap(), r#"{"revocation":"confirmed"}"#);
    assert_eq!(RevocationResponse::decode(br#"{"revocation":"unknown"}"#).unwrap().revocation, Revocation::Unknown);
    for body in ["", "{}", r#"{"revocation":"maybe"}"#, r#"["confirmed"]"#] {
        assert!(RevocationResponse::decode(body.as_bytes()).is_err(), "{body}");
    }
    let metadata = Metadata::decode(br#"{"issuer":"https://b","token_endpoint":"https://b/oauth/token","more":1}"#);
    assert_eq!(metadata.unwrap().revocation_endpoint, None);
}

#[test]
fn leases_are_revoked_one_by_one_or_for_a_workflow() {
    let one = LeasesRequest { lease_id: Some("l".to_owned()), workflow: false };
    let all = LeasesRequest { lease_id: None, workflow: true };
    for (request, json) in [(one, r#"{"lease_id":"l"}"#), (all, r#"{"workflow":true}"#)] {
        assert_eq!(serde_json::to_string(&request).unwrap(), json);
        assert_eq!(serde_json::from_str::<LeasesRequest>(json).unwrap(), request);
    }
    let decode = |body: &str| LeasesResponse::decode(body.as_bytes());
    assert_eq!(decode(r#"{"leases":3,"confirmed":2,"more":1}"#), Ok(LeasesResponse { leases: 3, confirmed: 2 }));
    for body in
        ["", "{}", r#"{"leases":1}"#, r#"{"leases":-1,"confirmed":0}"#, r#"{"leases":1,"confirmed":2}"#, "[1,1]"]
    {
        assert!(decode(body).is_err(), "{body}");
    }
}
