//! Whole runs: everything that they print and how they end, compared with `tests/it/transcripts/NAME.txt`.
//!
//! Other tests look for one sentence; here nothing may change unseen. A run is a row of [`RUNS`], and `HUBLEASE_BLESS=1`
//! writes its file anew. What differs from run to run is replaced by a name, the values that this world is known to hold
//! first, so that a pattern never hides a word of ours.

mod known;
mod variable;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hublease_sandbox::{Action, BrokerLimits, Fault, Service};
use serde_json::json;

use crate::action::runner::Step;
use crate::support::job::{Job, Provider, Shape};
use crate::support::{World, binary};

/// What a run printed, and how it ended.
struct Said {
    line: String,
    stdout: String,
    stderr: String,
    code: i32,
}

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
    ("logout-already-over", |world| {
        login(world, Provider::Broker);
        for file in world.record_files() {
            let mut record: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            record["leases"][0]["expires_at"] = json!(1);
            fs::write(&file, record.to_string()).unwrap();
        }
        of(world.job("logout").usual(Provider::Broker))
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

fn transcript(world: &World, said: &Said) -> String {
    let block = |name: &str, text: &str| {
        let lines: String = text.lines().map(|line| format!("    {line}\n")).collect();
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "    (no line end)\n" };
        if text.is_empty() { String::new() } else { format!("{name}:\n{lines}{end}") }
    };
    let (out, err) = (block("stdout", &said.stdout), block("stderr", &said.stderr));
    variable::named(known::values(world), &format!("$ {}\n{out}{err}exit code {}\n", said.line, said.code))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/transcripts")
}

/// The lines that differ, the file's first.
fn difference(file: &str, run: &str) -> String {
    let (file, run): (Vec<_>, Vec<_>) = (file.lines().collect(), run.lines().collect());
    let lines = (0..file.len().max(run.len())).map(|at| (file.get(at).copied(), run.get(at).copied()));
    let differing = lines.filter(|(file, run)| file != run);
    differing.map(|(file, run)| format!("- {}\n+ {}\n", file.unwrap_or("(end)"), run.unwrap_or("(end)"))).collect()
}

#[test]
fn every_run_prints_what_its_file_holds() {
    let blesses = std::env::var_os("HUBLEASE_BLESS").is_some();
    let mut differences = String::new();
    for (name, run) in RUNS {
        let world = World::new();
        let text = transcript(&world, &run(&world));
        let file = folder().join(format!("{name}.txt"));
        if blesses {
            fs::write(&file, &text).unwrap();
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        if kept != text {
            differences.push_str(&format!("{name}\n{}", difference(&kept, &text)));
        }
    }
    assert!(differences.is_empty(), "{differences}If that is meant: HUBLEASE_BLESS=1 writes the files anew.");
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
}
