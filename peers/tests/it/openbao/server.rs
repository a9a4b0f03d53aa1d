//! The server as a whole: its health, sealed, and paths that are none.

use serde_json::json;

use super::table::{Row, play};
use super::twins::Side;

const ROWS: &[Row] = &[
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
fn the_server_answers_alike() {
    play("server", ROWS);
}

/// Asks while the server is sealed.
fn sealed(side: &Side<'_>, ask: impl FnOnce(&Side<'_>) -> hublease_peers::Answer) -> hublease_peers::Answer {
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
