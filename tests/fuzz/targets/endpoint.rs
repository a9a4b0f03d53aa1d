//! Addresses, and the escaping of what stands in them.

use std::net::IpAddr;

use hublease_protocol::endpoint::{Endpoint, Origin, percent_encode, split};

use super::repeats;

/// An address that is accepted is its own spelling, and plain `http` leads nowhere but to this machine.
pub fn endpoint(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    match Endpoint::parse(text) {
        Ok(endpoint) => check(text, &endpoint),
        Err(error) => assert!(!repeats(&error.to_string(), text), "the error repeats the address: {error}"),
    }
    if let Ok((origin, rest)) = split(text) {
        assert!(text.ends_with(rest) && (rest.is_empty() || rest.starts_with(['/', '?', '#'])));
        check_origin(&origin);
    }
    check_escapes(text);
}

fn check(text: &str, endpoint: &Endpoint) {
    let shown = endpoint.to_string();
    assert_eq!(Endpoint::parse(&shown).as_ref(), Ok(endpoint));
    assert!(shown.bytes().all(|byte| byte.is_ascii_graphic()) && !shown.contains(['?', '#', '\\']), "{shown}");
    assert!(endpoint.path.is_empty() || endpoint.path.starts_with('/'));
    assert!(!endpoint.path.ends_with('/'));
    assert!(!endpoint.path.split('/').any(|segment| segment == "." || segment == ".."));
    assert_eq!(split(text).map(|(origin, _)| origin).as_ref(), Ok(&endpoint.origin));
    check_origin(&endpoint.origin);
}

fn check_origin(origin: &Origin) {
    let shown = origin.to_string();
    assert_eq!(Origin::parse(&shown).as_ref(), Ok(origin));
    let bare = origin.host().trim_matches(['[', ']']);
    let is_here = bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    assert_eq!(origin.is_loopback(), is_here);
    assert!(!shown.contains('@'), "{shown}");
    assert!(shown.starts_with("https://") || (shown.starts_with("http://") && is_here), "{shown}");
}

/// Unreserved characters and escapes, and the text comes back out of them.
fn check_escapes(text: &str) {
    let encoded = percent_encode(text);
    let mut decoded = Vec::new();
    let mut bytes = encoded.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits: String = bytes.by_ref().take(2).map(char::from).collect();
                assert_eq!(digits, digits.to_uppercase());
                decoded.push(u8::from_str_radix(&digits, 16).unwrap());
            }
            other => {
                assert!(other.is_ascii_alphanumeric() || b"-._~".contains(&other), "{encoded}");
                decoded.push(other);
            }
        }
    }
    assert_eq!(decoded, text.as_bytes());
}
