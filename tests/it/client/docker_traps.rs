//! The traps of the docker CLI, each sprung with the real CLI under Docker Hub's real names.
//!
//! Follows docker's CLI and its credential helper protocol as they were seen to work with 28.2. Where a trap is a
//! fault of the CLI itself, the test first proves that the fault is there, so that it tells when docker repairs it.

mod before;
mod client;
mod configuration;
pub mod disk;
mod earlier;
mod end;
mod engine;
mod helper;
pub mod helpers;
mod jobs;
mod kept;
pub mod private;
mod retry;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hublease_sandbox::LiveCredential;
use serde_json::Value;

use crate::support::World;
use crate::support::job::{Job, Outcome, Provider};
use crate::support::machine::which;

/// The key under which docker keeps the login to Docker Hub.
pub const HUB: &str = "https://index.docker.io/v1/";

/// A Vault token that the machine holds for somebody else.
const AMBIENT: &str = "hvs.CAESIAmbientTokenOfTheMachine0123456789";

/// What no child may see, by the beginnings of the names.
const PRIVATE_VARIABLES: [&str; 6] = ["CIRCLE", "ACTIONS_", "GITHUB_", "VAULT_", "HUBLEASE_", "DOCKER_AUTH_CONFIG"];

/// A world where the machine holds secrets of its own.
fn world() -> World {
    let world = World::new();
    world.add_secret("the machine's Vault token", AMBIENT);
    world
}

/// A run in the usual job of a provider, with what its children must not see.
fn job<'w>(world: &'w World, command: &str, provider: Provider) -> Job<'w> {
    world.job(command).usual(provider).env("VAULT_TOKEN", AMBIENT).env("HUBLEASE_LABEL", "for hublease only")
}

fn login(world: &World) -> Job<'_> {
    job(world, "login", Provider::Vault)
}

fn logout(world: &World) -> Job<'_> {
    job(world, "logout", Provider::Vault)
}

/// Runs the job's `logout` and checks that nothing is left: no lease, no record, and clean children.
#[track_caller]
fn logs_out(world: &World, before: &[LiveCredential]) -> Outcome {
    let outcome = logout(world).run().code(0).says("the credential of acmebot: revoked and confirmed");
    leaves_nothing(world, before);
    outcome
}

/// Checks that what lived before lives, and nothing else, and that there is no record.
#[track_caller]
fn leaves_nothing(world: &World, before: &[LiveCredential]) {
    assert_eq!(world.sandbox.live(), before);
    assert_eq!(world.record_files(), Vec::<std::path::PathBuf>::new());
    assert_eq!(world.sandbox.unexpected(), [""; 0]);
    children_are_clean(world);
}

/// Checks every traced child: its program was named by an absolute path, and its environment holds no identity.
#[track_caller]
fn children_are_clean(world: &World) {
    let bin = world.path("bin").display().to_string();
    let trace = std::fs::read_to_string(world.path("children.log")).unwrap_or_default();
    for line in trace.lines().filter_map(|line| line.strip_prefix("argv: ")) {
        assert!(line.starts_with(&format!("[{bin}/")), "{line}");
    }
    let names = world.child_variables();
    assert!(trace.is_empty() || names.iter().any(|name| name == "HOME"));
    for name in names {
        assert!(!PRIVATE_VARIABLES.iter().any(|private| name.starts_with(private)), "a child was given {name}");
    }
}

/// docker itself, as a person at this machine would run it.
fn docker(world: &World, words: &[&str], stdin: &str) -> Output {
    docker_with(world, words, stdin, &[])
}

/// Major and minor number of the docker that the tests drive.
fn version(world: &World) -> (u32, u32) {
    let said = text(&docker(world, &["--version"], "").stdout);
    let numbers = said.split_whitespace().nth(2).and_then(|version| {
        let mut numbers = version.split('.').map(|number| number.parse().ok());
        Some((numbers.next()??, numbers.next()??))
    });
    numbers.unwrap_or_else(|| panic!("`docker --version` says {said}"))
}

/// The same with variables of the test's own; an empty one is taken away, because docker 20.10 reads it as if it were set.
fn docker_with(world: &World, words: &[&str], stdin: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(which("docker").unwrap());
    command
        .args(words)
        .env_clear()
        .envs(world.sandbox.environment())
        .env("HOME", world.home())
        .env("PATH", world.path("bin"))
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    variables.iter().filter(|(_, value)| value.is_empty()).for_each(|(name, _)| {
        command.env_remove(name);
    });
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// A person's own login, with a token of that person.
pub fn log_in_by_hand(world: &World, username: &str) -> String {
    let token = world.sandbox.hub().personal_token(username, "by hand", &["repo:write"], None).0;
    let output = docker(world, &["login", "--username", username, "--password-stdin"], &token);
    assert!(output.status.success(), "{}", text(&output.stderr));
    token
}

/// The user's entry for Docker Hub in a configuration: name and secret.
fn entry_of(config: &Value) -> Option<(String, String)> {
    let pair = STANDARD.decode(config["auths"][HUB]["auth"].as_str()?).unwrap();
    let pair = String::from_utf8(pair).unwrap();
    pair.split_once(':').map(|(name, secret)| (name.to_owned(), secret.to_owned()))
}

/// Whose login the user's file holds.
fn logged_in_as(world: &World) -> Option<String> {
    if !world.config().exists() {
        return None;
    }
    entry_of(&world.read_config()).map(|(name, _)| name)
}

/// An entry of somebody, as docker would have stored it.
pub fn auth(username: &str, secret: &str) -> String {
    STANDARD.encode(format!("{username}:{secret}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How many requests asked the token server.
fn token_requests(outcome: &Outcome) -> usize {
    use hublease_sandbox::Service;
    outcome.requests.iter().filter(|request| request.service == Service::RegistryAuth).count()
}
