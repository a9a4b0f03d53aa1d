//! Any other engine whose read makes a credential, with field names of its own.
//!
//! Follows Vault's pattern for dynamic secrets (a GET creates a lease). It stands for the engines that teams write
//! themselves; the credential is a real one from the sandbox's Docker Hub, so that a docker login with it works.

use serde_json::{Map, Value, json};

use super::Vault;
use super::lease::EngineSecret;
use super::token::Token;
use super::wire::{Call, Operation, Reply};

/// An engine that mints on read, at any path below its mount.
#[derive(Clone)]
pub struct DynamicEngine {
    /// The Docker Hub account to mint from.
    pub username: String,
    /// Its password.
    pub password: String,
    /// Docker Hub's scope, such as `repo:read`.
    pub scope: String,
    /// The name under which the account is answered.
    pub username_field: String,
    /// The name under which the token is answered.
    pub secret_field: String,
    /// Further fields, answered as they are.
    pub extra: Map<String, Value>,
    /// Seconds.
    pub ttl: u64,
}

impl Vault {
    /// Any request below the mount.
    pub(super) fn dynamic(
        &self,
        call: &Call,
        token: &Token,
        mount: &str,
        engine: &DynamicEngine,
    ) -> Result<Reply, Reply> {
        if call.operation != Operation::Read {
            return Err(Reply::unsupported_operation());
        }
        let (secret, uuid) = self
            .world
            .minter
            .mint(&engine.username, &engine.password, &call.path, &engine.scope)
            .map_err(|text| Reply::core_error(500, text))?;
        self.state().hand_out("dynamic secret", &secret);
        let issued = EngineSecret {
            mount,
            full_path: &call.full_path(),
            username: &engine.username,
            uuid: &uuid,
            ttl: engine.ttl,
        };
        let (lease_id, ttl) = self.register_lease(token, &issued);
        let mut data = engine.extra.clone();
        data.insert(engine.username_field.clone(), engine.username.as_str().into());
        data.insert(engine.secret_field.clone(), secret.into());
        Ok(Reply::success(json!({ "lease_id": lease_id, "lease_duration": ttl, "renewable": true, "data": data })))
    }
}
