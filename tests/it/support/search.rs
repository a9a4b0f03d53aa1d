//! The secret search: every run's output, files, children and requests are searched for every secret handed out.
//!
//! Each secret is looked for raw (every run of 12 bytes), in base64 at its three offsets, percent-encoded,
//! JSON-escaped, and segment by segment if it is a JWT, whose header segment is exempt (it is public and the same for
//! all tokens). What is allowed to hold a secret is named by the caller, and nothing else is.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD, engine::general_purpose::URL_SAFE_NO_PAD};
use hublease::endpoint::percent_encode;

/// Runs of this many bytes of a secret count as the secret.
const PIECE: usize = 12;

/// One text that was searched, by the name that a failure shows.
pub struct Place {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Place {
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into() }
    }
}

/// The needles of one secret.
pub struct Needles {
    name: String,
    pieces: BTreeSet<Vec<u8>>,
}

impl Needles {
    pub fn of(name: &str, secret: &str) -> Self {
        let mut pieces = BTreeSet::new();
        let segments: Vec<&str> = secret.split('.').collect();
        let is_jwt = segments.len() == 3 && secret.starts_with("eyJ");
        // The header of a JWT is the same for every token of an issuer.
        let parts: Vec<&str> = if is_jwt { segments[1..].to_vec() } else { vec![secret] };
        for part in parts {
            for form in forms(part.as_bytes()) {
                pieces.extend(runs(&form));
            }
        }
        Self { name: name.to_owned(), pieces }
    }

    /// Where the secret is found.
    pub fn found_in<'a>(&self, places: &'a [Place]) -> Option<&'a Place> {
        places.iter().find(|place| place.bytes.windows(PIECE).any(|window| self.pieces.contains(window)))
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(secret);
    let mut forms = vec![
        secret.to_vec(),
        percent_encode(&text).into_bytes(),
        serde_json::to_string(&text).unwrap().trim_matches('"').as_bytes().to_vec(),
    ];
    for offset in 0..3 {
        let padded: Vec<u8> = std::iter::repeat_n(b'x', offset).chain(secret.iter().copied()).collect();
        for encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            // The first characters depend on what stands before, the last on what comes after.
            let end = encoded.len().saturating_sub(1);
            forms.push(encoded.as_bytes().get(4.min(end)..end).unwrap_or_default().to_vec());
        }
    }
    forms
}

fn runs(form: &[u8]) -> Vec<Vec<u8>> {
    if form.len() < PIECE {
        return Vec::new();
    }
    form.windows(PIECE).map(<[u8]>::to_vec).collect()
}

/// A planted secret in each form is found; without this the search proves nothing.
#[test]
fn a_planted_secret_is_found_in_each_form() {
    let secret = "dckr_pat_Zx9\"Qw7-/k=Lm3~Np5";
    let needles = Needles::of("planted", secret);
    let basic = STANDARD_NO_PAD.encode(format!("acmebot:{secret}"));
    for text in [
        format!("x{secret}y"),
        secret[3..18].to_owned(),
        percent_encode(secret),
        serde_json::to_string(secret).unwrap(),
        STANDARD_NO_PAD.encode(secret),
        STANDARD_NO_PAD.encode(format!("a{secret}")),
        STANDARD_NO_PAD.encode(format!("ab{secret}b")),
        URL_SAFE_NO_PAD.encode(secret),
        basic,
    ] {
        let places = [Place::new("harmless", "nothing here"), Place::new("planted", text.clone())];
        assert_eq!(needles.found_in(&places).map(|place| place.name.as_str()), Some("planted"), "{text}");
    }
    assert!(needles.found_in(&[Place::new("harmless", "dckr_pat_ and nothing more")]).is_none());
}

#[test]
fn each_segment_of_a_jwt_counts_but_its_header() {
    let token = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJvcmcvMTIzNDU2Nzg5MCJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ";
    let needles = Needles::of("token", token);
    let segments: Vec<&str> = token.split('.').collect();
    for (segment, found) in [(segments[0], false), (segments[1], true), (segments[2], true)] {
        assert_eq!(needles.found_in(&[Place::new("x", segment)]).is_some(), found);
    }
}
