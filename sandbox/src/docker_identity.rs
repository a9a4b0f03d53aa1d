//! Docker Identity: the exchange behind Docker's OIDC connections, `POST https://identity.docker.com/oauth/token`.
//!
//! Follows what docker/login-action and docker/oidc-action send, and Docker's troubleshooting texts. GitHub's issuer only;
//! there is no revocation endpoint. Guesses: every status is 400 with RFC 6749 error codes and the text in `error_description`
//! and `message`; the members of a success other than `access_token`; the form of the token; that `*` in a ruleset's `sub` crosses `/`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use serde_json::{Value, json};

use crate::core::Core;
use crate::hub::{ORGANIZATION, Resource};
use crate::issuer::{GITHUB_ISSUER, Issuer};
use crate::journal::LiveCredential;
use crate::message::{field, form, json as answer, set};
use crate::service::{Handler, Service};
use crate::sync::lock;
use crate::{glob, random};

/// The seeded connection of `acme`: `repo:acme/app:*` may pull and push `acme/app`.
pub const CONNECTION_ID: &str = "c0ffee00-5a1d-4b0c-9e1e-0a11ce5eed01";
/// The audience that Docker Identity asks for.
pub const AUDIENCE: &str = "https://identity.docker.com";
/// Lives that may be asked, in seconds.
const LIVES: std::ops::RangeInclusive<u64> = 300..=21_600;
const DEFAULT_LIFE_SECONDS: u64 = 300;
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// An OIDC connection with one ruleset.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The connection's UUID.
    pub id: String,
    /// The organization, which is the user name for `docker login`.
    pub organization: String,
    /// Patterns for `sub`; `*` stands for any characters.
    pub subjects: Vec<String>,
    /// Repository (or `namespace/*`) and its scopes, such as `scope-image-push`.
    pub repositories: Vec<(String, Vec<String>)>,
    /// A deactivated connection answers like an unknown one.
    pub active: bool,
}

/// Docker Identity.
pub struct DockerIdentity {
    core: Arc<Core>,
    issuer: Arc<Issuer>,
    connections: Mutex<HashMap<String, Connection>>,
    tokens: Mutex<Vec<OidcToken>>,
}

struct OidcToken {
    id: String,
    secret: String,
    organization: String,
    resources: Vec<Resource>,
    expires_at: u64,
}

impl DockerIdentity {
    pub(crate) fn new(core: Arc<Core>, issuer: Arc<Issuer>) -> Self {
        let identity = Self { core, issuer, connections: Mutex::default(), tokens: Mutex::default() };
        identity.set_connection(Connection {
            id: CONNECTION_ID.to_owned(),
            organization: ORGANIZATION.to_owned(),
            subjects: vec!["repo:acme/app:*".to_owned()],
            repositories: vec![("acme/app".to_owned(), vec!["scope-image-push".to_owned()])],
            active: true,
        });
        identity
    }

    /// Adds a connection, or replaces the one with its id.
    pub fn set_connection(&self, connection: Connection) {
        lock(&self.connections).insert(connection.id.clone(), connection);
    }

    pub(crate) fn live(&self) -> Vec<LiveCredential> {
        let now = self.core.clock.now();
        let tokens = lock(&self.tokens);
        let live = tokens.iter().filter(|token| now < token.expires_at);
        live.map(|token| LiveCredential { kind: "docker identity token", id: token.id.clone() }).collect()
    }

    /// What a token reaches, if it is alive and goes with this organization.
    pub(crate) fn authenticate(&self, organization: &str, secret: &str) -> Option<Vec<Resource>> {
        let now = self.core.clock.now();
        let tokens = lock(&self.tokens);
        let found =
            tokens.iter().find(|token| token.secret == secret && token.organization.eq_ignore_ascii_case(organization));
        found.filter(|token| now < token.expires_at).map(|token| token.resources.clone())
    }

