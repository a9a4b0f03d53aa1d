//! Tokens that are lent: which one, what a job is told of it, and how it comes back.

use hublease_protocol::oauth::{Code, Revocation};

use crate::client_address::Client;
use crate::journal::{LeaseState, Selection};
use crate::leases::exchange::IssuedLease;
use crate::leases::exchange::tests::circleci;
use crate::leases::revoke::revoke;
use crate::leases::sweep::Removed;
use crate::limits::RECONCILE_SECONDS;
use crate::testing::{CONFIG, NOW, World};

/// The account `acme` as a pool: two tokens of the same reach, and one that reaches more.
const POOL: &str = r#"kind = "pool"
username = "acme-ci"

[[account.token]]
name = "one"
token_file = "PLACE/one"
repositories = ["acme/app"]
actions = ["pull", "push"]

[[account.token]]
name = "two"
token_file = "PLACE/two"
repositories = ["acme/app"]
actions = ["pull", "push"]

[[account.token]]
name = "wide"
token_file = "PLACE/wide"
repositories = [{ glob = "acme/*" }]
actions = ["pull", "push"]
"#;

fn world() -> World {
    world_with(POOL)
}

fn world_with(pool: &str) -> World {
    let minting =
        "kind = \"oat\"\norganization = \"acme\"\nusername = \"acme-broker\"\npassword_env = \"HUB_PASSWORD\"\n";
    assert!(CONFIG.contains(minting));
    let world = World::new(&CONFIG.replacen(minting, pool, 1));
    for name in ["one", "two", "wide"] {
        world.write(name, &format!("dckr_oat_{name}"));
    }
    world
}

fn app(world: &World) -> IssuedLease {
    circleci(world, "&scope=repository:acme/app:pull").ok().unwrap()
}

fn give_back(world: &World, lease: &IssuedLease) -> Option<Revocation> {
    revoke(&world.broker, Client::ThisMachine, format!("token={}", lease.revocation_handle.expose()).as_bytes()).ok()
}

#[test]
fn the_token_that_fewest_hold_is_lent_and_the_journal_knows_who_held_it() {
    let world = world();
    let first = app(&world);
    assert_eq!(
        (first.username.as_str(), first.access_token.expose(), first.expires_in),
        ("acme-ci", "dckr_oat_one", None)
    );
    assert_eq!(first.scope, "repository:acme/app:pull");
    assert_eq!(app(&world).access_token.expose(), "dckr_oat_two");
    assert_eq!(give_back(&world, &first), Some(Revocation::Unknown));
    assert_eq!(app(&world).access_token.expose(), "dckr_oat_one");
    let held = Selection { hub_id: Some("pool:one".to_owned()), ..Selection::default() };
    let states: Vec<_> = world.broker.journal.select(&held).unwrap().iter().map(|lease| lease.state).collect();
    assert_eq!(states, [LeaseState::Live, LeaseState::Revoked]);
    assert_eq!(world.hub.calls(), [""; 0], "Docker Hub is never asked");
}

#[test]
fn a_lease_that_is_given_back_is_over_and_never_called_confirmed() {
    let world = world();
    let lease = app(&world);
    for _ in 0..2 {
        assert_eq!(give_back(&world, &lease), Some(Revocation::Unknown), "also when it is asked for again");
    }
    assert_eq!(world.audit.outcomes(), ["exchange issued", "revoke returned", "revoke returned"]);
}

#[test]
fn a_lease_that_nobody_gave_back_ends_with_its_time() {
    let world = world();
    app(&world);
    world.clock.set(NOW + 900);
    assert_eq!(world.sweep(), Removed { gone: 0, kept: 1, left: 0 });
    assert_eq!(world.sweep(), Removed::default());
    world.clock.set(NOW + 900 + 2 * RECONCILE_SECONDS);
    assert_eq!(world.sweep(), Removed::default(), "there is nothing to compare");
    assert_eq!(world.audit.outcomes()[1..], ["sweep returned"]);
    // The personal account of the configuration is compared; the pool is not.
    assert!(!world.hub.calls().iter().any(|call| call.contains("/orgs/")));
}

#[test]
fn one_token_reaches_all_of_the_scope_or_nothing_is_granted_and_used_up() {
    let both = "&scope=repository:acme/app:pull%20repository:acme/base:pull";
    let wide = circleci(&world(), both).ok().unwrap();
    assert_eq!(wide.access_token.expose(), "dckr_oat_wide");

    // Each repository of the rule is reached by some token, and both together by none.
    let apart = POOL.replacen("acme/app", "acme/base", 1).replace("acme/*", "acme/x-*");
    let world = world_with(&apart);
    assert_eq!(circleci(&world, both).err(), Some(Code::ScopeNotGranted));
    assert_eq!(world.broker.journal.select(&Selection::default()), Ok(Vec::new()));
    assert_eq!(
        circleci(&world, "&scope=repository:acme/base:pull").ok().unwrap().access_token.expose(),
        "dckr_oat_one"
    );
}

#[test]
fn a_token_that_cannot_be_read_is_not_lent_and_makes_the_account_unready() {
    let world = world();
    let account = &world.broker.accounts["acme"];
    for content in ["SENTINEL-password", ""] {
        world.write("one", content);
        assert_eq!(circleci(&world, "&scope=repository:acme/app:pull").err(), Some(Code::HubUnavailable));
        assert!(account.trouble(NOW).is_some());
    }
    let lines = world.audit.all();
    assert!(lines.iter().all(|line| !line.to_string().contains("SENTINEL")));
    world.sweep();
    assert!(account.trouble(NOW).is_some(), "it is still unreadable");
    world.write("one", "dckr_pat_rotated");
    world.sweep();
    assert_eq!(account.trouble(NOW), None);
    assert_eq!(app(&world).access_token.expose(), "dckr_pat_rotated");
}
