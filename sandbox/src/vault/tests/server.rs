//! The server as a whole: health, seal, standby, limits, unknown paths, threads.

use serde_json::{Value, json};

use super::super::Flavour;
use super::super::wire::MAX_REQUEST_BYTES;
use super::{Bench, circleci_claims};

#[test]
fn health_has_its_own_codes() {
    let bench = Bench::new();
    let health = |method: &str| bench.send(method, "/v1/sys/health", &[], &Value::Null);
    let active = health("GET");
    assert_eq!((active.status, &active.body["sealed"], &active.body["standby"]), (200, &json!(false), &json!(false)));
    bench.vault.set_flavour(Flavour::OpenBao);
    assert_ne!(health("GET").body["version"], active.body["version"]);
    bench.vault.stand_by(Some("https://active.example"));
    bench.vault.lag_behind(1);
    assert_eq!(health("GET").status, 429);
    bench.vault.seal();
    assert_eq!(health("GET").body["sealed"], true);
    assert_eq!((health("HEAD").status, health("HEAD").body), (503, Value::Null));
    assert_eq!(health("POST").status, 405);
}

#[test]
fn a_sealed_server_says_so() {
    let bench = Bench::new();
    let token = bench.token(&["root"]);
    bench.vault.seal();
    let body = json!({ "jwt": circleci_claims().to_string() });
    assert_eq!(bench.login("jwt", &body).error(), (503, "Vault is sealed"));
    let answer = bench.call(&token, "GET", "kv1/ci/dockerhub", &Value::Null);
    assert_eq!(answer.body, json!({ "errors": ["Vault is sealed"] }));
    bench.vault.unseal();
    assert_eq!(bench.login("jwt", &body).status, 200);
}

#[test]
fn a_standby_points_to_the_active_node() {
    let bench = Bench::new();
    bench.vault.stand_by(Some("https://active.example:8200"));
    let answer = bench.send("POST", "/v1/auth/jwt/login?a=b", &[], &json!({ "jwt": "x" }));
    assert_eq!((answer.status, &answer.body), (307, &Value::Null));
    assert_eq!(answer.location.as_deref(), Some("https://active.example:8200/v1/auth/jwt/login?a=b"));
    bench.vault.stand_by(None);
    assert_eq!(bench.login("jwt", &json!({ "jwt": circleci_claims().to_string() })).status, 200);
}

#[test]
fn a_replica_lags_for_a_while() {
    let bench = Bench::new();
    bench.vault.lag_behind(2);
    let body = json!({ "jwt": circleci_claims().to_string() });
    for _ in 0..2 {
        assert_eq!(bench.login("jwt", &body).error(), (412, "required index state not present"));
    }
    assert_eq!(bench.login("jwt", &body).status, 200);
}

#[test]
fn an_agent_may_demand_its_header() {
    let bench = Bench::new();
    let body = json!({ "jwt": circleci_claims().to_string() });
    bench.vault.require_request_header(true);
    let missing = (412, "missing 'X-Vault-Request' header");
    assert_eq!(bench.login("jwt", &body).error(), missing);
    let login = "/v1/auth/jwt/login";
    let wrong = bench.send("POST", login, &[("X-Vault-Request", "1")], &body);
    assert_eq!(wrong.error(), missing);
    assert_eq!(bench.send("POST", login, &[("X-Vault-Request", "true")], &body).status, 200);
}

const NO_ROUTE: &str = "no handler for route \"nowhere/x\". route entry not found.";
const UNSUPPORTED: &str = "1 error occurred:\n\t* unsupported operation\n\n";

/// Asked by a token that may do anything.
const ODD_REQUESTS: [(&str, &str, (u16, &str)); 13] = [
    ("GET", "/v1/nowhere/x", (404, NO_ROUTE)),
    ("GET", "/v1/sys/mounts", (404, "1 error occurred:\n\t* unsupported path\n\n")),
    ("GET", "/v1/sys/leases/revoke", (405, UNSUPPORTED)),
    ("GET", "/v1/sys/leases/lookup", (405, UNSUPPORTED)),
    ("GET", "/v1/auth/token/revoke-self", (405, UNSUPPORTED)),
    ("POST", "/v1/auth/token/lookup-self", (405, UNSUPPORTED)),
    ("POST", "/v1/kv1/ci/dockerhub", (405, UNSUPPORTED)),
    ("LIST", "/v1/kv1/ci", (405, UNSUPPORTED)),
    ("GET", "/v1/kv1/ci?list=true", (405, UNSUPPORTED)),
    ("PURGE", "/v1/kv1/ci/dockerhub", (405, "")),
    ("GET", "/v1/kv1/../secret", (400, "relative paths not supported")),
    ("GET", "/v1/kv1/%zz", (400, "invalid URL escape")),
    ("GET", "/ui/", (404, "")),
];

#[test]
fn odd_requests_get_vaults_words() {
    let bench = Bench::new();
    let root = bench.token(&["root"]);
    for (method, path, expected) in ODD_REQUESTS {
        let answer = bench.send(method, path, &[("X-Vault-Token", &root)], &Value::Null);
        assert_eq!(answer.error(), expected, "{method} {path}");
    }
    let escaped = bench.send("GET", "/v1/kv1/ci%2Fdockerhub", &[("X-Vault-Token", &root)], &Value::Null);
    assert_eq!(escaped.status, 200);
    let headers = [("X-Vault-Token", root.as_str()), ("X-Vault-Wrap-TTL", "60")];
    assert_eq!(bench.send("GET", "/v1/kv1/ci/dockerhub", &headers, &Value::Null).body["data"], Value::Null);
}

#[test]
fn bodies_are_small_json_objects() {
    let bench = Bench::new();
    let post = |body: Vec<u8>| {
        let request = http::Request::post("/v1/auth/jwt/login").body(body).unwrap();
        bench.send_raw(&request)
    };
    for body in ["{", "[]", "7"] {
        assert_eq!(post(body.into()).error(), (400, "error parsing JSON"), "{body}");
    }
    let mut largest = json!({ "jwt": circleci_claims().to_string() }).to_string().into_bytes();
    largest.resize(MAX_REQUEST_BYTES, b' ');
    assert_eq!(post(largest.clone()).status, 200);
    largest.push(b' ');
    assert_eq!(post(largest).error(), (413, "http: request body too large"));
}
