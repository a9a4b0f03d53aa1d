//! `token`: exchange only, for tools that take a credential themselves.

use hublease_sandbox::Service;

use crate::support::World;
use crate::support::driven::leased;
use crate::support::job::Provider;

#[test]
fn the_three_forms_hold_the_same_kind_of_credential() {
    for provider in [Provider::Broker, Provider::Vault] {
        for (format, starts) in [("json", "{\""), ("env", "DOCKERHUB_USERNAME='"), ("secret", "dckr_")] {
            let world = World::new();
            let out = world.job("token").usual(provider).args(&["--format", format]).run().code(0);
            assert!(out.stdout.starts_with(starts) && out.stdout.contains("dckr_"), "{format}: {}", out.stdout.len());
            assert_eq!(out.stdout.lines().count(), if format == "env" { 2 } else { 1 });
            assert!(world.asked(Service::RegistryAuth).is_empty(), "docker is not involved");
            assert!(!world.has_login());
            world.job("logout").usual(provider).run().code(0).says("revoked and confirmed");
            assert_eq!(leased(&world), Vec::<String>::new());
        }
    }
}

#[test]
fn a_shell_takes_the_assignments_as_they_are() {
    let world = World::new();
    let out = world.job("token").usual(Provider::Vault).args(&["--format", "env"]).run().code(0);
    let script = format!("{}\nprintf '%s %s' \"$DOCKERHUB_USERNAME\" \"${{DOCKERHUB_TOKEN%%_*}}\"", out.stdout);
    let shell = std::process::Command::new("/bin/sh").args(["-euc", &script]).env_clear().output().unwrap();
    assert_eq!(String::from_utf8(shell.stdout).unwrap(), "acmebot dckr");
}

#[test]
fn each_token_is_its_own_and_one_logout_ends_them_all() {
    let world = World::new();
    for _ in 0..2 {
        world.job("token").usual(Provider::Broker).args(&["--format", "secret"]).run().code(0);
    }
    assert_eq!((leased(&world).len(), world.record_files().len()), (2, 2));
    world.job("logout").usual(Provider::Broker).run().code(0);
    assert_eq!(leased(&world), Vec::<String>::new());
    assert_eq!(world.record_files().len(), 0);
}

#[test]
fn a_credential_that_nobody_took_is_revoked() {
    let world = World::new();
    let full = world.job("token").usual(Provider::Broker).args(&["--format", "secret"]).stdout_to("/dev/full");
    full.run().code(6).says("the output cannot be written").says("revoked and confirmed");
    assert_eq!(leased(&world), Vec::<String>::new());
}
