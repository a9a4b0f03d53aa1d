//! The module and the program's own session, step by step over the same world: a login, its post step, and the way back
//! from every effect.

use std::path::PathBuf;

use hublease::cli::{Command, FLAGS};
use hublease::effect::{Asked, Effect, Outcome, Output, Stop};

use crate::support::World;
use crate::support::driven::{drive_beside, leased};
use crate::support::job::{Job, Provider, Shape};
use crate::support::module::{Beside, Code, Given};

/// What the row is about, the login, and what the post step says of its credential.
type Row = (&'static str, fn(&World) -> Job<'_>, &'static str);

const ROWS: &[Row] = &[
    ("broker", |world| on_github(world, Provider::Broker), "revoked and confirmed"),
    ("vault", |world| on_github(world, Provider::Vault), "revoked and confirmed"),
    ("the plugin of 2021", |world| vault(world, "dockerhub-2021/token/acmebot/acme", true), "revoked and confirmed"),
    (
        "a secret that Vault keeps",
        |world| vault(world, "secret/data/ci/dockerhub", false).args(&["--client", "none"]),
        "not a lease, lives on at its owner",
    ),
    ("docker", |world| on_github(world, Provider::Docker), "cannot be revoked, dies at"),
    ("static", |world| on_github(world, Provider::Static), "not a lease, lives on at its owner"),
    (
        "a private directory",
        |world| on_github(world, Provider::Broker).args(&["--isolated", "--registry=docker.io", "--registry=dhi.io"]),
        "revoked and confirmed",
    ),
    ("no client", |world| on_github(world, Provider::Broker).args(&["--client", "none"]), "revoked and confirmed"),
];

fn on_github(world: &World, provider: Provider) -> Job<'_> {
    world.job("login").shape(Shape::Github, provider)
}

/// A login at Vault that asks this path.
fn vault<'w>(world: &'w World, path: &str, is_written: bool) -> Job<'w> {
    let variables = world.sandbox.github_environment();
    let job = variables.into_iter().fold(world.job("login"), |job, (name, value)| job.env(&name, value));
    let job = job.args(&["--vault-addr", &world.sandbox.vault_url(), "--vault-path", path]);
    let job = job.args(&["--vault-role=dockerhub", "--vault-auth-path=jwt-github"]);
    if is_written { job.args(&["--vault-method=write", "--vault-data=label=a job"]) } else { job }
}

/// The program's logout of this login: in the same job, with those of the inputs that it has flags for.
pub fn logout<'w>(world: &'w World, login: &Job<'w>, given: &Given) -> Job<'w> {
    let variables = login.variables().iter();
    let job = variables.fold(world.job("logout"), |job, (name, value)| job.env(name, value.as_str()));
    let of_logout = |name: &str| FLAGS.iter().any(|flag| flag.name == name && flag.commands.contains(&Command::Logout));
    let flags = given.inputs.iter().filter(|(name, _)| of_logout(name));
    flags.fold(job, |job, (name, value)| job.arg(format!("--{name}={value}")))
}

#[test]
fn a_login_and_its_post_step_are_the_program_s_own() {
    let codes = Code::both();
    for (name, login, verdict) in ROWS {
        let world = World::new();
        let before = leased(&world);
        let login = login(&world);
        // The static token is there before the login, and afterwards.
        let before = [before, leased(&world)].concat();
        // Strict or not, what must be told is no failure.
        let given = Given::of(&login).with("strict-revoke", "true");
        let post = logout(&world, &login, &given);
        let driven = drive_beside(login, Beside::of(&codes, "login", given.clone()), None, |_, _| None);
        assert_eq!(driven.code(), 0, "{name}: {:?}", driven.end);
        assert_eq!(world.record_files().len(), 1, "{name}");
        let driven = drive_beside(post, Beside::of(&codes, "logout", given), None, |_, _| None);
        assert_eq!(driven.code(), 0, "{name}: {:?}", driven.end);
        assert!(driven.stderr.contains(verdict), "{name}: {}", driven.stderr);
        assert!(!world.has_login(), "{name}");
        assert_eq!(world.record_files(), Vec::<PathBuf>::new(), "{name}");
        let alive: Vec<_> = leased(&world).into_iter().filter(|item| !before.contains(item)).collect();
        assert_eq!(alive.len(), usize::from(verdict.starts_with("cannot be revoked")), "{name}: {alive:?}");
        assert_eq!(world.sandbox.unexpected(), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_credential_is_an_output_only_when_it_was_asked_for() {
    let codes = Code::both();
    for (value, outputs) in [("true", 1), ("false", 0)] {
        let world = World::new();
        let login = on_github(&world, Provider::Broker).args(&["--client", "none"]);
        let given = Given::of(&login).with("expose-token", value);
        // The program's terminal would print it.
        let driven = drive_beside(login, Beside::of(&codes, "login", given), None, |_, asked| match asked.effect {
            Effect::Output(Output::Credential(_)) => Some(Outcome::Done),
            _ => None,
        });
        assert_eq!(driven.code(), 0, "{:?}", driven.end);
        let shown = |asked: &&Asked| matches!(asked.effect, Effect::Output(Output::Credential(_)));
        assert_eq!(driven.trace.iter().filter(shown).count(), outputs);
    }
}

#[test]
fn from_every_effect_there_is_a_way_back() {
    let codes = Code::both();
    for stop in [Stop::Signal(15), Stop::Deadline] {
        for k in 0.. {
            let world = World::new();
            let login = on_github(&world, Provider::Broker).args(&["--client", "none"]);
            let beside = Beside::of(&codes, "login", Given::of(&login));
            let mut is_stopped = false;
            let driven = drive_beside(login, beside, None, |number, asked| {
                let stops = number >= k && asked.is_forward();
                is_stopped |= stops;
                stops.then_some(Outcome::Stopped(stop))
            });
            if !is_stopped {
                assert_eq!(driven.code(), 0);
                assert!(k > 5, "a story of {k} effects");
                break;
            }
            // It is the host that knows why, and ends with the signal's code.
            assert_ne!(driven.code(), 0, "stopped at effect {k}");
            assert_eq!(leased(&world), Vec::<String>::new(), "stopped at effect {k}");
            assert!(!world.has_login() && world.record_files().is_empty(), "stopped at effect {k}");
        }
    }
}
