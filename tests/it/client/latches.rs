//! Real processes, killed where a request is held, and `logout` afterwards.

use hublease_sandbox::{Hold, Service};

use crate::support::World;
use crate::support::driven::leased;
use crate::support::job::{Provider, Running};

/// Where the client is killed, and whether a lease may outlive the logout because nobody could write it down.
type Place = (Provider, &'static str, fn() -> Hold, bool);

const PLACES: &[Place] = &[
    // The request is on its way already: the broker answers somebody who is gone.
    (Provider::Broker, "before the exchange", || Hold::before(Service::Forwarded, "/oauth/token"), true),
    (Provider::Broker, "after the mint, unanswered", || Hold::after(Service::Forwarded, "/oauth/token"), true),
    (Provider::Broker, "during docker login", || Hold::before(Service::RegistryAuth, "/token"), false),
    (Provider::Vault, "before the Vault login", || Hold::before(Service::Vault, "/v1/auth/jwt-circleci/login"), false),
    (
        Provider::Vault,
        "after the Vault login, unanswered",
        || Hold::after(Service::Vault, "/v1/auth/jwt-circleci/login"),
        false,
    ),
    (Provider::Vault, "before the mint", || Hold::before(Service::Vault, "/v1/dockerhub/"), false),
    (Provider::Vault, "after the mint, unanswered", || Hold::after(Service::Vault, "/v1/dockerhub/"), false),
    (Provider::Vault, "during docker login", || Hold::before(Service::RegistryAuth, "/token"), false),
    (Provider::Docker, "during docker login", || Hold::before(Service::RegistryAuth, "/token"), false),
    (Provider::Static, "during docker login", || Hold::before(Service::RegistryAuth, "/token"), false),
];

fn killed_at(world: &World, provider: Provider, hold: Hold) {
    let latch = world.sandbox.latch(hold);
    let mut running = world.job("login").usual(provider).spawn();
    latch.reached().unwrap();
    running.process.child.kill().unwrap();
    running.process.child.wait().unwrap();
    // Logged out before the held request goes on, as a later step of the job would; then the world goes on.
    let out = world.job("logout").usual(provider).run().code(0);
    match provider {
        Provider::Docker => drop(out.says("cannot be revoked, dies at")),
        Provider::Static => drop(out.says("not a lease, lives on at its owner")),
        _ => {}
    }
    latch.release();
}

#[test]
fn a_killed_login_leaves_nothing_alive_that_was_written_down() {
    for (provider, place, hold, may_outlive) in PLACES {
        let world = World::new();
        killed_at(&world, *provider, hold());
        world.job("logout").usual(*provider).run().code(0).says("nothing to undo here");
        if provider.revokes() && !may_outlive {
            assert_eq!(leased(&world), Vec::<String>::new(), "{provider:?} {place}");
        }
    }
}

#[test]
fn a_killed_logout_is_finished_by_the_next_one() {
    for (provider, hold) in [
        (Provider::Broker, Hold::before(Service::Forwarded, "/oauth/revoke")),
        (Provider::Broker, Hold::after(Service::Forwarded, "/oauth/revoke")),
        (Provider::Vault, Hold::before(Service::Vault, "/v1/sys/leases/revoke")),
        (Provider::Vault, Hold::after(Service::Vault, "/v1/sys/leases/revoke")),
        (Provider::Vault, Hold::before(Service::Vault, "/v1/auth/token/revoke-self")),
    ] {
        let world = World::new();
        world.job("login").usual(provider).run().code(0);
        let latch = world.sandbox.latch(hold.clone());
        let mut running = world.job("logout").usual(provider).spawn();
        latch.reached().unwrap();
        running.process.child.kill().unwrap();
        running.process.child.wait().unwrap();
        latch.release();
        world.job("logout").usual(provider).run().code(0);
        assert_eq!(leased(&world), Vec::<String>::new(), "{provider:?} {hold:?}");
        assert!(!world.has_login());
        world.job("logout").usual(provider).run().code(0).says("nothing to undo here");
    }
}

#[test]
fn a_signal_makes_a_login_undo_what_it_did() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        for (provider, hold) in [
            (Provider::Broker, Hold::before(Service::RegistryAuth, "/token")),
            (Provider::Vault, Hold::before(Service::RegistryAuth, "/token")),
            (Provider::Vault, Hold::before(Service::Vault, "/v1/auth/jwt-circleci/login")),
        ] {
            let world = World::new();
            let latch = world.sandbox.latch(hold.clone());
            let running = world.job("login").usual(provider).spawn();
            latch.reached().unwrap();
            running.process.signal(signal);
            let out = running.wait().code(code).says("interrupted");
            latch.release();
            assert_eq!(leased(&world), Vec::<String>::new(), "{provider:?} {hold:?} {}", out.stderr);
            assert!(!world.has_login());
            world.job("logout").usual(provider).run().code(0).says("nothing to undo here");
        }
    }
}

#[test]
fn a_mint_that_is_running_is_waited_for_and_revoked() {
    for (provider, hold) in [
        (Provider::Broker, Hold::after(Service::Forwarded, "/oauth/token")),
        (Provider::Vault, Hold::after(Service::Vault, "/v1/dockerhub/")),
    ] {
        let world = World::new();
        let latch = world.sandbox.latch(hold);
        let running: Running<'_> = world.job("login").usual(provider).spawn();
        latch.reached().unwrap();
        running.process.signal("TERM");
        latch.release();
        running.wait().code(143).says("revoked and confirmed");
        assert_eq!(leased(&world), Vec::<String>::new(), "{provider:?}");
        assert_eq!(world.record_files(), Vec::<std::path::PathBuf>::new());
    }
}

#[test]
fn a_second_signal_leaves_at_once_and_says_what_it_leaves() {
    let world = World::new();
    let login = world.sandbox.latch(Hold::before(Service::RegistryAuth, "/token"));
    let revoke = world.sandbox.latch(Hold::before(Service::Forwarded, "/oauth/revoke"));
    let running = world.job("login").usual(Provider::Broker).spawn();
    login.reached().unwrap();
    running.process.signal("TERM");
    revoke.reached().unwrap();
    running.process.signal("TERM");
    running.wait().code(143).says("not revoked, lives until");
    revoke.release();
    login.release();
    world.job("logout").usual(Provider::Broker).run().code(0);
    assert_eq!(leased(&world), Vec::<String>::new());
}

#[test]
fn two_logins_of_one_job_at_once_leave_nothing_that_logout_does_not_end() {
    for provider in [Provider::Broker, Provider::Vault] {
        let world = World::new();
        // Both are past the look at the record before either mints.
        let held = if provider == Provider::Vault { "/v1/dockerhub/" } else { "/oauth/token" };
        let service = if provider == Provider::Vault { Service::Vault } else { Service::Forwarded };
        let latch = world.sandbox.latch(Hold::before(service, held));
        let first = world.job("login").usual(provider).spawn();
        let mut second = world.job("login").usual(provider).spawn();
        let waiting =
            || world.sandbox.requests(service).iter().filter(|request| request.path.starts_with(held)).count();
        second.process.wait_until(|| waiting() == 2);
        latch.release();
        first.wait().code(0);
        second.wait().code(0);
        world.job("logout").usual(provider).run().code(0);
        assert_eq!(leased(&world), Vec::<String>::new(), "{provider:?}");
        assert!(!world.has_login());
    }
}
