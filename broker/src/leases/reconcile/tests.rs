//! What Docker Hub has and the journal does not: seen twice, judged by age, and only ever our own.

use serde_json::json;

use crate::client_address::Client;
use crate::clock::Clock as _;
use crate::journal::{LeaseState, Selection, Trust};
use crate::leases::exchange::exchange;
use crate::leases::sweep::Removed;
use crate::limits::{LEFTOVER_SECONDS, RECONCILE_SECONDS};
use crate::testing::{CONFIG, NOT_FOUND, NOW, Trouble, World, circleci_form};

const LEASE: &str = "0123456789abcdef0123456789abcdef";

/// A broker that has compared itself with Docker Hub once, and found nothing.
fn settled() -> World {
    let world = World::new(CONFIG);
    assert_eq!(world.sweep(), Removed::default());
    assert_eq!(world.broker.journal.trust("acme"), Ok(Trust::Known));
    world
}

/// Lets the next comparison come, so many times.
fn compare(world: &World, times: u64) -> Vec<Removed> {
    let next = |_| {
        world.clock.set(world.clock.now() + RECONCILE_SECONDS);
        world.sweep()
    };
    (0..times).map(next).collect()
}

const NONE: Removed = Removed { gone: 0, kept: 0, left: 0 };
const ONE: Removed = Removed { gone: 1, kept: 0, left: 0 };

#[test]
fn a_leftover_is_removed_when_it_was_seen_twice_and_is_old_enough() {
    let world = settled();
    world.hub.plant("test", LEASE, NOW - LEFTOVER_SECONDS);
    assert_eq!(compare(&world, 2), [NONE, ONE]);
    assert!(world.hub.labels().is_empty());
    let closed = world.broker.journal.select(&Selection::default()).unwrap();
    assert_eq!(
        (closed[0].id.as_str(), closed[0].state, closed[0].rule.as_str()),
        (LEASE, LeaseState::Revoked, "(adopted)")
    );
    assert_eq!(world.audit.outcomes(), ["reconcile confirmed"]);

    let world = settled();
    let made_at = NOW + 3 * RECONCILE_SECONDS;
    world.hub.plant("test", LEASE, made_at);
    let age = |times: u64| NOW + times * RECONCILE_SECONDS - made_at.min(NOW + times * RECONCILE_SECONDS);
    assert!(age(3) < LEFTOVER_SECONDS && age(4) >= LEFTOVER_SECONDS);
    assert_eq!(compare(&world, 5), [NONE, NONE, NONE, NONE, ONE], "a young one is not even suspected");
}

#[test]
fn what_is_not_certainly_left_over_is_left_alone() {
    let world = settled();
    world.hub.add_foreign(2);
    world.hub.plant("test-2", LEASE, 0);
    world.hub.plant("test", "by-hand", 0);
    world.hub.plant("test", &LEASE.to_uppercase(), 0);
    let issued = exchange(&world.broker, Client::ThisMachine, circleci_form(&json!({}), "").as_bytes()).ok().unwrap();
    assert_eq!(compare(&world, 2), [NONE, NONE]);
    assert_eq!(world.hub.labels().len(), 6);
    assert!(world.hub.labels().contains(&format!("hublease/test/{}", issued.lease_id)));
}

#[test]
fn a_list_that_fails_once_begins_the_suspicion_anew() {
    let world = settled();
    world.hub.plant("test", LEASE, 0);
    assert_eq!(compare(&world, 1), [NONE]);
    world.hub.trouble("GET /v2/orgs/acme/access-tokens?page=1", Trouble::Status(502, ""));
    assert_eq!(compare(&world, 3), [NONE, NONE, ONE]);
}

#[test]
fn a_token_that_was_taken_for_gone_is_removed_after_all() {
    let world = settled();
    let issued = exchange(&world.broker, Client::ThisMachine, circleci_form(&json!({}), "").as_bytes()).ok().unwrap();
    // Docker Hub says 404, and shows it again later.
    world.hub.trouble("DELETE", Trouble::Status(404, NOT_FOUND));
    let handle = format!("token={}", issued.revocation_handle.expose());
    assert!(crate::leases::revoke::revoke(&world.broker, Client::ThisMachine, handle.as_bytes()).is_ok());
    assert_eq!(world.hub.labels().len(), 1);
    assert_eq!(compare(&world, 2), [NONE, ONE]);
    assert!(world.hub.labels().is_empty());
}

#[test]
fn a_new_journal_beside_old_tokens_only_reports_until_an_operator_decides() {
    let world = World::new(CONFIG);
    world.hub.plant("test", LEASE, 0);
    world.sweep();
    assert_eq!(world.broker.journal.trust("acme"), Ok(Trust::ReportOnly));
    assert_eq!(world.broker.journal.trust("someone"), Ok(Trust::Known), "each account is judged by itself");
    assert_eq!(compare(&world, 3), [NONE; 3]);
    assert_eq!(world.audit.outcomes(), ["reconcile reported"; 4]);
    assert_eq!(world.hub.labels().len(), 1);
    world.broker.journal.set_trust("acme", Trust::Known).unwrap();
    assert_eq!(compare(&world, 2), [NONE, ONE]);
}

#[test]
fn a_lease_that_is_over_by_now_makes_no_account_suspicious() {
    let world = World::new(CONFIG);
    let issued = exchange(&world.broker, Client::ThisMachine, circleci_form(&json!({}), "").as_bytes()).ok().unwrap();
    // Between the list and the journal, as far as anybody can tell: the token is listed, and its lease is over.
    world.hub.trouble("DELETE", Trouble::Status(404, NOT_FOUND));
    let handle = format!("token={}", issued.revocation_handle.expose());
    assert!(crate::leases::revoke::revoke(&world.broker, Client::ThisMachine, handle.as_bytes()).is_ok());
    world.sweep();
    assert_eq!(world.broker.journal.trust("acme"), Ok(Trust::Known));
}

#[test]
fn an_account_that_cannot_be_listed_is_not_trusted_yet() {
    let world = World::new(CONFIG);
    world.hub.plant("test", LEASE, 0);
    world.hub.trouble("GET /v2/orgs/acme/access-tokens?page=1", Trouble::Status(502, ""));
    world.sweep();
    assert_eq!(world.broker.journal.trust("acme"), Ok(Trust::New));
    compare(&world, 1);
    assert_eq!(world.broker.journal.trust("acme"), Ok(Trust::ReportOnly));
}

#[test]
fn what_an_operator_has_decided_meanwhile_stays() {
    let world = World::new(CONFIG);
    let journal = &world.broker.journal;
    for decided in [Trust::Known, Trust::ReportOnly] {
        journal.set_trust("acme", decided).unwrap();
        for found in [Trust::Known, Trust::ReportOnly] {
            assert_eq!(journal.learn("acme", found), Ok(decided), "the comparison had begun before");
        }
        assert_eq!(journal.trust("acme"), Ok(decided));
    }
    assert_eq!(journal.learn("someone", Trust::ReportOnly), Ok(Trust::ReportOnly));
    assert_eq!(journal.trust("someone"), Ok(Trust::ReportOnly));
}
