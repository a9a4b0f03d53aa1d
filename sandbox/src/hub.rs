//! The Docker Hub API: authentication, personal access tokens, organization access tokens.
//!
//! Follows Docker's Hub API specification and the reports of its users. Quirks that are kept on purpose: three shapes of error
//! body; a bearer that came from a personal access token may not manage tokens; expired organization tokens count toward the
//! quota until they are deleted. Guesses: the texts of refusals other than the two `token issued from ...` ones, the status of a
//! quota refusal (403), the rate limit's number, and that a bearer obtained with a second factor may mint.

mod errors;
mod login;
mod organization;
mod personal;
mod rate;
mod state;

use std::sync::{Arc, Mutex, MutexGuard};

use http::{Request, Response};
use hublease_protocol::time::parse_utc;

use self::errors::not_found;
pub use self::login::TEST_TOTP_CODE;
pub(crate) use self::state::{Authenticated, HubState, Resource};
use crate::core::Core;
use crate::journal::LiveCredential;
use crate::message::set;
use crate::service::{Handler, Service};
use crate::sync::lock;

/// The seeded account, an owner of `acme`.
pub const ACCOUNT: &str = "acmebot";
/// The seeded account's password.
pub const PASSWORD: &str = "acmebot-password-of-the-sandbox";
/// The seeded organization.
pub const ORGANIZATION: &str = "acme";
/// Organization tokens on the Team plan.
const TEAM_QUOTA: usize = 10;
/// Requests per minute before 429; the real number is not published.
const REQUESTS_PER_MINUTE: u64 = 600;

/// Docker Hub.
pub struct Hub {
    core: Arc<Core>,
    state: Mutex<HubState>,
}

impl Hub {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        let hub = Self { core, state: Mutex::new(HubState::new(REQUESTS_PER_MINUTE)) };
        hub.add_account(ACCOUNT, PASSWORD);
        hub.add_organization(ORGANIZATION, &[ACCOUNT]);
        hub.add_repository("acme/app", true);
        hub.add_repository("acme/base", true);
        hub.add_repository("ratelimitpreview/test", false);
        hub.add_repository("library/alpine", false);
        hub
    }

    /// Adds an account, or gives an existing one a new password.
    pub fn add_account(&self, username: &str, password: &str) {
        let consumers = [Service::Hub, Service::RegistryAuth];
        self.core.know(format!("password of {username}"), "password", password, &consumers);
        self.state().account_mut(username).password = password.to_owned();
    }

    /// Turns the second factor on or off.
    pub fn set_two_factor(&self, username: &str, on: bool) {
        self.state().account_mut(username).two_factor = on;
    }

    /// Adds an organization with these owners.
    pub fn add_organization(&self, name: &str, owners: &[&str]) {
        let mut state = self.state();
        let organization = state.organization_mut(name, TEAM_QUOTA);
        organization.owners = owners.iter().map(|owner| (*owner).to_owned()).collect();
    }

    /// Enforces single sign-on for everybody in the organization: passwords stop working.
    pub fn enforce_sso(&self, organization: &str, on: bool) {
        self.state().organization_mut(organization, TEAM_QUOTA).sso_enforced = on;
    }

    /// How many organization tokens the plan allows.
    pub fn set_quota(&self, organization: &str, tokens: usize) {
        self.state().organization_mut(organization, TEAM_QUOTA).quota = tokens;
    }

    /// Adds a repository `namespace/name`.
    pub fn add_repository(&self, name: &str, private: bool) {
        self.state().repositories.insert(name.to_owned(), private);
    }

    /// Requests per minute before the API answers 429.
    pub fn set_rate_limit(&self, per_minute: u64) {
        self.state().rate.limit = per_minute;
    }

    /// Makes a personal access token as a user would on the site; returns (token, uuid).
    pub fn personal_token(
        &self,
        username: &str,
        label: &str,
        scopes: &[&str],
        expires_at: Option<&str>,
    ) -> (String, String) {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let token =
            self.state().add_personal(username, label, scopes, expires_at.and_then(parse_utc), self.core.clock.now());
        self.know_token(label, "personal access token", &token.0);
        token
    }

    /// Makes an organization access token for `(repository or glob, scopes)`; returns (token, id).
    pub fn organization_token(
        &self,
        organization: &str,
        label: &str,
        resources: &[(&str, &[&str])],
        expires_at: Option<&str>,
    ) -> (String, String) {
        let resources = resources.iter().map(|(path, scopes)| Resource::repository(path, scopes)).collect();
        let token = self.state().add_organization_token(
            organization,
            label,
            resources,
            expires_at.and_then(parse_utc),
            self.core.clock.now(),
        );
        self.know_token(label, "organization access token", &token.0);
        token
    }

    /// Deletes a personal or organization token by its uuid or id, as an administrator would; false if there was none.
    pub fn delete_token(&self, id: &str) -> bool {
        let mut state = self.state();
        let before = state.personal.len() + state.organization_tokens.len();
        state.personal.retain(|token| token.uuid != id);
        state.organization_tokens.retain(|token| token.id != id);
        before != state.personal.len() + state.organization_tokens.len()
    }

    /// Labels of all tokens that nobody has deleted, expired or not.
    pub fn labels(&self) -> Vec<String> {
        let state = self.state();
        let personal = state.personal.iter().map(|token| token.label.clone());
        personal.chain(state.organization_tokens.iter().map(|token| token.label.clone())).collect()
    }

    pub(crate) fn live(&self) -> Vec<LiveCredential> {
        let (state, now) = (self.state(), self.core.clock.now());
        let personal = state.personal.iter().filter(|token| token.is_live(now));
        let personal = personal.map(|token| LiveCredential { kind: "personal access token", id: token.uuid.clone() });
        let organization = state.organization_tokens.iter().filter(|token| token.is_live(now));
        let organization =
            organization.map(|token| LiveCredential { kind: "organization access token", id: token.id.clone() });
        personal.chain(organization).collect()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, HubState> {
        lock(&self.state)
    }

    fn know_token(&self, label: &str, kind: &str, token: &str) {
        self.core.know(format!("{kind} `{label}`"), kind, token, &[Service::Hub, Service::RegistryAuth]);
    }

    fn route(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let path = request.uri().path().trim_matches('/');
        let segments: Vec<&str> = path.split('/').collect();
        match (request.method().as_str(), segments.as_slice()) {
            ("POST", ["v2", "auth", "token"]) => self.auth_token(request),
            ("POST", ["v2", "users", "login"]) => self.users_login(request),
            ("POST", ["v2", "users", "2fa-login"]) => self.two_factor_login(request),
            (_, ["v2", "access-tokens"]) => self.personal_tokens(request),
            (_, ["v2", "access-tokens", uuid]) => self.personal_token_by_uuid(request, uuid),
            (_, ["v2", "orgs", name, "access-tokens"]) => self.organization_tokens(request, name),
            (_, ["v2", "orgs", name, "access-tokens", id]) => self.organization_token_by_id(request, name, id),
            _ => not_found(),
        }
    }
}

impl Handler for Hub {
    fn handle(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let now = self.core.clock.now();
        let (allowed, headers) = self.state().rate.count(now);
        let mut response = if allowed { self.route(request) } else { errors::rate_limited() };
        for (name, value) in headers {
            set(&mut response, name, &value);
        }
        response
    }
}
