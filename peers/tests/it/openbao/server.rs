//! The server as a whole: its health, sealed, and paths that are none.

use hublease_peers::Answer;
use hublease_peers::openbao::OpenBao;
use hublease_sandbox::Sandbox;
use serde_json::json;

use super::side::{Side, play};
use super::stage::login;
use super::twins::AUDIENCE;
use crate::support::client::Job;
use crate::support::table::Row;

const PATH: &str = "auth/jwt-circleci/login";

const ROWS: &[Row<Side>] = &[
    ("health", |side| side.read("sys/health", "")),
    ("health by HEAD", |side| side.request("HEAD", "sys/health", "").send().unwrap()),
    ("health by POST", |side| side.write("sys/health", "", &json!({}))),
    ("a method that is none", |side| side.request("PATCHY", "kv1/ci/dockerhub", "").send().unwrap()),
    ("a path of the system that is none", |side| side.read("sys/nope", &side.token("dockerhub"))),
    ("sealed: health", |side| sealed(side, |side| side.read("sys/health", ""))),
    ("sealed: login", |side| sealed(side, |side| side.login("dockerhub"))),
    ("sealed: read", |side| {
        let token = side.token("dockerhub");
        sealed(side, |side| side.read("kv1/ci/dockerhub", &token))
    }),
    ("sealed: revoked", |side| {
        let token = side.token("dockerhub");
        sealed(side, |side| side.revoke(&token, "database/creds/app/none"))
    }),
    ("sealed: ended", |side| {
        let token = side.token("dockerhub");
        sealed(side, |side| side.write("auth/token/revoke-self", &token, &json!({})))
    }),
];

#[test]
fn a_server_that_nobody_has_initialized_answers_as_a_sealed_one() {
    let bao = OpenBao::uninitialized(Vec::new());
    assert_eq!(bao.ask("GET", "sys/health").send().unwrap().status, 501);
    for (method, path) in [("POST", PATH), ("GET", "kv1/ci/dockerhub"), ("POST", "auth/token/revoke-self")] {
        let answer = bao.ask(method, path).header("X-Vault-Token", "s.x").send().unwrap();
        assert_eq!((answer.status, answer.json()), (503, json!({ "errors": ["Vault is sealed"] })), "{path}");
    }
    let sandbox = Sandbox::start().unwrap();
    let said = login(&Job::new(&sandbox, AUDIENCE), &bao.url(), "dockerhub", "kv1/ci/dockerhub");
    said.code(5).says("is sealed or in maintenance");
}

#[test]
fn the_server_answers_alike() {
    play("server", ROWS);
}

/// Asks while the server is sealed.
fn sealed(side: &Side, ask: impl FnOnce(&Side) -> Answer) -> Answer {
    let (bao, vault) = (&side.twins.bao, side.twins.sandbox.vault());
    if side.is_real() {
        bao.seal();
    } else {
        vault.seal();
    }
    let answer = ask(side);
    if side.is_real() {
        bao.unseal();
    } else {
        vault.unseal();
    }
    answer
}
