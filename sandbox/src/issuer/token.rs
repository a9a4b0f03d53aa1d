//! A builder that starts from valid claims and lets a test change or remove each of them.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::keys::{Keys, Which, signing_input};
use crate::core::Core;
use crate::service::Service;

/// A token that is not signed yet. Every signed token becomes a known secret of the sandbox.
#[derive(Clone)]
#[must_use]
pub struct TokenBuilder {
    core: Arc<Core>,
    keys: Arc<Keys>,
    name: String,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    key: Which,
}

impl TokenBuilder {
    pub(super) fn new(core: Arc<Core>, keys: Arc<Keys>, name: &str, claims: Value) -> Self {
        let key = Which::Issuer;
        let mut header = Map::new();
        header.insert("alg".to_owned(), json!("RS256"));
        header.insert("typ".to_owned(), json!("JWT"));
        header.insert("kid".to_owned(), json!(Keys::id(key)));
        let claims = if let Value::Object(claims) = claims { claims } else { Map::new() };
        Self { core, keys, name: name.to_owned(), header, claims, key }
    }

    /// The name under which the secret is known; the platform's own by default.
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Sets a claim to any JSON value.
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims.insert(name.to_owned(), value);
        self
    }

    /// Sets the audience, in the form in which the platform writes it: a text, or a list of one.
    pub fn audience(self, audience: &str) -> Self {
        let is_list = self.claims.get("aud").is_some_and(Value::is_array);
        self.claim("aud", if is_list { json!([audience]) } else { json!(audience) })
    }

    /// Removes a claim.
    pub fn remove(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets a header field to any JSON value.
    pub fn header(mut self, name: &str, value: Value) -> Self {
        self.header.insert(name.to_owned(), value);
        self
    }

    /// Removes a header field.
    pub fn remove_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Signs with the second key while the header still names the first.
    pub fn with_another_key(mut self) -> Self {
        self.key = Which::Foreign;
        self
    }

    /// Signs with the second key and names it; valid once `Issuer::publish_foreign_key` was called.
    pub fn with_rotated_key(self) -> Self {
        self.with_another_key().header("kid", json!(Keys::id(Which::Foreign)))
    }

    /// The claims as they are now.
    pub fn claims(&self) -> Value {
        Value::Object(self.claims.clone())
    }

    /// Signs.
    pub fn sign(self) -> String {
        let token = self.keys.sign(self.key, &Value::Object(self.header.clone()), &self.claims());
        self.remember(&token);
        token
    }

    /// `alg` `none` and an empty signature.
    pub fn unsigned(self) -> String {
        let unsigned = self.header("alg", json!("none"));
        let token = format!("{}.", signing_input(&Value::Object(unsigned.header.clone()), &unsigned.claims()));
        unsigned.remember(&token);
        token
    }

    fn remember(&self, token: &str) {
        let audience = self.claims.get("aud").map(|audience| audience.get(0).unwrap_or(audience));
        let audience = audience.and_then(Value::as_str).unwrap_or_default();
        let services = match audience.strip_prefix("https://") {
            // What stands at that address alone, which may be a broker.
            Some(host @ "identity.docker.com") if self.core.forwarded(host).is_some() => &[Service::Forwarded][..],
            Some("identity.docker.com") => &[Service::DockerIdentity],
            _ => &[Service::DockerIdentity, Service::Vault, Service::Forwarded],
        };
        self.core.know(self.name.clone(), "identity token", token, services);
    }
}
