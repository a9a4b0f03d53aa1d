//! Credentials that end before their job does.

use hublease_sandbox::{Hold, Service};

use crate::client::docker_traps::{docker, job, leaves_nothing, logged_in_as, login, logout, world};
use crate::support::job::Provider;

/// More than any life in these tests, in seconds.
const LONG: u64 = 24 * 60 * 60;

#[test]
fn a_lease_that_has_ended_is_logged_out_and_told() {
    let world = world();
    login(&world).run().code(0);
    world.sandbox.advance(LONG);
    assert_eq!(world.sandbox.live(), [], "Vault ends what is over when it is asked next");
    assert!(!docker(&world, &["manifest", "inspect", "acme/app:latest"], "").status.success());
    // Only the sandbox's clock went on: by its own, the client cannot know that the Vault token is over, and Vault refuses a
    // token that is bound to another address with the same words.
    let refused = "because: Vault refuses the Vault token: it has ended, or it may not be used from here";
    logout(&world).arg("--strict-revoke").run().code(7).says("not revoked; its lease ends at").says(refused);
    assert_eq!(logged_in_as(&world), None);
    assert_eq!(world.sandbox.live(), []);
    // Once its time has passed by the client's clock as well, that is the reason.
    world.edit_leases(|lease| lease["handle"]["vault"]["token_expires_at"] = serde_json::json!(1));
    let ended = "not confirmed (the Vault token has ended, and Vault ends its leases with it)";
    logout(&world).arg("--strict-revoke").run().code(0).says(ended);
    assert_eq!(world.record_files(), Vec::<std::path::PathBuf>::new());
    logout(&world).run().code(0).says("nothing to undo here");
}

#[test]
fn a_credential_that_ends_while_docker_logs_in_is_a_refusal() {
    for provider in [Provider::Vault, Provider::Docker] {
        let world = world();
        let latch = world.sandbox.latch(Hold::before(Service::RegistryAuth, "/token"));
        let running = job(&world, "login", provider).spawn();
        latch.reached().unwrap();
        world.sandbox.advance(LONG);
        assert_eq!(world.sandbox.live(), []);
        latch.release();
        let outcome = running.wait().code(6).says("error: docker.io did not accept the credential\n");
        assert_eq!(crate::client::docker_traps::token_requests(&outcome), 1);
        assert_eq!(logged_in_as(&world), None);
        assert_eq!(world.sandbox.live(), []);
        if provider == Provider::Vault {
            // Vault refuses the Vault token, and by the client's clock its time has not passed.
            assert_eq!(world.record_files().len(), 1);
            world.edit_leases(|lease| lease["handle"]["vault"]["token_expires_at"] = serde_json::json!(1));
            logout(&world).run().code(0).says("not confirmed (the Vault token has ended");
        }
        leaves_nothing(&world, &[]);
    }
}
