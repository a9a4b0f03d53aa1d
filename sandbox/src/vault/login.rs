//! `POST auth/<mount>/login`: a JWT for a client token.
//!
//! Follows the JWT auth method's `path_login.go`: order of checks, texts, all of them 400. One mount trusts one
//! issuer's keys, found by OIDC discovery. What OpenBao answers was measured, but for the shape of the MFA constraint's
//! `any` list.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Vault;
use super::claims::{self, Expected};
use super::settings::Flavour;
use super::state::VaultState;
use super::token::{Token, TokenRequest, TokenType};
use super::wire::{Call, Operation, Reply};
use crate::random;

/// What an operator wrote to `auth/<mount>/config`.
#[derive(Debug, Clone, Default)]
pub struct JwtMount {
    /// The issuer whose keys count; a token of any other fails as a bad signature. None: any issuer's keys do.
    pub discovery_issuer: Option<String>,
    /// Compared with `iss`.
    pub bound_issuer: Option<String>,
    /// For logins without a role.
    pub default_role: Option<String>,
    /// Makes every login fail with `error configuring token validator: ` and this text.
    pub validator_fault: Option<String>,
}

/// A mount and its roles by name.
#[derive(Debug, Clone, Default)]
pub(super) struct MountedJwt {
    pub(super) config: JwtMount,
    pub(super) roles: BTreeMap<String, Role>,
}

/// What kind of login a role is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RoleType {
    /// A JWT is posted.
    #[default]
    Jwt,
    /// A browser is sent; not allowed here.
    Oidc,
}

/// How a role compares its bound claims; one switch for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BoundClaimsType {
    /// Equal, type included: `false` is not `"false"`.
    #[default]
    Text,
    /// Strings with `*`; claims that are not strings never match.
    Glob,
}

/// A role of a JWT mount; the fields are Vault's. Durations in seconds.
#[derive(Debug, Clone, Default)]
pub struct Role {
    /// JWT or OIDC.
    pub role_type: RoleType,
    /// Any of them suffices. Empty refuses every token that has an audience.
    pub bound_audiences: Vec<String>,
    /// Compared with `sub`.
    pub bound_subject: Option<String>,
    /// All must be there; a list means any of.
    pub bound_claims: Map<String, Value>,
    /// For all bound claims.
    pub bound_claims_type: BoundClaimsType,
    /// The claim that names the alias; must be text.
    pub user_claim: String,
    /// 0 is 150 s, negative is none.
    pub expiration_leeway: i64,
    /// 0 is 150 s, negative is none.
    pub not_before_leeway: i64,
    /// 0 is 60 s, negative is none.
    pub clock_skew_leeway: i64,
    /// Beside `default`.
    pub token_policies: Vec<String>,
    /// Leaves `default` out.
    pub token_no_default_policy: bool,
    /// 0 is Vault's default of 32 days.
    pub token_ttl: u64,
    /// Service or batch.
    pub token_type: TokenType,
    /// How often a token may be used; 0 is without end.
    pub token_num_uses: u64,
    /// Where a login and every use of its token must come from, as addresses or `address/bits`. Empty is from anywhere.
    pub token_bound_cidrs: Vec<String>,
    /// Answers 200 with an empty client token and a requirement that only `sys/mfa/validate` would lift.
    pub requires_mfa: bool,
}

/// Of what has not the form of a JWT.
const NOT_A_JWT: &str = "oidc: malformed jwt: go-jose/go-jose: compact JWS format must have three parts";

impl Vault {
    /// A login below the mount `mount`, whose namespace is the call's.
    pub(super) fn login(&self, call: &Call, mount: &str, mounted: &MountedJwt) -> Result<Reply, Reply> {
        let config = &mounted.config;
        if call.operation != Operation::Write {
            return Err(Reply::unsupported_operation());
        }
        let (role_name, role) = asked_role(call, mounted)?;
        let jwt = call.text("jwt")?;
        if jwt.is_empty() {
            return Err(refused("missing token"));
        }
        if let Some(fault) = &config.validator_fault {
            return Err(refused(format!("error configuring token validator: {fault}")));
        }
        let claims = self
            .verified_claims(&jwt, config, role)
            .map_err(|text| refused(format!("error validating token: {text}")))?;
        let alias = accepted_alias(&claims, role).map_err(refused)?;
        let entity_id = self.state().entity(mount, &alias);
        // No text says which of the two it was.
        if !self.state().admits(&role.token_bound_cidrs) || self.state().disabled_entities.contains(&entity_id) {
            return Err(Reply::error(403, "permission denied"));
        }
        if role.requires_mfa {
            return Ok(mfa_requirement());
        }
        let now = self.now();
        let mut state = self.state();
        let request = TokenRequest {
            namespace: call.namespace.clone(),
            policies: role.token_policies.clone(),
            no_default_policy: role.token_no_default_policy,
            ttl: role.token_ttl,
            token_type: role.token_type,
            path: call.path.clone(),
            display_name: format!("{}-{alias}", mount_name(mount)),
            entity_id,
            num_uses: role.token_num_uses,
            bound_cidrs: role.token_bound_cidrs.clone(),
            metadata: json!({ "role": role_name }),
        };
        let token = state.issue_token(request, now);
        Ok(logged_in(&token, state.flavour))
    }

