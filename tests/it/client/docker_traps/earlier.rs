//! A login that was there before comes back, whatever happens to ours.

use std::fs;
use std::path::Path;

use hublease_sandbox::{Hold, Service};

use crate::client::docker_traps::{
    docker, entry_of, leaves_nothing, log_in_by_hand, login, logout, logs_out, version, world,
};
use crate::support::World;
use crate::support::machine::{is_alive, until, which};

/// The entry for Docker Hub and everything else of the file.
fn kept(world: &World) -> Option<(String, String)> {
    entry_of(&world.read_config())
}

#[test]
fn an_earlier_login_is_restored_and_works() {
    for username in ["alice", "acmebot"] {
        for client in ["docker", "none"] {
            let world = world();
            let token = log_in_by_hand(&world, username);
            let (config, before) = (world.read_config(), world.sandbox.live());
            login(&world).args(&["--client", client]).run().code(0);
            assert_ne!(kept(&world), Some((username.to_owned(), token)));
            logs_out(&world, &before);
            assert_eq!(world.read_config(), config, "{username} {client}");
            assert!(docker(&world, &["manifest", "inspect", "library/alpine:latest"], "").status.success());
        }
    }
}

#[test]
fn an_earlier_entry_of_another_form_is_restored_as_it_was() {
    for entry in [
        r#"{"auth":"PHRva2VuPjo=","identitytoken":"the-identity-token-of-a-person"}"#,
        r#"{"username":"alice","password":"the-plain-password-of-alice","email":"a@b"}"#,
        r#"{"auth":"YWxpY2U6cHc=","serveraddress":"https://index.docker.io/v1/","unknown":[1,2]}"#,
    ] {
        let world = world();
        world.write_config(&format!(r#"{{"auths":{{"https://index.docker.io/v1/":{entry}}}}}"#));
        let (config, before) = (world.read_config(), world.sandbox.live());
        login(&world).run().code(0);
        logs_out(&world, &before);
        assert_eq!(world.read_config(), config);
    }
}

#[test]
fn a_login_that_is_repeated_still_restores_the_first_earlier_one() {
    for username in ["alice", "acmebot"] {
        let world = world();
        log_in_by_hand(&world, username);
        let (config, before) = (world.read_config(), world.sandbox.live());
        for _ in 0..3 {
            login(&world).run().code(0);
        }
        assert_eq!(
            world.sandbox.live().len(),
            before.len() + 3,
            "a token, a lease and a personal token: the last login's"
        );
        logs_out(&world, &before);
        assert_eq!(world.read_config(), config, "{username}");
    }
}

#[test]
fn a_login_that_fails_restores_the_earlier_one() {
    let world = world();
    log_in_by_hand(&world, "alice");
    let (config, before) = (world.read_config(), world.sandbox.live());
    login(&world).args(&["--username", "somebodyelse"]).run().code(6);
    assert_eq!(world.read_config(), config);
    leaves_nothing(&world, &before);
}

#[test]
fn an_earlier_login_survives_a_process_that_dies_before_docker_was_asked() {
    for username in ["alice", "acmebot"] {
        let world = world();
        log_in_by_hand(&world, username);
        let (config, before) = (world.read_config(), world.sandbox.live());
        // Vault has minted, and nobody has the answer.
        let latch = world.sandbox.latch(Hold::after(Service::Vault, "/v1/dockerhub/token/"));
        let mut running = login(&world).spawn();
        latch.reached().unwrap();
        running.process.child.kill().unwrap();
        running.wait().code(128 + 9);
        latch.release();
        assert_eq!(world.read_config(), config);
        let outcome = logout(&world).run().code(0).does_not_say("docker.io:");
        outcome.says(
            "the lease that Vault may have made: revocation requested, not confirmed (it ends with the Vault token)",
        );
        assert_eq!(world.read_config(), config, "{username}");
        leaves_nothing(&world, &before);
    }
}

#[test]
fn an_earlier_login_survives_a_process_that_dies_while_docker_logs_in() {
    for (username, again) in [("alice", false), ("acmebot", false), ("alice", true), ("acmebot", true)] {
        let world = world();
        let token = log_in_by_hand(&world, username);
        let (config, before) = (world.read_config(), world.sandbox.live());
        let latch = world.sandbox.latch(Hold::before(Service::RegistryAuth, "/token"));
        let (docker, trace) = (which("docker").unwrap(), world.path("pid"));
        let script = format!("#!/bin/sh\necho $$ > '{}'\nexec '{}' \"$@\"\n", trace.display(), docker.display());
        world.program("docker", &script);
        let mut running = login(&world).spawn();
        latch.reached().unwrap();
        running.process.child.kill().unwrap();
        running.wait().code(128 + 9);
        // Docker lives on without its parent, and stores the login; 20.10 dies at its first word, which nobody reads.
        latch.release();
        let process = Path::new("/proc").join(fs::read_to_string(trace).unwrap().trim());
        until("docker has ended", || !is_alive(&process));
        let is_stored = kept(&world).is_some_and(|(_, secret)| secret != token);
        assert!(is_stored || version(&world) < (28, 0));
        if again {
            login(&world).run().code(0).says("the older login of this job is replaced");
        }
        logs_out(&world, &before);
        assert_eq!(world.read_config(), config, "{username}");
    }
}
