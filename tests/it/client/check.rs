//! `check`: what docker's login is good for, compared with what docker itself then gets, and that looking costs nothing.

mod docker_side;
mod hub_side;
mod public_images;
mod words;

use std::fs;

use hublease_sandbox::Service;
use serde_json::Value;

use crate::client::docker_traps::{HUB, auth};
use crate::support::World;
use crate::support::job::Job;
use crate::support::outcome::Outcome;

/// Whose pulls are counted for a signed-in client of the sandbox.
const ACCOUNT_ID: &str = "7e1b6b0c-2f43-4a57-9d3e-5a0f6f1c2d11";

/// A login in docker's store.
#[derive(Clone, Copy, Debug)]
enum Login {
    Nobody,
    /// A personal token of `acmebot` with this scope.
    Personal(&'static str),
    /// A token of the organization `acme`: a repository or glob, and a scope.
    Organization(&'static str, &'static str),
}

/// Writes the login into docker's file, and returns its id at Docker Hub.
fn log_in(world: &World, login: Login) -> String {
    let hub = world.sandbox.hub();
    let (username, (secret, id)) = match login {
        Login::Nobody => return String::new(),
        Login::Personal(scope) => ("acmebot", hub.personal_token("acmebot", "by hand", &[scope], None)),
        Login::Organization(path, scope) => {
            ("acme", hub.organization_token("acme", "by hand", &[(path, &[scope])], None))
        }
    };
    world.write_config(&format!(r#"{{"auths":{{"{HUB}":{{"auth":"{}"}}}}}}"#, auth(username, &secret)));
    id
}

/// A world with that login.
fn world(login: Login) -> World {
    let world = World::new();
    log_in(&world, login);
    world
}

fn check<'w>(world: &'w World, words: &[&str]) -> Job<'w> {
    world.job("check").args(words)
}

/// What a check may ask, whatever it is asked for: tokens, and the heads of manifests.
#[track_caller]
fn only_looked(outcome: Outcome) -> Outcome {
    for request in &outcome.requests {
        let asked = (request.service, request.method.as_str());
        let is_look = match asked {
            (Service::RegistryAuth, "GET") => request.path == "/token",
            (Service::Registry, "HEAD") => request.path.contains("/manifests/"),
            _ => false,
        };
        assert!(is_look, "{asked:?} {}", request.path);
    }
    outcome
}

fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap()
}

/// The directory of the user's docker configuration, as it is shown.
fn directory(world: &World) -> String {
    let directory = world.home().join(".docker");
    fs::canonicalize(&directory).unwrap_or(directory).display().to_string()
}
