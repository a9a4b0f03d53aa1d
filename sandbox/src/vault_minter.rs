//! How the Vault plugin reaches Docker Hub: through the same requests as anybody, so they are logged and faults apply to them.
//!
//! Follows hoeg/vault-plugin-secrets-dockerhub: sign in with the stored password at every call, then one call to the token API,
//! without `expires_at`. The plugin accepts only 202 for a deletion although Docker documents 204; `set_wants_202` turns that
//! defect on, and then every revocation fails after it has deleted the token.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Method, Request, Response, Uri, header};
use serde_json::{Value, json};

use crate::core::Core;
use crate::fault::Delivery;
use crate::hub::Hub;
use crate::service::Service;
use crate::vault::Minter;

pub(crate) struct HubMinter {
    core: Arc<Core>,
    hub: Arc<Hub>,
    wants_202: AtomicBool,
}

impl HubMinter {
    pub(crate) fn new(core: Arc<Core>, hub: Arc<Hub>) -> Self {
        Self { core, hub, wants_202: AtomicBool::new(false) }
    }

    pub(crate) fn set_wants_202(&self, on: bool) {
        self.wants_202.store(on, Ordering::SeqCst);
    }

    fn sign_in(&self, username: &str, password: &str) -> Result<String, String> {
        let body = json!({ "username": username, "password": password });
        let response = self.call(Method::POST, "/v2/users/login", None, &body)?;
        let token = parsed(&response)["token"].as_str().map(str::to_owned);
        token.ok_or_else(|| format!("login failed with status {}", response.status().as_u16()))
    }

    fn call(
        &self,
        method: Method,
        path: &str,
        bearer: Option<&str>,
        body: &Value,
    ) -> Result<Response<Vec<u8>>, String> {
        let mut request = Request::new(if body.is_null() { Vec::new() } else { body.to_string().into_bytes() });
        *request.method_mut() = method;
        *request.uri_mut() = path.parse::<Uri>().map_err(|error| error.to_string())?;
        let mut headers =
            vec![(header::HOST, "hub.docker.com".to_owned()), (header::USER_AGENT, "vault-plugin".to_owned())];
        headers.extend(bearer.map(|bearer| (header::AUTHORIZATION, format!("Bearer {bearer}"))));
        for (name, value) in headers {
            request.headers_mut().insert(name, value.parse().map_err(|_invalid| "header value".to_owned())?);
        }
        match self.core.answer(Service::Hub, &*self.hub, &request) {
            Delivery::Whole(response) | Delivery::Drip { response, .. } => Ok(response),
            Delivery::Cut { .. } | Delivery::Close => Err("unexpected EOF".to_owned()),
        }
    }
}

impl Minter for HubMinter {
    fn mint(&self, username: &str, password: &str, label: &str, scope: &str) -> Result<(String, String), String> {
        let bearer = self.sign_in(username, password)?;
        let body = json!({ "token_label": label, "scopes": [format!("repo:{scope}")] });
        let response = self.call(Method::POST, "/v2/access-tokens", Some(&bearer), &body)?;
        let created = parsed(&response);
        match (response.status().as_u16(), created["token"].as_str(), created["uuid"].as_str()) {
            (200..=299, Some(token), Some(uuid)) => Ok((token.to_owned(), uuid.to_owned())),
            (status, ..) => Err(format!("unable to create token: status {status}")),
        }
    }

    fn revoke(&self, username: &str, password: &str, uuid: &str) -> Result<(), String> {
        let bearer = self.sign_in(username, password)?;
        let response = self.call(Method::DELETE, &format!("/v2/access-tokens/{uuid}"), Some(&bearer), &Value::Null)?;
        match response.status().as_u16() {
            202 => Ok(()),
            200 | 204 if !self.wants_202.load(Ordering::SeqCst) => Ok(()),
            status => Err(format!("unable to delete token: status {status}")),
        }
    }
}

fn parsed(response: &Response<Vec<u8>>) -> Value {
    serde_json::from_slice(response.body()).unwrap_or(Value::Null)
}
