//! `docker login` is tried again where the fault may pass, and never where it will not.

use hublease_sandbox::{Action, Fault, Service};
use serde_json::json;

use crate::client::docker_traps::{leaves_nothing, logged_in_as, login, logs_out, token_requests, world};

#[test]
fn a_failing_token_server_is_asked_again() {
    for status in [500, 502, 503, 504] {
        let world = world();
        let before = world.sandbox.live();
        world.sandbox.fault(Fault::on(Service::RegistryAuth, "/token").then(Action::status(status)));
        let outcome = login(&world).run().code(0);
        assert_eq!(token_requests(&outcome), 2, "{status}");
        logs_out(&world, &before);
    }
}

#[test]
fn three_failures_end_the_login_and_the_lease() {
    let world = world();
    let before = world.sandbox.live();
    world.sandbox.fault(Fault::on(Service::RegistryAuth, "/token").always().then(Action::status(503)));
    let outcome = login(&world).run().code(6);
    assert_eq!(token_requests(&outcome), 3);
    outcome
        .says("error: the login to docker.io failed\n")
        .says("503 Service Unavailable")
        .says("the credential of acmebot: revoked and confirmed\n");
    assert_eq!(logged_in_as(&world), None);
    leaves_nothing(&world, &before);
}

#[test]
fn a_refusal_is_never_tried_again() {
    let unauthorized =
        json!({"errors": [{"code": "UNAUTHORIZED", "message": "please use personal access token to login"}]});
    let locked = json!({"errors": [{"code": "TOOMANYREQUESTS", "message": "too many failed login attempts for username or IP address"}]});
    let limited = json!({"errors": [{"code": "TOOMANYREQUESTS", "message": "slow down"}]});
    let (refused, lock) =
        ("did not accept the credential", "takes no login now, because too many were made or failed before");
    let denied = json!({"errors": [{"code": "DENIED", "message": "requested access to the resource is denied"}]});
    for (status, body, sentence, told) in [
        (401, json!({"details": "incorrect username or password"}), refused, "incorrect username or password"),
        (401, unauthorized, refused, "please use personal access token to login"),
        (403, denied, refused, "denied"),
        (429, locked, lock, "too many failed login attempts"),
        (429, limited, lock, "it says: "),
        (429, json!({}), lock, "it says: "),
    ] {
        let world = world();
        let before = world.sandbox.live();
        world.sandbox.fault(Fault::on(Service::RegistryAuth, "/token").always().then(Action::json(status, &body)));
        let outcome = login(&world).run().code(6);
        assert_eq!(token_requests(&outcome), 1, "{body}");
        outcome.says(&format!("error: docker.io {sentence}\n")).says(told);
        assert_eq!(logged_in_as(&world), None);
        leaves_nothing(&world, &before);
    }
}
