//! What Docker Hub remembers: accounts, organizations, repositories, tokens, bearers; and who a secret belongs to.

use std::collections::{BTreeMap, HashMap};

use hublease_protocol::time::utc;
use serde_json::{Value, json};

use super::rate::Rate;
use crate::random;

#[derive(Default)]
pub(crate) struct HubState {
    accounts: BTreeMap<String, Account>,
    organizations: BTreeMap<String, Organization>,
    /// Name to whether it is private.
    pub(crate) repositories: BTreeMap<String, bool>,
    pub(super) personal: Vec<PersonalToken>,
    pub(super) organization_tokens: Vec<OrganizationToken>,
    pub(super) bearers: HashMap<String, HubBearer>,
    pub(super) second_factors: HashMap<String, String>,
    pub(super) rate: Rate,
}

#[derive(Default)]
pub(super) struct Account {
    pub(super) password: String,
    pub(super) two_factor: bool,
}

pub(super) struct Organization {
    pub(super) owners: Vec<String>,
    pub(super) sso_enforced: bool,
    pub(super) quota: usize,
}

/// A personal access token.
#[derive(Clone)]
pub(super) struct PersonalToken {
    pub(super) uuid: String,
    pub(super) client_id: String,
    pub(super) username: String,
    pub(super) secret: String,
    pub(super) label: String,
    pub(super) scopes: Vec<String>,
    pub(super) created_at: u64,
    pub(super) expires_at: Option<u64>,
    pub(super) last_used: Option<u64>,
    pub(super) is_active: bool,
}

impl PersonalToken {
    pub(super) fn is_live(&self, now: u64) -> bool {
        self.is_active && self.expires_at.is_none_or(|end| now < end)
    }
}

/// An organization access token.
#[derive(Clone)]
pub(super) struct OrganizationToken {
    pub(super) id: String,
    pub(super) organization: String,
    pub(super) created_by: String,
    pub(super) secret: String,
    pub(super) label: String,
    pub(super) description: String,
    pub(super) resources: Vec<Resource>,
    pub(super) created_at: u64,
    pub(super) expires_at: Option<u64>,
    pub(super) last_used: Option<u64>,
    pub(super) is_active: bool,
}

impl OrganizationToken {
    pub(super) fn is_live(&self, now: u64) -> bool {
        self.is_active && self.expires_at.is_none_or(|end| now < end)
    }
}

/// What an organization token reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    /// `TYPE_REPO` or `TYPE_ORG`.
    pub(crate) kind: String,
    pub(crate) path: String,
    pub(crate) scopes: Vec<String>,
}

impl Resource {
    pub(crate) fn repository(path: &str, scopes: &[&str]) -> Self {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        Self { kind: "TYPE_REPO".to_owned(), path: path.to_owned(), scopes }
    }

    pub(super) fn json(&self) -> Value {
        json!({ "type": self.kind, "path": self.path, "scopes": self.scopes })
    }
}

/// A bearer for the Hub API.
#[derive(Clone)]
pub(super) struct HubBearer {
    pub(super) owner: String,
    pub(super) source: Source,
    pub(super) expires_at: u64,
}

/// What a bearer was obtained with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Password,
    Personal,
    Organization,
}

/// Whose secret it is, and what it may do.
pub(crate) enum Authenticated {
    /// The account itself, by password.
    Account(String),
    /// A personal token: account and scopes.
    Personal(String, Vec<String>),
    /// An organization token: organization and resources.
    Organization(String, Vec<Resource>),
    /// A right password that does not count, because of a second factor or single sign-on.
    PasswordNotEnough,
    /// Nobody's.
    Unknown,
}

impl HubState {
    pub(super) fn new(rate_limit: u64) -> Self {
        Self { rate: Rate::new(rate_limit), ..Self::default() }
    }

    pub(super) fn account_mut(&mut self, username: &str) -> &mut Account {
        self.accounts.entry(username.to_ascii_lowercase()).or_default()
    }

