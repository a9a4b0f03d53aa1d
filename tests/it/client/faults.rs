//! The table provider x fault: exit code, problem, how often the provider was asked, and what is left alive. The same
//! rows are run by the program's own session, and with the Action's module beside it.
//!
//! Waiting takes no time here, and a provider that does not answer in time is the one fault that is answered for the
//! performer: its own limits are tested beside its code.

mod table;

use hublease::effect::http::{Destination, Failure, Obstacle};
use hublease::effect::{Effect, Outcome};
use hublease::error::Problem;
use hublease_sandbox::{Action, Fault, Service};

use crate::client::faults::table::End::{self, In, Out};
use crate::client::faults::table::Seat::{self, Broker, Docker, VaultLogin, VaultMint};
use crate::client::faults::table::table;
use crate::support::World;
use crate::support::driven::{Driven, drive, drive_beside, leased};
use crate::support::job::{Provider, Shape};
use crate::support::module::{Beside, Code, Given};

/// The seats are tests of their own, so that they run side by side.
fn run(seat: Seat, shape: Shape, codes: &[Code]) {
    for (name, action, always, ends) in table() {
        let world = World::new();
        let end = ends[Seat::ALL.iter().position(|other| *other == seat).unwrap()];
        let job = world.job("login").shape(shape, seat.provider()).args(&["--client", "none"]);
        let fault = Fault::on(seat.service(), seat.path(shape)).then(action());
        world.sandbox.fault(if always { fault.always() } else { fault });
        let beside = Beside::of(codes, "login", Given::of(&job));
        let driven = drive_beside(job, beside, None, |_, _| None);
        let tries = world.sandbox.requests(seat.service());
        let tries = tries.iter().filter(|request| request.path.starts_with(seat.path(shape))).count();
        check(&world, &format!("{seat:?}, {name}"), (seat.provider(), end), tries, &driven);
    }
}

fn check(world: &World, row: &str, (provider, end): (Provider, End), asked: usize, driven: &Driven) {
    let row = format!("{row}:\n{}\n{}", driven.stdout, driven.stderr);
    match end {
        In(tries) => {
            assert_eq!((driven.code(), asked), (0, tries), "{row}{:?}", driven.end);
            let wanted = if provider == Provider::Docker { 0 } else { 1 };
            let revocable = leased(world).into_iter().filter(|item| item.contains("access token")).count();
            assert_eq!(revocable, wanted, "one lease lives\n{row}");
        }
        Out(problem, tries) => {
            let error = driven.error();
            assert_eq!((error.problem(), asked), (problem, tries), "{row}\n{error}");
            assert_eq!(error.exit_code(), problem.stage().exit_code(), "{row}");
            assert!(error.to_string().contains(problem.hint()), "{row}");
            assert!(!world.has_login(), "{row}");
            // Docker Identity revokes nothing: what a lost answer left there dies by itself.
            if provider != Provider::Docker {
                assert_eq!(leased(world), Vec::<String>::new(), "{row}");
            }
            assert_eq!(world.record_files(), Vec::<std::path::PathBuf>::new(), "{row}");
        }
    }
    assert_eq!(world.sandbox.unexpected(), Vec::<String>::new(), "{row}");
}

#[test]
fn faults_of_a_broker() {
    run(Broker, Shape::Circleci, &[]);
}

#[test]
fn faults_of_a_vault_login() {
    run(VaultLogin, Shape::Circleci, &[]);
}

#[test]
fn faults_of_a_vault_mint() {
    run(VaultMint, Shape::Circleci, &[]);
}

#[test]
fn faults_of_docker_identity() {
    run(Docker, Shape::Github, &[]);
}

#[test]
fn faults_of_a_broker_in_the_action() {
    run(Broker, Shape::Github, &Code::both());
}

#[test]
fn faults_of_vault_in_the_action() {
    let codes = Code::both();
    run(VaultLogin, Shape::Github, &codes);
    run(VaultMint, Shape::Github, &codes);
}

#[test]
fn faults_of_docker_identity_in_the_action() {
    run(Docker, Shape::Github, &Code::both());
}

#[test]
fn failures_of_the_connection() {
    for (failure, problem, safe, never) in [
        (Failure::Unreachable(Obstacle::UnknownName), Problem::Unreachable, 4, 4),
        (Failure::Unreachable(Obstacle::Silent), Problem::Unreachable, 4, 4),
        (Failure::ProxyUnreachable(Obstacle::Closed), Problem::ProxyUnreachable, 4, 4),
        (Failure::ProxyRefused(407), Problem::ProxyRefused, 1, 1),
        (Failure::ProxyRefused(504), Problem::ProxyRefused, 4, 4),
        (Failure::ProxyUnusable, Problem::ProxyUnusable, 1, 1),
        (Failure::Unsendable, Problem::Unreachable, 1, 1),
        (Failure::Untrusted, Problem::Untrusted, 1, 1),
        (Failure::NoTls, Problem::NoTls, 1, 1),
        (Failure::Slow, Problem::Slow, 4, 1),
        (Failure::Cut, Problem::Cut, 4, 1),
        (Failure::TooLarge, Problem::TooLarge, 1, 1),
    ] {
        for (provider, tries) in [(Provider::Vault, safe), (Provider::Docker, never)] {
            let world = World::new();
            let mut asked = 0;
            let job = world.job("login").usual(provider).arg("--client").arg("none");
            let driven = drive(job, None, |_, step| match &step.effect {
                Effect::Http(request) if request.to == Destination::Provider => {
                    asked += 1;
                    Some(Outcome::Http(Err(failure)))
                }
                _ => None,
            });
            assert_eq!((driven.error().problem(), asked), (problem, tries), "{provider:?} {failure:?}");
            assert_eq!(driven.code(), 5);
        }
    }
}

#[test]
fn a_standby_is_followed_once_to_the_origin_that_is_allowed() {
    for (allowed, code) in [(true, 0), (false, 5)] {
        let world = World::new();
        let target = format!("https://vault-standby.example.com{}", VaultLogin.path(Shape::Circleci));
        world
            .sandbox
            .fault(Fault::on(Service::Vault, VaultLogin.path(Shape::Circleci)).then(Action::Redirect(307, target)));
        let mut job = world.job("login").usual(Provider::Vault).arg("--client").arg("none");
        if allowed {
            job = job.args(&["--vault-redirect-origin", "https://vault-standby.example.com"]);
        }
        let driven = drive(job, None, |_, _| None);
        assert_eq!(driven.code(), code, "{}", driven.stderr);
        if !allowed {
            assert!(driven.error().to_string().contains("https://vault-standby.example.com"));
        }
    }
}
