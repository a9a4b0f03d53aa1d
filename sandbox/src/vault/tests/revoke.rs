//! Every way a lease ends, and every way it does not.

use serde_json::{Value, json};

use super::super::{Flavour, Queue, QueueRun};
use super::Bench;

const ONE_REVOKED: QueueRun = QueueRun {
    revoked: 1,
    failed: 0,
    irrevocable: 0,
};
const ONE_FAILED: QueueRun = QueueRun {
    revoked: 0,
    failed: 1,
    irrevocable: 0,
};
const ONE_GIVEN_UP: QueueRun = QueueRun {
    revoked: 0,
    failed: 0,
    irrevocable: 1,
};

fn revoke(bench: &Bench, token: &str, lease_id: &str, sync: bool) -> super::Answer {
    bench.call(
        token,
        "PUT",
        "sys/leases/revoke",
        &json!({ "lease_id": lease_id, "sync": sync }),
    )
}

#[test]
fn sync_waits_and_hears() {
    let bench = Bench::new();
    let token = bench.token(&["dockerhub"]);
    let lease_id = bench.mint(&token);
    let fault = "failed to delete auth token 503";
    bench
        .hub
        .revoke_faults
        .lock()
        .unwrap()
        .push(fault.to_owned());
    let failed = revoke(&bench, &token, &lease_id, true);
    let text = format!("failed to revoke entry: resp: (*logical.Response)(nil) err: {fault}");
    assert_eq!(failed.error(), (400, text.as_str()));
    assert_eq!((bench.hub.count(), bench.live("lease").len()), (1, 1));

    let done = revoke(&bench, &token, &lease_id, true);
    assert_eq!((done.status, done.body), (204, Value::Null));
    assert_eq!((bench.hub.count(), bench.live("lease").len()), (0, 0));
    // Gone and never known are the same success; nobody asks the Hub.
    for lease_id in [lease_id.as_str(), "dockerhub/token/acmebot/read/unknown"] {
        assert_eq!(revoke(&bench, &token, lease_id, true).status, 204);
        assert_eq!(revoke(&bench, &token, lease_id, false).status, 204);
    }
    let nothing = bench.call(
        &token,
        "POST",
        "sys/leases/revoke",
        &json!({ "sync": true }),
    );
    assert_eq!(nothing.error(), (400, "lease_id must be specified"));
}

#[test]
fn the_id_may_be_in_the_path() {
    let bench = Bench::new();
    let root = bench.token(&["root"]);
    let path = format!("sys/leases/revoke/{}", bench.mint(&root));
    assert_eq!(
        bench
            .call(&root, "POST", &path, &json!({ "sync": "true" }))
            .status,
        204
    );
    assert_eq!(bench.hub.count(), 0);
}

#[test]
fn without_sync_it_is_only_queued() {
    for (flavour, status) in [(Flavour::Vault, 204), (Flavour::OpenBao, 202)] {
        let bench = Bench::new();
        bench.vault.set_flavour(flavour);
        bench.vault.set_queue(Queue::Manual);
        let token = bench.token(&["dockerhub"]);
        let lease_id = bench.mint(&token);
        assert_eq!(revoke(&bench, &token, &lease_id, false).status, status);
        assert_eq!(revoke(&bench, &token, &lease_id, false).status, status);
        assert_eq!((bench.hub.count(), bench.live("lease").len()), (1, 1));
        assert_eq!(bench.vault.run_queue(), ONE_REVOKED);
        assert_eq!((bench.hub.count(), bench.live("lease").len()), (0, 0));
        assert_eq!(bench.vault.run_queue(), QueueRun::default());
    }
}

#[test]
fn revoke_self_ends_the_token_now_and_its_leases_later() {
    for (queue, at_once) in [
        (Queue::Manual, 1),
        (Queue::OnNextRequest, 1),
        (Queue::AtOnce, 0),
    ] {
        let bench = Bench::new();
        bench.vault.set_queue(queue);
        let token = bench.token(&["dockerhub-mint-only"]);
        bench.mint(&token);
        let other = bench.token(&["dockerhub"]);
        bench.mint(&other);
        let answer = bench.call(&token, "POST", "auth/token/revoke-self", &Value::Null);
        assert_eq!((answer.status, answer.body), (204, Value::Null));
        assert_eq!(bench.hub.count(), 1 + at_once, "{queue:?}");
        let again = bench.call(&token, "POST", "auth/token/revoke-self", &Value::Null);
        assert_eq!(again.error(), (403, "permission denied"));
        let after_a_request = if queue == Queue::Manual { 2 } else { 1 };
        assert_eq!(bench.hub.count(), after_a_request, "{queue:?}");
        bench.vault.run_queue();
        assert_eq!(
            (
                bench.hub.count(),
                bench.live("lease").len(),
                bench.live("token").len()
            ),
            (1, 1, 1)
        );
    }
}

