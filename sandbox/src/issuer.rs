//! The identity issuers: tokens shaped like those of CircleCI, GitHub Actions and Kubernetes, with discovery and key sets.
//!
//! Follows CircleCI's, GitHub's and Kubernetes' OpenID Connect documentation. One key signs for all three, which the real
//! issuers do not do; nothing that verifies correctly can tell. Discovery documents hold the members that verifiers read,
//! not every member of the originals.

mod identity;
mod keys;
mod request;
mod shapes;
mod token;

use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use serde_json::{Value, json};

pub use self::identity::Identity;
use self::keys::Keys;
pub(crate) use self::request::IdTokenRequests;
pub use self::token::TokenBuilder;
use crate::core::Core;
use crate::message::json as answer;
use crate::service::Handler;
use crate::sync::lock;

/// GitHub's issuer.
pub const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";
/// The issuer of the Kubernetes cluster in the sandbox; real clusters choose their own.
pub const KUBERNETES_ISSUER: &str = "https://kubernetes.example.com";
/// Where discovery is, below an issuer.
const DISCOVERY: &str = "/.well-known/openid-configuration";
/// Where the keys of a founded issuer are.
const JWKS: &str = "/.well-known/jwks";
/// CircleCI's root issuer; an organization's issuer adds `/org/<uuid>`.
pub const CIRCLECI_ISSUER: &str = "https://oidc.circleci.com";

/// Signs identity tokens and serves discovery.
pub struct Issuer {
    core: Arc<Core>,
    keys: Arc<Keys>,
    identity: Mutex<Identity>,
    foreign_published: Mutex<bool>,
}

impl Issuer {
    pub(crate) fn new(core: Arc<Core>) -> Result<Self, String> {
        let keys = Arc::new(Keys::load()?);
        Ok(Self { core, keys, identity: Mutex::default(), foreign_published: Mutex::default() })
    }

    /// Who the job is; a copy.
    pub fn identity(&self) -> Identity {
        lock(&self.identity).clone()
    }

    /// Changes who the job is, for tokens made from now on.
    pub fn set_identity(&self, change: impl FnOnce(&mut Identity)) {
        change(&mut lock(&self.identity));
    }

    /// Sets the job: CircleCI's `job-id` and GitHub's `check_run_id` (digits).
    pub fn set_job(&self, circleci_job_id: &str, github_check_run_id: &str) {
        self.set_identity(|identity| {
            circleci_job_id.clone_into(&mut identity.job_id);
            github_check_run_id.clone_into(&mut identity.check_run_id);
        });
    }

    /// A CircleCI token as in `CIRCLE_OIDC_TOKEN_V2`; audience: the organization id.
    pub fn circleci(&self) -> TokenBuilder {
        self.builder("CircleCI token v2", shapes::circleci(&self.identity(), self.core.clock.now(), true))
    }

    /// A CircleCI token as in `CIRCLE_OIDC_TOKEN`, whose `sub` names no source; audience: the organization id.
    pub fn circleci_v1(&self) -> TokenBuilder {
        self.builder("CircleCI token v1", shapes::circleci(&self.identity(), self.core.clock.now(), false))
    }

    /// A GitHub Actions token; audience: the owner's URL.
    pub fn github(&self) -> TokenBuilder {
        self.builder("GitHub token", shapes::github(&self.identity(), self.core.clock.now()))
    }

    /// A projected Kubernetes service account token; audience: `https://kubernetes.example.com`.
    pub fn kubernetes(&self) -> TokenBuilder {
        self.builder("Kubernetes token", shapes::kubernetes(&self.identity(), self.core.clock.now()))
    }

    /// A token with these claims and no others, but `iat` and `exp` of an hour.
    pub fn of(&self, claims: Value) -> TokenBuilder {
        let now = self.core.clock.now();
        self.builder("token of another system", claims).claim("iat", json!(now)).claim("exp", json!(now + 3600))
    }

    /// Adds the second key to the key sets, as after a rotation, or takes it away.
    pub fn publish_foreign_key(&self, published: bool) {
        *lock(&self.foreign_published) = published;
    }

    /// Checks algorithm, key and signature of a token against the published keys and gives its claims; times and audience are
    /// not looked at.
    ///
    /// # Errors
    /// Says what was wrong.
    pub fn verify(&self, token: &str) -> Result<Value, String> {
        self.keys.verify(token, *lock(&self.foreign_published))
    }

    fn builder(&self, name: &str, claims: Value) -> TokenBuilder {
        TokenBuilder::new(Arc::clone(&self.core), Arc::clone(&self.keys), name, claims)
    }

    /// A founded issuer's discovery or keys, if there is one at this host and path.
    fn founded(&self, host: &str, path: &str) -> Option<Response<Vec<u8>>> {
        self.core.issuers_at(host).into_iter().find_map(|below| {
            let start = below.trim_end_matches('/');
            match path.strip_prefix(start)? {
                DISCOVERY => {
                    let (issuer, jwks) = (format!("https://{host}{below}"), format!("https://{host}{start}{JWKS}"));
                    Some(answer(200, &json!({ "issuer": issuer, "jwks_uri": jwks })))
                }
                JWKS => Some(answer(200, &self.keys.key_set(*lock(&self.foreign_published)))),
                _ => None,
            }
        })
    }

    fn discovery(&self, issuer: &str, key_path: &str, claims: &[&str]) -> Response<Vec<u8>> {
        answer(
            200,
            &json!({
                "issuer": issuer,
                "jwks_uri": format!("{issuer}{key_path}"),
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid"],
                "claims_supported": claims,
            }),
        )
    }
}

impl Handler for Issuer {
    fn handle(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return answer(405, &json!({ "message": "method not allowed" }));
        }
        let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
        let path = request.uri().path();
        if let Some(reply) = self.founded(host.trim_end_matches(":443"), path) {
            return reply;
        }
        let organization = format!("/org/{}", self.identity().organization_id);
        let circleci = CIRCLECI_ISSUER.ends_with(host.trim_end_matches(":443"));
        // CircleCI serves the organization's issuer and the root issuer.
        let (prefix, rest) = match path.strip_prefix(organization.as_str()).filter(|_| circleci) {
            Some(rest) => (organization.as_str(), rest),
            None => ("", path),
        };
        match rest {
            DISCOVERY if circleci => self.discovery(
                &format!("{CIRCLECI_ISSUER}{prefix}"),
                "/.well-known/jwks-pub.json",
                &["sub", "iss", "aud", "iat", "exp"],
            ),
            DISCOVERY if GITHUB_ISSUER.ends_with(host.trim_end_matches(":443")) => self.discovery(
                GITHUB_ISSUER,
                "/.well-known/jwks",
                &["sub", "aud", "exp", "iat", "iss", "jti", "nbf", "repository", "ref"],
            ),
            DISCOVERY => self.discovery(KUBERNETES_ISSUER, "/openid/v1/jwks", &["sub", "iss"]),
            "/.well-known/jwks-pub.json" | "/.well-known/jwks" | "/openid/v1/jwks" => {
                answer(200, &self.keys.key_set(*lock(&self.foreign_published)))
            }
            _ => answer(404, &json!({ "message": "not found" })),
        }
    }
}
