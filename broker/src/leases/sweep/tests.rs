//! Accounts in trouble get ready again by themselves, with few calls; a token that a list did not show is found later.

use hublease_hub::error::HubError;
use hublease_hub::limits::LOGIN_COOLDOWN_SECONDS;
use hublease_protocol::oauth::Code;
use serde_json::json;

use crate::client_address::Client;
use crate::leases::exchange::exchange;
use crate::leases::sweep::Removed;
use crate::limits::{SWEEP_RETRY_SECONDS, UNCLEAR_SECONDS};
use crate::testing::{CONFIG, NOW, Trouble, World, circleci_form};

fn ask(world: &World) -> Option<Code> {
    exchange(&world.broker, Client::ThisMachine, circleci_form(&json!({}), "").as_bytes())
        .err()
        .map(|refusal| refusal.code)
}

fn trouble(world: &World, now: u64) -> Option<HubError> {
    world.broker.accounts["acme"].client().unwrap().trouble(now)
}

/// The accounts are compared with the journal once, so that no later sweep does it.
fn quiet_world() -> World {
    let world = World::new(CONFIG);
    world.sweep();
    world
}

#[test]
fn a_refused_password_is_sent_once_for_each_cooldown_and_heals_without_traffic() {
    let world = quiet_world();
    world.hub.set_password("hunter3-password");
    world.hub.forget_login();
    assert_eq!(ask(&world), Some(Code::AccountRefused));
    let logins = world.hub.logins();
    for second in 0..LOGIN_COOLDOWN_SECONDS {
        world.clock.set(NOW + second);
        world.sweep();
    }
    assert_eq!(world.hub.logins(), logins, "it would be refused again");
    world.clock.set(NOW + LOGIN_COOLDOWN_SECONDS);
    world.sweep();
    assert_eq!((world.hub.logins(), trouble(&world, NOW)), (logins + 1, Some(HubError::AccountRefused)));
    world.write("password", "hunter3-password");
    world.sweep();
    assert_eq!((world.hub.logins(), trouble(&world, NOW)), (logins + 2, None));
    assert_eq!(ask(&world), None);
}

#[test]
fn after_a_429_a_sweep_waits_like_everybody_and_then_asks_once() {
    let world = quiet_world();
    world.hub.trouble("POST /v2/orgs/", Trouble::Wait(429, 20));
    assert_eq!(ask(&world), Some(Code::HubUnavailable));
    let calls = world.hub.calls().len();
    world.clock.set(NOW + 19);
    world.sweep();
    assert_eq!((world.hub.calls().len(), trouble(&world, NOW + 19).is_some()), (calls, true));
    world.clock.set(NOW + 20);
    world.sweep();
    assert_eq!((world.hub.calls().len(), trouble(&world, NOW + 20)), (calls + 1, None));
    world.sweep();
    assert_eq!(world.hub.calls().len(), calls + 1, "nothing is asked of an account that is well");
}

#[test]
fn an_account_without_room_is_ready_when_an_administrator_has_made_some() {
    let world = quiet_world();
    world.hub.add_foreign(10);
    assert_eq!(ask(&world), Some(Code::QuotaFull));
    world.sweep();
    assert!(matches!(trouble(&world, NOW), Some(HubError::QuotaFull { .. })));
    world.hub.vanish("foreign-0");
    for _ in 0..2 {
        world.sweep();
    }
    assert_eq!((trouble(&world, NOW), ask(&world)), (None, None));
}

#[test]
fn a_token_that_a_changing_list_hides_is_not_taken_for_never_made() {
    let world = quiet_world();
    world.hub.trouble("POST /v2/orgs/", Trouble::Lost);
    assert_eq!(ask(&world), Some(Code::HubUnavailable));
    // Two pages and the token first on the second; when the first has been read one of it goes away, and the token slips onto it.
    world.hub.add_foreign(100);
    world.hub.vanish("foreign-0");
    world.clock.set(NOW + UNCLEAR_SECONDS);
    assert_eq!(world.sweep(), Removed { gone: 0, kept: 0, left: 1 }, "nobody can tell");
    assert_eq!(world.hub.tokens().len(), 100);
    world.clock.set(NOW + UNCLEAR_SECONDS + SWEEP_RETRY_SECONDS);
    assert_eq!(world.sweep().gone, 1);
    assert_eq!(world.hub.tokens().len(), 99);
    assert!(world.hub.labels().iter().all(|label| label.starts_with("hand-made")));
}
