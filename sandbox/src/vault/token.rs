//! Client tokens: issuing, looking up, and `auth/token/revoke-self`.
//!
//! Follows Vault's token documentation and OpenBao's `token_store.go`: revoking a service token answers 204 once the
//! token itself is dead, while its leases only join the revocation queue; a batch token cannot be revoked and its
//! leases belong to nobody. Use limits, periods and renewal are not here.

use hublease_protocol::time::utc;
use serde_json::{Value, json};

use super::settings::Flavour;
use super::state::VaultState;
use super::wire::Reply;
use super::{Vault, policy};
use crate::random;

/// Vault's default and maximum life of tokens and leases: 32 days.
pub(super) const SYSTEM_TTL_SECONDS: u64 = 2_764_800;

/// What a token is kept as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenType {
    /// Stored, revocable, owns its leases.
    #[default]
    Service,
    /// Not stored by a real server: cannot be revoked, and caps its leases at its own remaining life.
    Batch,
}

impl TokenType {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Batch => "batch",
        }
    }
}

/// A token to make, by a login or by [`Vault::create_token`].
#[derive(Debug, Clone, Default)]
pub struct TokenRequest {
    /// Empty for the root namespace, else with a trailing slash.
    pub namespace: String,
    /// `default` is added unless `no_default_policy`.
    pub policies: Vec<String>,
    /// Leaves the policy `default` out.
    pub no_default_policy: bool,
    /// Seconds; 0 is Vault's default of 32 days.
    pub ttl: u64,
    /// Service or batch.
    pub token_type: TokenType,
    /// Where it came from, such as `auth/jwt/login`.
    pub path: String,
    /// Shown by `lookup-self`.
    pub display_name: String,
    /// Empty if nobody logged in.
    pub entity_id: String,
    /// Shown by `lookup-self` and by the login.
    pub metadata: Value,
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) id: String,
    /// Empty for batch tokens.
    pub(super) accessor: String,
    pub(super) namespace: String,
    pub(super) policies: Vec<String>,
    pub(super) token_type: TokenType,
    pub(super) issued_at: u64,
    pub(super) ttl: u64,
    path: String,
    display_name: String,
    pub(super) entity_id: String,
    pub(super) metadata: Value,
}

impl Token {
    pub(super) fn expires_at(&self) -> u64 {
        self.issued_at.saturating_add(self.ttl)
    }

    pub(super) fn renewable(&self) -> bool {
        self.token_type == TokenType::Service
    }
}

impl VaultState {
    /// Makes a token and remembers it as handed out.
    pub(super) fn issue_token(&mut self, request: TokenRequest, now: u64) -> Token {
        let mut policies: Vec<String> = request.policies.iter().map(|name| name.to_ascii_lowercase()).collect();
        if !request.no_default_policy && !policies.iter().any(|name| name == policy::ROOT) {
            policies.push(policy::DEFAULT.to_owned());
        }
        policies.sort();
        policies.dedup();
        let accessor = match request.token_type {
            TokenType::Service => random::token("", 24),
            TokenType::Batch => String::new(),
        };
        let token = Token {
            id: token_text(self.flavour, request.token_type),
            accessor,
            namespace: request.namespace,
            policies,
            token_type: request.token_type,
            issued_at: now,
            ttl: if request.ttl == 0 { SYSTEM_TTL_SECONDS } else { request.ttl.min(SYSTEM_TTL_SECONDS) },
            path: request.path,
            display_name: request.display_name,
            entity_id: request.entity_id,
            metadata: request.metadata,
        };
        self.hand_out("vault token", &token.id);
        self.tokens.insert(token.id.clone(), token.clone());
        token
    }
}

impl Vault {
    /// Makes a token without a login, as an operator would; answers the client token.
    #[must_use]
    pub fn create_token(&self, request: TokenRequest) -> String {
        let now = self.now();
        self.state().issue_token(request, now).id
    }

    /// `GET auth/token/lookup-self`.
    pub(super) fn lookup_self(&self, token: &Token) -> Reply {
        Reply::success(json!({ "data": {
            "accessor": token.accessor,
            "creation_time": token.issued_at,
            "creation_ttl": token.ttl,
            "display_name": token.display_name,
            "entity_id": token.entity_id,
            "expire_time": utc(token.expires_at()),
            "explicit_max_ttl": 0,
            "id": token.id,
            "issue_time": utc(token.issued_at),
            "meta": token.metadata,
            "num_uses": 0,
            "orphan": true,
            "path": token.path,
            "policies": token.policies,
            "renewable": token.renewable(),
            "ttl": token.expires_at().saturating_sub(self.now()),
            "type": token.token_type.name(),
        }}))
    }

    /// `POST auth/token/revoke-self`: 204 says that the token is dead, and nothing about its leases.
    pub(super) fn revoke_self(&self, token: &Token) -> Reply {
        if token.token_type == TokenType::Batch {
            return Reply::error(400, "batch tokens cannot be revoked");
        }
        let now = self.now();
        let mut state = self.state();
        state.tokens.remove(&token.id);
        state.enqueue_leases_of(&token.id, now);
        Reply::empty(204)
    }
}

/// The shapes differ by product and version; clients must not judge by them.
fn token_text(flavour: Flavour, token_type: TokenType) -> String {
    match (flavour, token_type) {
        (Flavour::Vault, TokenType::Service) => random::token("hvs.", 90),
        (Flavour::Vault, TokenType::Batch) => random::token("hvb.", 160),
        (Flavour::OpenBao, TokenType::Service) => random::token("s.", 24),
        (Flavour::OpenBao, TokenType::Batch) => random::token("b.", 160),
    }
}
