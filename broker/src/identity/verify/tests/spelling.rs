//! Texts that two readers could take for two different tokens, and values at the edge of what a claim may be. All of them are
//! correctly signed: the issuer itself is what is strange here, or somebody who has found out how to make it so.
//! The tables are longer than a function should be, because a row per line is how they are read.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use hublease_protocol::oauth::Code;
use serde_json::{Value, json};

use crate::client_address::Client;
use crate::identity::claims::Identity;
use crate::identity::verify::tests::{GITHUB_URL, verify, with};
use crate::leases::exchange::exchange;
use crate::limits::MAX_TOKEN_BYTES;
use crate::testing::{BROKER_URL, CONFIG, NOW, World, changed, circleci_claims, form_with, header, key_a, key_b};

/// A correctly signed token with this header and this payload, letter by letter.
fn spelled(header: &str, payload: &str) -> Result<Identity, Code> {
    verify(&signed(&URL_SAFE_NO_PAD.encode(header), &URL_SAFE_NO_PAD.encode(payload)))
}

/// A correctly signed token of these two segments.
fn signed(header: &str, payload: &str) -> String {
    let signed = format!("{header}.{payload}");
    let signature = URL_SAFE_NO_PAD.encode(key_a().sign_raw(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// A good object with more text before its closing brace.
fn and(object: &Value, more: &str) -> String {
    let text = object.to_string();
    format!("{}{more}}}", text.strip_suffix('}').unwrap())
}

#[test]
fn an_object_that_names_a_key_twice_is_no_token() {
    assert!(spelled(&header().to_string(), &circleci_claims().to_string()).is_ok());
    for more in [
        r#","alg":"RS256""#,
        r#","alg":"none""#,
        r#","kid":"b""#,
        r#","\u006bid":"a""#,
        r#","x":{"y":1,"y":1}"#,
        r#","typ":"JWT""#,
    ] {
        let refused = spelled(&and(&header(), more), &circleci_claims().to_string());
        assert_eq!(refused.err(), Some(Code::TokenMalformed), "header {more}");
    }
    for more in [
        r#","iss":"https://evil.example""#,
        r#","aud":"https://broker.example""#,
        r#","exp":9999999999"#,
        r#","oidc.circleci.com/project-id":"p2""#,
        r#","oidc.circleci.com/project-id":"p1""#,
        r#","oidc.circleci.com/\u0070roject-id":"p2""#,
        r#","x":[{"y":1,"y":2}]"#,
    ] {
        let refused = spelled(&header().to_string(), &and(&circleci_claims(), more));
        assert_eq!(refused.err(), Some(Code::TokenMalformed), "payload {more}");
    }
}

#[test]
fn a_segment_is_one_object_in_unpadded_base64url_and_nothing_else() {
    let (head, claims) = (header().to_string(), circleci_claims().to_string());
    for behind in ["{}", " x", "\0", ",", "}"] {
        assert_eq!(spelled(&head, &format!("{claims}{behind}")).err(), Some(Code::TokenMalformed), "{behind}");
        assert_eq!(spelled(&format!("{head}{behind}"), &claims).err(), Some(Code::TokenMalformed), "{behind}");
    }
    for other in ["[]", "null", "\"x\"", "7", "", "\u{feff}{}", "{\"a\":\"\u{1}\"}", "{\"a\":\"\\ud800\"}", "{a:1}"] {
        assert_eq!(spelled(&head, other).err(), Some(Code::TokenMalformed), "{other}");
        assert_eq!(spelled(other, &claims).err(), Some(Code::TokenMalformed), "{other}");
    }
    // White space around an object is JSON; the rest of the alphabet and padding are not base64url without padding.
    assert!(spelled(&format!(" {head}\n"), &format!("\t{claims} ")).is_ok());
    let claims = and(&circleci_claims(), r#","x":"\u007e\u007e\u003f????>>>>""#);
    let good = [head.as_str(), claims.as_str()].map(|text| URL_SAFE_NO_PAD.encode(text));
    assert!(verify(&signed(&good[0], &good[1])).is_ok());
    let padded = URL_SAFE.encode(format!("{claims}{}", " ".repeat((4 - claims.len() % 3) % 3)));
    let ordinary = STANDARD_NO_PAD.encode(&claims);
    assert!(padded.ends_with('=') && ordinary.contains(['+', '/']), "the rows below differ from a good token");
    for payload in [padded, ordinary, format!("{}\n", good[1]), format!("{}.{}", good[1], good[1])] {
        assert_eq!(verify(&signed(&good[0], &payload)).err(), Some(Code::TokenMalformed), "{payload:.20}");
    }
}

#[test]
fn times_are_whole_numbers_of_seconds() {
    let with_time = |name: &str, text: &str| {
        let claims = changed(circleci_claims(), &json!({name: null}));
        spelled(&header().to_string(), &and(&claims, &format!(",\"{name}\":{text}"))).map(drop)
    };
    let (soon, recent) = (NOW + 600, NOW - 60);
    for (name, good) in [("exp", soon), ("iat", recent), ("nbf", recent)] {
        assert_eq!(with_time(name, &good.to_string()), Ok(()), "{name}");
        for text in [
            format!("{good}.0"),
            format!("{good}.5"),
            format!("{good}e0"),
            format!("\"{good}\""),
            format!("[{good}]"),
            format!("-{good}"),
            "1e300".to_owned(),
            // One more than a 64-bit number holds, and the one that overflows a signed one as a float.
            "18446744073709551616".to_owned(),
            "null".to_owned(),
            "{}".to_owned(),
        ] {
            assert_eq!(with_time(name, &text), Err(Code::ClaimMalformed), "{name} {text}");
        }
        for text in ["1e999", "0x10", "+1", "01", "NaN", "Infinity", "1."] {
            assert_eq!(with_time(name, text), Err(Code::TokenMalformed), "{name} {text} is no JSON");
        }
    }
    assert_eq!(with_time("exp", "18446744073709551615"), Err(Code::TokenTooLong));
    assert_eq!(with_time("iat", "18446744073709551615"), Err(Code::TokenNotYetValid), "the sum does not wrap around");
    assert_eq!(with_time("nbf", "18446744073709551615"), Err(Code::TokenNotYetValid));
    assert_eq!(with_time("iat", "0"), Err(Code::TokenTooLong));
}

#[test]
fn a_nul_ends_no_text() {
    let nothing = json!({});
    for (header, claims, code) in [
        (json!({"alg": "RS256\0"}), nothing.clone(), Code::AlgorithmNotAllowed),
        (json!({"kid": "a\0"}), nothing.clone(), Code::KeyUnknown),
        (nothing.clone(), json!({"iss": "https://oidc.circleci.com/org/0f0e\0"}), Code::IssuerUnknown),
        (nothing.clone(), json!({"aud": format!("{BROKER_URL}\0")}), Code::AudienceMismatch),
        (nothing.clone(), json!({"aud": format!("{BROKER_URL}\0.evil.example")}), Code::AudienceMismatch),
    ] {
        assert_eq!(with(&header, &claims).err(), Some(code), "{header} {claims}");
    }
    // Not even in the journal: two ids that differ behind a NUL are two ids, and each counts once.
    let world = World::new(CONFIG);
    let ask = |id: &str| {
        let claims = json!({
            "iss": GITHUB_URL, "aud": BROKER_URL, "iat": NOW, "exp": NOW + 300, "jti": id, "repository_id": "77",
            "event_name": "push", "ref": "refs/tags/v1", "run_id": "1\0", "run_attempt": "1", "check_run_id": "1",
        });
        let form = form_with(&key_b().token(&header(), &claims), "&scope=repository:acme/app:pull");
        exchange(&world.broker, Client::ThisMachine, form.as_bytes()).map(drop).map_err(|refusal| refusal.code)
    };
    for id in ["i", "i\0", "i\0i"] {
        assert_eq!((ask(id), ask(id)), (Ok(()), Err(Code::TokenReplayed)), "{id:?}");
    }
}

#[test]
fn a_token_has_a_length() {
    let filled = |length: usize| {
        let token = |filling: usize| {
            key_a().token(&header(), &changed(circleci_claims(), &json!({"filling": "x".repeat(filling)})))
        };
        let missing = length - token(0).len();
        // Three letters are four letters of base64.
        (missing * 3 / 4 - 3..).map(token).find(|token| token.len() >= length).unwrap()
    };
    let longest = filled(MAX_TOKEN_BYTES);
    assert!(longest.len() == MAX_TOKEN_BYTES && verify(&longest).is_ok());
    for length in [MAX_TOKEN_BYTES + 1, 1024 * 1024] {
        let token = filled(length);
        assert!(token.len() >= length);
        assert_eq!(verify(&token).err(), Some(Code::TokenMalformed), "{length}");
    }
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let deep = |depth: usize| format!(",\"x\":{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(spelled(&header().to_string(), &and(&circleci_claims(), &deep(100))).is_ok());
    let refused = spelled(&header().to_string(), &and(&circleci_claims(), &deep(5000)));
    assert_eq!(refused.err(), Some(Code::TokenMalformed));
}
