//! Is this really the job's identity token? From a string of bytes to an [`Identity`], or a refusal.
//!
//! Follows RFC 7519, RFC 7515 and the advice of RFC 8725: the issuer list is closed, the algorithm comes from the
//! configuration and never from the token, `kid` is required, and every registered claim is checked here in so many words.
//! A header or payload that names a key twice is refused (RFC 7515 section 4, RFC 7519 section 4): two readers of it could
//! disagree about who asks. Before the signature is checked only `iss` is read, and only to choose whose keys to check with.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hublease_hub::outbound::Outbound;
use hublease_protocol::ci::IdentityUse;
use hublease_protocol::oauth::Code;
use hublease_protocol::strict_json;
use serde_json::{Map, Value};

use crate::identity::claims::{Claims, Identity, job_key, token_sha256, workflow_key};
use crate::identity::issuer::Issuer;
use crate::identity::key_cache::Keys;
use crate::limits::{LEEWAY_SECONDS, MAX_ID_BYTES, MAX_TOKEN_BYTES, MAX_TOKEN_LIFE_SECONDS};
use crate::refusal::Refusal;

/// The trusted issuers with their keys, and the audience that a token must name.
pub struct Verifier {
    issuers: Vec<(Issuer, Keys)>,
    audience: String,
}

impl Verifier {
    /// A verifier for these issuers. `audience` is the broker's own address.
    #[must_use]
    pub fn new(issuers: Vec<Issuer>, audience: String) -> Self {
        Self { issuers: issuers.into_iter().map(|issuer| (issuer, Keys::default())).collect(), audience }
    }

    /// The issuer at a position of the configuration.
    #[must_use]
    pub fn issuer(&self, identity: &Identity) -> &Issuer {
        &self.issuers[identity.issuer].0
    }

    /// The issuer whose tokens say this in `iss`.
    #[must_use]
    pub fn issuer_of(&self, iss: &str) -> Option<&Issuer> {
        self.issuers.iter().map(|(issuer, _)| issuer).find(|issuer| issuer.url == iss)
    }

    /// When the keys of the issuers were fetched last, in seconds since 1970, by the issuers' names. Those that nobody has
    /// needed yet are not there.
    pub fn keys_fetched_at(&self) -> impl Iterator<Item = (&str, u64)> {
        self.issuers.iter().filter_map(|(issuer, keys)| Some((issuer.name.as_str(), keys.fetched_at()?)))
    }

    /// Checks a token. May fetch the issuer's keys.
    ///
    /// # Errors
    /// With the code that says what is wrong. Nothing of the token is repeated.
    pub fn verify(&self, token: &str, outbound: &dyn Outbound, now: u64) -> Result<Identity, Refusal> {
        let unverified = Unverified::split(token)?;
        let unverified_issuer = unverified.issuer()?;
        let position = self.issuers.iter().position(|(issuer, _)| issuer.url == unverified_issuer);
        let Some((index, (issuer, keys))) = position.map(|index| (index, &self.issuers[index])) else {
            return refuse(Code::IssuerUnknown, "the token's `iss` is not an issuer of this broker");
        };
        let kid = unverified.header.check(issuer)?;
        let key = keys.find(issuer, kid, outbound, now)?;
        if !key.verifies(unverified.signed, &unverified.signature) {
            return refuse(Code::SignatureInvalid, "the signature does not verify");
        }
        let claims = Claims::verified(unverified.payload);
        let (issued_at, expires_at) = check_times(&claims, now)?;
        self.check_audience(issuer, &claims)?;
        let signed_sha256 = token_sha256(token);
        Ok(Identity {
            issuer: index,
            project: claims.text(issuer.kind.project_claim()).map(str::to_owned),
            job: job_key(issuer, &claims, &signed_sha256),
            workflow: workflow_key(issuer, &claims),
            single_use_id: single_use_id(issuer, &claims)?,
            claims,
            issued_at,
            expires_at,
            token_sha256: signed_sha256,
        })
    }

    /// One audience, and it is us: a token for several could be used here by any of the others.
    pub(crate) fn check_audience(&self, issuer: &Issuer, claims: &Claims) -> Result<(), Refusal> {
        let audience = match claims.find("aud") {
            Some(Value::String(audience)) => Some(audience),
            Some(Value::Array(list)) => match list.as_slice() {
                [Value::String(audience)] => Some(audience),
                _ => None,
            },
            _ => None,
        };
        let Some(audience) = audience else {
            return refuse(Code::AudienceMismatch, "the token's `aud` is not a single text");
        };
        if *audience == self.audience || issuer.default_audience.as_ref() == Some(audience) {
            return Ok(());
        }
        refuse(Code::AudienceMismatch, format!("the token's `aud` is not `{}`", self.audience))
    }
}

