//! Client tokens: issuing, looking up, and `auth/token/revoke-self`.
//!
//! Follows Vault's token documentation and OpenBao's `token_store.go`: revoking a service token answers 204 once the
//! token itself is dead, while its leases only join the revocation queue; a batch token cannot be revoked and its
//! leases belong to nobody. A token of limited uses ends with its last one. Periods and renewal are not here.

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
    /// How often it may be used; 0 is without end.
    pub num_uses: u64,
    /// Where its uses must come from; empty is from anywhere.
    pub bound_cidrs: Vec<String>,
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
    /// Uses that are left, the one that is being made not counted; 0 is without end, -1 none.
    pub(super) num_uses: i64,
    pub(super) bound_cidrs: Vec<String>,
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
            num_uses: i64::try_from(request.num_uses).unwrap_or_default(),
            bound_cidrs: request.bound_cidrs,
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
            "num_uses": token.num_uses,
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
        self.end_token(&token.id);
        Reply::empty(204)
    }

    /// Counts a use. The last one ends the token, and whatever it was given a lease of is revoked before anybody sees it.
    pub(super) fn used(
        &self,
        token: &Token,
        use_it: impl FnOnce(&Token) -> Result<Reply, Reply>,
    ) -> Result<Reply, Reply> {
        if token.num_uses == 0 {
            return use_it(token);
        }
        let num_uses = if token.num_uses == 1 { NONE_LEFT } else { token.num_uses - 1 };
        let left = Token { num_uses, ..token.clone() };
        self.state().tokens.insert(left.id.clone(), left.clone());
        let answer = use_it(&left);
        if num_uses != NONE_LEFT {
            return answer;
        }
        self.end_token(&left.id);
        match &answer {
            Ok(reply) if has_lease(reply) => Err(Reply::error(400, ONE_USE_LEFT)),
            _ => answer,
        }
    }

    fn end_token(&self, id: &str) {
        let now = self.now();
        let mut state = self.state();
        state.tokens.remove(id);
        state.enqueue_leases_of(id, now);
    }
}

fn has_lease(reply: &Reply) -> bool {
    reply.body.as_ref().is_some_and(|body| body["lease_id"].as_str().is_some_and(|id| !id.is_empty()))
}

/// What a token shows while it is used for the last time.
const NONE_LEFT: i64 = -1;

/// Instead of a leased secret.
const ONE_USE_LEFT: &str =
    "Secret cannot be returned; token had one use left, so leased credentials were immediately revoked.";

/// The shapes differ by product and version; clients must not judge by them.
fn token_text(flavour: Flavour, token_type: TokenType) -> String {
    match (flavour, token_type) {
        (Flavour::Vault, TokenType::Service) => random::token("hvs.", 90),
        (Flavour::Vault, TokenType::Batch) => random::token("hvb.", 160),
        (Flavour::OpenBao, TokenType::Service) => random::token("s.", 24),
        (Flavour::OpenBao, TokenType::Batch) => random::token("b.", 160),
    }
}
