//! What a logout says where something lives on.

use std::rc::Rc;

use serde_json::json;

use super::side::Side;
use super::stage::{LEASE, SHORT_LEASE, ask, job, login, logout};
use super::twins::{Twins, Which};
use crate::support::known::Right;
use crate::support::relay::Relay;

#[test]
fn a_failed_revocation_is_told_with_its_cause_and_stays_failed() {
    let twins = Twins::start();
    let (address, job) = (twins.bao.url(), job(&twins));
    login(&job, &address, "dockerhub", LEASE).code(0);
    let token = job.vault_tokens().remove(0);
    twins.postgres.stop();
    logout(&job, &address).code(7).says("not revoked, lives until").is(&Right {
        moment: "the database is down: logout",
        code: 7,
        // The number that decides stands at the end of what the server says.
        says: &["connection refused"],
        does_not_say: &["…"],
    });
    let moment = "the database was down: logout again";
    logout(&job, &address).is(&Right {
        moment,
        code: 7,
        says: &["not revoked"],
        does_not_say: &["requested, not confirmed"],
    });
    // The token was kept for this: once the database is there again, a logout can confirm.
    assert_eq!((twins.leases(), twins.lives(&token)), (1, true));
    twins.postgres.start_again();
    logout(&job, &address).code(0).says(": revoked and confirmed\nthe Vault token: revoked and confirmed\n");
    assert_eq!((twins.leases(), twins.lives(&token)), (0, false));
    assert_eq!(twins.postgres.made_roles(), [""; 0]);
}

#[test]
fn the_clock_alone_ends_no_lease() {
    let twins = Twins::start();
    let (address, job) = (twins.bao.url(), job(&twins));
    login(&job, &address, "dockerhub", LEASE).code(0);
    twins.postgres.stop();
    job.let_time_pass();
    logout(&job, &address).is(&Right {
        moment: "the lease's time is over, and its revocation fails: logout",
        code: 7,
        says: &["not revoked"],
        does_not_say: &["already over"],
    });
    assert_eq!(twins.leases(), 1);
    twins.postgres.start_again();
    assert_eq!(twins.postgres.made_roles().len(), 1);
}

#[test]
fn a_server_that_is_gone_has_revoked_nothing_whatever_the_clock_says() {
    let twins = Twins::start();
    let (address, job) = (twins.bao.url(), job(&twins));
    login(&job, &address, "dockerhub", LEASE).code(0);
    twins.bao.kill();
    job.let_time_pass();
    logout(&job, &address).is(&Right {
        moment: "the lease's time is over, and the server is gone: logout",
        code: 7,
        says: &["not revoked"],
        does_not_say: &["already over"],
    });
    assert_eq!(twins.postgres.made_roles().len(), 1);
}

#[test]
fn a_lease_that_the_server_has_ended_by_itself_has_ended() {
    let twins = Twins::start();
    let (address, job) = (twins.bao.url(), job(&twins));
    login(&job, &address, "dockerhub", SHORT_LEASE).code(0);
    hublease_peers::until("the server has ended the lease", || twins.leases() == 0);
    twins.outlive(&job);
    assert_eq!(twins.postgres.made_roles(), [""; 0]);
    logout(&job, &address).is(&Right {
        moment: "the server has ended the lease by its time: logout",
        code: 0,
        // A server that stands by may not know a lease yet: it is revoked all the same, and the answer is the same for both.
        says: &[
            ": has ended, now or before (the answer is the same for both)\nthe Vault token: revoked and confirmed\n",
        ],
        does_not_say: &["already over"],
    });
}

#[test]
fn a_living_token_that_may_not_be_used_from_here_has_not_ended() {
    let twins = Twins::start();
    let relay = Relay::start(&twins.bao.url());
    let (address, job) = (relay.url(), job(&twins));
    login(&job, &address, "from-here", LEASE).code(0);
    let token = job.vault_tokens().remove(0);
    relay.lead_to(&twins.bao.other_url());
    logout(&job, &address).is(&Right {
        moment: "the Vault token is bound to another address: logout",
        code: 7,
        says: &["not revoked"],
        does_not_say: &["already over", "requested, not confirmed"],
    });
    assert!(twins.lives(&token));
    assert_eq!((twins.postgres.made_roles().len(), twins.leases()), (1, 1));
}

#[test]
fn a_living_token_of_a_disabled_entity_has_not_ended() {
    let twins = Rc::new(Twins::start());
    let (address, job) = (twins.bao.url(), job(&twins));
    login(&job, &address, "dockerhub", LEASE).code(0);
    let token = job.vault_tokens().remove(0);
    let real = Side::new(&twins, Which::Real);
    let entity = real.entity_of(&token);
    real.set_disabled(&entity, true);
    logout(&job, &address).is(&Right {
        moment: "the entity is disabled: logout",
        code: 7,
        says: &["not revoked"],
        does_not_say: &["already over", "requested, not confirmed"],
    });
    assert!(twins.lives(&token));
    assert_eq!((twins.postgres.made_roles().len(), twins.leases()), (1, 1));
}

#[test]
fn a_vault_token_that_lives_on_beside_a_revoked_lease_is_named() {
    let twins = Twins::start();
    let (address, job) = (twins.bao.url(), job(&twins));
    login(&job, &address, "no-revoke-self", LEASE).code(0);
    let token = job.vault_tokens().remove(0);
    // Without the default policy the lease cannot be looked up.
    logout(&job, &address).says("has ended, now or before").is(&Right {
        moment: "the lease is revoked, and the Vault token may not end itself: logout",
        code: 7,
        says: &["auth/token/revoke-self"],
        does_not_say: &[],
    });
    assert!(twins.lives(&token));
    assert_eq!(twins.leases(), 0);
}

#[test]
fn a_batch_token_after_a_stored_secret_dies_by_its_time_and_nothing_was_lost() {
    let twins = Twins::start();
    let (address, job) = (twins.bao.url(), job(&twins));
    login(&job, &address, "batch", "secret/data/ci/dockerhub").is(&Right {
        moment: "a stored secret by a batch token: login",
        code: 0,
        says: &["as acmebot by vault"],
        does_not_say: &["could not be ended"],
    });
    logout(&job, &address).is(&Right {
        moment: "a stored secret by a batch token: logout",
        code: 0,
        says: &["the credential of acmebot: not a lease, lives on at its owner"],
        does_not_say: &["was lost", "not everything was revoked"],
    });
}

#[test]
fn a_login_that_fails_after_the_read_has_nothing_to_undo() {
    let twins = Twins::start();
    let (address, job) = (twins.bao.url(), job(&twins));
    twins.put("ci/newline", &json!({ "username": "acmebot", "token": "ends in a line break\n" }));
    login(&job, &address, "dockerhub", "secret/data/ci/newline").is(&Right {
        moment: "the stored value ends in a line break: what is undone",
        code: 5,
        says: &[],
        does_not_say: &["the vault token: not a lease"],
    });
    assert_eq!(job.records().len(), 0);
}

#[test]
fn an_engine_that_says_why_it_cannot_is_asked_once() {
    let twins = Twins::start();
    let (address, job) = (twins.bao.url(), job(&twins));
    twins.postgres.stop();
    ask("login", &job, &address, "dockerhub", LEASE, &["--client", "none", "--verbose"]).is(&Right {
        moment: "the database is down: login",
        code: 5,
        says: &["connection refused"],
        does_not_say: &["the answer was lost"],
    });
    assert_eq!(twins.leases(), 0);
}
