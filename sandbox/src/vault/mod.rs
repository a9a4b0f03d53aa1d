//! Vault: placeholder with the types of the module that replaces it.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use serde_json::Value;

/// Checks the signature of a JWT and gives its claims; `Err` says why it was refused.
pub type Verify = Arc<dyn Fn(&str) -> Result<Value, String> + Send + Sync>;

/// What the Vault emulator needs of the rest of the sandbox.
pub struct World {
    /// Unix seconds by the sandbox's clock.
    pub now: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// JWT signature check.
    pub verify: Verify,
    /// The plugin's way to Docker Hub.
    pub minter: Arc<dyn Minter>,
}

/// What a Docker Hub secrets plugin does at Docker Hub.
pub trait Minter: Send + Sync {
    /// Mints a PAT with the Hub's own scope, such as `repo:read`; returns (token, uuid).
    fn mint(
        &self,
        username: &str,
        password: &str,
        label: &str,
        scope: &str,
    ) -> Result<(String, String), String>;
    /// Deletes it; `Err` carries the plugin's error text.
    fn revoke(&self, username: &str, password: &str, uuid: &str) -> Result<(), String>;
}

/// Something that still opens a door.
pub struct LiveItem {
    /// What it is.
    pub kind: &'static str,
    /// Which one.
    pub id: String,
}

/// The Vault emulator.
pub struct Vault;

impl Vault {
    /// A Vault in this world.
    pub fn new(_world: World) -> Self {
        Self
    }

    /// Answers one request.
    pub fn handle(&self, _request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let mut response = Response::new(Vec::new());
        *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
        response
    }

    /// Leases and tokens that are alive.
    pub fn live(&self) -> Vec<LiveItem> {
        Vec::new()
    }

    /// Every secret handed out, as (name, value).
    pub fn secrets(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}
