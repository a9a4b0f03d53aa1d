//! Who we are where a variable or a file is named; the CI systems that we know are in `ci_identity.rs`.
//!
//! A source that is there but broken is exit code 3 with a hint, and neither the provider nor docker is asked. That no
//! token shows up anywhere is the business of the search that ends every run.

use std::fs;

use hublease_sandbox::{Action, Fault, Service, TokenBuilder};
use serde_json::json;

use crate::support::World;
use crate::support::job::{Job, Outcome, Provider, Shape};

/// An exchange whose identity token comes from somewhere else than a CI system that we know.
fn elsewhere(world: &World) -> Job<'_> {
    let url = world.sandbox.vault_url();
    world.job("token").args(&[
        "--vault-addr",
        &url,
        "--vault-path",
        "secret/data/ci/dockerhub",
        "--vault-role",
        "dockerhub",
    ])
}

/// No identity: exit code 3 with this sentence, and nobody else was asked.
#[track_caller]
pub fn fails(outcome: Outcome, says: &str) -> Outcome {
    let foreign = outcome.requests.iter().filter(|request| request.service != Service::IdTokenRequest).count();
    let outcome = outcome.code(3).says(says).says("hint: ");
    assert_eq!(foreign, 0, "somebody was asked: {:?}", outcome.requests);
    outcome
}

pub fn for_vault(world: &World) -> TokenBuilder {
    world.sandbox.issuer().circleci().audience(&world.sandbox.vault_url())
}

/// What a variable or a file may hold, and what comes of it.
fn contents(world: &World) -> Vec<(&'static str, String, Result<(), &'static str>)> {
    let valid = for_vault(world).sign();
    let claim = |name: &str, value| for_vault(world).claim(name, value).sign();
    let long = format!("{}{}", valid, "A".repeat(20_000));
    let twice = format!("{valid}\n{valid}");
    vec![
        ("as it is", valid.clone(), Ok(())),
        ("with white space around", format!(" \t{valid}\r\n\n"), Ok(())),
        ("without its last segment", valid.rsplit_once('.').unwrap().0.to_owned(), Err("three segments")),
        ("with one segment more", format!("{valid}.x"), Err("three segments")),
        ("without a signature", for_vault(world).unsigned(), Err("not empty")),
        ("twice", twice, Err("three segments")),
        ("not base64url", valid.replacen('.', "=.", 1), Err("base64url")),
        ("not an object", format!("{}.W10.eA", valid.split('.').next().unwrap()), Err("JSON object")),
        ("too large", long, Err("16384 bytes")),
        ("expired", claim("exp", json!(world.sandbox.now() - 1)), Err("the identity token has expired")),
        ("with an end that is text", claim("exp", json!("4102444800")), Err("`exp` is not a number")),
        ("with a negative end", claim("exp", json!(-1)), Err("`exp` is not a number")),
        ("with no end to speak of", claim("exp", json!(null)), Err("`exp` is not a number")),
    ]
}

#[test]
fn a_variable_holds_the_token_or_the_reason_why_not() {
    let world = World::new();
    for (_, content, expected) in contents(&world) {
        let outcome = elsewhere(&world).arg("--identity-token-env=MY_TOKEN").env("MY_TOKEN", content).run();
        match expected {
            Ok(()) => outcome.code(0),
            Err(says) => fails(outcome, says),
        };
    }
    fails(
        elsewhere(&world).arg("--identity-token-env=MY_TOKEN").run(),
        "the variable MY_TOKEN holds no identity token",
    );
    fails(elsewhere(&world).arg("--identity-token-env=MY_TOKEN").env("MY_TOKEN", "").run(), "the variable MY_TOKEN");
}

#[test]
fn a_named_source_comes_before_the_ci_system() {
    let world = World::new();
    let named = for_vault(&world).claim("sub", json!("named")).sign();
    let job = || world.job("whoami").shape(Shape::Github, Provider::Vault).env("MY_TOKEN", &named);
    let outcome = job().arg("--identity-token-env=MY_TOKEN").run().code(0).says("sub: named");
    assert_eq!(outcome.requests.len(), 0);
    job().args(&["--identity-token-env=MY_TOKEN", "--identity-token-file=/x"]).run().code(2).says("exclude each other");
}

#[test]
fn a_file_holds_the_token_or_the_reason_why_not() {
    let world = World::new();
    let path = world.path("work/identity-token");
    let job = || elsewhere(&world).arg(format!("--identity-token-file={}", path.display()));
    fails(job().run(), "the identity token file cannot be read");
    for (_, content, expected) in contents(&world) {
        fs::write(&path, &content).unwrap();
        match expected {
            Ok(()) => job().run().code(0),
            Err(says) => fails(job().run(), says),
        };
    }
    for content in ["", "\n \n"] {
        fs::write(&path, content).unwrap();
        fails(job().run(), "it is empty");
    }
    fs::write(&path, b"a.b.\xff").unwrap();
    fails(job().run(), "it is not text");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    fails(job().run(), "the identity token file cannot be read");
    // A relative path is the job's own, and is resolved where the job works.
    fs::write(world.path("work/relative-identity-token"), "x").unwrap();
    fails(elsewhere(&world).arg("--identity-token-file=relative-identity-token").run(), "three segments");
}

#[test]
fn a_pipe_that_nobody_writes_to_is_given_up() {
    let world = World::new();
    let path = world.path("work/pipe");
    assert!(std::process::Command::new("/usr/bin/mkfifo").arg(&path).status().unwrap().success());
    fails(elsewhere(&world).arg(format!("--identity-token-file={}", path.display())).run(), "it took too long");
}

/// Kubernetes rotates the file; a token that was read once would be over when a long build renews its login.
#[test]
fn a_file_is_read_anew_at_each_renewal() {
    let world = World::new();
    let (path, done) = (world.path("work/identity-token"), world.path("work/done"));
    let signed = |subject: &str| {
        world.sandbox.issuer().kubernetes().audience("https://broker.example.com").claim("sub", json!(subject)).sign()
    };
    let (first, second) = (signed("first"), signed("second"));
    fs::write(&path, &first).unwrap();
    world.sandbox.forward("broker.example.com", "127.0.0.1:9".parse().unwrap());
    let answer =
        json!({"access_token": world.static_token(), "token_type": "N_A", "username": "acmebot", "expires_in": 5});
    world.sandbox.fault(Fault::on(Service::Forwarded, "/exchange").always().then(Action::json(200, &answer)));
    let wait = format!("while [ ! -e '{}' ]; do /bin/sleep 0.02; done", done.display());
    let mut running = world
        .job("exec")
        .args(&["--broker-url=https://broker.example.com/exchange", "--client=none", "--renew"])
        .arg(format!("--identity-token-file={}", path.display()))
        .then(&["/bin/sh", "-c", &wait])
        .spawn();
    let sent = || -> Vec<String> {
        let requests = world.sandbox.requests(Service::Forwarded).into_iter();
        requests
            .flat_map(|request| request.form())
            .filter(|(name, _)| name == "subject_token")
            .map(|(_, token)| token)
            .collect()
    };
    running.process.wait_until(|| sent().len() == 1);
    fs::write(path.with_extension("new"), &second).unwrap();
    fs::rename(path.with_extension("new"), &path).unwrap();
    running.process.wait_until(|| sent().len() >= 2);
    fs::write(done, "").unwrap();
    running.wait().code(0);
    assert_eq!(sent()[..2], [first, second]);
}
