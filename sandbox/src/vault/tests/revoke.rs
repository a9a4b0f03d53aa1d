//! Every way a lease ends at once or by the clock, and every way it does not.

use std::sync::mpsc::channel;

use serde_json::{Value, json};

use super::Bench;

#[test]
fn sync_waits_and_hears() {
    let bench = Bench::new();
    let token = bench.token(&["dockerhub"]);
    let lease_id = bench.mint(&token);
    let fault = "failed to delete auth token 503";
    bench.hub.revoke_faults.lock().unwrap().push(fault.to_owned());
    let failed = bench.revoke(&token, &lease_id, true);
    let text = format!("failed to revoke entry: resp: (*logical.Response)(nil) err: {fault}");
    assert_eq!(failed.error(), (400, text.as_str()));
    assert_eq!((bench.hub.count(), bench.live("lease").len()), (1, 1));

    let done = bench.revoke(&token, &lease_id, true);
    assert_eq!((done.status, done.body), (204, Value::Null));
    assert_eq!((bench.hub.count(), bench.live("lease").len()), (0, 0));
    // Gone and never known are the same success; nobody asks the Hub.
    for lease_id in [lease_id.as_str(), "dockerhub/token/acmebot/read/unknown"] {
        assert_eq!(bench.revoke(&token, lease_id, true).status, 204);
        assert_eq!(bench.revoke(&token, lease_id, false).status, 204);
    }
    let nothing = bench.call(&token, "POST", "sys/leases/revoke", &json!({ "sync": true }));
    assert_eq!(nothing.error(), (400, "lease_id must be specified"));
}

#[test]
fn the_id_may_be_in_the_path() {
    let bench = Bench::new();
    let root = bench.token(&["root"]);
    let path = format!("sys/leases/revoke/{}", bench.mint(&root));
    assert_eq!(bench.call(&root, "POST", &path, &json!({ "sync": "true" })).status, 204);
    assert_eq!(bench.hub.count(), 0);
}

#[test]
fn mint_only_cannot_revoke_leases() {
    let bench = Bench::new();
    let token = bench.token(&["dockerhub-mint-only"]);
    let lease_id = bench.mint(&token);
    let refused = bench.revoke(&token, &lease_id, true);
    assert_eq!(refused.error(), (403, "1 error occurred:\n\t* permission denied\n\n"));
    assert_eq!(bench.hub.count(), 1);
    // Whoever has the capability may revoke any lease.
    assert_eq!(bench.revoke(&bench.token(&["dockerhub"]), &lease_id, true).status, 204);
}

#[test]
fn the_clock_revokes() {
    let bench = Bench::new();
    let token = bench.token(&["dockerhub"]);
    bench.mint(&token);
    bench.pass(299);
    assert_eq!(bench.live("lease").len(), 1);
    bench.pass(1);
    assert_eq!(bench.live("lease").len(), 0);
    assert_eq!(bench.hub.count(), 0);

    // A token that ends takes its younger lease along.
    bench.pass(200);
    bench.mint(&token);
    bench.pass(99);
    assert_eq!((bench.live("lease").len(), bench.live("token").len()), (1, 1));
    bench.pass(1);
    assert_eq!((bench.live("lease").len(), bench.live("token").len()), (0, 0));
    assert_eq!(bench.hub.count(), 0);
    let dead = bench.call(&token, "GET", "auth/token/lookup-self", &Value::Null);
    assert_eq!(dead.error(), (403, "permission denied"));
}

#[test]
fn batch_tokens_own_nothing() {
    let bench = Bench::new();
    let token = bench.batch_token(&["dockerhub"], 120);
    bench.pass(20);
    let path = "dockerhub/token/acmebot/read";
    let answer = bench.call(&token, "POST", path, &json!({ "label": "job" }));
    assert_eq!(answer.body["lease_duration"], 100);
    let refused = bench.call(&token, "POST", "auth/token/revoke-self", &Value::Null);
    assert_eq!(refused.error(), (400, "batch tokens cannot be revoked"));
    assert_eq!((bench.live("lease").len(), bench.live("token")), (1, vec![token.clone()]));
    assert_eq!(bench.revoke(&token, &answer.text("/lease_id"), true).status, 204);
    assert_eq!(bench.hub.count(), 0);

    let second = bench.call(&token, "POST", path, &json!({ "label": "job" }));
    assert_eq!(second.status, 200);
    bench.pass(100);
    assert!(bench.vault.live().is_empty());
    assert_eq!(bench.hub.count(), 0);
}

#[test]
fn a_lease_can_be_looked_up_while_it_lives() {
    let bench = Bench::new();
    let token = bench.token(&["dockerhub-mint-only"]);
    let lease_id = bench.mint(&token);
    bench.pass(60);
    let lookup = |lease_id: &str| bench.call(&token, "POST", "sys/leases/lookup", &json!({ "lease_id": lease_id }));
    let found = lookup(&lease_id);
    assert_eq!(
        found.body["data"],
        json!({
            "id": lease_id, "issue_time": "2023-11-14T22:13:20Z", "expire_time": "2023-11-14T22:18:20Z",
            "last_renewal": null, "renewable": false, "ttl": 240,
        })
    );
    assert_eq!(lookup("").error(), (400, "lease_id must be specified"));
    bench.pass(240);
    assert_eq!(lookup(&lease_id).error(), (400, "invalid lease"));
}

#[test]
fn a_sealed_server_lets_nothing_end() {
    let bench = Bench::new();
    let token = bench.token(&["dockerhub"]);
    bench.mint(&token);
    bench.vault.seal();
    bench.pass(400);
    assert_eq!((bench.live("lease").len(), bench.hub.count()), (1, 1));
    bench.vault.unseal();
    assert_eq!((bench.live("lease").len(), bench.hub.count()), (0, 0));
}

#[test]
fn a_hub_that_hangs_hangs_nobody_else() {
    let bench = Bench::new();
    let token = bench.token(&["dockerhub"]);
    let lease_id = bench.mint(&token);
    let (begun, has_begun) = channel();
    let (go_on, may_go_on) = channel();
    *bench.hub.revoke_gate.lock().unwrap() = Some((begun, may_go_on));
    std::thread::scope(|scope| {
        let first = scope.spawn(|| bench.revoke(&token, &lease_id, true).status);
        has_begun.recv().unwrap();
        // The token's lease is still there, and everything but revocations is answered.
        let lookup = bench.call(&token, "GET", "auth/token/lookup-self", &Value::Null);
        assert_eq!((lookup.status, bench.live("lease").len()), (200, 1));
        // Another revocation of the same lease waits for its turn, and then finds nothing to do.
        let second = scope.spawn(|| bench.revoke(&token, &lease_id, true).status);
        go_on.send(()).unwrap();
        assert_eq!((first.join().unwrap(), second.join().unwrap()), (204, 204));
    });
    assert_eq!((bench.hub.count(), bench.live("lease").len()), (0, 0));
}
