//! Identity tokens: as they come, and with the input as their payload, so that changes of the JSON get through.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hublease_protocol::claims::{MAXIMUM_TOKEN, UnverifiedClaims};
use hublease_protocol::printable::LIMIT;
use hublease_protocol::secret::Secret;
use serde_json::Value;

use super::{is_harmless, repeats};

/// A token that is accepted has three segments with an object in the middle, and what is shown of it is harmless.
pub fn claims(input: &[u8]) {
    check(&String::from_utf8_lossy(input));
    check(&format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(input)));
}

fn check(text: &str) {
    let claims = match UnverifiedClaims::of(&Secret::new(text)) {
        Ok(claims) => claims,
        Err(sentence) => return assert!(!repeats(sentence, text), "the error repeats the token: {sentence}"),
    };
    assert!(text.len() <= MAXIMUM_TOKEN);
    let segments: Vec<&str> = text.split('.').collect();
    let [header, payload, signature] = segments.as_slice() else { panic!("accepted with {} segments", segments.len()) };
    assert!(!header.is_empty() && !signature.is_empty());
    let payload: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let payload = payload.as_object().unwrap();

    assert_eq!(claims.shown().len(), payload.len());
    for (name, value) in claims.shown() {
        for shown in [name, value] {
            assert!(is_harmless(&shown) && shown.chars().count() <= LIMIT + 1, "{shown:?}");
        }
    }
    for (name, value) in payload {
        assert_eq!(claims.value(name), Some(value));
        assert_eq!(claims.text(name), value.as_str());
        match claims.seconds(name) {
            Some(seconds) => assert!(value.as_u64().is_none_or(|exact| exact == seconds)),
            None => assert!(value.as_f64().is_none_or(|number| number < 0.0)),
        }
    }
    let count = match payload.get("aud") {
        Some(Value::String(_)) => 1,
        Some(Value::Array(list)) => list.iter().filter(|item| item.is_string()).count(),
        _ => 0,
    };
    assert_eq!(claims.audiences().len(), count);
}
