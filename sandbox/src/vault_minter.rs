//! How the Vault plugin reaches Docker Hub: through the same requests as anybody, so they are logged and faults apply to them.
//!
//! Follows hoeg/vault-plugin-secrets-dockerhub: sign in with the stored password at every call, then one call to the token API,
//! without `expires_at`; its error texts. The plugin takes only 202 for a deletion; that defect belongs to the Vault module, and
//! here the documented 204 is a success.

use std::sync::Arc;

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
}

impl HubMinter {
    pub(crate) fn new(core: Arc<Core>, hub: Arc<Hub>) -> Self {
        Self { core, hub }
    }

    fn sign_in(&self, username: &str, password: &str) -> Result<String, String> {
        let body = json!({ "username": username, "password": password });
        let response = self.call(Method::POST, "/v2/users/login", None, &body)?;
        let token = parsed(&response)["token"].as_str().map(str::to_owned);
        token.ok_or_else(|| format!("authentication failed: {}", response.status().as_u16()))
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
        let body = json!({ "token_label": label, "scopes": [scope] });
        let response = self.call(Method::POST, "/v2/access-tokens", Some(&bearer), &body)?;
        let created = parsed(&response);
        match (response.status().as_u16(), created["token"].as_str(), created["uuid"].as_str()) {
            (200..=299, Some(token), Some(uuid)) => Ok((token.to_owned(), uuid.to_owned())),
            (status, ..) => Err(format!("failed to create auth token: {status}")),
        }
    }

    fn revoke(&self, username: &str, password: &str, uuid: &str) -> Result<(), String> {
        let bearer = self.sign_in(username, password)?;
        let response = self.call(Method::DELETE, &format!("/v2/access-tokens/{uuid}"), Some(&bearer), &Value::Null)?;
        match response.status().as_u16() {
            200 | 202 | 204 => Ok(()),
            status => Err(format!("failed to delete auth token {status}")),
        }
    }
}

fn parsed(response: &Response<Vec<u8>>) -> Value {
    serde_json::from_slice(response.body()).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::HubMinter;
    use crate::core::Core;
    use crate::fault::{Action, Fault};
    use crate::hub::{ACCOUNT, Hub, PASSWORD};
    use crate::service::Service;
    use crate::vault::Minter as _;

    #[test]
    fn the_plugin_signs_in_at_every_call_and_passes_on_what_went_wrong() {
        let core = Arc::new(Core::default());
        let hub = Arc::new(Hub::new(Arc::clone(&core)));
        let minter = HubMinter::new(Arc::clone(&core), Arc::clone(&hub));

        let (token, uuid) = minter.mint(ACCOUNT, PASSWORD, "label", "repo:write").unwrap();
        assert!(core.secrets().iter().any(|secret| secret.value == token));
        assert_eq!(hub.live()[0].id, uuid);
        assert_eq!(minter.revoke(ACCOUNT, PASSWORD, &uuid), Ok(()));
        assert!(hub.live().is_empty());
        let asked: Vec<_> = core.log().iter().map(|entry| format!("{} {}", entry.method, entry.path)).collect();
        let delete = format!("DELETE /v2/access-tokens/{uuid}");
        assert_eq!(asked, ["POST /v2/users/login", "POST /v2/access-tokens", "POST /v2/users/login", &delete]);

        let text = |result: Result<(), String>| result.unwrap_err();
        assert_eq!(text(minter.revoke(ACCOUNT, PASSWORD, &uuid)), "failed to delete auth token 404");
        assert_eq!(text(minter.revoke(ACCOUNT, "wrong", &uuid)), "authentication failed: 401");
        let minted = |scope| minter.mint(ACCOUNT, PASSWORD, "label", scope).unwrap_err();
        assert_eq!(minted("repo:nonsense"), "failed to create auth token: 400");
        core.add_fault(Fault::on(Service::Hub, "/v2/access-tokens").then(Action::CloseAfterHandling));
        assert_eq!(minted("repo:read"), "unexpected EOF");
        assert_eq!(hub.live().len(), 1, "minted, and nobody knows");
    }
}
