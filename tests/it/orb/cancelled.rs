//! What a job leaves behind whose logout never ran, and the last job of the workflow that ends it.

use hublease_sandbox::{Action, Fault, Service};
use serde_json::Value;

use crate::orb::around::{Given, ready};
use crate::orb::documented::{NAME, packed};
use crate::orb::machine::Image;
use crate::orb::play::{Circleci, Played};
use crate::orb::source::Orb;
use crate::orb::workflow::Status;
use crate::orb::yaml;
use crate::support::World;
use crate::support::driven::leased;
use crate::support::job::Provider;

const NEEDS: [&str; 2] = ["docker-registry", "skopeo"];
const LOGOUT: &str = "Log out of Docker Hub and revoke";
const LAST: &str = "dockerhub/revoke_workflow";

/// A workflow of one job that pushes, and of the last job with these further arguments.
fn config(arguments: &str) -> Value {
    let text = format!(
        "
version: 2.1
orbs: {{dockerhub: {NAME}@{version}}}
jobs:
  push:
    machine: {{image: ubuntu-2404:current}}
    environment: {{HUBLEASE_BROKER_URL: https://broker.example.com}}
    steps:
      - dockerhub/login
      - run: {{name: push, command: docker push acme/app:1}}
      - dockerhub/logout
workflows:
  main:
    jobs:
      - push
      - dockerhub/revoke_workflow: {{broker_url: https://broker.example.com, requires: [push: terminal]{arguments}}}
",
        version = env!("CARGO_PKG_VERSION"),
    );
    yaml::read(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

/// Plays it, and cancels `push` while the step of the same name runs.
fn cancelled(world: &World, config: &Value) -> Vec<Played> {
    let orb = packed();
    let circleci = Circleci::new(world, Image::Bash, vec![Orb { name: NAME, packed: &orb }]).cancel("push", "push");
    circleci.play(config).unwrap_or_else(|refusal| panic!("{refusal}"))
}

fn ends(played: &[Played]) -> Vec<(&str, Status)> {
    played.iter().map(|job| (job.name.as_str(), job.status)).collect()
}

#[test]
fn the_last_job_ends_the_lease_of_a_job_that_was_cancelled() {
    if !ready(&NEEDS) {
        return;
    }
    let world = World::new();
    let before = world.sandbox.live();
    let played = cancelled(&world, &config(""));
    assert_eq!(ends(&played), [("push", Status::Canceled), (LAST, Status::Success)]);
    assert!(played[0].steps.iter().all(|step| step.name != LOGOUT), "{played:#?}");
    played[1].step(LOGOUT).says("1 lease of this workflow: revoked and confirmed\n");
    assert_eq!(world.sandbox.live(), before);
}

#[test]
fn it_ends_what_a_logout_could_not_and_after_a_good_one_has_nothing_to_do() {
    if !ready(&NEEDS) {
        return;
    }
    let refuse: &(dyn Fn(&World) + Sync) = &|world| {
        world.sandbox.fault(Fault::on(Service::Forwarded, "/oauth/revoke").then(Action::status(400)).always());
    };
    for (prepare, logout, last) in [
        (refuse, "not revoked, lives until ", "1 lease of this workflow: revoked and confirmed\n"),
        (&|_: &World| {}, "revoked and confirmed\n", "no lease of this workflow was alive: nothing to revoke\n"),
    ] {
        let world = World::new();
        let before = world.sandbox.live();
        let played = Given { world: &world, image: Image::Bash, prepare }.play(&config(""), &[], Vec::new());
        assert_eq!(ends(&played), [("push", Status::Success), (LAST, Status::Success)]);
        played[0].step(LOGOUT).says(logout);
        played[1].step(LOGOUT).says(last);
        assert_eq!(world.sandbox.live(), before);
    }
}

#[test]
fn another_workflow_of_the_same_project_keeps_its_leases() {
    if !ready(&NEEDS) {
        return;
    }
    let world = World::new();
    let own = world.sandbox.issuer().identity().workflow_id;
    world.sandbox.issuer().set_identity(|identity| identity.workflow_id = own.replace('0', "1"));
    world.job("token").usual(Provider::Broker).run().code(0);
    let before = leased(&world);
    world.sandbox.issuer().set_identity(|identity| identity.workflow_id = own);
    let played = cancelled(&world, &config(""));
    played[1].step(LOGOUT).says("1 lease of this workflow: revoked and confirmed\n");
    assert_eq!((before.len(), leased(&world)), (1, before));
}

/// The logout of a job that never came to its login has nothing to undo; this one speaks for others.
#[test]
fn without_the_program_it_fails() {
    if !ready(&NEEDS) {
        return;
    }
    let world = World::new();
    let played = Given::usual(&world).play(&config(", install: false"), &[], Vec::new());
    assert_eq!(ends(&played), [("push", Status::Success), (LAST, Status::Failed)]);
    played[1].step(LOGOUT).code(1).says("error: hublease is neither in ");
}

#[test]
fn a_failure_is_red_only_if_asked() {
    if !ready(&NEEDS) {
        return;
    }
    for (arguments, code) in [("", 0), (", strict_revoke: true", 7)] {
        let world = World::new();
        world.sandbox.fault(Fault::on(Service::Forwarded, "/leases/revoke").then(Action::status(403)).always());
        let played = cancelled(&world, &config(arguments));
        let told = played[1].step(LOGOUT).code(code);
        told.says("the leases of this workflow: not revoked, live until they expire, because ");
        assert_eq!(leased(&world).len(), 1);
    }
}
