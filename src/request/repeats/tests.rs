//! Forms in which a secret is repeated, and sentences that repeat none.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hublease_protocol::endpoint::percent_encode;
use hublease_protocol::hex;
use hublease_protocol::secret::Secret;

use super::repeats;

/// Secrets of every make: an identity token, tokens of Docker Hub and Vault, a password of words, with signs, in two
/// alphabets, and short ones.
const SECRETS: [&str; 8] = [
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvOmFjbWUvYXBwIn0.c2lnbmF0dXJlLW9mLWl0",
    "dckr_pat_7Qv-2LmXo_9tZrKfWb3YdHcN",
    "hvs.CAESIJ1xkq0Wm7Tz5vBnR2",
    "correct-horse-battery",
    "p$$w/rd+&=1?",
    "gr\u{fc}ne-\u{e4}pfel-9",
    "Tr0ub4",
    "s3cr",
];

/// Every way in which a text was met, or can be feared, to repeat a secret.
fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let escaped =
        |form: fn(u32) -> String| secret.encode_utf16().map(|unit| form(unit.into())).collect::<Vec<_>>().concat();
    let spread = |between: &str| secret.chars().map(|one| format!("{one}{between}")).collect::<String>();
    let bytes = |form: fn(u8) -> String| secret.bytes().map(form).collect::<Vec<_>>().concat();
    vec![
        ("as it is", secret.to_owned()),
        ("in a sentence", format!("no such user: {secret}, sorry")),
        ("upper case", secret.to_uppercase()),
        ("lower case", secret.to_lowercase()),
        ("backwards", secret.chars().rev().collect()),
        ("broken lines", spread("\n")),
        ("with blanks", spread(" ")),
        ("base64", STANDARD.encode(secret)),
        ("base64url", URL_SAFE_NO_PAD.encode(secret)),
        ("base64 of a login", STANDARD.encode(format!("acme:{secret}"))),
        ("base64 behind two bytes", STANDARD.encode(format!("ab{secret}cd"))),
        ("hexadecimal", hex::lower(secret.as_bytes())),
        ("hexadecimal in capitals", bytes(|byte| format!("{byte:02X}:"))),
        ("percent-encoded", percent_encode(secret)),
        ("every byte percent-encoded", bytes(|byte| format!("%{byte:02x}"))),
        ("percent-encoded twice", bytes(|byte| format!("%25{byte:02x}"))),
        ("escaped as JSON does", escaped(|unit| format!("\\u{unit:04x}"))),
        ("escaped as Rust does", escaped(|unit| format!("\\u{{{unit:x}}}"))),
        ("escaped as Go does", bytes(|byte| format!("\\x{byte:02x}"))),
        ("escaped signs", secret.replace('/', "\\/").replace('-', "\\-")),
        ("an escaped line break", format!("{}\\n{}", &secret[..2], &secret[2..])),
    ]
}

#[test]
fn every_form_of_a_secret_is_a_repetition() {
    for secret in SECRETS {
        for (name, text) in forms(secret) {
            assert!(repeats(&text, &[&Secret::new("another"), &Secret::new(secret)]), "{name} of {secret}: {text}");
        }
    }
}

#[test]
fn a_piece_of_a_long_secret_is_a_repetition() {
    for secret in SECRETS.iter().take(4) {
        let middle = &secret[5..17];
        for (name, text) in forms(middle) {
            assert!(repeats(&text, &[&Secret::new(*secret)]), "{name} of {middle}: {text}");
        }
    }
}

#[test]
fn ordinary_sentences_repeat_nothing() {
    let secrets: Vec<_> =
        SECRETS.iter().copied().chain(["ab", "p", "", "-----------", "a-b-c-d-e-f-g"]).map(Secret::new).collect();
    let secrets: Vec<_> = secrets.iter().collect();
    for text in [
        "",
        "unauthorized: incorrect username or password",
        "no rule of this broker accepts the job repo:acme/app:ref:refs/heads/main",
        "invalid audience (aud) claim: audience claim does not match any bound audience",
        "error validating token: token is expired by 3h25m7s (exp)",
        "1 error occurred:\n\t* permission denied\n\n",
        "denied: requested access to the resource is denied",
        "toomanyrequests: You have reached your pull rate limit; see https://www.docker.com/increase-rate-limit",
        "request 7f3a9c52e1b84d06a5c2 failed at 2026-12-01T10:20:26Z with 100%25 of 4/4 shards",
        "the horse is correct, and the batteries are flat",
        "C:\\new\\temp\\users\\file.txt cannot be read",
        "Post \"https://auth.docker.io/token\": dial tcp 203.0.113.7:443: i/o timeout",
        "acme",
        "acme-release-bot",
    ] {
        assert!(!repeats(text, &secrets), "{text}");
    }
}

#[test]
fn a_secret_of_a_few_letters_is_met_as_a_word_only() {
    for (text, expected) in [("password: ab.", true), ("AB", true), ("unable to connect", false), ("a b", false)] {
        assert_eq!(repeats(text, &[&Secret::new("ab")]), expected, "{text}");
    }
}