/// A token taken apart, before anything in it is believed.
struct Unverified<'a> {
    signed: &'a [u8],
    header: Header,
    payload: Map<String, Value>,
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    fn split(token: &'a str) -> Result<Self, Refusal> {
        let malformed = || Refusal::new(Code::TokenMalformed, "the identity token is not a signed JWT");
        if token.len() > MAX_TOKEN_BYTES {
            return refuse(Code::TokenMalformed, "the identity token is longer than 16 KiB");
        }
        let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, payload) = signed.split_once('.').ok_or_else(malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let object = |part: &str| match strict_json::parse(&decode(part)?) {
            Some(Value::Object(object)) => Some(object),
            _ => None,
        };
        Ok(Self {
            signed: signed.as_bytes(),
            header: Header(object(header).ok_or_else(malformed)?),
            payload: object(payload).ok_or_else(malformed)?,
            signature: decode(signature).ok_or_else(malformed)?,
        })
    }

    fn issuer(&self) -> Result<&str, Refusal> {
        let malformed = || Refusal::new(Code::ClaimMalformed, "the claim `iss` is missing or not a text");
        self.payload.get("iss").and_then(Value::as_str).ok_or_else(malformed)
    }
}

/// What a token says about its own signature. `alg` is compared, never obeyed; keys or addresses in a header are not read.
struct Header(Map<String, Value>);

/// What changes the meaning of a token for those who know it (RFC 7515 section 4.1.11, RFC 7797).
const NOT_UNDERSTOOD: [&str; 2] = ["crit", "b64"];

impl Header {
    fn check(&self, issuer: &Issuer) -> Result<&str, Refusal> {
        let pinned = issuer.algorithm.as_str();
        if self.0.get("alg").and_then(Value::as_str) != Some(pinned) {
            return refuse(Code::AlgorithmNotAllowed, format!("the token's `alg` is not `{pinned}`"));
        }
        if let Some(name) = NOT_UNDERSTOOD.iter().find(|name| self.0.contains_key(**name)) {
            return refuse(Code::TokenMalformed, format!("the token's header has `{name}`, which is not understood"));
        }
        match self.0.get("kid").and_then(Value::as_str) {
            Some(kid) if !kid.is_empty() => Ok(kid),
            _ => refuse(Code::KeyIdMissing, "the token's header has no `kid`"),
        }
    }
}

/// `exp`, `nbf` and `iat`, with the leeway; gives `iat` and `exp`.
fn check_times(claims: &Claims, now: u64) -> Result<(u64, u64), Refusal> {
    let malformed =
        |name| Refusal::new(Code::ClaimMalformed, format!("the claim `{name}` is missing or not a whole number"));
    let required = |name| claims.find(name).and_then(Value::as_u64).ok_or_else(|| malformed(name));
    let (expires_at, issued_at) = (required("exp")?, required("iat")?);
    let not_before = match claims.find("nbf") {
        None => issued_at,
        Some(value) => value.as_u64().ok_or_else(|| malformed("nbf"))?,
    };
    if now >= expires_at.saturating_add(LEEWAY_SECONDS) {
        return refuse(Code::TokenExpired, "the identity token has expired");
    }
    if issued_at.max(not_before) > now.saturating_add(LEEWAY_SECONDS) {
        return refuse(Code::TokenNotYetValid, "the identity token is not valid yet; one of the clocks is wrong");
    }
    if expires_at.saturating_sub(issued_at) > MAX_TOKEN_LIFE_SECONDS {
        return refuse(Code::TokenTooLong, "the identity token lives longer than 24 hours");
    }
    Ok((issued_at, expires_at))
}

/// What a token of an issuer whose tokens count once is remembered by.
///
/// # Errors
/// When it has nothing to be remembered by, so that a replay would not be seen.
pub(crate) fn single_use_id(issuer: &Issuer, claims: &Claims) -> Result<Option<String>, Refusal> {
    match (issuer.identity_use, claims.text("jti")) {
        (IdentityUse::Reusable, _) => Ok(None),
        (IdentityUse::Once, Some(id)) if id.len() <= MAX_ID_BYTES => Ok(Some(id.to_owned())),
        (IdentityUse::Once, _) => refuse(Code::ClaimMalformed, "the claim `jti` is missing, too long or not a text"),
    }
}

fn refuse<T>(code: Code, sentence: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(code, sentence))
}

#[cfg(test)]
mod tests;
