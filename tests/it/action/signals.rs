//! A cancelled job: SIGINT, SIGTERM, SIGKILL at known places, and the post step afterwards.

use std::fs;
use std::path::Path;

use hublease_sandbox::{Action, Fault, Hold, Service};

use super::finished::handle;
use super::runner::{Running, Step};
use crate::action::REVOKED;
use crate::support::World;
use crate::support::driven::leased;
use crate::support::job::Provider;
use crate::support::machine::{is_alive, until, which};

const INTERRUPTED: &str = "::error::interrupted; what was done is undone in the post step";

fn minted(provider: Provider) -> Hold {
    match provider {
        Provider::Broker => Hold::after(Service::Forwarded, "/oauth/token"),
        _ => Hold::after(Service::Vault, "/v1/dockerhub/"),
    }
}

fn docker_login() -> Hold {
    Hold::before(Service::RegistryAuth, "/token")
}

/// GitHub sends SIGINT, which ends the step; where only SIGTERM arrives, that does.
#[test]
fn a_signal_ends_the_step_and_the_post_step_undoes_it() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        for (provider, hold, undone) in [
            (Provider::Broker, Hold::before(Service::IdTokenRequest, "/"), "nothing to undo here"),
            (Provider::Broker, docker_login(), "the credential of acme: revoked and confirmed"),
            (Provider::Vault, docker_login(), REVOKED),
        ] {
            let world = World::new();
            let latch = world.sandbox.latch(hold);
            let step = Step::new(&world, provider);
            let running = step.start_main();
            latch.reached().unwrap();
            running.process.signal(signal);
            let main = running.wait().code(code);
            assert_eq!(main.shown().lines().last(), Some(INTERRUPTED));
            assert!(main.output.is_empty(), "{:?}", main.output);
            latch.release();
            step.post(&main).code(0).says_only(undone);
            assert_eq!(leased(&world), Vec::<String>::new(), "{provider:?}");
            assert!(!world.has_login());
        }
    }
}

/// What is being minted is waited for, put on record, and nothing is begun any more. The second signal changes nothing.
#[test]
fn a_running_mint_is_awaited_and_recorded() {
    for provider in [Provider::Broker, Provider::Vault] {
        let world = World::new();
        let latch = world.sandbox.latch(minted(provider));
        let step = Step::new(&world, provider);
        let mut running = step.start_main();
        latch.reached().unwrap();
        running.process.signal("INT");
        running.process.signal("TERM");
        assert!(!running.process.is_over());
        latch.release();
        let main = running.wait().code(130);
        assert_eq!(main.shown().lines().last(), Some(INTERRUPTED));
        assert_eq!(main.children, ["[docker] [--version]"]);
        assert!(handle(&main.record(), "lease_id").or(handle(&main.record(), "token")).is_some());
        assert!(!leased(&world).is_empty());
        step.post(&main).code(0).says("revoked and confirmed");
        assert_eq!(leased(&world), Vec::<String>::new(), "{provider:?}");
    }
}

/// A mint that never answers: the wait has an end before the runner's patience has.
#[test]
fn a_mint_that_does_not_answer_is_given_up() {
    let world = World::new();
    let latch = world.sandbox.latch(minted(Provider::Vault));
    let step = Step::new(&world, Provider::Vault);
    let running = step.start_main();
    latch.reached().unwrap();
    running.process.signal("INT");
    let main = running.wait().code(130);
    // The Vault token is on record since before the mint, and what it minted dies with it.
    assert!(handle(&main.record(), "client_token").is_some());
    step.post(&main).code(0);
    assert_eq!(leased(&world), Vec::<String>::new());
    latch.release();
}

#[test]
fn a_signal_on_the_way_back_leaves_the_rest_to_the_post_step() {
    let world = World::new();
    world.sandbox.fault(Fault::on(Service::RegistryAuth, "/token").then(Action::status(401)).always());
    let latch = world.sandbox.latch(Hold::before(Service::Forwarded, "/oauth/revoke"));
    let step = Step::new(&world, Provider::Broker);
    let running = step.start_main();
    latch.reached().unwrap();
    running.process.signal("INT");
    let main = running.wait().code(130);
    latch.release();
    step.post(&main).code(0).says("the credential of acme: ");
    assert_eq!(leased(&world), Vec::<String>::new());
}

