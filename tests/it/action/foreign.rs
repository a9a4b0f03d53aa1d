//! Somebody else's logins in docker's file: the module is given the whole file, and the step shows and sends none of it.

use std::fs;
use std::path::Path;

use super::runner::Step;
use crate::client::foreign::{all_are_there, content, world};
use crate::support::driven::leased;
use crate::support::job::Provider;

#[test]
fn the_logins_of_others_are_in_no_request_output_state_or_log() {
    for (input, value) in [("isolated", "false"), ("client", "none"), ("isolated", "true")] {
        let world = world();
        if value == "true" {
            // Headers are a setting, and come along.
            world.foreign_may_be_in(world.path("tmp/hublease"));
        }
        let step = Step::new(&world, Provider::Vault).input(input, value).env("ACTIONS_STEP_DEBUG", "true");
        let main = step.main().code(0);
        all_are_there(&world);
        assert_eq!(value == "none", world.stdin_of_docker().is_empty(), "what docker was given is looked at");
        if value == "true" {
            let config = fs::read_to_string(Path::new(&main.env["DOCKER_CONFIG"]).join("config.json")).unwrap();
            assert!(config.contains("ghcr.io") && config.contains("X-Meta"));
        }
        step.after(&main).post(&main).code(0).says("revoked and confirmed");
        all_are_there(&world);
        assert_eq!(leased(&world), Vec::<String>::new());
    }
}

#[test]
fn the_logins_of_others_are_in_no_error() {
    let whole = content();
    for broken in [whole.trim_end().trim_end_matches('}').as_bytes().to_vec(), [whole.as_bytes(), b"\xff"].concat()] {
        let world = world();
        fs::write(world.config(), &broken).unwrap();
        Step::new(&world, Provider::Vault).main().code(6).says("config.json is not valid JSON");
        assert_eq!(fs::read(world.config()).unwrap(), broken);
    }
}

#[test]
fn without_docker_every_byte_of_others_stays_as_it_was() {
    let world = world();
    let step = Step::new(&world, Provider::Vault).input("client", "none");
    let main = step.main().code(0);
    assert!(world.has_login());
    step.post(&main).code(0);
    assert_eq!(fs::read_to_string(world.config()).unwrap(), content());
}
