//! The secret search: every run's output, files, children and requests are searched for every secret handed out.
//!
//! Each secret is looked for raw (every run of 12 bytes), in base64 at its three offsets, percent-encoded,
//! JSON-escaped, and segment by segment if it is a JWT, whose header segment is exempt (it is public and the same for
//! all tokens). What is allowed to hold a secret is named by the caller, and nothing else is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use hublease_protocol::endpoint::percent_encode;

/// Runs of this many bytes of a secret count as the secret.
const PIECE: usize = 12;

/// The same for the payload of a JWT: JSON with times and well-known names, of which tokens share short runs.
const PAYLOAD_PIECE: usize = 40;

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

/// The forms in which docker keeps a secret for either account, and the secret, each with its name.
pub fn named(value: &str, kind: &str) -> [(String, String); 3] {
    let form = |name: &str| (STANDARD.encode(format!("{name}:{value}")), format!("docker's form of {name}'s {kind}"));
    [form("acme"), form("acmebot"), (value.to_owned(), kind.to_owned())]
}

/// Every piece of every secret, and whose it is.
#[derive(Default)]
pub struct Needles {
    names: Vec<String>,
    known: BTreeSet<(String, String)>,
    /// The length of a run, and the runs of that length with the secrets that have them.
    pieces: BTreeMap<usize, HashMap<Vec<u8>, Vec<usize>>>,
}

impl Needles {
    /// Adds a secret; once is enough.
    pub fn add(&mut self, name: &str, secret: &str) {
        if !self.known.insert((name.to_owned(), secret.to_owned())) {
            return;
        }
        let number = self.names.len();
        self.names.push(name.to_owned());
        let segments: Vec<&str> = secret.split('.').collect();
        match segments.as_slice() {
            // The header of a JWT is the same for every token of an issuer.
            [header, payload, signature] if header.starts_with("eyJ") => {
                self.add_runs(number, payload, PAYLOAD_PIECE);
                self.add_runs(number, signature, PIECE);
            }
            _ => self.add_runs(number, secret, PIECE),
        }
    }

    fn add_runs(&mut self, number: usize, text: &str, length: usize) {
        let pieces = self.pieces.entry(length).or_default();
        for run in forms(text.as_bytes()).iter().flat_map(|form| form.windows(length)) {
            let owners = pieces.entry(run.to_vec()).or_default();
            if owners.last() != Some(&number) {
                owners.push(number);
            }
        }
    }

    /// The names of the secrets that are found.
    pub fn found_in(&self, place: &Place) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for (length, runs) in &self.pieces {
            for owners in place.bytes.windows(*length).filter_map(|window| runs.get(window)) {
                found.extend(owners.iter().map(|owner| self.names[*owner].as_str()));
            }
        }
        found
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

/// The released program as a job has installed it, byte for byte: nothing of the job is in its megabytes.
pub fn is_the_client(path: &std::path::Path) -> bool {
    let released = std::env::var_os("HUBLEASE_STATIC").filter(|_| path.ends_with("hublease"));
    released.is_some_and(|released| std::fs::read(path).ok() == std::fs::read(released).ok())
}

/// A planted secret in each form is found; without this the search proves nothing.
#[test]
fn a_planted_secret_is_found_in_each_form() {
    let secret = "dckr_pat_Zx9\"Qw7-/k=Lm3~Np5";
    let mut needles = Needles::default();
    needles.add("planted", secret);
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
        assert_eq!(needles.found_in(&Place::new("", text.clone())), BTreeSet::from(["planted"]), "{text}");
    }
    assert!(needles.found_in(&Place::new("", "dckr_pat_ and nothing more")).is_empty());
}

#[test]
fn each_segment_of_a_jwt_counts_but_its_header() {
    let token = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJvcmcvMTIzNDU2Nzg5MC9wcm9qZWN0LzEyMyJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ";
    let mut needles = Needles::default();
    needles.add("token", token);
    let segments: Vec<&str> = token.split('.').collect();
    for (segment, found) in [(segments[0], false), (segments[1], true), (segments[2], true)] {
        assert_eq!(!needles.found_in(&Place::new("", segment)).is_empty(), found);
    }
}
