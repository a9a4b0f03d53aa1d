//! The token server, `GET https://auth.docker.io/token` (distribution's token specification).
//!
//! Takes passwords, personal and organization tokens and Docker Identity tokens as Basic credentials. It gives no refresh token.
//! Every bearer is remembered with its sandbox expiry, which is what the front goes by.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use serde_json::{Value, json};

use super::BEARER_SECONDS;
use super::scope::{Insufficient, grant, parse};
use super::signer::Signer;
use crate::clock::rfc3339;
use crate::core::Core;
use crate::docker_identity::DockerIdentity;
use crate::hub::{Authenticated, Hub};
use crate::message::{basic, json as answer, query};
use crate::service::{Handler, Service};
use crate::sync::lock;

pub(crate) struct RegistryAuth {
    core: Arc<Core>,
    hub: Arc<Hub>,
    docker_identity: Arc<DockerIdentity>,
    signer: Signer,
    bearers: Mutex<HashMap<String, Bearer>>,
}

/// What a bearer is good for.
#[derive(Clone)]
pub(super) struct Bearer {
    /// `false` for one that was given without credentials.
    pub(super) authenticated: bool,
    access: Value,
    expires_at: u64,
}

impl Bearer {
    pub(super) fn allows(&self, repository: &str, action: &str) -> bool {
        self.access.as_array().into_iter().flatten().any(|entry| {
            let actions = entry["actions"].as_array();
            entry["name"] == repository
                && actions.is_some_and(|actions| {
                    actions
                        .iter()
                        .any(|granted| granted == action || granted == "*")
                })
        })
    }
}

impl RegistryAuth {
    pub(crate) fn new(
        core: Arc<Core>,
        hub: Arc<Hub>,
        docker_identity: Arc<DockerIdentity>,
        signer: Signer,
    ) -> Self {
        Self {
            core,
            hub,
            docker_identity,
            signer,
            bearers: Mutex::default(),
        }
    }

    /// The certificate that a real registry must trust.
    pub(crate) fn certificate(&self) -> &str {
        self.signer.certificate()
    }

    /// A bearer that was issued here and has not expired.
    pub(super) fn bearer(&self, token: &str) -> Option<Bearer> {
        lock(&self.bearers)
            .get(token)
            .filter(|bearer| self.core.clock.now() < bearer.expires_at)
            .cloned()
    }

    fn authenticate(&self, name: &str, secret: &str) -> Authenticated {
        match self.docker_identity.authenticate(name, secret) {
            Some(resources) => Authenticated::Organization(name.to_ascii_lowercase(), resources),
            None => self
                .hub
                .state()
                .authenticate(name, secret, self.core.clock.now()),
        }
    }
}

impl Handler for RegistryAuth {
    fn handle(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        if request.uri().path() != "/token" {
            return answer(404, &json!({ "details": "not found" }));
        }
        if request.method() != Method::GET {
            // The POST form serves refresh tokens, and none are given.
            return answer(405, &json!({ "details": "method not allowed" }));
        }
        let credentials = basic(request);
        if credentials.is_none() && request.headers().contains_key("authorization") {
            return answer(401, &json!({ "details": "incorrect username or password" }));
        }
        let (subject, who) = match credentials {
            None => (String::new(), Authenticated::Unknown),
            Some((name, secret)) => match self.authenticate(&name, &secret) {
                Authenticated::Unknown => {
                    return answer(401, &json!({ "details": "incorrect username or password" }));
                }
                Authenticated::PasswordNotEnough => {
                    return answer(
                        401,
                        &json!({ "details": "please use personal access token to login" }),
                    );
                }
                who => (name, who),
            },
        };
        let query = query(request);
        let asked = parse(
            query
                .iter()
                .filter(|(name, _)| name == "scope")
                .map(|(_, value)| value.as_str()),
        );
        let granted = grant(&self.hub.state(), &who, &asked);
        let access = match granted {
            Ok(access) => access,
            Err(Insufficient) => {
                return answer(
                    401,
                    &json!({ "details": "access token has insufficient scopes" }),
                );
            }
        };
        let token = self.signer.sign(&subject, &access);
        let now = self.core.clock.now();
        let authenticated = !subject.is_empty();
        self.core.know(
            format!("registry bearer of {subject}"),
            "registry bearer",
            &token,
            &[Service::RegistryAuth, Service::Registry],
        );
        lock(&self.bearers).insert(
            token.clone(),
            Bearer {
                authenticated,
                access,
                expires_at: now + BEARER_SECONDS,
            },
        );
        answer(
            200,
            &json!({ "token": token, "access_token": token, "expires_in": BEARER_SECONDS, "issued_at": rfc3339(now) }),
        )
    }
}
