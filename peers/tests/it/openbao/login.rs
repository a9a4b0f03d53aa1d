//! `auth/<mount>/login`.

use serde_json::json;

use super::side::{Side, play};
use super::twins::{AUDIENCE, MOUNT};
use crate::support::table::Row;

const PATH: &str = "auth/jwt-circleci/login";

const ROWS: &[Row<Side>] = &[
    ("accepted", |side| side.login("dockerhub")),
    ("accepted by PUT", |side| {
        let body = json!({ "role": "dockerhub", "jwt": side.identity_token(&json!({})) });
        side.request("PUT", PATH, "").json(&body).send().unwrap()
    }),
    ("the mount's default role", |side| side.write(PATH, "", &json!({ "jwt": side.identity_token(&json!({})) }))),
    ("role in capitals", |side| side.login("DockerHub")),
    ("role in none of the mounts", |side| side.login("nobody")),
    ("no such mount", |side| side.write("auth/nope/login", "", &json!({ "role": "dockerhub", "jwt": "x" }))),
    ("by GET", |side| side.read(PATH, "")),
    ("without a token", |side| side.write(PATH, "", &json!({ "role": "dockerhub" }))),
    ("empty token", |side| side.login_with("dockerhub", "")),
    ("without a body", |side| side.request("POST", PATH, "").send().unwrap()),
    ("body that is no JSON", |side| side.request("POST", PATH, "").body("{").send().unwrap()),
    ("role that is a list", |side| side.write(PATH, "", &json!({ "role": ["a"], "jwt": "x" }))),
    ("another audience", |side| {
        side.login_with("dockerhub", &side.identity_token(&json!({ "aud": "https://other.example.com" })))
    }),
    ("one of several audiences", |side| {
        side.login_with("dockerhub", &side.identity_token(&json!({ "aud": ["x", AUDIENCE] })))
    }),
    ("no audience in the token", |side| side.login_with("dockerhub", &side.identity_token(&json!({ "aud": null })))),
    ("no audience in the role", |side| side.login("without-audience")),
    ("another issuer", |side| {
        side.login_with("dockerhub", &side.identity_token(&json!({ "iss": "https://other.example.com" })))
    }),
    ("another subject", |side| side.login("another-subject")),
    ("bound claim with another value", |side| side.login("another-project")),
    ("bound claim that is missing", |side| side.login("missing-claim")),
    ("bound boolean, another", |side| side.login("ssh-only")),
    ("bound boolean, the same", |side| side.login("no-ssh")),
    ("user claim that is missing", |side| side.login("another-user-claim")),
    ("user claim that is a list", |side| side.login("list-user-claim")),
    ("expired an hour ago", |side| {
        let now = side.now();
        side.login_with("dockerhub", &side.identity_token(&json!({ "iat": now - 7200, "exp": now - 3600 })))
    }),
    ("expired within the skew", |side| {
        let now = side.now();
        side.login_with("dockerhub", &side.identity_token(&json!({ "iat": now - 900, "exp": now - 20 })))
    }),
    ("expired beyond the skew, within the leeway", |side| {
        let now = side.now();
        side.login_with("dockerhub", &side.identity_token(&json!({ "iat": now - 900, "exp": now - 100 })))
    }),
    ("expired, and the role forgives nothing", |side| {
        let now = side.now();
        side.login_with("no-skew", &side.identity_token(&json!({ "iat": now - 900, "exp": now - 20 })))
    }),
    ("not yet valid", |side| {
        let now = side.now();
        side.login_with("dockerhub", &side.identity_token(&json!({ "nbf": now + 3600, "exp": now + 7200 })))
    }),
    ("issued in the future", |side| {
        let now = side.now();
        side.login_with(
            "dockerhub",
            &side.identity_token(&json!({ "iat": now + 3600, "nbf": now - 10, "exp": now + 7200 })),
        )
    }),
    ("no times", |side| side.login_with("dockerhub", &side.identity_token(&json!({ "iat": null, "exp": null })))),
    ("no expiry", |side| side.login_with("dockerhub", &side.identity_token(&json!({ "exp": null })))),
    ("expiry that is a text", |side| side.login_with("dockerhub", &side.identity_token(&json!({ "exp": "soon" })))),
    ("garbage", |side| side.login_with("dockerhub", "abc")),
    ("garbage with points", |side| side.login_with("dockerhub", "eyJhbGciOiJSUzI1NiJ9.e30.AAAA")),
    ("no algorithm", |side| {
        side.login_with("dockerhub", &side.twins.sandbox.issuer().circleci().audience(AUDIENCE).unsigned())
    }),
    ("another key under the same name", |side| {
        side.login_with(
            "dockerhub",
            &side.twins.sandbox.issuer().circleci().audience(AUDIENCE).with_another_key().sign(),
        )
    }),
    ("a key that the issuer does not publish", |side| {
        side.login_with(
            "dockerhub",
            &side.twins.sandbox.issuer().circleci().audience(AUDIENCE).with_rotated_key().sign(),
        )
    }),
    ("broken signature", |side| {
        let token = side.identity_token(&json!({}));
        side.login_with("dockerhub", &format!("{}AAAAAAAA", &token[..token.len() - 8]))
    }),
    ("batch token", |side| side.login("batch")),
    ("without the default policy", |side| side.login("no-default")),
    ("namespace that is not there", |side| {
        let body = json!({ "role": "dockerhub", "jwt": side.identity_token(&json!({})) });
        side.request("POST", PATH, "").header("X-Vault-Namespace", "nope").json(&body).send().unwrap()
    }),
    ("namespace in the path that is not there", |side| {
        let body = json!({ "role": "dockerhub", "jwt": side.identity_token(&json!({})) });
        side.write(&format!("nope/auth/{MOUNT}/login"), "", &body)
    }),
    ("wrapped", |side| {
        let body = json!({ "role": "dockerhub", "jwt": side.identity_token(&json!({})) });
        side.request("POST", PATH, "").header("X-Vault-Wrap-TTL", "60").json(&body).send().unwrap()
    }),
];

#[test]
fn logins_are_answered_alike() {
    play("login", ROWS);
}
