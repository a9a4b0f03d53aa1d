//! Signing in to the API: `/v2/auth/token`, the deprecated `/v2/users/login`, and `/v2/users/2fa-login`.
//!
//! A bearer lives ten minutes. It looks like a JWT and means nothing: clients must treat it as opaque.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Request, Response};
use serde_json::{Value, json};

use super::Hub;
use super::errors::{Checked, FROM_ORGANIZATION, FROM_PERSONAL, forbidden, invalid, unauthorized};
use super::state::{Authenticated, HubBearer, Source};
use crate::message::{bearer, body_json, json as answer};
use crate::random;
use crate::service::Service;

/// Life of a bearer.
const BEARER_SECONDS: u64 = 600;
/// The second factor that the sandbox accepts from everybody.
pub const TEST_TOTP_CODE: &str = "314159";
const WRONG: &str = "Incorrect authentication credentials";
const SSO: &str = "password authentication is not allowed for this account, use a personal access token";

impl Hub {
    /// `{"identifier","secret"}` to `{"access_token"}`; an organization's name goes with its token.
    pub(super) fn auth_token(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let body = body_json(request);
        let (Some(identifier), Some(secret)) = (body["identifier"].as_str(), body["secret"].as_str()) else {
            return invalid(&[("identifier", "required"), ("secret", "required")]);
        };
        let found = self.state().authenticate(identifier, secret, self.core.clock.now());
        let (owner, source) = match found {
            Authenticated::Account(name) => (name, Source::Password),
            Authenticated::Personal(name, _) => (name, Source::Personal),
            Authenticated::Organization(name, _) => (name, Source::Organization),
            Authenticated::PasswordNotEnough => {
                return unauthorized(self.why_not_enough(identifier));
            }
            Authenticated::Unknown => return unauthorized(WRONG),
        };
        answer(200, &json!({ "access_token": self.new_bearer(owner, source) }))
    }

    /// `{"username","password"}` to `{"token"}`; with a second factor 401 and a `login_2fa_token`.
    pub(super) fn users_login(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let body = body_json(request);
        let (Some(username), Some(password)) = (body["username"].as_str(), body["password"].as_str()) else {
            return invalid(&[("username", "required"), ("password", "required")]);
        };
        let found = self.state().authenticate(username, password, self.core.clock.now());
        match found {
            Authenticated::Account(name) => answer(200, &json!({ "token": self.new_bearer(name, Source::Password) })),
            Authenticated::Personal(name, _) => {
                answer(200, &json!({ "token": self.new_bearer(name, Source::Personal) }))
            }
            Authenticated::Organization(..) => {
                answer(401, &json!({ "detail": "Cannot log into an organization account" }))
            }
            Authenticated::PasswordNotEnough if self.state().needs_sso(username) => {
                answer(401, &json!({ "detail": SSO }))
            }
            Authenticated::PasswordNotEnough => {
                let step = random::token("", 32);
                self.state().second_factors.insert(step.clone(), username.to_ascii_lowercase());
                let detail = "Require secondary authentication on MFA enabled account";
                answer(401, &json!({ "detail": detail, "login_2fa_token": step }))
            }
            Authenticated::Unknown => answer(401, &json!({ "detail": WRONG })),
        }
    }

    /// `{"login_2fa_token","code"}` to `{"token"}`.
    pub(super) fn two_factor_login(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let body = body_json(request);
        let step = body["login_2fa_token"].as_str().unwrap_or_default();
        let owner = self.state().second_factors.get(step).cloned();
        match owner {
            Some(name) if body["code"] == TEST_TOTP_CODE => {
                self.state().second_factors.remove(step);
                answer(200, &json!({ "token": self.new_bearer(name, Source::Password) }))
            }
            _ => answer(401, &json!({ "detail": "Incorrect secondary authentication" })),
        }
    }

    /// The account behind a bearer that may manage tokens; otherwise the refusal.
    pub(super) fn manager(&self, request: &Request<Vec<u8>>) -> Checked<String> {
        let found = bearer(request).and_then(|token| self.state().bearers.get(token).cloned());
        let Some(found) = found.filter(|found| self.core.clock.now() < found.expires_at) else {
            return Err(Box::new(unauthorized("access token is missing, invalid or expired")));
        };
        match found.source {
            Source::Password => Ok(found.owner),
            Source::Personal => Err(Box::new(forbidden(FROM_PERSONAL))),
            Source::Organization => Err(Box::new(forbidden(FROM_ORGANIZATION))),
        }
    }

    fn why_not_enough(&self, identifier: &str) -> &'static str {
        let sso = self.state().needs_sso(&identifier.to_ascii_lowercase());
        if sso { SSO } else { "Require secondary authentication on MFA enabled account" }
    }

    fn new_bearer(&self, owner: String, source: Source) -> String {
        let expires_at = self.core.clock.now() + BEARER_SECONDS;
        let segment = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = segment(&json!({ "alg": "RS256", "typ": "JWT", "kid": "sandbox" }));
        let payload = segment(&json!({ "sub": owner, "exp": expires_at, "jti": random::uuid() }));
        let token = format!("{header}.{payload}.{}", random::token("", 86));
        self.core.know(format!("hub bearer of {owner}"), "hub bearer", &token, &[Service::Hub]);
        self.state().bearers.insert(token.clone(), HubBearer { owner, source, expires_at });
        token
    }
}