    fn exchange(&self, request: &Request<Vec<u8>>) -> Result<Value, (&'static str, &'static str)> {
        let form = form(&String::from_utf8_lossy(request.body()));
        let field = |name| field(&form, name).filter(|value| !value.is_empty());
        if field("grant_type") != Some(TOKEN_EXCHANGE) {
            return Err(("unsupported_grant_type", "grant_type is not supported"));
        }
        if field("subject_token_type") != Some(ID_TOKEN) {
            return Err(("invalid_request", "subject_token_type is not supported"));
        }
        let subject_token = field("subject_token").ok_or(("invalid_request", "subject_token is required"))?;
        let missing = ("invalid_request", "connection_id is required when subject_token_type is id_token");
        let connection_id = field("connection_id").ok_or(missing)?;
        let life = match field("expires_in").map(str::parse) {
            None => DEFAULT_LIFE_SECONDS,
            Some(Ok(seconds)) if LIVES.contains(&seconds) => seconds,
            Some(_) => {
                return Err(("invalid_request", "expires_in must be between 300 and 21600"));
            }
        };
        let connection = lock(&self.connections).get(connection_id).filter(|connection| connection.active).cloned();
        let connection = connection.ok_or(("invalid_request", "connection_id is invalid"))?;
        let claims =
            self.issuer.verify(subject_token).map_err(|_why| ("invalid_request", "subject_token is invalid"))?;
        self.check(&claims)?;
        let subject = claims["sub"].as_str().unwrap_or_default();
        if !connection.subjects.iter().any(|pattern| glob::matches(pattern, subject)) {
            return Err(("access_denied", "access denied"));
        }
        Ok(self.issue(connection, life))
    }

    fn check(&self, claims: &Value) -> Result<(), (&'static str, &'static str)> {
        let now = self.core.clock.now();
        if claims["iss"] != GITHUB_ISSUER {
            return Err(("invalid_request", "subject_token issuer mismatch"));
        }
        if claims["exp"].as_u64().is_none_or(|end| end <= now) {
            return Err(("invalid_request", "subject_token has expired"));
        }
        if claims["nbf"].as_u64().is_some_and(|start| start > now) {
            return Err(("invalid_request", "subject_token is invalid"));
        }
        let single = claims["aud"].as_array().filter(|list| list.len() == 1).map_or(&claims["aud"], |list| &list[0]);
        if single != AUDIENCE { Err(("invalid_request", "subject_token audience mismatch")) } else { Ok(()) }
    }

    fn issue(&self, connection: Connection, life: u64) -> Value {
        let secret = random::token("dckr_oidc_", 43);
        let consumers = [Service::DockerIdentity, Service::RegistryAuth];
        self.core.know(
            format!("docker identity token of {}", connection.organization),
            "docker identity token",
            &secret,
            &consumers,
        );
        let resources = connection.repositories.into_iter();
        let resources =
            resources.map(|(path, scopes)| Resource { kind: "TYPE_REPO".to_owned(), path, scopes }).collect();
        let expires_at = self.core.clock.now() + life;
        let issued = OidcToken {
            id: random::uuid(),
            secret: secret.clone(),
            organization: connection.organization,
            resources,
            expires_at,
        };
        lock(&self.tokens).push(issued);
        json!({
            "access_token": secret,
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "Bearer",
            "expires_in": life,
        })
    }
}

impl Handler for DockerIdentity {
    fn handle(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        if request.uri().path() != "/oauth/token" {
            return answer(404, &json!({ "error": "not_found" }));
        }
        if request.method() != Method::POST {
            return answer(405, &json!({ "error": "method_not_allowed" }));
        }
        let mut response = match self.exchange(request) {
            Ok(body) => answer(200, &body),
            Err((code, text)) => answer(400, &json!({ "error": code, "error_description": text, "message": text })),
        };
        set(&mut response, "cache-control", "no-store");
        response
    }
}
