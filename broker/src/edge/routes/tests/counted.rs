//! Who is counted, for what, and who is not kept out by it.

use hublease_protocol::oauth;
use serde_json::json;

use crate::edge::routes::tests::{Front, Visit, text};
use crate::testing::{CONFIG, NOW, circleci_form};

/// How many of so many requests from one place get an answer other than 429.
fn through(front: &Front, tried: usize, peer: &str, forwarded_for: Option<&[u8]>, path: &str) -> usize {
    let visit = || front.visit(&Visit { peer, is_encrypted: true, forwarded_for, path }).status();
    (0..tried).filter(|_| visit() != 429).count()
}

fn limited() -> Front {
    let front = Front::new(&format!("{CONFIG}\n[limits]\nrequests_per_minute_per_address = 20\n"), true);
    front.world.clock.set(NOW - NOW % 60 + 20);
    front
}

#[test]
fn no_byte_that_a_client_writes_makes_it_uncounted() {
    // What the client writes, and what its proxy adds; with nginx on one line, with others on lines of their own.
    for forwarded_for in [
        &b"198.51.100.7"[..],
        b"\xff, 198.51.100.7",
        b"\x80,\xff\xfe,caf\xe9, 198.51.100.7",
        b"203.0.113.1\xa0, 198.51.100.7",
        // A proxy that does not say who calls: all of those are one client.
        b"\xff",
        b"unknown",
        b"198.51.100.7, \xff",
        b"",
    ] {
        let front = limited();
        let path = oauth::REVOCATION_PATH;
        assert_eq!(through(&front, 60, "10.0.0.1", Some(forwarded_for), path), 20, "of 60: {forwarded_for:?}");
    }
    let front = limited();
    assert_eq!(through(&front, 60, "10.0.0.1", None, oauth::REVOCATION_PATH), 20, "of 60 without the header");
}

#[test]
fn what_is_asked_does_not_keep_anybody_from_giving_back() {
    let front = limited();
    let [peer, other] = ["192.0.2.1", "192.0.2.2"];
    // The body is no exchange: 400, and counted.
    assert_eq!(through(&front, 60, peer, None, oauth::TOKEN_PATH), 20, "exchanges of 60");
    for path in [oauth::METADATA_PATH, "/readyz", "/no/such/place", "/metrics"] {
        assert_eq!(through(&limited(), 200, peer, None, path), 80, "{path} of 200");
    }
    let questions = through(&front, 60, peer, None, oauth::METADATA_PATH)
        + through(&front, 60, peer, None, "/readyz")
        + through(&front, 60, peer, None, "/no/such/place");
    assert_eq!(questions, 80, "questions of 180");
    assert_eq!(through(&front, 60, peer, None, "/healthz"), 60);
    assert_eq!(through(&front, 20, peer, None, oauth::REVOCATION_PATH), 20, "revocations of 20");
    assert_eq!(through(&front, 20, other, None, oauth::TOKEN_PATH), 20, "another's exchanges of 20");
}

#[test]
fn identity_tokens_that_do_not_verify_have_a_smaller_count() {
    let front = limited();
    let junk = circleci_form(&json!({"aud": "https://elsewhere.example"}), "");
    let ask = |form: &str| front.say("192.0.2.1", oauth::TOKEN_PATH, form).status().as_u16();
    let statuses: Vec<u16> = (0..60).map(|_| ask(&junk)).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 5, "of 60");
    assert_eq!(ask(&circleci_form(&json!({}), "")), 429);
    let elsewhere = front.say("192.0.2.2", oauth::TOKEN_PATH, &circleci_form(&json!({}), ""));
    assert_eq!(elsewhere.status(), 200, "{}", text(&front, elsewhere));
}

#[test]
fn clients_are_counted_by_their_address_before_anything_is_verified() {
    let config = format!("{CONFIG}\n[limits]\nrequests_per_minute_per_address = 2\nrequests_per_minute = 7\n");
    let front = Front::new(&config, true);
    front.world.clock.set(NOW - NOW % 60 + 20);
    let visit = |peer, forwarded_for: Option<&str>| {
        let response = front.visit(&Visit {
            peer,
            is_encrypted: true,
            forwarded_for: forwarded_for.map(str::as_bytes),
            path: oauth::REVOCATION_PATH,
        });
        let retry_after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), retry_after)
    };
    let served = (200, None);
    let refused = (429, Some("40".to_owned()));
    for (peer, forwarded_for, expected) in [
        ("192.0.2.1", None, &served),
        ("192.0.2.1", Some("198.51.100.1"), &served),
        ("192.0.2.1", Some("198.51.100.2"), &refused),
        ("10.0.0.1", Some("198.51.100.1"), &served),
        ("10.0.0.2", Some("198.51.100.1"), &served),
        ("10.0.0.3", Some("192.0.2.9, 198.51.100.1"), &refused),
        ("127.0.0.1", None, &served),
        ("127.0.0.1", None, &served),
        // The seventh that was let in, the second refused not counted, fills what all may have together.
        ("127.0.0.1", None, &served),
        ("127.0.0.1", None, &refused),
        ("192.0.2.7", None, &refused),
    ] {
        assert_eq!(visit(peer, forwarded_for), *expected, "{peer} {forwarded_for:?}");
    }
    front.world.clock.set(NOW - NOW % 60 + 60);
    assert_eq!(visit("192.0.2.1", None), served);
    assert_eq!(front.world.audit.outcomes(), vec!["revoke unknown"; 8], "who is turned away is not in the audit log");
}
