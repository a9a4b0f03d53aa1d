//! The token server, `GET https://auth.docker.io/token` (distribution's token specification).
//!
//! Takes passwords, personal and organization tokens and Docker Identity tokens as Basic credentials. It gives no refresh token.
//! Every bearer is remembered with its sandbox expiry, which is what the front goes by.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use hublease_protocol::time::utc;
use serde_json::{Value, json};

use super::BEARER_SECONDS;
use super::scope::{Insufficient, grant, parse};
use super::signer::Signer;
use crate::hub::Authenticated;
use crate::ledger::Ledger;
use crate::message::{basic, json as answer, query};
use crate::service::{Handler, Service};
use crate::sync::lock;

/// The text for every credential that does not count.
const WRONG: &str = "incorrect username or password";

pub(crate) struct RegistryAuth {
    ledger: Arc<Ledger>,
    signer: Signer,
    bearers: Mutex<HashMap<String, Bearer>>,
    /// How many seconds of its life a bearer has left when it is handed out.
    left: AtomicU64,
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
                && actions.is_some_and(|actions| actions.iter().any(|granted| granted == action || granted == "*"))
        })
    }
}

impl RegistryAuth {
    pub(crate) fn new(ledger: Arc<Ledger>, signer: Signer) -> Self {
        Self { ledger, signer, bearers: Mutex::default(), left: AtomicU64::new(BEARER_SECONDS) }
    }

    /// The certificate that a real registry must trust.
    pub(crate) fn certificate(&self) -> &str {
        self.signer.certificate()
    }

    /// From now on bearers are handed out with so many seconds of their life left.
    pub(crate) fn set_bearer_left(&self, seconds: u64) {
        self.left.store(seconds.min(BEARER_SECONDS), Ordering::SeqCst);
    }

    /// A bearer that was issued here and has not expired.
    pub(super) fn bearer(&self, token: &str) -> Option<Bearer> {
        lock(&self.bearers).get(token).filter(|bearer| self.ledger.core.clock.now() < bearer.expires_at).cloned()
    }

    /// The name and whose it is; without credentials nobody. `Err` is the text of the refusal.
    fn identify(&self, request: &Request<Vec<u8>>) -> Result<(String, Authenticated), &'static str> {
        let Some((name, secret)) = basic(request) else {
            let unreadable = request.headers().contains_key("authorization");
            return if unreadable { Err(WRONG) } else { Ok((String::new(), Authenticated::Unknown)) };
        };
        match self.authenticate(&name, &secret) {
            Authenticated::Unknown => Err(WRONG),
            Authenticated::PasswordNotEnough => Err("please use personal access token to login"),
            who => Ok((name, who)),
        }
    }

    fn authenticate(&self, name: &str, secret: &str) -> Authenticated {
        match self.ledger.docker_identity.authenticate(name, secret) {
            Some(resources) => Authenticated::Organization(name.to_ascii_lowercase(), resources),
            None => self.ledger.hub.state().authenticate(name, secret, self.ledger.core.clock.now()),
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
        let (subject, who) = match self.identify(request) {
            Ok(found) => found,
            Err(text) => return answer(401, &json!({ "details": text })),
        };
        let query = query(request);
        let asked = parse(query.iter().filter(|(name, _)| name == "scope").map(|(_, value)| value.as_str()));
        let granted = grant(&self.ledger.hub.state(), &who, &asked);
        let access = match granted {
            Ok(access) => access,
            Err(Insufficient) => {
                return answer(401, &json!({ "details": "access token has insufficient scopes" }));
            }
        };
        let token = self.signer.sign(&subject, &access);
        let expires_at = self.ledger.core.clock.now() + self.left.load(Ordering::SeqCst);
        let issued_at = utc(expires_at.saturating_sub(BEARER_SECONDS));
        let authenticated = !subject.is_empty();
        self.ledger.core.know(
            format!("registry bearer of {subject}"),
            "registry bearer",
            &token,
            &[Service::RegistryAuth, Service::Registry],
        );
        lock(&self.bearers).insert(token.clone(), Bearer { authenticated, access, expires_at });
        answer(
            200,
            &json!({ "token": token, "access_token": token, "expires_in": BEARER_SECONDS, "issued_at": issued_at }),
        )
    }
}
