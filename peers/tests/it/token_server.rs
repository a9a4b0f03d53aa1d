//! The sandbox's token service of the registry, held against the one that distribution came with.

use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hublease_peers::token_server::{PASSWORD, TokenServer};
use hublease_peers::{Answer, Ask};
use hublease_sandbox::{ACCOUNT, Sandbox};
use serde_json::{Value, json};

use crate::support::table::{Row, play};

/// Of the account's own name; the real service gives nobody another one.
const OWN: &str = "repository:acmebot/app:pull,push";

/// One of the two.
struct Side {
    sandbox: Rc<Sandbox>,
    /// None is the stand-in, by its name and through the proxy.
    real: Option<TokenServer>,
}

impl Side {
    fn ask(&self, method: &str, query: &str) -> Ask {
        match &self.real {
            Some(server) => Ask::new(method, format!("{}{query}", server.url())),
            None => Ask::new(method, format!("https://auth.docker.io/token{query}"))
                .through(&self.sandbox.proxy_url(), self.sandbox.ca_pem()),
        }
    }

    fn secret(&self) -> String {
        match &self.real {
            Some(_) => PASSWORD.to_owned(),
            None => self.sandbox.hub().personal_token(ACCOUNT, "of the test", &["repo:write"], None).0,
        }
    }

    /// With the account's secret; scopes as a query has them.
    fn asked(&self, scopes: &str) -> Answer {
        let ask = self.ask("GET", &format!("?service=registry.docker.io{scopes}"));
        ask.basic(ACCOUNT, &self.secret()).send().unwrap()
    }

    /// A part of the bearer for these scopes as if somebody had answered it: 0 is its header, 1 its claims.
    fn part(&self, scopes: &str, part: usize) -> Answer {
        let answer = self.asked(scopes).json();
        let bearer = answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}"));
        let bytes = URL_SAFE_NO_PAD.decode(bearer.split('.').nth(part).unwrap()).unwrap();
        let mut value: Value = serde_json::from_slice(&bytes).unwrap();
        for access in value["access"].as_array_mut().into_iter().flatten() {
            // Their order is another each time.
            if let Some(actions) = access["actions"].as_array_mut() {
                actions.sort_by_key(Value::to_string);
            }
        }
        for name in ["iat", "nbf", "exp", "jti"] {
            value[name] = json!(if value[name].is_u64() { "a whole number" } else { "something else" });
        }
        Answer { status: 200, headers: Vec::new(), text: value.to_string() }
    }
}

const ROWS: &[Row<Side>] = &[
    ("by nobody", |side| side.ask("GET", "?service=registry.docker.io").send().unwrap()),
    ("by a wrong password", |side| {
        side.ask("GET", "?service=registry.docker.io").basic(ACCOUNT, "wrong").send().unwrap()
    }),
    ("by who is not known", |side| {
        side.ask("GET", "?service=registry.docker.io").basic("nobody", "wrong").send().unwrap()
    }),
    ("by what cannot be read", |side| {
        side.ask("GET", "?service=registry.docker.io").header("Authorization", "Basic %").send().unwrap()
    }),
    ("by another scheme", |side| {
        side.ask("GET", "?service=registry.docker.io").header("Authorization", "Bearer x").send().unwrap()
    }),
    ("without a scope", |side| side.asked("")),
    ("of one's own", |side| side.asked(&format!("&scope={OWN}"))),
    ("by HEAD", |side| side.ask("HEAD", "?service=registry.docker.io").basic(ACCOUNT, &side.secret()).send().unwrap()),
    ("by PUT", |side| side.ask("PUT", "").basic(ACCOUNT, &side.secret()).send().unwrap()),
    ("with a refresh token", |side| side.asked(&format!("&scope={OWN}&offline_token=true"))),
    ("by POST, without a grant", |side| {
        side.ask("POST", "").header("Content-Type", "application/x-www-form-urlencoded").body("x=y").send().unwrap()
    }),
    ("header of a bearer", |side| side.part(&format!("&scope={OWN}"), 0)),
    ("claims without a scope", |side| side.part("", 1)),
    ("claims of one's own", |side| side.part(&format!("&scope={OWN}"), 1)),
    ("claims of one's own, an action twice", |side| side.part("&scope=repository:acmebot/app:pull,pull", 1)),
    ("claims of two scopes", |side| {
        side.part("&scope=repository:acmebot/app:pull&scope=repository:acmebot/app:push", 1)
    }),
    ("claims of another's", |side| side.part("&scope=repository:stranger/app:pull", 1)),
    ("claims of a scope that is none", |side| side.part("&scope=nothing", 1)),
    ("claims of an action that is none", |side| side.part("&scope=repository:acmebot/app:fly", 1)),
    ("claims of a class", |side| side.part("&scope=repository(plugin):acmebot/app:pull", 1)),
];

#[test]
fn tokens_are_given_alike() {
    let sandbox = Rc::new(Sandbox::start().unwrap());
    let stand_in = Side { sandbox: Rc::clone(&sandbox), real: None };
    let real = Side { sandbox: Rc::clone(&sandbox), real: Some(TokenServer::start(ACCOUNT)) };
    play("token service", ROWS, &stand_in, &real);
    assert_eq!(sandbox.unexpected(), [""; 0]);
}
