//! Revocation and sweeping against a fake Docker Hub: what is confirmed, what is not, and who comes back for it.

use serde_json::json;

use crate::client_address::Client;
use crate::leases::exchange::{IssuedLease, exchange};
use crate::leases::revoke::*;
use crate::leases::sweep::Removed;
use crate::limits::SWEEP_RETRY_SECONDS;
use crate::testing::{CONFIG, NOW, Trouble, World, circleci_form};

fn issue(world: &World) -> IssuedLease {
    exchange(&world.broker, Client::ThisMachine, circleci_form(&json!({}), "").as_bytes()).ok().unwrap()
}

fn revoke_by(world: &World, handle: &str) -> Result<Revocation, Refusal> {
    revoke(&world.broker, Client::ThisMachine, format!("token={handle}&token_type_hint=anything").as_bytes())
}

#[test]
fn a_handle_removes_its_own_token_and_may_be_used_again() {
    let world = World::new(CONFIG);
    let (mine, other) = (issue(&world), issue(&world));
    assert_eq!(revoke_by(&world, mine.revocation_handle.expose()), Ok(Revocation::Confirmed));
    assert_eq!(world.hub.labels(), [format!("hublease/test/{}", other.lease_id)]);
    let calls = world.hub.calls().len();
    assert_eq!(revoke_by(&world, mine.revocation_handle.expose()), Ok(Revocation::Confirmed));
    assert_eq!(world.hub.calls().len(), calls, "what is known to be gone is not asked for");
    assert_eq!(world.audit.outcomes()[2..], ["revoke confirmed", "revoke confirmed"]);
    world.clock.set(NOW + world.broker.keep + 1);
    world.sweep();
    assert_eq!(revoke_by(&world, mine.revocation_handle.expose()), Ok(Revocation::Unknown));
}

#[test]
fn what_is_no_handle_is_unknown_and_does_nothing() {
    let world = World::new(CONFIG);
    let issued = issue(&world);
    let calls = world.hub.calls().len();
    for handle in ["x", &issued.lease_id, issued.access_token.expose(), &"a".repeat(5000)] {
        assert_eq!(revoke_by(&world, handle), Ok(Revocation::Unknown));
    }
    assert_eq!(world.hub.calls().len(), calls);
    for body in ["", "token=", "token=a&token=b", "token=%zz"] {
        assert_eq!(
            revoke(&world.broker, Client::ThisMachine, body.as_bytes()).unwrap_err().code,
            Code::MalformedRequest,
            "{body}"
        );
    }
}

#[test]
fn a_token_that_is_already_gone_is_confirmed() {
    let world = World::new(CONFIG);
    let issued = issue(&world);
    world.hub.trouble("DELETE", Trouble::Lost);
    let refusal = revoke_by(&world, issued.revocation_handle.expose()).unwrap_err();
    assert_eq!((refusal.code, refusal.status(), refusal.retry_after), (Code::HubUnavailable, 503, Some(5)));
    world.clock.set(NOW + 5);
    assert_eq!(revoke_by(&world, issued.revocation_handle.expose()), Ok(Revocation::Confirmed), "404 at the hub");
}

#[test]
fn nothing_but_204_and_docker_hubs_own_404_confirms() {
    let page = "<html><body>404 Not Found</body></html>";
    let statuses = [200, 202, 400, 401, 403, 429, 500].map(|status| (status, "{}"));
    for (status, body) in statuses.into_iter().chain([(404, "{}"), (404, page), (404, "")]) {
        let world = World::new(CONFIG);
        let issued = issue(&world);
        world.hub.trouble("DELETE", Trouble::Status(status, body));
        world.hub.trouble("DELETE", Trouble::Status(status, body));
        let refusal = revoke_by(&world, issued.revocation_handle.expose()).unwrap_err();
        assert_eq!((refusal.status(), refusal.retry_after), (503, Some(5)), "{status}");
        assert_eq!(world.hub.tokens().len(), 1);
    }
}

#[test]
fn a_failed_revocation_belongs_to_whoever_comes_next_after_a_pause() {
    let world = World::new(CONFIG);
    let issued = issue(&world);
    world.hub.trouble("DELETE", Trouble::Status(500, ""));
    assert!(revoke_by(&world, issued.revocation_handle.expose()).is_err());
    let early = revoke_by(&world, issued.revocation_handle.expose()).unwrap_err();
    assert_eq!((early.code, early.status()), (Code::RequestInProgress, 503));
    world.clock.set(NOW + 5);
    assert_eq!(world.sweep(), Removed { gone: 1, kept: 0, left: 0 });
    assert!(world.hub.tokens().is_empty());
    assert_eq!(revoke_by(&world, issued.revocation_handle.expose()), Ok(Revocation::Confirmed));
}

#[test]
fn the_sweeper_removes_what_has_ended_and_nothing_else() {
    let world = World::new(CONFIG);
    world.hub.add_foreign(1);
    issue(&world);
    world.clock.set(NOW + 899);
    assert_eq!(world.sweep(), Removed::default());
    world.clock.set(NOW + 900);
    world.hub.trouble("DELETE", Trouble::Status(503, ""));
    assert_eq!(world.sweep(), Removed { gone: 0, kept: 0, left: 1 });
    assert_eq!(world.sweep(), Removed::default(), "it is left alone for a while");
    world.clock.set(NOW + 900 + SWEEP_RETRY_SECONDS);
    assert_eq!(world.sweep(), Removed { gone: 1, kept: 0, left: 0 });
    assert_eq!(world.hub.labels(), ["hand-made 0"]);
}
