//! Leases: of the `database` engine at the real server, of an engine of the same shape at the stand-in.

use hublease_peers::Answer;
use serde_json::json;

use super::side::{Side, operator, play};
use crate::support::table::Row;

const ROWS: &[Row<Side>] = &[
    ("a credential with its lease", |side| side.read("database/creds/app", &side.token("dockerhub"))),
    ("a credential for a batch token that ends before it", |side| {
        ends_within(600, side.read("database/creds/app", &side.token("batch")))
    }),
    ("written instead of read", |side| side.write("database/creds/app", &operator(side), &json!({}))),
    ("written without the right", |side| side.write("database/creds/app", &side.token("dockerhub"), &json!({}))),
    ("looked up", |side| look_up(side, "dockerhub")),
    ("looked up by a token of another login", |side| {
        let lease = side.lease(&side.token("dockerhub"));
        side.write("sys/leases/lookup", &side.token("dockerhub"), &json!({ "lease_id": lease }))
    }),
    ("looked up without the default policy", |side| look_up(side, "no-default")),
    ("looked up after its revocation", |side| {
        let token = side.token("dockerhub");
        let lease = side.lease(&token);
        assert_eq!(side.revoke(&token, &lease).status, 204);
        side.write("sys/leases/lookup", &token, &json!({ "lease_id": lease }))
    }),
    ("looked up, no such lease", |side| {
        side.write("sys/leases/lookup", &side.token("dockerhub"), &json!({ "lease_id": "x/y/z" }))
    }),
    ("looked up, none named", |side| side.write("sys/leases/lookup", &side.token("dockerhub"), &json!({}))),
    ("revoked and waited for", |side| {
        let token = side.token("dockerhub");
        side.revoke(&token, &side.lease(&token))
    }),
    ("revoked by PUT", |side| {
        let token = side.token("dockerhub");
        let body = json!({ "lease_id": side.lease(&token), "sync": true });
        side.request("PUT", "sys/leases/revoke", &token).json(&body).send().unwrap()
    }),
    ("revoked again", |side| {
        let token = side.token("dockerhub");
        let lease = side.lease(&token);
        assert_eq!(side.revoke(&token, &lease).status, 204);
        side.revoke(&token, &lease)
    }),
    ("revoked without sync", |side| {
        let token = side.token("dockerhub");
        side.write("sys/leases/revoke", &token, &json!({ "lease_id": side.lease(&token) }))
    }),
    ("revoked without sync, no such lease", |side| {
        side.write("sys/leases/revoke", &side.token("dockerhub"), &json!({ "lease_id": "database/creds/app/none" }))
    }),
    ("revoked, and told not to wait", |side| {
        let token = side.token("dockerhub");
        side.write("sys/leases/revoke", &token, &json!({ "lease_id": side.lease(&token), "sync": false }))
    }),
    ("the engine fails: revoked without sync", |side| {
        let token = side.token("dockerhub");
        let lease = side.lease(&token);
        let body = json!({ "lease_id": lease });
        without_the_engines_words(side.while_it_fails(|side| side.write("sys/leases/revoke", &token, &body)))
    }),
    ("the engine fails: revoked, and told not to wait", |side| {
        let token = side.token("dockerhub");
        let body = json!({ "lease_id": side.lease(&token), "sync": false });
        side.while_it_fails(|side| side.write("sys/leases/revoke", &token, &body))
    }),
    ("revoked, no such lease", |side| side.revoke(&side.token("dockerhub"), "database/creds/app/none")),
    ("revoked, none named", |side| side.write("sys/leases/revoke", &side.token("dockerhub"), &json!({ "sync": true }))),
    ("revoked by the lease in the path", |side| {
        let token = side.token("dockerhub");
        let path = format!("sys/leases/revoke/{}", side.lease(&token));
        side.write(&path, &token, &json!({ "sync": true }))
    }),
    ("revoked with a word for true", |side| {
        let token = side.token("dockerhub");
        side.write("sys/leases/revoke", &token, &json!({ "lease_id": side.lease(&token), "sync": "true" }))
    }),
    ("revoked without the right", |side| {
        let token = side.token("dockerhub-mint-only");
        side.revoke(&token, &side.lease(&token))
    }),
    ("a batch token's, revoked", |side| {
        let token = side.token("batch");
        side.revoke(&token, &side.lease(&token))
    }),
    ("a batch token's, revoked without the right", |side| {
        let token = side.token("batch-mint-only");
        side.revoke(&token, &side.lease(&token))
    }),
    ("revoked by a token that has ended", |side| {
        let (token, lease) = ended(side);
        side.revoke(&token, &lease)
    }),
    ("allowed parameters: its own lease", |side| {
        let token = side.token("strict");
        side.revoke(&token, &side.lease(&token))
    }),
    ("allowed parameters: another path's", |side| side.revoke(&side.token("strict"), "other/creds/app/none")),
    ("allowed parameters: the lease in the path", |side| {
        let token = side.token("strict");
        let path = format!("sys/leases/revoke/{}", side.lease(&token));
        side.write(&path, &token, &json!({}))
    }),
    ("the engine fails: leased", |side| {
        let token = side.token("dockerhub");
        without_the_engines_words(side.while_it_fails(|side| side.read("database/creds/app", &token)))
    }),
    ("the engine fails: revoked", |side| {
        let token = side.token("dockerhub");
        let lease = side.lease(&token);
        without_the_engines_words(side.while_it_fails(|side| side.revoke(&token, &lease)))
    }),
    ("the engine failed: looked up", |side| {
        let token = side.token("dockerhub");
        let lease = side.lease(&token);
        assert_eq!(side.while_it_fails(|side| side.revoke(&token, &lease)).status, 400);
        side.write("sys/leases/lookup", &token, &json!({ "lease_id": lease }))
    }),
    ("the engine failed: revoked again", |side| {
        let token = side.token("dockerhub");
        let lease = side.lease(&token);
        assert_eq!(side.while_it_fails(|side| side.revoke(&token, &lease)).status, 400);
        side.revoke(&token, &lease)
    }),
    ("the engine fails: the token is ended", |side| {
        let token = side.token("dockerhub");
        drop(side.lease(&token));
        side.while_it_fails(|side| side.write("auth/token/revoke-self", &token, &json!({})))
    }),
    ("renewed", |side| {
        let token = side.token("dockerhub");
        let lease = side.lease(&token);
        side.write("sys/leases/renew", &token, &json!({ "lease_id": lease, "increment": 60 }))
    }),
];

