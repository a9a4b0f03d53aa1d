//! GitHub's ID-token request URL: `GET` with the job's request token and an audience gives `{"value": "<jwt>"}`.
//!
//! Follows GitHub's documentation of `ACTIONS_ID_TOKEN_REQUEST_URL`. The path and the text of the refusals are guesses.

use std::sync::Arc;

use http::{Method, Request, Response};
use serde_json::json;

use super::Issuer;
use crate::core::Core;
use crate::message::{bearer, field, json as answer, query};
use crate::random;
use crate::service::{Handler, Service};

/// Path and query of the request URL; a client appends `&audience=`.
const REQUEST_TARGET: &str = "/sandbox/_apis/distributedtask/hubs/Actions/plans/1/jobs/1/idtoken?api-version=2.0";

pub(crate) struct IdTokenRequests {
    issuer: Arc<Issuer>,
    token: String,
}

impl IdTokenRequests {
    pub(crate) fn new(core: &Core, issuer: Arc<Issuer>) -> Self {
        let token = random::token("sandbox-request-", 40);
        core.know("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request token", &token, &[Service::IdTokenRequest]);
        Self { issuer, token }
    }

    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// `ACTIONS_ID_TOKEN_REQUEST_URL` below this origin.
    pub(crate) fn url(origin: &str) -> String {
        format!("{origin}{REQUEST_TARGET}")
    }
}

impl Handler for IdTokenRequests {
    fn handle(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let path = REQUEST_TARGET.split('?').next().unwrap_or_default();
        if request.uri().path() != path {
            return answer(404, &json!({ "message": "not found" }));
        }
        if request.method() != Method::GET {
            return answer(405, &json!({ "message": "method not allowed" }));
        }
        if bearer(request) != Some(self.token.as_str()) {
            return answer(401, &json!({ "message": "the request token is not valid" }));
        }
        let query = query(request);
        let mut token = self.issuer.github();
        if let Some(audience) = field(&query, "audience").filter(|audience| !audience.is_empty()) {
            token = token.audience(audience);
        }
        answer(200, &json!({ "value": token.sign() }))
    }
}
