//! Client tokens: looked up, ended, used up, and used from where they may not be.

use hublease_peers::Answer;
use serde_json::json;

use super::side::{Side, play};
use crate::support::table::Row;

const SECRET: &str = "kv1/ci/dockerhub";

const ROWS: &[Row<Side>] = &[
    ("looked up", |side| side.read("auth/token/lookup-self", &side.token("dockerhub"))),
    ("looked up, batch", |side| side.read("auth/token/lookup-self", &side.token("batch"))),
    ("looked up without the default policy", |side| side.read("auth/token/lookup-self", &side.token("no-default"))),
    ("looked up by a bearer", |side| {
        let bearer = format!("Bearer {}", side.token("dockerhub"));
        side.request("GET", "auth/token/lookup-self", "").header("Authorization", &bearer).send().unwrap()
    }),
    ("ended", |side| side.write("auth/token/revoke-self", &side.token("dockerhub"), &json!({}))),
    ("ended without a body", |side| {
        side.request("POST", "auth/token/revoke-self", &side.token("dockerhub")).send().unwrap()
    }),
    ("ended by PUT", |side| side.request("PUT", "auth/token/revoke-self", &side.token("dockerhub")).send().unwrap()),
    ("ended twice", |side| {
        let token = side.token("dockerhub");
        assert_eq!(side.write("auth/token/revoke-self", &token, &json!({})).status, 204);
        side.write("auth/token/revoke-self", &token, &json!({}))
    }),
    ("ended without the default policy", |side| {
        side.write("auth/token/revoke-self", &side.token("no-default"), &json!({}))
    }),
    ("ended, batch", |side| side.write("auth/token/revoke-self", &side.token("batch"), &json!({}))),
    ("ended without a token", |side| side.write("auth/token/revoke-self", "", &json!({}))),
    ("ended by GET", |side| side.read("auth/token/revoke-self", &side.token("dockerhub"))),
    ("used after its end", |side| {
        let token = side.token("dockerhub");
        assert_eq!(side.write("auth/token/revoke-self", &token, &json!({})).status, 204);
        side.read(SECRET, &token)
    }),
    ("never issued", |side| side.read(SECRET, "s.AAAAAAAAAAAAAAAAAAAAAAAA")),
    ("of another shape", |side| side.read(SECRET, "nonsense")),
    ("none", |side| side.read(SECRET, "")),
    ("none, no such mount", |side| side.read("nope/x", "")),
    ("no such mount", |side| side.read("nope/x", &side.token("dockerhub"))),
    ("one use, read", |side| side.read(SECRET, &side.token("one-use"))),
    ("one use, looked up", |side| side.read("auth/token/lookup-self", &side.token("one-use"))),
    ("one use, leased", |side| side.read("database/creds/app", &side.token("one-use"))),
    ("one use, refused by the policy", |side| side.read("kv1/other", &side.token("one-use"))),
    ("one use, used up", |side| {
        let token = side.token("one-use");
        assert_eq!(side.read(SECRET, &token).status, 200);
        side.read(SECRET, &token)
    }),
    ("one use, used up by a refusal", |side| {
        let token = side.token("one-use");
        assert_eq!(side.read("kv1/other", &token).status, 403);
        side.read(SECRET, &token)
    }),
    ("one use, ended", |side| side.write("auth/token/revoke-self", &side.token("one-use"), &json!({}))),
    ("two uses, looked up", |side| side.read("auth/token/lookup-self", &side.token("two-uses"))),
    ("two uses, lease revoked with the second", |side| {
        let token = side.token("two-uses");
        side.revoke(&token, &side.lease(&token))
    }),
    ("two uses, lease revoked and ended", |side| {
        let token = side.token("two-uses");
        assert_eq!(side.revoke(&token, &side.lease(&token)).status, 204);
        side.write("auth/token/revoke-self", &token, &json!({}))
    }),
    ("three uses, lease revoked and ended", |side| {
        let token = side.token("three-uses");
        assert_eq!(side.revoke(&token, &side.lease(&token)).status, 204);
        side.write("auth/token/revoke-self", &token, &json!({}))
    }),
    ("bound to an address, login from another", |side| side.login("from-elsewhere")),
    ("bound to an address, used from there", |side| side.read(SECRET, &side.token("from-here"))),
    ("bound to an address, used from another", |side| {
        let token = side.token("from-here");
        side.elsewhere(|side| side.read(SECRET, &token))
    }),
    ("bound to an address, looked up from another", |side| {
        let token = side.token("from-here");
        side.elsewhere(|side| side.read("auth/token/lookup-self", &token))
    }),
    ("bound to an address, lease looked up from another", |side| {
        let token = side.token("from-here");
        let lease = side.lease(&token);
        side.elsewhere(|side| side.write("sys/leases/lookup", &token, &json!({ "lease_id": lease })))
    }),
    ("bound to an address, lease revoked from another", |side| {
        let token = side.token("from-here");
        let lease = side.lease(&token);
        side.elsewhere(|side| side.revoke(&token, &lease))
    }),
    ("bound to an address, ended from another", |side| {
        let token = side.token("from-here");
        side.elsewhere(|side| side.write("auth/token/revoke-self", &token, &json!({})))
    }),
    ("bound to an address, ended from there after that", |side| {
        let token = side.token("from-here");
        let refused = side.elsewhere(|side| side.write("auth/token/revoke-self", &token, &json!({})));
        assert_eq!(refused.status, 403);
        side.write("auth/token/revoke-self", &token, &json!({}))
    }),
    ("disabled entity, login", |side| while_disabled(side, |side, _| side.login("somebody"))),
    ("disabled entity, read", |side| while_disabled(side, |side, token| side.read(SECRET, token))),
    ("disabled entity, looked up", |side| {
        while_disabled(side, |side, token| side.read("auth/token/lookup-self", token))
    }),
    ("disabled entity, ended", |side| {
        while_disabled(side, |side, token| side.write("auth/token/revoke-self", token, &json!({})))
    }),
    ("disabled entity, lease revoked", |side| {
        while_disabled(side, |side, token| side.revoke(token, "database/creds/app/none"))
    }),
    ("disabled entity, enabled again", |side| {
        let token = side.token("somebody");
        let refused = while_disabled(side, |side, _| side.read(SECRET, &token));
        assert_eq!(refused.status, 403);
        side.read(SECRET, &token)
    }),
    ("renewed", |side| side.write("auth/token/renew-self", &side.token("dockerhub"), &json!({}))),
    ("namespace that is not there", |side| {
        side.request("GET", SECRET, &side.token("dockerhub")).header("X-Vault-Namespace", "nope").send().unwrap()
    }),
    ("namespace that is not there, ended", |side| {
        let ask = side.request("POST", "auth/token/revoke-self", &side.token("dockerhub"));
        ask.header("X-Vault-Namespace", "nope").send().unwrap()
    }),
];

#[test]
fn tokens_are_answered_alike() {
    play("tokens", ROWS);
}

/// Asks with a token whose entity is disabled meanwhile.
fn while_disabled(side: &Side, ask: impl FnOnce(&Side, &str) -> Answer) -> Answer {
    let token = side.token("somebody");
    let entity = side.entity_of(&token);
    side.set_disabled(&entity, true);
    let answer = ask(side, &token);
    side.set_disabled(&entity, false);
    answer
}
