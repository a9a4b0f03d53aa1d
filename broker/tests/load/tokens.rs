//! Identity tokens of as many jobs as there are exchanges, signed before anything is measured.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use serde_json::json;

use super::{ACCOUNTS, Fallible};

/// Whose tokens they are; a CircleCI organization's by their shape.
pub(super) const ISSUER_HOST: &str = "oidc.example.com";
/// The broker's name for itself.
pub(super) const AUDIENCE: &str = "https://broker.example.com";
/// Exchanges with one token; each after the first is another login of the same job.
const USES: usize = 5;

/// See the module.
pub(super) struct Tokens(Vec<String>);

impl Tokens {
    pub(super) fn sign(exchanges: usize) -> Fallible<Self> {
        let pair = pair()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = encode(&json!({"alg": "RS256", "typ": "JWT", "kid": "k"}));
        let sign = |job: usize| {
            let claims = json!({
                "iss": format!("https://{ISSUER_HOST}/org/o"), "sub": format!("org/o/project/p/user/{job}"), "aud": AUDIENCE,
                "iat": now, "exp": now + 3600, "oidc.circleci.com/project-id": format!("p{}", job % ACCOUNTS),
                "oidc.circleci.com/job-id": format!("job-{job}"), "oidc.circleci.com/workflow-id": format!("workflow-{job}"),
                "oidc.circleci.com/vcs-origin": "github.com/acme/app", "oidc.circleci.com/vcs-ref": "refs/heads/main",
                "oidc.circleci.com/ssh-rerun": false, "oidc.circleci.com/context-ids": ["c1", "c2"],
            });
            let signed = format!("{header}.{}", encode(&claims));
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
                .map_err(|_no_reason| "a token could not be signed")?;
            Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
        };
        (0..exchanges.div_ceil(USES)).map(sign).collect::<Fallible<_>>().map(Self)
    }

    /// The token of an exchange.
    pub(super) fn of(&self, exchange: usize) -> &str {
        &self.0[exchange / USES]
    }
}

/// The JWK set.
pub(super) fn keys() -> String {
    let Ok(pair) = pair() else { return String::new() };
    let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
    let [n, e] = [public.n, public.e].map(|number| URL_SAFE_NO_PAD.encode(number));
    json!({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k", "n": n, "e": e}]}).to_string()
}

/// A TEST-ONLY key of 2048 bits; it stands in the repository and protects nothing.
pub(super) fn pair() -> Fallible<RsaKeyPair> {
    let text: String = include_str!("../data/test-only-rsa-a.b64").split_whitespace().collect();
    RsaKeyPair::from_pkcs8(&STANDARD.decode(text)?).map_err(|rejected| rejected.to_string().into())
}