#[test]
fn mint_only_cannot_revoke_leases() {
    let bench = Bench::new();
    let token = bench.token(&["dockerhub-mint-only"]);
    let lease_id = bench.mint(&token);
    let refused = revoke(&bench, &token, &lease_id, true);
    assert_eq!(
        refused.error(),
        (403, "1 error occurred:\n\t* permission denied\n\n")
    );
    assert_eq!(bench.hub.count(), 1);
    // Whoever has the capability may revoke any lease.
    assert_eq!(
        revoke(&bench, &bench.token(&["dockerhub"]), &lease_id, true).status,
        204
    );
}

#[test]
fn the_plugin_that_accepts_only_202_never_succeeds() {
    let bench = Bench::new();
    assert!(bench.vault.accept_only_202("dockerhub", true));
    let token = bench.token(&["dockerhub"]);
    let lease_id = bench.mint(&token);
    let text = |status: &str| {
        format!(
            "failed to revoke entry: resp: (*logical.Response)(nil) err: failed to delete auth token {status}"
        )
    };
    assert_eq!(
        revoke(&bench, &token, &lease_id, true).error(),
        (400, text("204").as_str())
    );
    assert_eq!(bench.hub.count(), 0);
    assert_eq!(
        revoke(&bench, &token, &lease_id, true).error(),
        (400, text("404").as_str())
    );
    bench.vault.set_queue(Queue::Manual);
    revoke(&bench, &token, &lease_id, false);
    for _ in 0..5 {
        assert_eq!(bench.vault.run_queue(), ONE_FAILED);
    }
    assert_eq!(bench.vault.run_queue(), ONE_GIVEN_UP);
    assert_eq!(bench.vault.run_queue(), QueueRun::default());
    assert_eq!(
        (bench.live("irrevocable lease"), bench.live("lease")),
        (vec![lease_id], vec![])
    );
}

#[test]
fn a_queued_failure_waits_longer_each_time() {
    let bench = Bench::new();
    let token = bench.token(&["dockerhub"]);
    let lease_id = bench.mint(&token);
    bench
        .vault
        .delete_docker_hub_account("dockerhub", "acmebot");
    revoke(&bench, &token, &lease_id, false);
    bench.vault.tick();
    for wait in [20, 40, 80, 160, 320] {
        assert_eq!(
            bench.live("irrevocable lease").len(),
            0,
            "after the wait before {wait}"
        );
        bench.pass(wait - 1);
        bench.vault.tick();
        assert_eq!(bench.live("irrevocable lease").len(), 0, "before {wait}");
        bench.pass(1);
        bench.vault.tick();
    }
    assert_eq!(
        (bench.live("irrevocable lease"), bench.hub.count()),
        (vec![lease_id.clone()], 1)
    );
    // An operator who repairs the account may still revoke it.
    let account = super::super::DockerHubAccount {
        password: super::EXAMPLE_PASSWORD.to_owned(),
        allowed: vec![],
    };
    bench
        .vault
        .write_docker_hub_account("dockerhub", "acmebot", account);
    assert_eq!(
        revoke(&bench, &bench.token(&["root"]), &lease_id, true).status,
        204
    );
    assert_eq!((bench.hub.count(), bench.vault.live().len()), (0, 1));
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
    assert_eq!(
        (bench.live("lease").len(), bench.live("token").len()),
        (1, 1)
    );
    bench.pass(1);
    assert_eq!(
        (bench.live("lease").len(), bench.live("token").len()),
        (0, 0)
    );
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
    assert_eq!(
        (bench.live("lease").len(), bench.live("token")),
        (1, vec![token.clone()])
    );
    assert_eq!(
        revoke(&bench, &token, &answer.text("/lease_id"), true).status,
        204
    );
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
    let lookup = |lease_id: &str| {
        bench.call(
            &token,
            "POST",
            "sys/leases/lookup",
            &json!({ "lease_id": lease_id }),
        )
    };
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