    /// Signature, then registered claims.
    fn verified_claims(&self, jwt: &str, config: &JwtMount, role: &Role) -> Result<Map<String, Value>, String> {
        let unsigned = |why: &str| format!("error verifying token signature: {why}");
        let claims = match (self.world.verify)(jwt) {
            Ok(Value::Object(claims)) => claims,
            Ok(_) => return Err(unsigned("claims are not a JSON object")),
            // What OIDC discovery's verifier says, whatever was wrong with the signature.
            Err(_) if jwt.split('.').count() != 3 => return Err(unsigned(NOT_A_JWT)),
            Err(_) => return Err(unsigned("failed to verify id token signature")),
        };
        let issuer = claims.get("iss").and_then(Value::as_str);
        if config.discovery_issuer.is_some() && config.discovery_issuer.as_deref() != issuer {
            return Err(unsigned("failed to verify signature: failed to verify id token signature"));
        }
        let expected = Expected {
            issuer: config.bound_issuer.as_deref(),
            subject: role.bound_subject.as_deref(),
            audiences: &role.bound_audiences,
            expiration_leeway: role.expiration_leeway,
            not_before_leeway: role.not_before_leeway,
            clock_skew_leeway: role.clock_skew_leeway,
            now: self.now(),
        };
        claims::validate(&claims, &expected)?;
        Ok(claims)
    }
}

impl VaultState {
    fn entity(&mut self, mount: &str, alias: &str) -> String {
        let key = (mount.to_owned(), alias.to_owned());
        self.entities.entry(key).or_insert_with(random::uuid).clone()
    }
}

/// The role named, in lower case, or the mount's default.
fn asked_role<'mount>(call: &Call, mounted: &'mount MountedJwt) -> Result<(String, &'mount Role), Reply> {
    let mut name = call.text("role")?.to_lowercase();
    if name.is_empty() {
        name = mounted.config.default_role.clone().unwrap_or_default();
    }
    if name.is_empty() {
        return Err(refused("missing role"));
    }
    let role = mounted.roles.get(&name).ok_or_else(|| refused(format!("role {name:?} could not be found")))?;
    if role.role_type == RoleType::Oidc {
        return Err(refused("role with oidc role_type is not allowed"));
    }
    Ok((name, role))
}

/// The role's own demands: audience, user claim, bound claims, in this order.
fn accepted_alias(claims: &Map<String, Value>, role: &Role) -> Result<String, String> {
    if role.bound_audiences.is_empty() && !claims::audiences(claims).is_empty() {
        return Err("audience claim found in JWT but no audiences bound to the role".to_owned());
    }
    let user_claim = &role.user_claim;
    let alias = match claims.get(user_claim) {
        None => return Err(format!("claim {user_claim:?} not found in token")),
        Some(Value::String(alias)) => alias.clone(),
        Some(_) => {
            return Err(format!("claim {user_claim:?} could not be converted to string"));
        }
    };
    let use_globs = role.bound_claims_type == BoundClaimsType::Glob;
    claims::validate_bound(claims, &role.bound_claims, use_globs)
        .map_err(|text| format!("error validating claims: {text}"))?;
    Ok(alias)
}

fn refused(text: impl AsRef<str>) -> Reply {
    Reply::error(400, text)
}

fn logged_in(token: &Token, flavour: Flavour) -> Reply {
    let mut auth = json!({
        "client_token": token.id,
        "accessor": token.accessor,
        "policies": token.policies,
        "token_policies": token.policies,
        "identity_policies": null,
        "metadata": token.metadata,
        "lease_duration": token.ttl,
        "renewable": token.renewable(),
        "entity_id": token.entity_id,
        "token_type": token.token_type.name(),
        "orphan": true,
        "mfa_requirement": null,
        "num_uses": token.num_uses,
    });
    if let (Flavour::OpenBao, Some(auth)) = (flavour, auth.as_object_mut()) {
        auth.remove("identity_policies");
    }
    Reply::success(json!({ "auth": auth }))
}

fn mfa_requirement() -> Reply {
    let warning = "A login request was issued that is subject to MFA validation. Please make sure to validate the \
                   login by sending another request to mfa/validate endpoint.";
    Reply::success(json!({
        "warnings": [warning],
        "auth": {
            "client_token": "",
            "accessor": "",
            "policies": null,
            "token_policies": null,
            "identity_policies": null,
            "metadata": null,
            "lease_duration": 0,
            "renewable": false,
            "entity_id": "",
            "token_type": "default",
            "orphan": false,
            "mfa_requirement": {
                "mfa_request_id": random::uuid(),
                "mfa_constraints": {
                    "people": { "any": [{ "type": "totp", "id": random::uuid(), "uses_passcode": true }] },
                },
            },
            "num_uses": 0,
        },
    }))
}

/// `team/auth/jwt-github/` is `jwt-github`.
fn mount_name(mount: &str) -> &str {
    let trimmed = mount.trim_end_matches('/');
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}
