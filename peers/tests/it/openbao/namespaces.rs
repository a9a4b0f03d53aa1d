//! Namespaces, by header and by path.

use hublease_peers::Answer;
use serde_json::{Value, json};

use super::side::{Side, play};
use super::twins::{MOUNT, NAMESPACE};
use crate::support::table::Row;

const SECRET: &str = "kv1/ci/dockerhub";

const ROWS: &[Row<Side>] = &[
    ("login by the header", |side| login(side, "auth/jwt-circleci/login", NAMESPACE)),
    ("login by the path", |side| login(side, "team/auth/jwt-circleci/login", "")),
    ("login by both", |side| login(side, "team/auth/jwt-circleci/login", NAMESPACE)),
    ("header with slashes", |side| login(side, "auth/jwt-circleci/login", "/team/")),
    ("header that says root", |side| login(side, "auth/jwt-circleci/login", "root")),
    ("no such namespace below", |side| login(side, "auth/jwt-circleci/login", "team/nope")),
    ("read by the header", |side| ask(side, "GET", SECRET, NAMESPACE, &team_token(side))),
    ("read by the path", |side| side.read("team/kv1/ci/dockerhub", &team_token(side))),
    ("read at the root by a token of the namespace", |side| side.read(SECRET, &team_token(side))),
    ("read in the namespace by a token of the root", |side| {
        ask(side, "GET", SECRET, NAMESPACE, &side.token("dockerhub"))
    }),
    ("login below, where no mount is", |side| login(side, "auth/jwt-circleci/login", "team/ci")),
    ("looked up", |side| ask(side, "GET", "auth/token/lookup-self", NAMESPACE, &team_token(side))),
    ("looked up at the root", |side| ask(side, "GET", "auth/token/lookup-self", "", &team_token(side))),
    ("lease looked up at the root", |side| {
        side.write("sys/leases/lookup", &team_token(side), &json!({ "lease_id": "x/y/z" }))
    }),
    ("ended", |side| ask(side, "POST", "auth/token/revoke-self", NAMESPACE, &team_token(side))),
    ("ended below", |side| ask(side, "POST", "auth/token/revoke-self", "team/ci", &team_token(side))),
    ("read below", |side| ask(side, "GET", SECRET, "team/ci", &team_token(side))),
    ("ended at the root", |side| ask(side, "POST", "auth/token/revoke-self", "", &team_token(side))),
    ("ended in a namespace that is not there", |side| {
        ask(side, "POST", "auth/token/revoke-self", "nope", &team_token(side))
    }),
];

#[test]
fn namespaces_are_answered_alike() {
    play("namespaces", ROWS);
}

fn ask(side: &Side, method: &str, path: &str, namespace: &str, token: &str) -> Answer {
    let ask = side.request(method, path, token);
    if namespace.is_empty() { ask } else { ask.header("X-Vault-Namespace", namespace) }.send().unwrap()
}

fn login(side: &Side, path: &str, namespace: &str) -> Answer {
    let body = json!({ "role": "dockerhub", "jwt": side.identity_token(&json!({})) });
    let ask = side.request("POST", path, "").json(&body);
    if namespace.is_empty() { ask } else { ask.header("X-Vault-Namespace", namespace) }.send().unwrap()
}

fn team_token(side: &Side) -> String {
    let answer = login(side, &format!("auth/{MOUNT}/login"), NAMESPACE).json();
    let token: &Value = &answer["auth"]["client_token"];
    token.as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}
