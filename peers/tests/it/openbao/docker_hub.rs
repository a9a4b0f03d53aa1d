//! The plugin for Docker Hub: the stand-in's engine beside a program that the real server starts.

use std::rc::Rc;

use hublease_peers::Answer;
use hublease_sandbox::{Action, Fault, Service};
use serde_json::{Value, json};

use super::plugin::{self, Deletes, PATH};
use super::side::{Side, operator};
use super::twins::{Twins, Which};
use crate::support::table::{self, Row};

const ROWS: &[Row<Side>] = &[
    ("minted", |side| mint(side, "dockerhub")),
    ("minted for less", |side| write(side, "dockerhub/token/acmebot/read", &json!({ "label": "a row" }))),
    ("read instead of written", |side| side.read(PATH, &operator(side))),
    ("read instead of written, without the right", |side| side.read(PATH, &side.token("dockerhub"))),
    ("written without the right", |side| {
        side.write(PATH, &side.token("dockerhub-mint-only"), &json!({ "label": "x" }))
    }),
    ("without a label", |side| write(side, PATH, &json!({}))),
    ("an empty label", |side| write(side, PATH, &json!({ "label": "" }))),
    ("a scope that is not configured", |side| write(side, "dockerhub/token/acmebot/admin", &json!({ "label": "x" }))),
    ("an account that is not configured", |side| write(side, "dockerhub/token/nobody/read", &json!({ "label": "x" }))),
    ("a path that is none", |side| side.read("dockerhub/nope", &operator(side))),
    ("Docker Hub fails: minted", |side| while_hub_fails(side, |side| write(side, PATH, &json!({ "label": "a row" })))),
    ("revoked", |side| revoke(side, &side.token("dockerhub"))),
    ("revoked again", |side| {
        let token = side.token("dockerhub");
        let lease = lease(&mint_by(side, &token));
        assert_eq!(side.revoke(&token, &lease).status, 400);
        side.revoke(&token, &lease)
    }),
    ("looked up after that", |side| {
        let token = side.token("dockerhub");
        let lease = lease(&mint_by(side, &token));
        assert_eq!(side.revoke(&token, &lease).status, 400);
        side.write("sys/leases/lookup", &token, &json!({ "lease_id": lease }))
    }),
    ("revoked without waiting", |side| {
        let token = side.token("dockerhub");
        let body = json!({ "lease_id": lease(&mint_by(side, &token)), "sync": false });
        side.write("sys/leases/revoke", &token, &body)
    }),
    ("Docker Hub fails: revoked", |side| {
        let token = side.token("dockerhub");
        let lease = lease(&mint_by(side, &token));
        while_hub_fails(side, |side| side.revoke(&token, &lease))
    }),
];

#[test]
fn the_plugin_is_answered_alike() {
    let twins = Rc::new(Twins::start());
    plugin::mount(&twins.sandbox, &twins.bao, Deletes::AsPublished);
    table::play("docker-hub", ROWS, &Side::new(&twins, Which::StandIn), &Side::new(&twins, Which::Real));
}

fn write(side: &Side, path: &str, body: &Value) -> Answer {
    side.write(path, &side.token("dockerhub"), body)
}

fn mint(side: &Side, role: &str) -> Answer {
    mint_by(side, &side.token(role))
}

fn mint_by(side: &Side, token: &str) -> Answer {
    side.write(PATH, token, &json!({ "label": "a row" }))
}

#[track_caller]
fn lease(minted: &Answer) -> String {
    minted.json()["lease_id"].as_str().unwrap_or_else(|| panic!("{}", minted.text)).to_owned()
}

fn revoke(side: &Side, token: &str) -> Answer {
    side.revoke(token, &lease(&mint_by(side, token)))
}

/// Asks while Docker Hub answers each request about tokens with 500.
fn while_hub_fails(side: &Side, ask: impl FnOnce(&Side) -> Answer) -> Answer {
    let sandbox = &side.twins.sandbox;
    sandbox.fault(Fault::on(Service::Hub, "/v2/access-tokens").then(Action::status(500)).always());
    let answer = ask(side);
    sandbox.clear_faults();
    answer
}
