//! Whole runs: everything that they print and how they end, compared with `tests/it/transcripts/NAME.txt`.
//!
//! Other tests look for one sentence; here nothing may change unseen. A run is a row of [`RUNS`], and `HUBLEASE_BLESS=1`
//! writes its file anew. What differs from run to run is replaced by a name, the values that this world is known to hold
//! first, so that a pattern never hides a word of ours.

mod golden;
mod known;
mod variable;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hublease_sandbox::{Action, BrokerLimits, Fault, Service};
use serde_json::json;

use self::golden::Said;
use crate::action::runner::Step;
use crate::support::job::{Job, Provider, Shape};
use crate::support::{World, binary};

/// A run in a world of its own; the last one is written down.
type Run = fn(&World) -> Said;

const RUNS: &[(&str, Run)] = &[
    ("login-by-docker", |world| of(world.job("login").usual(Provider::Docker))),
    ("login-by-vault", |world| of(world.job("login").usual(Provider::Vault))),
    ("login-by-broker", |world| of(world.job("login").usual(Provider::Broker))),
    ("login-by-static", |world| of(world.job("login").usual(Provider::Static))),
    ("login-again", |world| {
        login(world, Provider::Broker);
        of(world.job("login").usual(Provider::Broker).arg("--verbose"))
    }),
    ("login-isolated", |world| of(world.job("login").usual(Provider::Vault).arg("--isolated"))),
    ("login-dry-run", |world| of(world.job("login").usual(Provider::Vault).arg("--dry-run"))),
    ("login-refused", |world| {
        world.sandbox.fault(Fault::on(Service::Vault, "/v1/auth/jwt-circleci/login").then(Action::status(403)));
        of(world.job("login").usual(Provider::Vault))
    }),
    ("logout-confirmed", |world| undone(world, Provider::Vault)),
    ("logout-requested", |world| {
        login(world, Provider::Broker);
        let silent = Action::json(200, &json!({}));
        world.sandbox.fault(Fault::on(Service::Forwarded, "/oauth/revoke").then(silent));
        of(world.job("logout").usual(Provider::Broker))
    }),
    ("logout-after-its-time", |world| {
        login(world, Provider::Docker);
        for file in world.record_files() {
            let mut record: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            record["leases"][0]["expires_at"] = json!(1);
            fs::write(&file, record.to_string()).unwrap();
        }
        of(world.job("logout").usual(Provider::Docker))
    }),
    ("logout-not-revocable", |world| undone(world, Provider::Docker)),
    ("logout-not-a-lease", |world| undone(world, Provider::Static)),
    ("logout-not-revoked", |world| {
        login(world, Provider::Broker);
        world.sandbox.fault(Fault::on(Service::Forwarded, "/oauth/revoke").then(Action::status(400)).always());
        of(world.job("logout").usual(Provider::Broker).arg("--strict-revoke"))
    }),
    ("logout-as-json", |world| {
        login(world, Provider::Vault);
        of(world.job("logout").usual(Provider::Vault).args(&["--output", "json"]))
    }),
    ("logout-nothing-to-undo", |world| of(world.job("logout").usual(Provider::Vault))),
    ("check", |world| {
        login(world, Provider::Vault);
        of(world.job("check").args(&["--push", "acme/app:latest", "alpine"]))
    }),
    ("whoami-circleci", |world| of(world.job("whoami").shape(Shape::Circleci, Provider::Vault))),
    ("whoami-github", |world| of(world.job("whoami").shape(Shape::Github, Provider::Vault))),
    ("exec", |world| {
        world.program("true", "#!/bin/sh\necho the command ran\nexit 3\n");
        of(world.job("exec").usual(Provider::Vault).then(&["true"]))
    }),
    ("token", |world| of(world.job("token").usual(Provider::Vault).args(&["--format", "json"]))),
    ("usage-unknown-flag", |world| of(world.job("login").arg("--no-such-flag"))),
    ("usage-no-provider", |world| of(world.job("login"))),
    ("broker-init", |world| operator(world, &["init", "--ci", "circleci"])),
    ("broker-check", |world| {
        configured(world);
        operator(world, &["check", "--config", "broker.toml"])
    }),
    ("broker-check-claims", |world| {
        configured(world);
        let claims = world.sandbox.issuer().circleci().audience(crate::support::broker::URL).claims();
        fs::write(world.path("claims.json"), claims.to_string()).unwrap();
        operator(world, &["check", "--config", "broker.toml", "--claims", "claims.json"])
    }),
    ("broker-leases-list", |world| {
        login(world, Provider::Broker);
        operator(world, &["leases", "list", "--config", "broker.toml"])
    }),
    ("broker-leases-show", |world| {
        login(world, Provider::Broker);
        let id = lease(world);
        operator(world, &["leases", "show", "--config", "broker.toml", &id])
    }),
    ("broker-leases-revoke", |world| {
        login(world, Provider::Broker);
        operator(world, &["leases", "revoke", "--config", "broker.toml", "--rule", "circleci-app"])
    }),
    ("broker-leases-no-journal", |world| {
        configured(world);
        operator(world, &["leases", "revoke", "--config", "broker.toml", "--all"])
    }),
    ("broker-usage-unknown-command", |world| operator(world, &["sell"])),
    ("action-main", |world| {
        let main = Step::new(world, Provider::Vault).main();
        let files = [("output", &main.output), ("env", &main.env)];
        let files = files
            .iter()
            .flat_map(|(file, pairs)| pairs.iter().map(move |(name, value)| format!("{file}: {name}={value}\n")));
        let stdout = main.stdout.clone() + &files.collect::<String>();
        Said { line: "main.mjs".to_owned(), stdout, stderr: main.stderr, code: main.code }
    }),
    ("action-post", |world| {
        let step = Step::new(world, Provider::Vault);
        let main = step.main();
        let post = step.after(&main).post(&main);
        Said { line: "post.mjs".to_owned(), stdout: post.stdout, stderr: post.stderr, code: post.code }
    }),
];

