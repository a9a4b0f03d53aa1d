//! Making and reading secrets: both plugin generations, engines that mint on read, KV.

use serde_json::{Map, Value, json};

use super::super::{DynamicEngine, EXAMPLE_PASSWORD, EXAMPLE_STATIC_TOKEN, KeyValueVersion};
use super::Bench;

#[test]
fn both_generations_mint_on_write() {
    for (path, grant, value, scope) in [
        ("dockerhub/token/acmebot/read", "scope", "read", "repo:read"),
        ("dockerhub-2021/token/acmebot/acme", "namespace", "acme", "repo:admin"),
    ] {
        for method in ["POST", "PUT"] {
            let bench = Bench::new();
            let token = bench.token(&["dockerhub"]);
            let answer = bench.call(&token, method, path, &json!({ "label": "job 7" }));
            let lease_id = answer.text("/lease_id");
            let mut data = json!({ "token": "dckr_pat_0", "uuid": "uuid-0", "username": "acmebot" });
            data[grant] = value.into();
            assert_eq!(
                (answer.status, &answer.body),
                (
                    200,
                    &json!({
                        "request_id": answer.body["request_id"], "lease_id": lease_id,
                        "renewable": false, "lease_duration": 300, "data": data,
                        "wrap_info": null, "warnings": null, "auth": null,
                    })
                )
            );
            assert!(lease_id.starts_with(&format!("{path}/")), "{lease_id}");
            assert_eq!(bench.hub.tokens(), [("job 7".to_owned(), scope.to_owned())]);
            assert_eq!(bench.live("lease"), [lease_id]);
            let secrets = bench.vault.secrets();
            assert!(secrets.contains(&("docker hub token".to_owned(), "dckr_pat_0".to_owned())));
        }
    }
}

/// Method, path, status, and the text that Vault wraps.
const REFUSALS: [(&str, &str, u16, &str); 10] = [
    ("GET", "dockerhub/token/acmebot/read", 405, "unsupported operation"),
    ("DELETE", "dockerhub/token/acmebot/read", 405, "unsupported operation"),
    ("POST", "dockerhub/token/acmebot/admin", 500, "requested scope \"admin\" is not permitted for user \"acmebot\""),
    ("POST", "dockerhub/token/nobody/read", 500, "unable to finde configuration for \"nobody\""),
    ("POST", "dockerhub-2021/token/nobody/acme", 500, "unable to finde configuration for \"nobody\""),
    // Without a label its process dies.
    (
        "POST",
        "dockerhub-2021/token/acmebot/acme",
        500,
        "rpc error: code = Unavailable desc = error reading from server: EOF",
    ),
    ("POST", "dockerhub/token/locked/read", 500, "authentication failed: 401"),
    ("POST", "dockerhub/token/read", 404, "unsupported path"),
    ("POST", "dockerhub/token/acmebot/read/more", 404, "unsupported path"),
    ("POST", "dockerhub/token/-a/read", 404, "unsupported path"),
];

#[test]
fn what_the_plugin_refuses() {
    let bench = Bench::new();
    let root = bench.token(&["root"]);
    let core = |text: &str| format!("1 error occurred:\n\t* {text}\n\n");
    let wrong_password = json!({ "password": "wrong", "Scope": "read" });
    assert_eq!(bench.call(&root, "POST", "dockerhub/config/locked", &wrong_password).status, 204);
    for (method, path, status, text) in REFUSALS {
        assert_eq!(bench.call(&root, method, path, &Value::Null).error(), (status, core(text).as_str()), "{path}");
    }
    // The 2021 generation says nothing at all.
    let silent = bench.call(&root, "POST", "dockerhub-2021/token/acmebot/elsewhere", &Value::Null);
    assert_eq!((silent.status, silent.body), (204, Value::Null));
    assert_eq!((bench.hub.count(), bench.live("lease").len()), (0, 0));
}

#[test]
fn configuration_keeps_its_traps() {
    let bench = Bench::new();
    let root = bench.token(&["root"]);
    let path = "dockerhub/config/second";
    // The README's field is not the code's: nothing is allowed, and only a warning tells.
    let readme = json!({ "password": EXAMPLE_PASSWORD, "scopes": "read", "ttl": 60 });
    let answer = bench.call(&root, "POST", path, &readme);
    let warning = "Endpoint ignored these unrecognized parameters: [scopes]";
    assert_eq!((answer.status, answer.text("/warnings/0").as_str()), (200, warning));
    let refused = bench.call(&root, "POST", "dockerhub/token/second/read", &Value::Null);
    assert_eq!(refused.status, 500);

    let code = json!({ "password": "p", "Scope": "read, write" });
    assert_eq!(bench.call(&root, "POST", path, &code).status, 204);
    let read = bench.call(&root, "GET", path, &Value::Null);
    let shown = json!({ "username": "second", "namespace": ["read", "write"], "ttl": "5m0s" });
    assert_eq!(read.body["data"], shown);
    assert_eq!(bench.call(&root, "DELETE", path, &Value::Null).status, 204);
    let gone = bench.call(&root, "GET", path, &Value::Null);
    assert_eq!(gone.error(), (500, "1 error occurred:\n\t* unable to finde configuration for \"second\"\n\n"));
}

