//! What a logout says and what is true at the real server afterwards, where everything goes well.

use serde_json::Value;

use super::stage::{LEASE, ask, job, login, logout};
use super::twins::Twins;
use crate::support::known::Right;

#[test]
fn a_confirmed_revocation_leaves_neither_role_nor_lease_nor_token() {
    let twins = Twins::start();
    let (address, job) = (twins.bao.url(), job(&twins));
    login(&job, &address, "dockerhub", LEASE).code(0).says("by vault, until");
    let token = job.vault_tokens().remove(0);
    assert!(twins.lives(&token));
    assert_eq!((twins.postgres.made_roles().len(), twins.leases()), (1, 1));
    logout(&job, &address).code(0).says("revoked and confirmed");
    assert_eq!((twins.postgres.made_roles().len(), twins.leases()), (0, 0));
    assert!(!twins.lives(&token));
    assert_eq!(job.records().len(), 0);
    logout(&job, &address).code(0).says("nothing to undo here");
}

#[test]
fn the_credential_opens_the_door_until_logout() {
    let twins = Twins::start();
    let (address, job) = (twins.bao.url(), job(&twins));
    let printed = ask("token", &job, &address, "dockerhub", LEASE, &["--output", "json"]).code(0).stdout;
    let credential: Value = serde_json::from_str(&printed).unwrap();
    let [username, secret] = ["username", "secret"].map(|name| credential[name].as_str().unwrap_or_default());
    assert_eq!(twins.postgres.query(username, secret, "SELECT current_user").as_deref(), Ok(username));
    logout(&job, &address).code(0).says("revoked and confirmed");
    let refused = twins.postgres.query(username, secret, "SELECT current_user").unwrap_err();
    assert!(refused.contains("password authentication failed"), "{refused}");
}

#[test]
fn a_stored_secret_is_no_lease_and_its_token_ends_at_once() {
    let twins = Twins::start();
    let address = twins.bao.url();
    let before = tokens(&twins);
    for path in ["kv1/ci/dockerhub", "secret/data/ci/dockerhub"] {
        let job = job(&twins);
        login(&job, &address, "dockerhub", path).code(0).says("as acmebot by vault").says("it cannot be revoked");
        assert_eq!(tokens(&twins), before, "{path}");
        logout(&job, &address).code(0).says("the credential of acmebot: not a lease, lives on at its owner");
        assert_eq!(job.records().len(), 0);
    }
}

#[test]
fn without_the_right_on_leases_the_role_ends_when_the_queue_comes_to_it() {
    let twins = Twins::start();
    let (address, job) = (twins.bao.url(), job(&twins));
    login(&job, &address, "dockerhub-mint-only", LEASE).code(0);
    let token = job.vault_tokens().remove(0);
    logout(&job, &address)
        .code(0)
        .says("requested, not confirmed (the policy of the role lacks `update` on sys/leases/revoke)");
    assert!(!twins.lives(&token));
    hublease_peers::until("the queue has revoked the lease", || twins.leases() == 0);
    assert_eq!(twins.postgres.made_roles(), [""; 0]);
}

#[test]
fn the_lease_of_a_batch_token_is_revoked_or_named_with_its_end() {
    let twins = Twins::start();
    let (address, job) = (twins.bao.url(), job(&twins));
    login(&job, &address, "batch", LEASE).code(0);
    logout(&job, &address).code(0).says("revoked and confirmed");
    assert_eq!((twins.postgres.made_roles().len(), twins.leases()), (0, 0));
    login(&job, &address, "batch-mint-only", LEASE).code(0);
    logout(&job, &address).code(7).says("its lease ends at").is(&Right {
        moment: "the lease of a batch token may not be revoked: logout",
        code: 7,
        says: &["a batch token cannot be revoked"],
        does_not_say: &["…"],
    });
    assert_eq!((twins.postgres.made_roles().len(), twins.leases()), (1, 1));
    assert_eq!(job.records().len(), 1);
}

#[test]
fn what_was_not_revoked_for_a_sealed_or_missing_server_is_revoked_later() {
    let twins = Twins::start();
    let (address, job) = (twins.bao.url(), job(&twins));
    login(&job, &address, "dockerhub", LEASE).code(0);
    twins.bao.seal();
    logout(&job, &address).code(7).says("not revoked, lives until").says("is sealed or in maintenance");
    twins.bao.unseal();
    twins.bao.kill();
    logout(&job, &address).code(7).says("not revoked, lives until").says("cannot be reached");
    twins.bao.start_again();
    logout(&job, &address).code(0).says("revoked and confirmed");
    assert_eq!((twins.postgres.made_roles().len(), twins.leases()), (0, 0));
}

/// How many service tokens live.
fn tokens(twins: &Twins) -> usize {
    let ask = twins.bao.ask("LIST", "auth/token/accessors");
    twins.bao.as_root(&ask).json()["data"]["keys"].as_array().map_or(0, Vec::len)
}
