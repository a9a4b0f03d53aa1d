//! A subset of HashiCorp Vault and OpenBao as a pure handler: JWT login, policies, leases, the Docker Hub plugin, KV.
//!
//! Follows Vault's HTTP API documentation and, where that is silent, what the sources of OpenBao, the JWT auth method
//! and the plugin `vault-plugin-secrets-dockerhub` do; error texts are theirs. Each file names what it follows and
//! where it guesses. Not here, and answered as an unknown path: renewal, identity, token creation over HTTP, KV writes
//! and lists, `sys/mfa/validate`, and the unwrapping of wrapped answers.
//!
//! Nothing here opens a socket or reads a clock: time, signatures and Docker Hub come in through [`World`].
//!
//! The files below are one aggregate and name each other: all that the server remembers stands under one lock, because a
//! request sees and changes several concerns at once (the end of a token ends its leases and queues their revocation), and
//! each file adds its concern's `impl` to it.

mod claims;
mod docker_hub;
mod dynamic;
mod example;
mod key_value;
mod lease;
mod login;
mod policy;
mod revocation;
mod route;
mod settings;
mod state;
mod system;
#[cfg(test)]
mod tests;
mod token;
mod wire;
mod wrapping;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

pub use self::docker_hub::{DockerHubAccount, Generation};
pub use self::dynamic::DynamicEngine;
pub use self::example::{EXAMPLE_PASSWORD, EXAMPLE_STATIC_TOKEN, Example};
pub use self::key_value::KeyValueVersion;
pub use self::login::{BoundClaimsType, JwtMount, Role, RoleType};
pub use self::policy::Capability;
pub use self::revocation::QueueRun;
pub use self::settings::{Flavour, Queue};
use self::state::VaultState;
pub use self::token::{TokenRequest, TokenType};

/// A signature check: a JWT's claims, or why it was not accepted.
pub type Verify = dyn Fn(&str) -> Result<Value, String> + Send + Sync;

/// What the emulation needs from outside.
pub struct World {
    /// The sandbox clock: unix seconds.
    pub now: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// Checks a JWT's signature only; time, issuer and audience are judged here.
    pub verify: Arc<Verify>,
    /// The plugin's way to Docker Hub.
    pub minter: Arc<dyn Minter>,
}

/// Docker Hub as the secrets plugin sees it. The error texts travel to the caller unchanged, so that they should be
/// the plugin's own:
/// `authentication failed: 401`, `failed to create auth token: 403`, `failed to delete auth token 404`.
pub trait Minter: Send + Sync {
    /// Makes a personal access token; `scope` is Docker Hub's own, such as `repo:read`. Answers the token and its UUID.
    ///
    /// # Errors
    /// The plugin's error text.
    fn mint(&self, username: &str, password: &str, label: &str, scope: &str) -> Result<(String, String), String>;

    /// Deletes the token with this `uuid`.
    ///
    /// # Errors
    /// The plugin's error text; a token that is already gone is an error too, as it is in the plugin.
    fn revoke(&self, username: &str, password: &str, uuid: &str) -> Result<(), String>;
}

/// One Vault server. Every method takes `&self`; requests may come from many threads.
pub struct Vault {
    world: World,
    /// Never held while the minter is called, so that a Hub that hangs does not hang the rest.
    state: Mutex<VaultState>,
    /// Held for each revocation: two of the same lease must not both reach the Hub.
    revoking: Mutex<()>,
}

/// Something that still works: `lease`, `token`, or `irrevocable lease` (Vault gave up; the secret may still work).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LiveItem {
    /// `lease`, `token` or `irrevocable lease`.
    pub kind: &'static str,
    /// The lease id; for a token its accessor, or its id if it has none (batch).
    pub id: String,
}

impl Vault {
    /// An unsealed, active server with the policies `default` and `root` and nothing mounted.
    #[must_use]
    pub fn new(world: World) -> Self {
        Self { world, state: Mutex::new(VaultState::new()), revoking: Mutex::new(()) }
    }

    /// Answers one request. The clock and, unless [`Queue::Manual`], the revocation queue run first.
    #[must_use]
    pub fn handle(&self, request: &http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        self.tick();
        let reply = self.answer(request).unwrap_or_else(|refusal| refusal);
        if self.state().queue_mode == Queue::AtOnce {
            self.tick();
        }
        reply.into_response()
    }

    /// Leases and tokens that still work, sorted; what is due by the clock or the queue happens first.
    #[must_use]
    pub fn live(&self) -> Vec<LiveItem> {
        self.tick();
        self.state().live(self.now())
    }

    /// Name and value of every token and secret that was handed out so far, in that order.
    #[must_use]
    pub fn secrets(&self) -> Vec<(String, String)> {
        self.state().handed_out.clone()
    }

    fn now(&self) -> u64 {
        (self.world.now)()
    }

    fn state(&self) -> MutexGuard<'_, VaultState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
