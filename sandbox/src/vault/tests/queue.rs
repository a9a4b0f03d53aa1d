//! The revocation queue: when it runs, how it retries, when it gives up.

use serde_json::{Value, json};

use super::super::{DockerHubAccount, Flavour, Queue, QueueRun};
use super::{Bench, EXAMPLE_PASSWORD};

const ONE_REVOKED: QueueRun = QueueRun { revoked: 1, failed: 0, irrevocable: 0 };
const ONE_FAILED: QueueRun = QueueRun { revoked: 0, failed: 1, irrevocable: 0 };
const ONE_GIVEN_UP: QueueRun = QueueRun { revoked: 0, failed: 0, irrevocable: 1 };

#[test]
fn where_nothing_is_said_of_waiting_one_product_queues_and_the_other_waits() {
    for (flavour, status, left) in [(Flavour::Vault, 204, 1), (Flavour::OpenBao, 204, 0)] {
        let bench = Bench::new();
        bench.vault.set_flavour(flavour);
        bench.vault.set_queue(Queue::Manual);
        let root = bench.token(&["root"]);
        let lease_id = bench.mint(&root);
        let answer = bench.call(&root, "PUT", "sys/leases/revoke", &json!({ "lease_id": lease_id }));
        assert_eq!((answer.status, bench.live("lease").len()), (status, left), "{flavour:?}");
    }
}

#[test]
fn without_sync_it_is_only_queued() {
    for (flavour, status) in [(Flavour::Vault, 204), (Flavour::OpenBao, 202)] {
        let bench = Bench::new();
        bench.vault.set_flavour(flavour);
        bench.vault.set_queue(Queue::Manual);
        let token = bench.token(&["dockerhub"]);
        let lease_id = bench.mint(&token);
        assert_eq!(bench.revoke(&token, &lease_id, false).status, status);
        assert_eq!(bench.revoke(&token, &lease_id, false).status, status);
        assert_eq!((bench.hub.count(), bench.live("lease").len()), (1, 1));
        assert_eq!(bench.vault.run_queue(), ONE_REVOKED);
        assert_eq!((bench.hub.count(), bench.live("lease").len()), (0, 0));
        assert_eq!(bench.vault.run_queue(), QueueRun::default());
    }
}

#[test]
fn revoke_self_ends_the_token_now_and_its_leases_later() {
    for (queue, at_once) in [(Queue::Manual, 1), (Queue::OnNextRequest, 1), (Queue::AtOnce, 0)] {
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
        assert_eq!((bench.hub.count(), bench.live("lease").len(), bench.live("token").len()), (1, 1, 1));
    }
}

#[test]
fn the_plugin_as_published_deletes_and_never_succeeds() {
    let bench = Bench::as_published();
    let token = bench.token(&["dockerhub"]);
    let lease_id = bench.mint(&token);
    let text = |status: &str| {
        format!("failed to revoke entry: resp: (*logical.Response)(nil) err: failed to delete auth token {status}")
    };
    assert_eq!(bench.revoke(&token, &lease_id, true).error(), (400, text("204").as_str()));
    assert_eq!(bench.hub.count(), 0);
    assert_eq!(bench.revoke(&token, &lease_id, true).error(), (400, text("404").as_str()));
    bench.vault.set_queue(Queue::Manual);
    bench.revoke(&token, &lease_id, false);
    for _ in 0..5 {
        assert_eq!(bench.vault.run_queue(), ONE_FAILED);
    }
    assert_eq!(bench.vault.run_queue(), ONE_GIVEN_UP);
    assert_eq!(bench.vault.run_queue(), QueueRun::default());
    assert_eq!((bench.live("irrevocable lease"), bench.live("lease")), (vec![lease_id], vec![]));
}

#[test]
fn a_queued_failure_waits_longer_each_time() {
    let bench = Bench::new();
    let token = bench.token(&["dockerhub"]);
    let lease_id = bench.mint(&token);
    bench.vault.delete_docker_hub_account("dockerhub", "acmebot");
    bench.revoke(&token, &lease_id, false);
    bench.vault.tick();
    for wait in [20, 40, 80, 160, 320] {
        assert_eq!(bench.live("irrevocable lease").len(), 0, "after the wait before {wait}");
        bench.pass(wait - 1);
        bench.vault.tick();
        assert_eq!(bench.live("irrevocable lease").len(), 0, "before {wait}");
        bench.pass(1);
        bench.vault.tick();
    }
    assert_eq!((bench.live("irrevocable lease"), bench.hub.count()), (vec![lease_id.clone()], 1));
    // An operator who repairs the account may still revoke it.
    let account = DockerHubAccount { password: EXAMPLE_PASSWORD.to_owned(), allowed: vec![] };
    bench.vault.write_docker_hub_account("dockerhub", "acmebot", account);
    assert_eq!(bench.revoke(&bench.token(&["root"]), &lease_id, true).status, 204);
    assert_eq!((bench.hub.count(), bench.vault.live().len()), (0, 1));
}