#[test]
fn a_read_can_mint_under_other_names() {
    let bench = Bench::new();
    let engine = DynamicEngine {
        username: "acmebot".to_owned(),
        password: EXAMPLE_PASSWORD.to_owned(),
        scope: "repo:write".to_owned(),
        username_field: "login".to_owned(),
        secret_field: "pat".to_owned(),
        extra: Map::from_iter([("registry".to_owned(), json!("docker.io"))]),
        ttl: 900,
    };
    bench.vault.enable_dynamic("hub", engine);
    let root = bench.token(&["root"]);
    let answer = bench.call(&root, "GET", "hub/creds/push", &Value::Null);
    let data = json!({ "login": "acmebot", "pat": "dckr_pat_0", "registry": "docker.io" });
    assert_eq!((&answer.body["data"], &answer.body["lease_duration"]), (&data, &json!(900)));
    let write = bench.call(&root, "POST", "hub/creds/push", &Value::Null);
    assert_eq!(write.error(), (405, "1 error occurred:\n\t* unsupported operation\n\n"));
    let revoke = json!({ "lease_id": answer.text("/lease_id"), "sync": true });
    assert_eq!(bench.call(&root, "POST", "sys/leases/revoke", &revoke).status, 204);
    assert_eq!(bench.hub.count(), 0);
}

#[test]
fn key_value_has_two_shapes_and_no_lease() {
    let bench = Bench::new();
    let token = bench.token(&["dockerhub"]);
    let secret = json!({ "username": "acmebot", "token": EXAMPLE_STATIC_TOKEN });
    let two = bench.call(&token, "GET", "secret/data/ci/dockerhub", &Value::Null);
    let metadata = json!({
        "created_time": "2023-11-14T22:13:20Z", "custom_metadata": null,
        "deletion_time": "", "destroyed": false, "version": 1,
    });
    assert_eq!(two.body["data"], json!({ "data": secret, "metadata": metadata }));
    assert_eq!((&two.body["lease_id"], &two.body["lease_duration"]), (&json!(""), &json!(0)));
    let one = bench.call(&token, "GET", "kv1/ci/dockerhub", &Value::Null);
    assert_eq!(
        (&one.body["data"], &one.body["lease_id"], &one.body["lease_duration"]),
        (&secret, &json!(""), &json!(2_764_800))
    );
    let names: Vec<String> = bench.vault.secrets().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["vault token", "kv ci/dockerhub token", "kv ci/dockerhub token"]);
    assert!(bench.live("lease").is_empty());
}

#[test]
fn key_value_says_what_is_not_there() {
    let bench = Bench::new();
    let root = bench.token(&["root"]);
    for path in ["secret/data/ci/other", "kv1/ci/other"] {
        let missing = bench.call(&root, "GET", path, &Value::Null);
        assert_eq!((missing.status, missing.body), (404, json!({ "errors": [] })), "{path}");
    }
    let unversioned = bench.call(&root, "GET", "secret/ci/dockerhub", &Value::Null);
    assert_eq!(unversioned.status, 404);
    assert!(unversioned.text("/warnings/0").starts_with("Invalid path for a versioned K/V secrets engine."));
    assert!(unversioned.text("/warnings/0").ends_with("use 'vault kv get' for this operation."));

    bench.pass(10);
    assert!(bench.vault.delete_key_value("secret", "ci/dockerhub"));
    let deleted = bench.call(&root, "GET", "secret/data/ci/dockerhub", &Value::Null);
    assert_eq!((deleted.status, &deleted.body["data"]["data"]), (404, &Value::Null));
    assert_eq!(deleted.text("/data/metadata/deletion_time"), "2023-11-14T22:13:30Z");
    assert!(bench.vault.delete_key_value("kv1", "ci/dockerhub"));
    assert_eq!(bench.call(&root, "GET", "kv1/ci/dockerhub", &Value::Null).status, 404);

    bench.vault.put_key_value("secret", "ci/dockerhub", Map::new());
    let rewritten = bench.call(&root, "GET", "secret/data/ci/dockerhub", &Value::Null);
    assert_eq!(rewritten.body["data"]["metadata"]["version"], 2);
    bench.vault.enable_key_value("empty", KeyValueVersion::Two);
    assert!(!bench.vault.put_key_value("nowhere", "a", Map::new()));
}
