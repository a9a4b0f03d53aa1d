//! One of the two servers, as a row of a table sees it.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use hublease_peers::{Answer, Ask};
use hublease_sandbox::ACCOUNT;
use hublease_sandbox::vault::TokenRequest;
use serde_json::{Value, json};

use super::twins::{AUDIENCE, MOUNT, Twins, Which};
use crate::support::table::{self, Row};

/// One of them.
#[derive(Clone)]
pub struct Side {
    pub twins: Rc<Twins>,
    pub which: Which,
    /// Whether the real server is asked at `::1`, so that requests come from there.
    is_elsewhere: bool,
}

impl Side {
    pub fn new(twins: &Rc<Twins>, which: Which) -> Self {
        Self { twins: Rc::clone(twins), which, is_elsewhere: false }
    }

    pub fn is_real(&self) -> bool {
        self.which == Which::Real
    }

    /// A request as hublease sends it, with a token or without (an empty one).
    pub fn request(&self, method: &str, path: &str, token: &str) -> Ask {
        let url = match (self.which, self.is_elsewhere) {
            (Which::StandIn, _) => self.twins.sandbox.vault_url(),
            (Which::Real, false) => self.twins.bao.url(),
            (Which::Real, true) => self.twins.bao.other_url(),
        };
        let ask = Ask::new(method, format!("{url}/v1/{path}")).header("X-Vault-Request", "true");
        if token.is_empty() { ask } else { ask.header("X-Vault-Token", token) }
    }

    pub fn read(&self, path: &str, token: &str) -> Answer {
        self.request("GET", path, token).send().unwrap()
    }

    pub fn write(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.request("POST", path, token).json(body).send().unwrap()
    }

    /// A CircleCI token for these servers, with claims changed or (null) removed.
    pub fn identity_token(&self, changes: &Value) -> String {
        let mut token = self.twins.sandbox.issuer().circleci().audience(AUDIENCE);
        for (name, value) in changes.as_object().unwrap() {
            token = if value.is_null() { token.remove(name) } else { token.claim(name, value.clone()) };
        }
        token.sign()
    }

    pub fn login_with(&self, role: &str, identity_token: &str) -> Answer {
        self.write(&format!("auth/{MOUNT}/login"), "", &json!({ "role": role, "jwt": identity_token }))
    }

    pub fn login(&self, role: &str) -> Answer {
        self.login_with(role, &self.identity_token(&json!({})))
    }

    /// A client token by that role.
    #[track_caller]
    pub fn token(&self, role: &str) -> String {
        let answer = self.login(role);
        let token = answer.json()["auth"]["client_token"].as_str().unwrap_or_default().to_owned();
        assert!(!token.is_empty(), "{role}: {}", answer.text);
        token
    }

    /// A lease of the database, by its id.
    #[track_caller]
    pub fn lease(&self, token: &str) -> String {
        let answer = self.read("database/creds/app", token);
        let lease = answer.json()["lease_id"].as_str().unwrap_or_default().to_owned();
        assert!(!lease.is_empty(), "{}", answer.text);
        lease
    }

    pub fn revoke(&self, token: &str, lease_id: &str) -> Answer {
        self.write("sys/leases/revoke", token, &json!({ "lease_id": lease_id, "sync": true }))
    }

    /// Who the token belongs to.
    pub fn entity_of(&self, token: &str) -> String {
        let answer = self.read("auth/token/lookup-self", token);
        answer.json()["data"]["entity_id"].as_str().unwrap().to_owned()
    }

    /// An operator disables an entity, as in an incident, or enables it again.
    pub fn set_disabled(&self, entity: &str, is_disabled: bool) {
        let vault = self.twins.sandbox.vault();
        match (self.which, is_disabled) {
            (Which::Real, _) => {
                self.twins.bao.write(&format!("identity/entity/id/{entity}"), &json!({ "disabled": is_disabled }));
            }
            (Which::StandIn, true) => vault.disable_entity(entity),
            (Which::StandIn, false) => vault.enable_entity(entity),
        }
    }

    /// The same request from another address of this machine.
    pub fn elsewhere(&self, ask: impl FnOnce(&Self) -> Answer) -> Answer {
        if self.is_real() {
            return ask(&Self { is_elsewhere: true, ..self.clone() });
        }
        let vault = self.twins.sandbox.vault();
        vault.come_from(Ipv6Addr::LOCALHOST.into());
        let answer = ask(self);
        vault.come_from(Ipv4Addr::LOCALHOST.into());
        answer
    }

    /// Asks while the engine behind `database/` cannot make or revoke anything.
    pub fn while_it_fails(&self, ask: impl FnOnce(&Self) -> Answer) -> Answer {
        let set = |is_broken: bool| match (self.which, is_broken) {
            (Which::Real, true) => self.twins.postgres.stop(),
            (Which::Real, false) => self.twins.postgres.start_again(),
            // A second factor keeps the stand-in's engine from signing in at Docker Hub.
            (Which::StandIn, _) => self.twins.sandbox.hub().set_two_factor(ACCOUNT, is_broken),
        };
        set(true);
        let answer = ask(self);
        set(false);
        answer
    }

    pub fn now(&self) -> u64 {
        self.twins.sandbox.now()
    }
}

/// A token that may do anything.
pub fn operator(side: &Side) -> String {
    if side.is_real() {
        return side.twins.bao.root().to_owned();
    }
    let request = TokenRequest { policies: vec!["root".to_owned()], ..TokenRequest::default() };
    side.twins.sandbox.vault().create_token(request)
}

/// Plays a table to both servers.
///
/// # Panics
/// When they differ and nothing says why they may.
pub fn play(table: &'static str, rows: &[Row<Side>]) {
    let twins = Rc::new(Twins::start());
    table::play(table, rows, &Side::new(&twins, Which::StandIn), &Side::new(&twins, Which::Real));
}