/// A post step is what the signals make room for.
#[test]
fn a_post_step_ignores_signals() {
    for hold in [Hold::before(Service::Forwarded, "/oauth/revoke"), Hold::after(Service::Forwarded, "/oauth/revoke")] {
        let world = World::new();
        let step = Step::new(&world, Provider::Broker);
        let main = step.main().code(0);
        let latch = world.sandbox.latch(hold);
        let running = step.start_post(&main.state);
        latch.reached().unwrap();
        running.process.signal("INT");
        running.process.signal("TERM");
        latch.release();
        running.wait().code(0).says_only("the credential of acme: revoked and confirmed");
        assert_eq!(leased(&world), Vec::<String>::new());
    }
}

/// Where the step is killed, and whether a lease may outlive the post step because nobody could write it down.
type Place = (Provider, &'static str, fn() -> Hold, bool);

const PLACES: &[Place] = &[
    (Provider::Broker, "after the mint, unanswered", || minted(Provider::Broker), true),
    (Provider::Broker, "during docker login", docker_login, false),
    (Provider::Vault, "before the Vault login", || Hold::before(Service::Vault, "/v1/auth/jwt-github/login"), false),
    (Provider::Vault, "before the mint", || Hold::before(Service::Vault, "/v1/dockerhub/"), false),
    (Provider::Vault, "after the mint, unanswered", || minted(Provider::Vault), false),
    (Provider::Vault, "during docker login", docker_login, false),
    (Provider::Docker, "during docker login", docker_login, false),
    (Provider::Static, "during docker login", docker_login, false),
];

#[test]
fn a_killed_step_leaves_nothing_alive_that_was_written_down() {
    for (provider, place, hold, may_outlive) in PLACES {
        let world = World::new();
        let latch = world.sandbox.latch(hold());
        let step = Step::new(&world, *provider);
        let mut running: Running<'_> = step.start_main();
        latch.reached().unwrap();
        running.process.child.kill().unwrap();
        let main = running.wait().code(128 + 9);
        step.post(&main).code(0);
        latch.release();
        step.post(&main).code(0);
        if provider.revokes() && !may_outlive {
            assert_eq!(leased(&world), Vec::<String>::new(), "{provider:?} {place}");
        }
    }
}

#[test]
fn a_killed_post_step_is_finished_by_another() {
    for hold in [
        Hold::before(Service::Vault, "/v1/sys/leases/revoke"),
        Hold::after(Service::Vault, "/v1/sys/leases/revoke"),
        Hold::before(Service::Vault, "/v1/auth/token/revoke-self"),
    ] {
        let world = World::new();
        let step = Step::new(&world, Provider::Vault);
        let main = step.main().code(0);
        let latch = world.sandbox.latch(hold);
        let mut running = step.start_post(&main.state);
        latch.reached().unwrap();
        running.process.child.kill().unwrap();
        running.wait().code(128 + 9);
        latch.release();
        step.post(&main).code(0);
        assert_eq!(leased(&world), Vec::<String>::new());
        assert!(!world.has_login());
    }
}

/// Docker does not get the runner's signal, so it is ended here: what it would write, nobody would undo.
#[test]
fn docker_ends_with_the_step() {
    let world = World::new();
    let (pid, docker) = (world.path("pid"), which("docker").unwrap());
    world.program("docker", &format!("#!/bin/sh\necho $$ > '{}'\nexec '{}' \"$@\"\n", pid.display(), docker.display()));
    let latch = world.sandbox.latch(docker_login());
    let step = Step::new(&world, Provider::Vault);
    let running = step.start_main();
    latch.reached().unwrap();
    running.process.signal("INT");
    let main = running.wait().code(130);
    let process = Path::new("/proc").join(fs::read_to_string(pid).unwrap().trim());
    until("docker has ended", || !is_alive(&process));
    latch.release();
    step.post(&main).code(0);
    assert!(!world.has_login());
}