    pub(super) fn account(&self, username: &str) -> Option<&Account> {
        self.accounts.get(&username.to_ascii_lowercase())
    }

    pub(super) fn organization_mut(&mut self, name: &str, quota: usize) -> &mut Organization {
        let entry = self.organizations.entry(name.to_ascii_lowercase());
        entry.or_insert_with(|| Organization { owners: Vec::new(), sso_enforced: false, quota })
    }

    pub(super) fn organization(&self, name: &str) -> Option<&Organization> {
        self.organizations.get(&name.to_ascii_lowercase())
    }

    /// Whether single sign-on is enforced on an organization of this account.
    pub(super) fn needs_sso(&self, username: &str) -> bool {
        self.organizations
            .values()
            .any(|organization| organization.sso_enforced && organization.owners.iter().any(|owner| owner == username))
    }

    /// Whether everything under this namespace belongs to the account.
    pub(crate) fn controls(&self, username: &str, namespace: &str) -> bool {
        username == namespace
            || self
                .organization(namespace)
                .is_some_and(|organization| organization.owners.iter().any(|owner| owner == username))
    }

    /// Finds out whose secret this is. Names are compared without case; marks a token as used.
    pub(crate) fn authenticate(&mut self, name: &str, secret: &str, now: u64) -> Authenticated {
        let name = name.to_ascii_lowercase();
        if let Some(token) = self
            .personal
            .iter_mut()
            .find(|token| token.secret == secret && token.username == name && token.is_live(now))
        {
            token.last_used = Some(now);
            return Authenticated::Personal(name, token.scopes.clone());
        }
        let organization = self.organization_tokens.iter_mut();
        if let Some(token) = organization
            .into_iter()
            .find(|token| token.secret == secret && token.organization == name && token.is_live(now))
        {
            token.last_used = Some(now);
            return Authenticated::Organization(name, token.resources.clone());
        }
        match self.account(&name) {
            Some(account) if account.password == secret && (account.two_factor || self.needs_sso(&name)) => {
                Authenticated::PasswordNotEnough
            }
            Some(account) if account.password == secret => Authenticated::Account(name),
            _ => Authenticated::Unknown,
        }
    }

    /// Stores a personal token; returns (secret, uuid).
    pub(super) fn add_personal(
        &mut self,
        username: &str,
        label: &str,
        scopes: Vec<String>,
        expires_at: Option<u64>,
        now: u64,
    ) -> (String, String) {
        let (secret, uuid) = (random::token("dckr_pat_", 27), random::uuid());
        let token = PersonalToken {
            uuid: uuid.clone(),
            client_id: "HUB".to_owned(),
            username: username.to_ascii_lowercase(),
            secret: secret.clone(),
            label: label.to_owned(),
            scopes,
            created_at: now,
            expires_at,
            last_used: None,
            is_active: true,
        };
        self.personal.push(token);
        (secret, uuid)
    }

    /// Stores an organization token; returns (secret, id).
    pub(super) fn add_organization_token(
        &mut self,
        organization: &str,
        label: &str,
        resources: Vec<Resource>,
        expires_at: Option<u64>,
        now: u64,
    ) -> (String, String) {
        let (secret, id) = (random::token("dckr_oat_", 27), random::uuid());
        let token = OrganizationToken {
            id: id.clone(),
            organization: organization.to_ascii_lowercase(),
            created_by: String::new(),
            secret: secret.clone(),
            label: label.to_owned(),
            description: String::new(),
            resources,
            created_at: now,
            expires_at,
            last_used: None,
            is_active: true,
        };
        self.organization_tokens.push(token);
        (secret, id)
    }
}

/// A time for an answer body: RFC 3339 or `null`.
pub(super) fn time(seconds: Option<u64>) -> Value {
    seconds.map_or(Value::Null, |seconds| json!(utc(seconds)))
}