#[test]
fn leases_are_answered_alike() {
    play("leases", ROWS);
}

/// What is left of the token's life is the lease's: some of it has gone by, more on a slow machine.
fn ends_within(seconds: u64, answer: Answer) -> Answer {
    let mut body = answer.json();
    let left = body["lease_duration"].as_u64().unwrap();
    assert!((1..=seconds).contains(&left), "{}", answer.text);
    body["lease_duration"] = seconds.into();
    Answer { text: body.to_string(), ..answer }
}

/// What the server says around the words of the engine, which are another engine's here and there.
fn without_the_engines_words(answer: Answer) -> Answer {
    let mut body = answer.json();
    let text = body["errors"][0].as_str().unwrap().to_owned();
    let end = ["err: ", "* "].iter().find_map(|mark| Some(text.find(mark)? + mark.len()));
    body["errors"][0] = text[..end.unwrap()].into();
    Answer { text: body.to_string(), ..answer }
}

fn look_up(side: &Side, role: &str) -> Answer {
    let token = side.token(role);
    let lease = side.lease(&token);
    side.write("sys/leases/lookup", &token, &json!({ "lease_id": lease }))
}

/// A token that was ended, and a lease that it had.
fn ended(side: &Side) -> (String, String) {
    let token = side.token("dockerhub");
    let lease = side.lease(&token);
    assert_eq!(side.write("auth/token/revoke-self", &token, &json!({})).status, 204);
    (token, lease)
}