fn of(job: Job<'_>) -> Said {
    let line = format!("hublease {}", job.words().join(" "));
    let outcome = job.run();
    Said { line, stdout: outcome.stdout, stderr: outcome.stderr, code: outcome.code }
}

fn login(world: &World, provider: Provider) {
    world.job("login").usual(provider).run().code(0);
}

fn undone(world: &World, provider: Provider) -> Said {
    login(world, provider);
    of(world.job("logout").usual(provider))
}

/// A configuration as the sandbox gives it to every broker of a test.
fn configured(world: &World) {
    let limits = BrokerLimits::default();
    let config = world.sandbox.broker_configuration(crate::support::broker::URL, &world.path(""), limits);
    fs::write(world.path("broker.toml"), config).unwrap();
}

/// The id of the one lease that the broker has granted.
fn lease(world: &World) -> String {
    let listed = operator(world, &["leases", "list", "--config", "broker.toml", "--output", "json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    listed["leases"][0]["id"].as_str().unwrap().to_owned()
}

/// What an operator types in the directory of the broker's configuration.
fn operator(world: &World, words: &[&str]) -> Said {
    let output = Command::new(binary("HUBLEASE_BROKER_BIN"))
        .args(words)
        .current_dir(world.path(""))
        .env_clear()
        .envs(world.sandbox.environment())
        .env("ACMEBOT_PASSWORD", hublease_sandbox::PASSWORD)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let line = format!("hublease-broker {}", words.join(" "));
    Said { line, stdout: text(output.stdout), stderr: text(output.stderr), code: output.status.code().unwrap() }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/transcripts")
}

#[test]
fn every_run_prints_what_its_file_holds() {
    let difference = |(name, run): &(&str, Run)| {
        let world = World::new();
        let text = run(&world).transcript();
        golden::difference(&folder().join(format!("{name}.txt")), &variable::named(known::values(&world), &text))
    };
    let differences: Vec<_> = RUNS.iter().filter_map(difference).collect();
    assert!(
        differences.is_empty(),
        "{}\nIf that is meant: HUBLEASE_BLESS=1 writes the files anew.",
        differences.join("\n")
    );
}

#[test]
fn every_file_has_its_run() {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let files: BTreeSet<_> = files
        .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let runs: BTreeSet<_> = RUNS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files, runs);
    assert_eq!(runs.len(), RUNS.len(), "two rows have one name, and so one file");
}
