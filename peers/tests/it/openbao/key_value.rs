//! The KV engines, versions 1 and 2.

use serde_json::json;

use super::side::{Side, operator, play};
use crate::support::table::Row;

const ROWS: &[Row<Side>] = &[
    ("version 1", |side| side.read("kv1/ci/dockerhub", &side.token("dockerhub"))),
    ("version 2", |side| side.read("secret/data/ci/dockerhub", &side.token("dockerhub"))),
    ("version 1, nothing there", |side| side.read("kv1/ci/nothing", &side.token("dockerhub"))),
    ("version 2, nothing there", |side| side.read("secret/data/ci/nothing", &side.token("dockerhub"))),
    ("version 2 without data/", |side| side.read("secret/ci/dockerhub", &side.token("dockerhub"))),
    ("version 2 without data/, by who may", |side| side.read("secret/ci/dockerhub", &operator(side))),
    ("a path that the policy lacks", |side| side.read("secret/data/other", &side.token("dockerhub"))),
    ("no policy at all", |side| side.read("kv1/ci/dockerhub", &side.token("without-policies"))),
    ("version 1, written without the right", |side| {
        side.write("kv1/ci/dockerhub", &side.token("dockerhub"), &json!({}))
    }),
    ("version 2, written without the right", |side| {
        side.write("secret/data/ci/dockerhub", &side.token("dockerhub"), &json!({}))
    }),
    ("deleted without the right", |side| {
        side.request("DELETE", "kv1/ci/dockerhub", &side.token("dockerhub")).send().unwrap()
    }),
    ("version 2, newest version deleted", |side| {
        put(side, "ci/deleted");
        delete(side, "ci/deleted");
        side.read("secret/data/ci/deleted", &side.token("dockerhub"))
    }),
    ("version 2, newest version destroyed", |side| {
        put(side, "ci/destroyed");
        destroy(side, "ci/destroyed");
        side.read("secret/data/ci/destroyed", &side.token("dockerhub"))
    }),
    ("version 1, deleted", |side| {
        put(side, "ci/gone");
        delete(side, "ci/gone");
        side.read("kv1/ci/gone", &side.token("dockerhub"))
    }),
    ("version 2, written again after a deletion", |side| {
        put(side, "ci/again");
        delete(side, "ci/again");
        put(side, "ci/again");
        side.read("secret/data/ci/again", &side.token("dockerhub"))
    }),
    ("version 1, nested values", |side| {
        side.read("kv1/ci/nested", &{
            let fields = json!({ "token": { "of": ["a", 1, null] }, "username": 7 });
            put_fields(side, "ci/nested", &fields);
            side.token("dockerhub")
        })
    }),
    ("version 1, a trailing slash", |side| side.read("kv1/ci/dockerhub/", &side.token("dockerhub"))),
    ("two slashes", |side| side.read("kv1//ci/dockerhub", &side.token("dockerhub"))),
    ("an encoded letter", |side| side.read("kv1/ci/%64ockerhub", &side.token("dockerhub"))),
    ("dots", |side| side.read("kv1/ci/../ci/dockerhub", &side.token("dockerhub"))),
    ("wrapped", |side| {
        side.request("GET", "kv1/ci/dockerhub", &side.token("dockerhub"))
            .header("X-Vault-Wrap-TTL", "60")
            .send()
            .unwrap()
    }),
    ("least time of a wrapping, not wrapped", |side| side.read("kv1/ci/dockerhub", &side.token("strict"))),
];

#[test]
fn secrets_are_answered_alike() {
    play("key-value", ROWS);
}

fn put(side: &Side, path: &str) {
    put_fields(side, path, &json!({ "username": "acmebot", "token": "of the operator" }));
}

fn put_fields(side: &Side, path: &str, fields: &serde_json::Value) {
    if side.is_real() {
        side.twins.bao.write(&format!("secret/data/{path}"), &json!({ "data": fields }));
        side.twins.bao.write(&format!("kv1/{path}"), fields);
        return;
    }
    for mount in ["secret", "kv1"] {
        assert!(side.twins.sandbox.vault().put_key_value(mount, path, fields.as_object().unwrap().clone()));
    }
}

fn delete(side: &Side, path: &str) {
    if side.is_real() {
        for path in [format!("secret/data/{path}"), format!("kv1/{path}")] {
            let answer = side.twins.bao.as_root(&side.twins.bao.ask("DELETE", &path));
            assert_eq!(answer.status, 204, "{}", answer.text);
        }
        return;
    }
    for mount in ["secret", "kv1"] {
        assert!(side.twins.sandbox.vault().delete_key_value(mount, path));
    }
}

/// The newest version is gone for good.
fn destroy(side: &Side, path: &str) {
    if side.is_real() {
        side.twins.bao.write(&format!("secret/destroy/{path}"), &json!({ "versions": [1] }));
        return;
    }
    assert!(side.twins.sandbox.vault().destroy_key_value("secret", path));
}
