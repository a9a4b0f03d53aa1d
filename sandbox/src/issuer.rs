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

use http::{Method, Request, Response, header};
use serde_json::{Value, json};

pub use self::identity::Identity;
use self::keys::Keys;
pub(crate) use self::request::IdTokenRequests;
pub use self::token::TokenBuilder;
use crate::core::Core;
use crate::message::{bytes, json as answer, set};
use crate::service::Handler;
use crate::sync::lock;

/// GitHub's issuer.
pub const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";
/// The issuer of the Kubernetes cluster in the sandbox; real clusters choose their own.
pub const KUBERNETES_ISSUER: &str = "https://kubernetes.example.com";
/// Where every issuer says where its keys are (OpenID Connect Discovery 1.0).
const DISCOVERY: &str = "/.well-known/openid-configuration";
/// Where a cluster has its keys.
const CLUSTER_KEYS: &str = "/openid/v1/jwks";
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
        let claims = shapes::kubernetes(&self.identity(), self.core.clock.now());
        self.builder("Kubernetes token", claims).remove_header("typ")
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
        let mut document = discovery(issuer, key_path);
        document["scopes_supported"] = json!(["openid"]);
        document["claims_supported"] = json!(claims);
        answer(200, &document)
    }

    fn key_set(&self) -> Value {
        self.keys.key_set(*lock(&self.foreign_published))
    }

    /// A cluster says how long its documents may be kept. It calls its keys by their own kind of JSON, and shows them only to who
    /// reads that.
    fn cluster(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let (kind, document) = match request.uri().path() {
            DISCOVERY => ("application/json", discovery(KUBERNETES_ISSUER, CLUSTER_KEYS)),
            CLUSTER_KEYS => ("application/jwk-set+json", self.key_set()),
            _ => return answer(404, &json!({ "message": "not found" })),
        };
        let (mut response, kept) = if reads(request, kind) {
            (bytes(200, kind, document.to_string().into_bytes()), "public, max-age=3600")
        } else {
            (answer(406, &not_acceptable(kind)), "no-cache, private")
        };
        set(&mut response, "cache-control", kept);
        response
    }
}

/// Whether `Accept` has room for this kind of body; who says nothing takes anything.
fn reads(request: &Request<Vec<u8>>, kind: &str) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    let ranges = accept.split(',').filter_map(|range| range.split(';').next());
    ranges.map(str::trim).any(|range| range == "*/*" || range == kind)
}

/// The cluster's words for who reads another kind of body.
fn not_acceptable(kind: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "NotAcceptable", "code": 406,
        "message": format!("406: Not Acceptable\n\nAvailable representations: {kind}"), "details": {},
    })
}

/// What every issuer says.
fn discovery(issuer: &str, key_path: &str) -> Value {
    json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}{key_path}"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}

impl Handler for Issuer {
    fn handle(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return answer(405, &json!({ "message": "method not allowed" }));
        }
        let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
        let path = request.uri().path();
        if KUBERNETES_ISSUER.ends_with(host.trim_end_matches(":443")) {
            return self.cluster(request);
        }
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
            "/.well-known/jwks-pub.json" | "/.well-known/jwks" => answer(200, &self.key_set()),
            _ => answer(404, &json!({ "message": "not found" })),
        }
    }
}
